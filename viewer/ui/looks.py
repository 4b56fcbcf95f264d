"""How the window looks: theme, colours of labels, the patient's text; and the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from viewer.ui import label_colours, theme
from viewer.ui.heat_peaks import HeatPeaks
from viewer.ui.holding import Holding
from viewer.ui.pictures import Pictures
from viewer.ui.settings_dialog import SettingsDialog

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow
    from viewer.ui.part import Part

_COLOURS = "label_colours"


class Looks(QObject):
    """Applies what the settings say of the looks, at once; holds the rooms of the AI on screen.

    Attributes
    ----------
    peaks, holding, pictures
        Rooms whose commands it brings along.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.peaks = HeatPeaks(window.reading, self)
        self.holding = Holding(window.reading, window)
        self.pictures = Pictures(window)
        self._rooms: tuple[Part, ...] = (self.peaks, self.holding, self.pictures)
        label_colours.restore(window.settings.text(_COLOURS))
        self._apply_theme()
        window.reading.preferences.changed.connect(self._on_setting)

    def attach(self) -> None:
        """Join the parts of the window, which are there now."""
        window = self._window
        self.peaks.told.connect(window.panel.heatmap.tell_peak)
        self.peaks.told.connect(self._tell)
        window.panel.segments.coloured.connect(self._keep_colours)

    def _tell(self, text: str) -> None:
        if text:
            self._window.status.hint(text)

    def close(self) -> None:
        """Let go of keys and threads."""
        self.holding.release()
        self.peaks.close()

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        mine: dict[str, Callable[[], object]] = {
            "light": self._toggle_theme,
            "hide_patient": self._toggle_patient,
            "settings": self.ask,
        }
        for room in self._rooms:
            mine |= room.handlers()
        return mine

    def reasons(self) -> Mapping[str, str]:
        """Return nothing that hinders: looks can always be changed; and what the rooms say."""
        why = {"light": "", "hide_patient": "", "settings": ""}
        for room in self._rooms:
            why |= room.reasons()
        return why

    def checked(self) -> Mapping[str, bool]:
        """Return which switches are on."""
        return {
            "light": theme.tokens().name == "light",
            "hide_patient": self._window.reading.shown.patient_hidden,
        }

    # ------------------------------------------------------------------- theme

    def _toggle_theme(self) -> None:
        light = theme.tokens().name == "light"
        self._window.reading.preferences.put("theme", "dark" if light else "light")

    def _apply_theme(self) -> None:
        app = QApplication.instance()
        name = self._window.reading.preferences.choice("theme")
        if isinstance(app, QApplication) and theme.tokens().name != name:
            theme.apply_theme(app, name)

    def _on_setting(self, key: str) -> None:
        if key == "theme":
            self._apply_theme()
        elif key == "heat_palette":
            self._window.reading.show()  # composed anew
        self._window.follow()

    def ask(self) -> None:
        """Show the settings."""
        window = self._window
        dialog = SettingsDialog(
            window.reading.preferences,
            window.asking.edit_keys,
            window,
            window.record.labelling.ask,
        )
        dialog.exec()
        dialog.deleteLater()

    # ----------------------------------------------------------- colours, patient

    def _keep_colours(self) -> None:
        """Keep which colours the labels have now, and draw with them."""
        self._window.settings.put(_COLOURS, label_colours.kept())
        self._window.panel.list.viewport().update()
        self._window.reading.show()

    def _toggle_patient(self) -> None:
        window = self._window
        hidden = not window.reading.shown.patient_hidden
        window.empty.page.notice.hide()
        window.rail.set_anonymous(hidden)
        window.empty.page.model.set_anonymous(hidden)
        window.message.hide()  # it may name a file or a folder
        window.reading.show(patient_hidden=hidden)
