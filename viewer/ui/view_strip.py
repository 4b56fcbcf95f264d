"""A thin strip at the right edge of a view: where the slice lies, what was seen, key images.

It stands still beside the image, and says what a scroll bar would without taking its room.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from viewer.annotate.key_images import TOPIC, key_images
from viewer.ui import on_image as theme

if TYPE_CHECKING:
    import numpy.typing as npt

    from viewer.ui.slice_view import SliceView

WIDTH_PX = 3
_EDGE_PX = 2
_HERE_PX = 7.0
_TRACK, _SEEN = 0xFF262A30, 0xFF68717C
_COLOURS = np.array([_TRACK, _SEEN], dtype=np.uint32)
_MARK, _HERE = QColor(theme.LETTER), QColor(theme.TEXT)

_kept: WeakKeyDictionary[SliceView, tuple[tuple[object, ...], QImage]] = WeakKeyDictionary()


def paint(painter: QPainter, view: SliceView) -> None:
    """Draw the strip of a view that has more than one slice."""
    plane, case = view.plane, view.case
    if plane is None or case is None or plane.count < 2 or view.height() < 40:
        return
    x, height = view.width() - WIDTH_PX - _EDGE_PX, view.height()
    ratio = painter.device().devicePixelRatioF()
    painter.drawImage(QPointF(x, 0), _track(view, ratio))
    step = height / plane.count
    if plane.straight:
        for one in key_images(case.document.notes(TOPIC)):
            if one.plane == plane.name and one.index < plane.count:
                y = (plane.number(one.index) - 0.5) * step
                mark = QRectF(x - 3, round(y) - 1.5, WIDTH_PX + 3, 3)
                painter.fillRect(mark, _MARK)
    y = (plane.number(view.index) - 0.5) * step
    here = max(_HERE_PX, step)
    at = min(max(0.0, y - here / 2), height - here)
    painter.fillRect(QRectF(x - 1, round(at), WIDTH_PX + 2, round(here)), _HERE)


def _track(view: SliceView, ratio: float) -> QImage:
    """Return the strip without its marks: brighter where the slice was on the screen."""
    plane = view.plane
    assert plane is not None
    seen = view.reading.seen if plane.axis == 0 and plane.straight else np.zeros(0, np.bool_)
    rows = max(1, round(view.height() * ratio))
    many = int(np.count_nonzero(seen))
    key = (rows, ratio, plane.count, id(view.case), plane.name, many)
    known = _kept.get(view)
    if known is not None and known[0] == key:
        return known[1]
    width = max(1, round(WIDTH_PX * ratio))
    colours = np.empty((rows, width), dtype=np.uint32)
    if len(seen) == plane.count and many:
        in_order = seen if plane.number(0) == 1 else seen[::-1]
        colours[:] = _COLOURS[in_order[_slices(rows, plane.count)].view(np.uint8)][:, np.newaxis]
    else:
        colours.fill(_TRACK)
    # Of the window's own format: of another, Qt would share it out to threads, and wait.
    image = QImage(colours.data, width, rows, 4 * width, QImage.Format.Format_RGB32).copy()
    image.setDevicePixelRatio(ratio)
    _kept[view] = (key, image)
    return image


@lru_cache(maxsize=8)
def _slices(rows: int, count: int) -> npt.NDArray[np.int64]:
    """Return which slice, in the order of reading, each row of pixels stands for."""
    at = np.minimum((np.arange(rows) + 0.5) * count / rows, count - 1)
    return np.asarray(at.astype(np.int64))
