"""Cine: the slices or frames of the active view one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from resources.text import translate

if TYPE_CHECKING:
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

PLAIN_RATE = 15.0
_RATES = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0)
_ENDS = 1_000_000


class Cine(QObject):
    """Plays the active view; every image is shown, so a slow machine plays slower.

    Whatever else moves the cursor stops it: the wheel, a key, a click, another finding. So do
    another case, a dialog, and the window in the background.
    """

    told = Signal(str)
    changed = Signal()

    def __init__(self, reading: Reading, active: Callable[[], SliceView], parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._active = active
        self._view: SliceView | None = None
        self._rate: float | None = None  # chosen by the reader for this case
        self._sweeps: bool | None = None
        self._step = 1
        self._moving = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._show_next)
        reading.cursor_moved.connect(self._on_cursor)
        reading.case_changed.connect(self._on_case)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.applicationStateChanged.connect(self._on_state)

    # ------------------------------------------------------------------- ask

    @property
    def running(self) -> bool:
        """Whether it plays."""
        return self._view is not None

    @property
    def rate(self) -> float:
        """Images a second: the reader's choice, else the file's, else 15."""
        return self._rate or self._reading.facts.rate or PLAIN_RATE

    @property
    def sweeps(self) -> bool:
        """Whether it plays to and fro, and not round: the reader's choice, else the file's."""
        return self._reading.facts.sweeps if self._sweeps is None else self._sweeps

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what each of its commands does."""
        return {
            "cine": self.toggle,
            "cine_faster": lambda: self._change_rate(1),
            "cine_slower": lambda: self._change_rate(-1),
            "cine_sweep": self._toggle_sweep,
        }

    def reasons(self) -> dict[str, str]:
        """Return why a command cannot be used now."""
        if self._reading.case is None or any(p.count > 1 for p in self._reading.planes.values()):
            return {}
        alone = translate("cine", "There is only one image.")
        return dict.fromkeys(("cine", "cine_faster", "cine_slower", "cine_sweep"), alone)

    def checked(self) -> dict[str, bool]:
        """Return which of its switches are on."""
        return {"cine": self.running, "cine_sweep": self.sweeps}

    # ------------------------------------------------------------------ play

    def toggle(self) -> None:
        """Play the active view, or stop."""
        if self.running:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """Play the active view."""
        view = self._active()
        if view.plane is None or view.plane.count < 2:
            self.told.emit(translate("cine", "There is only one image in this view."))
            return
        self._view = view
        self._step = 1
        self._timer.start(self._interval_ms)
        self._tell()

    def stop(self) -> None:
        """Stop where it is."""
        if self._view is None:
            return
        view, self._view = self._view, None
        self._timer.stop()
        view.tag = ""
        view.update()
        self.changed.emit()

    @property
    def _interval_ms(self) -> int:
        return max(1, round(1000 / self.rate))

    def _show_next(self) -> None:
        view = self._view
        plane = view.plane if view is not None else None
        if view is None or plane is None or not view.isVisible():
            self.stop()
            return
        if QApplication.activeModalWidget() is not None or QApplication.activePopupWidget():
            self.stop()
            return
        index = plane.step_index(view.index, self._step)
        if index == view.index:  # at an end
            if self.sweeps:
                self._step = -self._step
                index = plane.step_index(view.index, self._step)
            else:
                index = plane.step_index(view.index, -self._step * _ENDS)
        self._moving = True
        self._reading.show_slice(plane, index)
        self._moving = False

    # ---------------------------------------------------------------- change

    def _change_rate(self, by: int) -> None:
        faster = [rate for rate in _RATES if rate > self.rate]
        slower = [rate for rate in _RATES if rate < self.rate]
        if by > 0 and faster:
            self._rate = faster[0]
        elif by < 0 and slower:
            self._rate = slower[-1]
        if self.running:
            self._timer.setInterval(self._interval_ms)
        self._tell()

    def _toggle_sweep(self) -> None:
        self._sweeps = not self.sweeps
        self._step = 1
        self._tell()

    def _tell(self) -> None:
        rate = translate("cine", "{rate} images a second").format(rate=f"{self.rate:.3g}")
        way = translate("cine", "to and fro") if self.sweeps else translate("cine", "round")
        self.told.emit(translate("cine", "Cine: {rate}, {way}").format(rate=rate, way=way))
        if self._view is not None:
            self._view.tag = translate("cine", "cine {rate}/s").format(rate=f"{self.rate:.3g}")
            self._view.update()
        self.changed.emit()

    # ---------------------------------------------------------------- follow

    def _on_cursor(self) -> None:
        if not self._moving:
            self.stop()

    def _on_case(self) -> None:
        self.stop()
        case = self._reading.case
        if case is None or case.is_being_read:
            self._rate = self._sweeps = None  # another case brings its own

    def _on_state(self, state: Qt.ApplicationState) -> None:
        if state != Qt.ApplicationState.ApplicationActive:
            self.stop()
