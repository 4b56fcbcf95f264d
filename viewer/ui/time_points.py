"""Other times of the slice that is shown, of series in 4-D: stepped through, and played.

What is shown of another time is one slice of its files, to be looked at. The case stays that of
the open time: its findings, its measurements and its other planes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from resources.text import translate
from viewer.study.time_points import can_be_read, slice_values, time_points
from viewer.ui.jobs import Job

if TYPE_CHECKING:
    import numpy.typing as npt

    from viewer.study.order import StackPlan
    from viewer.ui.main_window import MainWindow
    from viewer.ui.slice_view import SliceView

_NOTICE = "time"
_MOST_BYTES = 96 << 20
_AHEAD = 4
_CLOSE_MS = 3000

At = tuple[int, int]
"""Number of a time, and slice."""


class TimePoints(QObject):
    """Steps through time and plays it; a ``Part`` of the window."""

    told = Signal(str)
    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._reading = window, window.reading
        self._points: tuple[StackPlan, ...] = ()
        self._asked_for: tuple[object, ...] = ()
        self._own = 0  # number of the open time
        self._at = 0  # number of the time that is wished for
        self._kept: OrderedDict[At, npt.NDArray[Any]] = OrderedDict()
        self._coming: set[At] = set()
        self._failed: set[At] = set()
        self._serial = 0
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._play_on)
        self._reading.case_changed.connect(self._on_case)
        self._reading.cursor_moved.connect(self._on_cursor)

    def attach(self) -> None:
        """Let the views of the open series show other times."""
        for view in self._window.views.views:
            view.instead = self.instead

    def close(self) -> None:
        """Stop and wait for the thread."""
        self._forget()
        self._pool.waitForDone(_CLOSE_MS)

    # ------------------------------------------------------------------- part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what each command does."""
        return {
            "time_after": partial(self.step, 1),
            "time_before": partial(self.step, -1),
            "cine_time": self.toggle_play,
        }

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now."""
        case = self._reading.case
        if case is None:
            return {}
        why = ""
        if case.is_being_read:
            why = translate("time", "The images are still being read.")
        elif not self.points:
            why = translate("time", "This series shows one time only.")
        elif not can_be_read(case.volume):
            why = translate("time", "The values of other times are not known in this unit.")
        return dict.fromkeys(("time_after", "time_before", "cine_time"), why)

    def checked(self) -> Mapping[str, bool]:
        """Return which switches are on."""
        return {"cine_time": self.playing}

    # ------------------------------------------------------------------- ask

    @property
    def points(self) -> tuple[StackPlan, ...]:
        """The times of the open series in order; none when it has but one."""
        case = self._reading.case
        if case is None:
            return ()
        plans = self._window.opener.study.plans
        # Asked at every change of the window's state; rarely is anything new.
        if (
            not self._asked_for
            or self._asked_for[0] is not case.plan.planes
            or (self._asked_for[1] is not plans)
        ):
            self._asked_for = case.plan.planes, plans
            own = next((p for p in plans if p.planes is case.plan.planes), case.plan)
            self._points = time_points(own, plans)
            self._own = self._at = self._points.index(own) if self._points else 0
        return self._points

    @property
    def playing(self) -> bool:
        """Whether time goes by."""
        return self._timer.isActive()

    @property
    def away(self) -> bool:
        """Whether another time than that of the case is wished for."""
        return bool(self.points) and self._at != self._own

    def instead(self, view: SliceView) -> npt.NDArray[Any] | None:
        """Return the values that a view shows in the place of its own slice, or None."""
        if not self.away or view.plane is None or view.plane.axis != 0 or view.slab is not None:
            return None
        return self._kept.get((self._at, view.index))

    # ------------------------------------------------------------------ step

    def step(self, by: int) -> None:
        """Show the next time, or the one before; it ends at the last and the first."""
        self.stop()
        self._show(self._at + by if self.points else 0)

    def toggle_play(self) -> None:
        """Play through time, or stop where it is."""
        if self.playing:
            self.stop()
            return
        if not self.points:
            return
        self._window.conventions.cine.stop()
        self._timer.start(max(1, round(1000 / self._window.conventions.cine.rate)))
        self._want()
        self._tell()

    def stop(self) -> None:
        """Stop where it is."""
        if self.playing:
            self._timer.stop()
            self._tell()

    def _play_on(self) -> None:
        if QApplication.activeModalWidget() is not None or not self.points:
            self.stop()
            return
        following = (self._at + 1) % len(self.points)
        k = self._slice()
        if following == self._own or (following, k) in self._kept or (following, k) in self._failed:
            self._show(following)
        else:
            self._want()

    def _show(self, number: int) -> None:
        if not self.points:
            return
        number = min(max(number, 0), len(self.points) - 1)
        if number == self._at and not self.playing:
            end = translate("time", "This is the last time.")
            first = translate("time", "This is the first time.")
            self.told.emit(end if number else first)
            return
        self._at = number
        self._want()
        self._tell()

    def _slice(self) -> int:
        return round(self._reading.cursor_kji()[0])

    # ------------------------------------------------------------------ read

    def _want(self) -> None:
        """Have the wished slice read, and those of the times around it."""
        case = self._reading.case
        if case is None or not self.points:
            return
        k, count = self._slice(), len(self.points)
        ahead = [self._at, *((self._at + n) % count for n in range(1, _AHEAD + 1))]
        if not self.playing:
            ahead = [self._at, min(self._at + 1, count - 1), max(self._at - 1, 0)]
        for number in dict.fromkeys(ahead):
            at = number, k
            if number == self._own or at in self._kept or at in self._coming or at in self._failed:
                continue
            self._coming.add(at)
            work = partial(_read, self.points[number], k, case.volume)
            job = Job(work, self)
            job.setProperty("at", (self._serial, number, k))
            job.succeeded.connect(self._on_read)
            job.failed.connect(self._on_failed)
            job.start(self._pool)

    @Slot(object)
    def _on_read(self, values: object) -> None:
        at = self._of_sender()
        if at is None:
            return
        self._kept[at] = values  # type: ignore[assignment]
        size = sum(kept.nbytes for kept in self._kept.values())
        while size > _MOST_BYTES and len(self._kept) > 1:
            size -= self._kept.popitem(last=False)[1].nbytes
        if at[0] == self._at:
            self._tell()

    @Slot(object)
    def _on_failed(self, _problem: object) -> None:
        at = self._of_sender()
        if at is not None:
            self._failed.add(at)
            self._tell()

    def _of_sender(self) -> At | None:
        sender = self.sender()
        serial, number, k = sender.property("at") if sender is not None else (-1, 0, 0)
        if serial != self._serial:
            return None  # of a case that has gone
        self._coming.discard((number, k))
        return number, k

    # ---------------------------------------------------------------- follow

    def _tell(self) -> None:
        """Say on the images which time they show, and show it."""
        own = self.points[self._own].name if self.points else ""
        for view in self._window.views.views:
            view.notices.pop(_NOTICE, None)
            if self.away and view.plane is not None and view.plane.axis == 0:
                at = self._at, view.index
                words = self._words(view, at, own)
                view.notices[_NOTICE] = ((words, True),)
            view.follow_pointer(None)
            view.restale()
        self.changed.emit()

    def _words(self, view: SliceView, at: At, own: str) -> tuple[str, ...]:
        name, count = self.points[at[0]].name, len(self.points)
        said = translate("time", "{name} · {number} of {count}").format(
            name=name, number=at[0] + 1, count=count
        )
        open_time = translate("time", "the case is {name}").format(name=own)
        if self.instead(view) is not None:
            return said, open_time
        if at in self._failed:
            return translate("time", "{name} cannot be read").format(name=name), open_time
        if view.slab is not None or view.plane is None or not view.plane.straight:
            return translate("time", "other times are shown slice by slice"), open_time
        return translate("time", "reading {name}").format(name=name), open_time

    def _on_cursor(self) -> None:
        if self.away or self.playing:
            self._want()
            self._tell()

    def _on_case(self) -> None:
        case = self._reading.case
        if case is None or not self._asked_for or self._asked_for[0] is not case.plan.planes:
            self._forget()

    def _forget(self) -> None:
        self._timer.stop()
        self._serial += 1
        self._points, self._asked_for = (), ()
        self._own = self._at = 0
        self._kept.clear()
        self._coming.clear()
        self._failed.clear()
        for view in self._window.views.views if hasattr(self._window, "views") else ():
            view.notices.pop(_NOTICE, None)


def _read(
    plan: StackPlan,
    k: int,
    volume: Any,
    _report: Callable[[int, int], None],
    _cancelled: Callable[[], bool],
) -> npt.NDArray[Any]:
    return slice_values(plan, k, volume)


def why_no_work(view: SliceView) -> str:
    """Return why nothing can be drawn or measured while another time is shown; else empty."""
    if view.instead is None or view.instead(view) is None:
        return ""
    text = translate(
        "time", "Another time than that of the case is shown: {before} or {after} leads back."
    )
    keys = view.reading.keys
    return text.format(before=keys.name("time_before"), after=keys.name("time_after"))
