"""Asks for the passphrase of the site's pseudonyms, once for as long as the program runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt, QThreadPool, Slot
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from resources.problem import Problem
from resources.text import translate
from viewer.deid import keyed, mapping
from viewer.deid.keyed import Keys
from viewer.deid.mapping import SiteMapping
from viewer.ui import theme
from viewer.ui.inputs import Tick
from viewer.ui.jobs import Job, finish_pools
from viewer.ui.widgets import head, note

_WIDE = 440


@dataclass(frozen=True)
class Opened:
    """What makes the pseudonyms, and what remembers patients by them."""

    keys: Keys = field(repr=False)
    remember: Callable[[Mapping[str, str]], None] = field(repr=False)


def once() -> Opened:
    """Return pseudonyms that fit no other export and that nobody keeps."""
    return Opened(keyed.fresh(), lambda patients: None)


class SiteKey(QObject):
    """The mapping of the site: open from the first time that its passphrase was typed.

    The passphrase itself is kept nowhere, and what follows from it in memory only.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._mapping: SiteMapping | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody need be asked."""
        return self._mapping is not None

    def forget(self) -> None:
        """Have the passphrase asked for again."""
        self._mapping = None

    def get(self, parent: QWidget) -> Opened | None:
        """Return the site's pseudonyms, asking for the passphrase; None when it is given up."""
        if self._mapping is None:
            dialog = PassphraseDialog(parent)
            accepted = bool(dialog.exec())
            self._mapping = dialog.mapping
            dialog.deleteLater()
            if not accepted:
                return None
        if self._mapping is None:
            return once()
        return Opened(self._mapping.keys, self._mapping.remember)


class PassphraseDialog(QDialog):
    """Begins the mapping with a new passphrase, or opens it with the one it has.

    Attributes
    ----------
    mapping
        The opened one; None also when this export alone is to have pseudonyms.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.mapping: SiteMapping | None = None
        self._new = not mapping.exists()
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self.setWindowTitle(translate("deid", "Pseudonyms of this site"))
        self.setFixedWidth(_WIDE)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        self._head = head("")
        self._hint = note()
        column.addWidget(self._head)
        column.addWidget(self._hint)
        self.first = self._field(translate("deid", "Passphrase"))
        self.again = self._field(translate("deid", "The same once more"))
        column.addWidget(self.first)
        column.addWidget(self.again)
        self.show_it = Tick(translate("deid", "Show what is typed"))
        self.show_it.toggled.connect(self._on_show)
        column.addWidget(self.show_it)
        self.said = note()
        column.addWidget(self.said)
        column.addLayout(self._foot())
        self.first.textChanged.connect(lambda _text: self._advise())
        self.again.textChanged.connect(lambda _text: self._advise())
        self._dress()

    def _field(self, name: str) -> QLineEdit:
        line = QLineEdit()
        line.setEchoMode(QLineEdit.EchoMode.Password)
        line.setPlaceholderText(name)
        line.setAccessibleName(name)
        line.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData)
        return line

    def _foot(self) -> QVBoxLayout:
        self.go = _button(translate("deid", "Go on"), "primary", self._on_go)
        self.go.setDefault(True)
        self.alone = _button(translate("deid", "Only this time"), "plain", self._on_alone)
        self.alone.setToolTip(
            translate("deid", "New pseudonyms that fit no other export; nobody can go back")
        )
        cancel = _button(translate("deid", "Cancel"), "plain", self.reject)
        self.lost = _button(translate("deid", "Forgotten…"), "plain", self._on_lost)
        self.lost.setToolTip(
            translate("deid", "Begin anew; the old mapping is kept beside the new one")
        )
        row = QHBoxLayout()
        row.addWidget(self.lost)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.go)
        column = QVBoxLayout()
        column.setSpacing(8)
        line = QHBoxLayout()
        line.addWidget(QLabel(translate("deid", "Without a passphrase:")))
        line.addWidget(self.alone)
        line.addStretch(1)
        column.addLayout(line)
        column.addLayout(row)
        return column

    def _dress(self) -> None:
        """Show what belongs to a new mapping, or to one that is there."""
        self._head.setText(
            translate("deid", "Choose a passphrase")
            if self._new
            else translate("deid", "Passphrase of the pseudonyms")
        )
        self._hint.setText(
            translate(
                "deid",
                "With it the same patient gets the same pseudonym in every export, and you can "
                "find the patient again. It is asked for once each time the program runs, is "
                "stored nowhere, and cannot be recovered: write it down where you keep such "
                "things.",
            )
            if self._new
            else translate(
                "deid", "Asked for once each time the program runs; it is stored nowhere."
            )
        )
        self.again.setVisible(self._new)
        self.lost.setVisible(not self._new)
        self._advise()
        self.first.setFocus()

    def _on_show(self, on: bool) -> None:
        mode = QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password
        self.first.setEchoMode(mode)
        self.again.setEchoMode(mode)

    def _advise(self) -> None:
        """Say how good a new passphrase is, and whether it can be taken."""
        typed, again = self.first.text(), self.again.text()
        if not self._new:
            self._say("", "secondary")
            self.go.setEnabled(bool(typed) and self._job is None)
            return
        strength = mapping.strength(typed)
        text, tone = {
            "short": (
                translate("deid", "At least {count} characters.").format(count=mapping.SHORTEST),
                "pending",
            ),
            "weak": (
                translate("deid", "Easy to guess. Better: four words that do not belong together."),
                "pending",
            ),
            "fair": (translate("deid", "Fair. Longer is better: add a word."), "secondary"),
            "good": (translate("deid", "Good: long enough not to be guessed."), "accepted"),
        }[strength]
        if not typed:
            text, tone = translate("deid", "Four words that do not belong together."), "secondary"
        elif strength != "short" and typed != again:
            text = f"{text} {translate('deid', 'Type it once more.')}"
        self._say(text, tone)
        self.go.setEnabled(strength != "short" and typed == again and self._job is None)

    def _say(self, text: str, tone: str) -> None:
        self.said.setText(text)
        theme.set_tone(self.said, tone)
        # Wrapped words tell their height only once they have a width.
        column = self.layout()
        assert column is not None
        self.setMinimumHeight(column.totalHeightForWidth(_WIDE))

    # ------------------------------------------------------------------- acts

    def _on_go(self) -> None:
        job = self._job = Job(partial(_open, self.first.text()), self)
        job.succeeded.connect(self._on_opened)
        job.failed.connect(self._on_failed)
        job.ended.connect(self._on_end)
        self._say(translate("deid", "Opening…"), "secondary")
        self.go.setEnabled(False)
        job.start(self._pool)

    @Slot(object)
    def _on_opened(self, opened: object) -> None:
        assert isinstance(opened, SiteMapping)
        self.mapping = opened
        self.accept()

    @Slot(object)
    def _on_failed(self, problem: object) -> None:
        assert isinstance(problem, Problem)
        self._job = None
        self.go.setEnabled(True)
        self.first.selectAll()
        self.first.setFocus()
        self._say(str(problem), "failed")

    @Slot()
    def _on_end(self) -> None:
        self._job = None

    def _on_alone(self) -> None:
        self.mapping = None
        self.accept()

    def _on_lost(self) -> None:
        """Ask a second time, in the same place: the button says what it will do."""
        if self.lost.text() != translate("deid", "Begin anew"):
            self.lost.setText(translate("deid", "Begin anew"))
            self._say(
                translate(
                    "deid",
                    "With a new passphrase, new exports fit no earlier one. The old mapping is "
                    "kept: who remembers its passphrase can put it back.",
                ),
                "pending",
            )
            return
        try:
            mapping.set_aside()
        except Problem as problem:
            self._on_failed(problem)
            return
        self._new = True
        self.first.clear()
        self._dress()

    def done(self, result: int) -> None:
        # Nothing typed outlives the dialog.
        for line in (self.first, self.again):
            line.clear()
        self._pool.waitForDone()
        finish_pools(self)
        super().done(result)


def _open(passphrase: str, _report: Any, _cancelled: Any) -> SiteMapping:
    return mapping.open_mapping(passphrase)


def _button(text: str, role: str, do: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", role)
    button.setAutoDefault(False)
    button.clicked.connect(lambda: do())
    return button
