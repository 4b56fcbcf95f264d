"""Undo is limited by bytes, named, alive after closing; thresholds are steps too."""

import numpy as np
import pytest

from tests.annotate_cases import findings, open_case, state, volume
from viewer.annotate import history as history_module
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.edits import PaintStroke, SetNote
from viewer.annotate.history import History, bytes_of
from viewer.annotate.mask import Delta
from viewer.annotate.rerun import add_findings_edit

UTC = "2026-11-21T07:31:05.123Z"


def _strokes(of, n, noise=True):
    rng = np.random.default_rng(0)
    for _ in range(n):
        array = rng.random((4, 8, 8)) < 0.5 if noise else np.ones((4, 8, 8), bool)
        delta = Delta.from_array(array, (2, 3, 3))
        yield PaintStroke("d1", delta, "add", "ball", 4.0)


def _history(most_bytes):
    vol = volume()
    out = History(AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels), most_bytes)
    out.apply(add_findings_edit(out.document, findings(vol), UTC))
    return out


def test_bytes_limit_undo_not_steps():
    small, large = _history(20_000), _history(20_000)
    for history, noise in ((small, True), (large, False)):
        for edit in _strokes(None, 100, noise):
            history.apply(edit)
            history.trim()
    kept = len(small.done), len(large.done)
    assert kept[0] < kept[1] < 101
    for history in (small, large):
        assert sum(map(bytes_of, history.done)) <= 20_000
        assert history.counts["paint"] == 100
        assert history.counts["add-findings"] == 1


def test_what_is_undone_counts_until_something_new_is_done():
    history = _history(10_000_000)
    for edit in _strokes(None, 10):
        history.apply(edit)
    for _ in range(5):
        history.undo()
    assert len(history.undone_names) == 5
    assert len(history.done_names) == 6
    history.apply(SetNote("comment", "d1", None, {"text": "x"}))
    assert history._bytes == sum(map(bytes_of, history.done))


def test_the_latest_step_can_always_be_taken_back():
    history = _history(10)
    for edit in _strokes(None, 3):
        before = state(history.document)
        history.apply(edit)
        history.trim()
    assert len(history.done) == 1
    history.undo()
    assert state(history.document) == before
    assert history.undo() is None


def test_a_limit_that_was_reached_survives_reopening(tmp_path, monkeypatch):
    monkeypatch.setattr(History.__init__, "__defaults__", (4_000,))
    assert history_module.MOST_BYTES > 4_000
    case = open_case(folder=tmp_path)
    case.add_findings(findings(volume()))
    for edit in _strokes(None, 30):
        case.apply(edit)
    for _ in range(3):
        case.undo()
    wanted, steps = state(case.document), case.steps
    assert len(steps[0]) < 20
    assert case.close() == 0
    case = open_case(folder=tmp_path)
    assert state(case.document) == wanted
    assert case.steps[1] == steps[1]
    assert case.recovered is None
    while case.undo() is not None:
        pass
    assert case.close() == 0
    again = open_case(folder=tmp_path)
    assert again.recovered is None
    assert again.close() == 0


def test_steps_are_named(tmp_path):
    case = open_case(folder=tmp_path)
    case.add_findings(findings(volume()))
    case.set_verdict("d1", "accepted")
    case.add_missed((1.0, 2.0, 3.0))
    case.undo()
    assert case.steps == (("Accept nodule 1", "AI run"), ("Add nodule 4",))
    assert case.close() == 0


@pytest.fixture
def read(tmp_path):
    case = open_case(folder=tmp_path)
    case.add_findings(findings(volume()))
    yield case
    case.close()


def test_a_threshold_that_was_kept_is_a_step(read, tmp_path):
    own = read.threshold
    read.threshold = 0.1
    assert read.keep_threshold() is not None
    assert read.keep_threshold() is None
    assert read.undo_name == "Score threshold"
    read.threshold = 0.8
    read.keep_threshold()
    read.undo()
    assert read.threshold == 0.1
    read.undo()
    assert read.threshold == own
    read.redo()
    assert read.threshold == 0.1
    assert read.close() == 0
    again = open_case(folder=tmp_path)
    assert again.threshold == 0.1
    again.undo()
    assert again.threshold == own
    assert again.close() == 0


def test_a_threshold_belongs_to_its_run(read):
    read.threshold = 0.1
    read.keep_threshold()
    read.add_findings(findings(volume(), version="2.0"))
    assert read.threshold == read.document.findings.threshold
    read.undo()
    assert read.threshold == 0.1


def test_back_to_the_models_own_threshold_is_a_step_too(read):
    own = read.threshold
    read.threshold = 0.1
    read.keep_threshold()
    read.threshold = own
    assert read.keep_threshold() is not None
    assert read.keep_threshold() is None
    read.undo()
    assert read.threshold == 0.1


@pytest.mark.parametrize("note", [{}, {"score": "x", "run": 1}, {"score": 7.0, "run": 1}])
def test_a_note_that_is_no_threshold_counts_for_nothing(read, note):
    own = read.threshold
    read.set_note("threshold", "list", note)
    assert read.threshold == own
