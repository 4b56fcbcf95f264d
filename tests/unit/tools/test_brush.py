"""Strokes against the definition: a voxel is drawn when its centre is near the path in mm."""

import numpy as np
import pytest

from inference import geometry
from inference.findings import Mask
from viewer.annotate.mask import empty_mask, equal, xor
from viewer.tools.brush import Brush, Stroke

SHAPE = (20, 30, 40)


def _affine(spacing, seed=None, shear=0.0):
    axes = np.eye(3)[:, ::-1]
    if seed is not None:
        q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
        axes = q * np.sign(np.diag(r))
    affine = np.eye(4)
    affine[:3, :3] = axes * np.asarray(spacing)
    # A tilted gantry: slices shift along j as k grows.
    affine[:3, 0] += shear * affine[:3, 1]
    affine[:3, 3] = (5.0, -6.0, 7.0)
    return affine


def _reference(affine, path_kji, radius_mm, axis=None):
    """Distance of every voxel centre to the broken line, in mm, by brute force."""
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1).reshape(-1, 3)
    path = np.array(path_kji, dtype=float)
    inside = np.ones(len(grid), dtype=bool)
    if axis is not None:
        at = np.floor(path[0, axis] + 0.5)
        inside = grid[:, axis] == at
        path[:, axis] = at
    points = geometry.kji_to_lps_mm(affine, grid)
    line = geometry.kji_to_lps_mm(affine, path)
    nearest = np.full(len(grid), np.inf)
    for a, b in zip(line[:-1] if len(line) > 1 else line, line[1:] if len(line) > 1 else line,
                    strict=True):  # fmt: skip
        way = b - a
        square = way @ way
        t = np.clip((points - a) @ way / square, 0, 1) if square else np.zeros(len(points))
        nearest = np.minimum(nearest, np.linalg.norm(points - (a + t[:, None] * way), axis=1))
    sure = (np.abs(nearest - radius_mm) > 1e-9) | ~inside
    return ((nearest <= radius_mm) & inside).reshape(SHAPE), sure.reshape(SHAPE)


def _drawn(affine, brush, path, mask=None):
    mask = empty_mask() if mask is None else mask
    stroke = Stroke(SHAPE, affine, brush, "h1", mask)
    for point in path:
        stroke.move_to(point)
    delta = stroke.delta()
    out = np.zeros(SHAPE, dtype=bool)
    if delta is not None:
        out[delta.box] = delta.to_array()
    return out, stroke


AFFINES = {
    "isotropic": _affine((1.0, 1.0, 1.0)),
    "anisotropic": _affine((2.5, 0.7, 0.7)),
    "oblique": _affine((2.0, 0.6, 0.9), seed=4),
    "tilted": _affine((2.0, 0.8, 0.8), seed=2, shear=0.3),
}
PATHS = {
    "dab": [(9.2, 14.7, 20.1)],
    "line": [(9.2, 5.3, 6.1), (9.4, 22.6, 33.3)],
    "bent": [(4.0, 5.0, 6.0), (15.2, 9.4, 30.0), (8.1, 25.0, 12.5), (8.1, 25.0, 12.5)],
    "over the edge": [(-3.0, 4.0, 5.0), (1.5, -8.0, 44.0), (25.0, 29.0, 39.6)],
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_ball_draws_what_is_near_the_path(affine, path):
    out, _ = _drawn(affine, Brush(6.0, "ball"), path)
    wanted, sure = _reference(affine, path, 3.0)
    assert wanted.any()
    assert np.array_equal(out & sure, wanted & sure)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("path", [PATHS["dab"], PATHS["line"], PATHS["bent"]])
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_disc_draws_on_one_slice_of_any_axis(affine, path, axis):
    out, _ = _drawn(affine, Brush(7.0, "disc", axis), path)
    wanted, sure = _reference(affine, path, 3.5, axis)
    assert wanted.any()
    assert np.array_equal(out & sure, wanted & sure)
    assert len(np.unique(np.argwhere(out)[:, axis])) == 1


@pytest.mark.parametrize("mode", ["add", "erase"])
def test_what_would_be_after_it_is_what_its_delta_makes(mode):
    before = np.zeros((20, 24, 30), dtype=np.bool_)
    before[4:12, 6:20, 8:22] = True
    for target in (Mask.from_array(before, (0, 0, 0)), empty_mask()):
        brush = Brush(7.0, "ball", mode=mode)
        stroke = Stroke((20, 24, 30), AFFINES["oblique"], brush, "d1", target)
        assert stroke.after() is target
        for point in ((9.0, 12.0, 20.0), (15.0, 16.0, 25.0)):
            stroke.move_to(point)
        delta = stroke.delta()
        wanted = target if delta is None else xor(target, delta)[0]
        assert equal(stroke.after(), wanted)


def test_size_in_mm_does_not_depend_on_the_voxels():
    for spacing in ((1.0, 1.0, 1.0), (2.0, 0.8, 0.8), (0.7, 1.2, 0.9)):
        out, _ = _drawn(_affine(spacing), Brush(14.0, "ball"), [(9.5, 14.5, 19.5)])
        extent = [(np.ptp(np.argwhere(out)[:, a]) + 1) * s for a, s in enumerate(spacing)]
        assert np.abs(np.subtract(extent, 14.0)).max() <= max(spacing)
        assert out.sum() * np.prod(spacing) == pytest.approx(4 / 3 * np.pi * 7**3, rel=0.06)


@pytest.mark.parametrize("shape", ["disc", "ball"])
def test_the_finest_brush_draws_the_voxel_under_the_pointer(shape):
    affine = AFFINES["anisotropic"]
    out, _ = _drawn(affine, Brush(0.01, shape), [(9.4, 14.4, 20.4)])
    assert np.argwhere(out).tolist() == [[9, 14, 20]]
    out, _ = _drawn(affine, Brush(0.01, shape), [(9.0, 3.0, 3.0), (9.0, 20.0, 37.0)])
    assert (out.sum(axis=(0, 1)) > 0)[3:38].all(), "the line has gaps"


def test_far_apart_events_leave_no_gaps():
    few, _ = _drawn(AFFINES["anisotropic"], Brush(5.0), [(5, 2, 2), (5, 27, 37)])
    many, _ = _drawn(
        AFFINES["anisotropic"], Brush(5.0), [(5, 2 + 25 * t, 2 + 35 * t) for t in
                                             np.linspace(0, 1, 200)])  # fmt: skip
    assert (few ^ many).sum() <= 0.01 * few.sum()


def test_a_stroke_wholly_outside_changes_nothing():
    stroke = Stroke(SHAPE, AFFINES["isotropic"], Brush(5.0, "ball"), "h1", empty_mask())
    assert stroke.move_to((-30, -30, -30)) is None
    assert stroke.box is None
    assert stroke.delta() is None
    assert stroke.slice_of(0, 3)[0].size == 0
    disc = Stroke(SHAPE, AFFINES["isotropic"], Brush(5.0, "disc", 0), "h1", empty_mask())
    assert disc.move_to((20.6, 5, 5)) is None
    assert disc.delta() is None


def _target():
    array = np.zeros(SHAPE, dtype=bool)
    array[5:14, 8:20, 10:30] = True
    return array, Mask.from_array(array)


@pytest.mark.parametrize("mode", ["add", "erase"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_delta_and_preview_agree_with_the_mask_afterwards(mode, path):
    array, mask = _target()
    changed, stroke = _drawn(AFFINES["oblique"], Brush(6.0, "ball", 0, mode), path, mask)
    swept, _ = _drawn(AFFINES["oblique"], Brush(6.0, "ball"), path)
    after = array | swept if mode == "add" else array & ~swept
    assert np.array_equal(array ^ changed, after)
    if stroke.delta() is not None:
        assert np.array_equal(xor(mask, stroke.delta())[0].to_array(SHAPE), after)
    for axis in range(3):
        for index in range(SHAPE[axis]):
            plane, (row, column) = stroke.slice_of(axis, index)
            whole = np.zeros([n for a, n in enumerate(SHAPE) if a != axis], dtype=bool)
            whole[row : row + plane.shape[0], column : column + plane.shape[1]] = plane
            assert np.array_equal(whole, np.take(after, index, axis=axis))


def test_a_stroke_leaves_the_mask_alone():
    _, mask = _target()
    copy = mask.voxels.copy()
    _drawn(AFFINES["oblique"], Brush(9.0, "ball", 0, "erase"), PATHS["bent"], mask)
    assert np.array_equal(mask.voxels, copy)


def test_boxes_say_where_to_redraw():
    stroke = Stroke(SHAPE, AFFINES["isotropic"], Brush(6.0, "ball"), "h1", empty_mask())
    before = np.zeros(SHAPE, dtype=bool)
    for point in PATHS["bent"]:
        box = stroke.move_to(point)
        now = np.zeros(SHAPE, dtype=bool)
        delta = stroke.delta()
        now[delta.box] = delta.to_array()
        outside = np.ones(SHAPE, dtype=bool)
        outside[box] = False
        assert not ((now ^ before) & outside).any()
        before = now


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_brush_has_a_size(bad):
    with pytest.raises(ValueError, match="diameter"):
        Brush(bad)


def test_a_point_is_finite():
    stroke = Stroke(SHAPE, AFFINES["isotropic"], Brush(6.0), "h1", empty_mask())
    with pytest.raises(ValueError, match="finite"):
        stroke.move_to((1.0, float("nan"), 2.0))
