"""The slice as pixels of the view: all of them are painted, none keeps what was there."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter

from viewer.ui.look import Look
from viewer.ui.slice_item import SliceItem

_ODD = 0xFFFF00FF
_GREY = 0xFF808080
_BLACK = 0xFF000000


class NoLines:
    def strokes(self, look):
        return ()


def painted(rect_mm, size, ratio, mm_per_px, corner_mm=(0.0, 0.0), shape=(64, 48)):
    look = Look(QSize(*size), ratio, corner_mm, mm_per_px)
    item = SliceItem(NoLines())
    item.show_buffer(np.full(shape, _GREY, np.uint32), rect_mm)
    picture = QImage(look.pixels, QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(ratio)
    picture.fill(_ODD)
    with QPainter(picture) as painter:
        item.paint(painter, look)
    width, height = look.pixels.toTuple()
    bits = np.frombuffer(picture.constBits(), np.uint32).reshape(height, width)
    return bits | np.uint32(0xFF000000)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0, 2.5])
@pytest.mark.parametrize("seed", range(6))
def test_every_pixel_beside_the_image_is_black_and_none_is_left_out(qapp, ratio, seed):
    generator = np.random.default_rng(seed)
    rect = QRectF(*generator.uniform(-40, 60, 2), *generator.uniform(3, 200, 2))
    corner = tuple(generator.uniform(-30, 30, 2))
    bits = painted(rect, (181, 143), ratio, float(generator.uniform(0.3, 2.0)), corner)
    assert not (bits == _ODD).any()
    # Smoothing may darken the rim of a picture, never tint it.
    assert set(np.unique(bits)) >= {_BLACK} or (bits == _GREY).all()
    red, green, blue = (bits >> shift & 255 for shift in (16, 8, 0))
    assert (red == green).all()
    assert (green == blue).all()


def test_an_image_out_of_sight_leaves_black(qapp):
    bits = painted(QRectF(500, 500, 40, 40), (80, 60), 1.0, 1.0)
    assert (bits == _BLACK).all()


def test_an_image_of_less_than_a_few_pixels_is_still_seen(qapp):
    bits = painted(QRectF(20, 20, 3, 3), (80, 60), 1.0, 1.0)
    assert (bits != _BLACK).any()
    assert not (bits == _ODD).any()
