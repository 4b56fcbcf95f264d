"""The part of the export's dialog that says who can tell whose the files are."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from resources.text import translate
from viewer.ui.identity import profile
from viewer.ui.identity.profile import ProfileDialog
from viewer.ui.inputs import Pick
from viewer.ui.settings import Settings
from viewer.ui.widgets import head, note

_INDENT_PX = 24


class IdentitySection(QWidget):
    """Without identity, unless somebody says otherwise, this time: that is not remembered."""

    changed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(head(translate("deid", "Identity")))
        self.without = Pick(translate("deid", "Without identity"))
        self.without.setToolTip(translate("deid", "DICOM PS3.15, Basic Profile, in all formats"))
        self.with_it = Pick(translate("deid", "With the patient's identity"))
        self.without.setChecked(True)
        self.options = QPushButton(translate("deid", "What stays…"))
        self.options.setProperty("role", "plain")
        self.options.setAutoDefault(False)
        self.options.setToolTip(translate("deid", "Options of DICOM PS3.15; kept for this site"))
        self.options.clicked.connect(self._on_options)
        row = QHBoxLayout()
        row.addWidget(self.without)
        row.addStretch(1)
        row.addWidget(self.options)
        column.addLayout(row)
        self._kept = note()
        self._kept.setContentsMargins(_INDENT_PX, 0, 0, 0)
        column.addWidget(self._kept)
        column.addWidget(self.with_it)
        self._warning = note(
            translate(
                "deid",
                "DICOM files will name the patient as the images do, and readers by their names. "
                "Only for those who may know.",
            ),
            "pending",
        )
        self._warning.setContentsMargins(_INDENT_PX, 0, 0, 0)
        column.addWidget(self._warning)
        self.without.toggled.connect(lambda _on: self._follow())
        self._follow()

    @property
    def with_identity(self) -> bool:
        """Whether the files are to name the patient."""
        return self.with_it.isChecked()

    def _on_options(self) -> None:
        dialog = ProfileDialog(self._settings, self.window())
        dialog.exec()
        dialog.deleteLater()
        self._follow()

    def _follow(self) -> None:
        self._kept.setText(profile.summary(self._settings))
        self._kept.setVisible(not self.with_identity)
        self.options.setEnabled(not self.with_identity)
        self._warning.setVisible(self.with_identity)
        self.changed.emit()
