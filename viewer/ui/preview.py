"""A preview in 3-D: the highest values of a small copy of the volume, turned by dragging.

Worked out off the GUI thread, and only while it is to be seen. It shows where findings lie; it
is too coarse to read from, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, QThreadPool, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHideEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from inference.geometry import direction_letters
from inference.volume import Volume
from resources.text import translate
from viewer.annotate.lesion import AI_DRAWN, NOT_AI, Lesion
from viewer.display.grey import Window
from viewer.display.oblique import Frame, frame_of, turned
from viewer.display.planes import CORONAL
from viewer.display.projection import Coarse, coarse, project
from viewer.ui import on_image as theme
from viewer.ui.jobs import Job
from viewer.ui.label_colours import label_colour
from viewer.ui.layouts import FOUR, Arranged
from viewer.ui.reading import Reading
from viewer.ui.view_ink import MARGIN, chip, haloed

if TYPE_CHECKING:
    from viewer.ui.mpr import MprViews

_STEP_MM = 3.5
_BONES = Window(300, 1400)  # HU
_TURN_PER_PX = 0.01
_STEEPEST = math.radians(89)
_RING_PX = 7.0
# Share of the ball around the volume that is seen: its corners alone reach further.
_SHOWN = 0.75
_CLOSE_MS = 3000


def why_not(reading: Reading) -> str:
    """Return why there is nothing to be seen in 3-D, or an empty text."""
    case = reading.case
    if case is None:
        return translate("window", "Open a series first.")
    if case.is_being_read:
        return translate("rotate", "The images are still being read.")
    if not case.volume.regular or min(case.volume.shape_kji) < 2:
        return translate("preview", "Only regular stacks of slices can be seen in 3-D.")
    return ""


class Preview(QWidget):
    """The volume seen whole; a drag turns it, a click selects a finding, a double click resets."""

    def __init__(self, reading: Reading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading = reading
        self._small: Coarse | None = None
        self._of: object = None  # the voxels that it was made of
        self._image: QImage | None = None
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._yaw = self._pitch = 0.0
        self._drawn: tuple[float, float] | None = None
        self._press: QPointF | None = None
        self._last = QPointF()
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self.setAccessibleName(translate("preview", "Preview in 3-D"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        reading.case_changed.connect(self._work)
        for signal in (
            reading.document_changed,
            reading.threshold_changed,
            reading.selection_changed,
            reading.shown_changed,
        ):
            signal.connect(self._repaint)

    def _repaint(self, *_anything: object) -> None:
        if self.isVisible():
            self.update()

    @property
    def shows_image(self) -> bool:
        """Whether the volume that is open is to be seen, as it is turned now."""
        return self._image is not None and self._drawn == (self._yaw, self._pitch)

    def close_threads(self) -> None:
        """Give up what is being worked out, and wait for it."""
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(_CLOSE_MS)

    # ------------------------------------------------------------------ work

    def frame(self, look: tuple[float, float]) -> Frame:
        """Return unit vectors in LPS across and down the screen, for a yaw and a pitch."""
        front = frame_of(self._reading.straight[CORONAL])
        level = turned(front, (0.0, 0.0, 1.0), look[0])
        return turned(level, level[0], look[1])

    def _work(self) -> None:
        """Begin what is missing of the picture, one thing at a time."""
        case = self._reading.case
        voxels = case.volume.voxels if case is not None else None
        if voxels is not self._of:
            self._small = self._image = self._drawn = None
            self._yaw = self._pitch = 0.0
            self._of = voxels
            if self._job is not None:
                self._job.cancel()
        self.update()
        if self._job is not None or case is None or why_not(self._reading) or not self.isVisible():
            return
        if self._small is None:
            work = partial(_make, case.volume, _window(case.volume, self._reading.first_window))
            self._start(work, self._on_small)
        elif not self.shows_image:
            look = (self._yaw, self._pitch)
            self._start(partial(_look, self._small, self.frame(look), look), self._on_image)

    def _start(self, work: Any, then: Any) -> None:
        self._job = Job(work, self)
        self._job.succeeded.connect(then)
        self._job.ended.connect(self._on_end)
        self._job.start(self._pool)

    @Slot(object)
    def _on_small(self, small: object) -> None:
        self._small = small if isinstance(small, Coarse) else None

    @Slot(object)
    def _on_image(self, found: object) -> None:
        assert isinstance(found, tuple)
        pixels, self._drawn = found
        self._pixels = np.ascontiguousarray(pixels)  # QImage borrows its memory
        rows, columns = self._pixels.shape
        data = self._pixels.data
        self._image = QImage(data, columns, rows, columns, QImage.Format.Format_Grayscale8)
        self.update()

    @Slot()
    def _on_end(self) -> None:
        self._job = None
        self._work()

    # ----------------------------------------------------------------- paint

    def _scale(self) -> float:
        """Return logical pixels a millimetre."""
        assert self._small is not None
        return min(self.width(), self.height()) / (2 * self._small.radius_mm * _SHOWN)

    def _spot(self, lesion: Lesion) -> QPointF:
        """Return where a finding is seen in the picture that is drawn."""
        assert self._small is not None
        away = np.asarray(lesion.centre_lps_mm) - self._small.centre_lps_mm
        across, down = self.frame(self._drawn or (0.0, 0.0))
        scale = self._scale()
        middle = QRectF(self.rect()).center()
        return middle + QPointF(float(away @ across) * scale, float(away @ down) * scale)

    def _lesions(self) -> list[Lesion]:
        if not self._reading.shown.masks:
            return []
        return [x for x in self._reading.lesions if x.verdict != "rejected"]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.CANVAS))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        reason = why_not(self._reading)
        if reason or self._image is None or self._small is None:
            painter.setFont(theme.font(theme.BODY_PX))
            painter.setPen(QColor(theme.SECONDARY))
            text = reason or translate("preview", "The preview is being made…")
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(16, 16, -16, -16), int(flags), text)
            return
        side = 2 * self._small.radius_mm * self._scale()
        box = QRectF(0, 0, side, side)
        box.moveCenter(QRectF(self.rect()).center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(box, self._image)
        for lesion in self._lesions():
            self._ring(painter, lesion)
        self._notice(painter)
        self._words(painter)

    def _ring(self, painter: QPainter, lesion: Lesion) -> None:
        at, colour = self._spot(lesion), QColor(label_colour(lesion.label))
        selected = lesion.id == self._reading.selected
        line = QPen(colour, 2.6 if selected else 1.6)
        if lesion.origin in AI_DRAWN:
            line.setDashPattern([3, 2])
        elif lesion.origin == "imported":
            line.setDashPattern([1.2, 1.6])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(0, 0, 0, 160), line.widthF() + 1.6), line):
            painter.setPen(pen)
            painter.drawEllipse(at, _RING_PX, _RING_PX)
        font = theme.font(theme.CORNER_PX, QFont.Weight.DemiBold)
        where = at + QPointF(_RING_PX, -_RING_PX)
        haloed(painter, where, str(lesion.number), font, colour.name())

    def _notice(self, painter: QPainter) -> None:
        """Say whose findings these are, as long as any of the AI is to be seen."""
        case = self._reading.case
        findings = case.document.findings if case is not None else None
        if case is None or findings is None:
            return
        if all(lesion.origin in NOT_AI for lesion in self._lesions()):
            return
        done, total = case.progress
        pending = done < total or total == 0
        model = f"{findings.model.id} {findings.model.version}"
        words = [
            translate("view", "AI {model}").format(model=model),
            translate("view", "not reviewed") if pending else translate("view", "reviewed"),
        ]
        chip(painter, self.width(), MARGIN, words, pending=pending)

    def _words(self, painter: QPainter) -> None:
        font = theme.font(theme.CORNER_PX)
        metrics = QFontMetricsF(font)
        text = translate("preview", "3-D preview · highest values · not for reading")
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, self.width() - 2 * MARGIN)
        haloed(painter, QPointF(MARGIN, self.height() - MARGIN), text, font, theme.SECONDARY)
        letters = theme.font(15, QFont.Weight.Bold)
        wide = QFontMetricsF(letters)
        across, down = self.frame(self._drawn or (0.0, 0.0))
        middle_x, middle_y = self.width() / 2, self.height() / 2 + wide.capHeight() / 2
        right = direction_letters(across)[0]
        for letter, x, y in (
            (direction_letters(-across)[0], MARGIN, middle_y),
            (right, self.width() - MARGIN - wide.horizontalAdvance(right), middle_y),
            (direction_letters(-down)[0], middle_x - 5, MARGIN + 12),
            (direction_letters(down)[0], middle_x - 5, self.height() - 28),
        ):
            haloed(painter, QPointF(x, y), letter, letters, theme.LETTER)

    # ---------------------------------------------------------------- events

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._work()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._job is not None:
            self._job.cancel()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = self._last = event.position()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None or self._small is None:
            return
        away = event.position() - self._last
        self._last = event.position()
        self._yaw = math.remainder(self._yaw - away.x() * _TURN_PER_PX, math.tau)
        pitch = self._pitch + away.y() * _TURN_PER_PX
        self._pitch = min(max(pitch, -_STEEPEST), _STEEPEST)
        self._work()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, self._press = self._press, None
        if press is None or self._small is None or not self.shows_image:
            return
        if (event.position() - press).manhattanLength() < 3:
            away = [
                (math.hypot(*(self._spot(lesion) - press).toTuple()), lesion.id)
                for lesion in self._lesions()
            ]
            nearest = min(away, default=None)
            if nearest is not None and nearest[0] <= 2 * _RING_PX:
                self._reading.select(nearest[1])

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._yaw = self._pitch = 0.0
        self._work()
        event.accept()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Close:
            self.close_threads()
        return super().event(event)


def _window(volume: Volume, first: Window) -> Window:
    return _BONES if volume.unit == "HU" else Window(first.centre + first.width / 4, first.width)


def _make(volume: Volume, window: Window, _report: Any, cancelled: Any) -> Coarse | None:
    return coarse(volume, _STEP_MM, window, cancelled)


def _look(
    small: Coarse, frame: Frame, look: tuple[float, float], _report: Any, cancelled: Any
) -> tuple[Any, tuple[float, float]] | None:
    pixels = project(small, frame, cancelled)
    return None if pixels is None else (pixels, look)


class Previewing(QObject):
    """Puts the preview into the fourth cell of 2 x 2, or the facts again; a ``Part``."""

    changed = Signal()

    def __init__(self, reading: Reading, views: Callable[[], MprViews], parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._views = views
        self.preview: Preview | None = None

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {"preview": self.toggle}

    def reasons(self) -> Mapping[str, str]:
        """Return why it cannot be used now."""
        if self._reading.case is None or self.preview is not None:
            return {}
        return {"preview": why_not(self._reading)}

    def checked(self) -> Mapping[str, bool]:
        """Return whether the preview stands there."""
        return {"preview": self.preview is not None}

    def toggle(self) -> None:
        """Show the preview, in 2 x 2, or take it away."""
        views = self._views()
        if self.preview is not None:
            preview, self.preview = self.preview, None
            views.set_fourth(None)
            preview.close_threads()
            preview.deleteLater()
        else:
            self.preview = Preview(self._reading)
            views.set_fourth(self.preview)
            if views.arranged.layout != FOUR:
                views.choose(Arranged.of(FOUR))
        self.changed.emit()

    def close(self) -> None:
        """Wait for its thread."""
        if self.preview is not None:
            self.preview.close_threads()
