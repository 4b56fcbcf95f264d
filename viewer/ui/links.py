"""The link between the open series and the one beside: scroll, pan, zoom, window, cut lines.

Both readings stay what they are; one follows the other's cursor. Series of one frame of
reference (0020,0052) meet at one point of the patient, others keep the distance that they had
when they were linked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from resources.text import translate
from viewer.beside import shares_frame
from viewer.display.grey import Window
from viewer.display.sheets import Sheet, are_parallel, cut_mm, nearest, sheet
from viewer.ui import on_image as theme
from viewer.ui.beside import Beside
from viewer.ui.mpr import MprViews
from viewer.ui.reading import Reading
from viewer.ui.slice_view import Notice, SliceView
from viewer.ui.view_ink import haloed

POSITION, SLICE = "position", "slice"
_NONE = ""
_TICK_PX = 36.0


class Links(QObject):
    """Lets two series follow each other while ``mode`` is not empty.

    Attributes
    ----------
    mode
        ``"position"``, ``"slice"``, or empty when they are not linked.
    outside
        Whether the place of the open series lies outside the one beside.
    """

    changed = Signal()

    def __init__(self, main: Reading, beside: Beside, parent: QObject) -> None:
        super().__init__(parent)
        self._main, self._beside = main, beside
        self._views: MprViews | None = None
        self.mode = _NONE
        self.outside = False
        self._busy = False
        self._offset_lps_mm = np.zeros(3)
        self._steps: tuple[int, int] | None = None

    def attach(self, views: MprViews) -> None:
        """Follow the views of the open series."""
        self._views = views
        main, other = self._main, self._beside.reading
        main.cursor_moved.connect(self._on_main)
        other.cursor_moved.connect(self._on_other)
        main.window_changed.connect(self._on_main_window)
        other.window_changed.connect(self._on_other_window)
        self._beside.view.looked.connect(self._on_other_look)
        self._beside.view.extras.append(self._draw_cut)
        for view in views.views:
            view.looked.connect(self._on_main_look)
            view.extras.append(self._draw_cut)

    # ------------------------------------------------------------------ state

    @property
    def by_position(self) -> bool:
        """Whether the two are linked at one point of the patient."""
        return self.mode == POSITION

    def share_frame(self) -> bool:
        """Tell whether both lie in one frame of reference, in the patient."""
        main, other = self._main.case, self._beside.case
        if main is None or other is None or not shares_frame(main.plan, other.plan):
            return False
        return self._main.place_lps_mm is not None and self._beside.reading.place_lps_mm is not None

    def why_not(self) -> str:
        """Return why the two cannot be linked now, or an empty text."""
        if self._main.case is None or self._beside.case is None:
            return translate("link", "No series is shown beside.")
        if not self._can_follow(self._main) or not self._can_follow(self._beside.reading):
            return translate("link", "Images that lie in several directions cannot be linked.")
        return ""

    def toggle(self) -> None:
        """Link or unlink."""
        if self.mode:
            self.unlink()
        elif not self.why_not():
            self.link()

    def link(self) -> None:
        """Let the two follow each other from where they are."""
        main, other = self._main.case, self._beside.case
        assert main is not None
        assert other is not None
        self._offset_lps_mm = np.zeros(3)
        self._steps = None
        here, there = self._main.place_lps_mm, self._beside.reading.place_lps_mm
        if here is None or there is None:
            self.mode = SLICE
            self._steps = (self._number(self._main), self._number(self._beside.reading))
        elif self.share_frame():
            self.mode = POSITION
        else:
            self.mode = SLICE
            self._offset_lps_mm = there - here
        self._on_main()
        self._on_main_window()
        self._sync_look(self._partner(), self._beside.view)
        self.changed.emit()

    def unlink(self) -> None:
        """Let each be scrolled alone."""
        if self.mode:
            self.mode, self.outside = _NONE, False
            self.changed.emit()

    def capture(self) -> dict[str, Any]:
        """Return how the two are linked, as what JSON can hold."""
        return {
            "mode": self.mode,
            "offset_lps_mm": [round(float(x), 4) for x in self._offset_lps_mm],
            "steps": self._steps,
        }

    def restore(self, state: Any) -> None:
        """Link the two as ``capture`` found them.

        Raises
        ------
        KeyError, TypeError, ValueError
            When ``state`` is not of this kind.
        """
        mode, steps = state["mode"], state["steps"]
        offset = np.array([float(x) for x in state["offset_lps_mm"]])
        if mode not in (POSITION, SLICE) or offset.shape != (3,) or not np.isfinite(offset).all():
            return
        if self.why_not() or (mode == POSITION and not self.share_frame()):
            return
        self.mode = mode
        self._offset_lps_mm = offset
        self._steps = (int(steps[0]), int(steps[1])) if steps is not None else None
        self._on_main()
        self.changed.emit()

    def notices(self) -> tuple[Notice, ...]:
        """Return what is to be said of the link on the image."""
        if not self.mode:
            return ()
        if self.mode == POSITION:
            said = translate("link", "linked by position")
        else:
            said = translate("link", "linked by slice")
        linked: Notice = ((said,), False)
        if not self.outside:
            return (linked,)
        return linked, ((translate("link", "the place lies outside this series"),), True)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Tell whether this is no echo of the link's own doing."""
        if self._busy or not self.mode:
            yield False
            return
        self._busy = True
        try:
            yield True
        finally:
            self._busy = False

    # ----------------------------------------------------------------- cursor

    def _on_main(self) -> None:
        self._beside.view.update()  # the cut line has moved
        with self._alone() as alone:
            if alone:
                self._follow(self._main, self._beside.reading, 1)

    def _on_other(self) -> None:
        for view in self._views.views if self._views is not None else ():
            view.update()
        with self._alone() as alone:
            if alone:
                self._follow(self._beside.reading, self._main, -1)

    def _follow(self, leader: Reading, follower: Reading, sign: int) -> None:
        if leader.case is None or follower.case is None:
            return
        before = self.outside
        if self._steps is not None:
            first, second = self._steps if sign > 0 else self._steps[::-1]
            self._show_number(follower, second + self._number(leader) - first)
            self.outside = False
        else:
            place = leader.place_lps_mm
            if place is None:
                return
            inside = self._go(follower, place + sign * self._offset_lps_mm)
            self.outside = not inside if sign > 0 else False
        if before != self.outside:
            self.changed.emit()

    def _go(self, reading: Reading, point_lps_mm: npt.NDArray[np.float64]) -> bool:
        """Move a cursor to a place; tell whether its shown plane reaches there."""
        assert reading.case is not None
        volume = reading.case.volume
        shown = self._beside.view if reading is self._beside.reading else self._partner()
        plane = shown.plane
        if plane is None:
            return True
        found = nearest(volume, plane, point_lps_mm)
        if volume.places is None:
            reading.move_cursor(point_lps_mm)
        elif found is not None:
            reading.show_slice(plane, found[0])
        return found is None or found[1]

    @staticmethod
    def _can_follow(reading: Reading) -> bool:
        case = reading.case
        if case is None:
            return False
        volume = case.volume
        if volume.places is None or not volume.placed:
            return True
        plane = reading.straight[reading.plane_order()[0]]
        return nearest(volume, plane, volume.places[0][:3, 3]) is not None

    @staticmethod
    def _number(reading: Reading) -> int:
        """Return the number of the acquired slice at the cursor, in reading order."""
        plane = reading.straight[reading.plane_order()[0]]
        return plane.number(round(reading.cursor_kji()[plane.axis]))

    @staticmethod
    def _show_number(reading: Reading, number: int) -> None:
        plane = reading.straight[reading.plane_order()[0]]
        now = round(reading.cursor_kji()[plane.axis])
        reading.show_slice(plane, plane.step_index(now, number - plane.number(now)))

    # ----------------------------------------------------------------- window

    def _on_main_window(self) -> None:
        self._copy_window(self._main, self._beside.reading)

    def _on_other_window(self) -> None:
        self._copy_window(self._beside.reading, self._main)

    def _copy_window(self, leader: Reading, follower: Reading) -> None:
        one, other = leader.case, follower.case
        if one is None or other is None or one.volume.modality != other.volume.modality:
            return
        with self._alone() as alone:
            if alone:
                follower.set_window(matched(leader, follower))

    # ------------------------------------------------------------- pan and zoom

    def _partner(self) -> SliceView:
        """Return the view of the open series that the one beside goes with."""
        assert self._views is not None
        views = self._views.views
        return next((view for view in views if view.main), views[0])

    def _on_main_look(self) -> None:
        partner = self._partner()
        if self.sender() in (partner, None):
            self._sync_look(partner, self._beside.view)

    def _on_other_look(self) -> None:
        self._sync_look(self._beside.view, self._partner())

    def _sync_look(self, leader: SliceView, follower: SliceView) -> None:
        """Give two parallel views one scale and one middle."""
        one, other = shown_sheet(leader), shown_sheet(follower)
        if one is None or other is None or not are_parallel(one, other):
            return
        sign = 1 if leader is not self._beside.view else -1
        with self._alone() as alone:
            if alone:
                middle = one.lps_at(*leader.centre_mm) + sign * self._offset_lps_mm
                follower.look_at(other.view_of(middle), leader.mm_per_px)

    # -------------------------------------------------------------- cut lines

    def _draw_cut(self, painter: QPainter, view: SliceView) -> None:
        """Draw where the slice of the other series cuts this one."""
        other = self._partner() if view is self._beside.view else self._beside.view
        line = self.cut_on(view, other)
        if line is None or not self._main.shown.crosshair or not other.isVisible():
            return
        a, b = view.px_of_mm(*line[0]), view.px_of_mm(*line[1])
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pen in (QPen(QColor(0, 0, 0, 170), 3), QPen(QColor(theme.TEXT), 1.2)):
            painter.setPen(pen)
            if self.by_position and len(view.reading.planes) > 1:
                # The crosshair runs there too: the ends are enough.
                reach = min(_TICK_PX / max(math.hypot(b.x() - a.x(), b.y() - a.y()), 1.0), 0.5)
                painter.drawLine(a, a + (b - a) * reach)
                painter.drawLine(b, b + (a - b) * reach)
            else:
                painter.drawLine(a, b)
        assert other.plane is not None
        end = max((a, b), key=lambda point: (point.x(), -point.y()))
        font = theme.font(theme.CORNER_PX)
        number = str(other.plane.number(other.index))
        left = min(end.x(), view.width() - 14) - QFontMetricsF(font).horizontalAdvance(number) - 6
        top = min(max(end.y() - 6, 70.0), view.height() - 90.0)  # clear of the corner text
        haloed(painter, QPointF(max(left, 10.0), top), number, font, theme.TEXT)
        painter.restore()

    def cut_on(
        self, view: SliceView, other: SliceView
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Return where the slice of another view cuts that of ``view``, view mm, or None."""
        one, two = view.case, other.case
        if one is None or two is None or not shares_frame(one.plan, two.plan):
            return None
        on, of = shown_sheet(view), shown_sheet(other)
        return cut_mm(on, of) if on is not None and of is not None else None


def shown_sheet(view: SliceView) -> Sheet | None:
    """Return the slice that a view shows, in patient space."""
    if view.case is None or view.plane is None:
        return None
    return sheet(view.case.volume, view.plane, view.index)


def matched(leader: Reading, follower: Reading) -> Window:
    """Return the window of one reading as it means the same in another of the same modality.

    In one proven unit the numbers are taken over. Else (MR) they mean nothing from series to
    series: what is taken over is how far it is from the window that each began with.
    """
    one, other = leader.case, follower.case
    assert one is not None
    assert other is not None
    now = leader.window
    if one.volume.unit and one.volume.unit == other.volume.unit:
        return follower.window.moved(now.centre, now.width)
    was, own = leader.first_window, follower.first_window
    scale = own.width / max(was.width, 1e-9)
    return follower.window.moved(own.centre + (now.centre - was.centre) * scale, now.width * scale)
