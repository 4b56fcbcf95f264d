"""Grey exact to PS3.3 C.11.2 against pydicom; overlays only where they belong."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from inference.findings import Heatmap, Mask
from inference.volume import Volume
from viewer.display.grey import Window, grey_of, render
from viewer.display.layers import Fill, Heat, compose, cut
from viewer.display.outlines import outline_mm
from viewer.display.overlays import heat_colours
from viewer.display.planes import make_planes


@pytest.mark.parametrize("window", [(-600, 1500), (40, 400), (0, 1), (300.5, 2), (50, 255.5)])
def test_grey_is_what_pydicom_computes(window):
    centre, width = window
    values = np.arange(-1100, 1400, dtype=np.int16)
    header = Dataset()
    header.WindowCenter, header.WindowWidth = centre, width
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsStored, header.PixelRepresentation = 16, 1
    reference = apply_windowing(values, header)  # scaled to the signed 16-bit range
    share = (reference.astype(float) + 32768) / 65535
    ours = grey_of(values, Window(centre, width))
    assert np.abs(ours.astype(float) - share * 255).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32])
def test_the_table_and_the_formula_agree(dtype):
    values = np.arange(0, 3000, dtype=dtype).reshape(50, 60)
    for invert in (False, True):
        window = Window(700, 900)
        buffer = render(values[::-1, ::2], window, invert=invert)
        assert buffer.flags.c_contiguous
        np.testing.assert_array_equal(
            buffer & 255, grey_of(values[::-1, ::2], window, invert=invert)
        )
        assert (buffer >> 24 == 255).all()


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_every_value_of_16_bits_has_the_grey_of_the_formula(dtype, function):
    generator = np.random.default_rng(11)
    values = np.arange(65536, dtype=np.uint16).view(dtype)
    for _ in range(20):
        centre = float(generator.choice([generator.uniform(-70000, 140000), 40, -600.5]))
        width = float(generator.choice([1, 1.5, 2, generator.uniform(1, 2e5), 1e300]))
        window = Window(centre, width, function)
        for padding in (None, (-2000.0, -2000.0), (-40000.0, -900.5), (70000.0, 80000.0)):
            for invert in (False, True):
                made = render(values.reshape(256, 256), window, invert=invert, padding=padding)
                grey = grey_of(values, window, invert=invert, padding=padding)
                np.testing.assert_array_equal(made.reshape(-1) & 255, grey)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32, np.uint8])
def test_a_slice_of_any_memory_order_becomes_rows(dtype):
    values = np.arange(0, 3000, dtype=np.float64).astype(dtype).reshape(50, 60)
    for odd in (values.T, values.T[::-1], values[::-1, ::-1].T, np.asfortranarray(values)):
        buffer = render(odd, Window(700, 900))
        assert buffer.flags.c_contiguous
        np.testing.assert_array_equal(buffer & 255, grey_of(odd, Window(700, 900)))


def _volume(affine=None):
    rng = np.random.default_rng(4)
    voxels = rng.integers(-1000, 400, (6, 8, 10)).astype(np.int16)
    if affine is None:
        affine = np.array([[0, 0, 1.0, 0], [0, 1.5, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]])
    return Volume(voxels, affine, "CT", "HU")


FLIPPED = np.array([[0, 0, -1.0, 9], [0, -1.5, 0, 3], [-2.0, 0, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [None, FLIPPED])
def test_overlays_change_their_own_voxels_and_no_other(affine):
    volume = _volume(affine)
    window = Window(-300, 1400)
    mask = Mask((1, 2, 3), np.ones((3, 4, 2), dtype=bool))
    full = mask.to_array(volume.shape_kji)
    heat = np.zeros((2, 3, 3), dtype=np.uint8)
    heat[0, 1, 2] = 200
    heatmap = Heatmap((2, 1, 4), heat, "share of readers")
    hot = np.zeros(volume.shape_kji, dtype=bool)
    hot[2, 2, 6] = True
    for plane in make_planes(volume.shape_kji, volume.affine).values():
        for index in range(plane.count):
            plain = compose(volume, plane, index, window)
            filled = compose(volume, plane, index, window, fills=[Fill(mask, "#E69F00", 0.3)])
            np.testing.assert_array_equal(filled != plain, plane.slice_of(full, index))
            warm = compose(volume, plane, index, window, heat=Heat(heatmap, 1.0, 100))
            shown = plane.slice_of(hot, index)
            np.testing.assert_array_equal(warm != plain, shown)
            red, green, blue = (int(c) for c in heat_colours()[200])
            assert (warm[shown] & 0xFFFFFF == (red << 16 | green << 8 | blue)).all()


def test_the_heatmap_is_clear_below_its_floor():
    volume = _volume()
    heatmap = Heatmap((0, 0, 0), np.full(volume.shape_kji, 99, dtype=np.uint8), "")
    plane = make_planes(volume.shape_kji, volume.affine)["axial"]
    plain = compose(volume, plane, 0, Window(0, 100))
    warm = compose(volume, plane, 0, Window(0, 100), heat=Heat(heatmap, 1.0, 100))
    np.testing.assert_array_equal(plain, warm)


def test_a_heatmap_has_its_last_colour_from_its_top_on():
    volume = _volume()
    plane = make_planes(volume.shape_kji, volume.affine)["axial"]
    drawn = []
    for value, top in ((64, 128), (127, 255), (128, 128), (200, 128), (255, 255)):
        heatmap = Heatmap((0, 0, 0), np.full(volume.shape_kji, value, dtype=np.uint8), "")
        heat = Heat(heatmap, 1.0, 1, top)
        drawn.append(compose(volume, plane, 0, Window(0, 100), heat=heat))
    half, same, last, above, whole = drawn
    np.testing.assert_array_equal(half, same)
    np.testing.assert_array_equal(last, whole)
    np.testing.assert_array_equal(above, whole)
    assert (half != whole).all()


@pytest.mark.parametrize("affine", [None, FLIPPED])
def test_outlines_enclose_exactly_the_mask(affine):
    volume = _volume(affine)
    mask = Mask((1, 2, 3), np.ones((3, 4, 2), dtype=bool))
    for plane in make_planes(volume.shape_kji, volume.affine).values():
        index = (2, 3, 4)[plane.axis]
        part = cut(mask.voxels, mask.origin_kji, plane, index)
        (line,) = outline_mm(part[0], part[1], plane)
        full = plane.slice_of(mask.to_array(volume.shape_kji), index)
        rows, columns = np.nonzero(full)
        low = np.array([columns.min(), rows.min()]) * plane.pixel_mm
        high = (np.array([columns.max(), rows.max()]) + 1) * plane.pixel_mm
        np.testing.assert_allclose(line.min(axis=0), low, atol=0.01)
        np.testing.assert_allclose(line.max(axis=0), high, atol=0.01)
    assert cut(mask.voxels, mask.origin_kji, plane, 0) is None
    assert outline_mm(np.zeros((0, 0), dtype=bool), (0, 0), plane) == []
