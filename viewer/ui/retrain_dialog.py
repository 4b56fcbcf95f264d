"""The window of retraining: what to learn from, how far it is, and whether the new one may lead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from inference.evaluation.folder import FILES
from resources.problem import Problem
from resources.text import translate
from viewer.retraining import STEPS, Wish, next_version
from viewer.ui import theme
from viewer.ui.comparison_view import ComparisonView
from viewer.ui.inputs import Choice
from viewer.ui.places import ask_folder
from viewer.ui.widgets import note, push_button, rule

if TYPE_CHECKING:
    from viewer.ui.retraining import Retraining

_WIDE, _HIGH, _LOW = 860, 760, 330
_MOST_STEPS, _MOST_MINUTES = 20_000, 24 * 60


class RetrainDialog(QDialog):
    """Stays out of the way: it may be closed while the work goes on."""

    def __init__(self, room: Retraining, parent: QWidget) -> None:
        super().__init__(parent)
        self._room = room
        self.setWindowTitle(translate("retrain", "Retrain the model"))
        self._packs = room.packs
        wish = None if room.run is None else room.run.wish
        self.data = _Folder(
            translate("retrain", "Corrections"),
            translate("retrain", "A folder of crops, as the export for training writes it"),
            wish.data if wish is not None else "",
        )
        self.test = _Folder(
            translate("retrain", "Compare on"),
            translate("retrain", "A folder of nodules of other patients: the test side of a set"),
            wish.test if wish is not None else "",
        )
        self.base = Choice()
        self.base.setAccessibleName(translate("retrain", "Version to begin with"))
        self.base.addItems([pack.version for pack in self._packs])
        self.steps = _spin(1, _MOST_STEPS, wish.steps if wish is not None else STEPS)
        self.steps.setAccessibleName(translate("retrain", "Steps"))
        self.minutes = _spin(0, _MOST_MINUTES, int(wish.minutes) if wish is not None else 0)
        self.minutes.setAccessibleName(translate("retrain", "Minutes at most"))
        self.minutes.setSuffix(" min")
        self.minutes.setSpecialValueText(translate("retrain", "no limit"))
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.comparison = ComparisonView()
        self.begin = push_button(translate("retrain", "Begin"), "primary", self._on_begin)
        self.go_on = push_button(translate("retrain", "Go on"), "plain", self._on_go_on)
        self.compare = push_button(translate("retrain", "Compare"), "plain", self._on_compare)
        self.cancel = push_button(translate("retrain", "Stop"), "plain", room.cancel)
        self.use = push_button(translate("retrain", "Use the new version"), "plain", self._on_use)
        self.back = push_button("", "plain", self._on_back)
        self.close_button = push_button(translate("retrain", "Close"), "plain", self.close)
        self._shown: object = None
        self._lay_out()
        for folder in (self.data, self.test):
            folder.changed = self._follow
        room.changed.connect(self._follow)
        self._follow()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self.data.add_to(grid, 0)
        self.test.add_to(grid, 1)
        numbers = QHBoxLayout()
        numbers.setSpacing(10)
        for text, widget in (
            ("", self.base),
            (translate("retrain", "Steps"), self.steps),
            (translate("retrain", "At most"), self.minutes),
        ):
            if text:
                numbers.addWidget(QLabel(text))
            numbers.addWidget(widget)
        numbers.addStretch(1)
        grid.addWidget(QLabel(translate("retrain", "Begin with")), 2, 0)
        grid.addLayout(numbers, 2, 1, 1, 2)
        doing = QHBoxLayout()
        for button in (self.begin, self.go_on, self.compare, self.cancel):
            doing.addWidget(button)
        doing.addWidget(self.bar, 1)
        doing.addStretch()
        foot = QHBoxLayout()
        foot.addWidget(self.back)
        foot.addStretch(1)
        foot.addWidget(self.use)
        foot.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(10)
        column.addWidget(
            note(
                translate(
                    "retrain",
                    "Learns from corrected outlines, behind your work and at the lowest"
                    " priority. The model in use stays until a comparison allows the new one.",
                )
            )
        )
        column.addLayout(grid)
        column.addLayout(doing)
        column.addWidget(self.state)
        column.addWidget(rule())
        column.addWidget(self.comparison, 1)
        column.addLayout(foot)

    # ---------------------------------------------------------------- following

    def _follow(self) -> None:
        room = self._room
        run, busy = room.run, bool(room.phase)
        made = None if run is None else run.pack
        unfinished = run is not None and made is None
        for widget in (self.data, self.test, self.base, self.steps, self.minutes):
            widget.setEnabled(not busy)
        _enable(self.begin, self._why_not_begin())
        self.begin.setVisible(not busy)
        self.go_on.setVisible(not busy and unfinished)
        self.compare.setVisible(not busy and made is not None)
        _enable(self.compare, self.test.fault())
        self.cancel.setVisible(busy)
        self.cancel.setEnabled(not room.cancelling)
        self.bar.setVisible(busy)
        self._show_step()
        self.state.setText(self._state())
        theme.set_tone(self.state, "failed" if room.problem is not None else "text")
        _enable(self.use, room.why_not_promote())
        _enable(self.back, room.why_not_back())
        before = room.before
        self.back.setText(
            translate("retrain", "Back to {version}").format(version=before.version)
            if before is not None
            else translate("retrain", "Back to the version before")
        )
        self._show_result()

    def _show_result(self) -> None:
        run = self._room.run
        # While it is made anew the file is gone, or not there yet.
        found = None if run is None or self._room.phase else run.comparison
        if found == self._shown and self.comparison.isVisibleTo(self) == (found is not None):
            return
        self._shown = found
        self.comparison.setVisible(found is not None)
        if found is not None and run is not None:
            self.comparison.show_comparison(found, run.pictures())
        self.resize(_WIDE, _HIGH if found is not None else _LOW)

    def _why_not_begin(self) -> str:
        why = self.data.fault()
        if not why and self.test.path and self.test.path == self.data.path:
            why = translate("retrain", "Compare on other patients than those it learns from.")
        return why

    def _show_step(self) -> None:
        step = self._room.step
        done, total = step.get("done"), step.get("total")
        if isinstance(done, int) and isinstance(total, int) and total > 0:
            self.bar.setRange(0, total)
            self.bar.setValue(done)
        else:
            self.bar.setRange(0, 0)

    def _state(self) -> str:
        room = self._room
        if room.problem is not None:
            return str(room.problem)
        if room.cancelling:
            return translate("retrain", "Stopping…")
        if room.phase:
            return _progress(room.phase, room.step)
        run = room.run
        if run is None:
            return ""
        if run.pack is None:
            return translate(
                "retrain", "A retraining to version {version} is not finished. It can go on."
            ).format(version=run.wish.version)
        return translate(
            "retrain", "Version {version} was retrained; the model in use is {leads}."
        ).format(version=run.pack.version, leads=room.leads.version if room.leads else "–")

    # -------------------------------------------------------------------- doing

    def _on_begin(self) -> None:
        base = self._packs[self.base.currentIndex()]
        wish = Wish(
            self.data.path,
            str(base.folder),
            next_version(base, self._packs),
            self.steps.value(),
            float(self.minutes.value()),
            self.test.path if not self.test.fault() else "",
        )
        self._try(lambda: self._room.start(wish))

    def _on_go_on(self) -> None:
        self._try(self._room.go_on)

    def _on_compare(self) -> None:
        self._try(lambda: self._room.compare(self.test.path))

    def _on_use(self) -> None:
        self._try(self._room.promote)

    def _on_back(self) -> None:
        self._try(self._room.back)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Problem as problem:
            self.state.setText(str(problem))
            theme.set_tone(self.state, "failed")


class _Folder:
    """A row: what the folder is of, which it is, and a button to choose another."""

    def __init__(self, name: str, hint: str, path: str) -> None:
        self.path = path
        self.changed: Callable[[], None] = lambda: None
        self._hint = hint
        self._name = QLabel(name)
        self._shown = QLabel()
        self._shown.setTextFormat(Qt.TextFormat.PlainText)
        self._shown.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = push_button(translate("retrain", "Choose…"), "plain", self._ask)
        self.button.setAccessibleName(f"{name}: {self.button.text()}")
        self._show()

    def add_to(self, grid: QGridLayout, row: int) -> None:
        """Take its place in a row of the dialog."""
        for column, widget in enumerate((self._name, self._shown, self.button)):
            grid.addWidget(widget, row, column)

    def setEnabled(self, enabled: bool) -> None:
        """Let another folder be chosen, or not."""
        self.button.setEnabled(enabled)

    def take(self, path: Path) -> None:
        """Show another folder."""
        self.path = str(path)
        self._show()
        self.changed()

    def fault(self) -> str:
        """Return why this folder cannot be used; empty when it can."""
        if not self.path:
            return translate("retrain", "Choose a folder first: {what}.").format(
                what=self._name.text()
            )
        missing = [name for name in FILES if not (Path(self.path) / name).is_file()]
        if missing:
            return translate("retrain", "{folder} holds no {name}.").format(
                folder=Path(self.path).name, name=missing[0]
            )
        return ""

    def _ask(self) -> None:
        folder = ask_folder(self.button, self._name.text())
        if folder is not None:
            self.take(folder)

    def _show(self) -> None:
        self._shown.setText(self.path or self._hint)
        self._shown.setToolTip(self.path or self._hint)
        theme.set_tone(self._shown, "text" if self.path else "secondary")


def _progress(phase: str, step: object) -> str:
    """Return how far the process is, in words."""
    told = step if isinstance(step, dict) else {}
    done, total, left = told.get("done"), told.get("total"), told.get("left_s")
    if done is None:
        return (
            translate("retrain", "The retraining begins…")
            if phase == "retrain"
            else translate("retrain", "The comparison begins…")
        )
    text = {
        "mine": translate("retrain", "Looking for what the model takes for nodules: {n} of {all}"),
        "train": translate("retrain", "Learning: step {n} of {all}"),
        "old": translate("retrain", "Running the old model: nodule {n} of {all}"),
        "new": translate("retrain", "Running the new model: nodule {n} of {all}"),
        "measure": translate("retrain", "Measuring both: {n} of {all}"),
    }.get(str(told.get("stage")), "{n} / {all}")
    text = text.format(n=done, all=total)
    if not isinstance(left, int | float):
        return text
    if left < 60:
        return f"{text}, {translate('retrain', 'less than a minute left')}"
    minutes = translate("retrain", "about {n} min left").format(n=round(left / 60))
    return f"{text}, {minutes}"


def _spin(low: int, high: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    box.setSingleStep(50 if high == _MOST_STEPS else 5)
    box.setMinimumWidth(96)
    return box


def _enable(button: QPushButton, why_not: str) -> None:
    button.setEnabled(not why_not)
    button.setToolTip(why_not)
