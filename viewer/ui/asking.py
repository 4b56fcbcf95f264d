"""What the window asks for: folders, files, the reader's name; menus, keys and model card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QDialog, QMenu

from resources.text import translate
from viewer.study.resample import can_resample
from viewer.ui.card_dialog import CardDialog
from viewer.ui.dialogs import ReaderDialog
from viewer.ui.export_dialog import SETTING, ExportDialog, first_folder, remembered
from viewer.ui.key_editor import KeyEditor
from viewer.ui.key_sheet import KeySheet
from viewer.ui.panel import words
from viewer.ui.places import ask_files, ask_folder
from viewer.ui.trust import TrustDialog, rows_of
from viewer.ui.who import asked, reader_of, to_be_asked

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow


class Asking:
    """Opens the dialogs and menus of one window and hands on the answers."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._export_folder: Path | None = None

    def folder(self) -> None:
        """Ask for a study folder and open it."""
        title = translate("window", "Open a study folder")
        folder = ask_folder(self._window, title)
        if folder is not None:
            self._window.open_paths([folder])

    def files(self) -> None:
        """Ask for files and open them."""
        files = ask_files(self._window, translate("window", "Open images or an archive"))
        if files:
            self._window.open_paths(files)

    def export(self) -> None:
        """Ask as what and where to export the open case.

        What is ticked is remembered; the place only until the program ends, it may name a patient.
        """
        window = self._window
        case = window.reading.case
        if case is None or window.exporter.why_not():
            return
        chosen = remembered(window.settings.text(SETTING))
        folder = self._export_folder or first_folder()
        dialog = ExportDialog(case.snapshot(), chosen, folder, window.settings, window)
        accepted = bool(dialog.exec())
        formats, wanted, folder = dialog.formats, dialog.wanted, dialog.folder
        with_identity, wants_set = dialog.identity.with_identity, dialog.wants_set
        dialog.deleteLater()
        if wants_set:
            window.training_sets.ask()
        elif accepted and window.reading.case is case:
            self._export_folder = folder
            window.settings.put(SETTING, ",".join(wanted))
            window.exporter.formats = formats
            if with_identity:
                window.export_to(folder, None)
            else:
                window.leaving.export(case, folder)

    def reader(self) -> None:
        """Ask who reads."""
        dialog = ReaderDialog(reader_of(self._window.settings), self._window)
        if self._show(dialog):
            self._window.set_reader(dialog.reader.name, dialog.reader.role)

    def reader_at_start(self) -> None:
        """Ask who reads where nobody was asked yet; the window can be used meanwhile or not."""
        settings = self._window.settings
        if not to_be_asked(settings):
            return
        asked(settings)
        dialog = ReaderDialog(reader_of(settings), self._window, first=True)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(
            lambda: self._window.set_reader(dialog.reader.name, dialog.reader.role)
        )
        dialog.show()

    def keys(self) -> None:
        """Show all keys."""
        self._show(KeySheet(self._window.reading.keys, self.edit_keys, self._window))

    def edit_keys(self) -> None:
        """Let the reader give commands other keys."""
        over = QApplication.activeModalWidget() or self._window
        self._show(KeyEditor(self._window.reading.keys, over))

    def trust(self) -> None:
        """Show what the geometry and the values of the open series rest on."""
        window = self._window
        case = window.reading.case
        if case is None:
            return
        rows = rows_of(case, window.opener.study.skipped, window.ai.reasons)
        hidden = window.reading.shown.patient_hidden
        title = "" if hidden else case.series.description
        title = title or case.series.modality
        dialog = TrustDialog(rows, title, window, resample=can_resample(case.plan))
        dialog.resample_asked.connect(window.study.open_copy)
        self._show(dialog)

    def card(self) -> None:
        """Show the card of the model, and its versions."""
        ai = self._window.ai
        packs = ai.versions()
        if packs:
            self._show(CardDialog(packs, ai.pack, ai.use, ai.why_not_use(), self._window))

    @staticmethod
    def _show(dialog: QDialog) -> bool:
        accepted = bool(dialog.exec())
        dialog.deleteLater()
        return accepted

    def menu(self, point_lps_mm: object, where: QPoint) -> None:
        """Show what can be done at a point of the image."""
        window = self._window
        menu = QMenu(window)
        menu.setToolTipsVisible(True)
        actions = window.actions_by_id
        lesion = window.reading.lesion
        if lesion is not None:
            # The selected finding may lie elsewhere: say which one would be judged.
            menu.addAction(words.title(lesion)).setEnabled(False)
            for name in ("accept", "reject", "unsure", "delete"):
                menu.addAction(actions[name])
            menu.addSeparator()
        missed = menu.addAction(translate("window", "Add a missed lesion here"))
        missed.setEnabled(actions["missed"].isEnabled())
        missed.triggered.connect(lambda: window.outliner.missed(point_lps_mm))
        here = menu.addAction(translate("window", "Centre all views here"))
        here.triggered.connect(lambda: window.reading.move_cursor(point_lps_mm))
        menu.addMenu(window.conventions.windows.menu(menu, actions))
        menu.addSeparator()
        for name in ("heatmap", "masks", "fill", "graphics", "crosshair", "invert", "fit"):
            menu.addAction(actions[name])
        menu.popup(where)
        menu.aboutToHide.connect(menu.deleteLater)
