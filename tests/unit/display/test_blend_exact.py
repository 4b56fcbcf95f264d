"""The fused overlays paint, bit for bit, what one channel after the other would."""

import numpy as np
import pytest

from viewer.display import overlays


def channel_by_channel(under, over, opacity):
    alpha = round(opacity * 256)
    out = np.full(under.shape, 0xFF000000, dtype=np.uint32)
    for channel, shift in ((0, 16), (1, 8), (2, 0)):
        below = (under >> shift) & 255
        mixed = (below.astype(np.int64) * (256 - alpha) + over[..., channel] * alpha) >> 8
        out |= mixed.astype(np.uint32) << np.uint32(shift)
    return out


def heat_slowly(buffer, heat, at, opacity, floor, top):
    out = buffer.copy()
    for row in range(heat.shape[0]):
        for column in range(heat.shape[1]):
            value = int(heat[row, column])
            if value >= max(1, floor):
                rgb = overlays.heat_colours()[min(value * 255 // top, 255)].astype(np.int64)
                where = at[0] + row, at[1] + column
                out[where] = channel_by_channel(buffer[where], rgb, opacity)
    return out


def pictures(rng, *, grey):
    if grey:
        wide = rng.integers(0, 256, (40, 50)).astype(np.uint32)
        return np.uint32(0xFF000000) | wide * np.uint32(0x010101)
    return rng.integers(0, 1 << 24, (40, 50)).astype(np.uint32) | np.uint32(0xFF000000)


@pytest.mark.parametrize("grey", [True, False])
@pytest.mark.parametrize("opacity", [0.0, 0.05, 0.45, 0.999, 1.0])
@pytest.mark.parametrize(("floor", "top"), [(1, 255), (26, 255), (0, 128), (255, 255), (90, 20)])
def test_heat_is_mixed_exactly(grey, opacity, floor, top):
    rng = np.random.default_rng(floor + top)
    buffer = pictures(rng, grey=grey)
    heat = rng.integers(0, 256, (23, 31)).astype(np.uint8)
    heat[:4] = 0
    wanted = heat_slowly(buffer, heat, (9, 12), opacity, floor, top)
    overlays.blend_heatmap(buffer, heat, (9, 12), opacity, floor, top, grey=grey)
    np.testing.assert_array_equal(buffer, wanted)


@pytest.mark.parametrize("flip", [slice(None), slice(None, None, -1)])
def test_views_of_a_heatmap_that_run_backwards_are_laid_the_same(flip):
    rng = np.random.default_rng(3)
    buffer = pictures(rng, grey=True)
    whole = rng.integers(0, 256, (50, 40)).astype(np.uint8)
    heat = whole.T[flip, flip]
    wanted = heat_slowly(buffer, heat, (0, 0), 0.45, 26, 255)
    overlays.blend_heatmap(buffer, heat, (0, 0), 0.45, 26, grey=True)
    np.testing.assert_array_equal(buffer, wanted)


@pytest.mark.parametrize("opacity", [0.0, 0.25, 0.3, 1.0])
@pytest.mark.parametrize("colour", ["#E69F00", "#FFFFFF", "#000000", "#0072B2"])
def test_a_fill_is_mixed_exactly(opacity, colour):
    rng = np.random.default_rng(4)
    buffer = pictures(rng, grey=False)
    mask = rng.random((30, 33)) < 0.3
    rgb = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)], dtype=np.int64)
    wanted = buffer.copy()
    part = wanted[5:35, 6:39]
    part[mask] = channel_by_channel(part[mask], np.broadcast_to(rgb, (mask.sum(), 3)), opacity)
    overlays.blend_fill(buffer, mask, (5, 6), colour, opacity)
    np.testing.assert_array_equal(buffer, wanted)


def test_nothing_to_lay_leaves_the_picture_alone():
    buffer = pictures(np.random.default_rng(5), grey=True)
    before = buffer.copy()
    overlays.blend_heatmap(buffer, np.full((9, 9), 25, np.uint8), (0, 0), 1.0, 26, grey=True)
    overlays.blend_fill(buffer, np.zeros((9, 9), dtype=np.bool_), (0, 0), "#FFFFFF", 1.0)
    np.testing.assert_array_equal(buffer, before)
