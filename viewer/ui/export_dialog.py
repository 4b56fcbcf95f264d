"""The one dialog before an export: as what, and into which folder."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.export import words
from viewer.export.available import why_not
from viewer.export.formats import FORMATS, USUAL, Format
from viewer.export.snapshot import CaseSnapshot
from viewer.ui import theme
from viewer.ui.identity.section import IdentitySection
from viewer.ui.inputs import Tick
from viewer.ui.places import ask_folder
from viewer.ui.settings import Settings
from viewer.ui.widgets import PlaceRow, head, note, push_button, rule

SETTING = "export_formats"
_WIDE = 460


def remembered(text: str) -> tuple[Format, ...]:
    """Return the formats that a setting names; the usual ones when it names none."""
    named = text.split(",")
    return tuple(one for one in FORMATS if one in named) or USUAL


def first_folder() -> Path:
    """Return where exports go until a reader chooses: the documents, else the home folder."""
    place = QStandardPaths.StandardLocation.DocumentsLocation
    folder = Path(QStandardPaths.writableLocation(place))
    return folder if folder.is_dir() else Path.home()


class ExportDialog(QDialog):
    """A few boxes to tick; what the case has nothing of is off, and says why."""

    def __init__(
        self,
        snapshot: CaseSnapshot,
        chosen: Iterable[Format],
        folder: Path,
        settings: Settings,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("export", "Export"))
        self.folder = folder
        self.wants_set = False  # somebody wants the case in a training set instead
        self._chosen = tuple(chosen)
        self.ticks: dict[Format, Tick] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        column.addWidget(head(translate("export", "Write this case as")))
        for one in FORMATS:
            column.addWidget(self._tick(one, snapshot))
        column.addWidget(rule())
        self.identity = IdentitySection(settings)
        column.addWidget(self.identity)
        column.addWidget(rule())
        column.addWidget(head(translate("export", "Into a new folder in")))
        tip = translate("export", "Choose another folder; kept until you leave")
        self._place = PlaceRow(tip, self._ask)
        column.addLayout(self._place)
        column.addWidget(rule())
        review = note(words.review(snapshot))
        if not snapshot.reviewed:
            theme.set_tone(review, "pending")
        column.addWidget(review)
        column.addLayout(self._foot())
        self.setMinimumWidth(_WIDE)
        self.identity.changed.connect(self._fit)
        self._fit()
        self._follow()

    @property
    def formats(self) -> tuple[Format, ...]:
        """What is to be written now."""
        return tuple(one for one in FORMATS if self.ticks[one].isChecked())

    @property
    def wanted(self) -> tuple[Format, ...]:
        """What is to be remembered: also what only this case has nothing of."""
        off = {one for one in self._chosen if not self.ticks[one].isEnabled()}
        return tuple(one for one in FORMATS if one in off or self.ticks[one].isChecked())

    # ------------------------------------------------------------------ build

    def _tick(self, one: Format, snapshot: CaseSnapshot) -> Tick:
        tick = Tick(words.name(one))
        why = why_not(one, snapshot)
        tick.setEnabled(why is None)
        tick.setToolTip("" if why is None else words.reason(why))
        tick.setChecked(why is None and one in self._chosen)
        tick.toggled.connect(partial(self._on_tick, one))
        self.ticks[one] = tick
        return tick

    def _foot(self) -> QHBoxLayout:
        self.go = push_button(translate("export", "Export"), "primary", self.accept)
        self.go.setDefault(True)
        cancel = push_button(translate("export", "Cancel"), "plain", self.reject)
        other = push_button(translate("export", "Training set…"), "plain", self._on_set)
        other.setToolTip(translate("export", "Add this case to a training set instead"))
        row = QHBoxLayout()
        row.addWidget(other)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.go)
        return row

    def _fit(self) -> None:
        """Have room for what is said; wrapped words tell their height only with a width."""
        column = self.layout()
        assert column is not None
        self.setMinimumHeight(column.totalHeightForWidth(max(_WIDE, self.width())))

    # ----------------------------------------------------------------- inside

    def _on_tick(self, one: Format, on: bool) -> None:
        """Keep the report and the segmentation that it names together."""
        seg, report = self.ticks["seg"], self.ticks["sr"]
        if one == "sr" and on and seg.isEnabled():
            seg.setChecked(True)
        if one == "seg" and not on and report.isEnabled():
            report.setChecked(False)
        self._follow()

    def _on_set(self) -> None:
        self.wants_set = True
        self.reject()

    def _follow(self) -> None:
        some = bool(self.formats)
        self.go.setEnabled(some)
        self.go.setToolTip("" if some else translate("export", "Tick at least one box."))
        self._place.show_folder(self.folder)

    def _ask(self) -> None:
        folder = ask_folder(self, translate("export", "Export into a folder"))
        if folder is not None:
            self.folder = folder
            self._follow()
