"""Saving and copying pictures of the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QObject, Slot
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter

from resources.problem import Problem
from resources.text import translate
from viewer.ui.jobs import Job
from viewer.ui.picture import take
from viewer.ui.picture_dialog import ALL, PictureDialog
from viewer.ui.places import ask_save

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow


class Pictures(QObject):
    """Asks what to take, saves it as PNG or puts it on the clipboard."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        return {"save_picture": self.ask, "copy_picture": self.copy_active}

    def reasons(self) -> Mapping[str, str]:
        """Return why there is nothing to take."""
        window = self._window
        why = ""
        if window.reading.case is None:
            why = translate("window", "Open a series first.")
        elif hasattr(window, "stage") and window.stage.currentWidget() is not window.views:
            why = translate("window", "Go back to the study first.")
        return {"save_picture": why, "copy_picture": why}

    def checked(self) -> Mapping[str, bool]:
        """Return nothing: there are no switches here."""
        return {}

    # ------------------------------------------------------------- the picture

    def picture(self, what: str, *, patient: bool) -> QImage:
        """Return all views, or the active one, with the banner."""
        views = self._window.views
        return take(views if what == ALL else views.active, self._window.reading, patient=patient)

    def copy_active(self) -> None:
        """Put the active view on the clipboard."""
        patient = self._window.reading.preferences.on("picture_patient")
        self.copy(self.picture("", patient=patient), patient=patient)

    def copy(self, image: QImage, *, patient: bool) -> None:
        """Put a picture on the clipboard, and say what is on it."""
        QGuiApplication.clipboard().setImage(image)
        hidden = self._window.reading.shown.patient_hidden or not patient
        self._window.status.hint(
            translate("picture", "Picture copied, without the patient's text.")
            if hidden
            else translate("picture", "Picture copied, with the patient's text.")
        )

    def ask(self) -> None:
        """Ask what to take; then where to, or onto the clipboard."""
        dialog = PictureDialog(self, self._window.reading, self._window)
        if dialog.exec():
            if dialog.to_clipboard:
                self.copy(dialog.image, patient=dialog.patient)
            else:
                self._ask_where(dialog.image)
        dialog.deleteLater()

    def name(self) -> str:
        """Return a file name that says nothing of the patient."""
        case = self._window.reading.case
        assert case is not None
        now = datetime.now().strftime("%Y%m%d-%H%M%S")
        return f"overread-{case.key[:8]}-{now}.png"

    def _ask_where(self, image: QImage) -> None:
        title, kind = translate("picture", "Save picture"), translate("picture", "PNG pictures")
        path = ask_save(self._window, title, self.name(), f"{kind} (*.png)")
        if path is not None:
            self.save(image, path if path.suffix.lower() == ".png" else Path(f"{path}.png"))

    def save(self, image: QImage, path: Path) -> Job:
        """Write a picture in a thread, and tell how it went."""
        job = Job(partial(_write, image, path), self)
        job.succeeded.connect(self._on_saved)
        job.failed.connect(self._window.message.show_problem)
        return job.start()

    @Slot(object)
    def _on_saved(self, _path: object) -> None:
        self._window.status.hint(translate("picture", "Picture saved."))


def _write(image: QImage, path: Path, _report: Any, _cancelled: Any) -> Path:
    part = path.with_name(f"{path.name}.part")
    try:
        written = QImageWriter(str(part), QByteArray(b"png")).write(image)
        if written:
            part.replace(path)
    except OSError:
        written = False
    if not written:
        part.unlink(missing_ok=True)
        raise Problem(
            translate("picture", "The picture could not be written."),
            translate("picture", "Choose another folder, or free some space."),
            type(image).__name__,
        )
    return path
