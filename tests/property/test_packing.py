"""Findings and outlines survive the wire and the journal, whatever they hold."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference import packing
from inference.findings import (
    Detection,
    Findings,
    Heatmap,
    Impression,
    Mask,
    ModelStamp,
    Outline,
    Segment,
)

numbers = st.floats(-1e6, 1e6)
shares = st.floats(0, 1)
indices = st.tuples(*[st.integers(0, 700)] * 3)
shapes = st.tuples(*[st.integers(0, 5)] * 3)


@st.composite
def masks(draw) -> Mask:
    shape = draw(shapes)
    bits = draw(st.binary(min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return Mask(draw(indices), np.frombuffer(bits, np.uint8).reshape(shape) % 2 == 1)


@st.composite
def heatmaps(draw) -> Heatmap:
    shape = draw(shapes)
    values = draw(st.binary(min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return Heatmap(draw(indices), np.frombuffer(values, np.uint8).reshape(shape), draw(st.text()))


impressions = st.none() | st.builds(Impression, st.floats(1, 5), st.floats(1, 5))
ids = st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=3)


@st.composite
def findings(draw) -> Findings:
    detections = tuple(
        Detection(
            id=name,
            label="nodule",
            score=draw(shares),
            centre_lps_mm=draw(st.tuples(numbers, numbers, numbers)),
            diameter_mm=draw(numbers),
            short_axis_mm=draw(numbers),
            volume_ml=draw(numbers),
            mean_value=draw(numbers),
            mask=draw(masks()),
            uncertainty=draw(st.none() | shares),
            impression=draw(impressions),
        )
        for name in draw(ids)
    )
    segments = tuple(Segment(name, "lung_left", draw(numbers), draw(masks())) for name in draw(ids))
    return Findings(
        ModelStamp("a", "1.2.3", "ab" * 32),
        draw(st.text()),
        detections,
        segments,
        draw(st.none() | heatmaps()),
        draw(shares),
        draw(st.dictionaries(st.text(), numbers, max_size=2)),
        draw(st.none() | heatmaps()),
    )


outlines = st.builds(
    Outline,
    masks(),
    heatmaps(),
    heatmaps(),
    shares,
    shares,
    impressions,
    st.sampled_from(("", "outside", "nothing")),
    st.text(),
)


def _wire(parts):
    return packing.unpack(b"".join(bytes(part) for part in packing.pack(*parts)))


def _same_mask(a: Mask, b: Mask, offset=(0, 0, 0)) -> bool:
    origin = np.add(a.origin_kji, offset if a.voxels.size else (0, 0, 0))
    return tuple(origin) == b.origin_kji and np.array_equal(a.voxels, b.voxels)


def _same_heat(a: Heatmap | None, b: Heatmap | None, offset=(0, 0, 0)) -> bool:
    if a is None or b is None:
        return a is b
    origin = np.add(a.origin_kji, offset if a.values.size else (0, 0, 0))
    same = tuple(origin) == b.origin_kji and np.array_equal(a.values, b.values)
    return same and a.meaning == b.meaning


@given(findings())
def test_findings_come_back_as_they_were(sent: Findings):
    found = packing.findings_from_parts(*_wire(packing.findings_parts(sent)))
    for a, b in zip(sent.detections, found.detections, strict=True):
        for name in Detection.__slots__:
            if name != "mask":
                assert getattr(a, name) == getattr(b, name)
        assert _same_mask(a.mask, b.mask)
    for s, t in zip(sent.segments, found.segments, strict=True):
        assert (s.id, s.label, s.volume_ml) == (t.id, t.label, t.volume_ml)
        assert _same_mask(s.mask, t.mask)
    assert _same_heat(sent.heatmap, found.heatmap)
    assert _same_heat(sent.uncertainty, found.uncertainty)
    assert (sent.model, sent.device, sent.threshold) == (found.model, found.device, found.threshold)
    assert dict(sent.seconds) == dict(found.seconds)


@given(outlines, indices)
def test_an_outline_comes_back_moved_by_the_box_it_was_made_in(sent: Outline, offset):
    found = packing.outline_from_parts(*_wire(packing.outline_parts(sent)), offset)
    assert _same_mask(sent.mask, found.mask, offset)
    assert _same_heat(sent.share, found.share, offset)
    assert _same_heat(sent.spread, found.spread, offset)
    for name in ("score", "uncertainty", "impression", "reason", "device"):
        assert getattr(sent, name) == getattr(found, name)


@given(findings())
def test_what_an_older_version_reads_is_where_it_was(sent: Findings):
    """A journal of this version is opened by the one before it: new things lie beside the old."""
    value, _ = packing.findings_parts(sent)
    known = {"id", "label", "score", "centre_lps_mm", "diameter_mm", "short_axis_mm", "volume_ml",
             "mean_value", "mask"}  # fmt: skip
    assert all(set(head) == known for head in value["detections"])
    if all(d.uncertainty is None and d.impression is None for d in sent.detections):
        assert "opinions" not in value
