"""Outlines in pixels: where they lie, how thick, dashed or solid, and taken away without trace."""

from itertools import pairwise

import numpy as np
import pytest

from viewer.display.contours import contours
from viewer.display.strokes import DASH, GAP, Canvas, Stroke

ORANGE = 0xE69F00
CORNERS = [[10.0, 10.0], [40.0, 10.0], [40.0, 30.0], [25.0, 42.5], [10.0, 30.0], [10.0, 10.0]]
RING = np.array(CORNERS)
EIGHT = 25 + 16 * np.array([[np.cos(n * np.pi / 4), np.sin(n * np.pi / 4)] for n in range(9)])


def channels(pixels):
    return np.stack([pixels >> shift & 255 for shift in (24, 16, 8, 0)], axis=-1).astype(int)


def distances(line, shape):
    """Distance of the middle of every pixel from a polyline, piece by piece."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    best = np.full(shape, np.inf)
    for (x0, y0), (x1, y1) in pairwise(line):
        step = np.array([x1 - x0, y1 - y0])
        part = ((x - x0) * step[0] + (y - y0) * step[1]) / (step @ step)
        part = np.clip(part, 0, 1)
        best = np.minimum(best, np.hypot(x - x0 - part * step[0], y - y0 - part * step[1]))
    return best


@pytest.mark.parametrize("ring", [RING, EIGHT], ids=["corners", "eight"])
@pytest.mark.parametrize("width", [1.6, 2.4, 3.2])
@pytest.mark.parametrize("turned", [0.0, 0.3, 1.1, 2.0])
def test_a_pixel_is_covered_by_how_near_it_is(ring, width, turned):
    turn = np.array([[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]])
    line = (ring - 25) @ turn.T + 32
    canvas = Canvas(64, 66)
    canvas.draw([Stroke([line], ORANGE, width)])
    away = distances(line, (64, 66))
    found = channels(canvas.pixels)
    assert (found[..., 0][away > width / 2 + 1.25] == 0).all()
    assert (found[..., 0][away < width / 2 - 0.8] >= 250).all()
    off = np.abs(found[..., 1] / 0xE6 - np.clip(width / 2 + 0.5 - away, 0, 1))
    # At a sharp corner of a thick line a pixel at its very edge may be covered less.
    assert (off > 0.15).mean() < 0.004
    assert off.max() < 0.8
    assert off.mean() < 0.0025


def test_colours_are_premultiplied():
    canvas = Canvas(64, 64)
    canvas.draw([Stroke([RING], 0xFFFFFF, 1.6, dashed=True)])
    found = channels(canvas.pixels)
    assert (found[..., 1:] <= found[..., :1] + 1).all()
    assert found[..., 0].max() == 255


@pytest.mark.parametrize("level", [True, False])
def test_a_dash_is_four_widths_long_and_a_gap_three(level):
    line = np.array([[5.0, 20.5], [195.0, 20.5]])
    line = line if level else line[:, ::-1]
    canvas = Canvas(200, 200)
    canvas.draw([Stroke([line], ORANGE, 2.0, dashed=True)])
    along = canvas.pixels[20] if level else canvas.pixels[:, 20]
    on = channels(along)[5:195, 1] > 115
    changes = np.flatnonzero(np.diff(on.astype(int))) + 1
    assert on[0]
    lengths = np.diff(np.concatenate([[0], changes]))
    assert np.abs(lengths[0::2] - DASH * 2).max() <= 1
    assert np.abs(lengths[1::2] - GAP * 2).max() <= 1
    # The rim goes on under the gaps.
    assert (channels(along)[6:194, 0] >= 90).all()


def test_a_solid_line_beside_a_dashed_one_has_no_gaps():
    canvas = Canvas(60, 200)
    lines = [np.array([[5.0, y], [195.0, y]]) for y in (10.5, 40.5)]
    canvas.draw([Stroke(lines[:1], ORANGE, 1.6, dashed=True), Stroke(lines[1:], ORANGE, 1.6)])
    found = channels(canvas.pixels)[..., 1]
    assert found[10, 6:194].min() == 0
    assert found[40, 6:194].min() == 0xE6


def test_what_lies_outside_is_left_out():
    whole, part = Canvas(200, 200), Canvas(60, 50)
    line = RING * 4
    whole.draw([Stroke([line], ORANGE, 1.6, dashed=True)])
    shifted = line - [130, 100]
    part.draw([Stroke([shifted], ORANGE, 1.6, dashed=True)])
    away = np.abs(channels(whole.pixels[100:160, 130:180]) - channels(part.pixels))
    assert away.max() <= 3
    assert not part.is_clear
    far = Canvas(20, 20)
    far.draw([Stroke([line + 500], ORANGE, 1.6), Stroke([line - 900], ORANGE, 1.6)])
    assert not far.pixels.any()


def test_nothing_is_left_when_it_is_cleared():
    canvas = Canvas(60, 60)
    canvas.draw([Stroke([RING], ORANGE, 1.6)])
    first = canvas.pixels.copy()
    low, after = canvas.rows
    assert not first[:low].any()
    assert not first[after:].any()
    assert after - low < 60
    canvas.clear()
    assert canvas.is_clear
    assert not canvas.pixels.any()
    canvas.draw([Stroke([RING], ORANGE, 1.6)])
    np.testing.assert_array_equal(canvas.pixels, first)


def test_nothing_to_draw_draws_nothing():
    canvas = Canvas(10, 10)
    canvas.draw([])
    canvas.draw([Stroke([], ORANGE, 1.6), Stroke([RING[:1]], ORANGE, 1.6)])
    assert not canvas.pixels.any()


def test_of_two_lines_the_nearer_one_has_the_pixel():
    upright = np.array([[30.0, 5.0], [30.0, 55.0]])
    level = np.array([[5.0, 30.0], [55.0, 30.0]])
    canvas = Canvas(60, 60)
    canvas.draw([Stroke([upright], 0xFF0000, 2.0), Stroke([level], 0x00FF00, 2.0)])
    found = channels(canvas.pixels)
    assert found[10, 29, 1] > 250
    assert found[29, 10, 2] > 250
    # Neither line is cut open by the rim of the other.
    assert (found[6:54, 29:31, 0] == 255).all()
    assert (found[29:31, 6:54, 0] == 255).all()


def test_more_lines_than_fit_into_one_pass_are_all_drawn():
    canvas = Canvas(400, 30)
    strokes = [
        Stroke([np.array([[2.0, 4.5 + 5 * n], [28.0, 4.5 + 5 * n]])], 0x0000FF - n, 1.6)
        for n in range(75)
    ]
    canvas.draw(strokes)
    found = channels(canvas.pixels)
    assert [int(found[4 + 5 * n, 15, 3]) for n in range(75)] == [255 - n for n in range(75)]


def test_later_lines_are_blended_over_those_before():
    canvas = Canvas(60, 60)
    canvas.draw([Stroke([RING], 0x0000FF, 6.0)])
    canvas.draw([Stroke([RING], 0xFF0000, 1.6, dashed=True)])
    red = channels(canvas.pixels)
    assert red[..., 1].max() >= 250
    # In the gaps the first line shows, darker by the rim.
    gaps = (red[..., 1] == 0) & (distances(RING, (60, 60)) < 0.5)
    assert gaps.any()
    assert np.abs(red[gaps][:, 3] - 255 * (1 - 90 / 255)).max() < 4
    assert (red[gaps][:, 0] == 255).all()


def test_the_border_of_a_mask_has_its_outline():
    mask = np.zeros((30, 30), dtype=bool)
    mask[8:20, 10:25] = True
    canvas = Canvas(60, 60)
    canvas.draw([Stroke([(line[:, ::-1] + 0.5) * 2 for line in contours(mask)], ORANGE, 1.6)])
    big = np.kron(mask, np.ones((2, 2), dtype=bool))
    edge = big ^ np.roll(big, 1, axis=0) | big ^ np.roll(big, 1, axis=1)
    assert (channels(canvas.pixels)[edge][:, 0] > 150).mean() > 0.97
