"""What the window says of the model: on the card of the series, in the bar, in the status line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from resources.problem import Problem
from resources.text import translate

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow


class AiNews(QObject):
    """Tells one window what its ``AiRunner`` reports."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def on_changed(self) -> None:
        """Follow the case, the model and its devices."""
        window = self._window
        window.panel.set_eligibility(window.ai.reasons)
        if window.study.current is not None and window.reading.case is not None:
            window.rail.card(window.study.current).state = self._state()
            window.rail.follow(window.study.current)
        self.follow_devices()
        window.follow()

    def _state(self) -> str:
        window = self._window
        case = window.reading.case
        assert case is not None
        if window.reading.ai_locked and not case.is_being_read:
            return translate("window", "AI locked: read first")
        if case.document.findings is not None:
            return translate("window", "AI done")
        if case.is_being_read:
            return translate("window", "Loading…")
        return translate("window", "AI: not eligible") if window.ai.reasons else ""

    def follow_devices(self) -> None:
        """Name model and device in the bar."""
        ai = self._window.ai
        if ai.pack is None:
            title = translate("window", "AI: none")
        else:
            title = translate("window", "AI: {model} {version} · {device}").format(
                model=ai.pack.id, version=ai.pack.version, device=ai.device_name()
            )
        self._window.bar.show_devices(ai.devices(), ai.device, title)

    def on_ended(self, problem: Problem | None) -> None:
        """Show that a run has ended, or why."""
        self._window.panel.run_ended(problem)
        self._window.follow()

    def on_found(self) -> None:
        """Say how long a run took, and go to what it is surest of."""
        window = self._window
        reading = window.reading
        findings = reading.case.document.findings if reading.case is not None else None
        if findings is None:
            return
        window.status.say(
            translate("window", "Ready · model run {seconds} s on {device}").format(
                seconds=f"{sum(findings.seconds.values()):.1f}", device=findings.device
            )
        )
        if not reading.ai_hidden and (lesions := reading.lesions):
            reading.select(max(lesions, key=lambda lesion: lesion.score or 0.0).id)
