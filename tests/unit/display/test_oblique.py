"""Oblique planes: where they lie, what is sampled on them, and what is laid over it."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from inference.findings import Heatmap, Mask
from inference.geometry import axial_affine, kji_to_lps_mm, lps_mm_to_kji
from inference.volume import Volume
from viewer.display.grey import Window, grey_of
from viewer.display.layers import Fill, Heat, compose
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.display.outlines import oblique_outline_mm
from viewer.display.overlays import heat_colours
from viewer.display.planes import make_planes
from viewer.display.sampling import mask_on, sample
from viewer.display.sheets import nearest

BLACK = 0xFF000000
SHAPE = (11, 24, 19)


def _affine(seed):
    """An affine with turned axes, one of them mirrored, and unequal spacing."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    out = np.eye(4)
    out[:3, :3] = turn * [2.5, 0.7, 0.9]
    out[:3, 3] = rng.uniform(-50, 50, 3)
    return out


def _turned_planes(affine, seed, shape=SHAPE, quick=False):
    rng = np.random.default_rng(seed)
    through = kji_to_lps_mm(affine, rng.uniform(0.2, 0.8, 3) * (np.array(shape) - 1))
    for plane in make_planes(shape, affine).values():
        frame = turned(frame_of(plane), rng.normal(size=3), rng.uniform(0.3, 2.5))
        yield cut_plane(plane, frame, through, quick=quick), through


def _coordinates(plane, index):
    """The (k, j, i) of the pixel centres of a slice, by the plane's own mapping."""
    columns, rows = plane.size_px
    pixel = plane.pixel_mm[0]
    first, right, below = (
        plane.kji_at(x * pixel, y * pixel, index) for x, y in ((0.5, 0.5), (1.5, 0.5), (0.5, 1.5))
    )
    x, y = np.arange(columns)[:, None], np.arange(rows)[:, None, None]
    return first + x * (right - first) + y * (below - first)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8, np.float32])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_interpolated_is_what_scipy_interpolates(dtype, seed):
    affine = _affine(seed)
    low = -1000 if np.dtype(dtype).kind in "if" else 0
    values = np.random.default_rng(seed).integers(low, 200, SHAPE).astype(dtype)
    for plane, through in _turned_planes(affine, seed):
        index = plane.index_of_lps(through)
        found, inside = sample(values, plane, index)
        at = _coordinates(plane, index)
        last = np.array(SHAPE) - 1
        np.testing.assert_array_equal(
            inside, ((at >= -0.5) & (at <= last + 0.5)).all(axis=-1), strict=True
        )
        reference = ndimage.map_coordinates(
            values.astype(np.float64), np.moveaxis(np.clip(at, 0, last), -1, 0), order=1
        )
        assert inside.any()
        assert (found[~inside] == 0).all()
        assert np.abs(found[inside] - reference[inside]).max() <= 0.51


@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_voxel_is_the_one_that_the_pointer_reads(seed):
    affine = _affine(seed)
    values = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    for plane, through in _turned_planes(affine, seed):
        index = plane.index_of_lps(through)
        found, inside = sample(values, plane, index, linear=False)
        at = _coordinates(plane, index)
        tie = (np.abs(at - np.floor(at) - 0.5) < 1e-4).any(axis=-1)
        k, j, i = np.moveaxis(np.rint(at).astype(int), -1, 0)
        sure = inside & ~tie
        assert sure.sum() > 100
        np.testing.assert_array_equal(found[sure], values[k[sure], j[sure], i[sure]])


@pytest.mark.parametrize("seed", range(5))
def test_screen_and_patient_are_mapped_to_and_fro(seed):
    affine = _affine(seed)
    for plane, through in _turned_planes(affine, seed):
        index = plane.index_of_lps(through)
        assert plane.off_mm(through, index) < 1e-9, "one slice goes through the point"
        x, y = plane.view_of_lps(through)
        np.testing.assert_allclose(plane.lps_at(x, y, index), through, atol=1e-9)
        np.testing.assert_allclose(
            plane.kji_at(x, y, index), lps_mm_to_kji(affine, through), atol=1e-9
        )
        width, height = plane.size_mm
        corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
        corners = np.where(corners > 0, np.array(SHAPE) - 0.5, -0.5)
        seen = plane.view_mm(corners)
        assert seen.min() >= -1e-9
        assert (seen <= np.array([width, height]) + 1e-9).all(), "the plane holds the volume"
        assert plane.index_of_lps(through + 1e6 * plane.normal_lps) == plane.count - 1
        assert plane.index_of_lps(through - 1e6 * plane.normal_lps) == 0


@pytest.mark.parametrize("seed", range(5))
def test_scrolling_keeps_the_point_on_its_slice_and_in_the_volume(seed):
    affine = _affine(seed)
    for plane, through in _turned_planes(affine, seed):
        for index in (0, 1, plane.count // 2, plane.count - 1):
            point = plane.on_slice(through, index)
            kji = lps_mm_to_kji(affine, point)
            assert (kji > -0.02).all()
            assert (kji < np.array(SHAPE) - 0.98).all()
            assert plane.index_of_lps(point) == index
        middle = plane.index_of_lps(through)
        ahead = plane.step_index(middle, 1)
        assert abs(ahead - middle) == 1
        assert plane.number(ahead) == plane.number(middle) + 1


def test_a_quarter_turn_of_one_plane_shows_the_voxels_of_another():
    shape = (16, 16, 16)
    affine = axial_affine(1.0, 1.0)
    values = np.random.default_rng(0).integers(-500, 500, shape).astype(np.int16)
    planes = make_planes(shape, affine)
    axial, coronal = planes["axial"], planes["coronal"]
    frame = turned(frame_of(axial), (1, 0, 0), np.radians(-90))  # from the front, head up
    plane = cut_plane(axial, frame, kji_to_lps_mm(affine, (8, 8, 8)))
    assert plane.letters() == coronal.letters()
    index = plane.index_of_lps(kji_to_lps_mm(affine, (8, 5, 8)))
    for linear in (True, False):
        found, inside = sample(values, plane, index, linear=linear)
        assert inside.all()
        np.testing.assert_array_equal(found, coronal.slice_of(values, 5))


def test_a_plane_that_is_not_turned_is_the_plane_itself():
    affine = _affine(1)
    for plane in make_planes(SHAPE, affine).values():
        there = turned(frame_of(plane), (1, 2, 3), 0.7)
        back = turned(there, (1, 2, 3), -0.7)
        assert cut_plane(plane, back, affine[:3, 3]) is plane
        assert cut_plane(plane, there, affine[:3, 3]) is not plane
        for _ in range(3000):
            there = turned(there, (0.3, -1, 0.2), 0.01)
        assert abs(there[0] @ there[1]) < 1e-12
        np.testing.assert_allclose(np.linalg.norm(there, axis=1), 1, atol=1e-12)


def test_the_slices_of_a_plane_along_an_axis_are_as_far_apart_as_the_voxels():
    affine = axial_affine(0.7, 2.5)
    axial = make_planes((20, 30, 30), affine)["axial"]
    through = kji_to_lps_mm(affine, (10, 15, 15))
    spun = cut_plane(axial, turned(frame_of(axial), (0, 0, 1), 0.5), through)
    assert spun.step_mm == pytest.approx(2.5)
    assert spun.count == 20
    upright = cut_plane(axial, turned(frame_of(axial), (1, 0, 0), np.pi / 2), through)
    assert upright.step_mm == pytest.approx(0.7)
    assert upright.count == 30
    assert upright.tilt_deg == pytest.approx(90)
    assert spun.tilt_deg == pytest.approx(0, abs=1e-5)


def test_letters_name_a_second_direction_from_fifteen_degrees_on():
    affine = axial_affine(1.0, 1.0)
    axial = make_planes((20, 20, 20), affine)["axial"]
    through = kji_to_lps_mm(affine, (10, 10, 10))
    for angle, top, bottom in ((14, "A", "P"), (16, "AH", "PF"), (46, "HA", "FP"), (76, "H", "F")):
        plane = cut_plane(axial, turned(frame_of(axial), (-1, 0, 0), np.radians(angle)), through)
        letters = plane.letters()
        assert (letters.left, letters.right) == ("R", "L")
        assert (letters.top, letters.bottom) == (top, bottom)


def test_a_plane_is_radiological_only_when_seen_so():
    affine = axial_affine(1.0, 1.0)
    planes = make_planes((20, 20, 20), affine)
    through = kji_to_lps_mm(affine, (10, 10, 10))

    def after(name, axis, angle):
        plane = planes[name]
        return cut_plane(plane, turned(frame_of(plane), axis, np.radians(angle)), through)

    assert all(plane.radiological for plane in planes.values())
    assert after("coronal", (0, 0, 1), 30).radiological
    assert not after("coronal", (0, 0, 1), 180).radiological, "seen from behind"
    assert not after("axial", (0, 0, 1), 60).radiological, "spun on the screen"
    assert after("axial", (1, 0, 0), -90).radiological, "a coronal view now"


def _volume(affine, **more):
    values = np.random.default_rng(3).integers(100, 900, SHAPE).astype(np.int16)
    return Volume(values, affine, "CT", "HU", **more)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("invert", [False, True])
def test_beside_the_volume_it_is_black_and_in_it_grey(quick, invert):
    affine = _affine(2)
    volume = _volume(affine)
    window = Window(500, 900)
    for plane, through in _turned_planes(affine, 2, quick=quick):
        index = plane.index_of_lps(through)
        buffer = compose(volume, plane, index, window, invert=invert)
        values, inside = sample(volume.voxels, plane, index, linear=not quick)
        assert buffer.flags.c_contiguous
        assert buffer.dtype == np.uint32
        assert (~inside).any()
        assert (buffer[~inside] == BLACK).all()
        np.testing.assert_array_equal(
            buffer[inside] & 255, grey_of(values[inside], window, invert=invert)
        )


def test_padding_and_slices_that_have_not_come_are_black():
    affine = axial_affine(1.0, 1.0)
    shape = (20, 20, 20)
    values = np.full(shape, 700, dtype=np.int16)
    values[:, :, :5] = -2000
    volume = Volume(values, affine, "CT", "HU", padding=(-2000, -2000))
    axial = make_planes(shape, affine)["axial"]
    through = kji_to_lps_mm(affine, (10, 10, 10))
    plane = cut_plane(axial, turned(frame_of(axial), (1, 0, 0), 0.5), through)
    index = plane.index_of_lps(through)
    at = _coordinates(plane, index)
    _, inside = sample(values, plane, index)
    for invert in (False, True):
        buffer = compose(volume, plane, index, Window(500, 900), invert=invert)
        pad = inside & (at[..., 2] < 4.5)
        assert pad.any()
        assert (buffer[pad] == BLACK).all()
        assert (buffer[inside & (at[..., 2] > 5.5)] != BLACK).all()
    present = np.ones(20, dtype=bool)
    present[12:] = False
    buffer = compose(volume, plane, index, Window(500, 900), present_k=present)
    assert (buffer[at[..., 0] > 11.01] == BLACK).all()
    assert (buffer[inside & (at[..., 0] < 10.99) & (at[..., 2] > 5.5)] != BLACK).all()


def test_colours_are_those_of_the_nearest_voxel():
    affine = axial_affine(1.0, 1.0)
    colours = np.random.default_rng(5).integers(0, 255, (*SHAPE, 3)).astype(np.uint8)
    volume = Volume(colours[..., 0].astype(np.int16), affine, "OT", colours=colours)
    for plane, through in _turned_planes(affine, 7):
        index = plane.index_of_lps(through)
        buffer = compose(volume, plane, index, Window(128, 256))
        x, y = plane.view_of_lps(through)
        row, column = int(y / plane.pixel_mm[1]), int(x / plane.pixel_mm[0])
        at = _coordinates(plane, index)[row, column]
        red, green, blue = (int(v) for v in colours[tuple(np.rint(at).astype(int))])
        assert buffer[row, column] == BLACK | red << 16 | green << 8 | blue


def test_overlays_lie_on_their_own_voxels():
    affine = _affine(4)
    volume = _volume(affine)
    window = Window(500, 900)
    ball = np.linalg.norm(np.indices((7, 7, 7)) - 3, axis=0) < 3.3
    mask = Mask((2, 8, 6), ball)
    full = mask.to_array(SHAPE)
    heat = Heatmap((2, 8, 6), np.full((7, 7, 7), 200, dtype=np.uint8), "share of readers")
    centre = kji_to_lps_mm(affine, (5, 11, 9))
    for plane, _ in _turned_planes(affine, 9):
        index = plane.index_of_lps(centre)
        plain = compose(volume, plane, index, window)
        filled = compose(volume, plane, index, window, fills=[Fill(mask, "#E69F00", 0.3)])
        on_plane, _ = sample(full, plane, index, linear=False)
        assert on_plane.any()
        np.testing.assert_array_equal(filled != plain, on_plane)
        found = mask_on(mask, plane, index)
        (rows, columns), part = found[1], found[0]
        whole = np.zeros_like(on_plane)
        whole[rows, columns] = part
        np.testing.assert_array_equal(whole, on_plane)
        warm = compose(volume, plane, index, window, heat=Heat(heat, 1.0, 150))
        red, green, blue = (int(c) for c in heat_colours()[200])
        box = np.zeros(SHAPE, dtype=bool)
        box[heat.origin_kji[0] : 9, 8:15, 6:13] = True
        inner, _ = sample(box, plane, index, linear=False)
        assert (warm[inner] & 0xFFFFFF == (red << 16 | green << 8 | blue)).all()
        np.testing.assert_array_equal(warm[~inner], plain[~inner])
        far = plane.index_of_lps(centre + 40 * plane.normal_lps)
        assert mask_on(mask, plane, far) is None
        assert oblique_outline_mm(mask, plane, far) == []


def test_an_outline_encloses_what_is_filled():
    affine = axial_affine(0.5, 0.5)
    shape = (60, 60, 60)
    ball = np.linalg.norm(np.indices((41, 41, 41)) - 20, axis=0) <= 18
    mask = Mask((10, 10, 10), ball)
    centre = kji_to_lps_mm(affine, (30, 30, 30))
    for plane, _ in _turned_planes(affine, 11, shape=shape):
        lines = oblique_outline_mm(mask, plane, plane.index_of_lps(centre))
        assert len(lines) == 1
        x, y = lines[0].T
        area = abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
        off = plane.off_mm(centre, plane.index_of_lps(centre))
        assert area == pytest.approx(np.pi * (9.0**2 - off**2), rel=0.04)
        middle = plane.view_of_lps(centre)
        assert np.allclose((x.min() + x.max()) / 2, middle[0], atol=0.3)
        assert np.allclose((y.min() + y.max()) / 2, middle[1], atol=0.3)


def test_an_oblique_plane_refuses_what_only_a_straight_one_has():
    plane, _ = next(iter(_turned_planes(_affine(0), 0)))
    assert not plane.straight
    for act in (
        lambda: plane.orient(np.zeros((2, 2))),
        lambda: plane.slice_of(np.zeros(SHAPE), 0),
        lambda: plane.corner_px((0, 0), (1, 1)),
        lambda: np.zeros(3)[plane.axis],
    ):
        with pytest.raises((TypeError, IndexError)):
            act()


def test_a_linked_point_finds_its_oblique_slice():
    affine = _affine(1)
    volume = _volume(affine)
    for plane, through in _turned_planes(affine, 3):
        assert nearest(volume, plane, through) == (plane.index_of_lps(through), True)
        far = through + plane.normal_lps * plane.step_mm * plane.count
        assert nearest(volume, plane, far) == (plane.count - 1, False)
