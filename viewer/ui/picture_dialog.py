"""Asks what a picture is to show: which views, and whether the patient's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.ui.inputs import Pick, Tick
from viewer.ui.widgets import note

if TYPE_CHECKING:
    from viewer.ui.pictures import Pictures
    from viewer.ui.reading import Reading

ALL, ACTIVE = "all", ""
_PREVIEW_PX = (560, 360)


class PictureDialog(QDialog):
    """Shows the picture as it will be.

    Attributes
    ----------
    image
        The picture as chosen.
    to_clipboard
        Whether it is to be copied rather than saved.
    """

    def __init__(self, pictures: Pictures, reading: Reading, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("picture", "Save picture"))
        self._pictures = pictures
        self.to_clipboard = False
        self.image = QImage()
        self._preview = QLabel()
        self._preview.setObjectName("preview")
        self._preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._preview.setFixedSize(*_PREVIEW_PX)
        self._preview.setAccessibleName(translate("picture", "Preview"))
        self._all = Pick(translate("picture", "All views"))
        self._one = Pick(translate("picture", "The active view alone"))
        self._all.setChecked(True)
        which = QButtonGroup(self)
        which.addButton(self._all)
        which.addButton(self._one)
        self._patient = Tick(translate("picture", "Text on the patient"))
        hidden = reading.shown.patient_hidden
        self._patient.setChecked(reading.preferences.on("picture_patient") and not hidden)
        self._patient.setEnabled(not hidden)
        if hidden:
            self._patient.setToolTip(translate("picture", "The patient's text is hidden now."))
        for choice in (self._all, self._one, self._patient):
            choice.toggled.connect(self._follow)
        warning = note(translate("picture", "Text that is part of the image itself always stays."))
        choices = QHBoxLayout()
        choices.setSpacing(20)
        for widget in (self._all, self._one, self._patient):
            choices.addWidget(widget)
        choices.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        column.addWidget(self._preview, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(choices)
        column.addWidget(warning)
        column.addSpacing(4)
        column.addLayout(self._buttons())
        self._follow()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        for text, role, act in (
            (translate("picture", "Cancel"), "plain", self.reject),
            (translate("picture", "Copy"), "plain", self._copy),
            (translate("picture", "Save…"), "primary", self.accept),
        ):
            button = QPushButton(text)
            button.setProperty("role", role)
            button.setDefault(role == "primary")
            button.clicked.connect(act)
            row.addWidget(button)
        return row

    @property
    def patient(self) -> bool:
        """Whether the text on the patient is on the picture."""
        return self._patient.isChecked()

    def _copy(self) -> None:
        self.to_clipboard = True
        self.accept()

    def _follow(self) -> None:
        what = ALL if self._all.isChecked() else ACTIVE
        self.image = self._pictures.picture(what, patient=self.patient)
        ratio = self.devicePixelRatioF()
        shown = QPixmap.fromImage(self.image).scaled(
            self._preview.size() * ratio,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        shown.setDevicePixelRatio(ratio)
        self._preview.setPixmap(shown)
