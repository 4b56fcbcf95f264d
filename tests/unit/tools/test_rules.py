"""Brushes that judge values: by a range exactly, by an edge against bodies of known shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import geometry
from tests.grids import make_affine
from viewer.annotate.mask import empty_mask
from viewer.tools.brush import Brush, Stroke
from viewer.tools.rules import Edge, Range, two_tissues

SHAPE = (18, 40, 44)


AFFINES = {
    "anisotropic": make_affine((2.5, 0.7, 0.9)),
    "flipped": make_affine((2.0, 0.8, 0.8), flips=(-1, 1, -1)),
    "oblique": make_affine((1.6, 0.6, 0.9), seed=4),
}
MIDDLE = (9.0, 20.0, 22.0)


def nodule(affine, radius_mm=7.0, inside=30, outside=-850, noise=40, seed=0, dtype=np.int16):
    """A ball of soft tissue in lung; return the voxels and the ball."""
    grid = np.moveaxis(np.indices(SHAPE), 0, -1)
    away = geometry.kji_to_lps_mm(affine, grid) - geometry.kji_to_lps_mm(affine, MIDDLE)
    ball = np.linalg.norm(away, axis=-1) <= radius_mm
    values = np.where(ball, inside, outside) + np.random.default_rng(seed).normal(0, noise, SHAPE)
    return values.astype(dtype), ball


def drawn(affine, brush, path, voxels):
    stroke = Stroke(SHAPE, affine, brush, "h1", empty_mask(), voxels)
    for point in path:
        stroke.move_to(point)
    out = np.zeros(SHAPE, dtype=bool)
    delta = stroke.delta()
    if delta is not None:
        out[delta.box] = delta.to_array()
    return out


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


point = st.tuples(st.floats(-3, 20), st.floats(-4, 44), st.floats(-4, 48))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(point, min_size=1, max_size=4),
    st.sampled_from(sorted(AFFINES)),
    st.sampled_from([("disc", 0), ("disc", 1), ("disc", 2), ("ball", 0)]),
    st.sampled_from(["add", "erase"]),
    st.floats(0.05, 16),
    st.integers(-1000, 200),
    st.integers(0, 900),
)
def test_a_range_is_the_plain_brush_where_the_values_lie_in_it(
    path, which, kind, mode, size, low, width
):
    affine, (shape, axis) = AFFINES[which], kind
    voxels, _ = nodule(affine)
    whole = np.ones(SHAPE, dtype=bool)
    from inference.findings import Mask

    before = Mask.from_array(whole) if mode == "erase" else empty_mask()
    found = []
    for rule in (None, Range(low, low + width)):
        stroke = Stroke(SHAPE, affine, Brush(size, shape, axis, mode, rule), "h1", before, voxels)
        for at in path:
            stroke.move_to(at)
        out, delta = np.zeros(SHAPE, dtype=bool), stroke.delta()
        if delta is not None:
            out[delta.box] = delta.to_array()
        found.append(out)
    assert np.array_equal(found[1], found[0] & (voxels >= low) & (voxels <= low + width))


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize("shape", ["disc", "ball"])
def test_an_edge_brush_larger_than_the_body_draws_the_body(affine, shape):
    voxels, ball = nodule(affine)
    found = drawn(affine, Brush(22.0, shape, 0, rule=Edge()), [MIDDLE], voxels)
    if shape == "disc":
        ball = ball & (np.arange(SHAPE[0]) == 9)[:, None, None]
    assert dice(found, ball) > 0.98


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_it_stops_at_the_edge_wherever_it_is_led(affine):
    voxels, ball = nodule(affine, radius_mm=9.0)
    path = [(9, 20, 22), (9, 20, 30), (9, 20, 43), (9, 32, 43), (9, 38, 20), (9, 22, 21)]
    found = drawn(affine, Brush(9.0, "ball", rule=Edge()), path, voxels)
    plain = drawn(affine, Brush(9.0, "ball"), path, voxels)
    assert (plain & ~ball).sum() > (plain & ball).sum(), "the way leads far outside"
    assert (found & ~ball).sum() < 0.01 * found.sum()
    assert (found & ball).sum() > 0.95 * (plain & ball).sum()


def test_within_one_tissue_it_is_the_plain_brush():
    affine = AFFINES["anisotropic"]
    voxels = np.random.default_rng(1).normal(0, 30, SHAPE).astype(np.int16)
    path = [(9, 10, 10), (9, 25, 30)]
    found = drawn(affine, Brush(8.0, "disc", 0, rule=Edge()), path, voxels)
    plain = drawn(affine, Brush(8.0, "disc", 0), path, voxels)
    assert np.array_equal(found, plain)
    flat = drawn(affine, Brush(8.0, "disc", 0, rule=Edge()), path, np.zeros(SHAPE, np.int16))
    assert np.array_equal(flat, plain)


def test_a_neighbour_of_like_tissue_is_left_alone():
    affine = make_affine((1.0, 1.0, 1.0))
    voxels = np.full(SHAPE, -800, dtype=np.int16)
    voxels[:, 10:20, 10:20] = 40
    voxels[:, 10:20, 23:33] = 40
    found = drawn(affine, Brush(24.0, "disc", 0, rule=Edge()), [(9, 14, 15)], voxels)
    assert found[9, 10:20, 10:20].all()
    assert not found[:, :, 20:].any()


def test_the_eraser_rubs_out_the_tissue_it_began_on():
    from inference.findings import Mask

    affine = AFFINES["anisotropic"]
    voxels, ball = nodule(affine)
    mask = Mask.from_array(np.ones(SHAPE, dtype=bool))
    brush = Brush(30.0, "ball", 0, "erase", Edge())
    stroke = Stroke(SHAPE, affine, brush, "h1", mask, voxels)
    stroke.move_to(MIDDLE)
    assert dice(np.isin(stroke.delta().to_array(), True),
                ball[stroke.delta().box]) > 0.98  # fmt: skip


def test_unknown_values_are_never_drawn():
    affine = AFFINES["anisotropic"]
    voxels, _ = nodule(affine, dtype=np.float32)
    voxels[9, 18:22, :] = np.nan
    for rule in (Edge(), Range(-2000, 2000)):
        found = drawn(affine, Brush(12.0, "ball", rule=rule), [(9, 20, 22), (9, 30, 30)], voxels)
        assert found.any()
        assert not (found & np.isnan(voxels)).any()
    nothing = np.full(SHAPE, np.nan, dtype=np.float32)
    assert not drawn(affine, Brush(9.0, "ball", rule=Edge()), [MIDDLE], nothing).any()


def test_two_tissues_are_told_from_one():
    dice = np.random.default_rng(0)
    one = dice.normal(0, 30, 4000).astype(np.float32)
    assert two_tissues(one) is None
    assert two_tissues(dice.uniform(-1, 1, 4000).astype(np.float32)) is None
    assert two_tissues(np.zeros(50, np.float32)) is None
    level, low, high = two_tissues(np.concatenate([one[:800], one + 900]).astype(np.float32))
    assert (low, high) == (pytest.approx(0, abs=15), pytest.approx(900, abs=15))
    assert level == pytest.approx(450, abs=15)


def test_what_rules_need():
    with pytest.raises(ValueError, match="range"):
        Range(3, 2)
    with pytest.raises(ValueError, match="range"):
        Range(float("nan"), 2)
    with pytest.raises(ValueError, match="values"):
        Stroke(SHAPE, AFFINES["oblique"], Brush(3.0, rule=Edge()), "h1", empty_mask())
    assert Range(-200, 300.5).text == "range -200 300.5"
    assert Edge().text == "edge"
