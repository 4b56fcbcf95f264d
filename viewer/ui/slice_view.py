"""One view: a slice in millimetres with overlays, and what the mouse does on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.display.oblique import ObliquePlane
from viewer.display.planes import Plane
from viewer.display.slab import Slab, Span
from viewer.ui import (
    composing,
    gestures,
    gestures_look,
    oblique_slabs,
    orientation,
    pointer,
    touched,
    view_text,
    view_values,
)
from viewer.ui.ahead import Ahead
from viewer.ui.drawn import Drawn
from viewer.ui.look import Look
from viewer.ui.overlay_layer import OverlayLayer
from viewer.ui.plane_view import PlaneView
from viewer.ui.reading import Reading
from viewer.ui.slice_item import SliceItem
from viewer.ui.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from viewer.annotate.document import Change
    from viewer.session import Case
    from viewer.ui.boxing import Boxing
    from viewer.ui.lassoing import Lassoing
    from viewer.ui.measuring import Measuring

# Words, and whether nobody may overlook them.
Notice = tuple[tuple[str, ...], bool]

# Planes across slices that are still being read are drawn so seldom: each costs ten times more.
_GROWS_S = 0.25


class SliceView(PlaneView):
    """Shows one plane of the open case; the slice follows the linked cursor of ``Reading``."""

    enlarge_asked = Signal(str)
    menu_asked = Signal(object, object)  # LPS mm under the pointer, global position
    told = Signal(str)  # why nothing happened, for the status line
    slab_changed = Signal()

    def __init__(self, reading: Reading, drawn: Drawn, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reading = reading
        self.drawn = drawn
        self.main = True  # carries patient text and the notice on AI results
        self.pointer_px: QPointF | None = None
        self.measuring: Measuring | None = None
        self.lassoing: Lassoing | None = None
        self.boxing: Boxing | None = None
        # Called in turn when Enter is pressed, until one of them had something to close.
        self.closers: list[Callable[[], bool]] = []
        self.slab: Slab | None = None
        self._flat: npt.NDArray[Any] | None = None  # values of the slab
        self.instead: Callable[[SliceView], npt.NDArray[Any] | None] | None = None  # another time
        self.rubber: QRectF | None = None  # a box that is being drawn, in pixels
        self.tag = ""  # beside the number of the slice, such as the rate of the cine
        # What rooms lay over the slice: drawn in logical pixels, under the text.
        self.extras: list[Callable[[QPainter, SliceView], None]] = []
        # Chips under the text at the top left, whatever text is hidden, by room.
        self.notices: dict[str, tuple[Notice, ...]] = {}
        self.turned_deg: float | None = None  # while its crosshair is being turned
        self.words = 0  # another number when what is written over the image may be another
        self.standing = Standing()
        self._wheel = 0  # parts of a notch not yet scrolled
        self._stale = True  # the image
        self._lines_stale = True  # what lies over it
        self._known: tuple[object, object] = (None, None)  # stroke and selection that are shown
        self._gesture: gestures.Gesture | None = None
        self._grown = 0.0  # when the plane was last drawn with the slices that had come

        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # every pixel is painted
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)
        self.oblique_slabs = oblique_slabs.ObliqueSlabs(self.restale, self)
        self.overlay = OverlayLayer(reading, self.oblique_slabs)
        self._slice = SliceItem(self.overlay)
        self.overlay.changed = self._slice.renew_lines
        self.ahead = Ahead(self, self._slice)

        drawn.changed.connect(self.restale)
        reading.case_changed.connect(self._on_case)
        reading.planes_changed.connect(self._on_planes)
        reading.shown_changed.connect(self._tell)  # what the file says has come
        reading.cursor_moved.connect(self._on_cursor)
        reading.window_changed.connect(self._on_window)
        reading.shown_changed.connect(self.restale)
        reading.document_changed.connect(self._on_document)
        reading.threshold_changed.connect(self.restale_lines)
        reading.selection_changed.connect(self._on_selection)
        reading.stroke_changed.connect(self._on_stroke)
        reading.tool_changed.connect(self._on_tool)

    # ----------------------------------------------------------------- state

    @property
    def case(self) -> Case | None:
        """The open case."""
        return self.reading.case

    @property
    def looks_only(self) -> bool:
        """Whether no work can ever be done on what it shows."""
        return self.case is not None and self.case.viewing_only is not None

    def viewport(self) -> QWidget:
        """Return the widget that gets the events and is painted."""
        return self

    def set_plane(self, plane: Plane | None) -> None:
        """Show another plane of the open volume, fitted to the view."""
        self.plane = plane
        self._tell()
        if plane is not None:
            self.index = plane.index_of_lps(self.reading.cursor_lps_mm)
        self.fit()
        self.restale()

    def _tell(self) -> None:
        """Say to those who hear it which plane this is, and what lies at its edges."""
        if self.plane is not None:
            self.setAccessibleName(view_text.plane_title(self))
        words = orientation.in_words(self)
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)

    def _on_planes(self) -> None:
        """Show the plane of the same name as it lies now; the cursor stays where it is seen."""
        plane = self.reading.planes.get(self.plane.name) if self.plane is not None else None
        if plane is None or plane is self.plane:
            self.update()  # the lines of the others
            return
        at = self.cursor_px()
        self.plane = plane
        self._tell()
        self.index = plane.index_of_lps(self.reading.cursor_lps_mm)
        if self._fitted and plane.straight:
            self.fit()
        else:
            x, y = plane.view_of_lps(self.reading.cursor_lps_mm)
            left, top = at.x() - self.width() / 2, at.y() - self.height() / 2
            self._set_view((x - left * self.mm_per_px, y - top * self.mm_per_px), self.mm_per_px)
        self.restale()

    def update(self, *part: Any) -> None:
        """Paint again; when all of it, what is written may be another."""
        self.words += not part
        super().update(*part)

    def restale(self) -> None:
        """Compose again before the next paint."""
        self._stale = True
        self.ahead.drop()
        self.update()

    @property
    def is_stale(self) -> bool:
        """Whether something is to be painted that has not been."""
        return self._stale or self._lines_stale

    def _on_window(self) -> None:
        self._stale = True
        self.ahead.drop()
        super().update()  # the words that stand still do not name it

    def _on_stroke(self) -> None:
        goes_on = self.reading.stroke is self._known[0]
        self._known = (self.reading.stroke, self._known[1])
        words = self.words
        self.restale_lines(touched.by_stroke(self) if goes_on else None)
        self.words = words  # dabs change none

    def _on_selection(self) -> None:
        if self.reading.selected != self._known[1]:
            self._known = (self._known[0], self.reading.selected)
            self.restale_lines()

    def restale_lines(self, part: QRect | None = None) -> None:
        """Collect the outlines again before the next paint; the image too where it holds fills.

        Parameters
        ----------
        part
            All of the view that looks different then, and no word that stands still; None for
            the whole of it.
        """
        self._lines_stale = True
        self.ahead.drop()
        if self.reading.shown.fill or self.reading.shown.changes:
            self._stale, part = True, None
        self.update(*(() if part is None else (part,)))

    def _on_case(self) -> None:
        self.restale()
        if self.plane is not None and any(p is self.plane for p in self.reading.planes.values()):
            return  # only the rest of its images came: a drag goes on
        self._gesture = None
        self.slab = self._flat = None
        self.oblique_slabs.forget()
        if self.case is None:
            self.set_plane(None)

    def on_slices(self, first: int, last: int) -> None:
        """Show acquired slices ``first`` to ``last``, which have come."""
        if self.plane is None:
            return
        self.ahead.drop()
        if self.plane.axis == 0:
            if first <= self.index <= last:
                self.restale()
        elif time.monotonic() - self._grown >= _GROWS_S:
            self._grown = time.monotonic()
            self.restale()

    def _on_cursor(self) -> None:
        if self.plane is None:
            return
        index = self.plane.index_of_lps(self.reading.cursor_lps_mm)
        if index != self.index:
            self.ahead.moved(index - self.index)
            self.index = index
            self._stale = True
        if (not self._fitted or not self.plane.straight) and self._gesture is None:
            x, y = self.plane.view_of_lps(self.reading.cursor_lps_mm)
            margin = self.rect().adjusted(12, 12, -12, -12)
            if not margin.contains(self.px_of_mm(x, y).toPoint()):
                self.look_at((x, y), self.mm_per_px)
        super().update()  # the words that stand still do not tell where the cursor is

    def _on_document(self, change: Change) -> None:
        if change.kind == "findings":
            self.restale()  # the heatmap is another
        part = touched.by_change(self, change)
        for target_id in change.lesion_ids if part is not None else ():
            self.overlay.put_apart(target_id)
        self.restale_lines(part)

    def _on_tool(self) -> None:
        self.setCursor(pointer.shape_of(self))
        self.update()

    # ----------------------------------------------------------------- paint

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._stale:
            self._stale = self._lines_stale = False
            self._compose()
        elif self._lines_stale:
            self._lines_stale = False
            if self.case is not None and self.plane is not None:
                self.overlay.rebuild(self.plane, self.index, self.slab_span)
                self.oblique_slabs.end()
        painter = QPainter(self)
        corner = self.mm_of_px(QPointF(0, 0))
        look = Look(self.size(), self.devicePixelRatioF(), corner, self.mm_per_px)
        self._slice.paint(painter, look)
        if self.case is not None and self.plane is not None:
            self.overlay.paint_apart(painter, look)
            for extra in self.extras:
                extra(painter, self)
            view_text.paint(painter, self, event.rect())
        painter.end()
        if self.standing.take_renewed() and event.rect() != self.rect():
            super().update()  # words are others than anybody thought
        self.ahead.painted(look)

    def _compose(self) -> None:
        ready = self.ahead.take()
        self._flat = None
        if self.case is None or self.plane is None:
            self._slice.show_buffer(None, QRectF())
            self.overlay.clear()
            return
        if self.instead is not None and self.instead(self) is not None:
            ready = None
        span = self.slab_span
        if span is not None and isinstance(self.plane, ObliquePlane):
            self.oblique_slabs.begin(self.plane, self.index, span)
        else:
            self.oblique_slabs.forget()
        self.overlay.rebuild(self.plane, self.index, span)
        buffer, self._flat = (ready, None) if ready is not None else composing.composed(self)
        self._slice.show_buffer(buffer, QRectF(0, 0, *self.plane.size_mm))
        if buffer is not None and self.plane.axis == 0 and self._flat is None:
            self.reading.mark_seen(self.index)

    # ------------------------------------------------------------------ slab

    def set_slab(self, slab: Slab | None) -> None:
        """Show several slices as one, or single slices again."""
        if slab != self.slab:
            self.slab = slab
            self.restale()
            self.slab_changed.emit()

    @property
    def slab_span(self) -> Span | None:
        """The slices that are shown as one, or None when a single slice is shown."""
        if self.slab is None or self.plane is None:
            return None
        return self.slab.span(self.index, self.plane.count, self.plane.step_mm)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.plane is None:
            return
        if self._fitted:
            self.fit()
        else:
            self._set_view(self._centre_mm, self.mm_per_px)

    # ----------------------------------------------------------------- mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.plane is None:
            return
        self._wheel = gestures_look.wheel(self, event, self._wheel)
        event.accept()

    def scroll_slices(self, steps: int) -> None:
        """Move ``steps`` slices in reading order."""
        if self.plane is not None and self.case is not None:
            self.reading.show_slice(self.plane, self.plane.step_index(self.index, steps))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if self.plane is None or self.case is None:
            return
        if self._gesture is None:
            self._gesture = gestures.begin(self, event)
            if self._gesture is not None:
                self._gesture.keys = event.modifiers()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before, self.pointer_px = self.pointer_px, event.position()
        if self.plane is None or self.case is None:
            return
        if self._gesture is not None and not event.buttons() & self._gesture.button:
            self.end_gesture(event.position())  # the release went to a menu or another window
        if self._gesture is not None:
            self._gesture.keys = event.modifiers()
            self._gesture.move(event.position())
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.reading.move_cursor(self.lps_at(event.position()))
        elif self.reading.tool == "lasso" and self.lassoing is not None:
            self.lassoing.hover(self, event.position(), event.modifiers())
        elif self.reading.tool == "box":
            self.setCursor(pointer.shape_of(self))  # another one over each handle
        elif self.measuring is not None:
            self.measuring.hover(self, event.position())
        drags = self._gesture is not None and self.reading.stroke is None
        part = None if drags else touched.by_brush(self, before)
        super().update(*(() if part is None else (part,)))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._gesture is not None and event.button() == self._gesture.button:
            self._gesture.keys = event.modifiers()
            self.end_gesture(event.position())
        event.accept()

    def end_gesture(self, at_px: QPointF) -> None:
        """End the drag in progress as a release at ``at_px`` does."""
        if self._gesture is not None:
            gesture, self._gesture = self._gesture, None
            gesture.end(at_px)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.reading.tool in ("window", "pan"):
            self._gesture = None
            self.enlarge_asked.emit(self.plane.name if self.plane else "")
        else:
            self.mousePressEvent(event)

    def follow_pointer(self, on_handle: bool | None) -> None:
        """Show the pointer of a handle or of a line of a measurement, else that of the tool."""
        if on_handle is None:
            self._on_tool()
        else:
            shape = Qt.CursorShape.SizeAllCursor if on_handle else Qt.CursorShape.PointingHandCursor
            self.setCursor(shape)

    def leaveEvent(self, event: object) -> None:
        self.pointer_px = None
        if self.measuring is not None:
            self.measuring.leave(self)
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        # The right button zooms when dragged; its menu opens on release without movement.
        event.accept()

    def abort_gesture(self) -> bool:
        """Give up a drag or stroke in progress; nothing of it is kept."""
        if self._gesture is None:
            return False
        gesture, self._gesture = self._gesture, None
        gesture.abort()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Keys are actions of the window; Return would be one of its buttons, too.
        closes = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not (closes and any(close() for close in self.closers)):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    # ---------------------------------------------------------------- values

    def value_text(self) -> str:
        """Return the value under the pointer with its unit, and the heatmap's, or ''."""
        return view_values.text(self, self._flat)

    def cursor_px(self) -> QPointF:
        """Return the logical pixel of the linked cursor."""
        assert self.plane is not None
        return self.px_of_mm(*self.plane.view_of_lps(self.reading.cursor_lps_mm))
