"""The dialog before a case goes into a training set: which set, what it holds, what is truth."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from resources import labels
from resources.problem import Problem
from resources.text import translate
from viewer.export.sets import folder as folders
from viewer.export.sets import words
from viewer.export.sets.folder import Design
from viewer.export.sets.formats import SET_FORMATS, TEST_PERCENT, USUAL, SetFormat, complete
from viewer.export.sets.truth import why_not
from viewer.export.snapshot import CaseSnapshot
from viewer.ui import theme
from viewer.ui.inputs import Choice, Tick
from viewer.ui.places import ask_folder
from viewer.ui.widgets import PlaceRow, head, note, push_button, rule

SETTING = "set_formats"
_SHARES = (0, 10, 20, 30, 50)


def remembered(text: str) -> tuple[SetFormat, ...]:
    """Return the formats that a setting names; the usual ones when it names none."""
    named = text.split(",")
    return tuple(one for one in SET_FORMATS if one in named) or USUAL


class SetDialog(QDialog):
    """A folder, a few boxes to tick, and what of the case is truth.

    Attributes
    ----------
    folder
        Of the set.
    design
        Of the set in it; None where one is begun.
    """

    def __init__(
        self, snapshot: CaseSnapshot, chosen: Iterable[SetFormat], folder: Path, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("export", "Training set"))
        self.folder = folder
        self.design: Design | None = None
        self._chosen = tuple(chosen)
        self._why_not = why_not(snapshot)
        self._fault = ""
        self.ticks = {one: Tick(words.name(one)) for one in SET_FORMATS}
        self.share = Choice()
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        column.addWidget(head(translate("export", "Add this case to the training set in")))
        tip = translate("export", "Choose another folder; kept until you leave")
        self._place = PlaceRow(tip, self._ask)
        column.addLayout(self._place)
        self._state = note()
        column.addWidget(self._state)
        column.addWidget(rule())
        column.addWidget(head(translate("export", "The set holds")))
        for one, tick in self.ticks.items():
            tick.toggled.connect(lambda on, one=one: self._on_tick(one, on=on))
            column.addWidget(tick)
        column.addLayout(self._shares())
        column.addWidget(rule())
        for line in self._taken(snapshot):
            column.addWidget(line)
        column.addLayout(self._foot())
        self.setMinimumWidth(500)
        self._take(folder)

    @property
    def formats(self) -> tuple[SetFormat, ...]:
        """What the set is to hold."""
        return tuple(one for one in SET_FORMATS if self.ticks[one].isChecked())

    @property
    def test_percent(self) -> int:
        """Share of the patients that are kept for the test."""
        return int(self.share.currentData())

    # ------------------------------------------------------------------ build

    def _shares(self) -> QHBoxLayout:
        caption = QLabel(translate("export", "Patients kept for comparing models"))
        caption.setBuddy(self.share)
        self.share.setToolTip(
            translate(
                "export",
                "Whose cases are kept follows from a secret and the patient: nobody changes side",
            )
        )
        row = QHBoxLayout()
        row.addWidget(caption, 1)
        row.addWidget(self.share)
        return row

    def _taken(self, snapshot: CaseSnapshot) -> list[QLabel]:
        """Say what of the case is truth, and what nobody knows."""
        lines = []
        if self._why_not is None:
            lines.append(note(words.of_case(snapshot, labels.offered("lesion"))))
        else:
            why = note(words.reason(self._why_not))
            theme.set_tone(why, "pending")
            lines.append(why)
        lines.append(
            note(
                translate(
                    "export",
                    "Nobody is named: patients and readers go by pseudonyms, dates and comments "
                    "stay here.",
                )
            )
        )
        return lines

    def _foot(self) -> QHBoxLayout:
        self.go = push_button(translate("export", "Add"), "primary", self.accept)
        self.go.setDefault(True)
        cancel = push_button(translate("export", "Cancel"), "plain", self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.go)
        return row

    # ----------------------------------------------------------------- inside

    def _ask(self) -> None:
        folder = ask_folder(self, translate("export", "Folder of a training set, or for a new one"))
        if folder is not None:
            self._take(folders.meant(folder))

    def _take(self, folder: Path) -> None:
        """Look what lies in a folder; a set that is there keeps what it was begun with."""
        self.folder, self.design, self._fault = folder, None, ""
        state = translate("export", "A new training set is begun here.")
        try:
            self.design = folders.load(folder)
            if self.design is not None:
                state = _standing(folder)
        except Problem as problem:
            self._fault = state = str(problem)
        self._state.setText(state)
        theme.set_tone(self._state, "pending" if self._fault else "")
        self._place.show_folder(folder)
        self._dress()

    def _dress(self) -> None:
        known = self.design
        fixed = translate("export", "A set keeps the formats and shares that it was begun with.")
        held = complete(self._chosen) if known is None else known.formats
        for one, tick in self.ticks.items():
            tick.setEnabled(known is None)
            tick.setToolTip("" if known is None else fixed)
            tick.setChecked(one in held)
        percent = TEST_PERCENT if known is None else known.test_percent
        self.share.clear()
        for share in sorted({*_SHARES, percent}):
            self.share.addItem(translate("export", "{n} %").format(n=share), share)
        self.share.setCurrentIndex(self.share.findData(percent))
        self.share.setEnabled(known is None)
        self._follow()

    def _on_tick(self, one: SetFormat, *, on: bool) -> None:
        """Keep the MONAI list and the pairs that it names together."""
        pairs, monai = self.ticks["pairs"], self.ticks["monai"]
        if one == "monai" and on:
            pairs.setChecked(True)
        if one == "pairs" and not on:
            monai.setChecked(False)
        self._follow()

    def _follow(self) -> None:
        why = self._fault
        if not why and self._why_not is not None:
            why = words.reason(self._why_not)
        if not why and not self.formats:
            why = translate("export", "Tick at least one box.")
        self.go.setEnabled(not why)
        self.go.setToolTip(why)


def _standing(folder: Path) -> str:
    """Return how a set stands.

    Raises
    ------
    Problem
        When its last version cannot be read.
    """
    numbers = folders.versions(folder)
    if not numbers:
        return translate("export", "A training set without a version.")
    counts = folders.manifest(folder, numbers[-1])[0]["counts"]
    return translate(
        "export", "Version {version}. Cases: {cases}, of patients: {patients}. Next: {next}."
    ).format(
        version=numbers[-1],
        cases=counts["cases"],
        patients=counts["patients"],
        next=numbers[-1] + 1,
    )


def own_secret(design: Design | None, *, site: bool) -> bool:
    """Return whether a set makes its pseudonyms by a secret of its own.

    Parameters
    ----------
    design
        Of the set; None of a new one, which takes the site's where there is one.
    site
        Whether there is.
    """
    return not site if design is None else design.secret == "own"
