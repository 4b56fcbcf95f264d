"""Lassos against the definition: a voxel is drawn when the line goes round its centre."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import geometry
from inference.findings import Mask
from tests.grids import make_affine
from viewer.annotate.mask import empty_mask, xor
from viewer.display.oblique import cut_plane, turned
from viewer.display.planes import make_planes
from viewer.tools.lasso import MODES, Lasso, Sheet, filled, goes_round

SHAPE = (14, 22, 26)


AFFINES = {
    "anisotropic": make_affine(),
    "flipped": make_affine(flips=(-1, 1, -1)),
    "oblique": make_affine((2.0, 0.6, 0.9), seed=4),
    "tilted": make_affine((2.0, 0.8, 0.8), seed=2, shear=0.3),
}


def winding(corners, point):
    """How often a line goes round a point: the angles of its sides, summed."""
    away = np.asarray(corners, float) - point
    angle = np.arctan2(away[:, 1], away[:, 0])
    steps = (np.diff(np.append(angle, angle[0])) + np.pi) % (2 * np.pi) - np.pi
    return round(float(steps.sum()) / (2 * np.pi))


def lasso_on(affine, mode, axis, index, corners, mask=None):
    """Draw corners, fractional indices of the two axes of a slice, as a hand does in mm."""
    lasso = Lasso(SHAPE, affine, mode, "h1", mask or empty_mask(), axis, index)
    kji = np.insert(np.asarray(corners, float), axis, index, axis=1)
    lasso.draw(geometry.kji_to_lps_mm(affine, kji))
    return lasso


def whole(delta):
    out = np.zeros(SHAPE, dtype=bool)
    if delta is not None:
        out[delta.box] = delta.to_array()
    return out


corner = st.tuples(st.floats(-5, 30), st.floats(-5, 30))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(corner, min_size=3, max_size=9),
    st.sampled_from(sorted(AFFINES)),
    st.integers(0, 2),
)
def test_it_draws_what_the_line_goes_round_and_on_its_slice_only(corners, which, axis):
    index = SHAPE[axis] // 2
    drawn = whole(lasso_on(AFFINES[which], "add", axis, index, corners).delta())
    others = [a for a in range(3) if a != axis]
    assert not np.delete(drawn, index, axis=axis).any()
    flat = np.take(drawn, index, axis=axis)
    for at in np.ndindex(*(SHAPE[a] for a in others)):
        if not near_line(corners, at):
            assert flat[at] == (winding(corners, at) != 0), at


def near_line(corners, at):
    a = np.asarray(corners, float)
    way = np.roll(a, -1, axis=0) - a
    length = (way**2).sum(axis=1)
    along = ((np.asarray(at) - a) * way).sum(axis=1)
    share = np.clip(np.divide(along, length, out=np.zeros_like(along), where=length > 0), 0, 1)
    return np.linalg.norm(a + share[:, None] * way - at, axis=1).min() < 1e-6


@settings(max_examples=60, deadline=None)
@given(st.lists(corner, min_size=3, max_size=9), st.integers(0, 10**6))
def test_points_and_grids_are_judged_alike(corners, seed):
    corners = np.asarray(corners)
    found, (row, column) = filled(corners, (22, 26))
    grid = np.zeros((22, 26), dtype=bool)
    grid[row : row + found.shape[0], column : column + found.shape[1]] = found
    points = np.argwhere(np.ones((22, 26), dtype=bool)).astype(float)
    order = np.random.default_rng(seed).permutation(len(points))
    inside = goes_round(corners[:, ::-1], points[order][:, ::-1])
    wanted = grid[tuple(points[order].astype(int).T)]
    sure = [not near_line(corners, point) for point in points[order]]
    assert np.array_equal(inside[sure], wanted[sure])


def test_a_loop_that_crosses_itself_leaves_no_hole():
    twice = [(3, 3), (3, 15), (15, 15), (15, 3)] * 2
    once, _ = filled(np.array(twice[:4], float), (20, 20))
    again, _ = filled(np.array(twice, float), (20, 20))
    assert np.array_equal(once, again)


def test_neighbours_along_a_shared_side_share_no_voxel_and_miss_none():
    left = lasso_on(AFFINES["anisotropic"], "add", 0, 5, [(2, 2), (2, 8), (12, 8), (12, 2)])
    right = lasso_on(AFFINES["anisotropic"], "add", 0, 5, [(2, 8), (2, 15), (12, 15), (12, 8)])
    both = lasso_on(AFFINES["anisotropic"], "add", 0, 5, [(2, 2), (2, 15), (12, 15), (12, 2)])
    a, b = whole(left.delta()), whole(right.delta())
    assert not (a & b).any()
    assert np.array_equal(a | b, whole(both.delta()))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_modes_change_the_slice_and_nothing_else(affine, axis):
    array = np.zeros(SHAPE, dtype=bool)
    array[3:11, 5:16, 6:20] = True
    mask, index = Mask.from_array(array), 8
    corners = [(2.2, 2.1), (7.7, 24.3), (18.4, 9.9)]
    inside = whole(lasso_on(affine, "add", axis, index, corners).delta())
    layer = np.zeros(SHAPE, dtype=bool)
    layer[(slice(None),) * axis + (index,)] = True
    wanted = {
        "add": array | inside,
        "subtract": array & ~inside,
        "intersect": array & (~layer | inside),
    }
    for mode in MODES:
        lasso = lasso_on(affine, mode, axis, index, corners, mask)
        after = xor(mask, lasso.delta())[0].to_array(SHAPE)
        assert np.array_equal(after, wanted[mode]), mode
        assert np.array_equal(mask.to_array(SHAPE), array)
        for at in range(SHAPE[axis]):
            flat, (row, column) = lasso.slice_of(axis, at)
            shown = np.zeros([n for a, n in enumerate(SHAPE) if a != axis], dtype=bool)
            shown[row : row + flat.shape[0], column : column + flat.shape[1]] = flat
            assert np.array_equal(shown, np.take(wanted[mode], at, axis=axis))


@pytest.mark.parametrize("mode", MODES)
def test_a_line_that_goes_round_nothing_changes_nothing(mode):
    array = np.zeros(SHAPE, dtype=bool)
    array[3:11, 5:16, 6:20] = True
    mask = Mask.from_array(array)
    for corners in ([(4, 4)], [(4, 4), (9, 9)], [(4.2, 4.2), (4.3, 4.2), (4.2, 4.3)],
                    [(-9, -9), (-9, -2), (-2, -2)], [(40, 40), (60, 40), (60, 60)]):  # fmt: skip
        assert lasso_on(AFFINES["oblique"], mode, 1, 9, corners, mask).delta() is None


def test_a_sheet_that_is_a_slice_of_the_volume_draws_what_the_slice_does():
    for affine in (AFFINES["anisotropic"], AFFINES["oblique"], AFFINES["flipped"]):
        for axis in range(3):
            first, second = (a for a in range(3) if a != axis)
            spacing = np.linalg.norm(affine[:3, :3], axis=0)
            across, down = affine[:3, first] / spacing[first], affine[:3, second] / spacing[second]
            index = SHAPE[axis] // 2
            at = np.zeros(3)
            at[axis] = index
            origin = geometry.kji_to_lps_mm(affine, at)
            sheet = Sheet(origin, across, down, float(spacing[axis]))
            corners = [(2.3, 3.1), (5.2, 19.4), (11.7, 14.2), (9.4, 4.6)]
            for mode in MODES:
                mask = Mask.from_array(np.ones(SHAPE, dtype=bool))
                mask = empty_mask() if mode == "add" else mask
                slanted = Lasso(SHAPE, affine, mode, "h1", mask, None, sheet=sheet)
                kji = np.insert(np.array(corners), axis, index, axis=1)
                slanted.draw(geometry.kji_to_lps_mm(affine, kji))
                straight = lasso_on(affine, mode, axis, index, corners, mask)
                assert np.array_equal(whole(slanted.delta()), whole(straight.delta()))


def test_an_oblique_sheet_draws_the_layer_of_voxels_nearest_to_it():
    affine = AFFINES["anisotropic"]
    plane = make_planes(SHAPE, affine)["axial"]
    frame = turned((plane.across_lps, plane.down_lps), (1.0, 0.5, 0.2), 0.6)
    middle = geometry.kji_to_lps_mm(affine, (np.array(SHAPE) - 1) / 2)
    slanted = cut_plane(plane, frame, middle)
    sheet = Sheet(middle, slanted.across_lps, slanted.down_lps, slanted.step_mm)
    corners = middle + np.array(
        [x * slanted.across_lps + y * slanted.down_lps for x, y in ((-5, -4), (6, -3), (1, 5))]
    )
    lasso = Lasso(SHAPE, affine, "add", "h1", empty_mask(), None, sheet=sheet)
    lasso.draw(corners)
    at = np.argwhere(whole(lasso.delta()))
    assert len(at) > 20
    every = np.argwhere(np.ones(SHAPE, dtype=bool))
    lps = geometry.kji_to_lps_mm(affine, every)
    depth = (lps - middle) @ slanted.normal_lps
    flat, line = sheet.flat(lps), sheet.flat(corners)
    wanted = [
        abs(d) < slanted.step_mm / 2 and winding(line, p) != 0
        for d, p in zip(depth, flat, strict=True)
    ]
    assert np.array_equal(at, every[wanted])


def test_what_it_needs():
    with pytest.raises(ValueError, match="adds"):
        Lasso(SHAPE, AFFINES["oblique"], "xor", "h1", empty_mask(), 0)
    with pytest.raises(ValueError, match="slice"):
        Lasso(SHAPE, AFFINES["oblique"], "add", "h1", empty_mask(), None)
    lasso = Lasso(SHAPE, AFFINES["oblique"], "add", "h1", empty_mask(), 0, 3)
    with pytest.raises(ValueError, match="finite"):
        lasso.draw([(0, 0, float("nan"))] * 3)
