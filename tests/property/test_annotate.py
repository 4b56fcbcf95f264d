"""Any sequence of edits: taken back it leaves nothing, replayed it gives the same document."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.findings import Heatmap, Impression, Mask, ModelStamp, Outline
from tests.annotate_cases import READER, SHAPE, findings, findings_sha, state, volume
from viewer.annotate import edits, locks, makers, pointing, reshaping
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.history import History
from viewer.annotate.mask import Delta, Growing, crop, equal, xor
from viewer.annotate.rerun import add_findings_edit
from viewer.tools.brush import Brush, Stroke

UTC = "2026-11-21T07:31:05.123Z"
VOLUME = volume(seed=3)
# A float volume: sums of floats are where an undo would first go astray.
FLOATS = volume(seed=4, dtype=np.float32)

point = st.tuples(st.floats(-3, 14), st.floats(-4, 27), st.floats(-4, 31))
which = st.integers(0, 30)
operation = st.one_of(
    st.tuples(st.just("verdict"), which, st.sampled_from(["accepted", "rejected", "unsure", None])),
    st.tuples(st.just("reject"), which, st.sampled_from(["", "vessel", "other"])),
    st.tuples(st.just("outline"), st.tuples(*[st.integers(1, 9)] * 3), st.integers(1, 60)),
    st.tuples(st.just("call"), which),
    st.tuples(st.just("delete"), which),
    st.tuples(st.just("restore"), which),
    st.tuples(st.just("label"), which, st.sampled_from(["nodule", "lung_left"])),
    st.tuples(st.just("move"), which, st.tuples(*[st.floats(-20, 20)] * 3)),
    st.tuples(st.just("add"), st.tuples(*[st.floats(-40, 40)] * 3)),
    st.tuples(
        st.just("paint"),
        which,
        st.lists(point, min_size=1, max_size=4),
        st.sampled_from(["disc", "ball"]),
        st.integers(0, 2),
        st.sampled_from(["add", "erase"]),
        st.floats(0.1, 12),
    ),
    st.tuples(st.just("run"), st.floats(-2, 3)),
    st.tuples(
        st.just("note"),
        st.sampled_from(["measurement", "key-image"]),
        st.sampled_from(["m1", "m2", "m3"]),
        st.none() | st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=4)),
    ),
    st.tuples(st.just("reshape"), which, st.integers(0, 10**6)),
    st.tuples(st.just("split"), which, st.integers(1, 3), st.booleans()),
    st.tuples(st.just("merge"), which, which),
    st.tuples(st.just("lock"), which, st.booleans()),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
)


def _edit(document, op, vol):
    """Return the edit that an operation means on this document, or None."""
    kind, *rest = op
    if kind == "add":
        return makers.missed_edit(document, rest[0], "nodule")
    if kind == "outline":
        return _outline(document, vol, *rest)
    if kind == "run":
        return add_findings_edit(document, findings(vol, shift=rest[0]), UTC)
    if kind == "note":
        before = document.notes(rest[0]).get(rest[1])
        return None if before == rest[2] else edits.SetNote(rest[0], rest[1], before, rest[2])
    targets = [x.id for x in document.record]
    if kind in ("paint", "reshape", "lock"):
        targets += [s.id for s in document.segments]
    if not targets:
        return None
    target = targets[rest[0] % len(targets)]
    if kind == "verdict":
        return makers.verdict_edit(document, target, rest[1], READER, UTC)
    if kind == "reject":
        return makers.verdict_edit(document, target, "rejected", READER, UTC, rest[1])
    if kind == "call":
        return pointing.back_in_list_edit(document.lesion(target))
    if kind == "delete":
        return makers.delete_edit(document, target)
    if kind == "restore":
        deleted = document.lesion(target).deleted
        return edits.DeleteLesion(target, deleted=False) if deleted else None
    if kind == "label":
        return makers.label_edit(document, target, rest[1])
    if kind == "move":
        return makers.move_edit(document, target, rest[1])
    if kind == "lock":
        return locks.lock_edit(document, target, rest[1])
    if kind == "reshape":
        array = np.random.default_rng(rest[1]).random(SHAPE) < 0.1
        after = Mask.from_array(array)
        return reshaping.reshape_edit(document, target, after, "smooth", {"width_mm": 1.5})
    if kind == "split":
        return _split(document, target, *rest[1:])
    if kind == "merge":
        return reshaping.merge_edit(document, target, targets[rest[1] % len(targets)])
    _, path, shape, axis, mode, size = rest
    brush = Brush(size, shape, axis, mode)
    stroke = Stroke(vol.shape_kji, vol.affine, brush, target, document.target(target).mask)
    for at in path:
        stroke.move_to(at)
    delta = stroke.delta()
    return None if delta is None else edits.PaintStroke(target, delta, mode, shape, size)


def _free_edit(document, op, vol):
    """Return the edit that an operation means, unless it would change what is locked."""
    edit = _edit(document, op, vol)
    parts = edit.parts if isinstance(edit, edits.Together) else (edit,) if edit else ()
    held = document.notes(locks.TOPIC)
    if any(target in held for part in parts for target in locks.changes(part)):
        before = state(document)
        with pytest.raises(ValueError, match="locked"):
            document.apply(edit)
        assert state(document) == before
        return None
    return edit


def _split(document, target, cuts, blind):
    """Part a lesion between its slices, at most ``cuts`` times."""
    mask = document.lesion(target).mask
    parts = np.array_split(np.arange(mask.voxels.shape[0]), cuts + 1)
    layers = [part for part in parts if len(part)]
    pieces = []
    for layer in layers:
        k, j, i = mask.origin_kji
        piece = crop(mask.voxels[layer[0] : layer[-1] + 1], (k + int(layer[0]), j, i))
        if piece.voxels.size:
            pieces.append(piece)
    return reshaping.split_edit(document, target, pieces, blind=blind)


def _outline(document, vol, corner, seed):
    """Lay in a random outline somewhere in the volume."""
    array = np.random.default_rng(seed).random((2, 4, 5)) < 0.7
    nothing = Heatmap((0, 0, 0), np.zeros((1, 1, 1), np.uint8), "share")
    said = Impression(1 + seed / 20, 3.0) if seed % 2 else None
    outline = Outline(Mask(corner, array), nothing, nothing, 0.3, seed / 100, said, "", "CPU")
    stamp = ModelStamp("outliner", "1.0", "ab" * 32)
    return pointing.outlined_edit(document, vol, outline, stamp, (0.1 * seed, 2.0, -3.0))


def _document(vol):
    return AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels)


@settings(max_examples=60)
@given(st.lists(operation, max_size=14), st.sampled_from([VOLUME, FLOATS]), st.booleans())
def test_edits_taken_back_in_turn_leave_nothing(operations, vol, with_ai):
    document = _document(vol)
    found = findings(vol)
    sha = findings_sha(found)
    if with_ai:
        document.apply(add_findings_edit(document, found, UTC))
    states, done = [state(document)], []
    for op in operations:
        if op[0] in ("undo", "redo") or (edit := _free_edit(document, op, vol)) is None:
            continue
        document.apply(edit)
        done.append(edit)
        states.append(state(document))
    for edit in reversed(done):
        assert state(document) == states.pop()
        document.apply(edit.inverse())
    assert state(document) == states.pop()
    assert findings_sha(found) == sha


@settings(max_examples=60)
@given(st.lists(operation, max_size=18), st.sampled_from([VOLUME, FLOATS]))
def test_a_replayed_journal_is_the_live_document(operations, vol):
    live = History(_document(vol))
    found = findings(vol)
    sha = findings_sha(found)
    live.apply(add_findings_edit(live.document, found, UTC))
    first = live.undo_edit
    journal = [(first.kind, json.dumps(first.body()), first.blob())]
    for op in operations:
        if op[0] in ("undo", "redo"):
            if (live.undo if op[0] == "undo" else live.redo)() is not None:
                journal.append((op[0], "{}", None))
        elif (edit := _free_edit(live.document, op, vol)) is not None:
            live.apply(edit)
            journal.append((edit.kind, json.dumps(edit.body(), allow_nan=False), edit.blob()))
    again = History(_document(vol))
    with again.document.deferred():
        for kind, body, blob in journal:
            if kind == "undo":
                again.undo()
            elif kind == "redo":
                again.redo()
            else:
                again.apply(edits.decode(kind, json.loads(body), blob))
    assert state(again.document) == state(live.document)
    assert (again.undo_name, again.redo_name) == (live.undo_name, live.redo_name)
    while again.undo() is not None:
        live.undo()
        assert state(again.document) == state(live.document)
    assert again.document.record == ()
    assert findings_sha(found) == sha


bools = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).random((4, 5, 6)) < 0.2
)


@given(bools, bools)
def test_xor_is_that_of_whole_arrays(before, after):
    delta = Delta.from_array(before ^ after, (0, 0, 0))
    mask = crop(before, (0, 0, 0))
    if delta is None:
        assert np.array_equal(before, after)
        return
    changed, grown = xor(mask, delta)
    assert np.array_equal(changed.to_array((4, 5, 6)), after)
    assert grown == int(after.sum()) - int(before.sum())


@given(bools, st.lists(st.tuples(bools, st.tuples(*[st.integers(0, 9)] * 3)), max_size=6))
def test_many_deltas_at_once_are_each_in_turn(first, rest):
    mask = turned = crop(first, (3, 3, 3))
    growing = Growing(mask, (13, 14, 15))
    for array, at in rest:
        delta = Delta.from_array(array, at)
        if delta is not None:
            turned = xor(turned, delta)[0]
            growing.xor(delta)
    assert equal(growing.mask, turned)
    assert np.array_equal(mask.to_array((13, 14, 15))[3:7, 3:8, 3:9], first)


@settings(max_examples=60)
@given(
    st.lists(point, min_size=1, max_size=5),
    st.floats(0.05, 15),
    st.sampled_from(["disc", "ball"]),
    st.integers(0, 2),
)
def test_a_stroke_drawn_and_rubbed_out_along_the_same_path(path, size, shape, axis):
    drawn = Stroke(VOLUME.shape_kji, VOLUME.affine, Brush(size, shape, axis), "h1",
                   crop(np.zeros((1, 1, 1), dtype=bool), (0, 0, 0)))  # fmt: skip
    for at in path:
        drawn.move_to(at)
    delta = drawn.delta()
    if delta is None:
        return
    mask, count = xor(drawn.mask, delta)
    assert count == mask.count > 0
    rubbed = Stroke(VOLUME.shape_kji, VOLUME.affine, Brush(size, shape, axis, "erase"), "h1", mask)
    for at in path:
        rubbed.move_to(at)
    assert xor(mask, rubbed.delta())[0].count == 0
