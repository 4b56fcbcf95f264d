"""The model card, and which version of the model is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from inference import versions
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate
from viewer.ui import theme
from viewer.ui.card_text import set_apart
from viewer.ui.dialogs import buttons
from viewer.ui.figures_told import NAMES, difference
from viewer.ui.inputs import Choice
from viewer.ui.widgets import note

CARD = "MODEL_CARD.md"


class CardDialog(QDialog):
    """A version's card as its makers wrote it; where there are several, which one is used.

    Parameters
    ----------
    packs
        All versions of the model.
    used
        The one that is used; None while what should lead is gone.
    use
        Makes another the one that is used; raises a Problem when it cannot.
    why_not
        Why that cannot be done now; empty when it can.
    """

    def __init__(
        self,
        packs: Sequence[ModelPack],
        used: ModelPack | None,
        use: Callable[[ModelPack], None],
        why_not: str,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._packs, self._used, self._use, self._why_not = tuple(packs), used, use, why_not
        self.resize(720, 640)
        self._text = QTextBrowser()
        self._text.setOpenLinks(False)  # nothing is fetched, nothing leaves the program
        self._text.setFont(theme.font(theme.BODY_PX, QFont.Weight.Normal))
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.addWidget(self._text)
        self.choice = Choice()
        self.choice.setAccessibleName(translate("dialogs", "Version of the model"))
        self.button = QPushButton(translate("dialogs", "Use this version"))
        self.button.clicked.connect(self._on_use)
        self._said = note("")
        if len(self._packs) > 1 or used is None:
            row = QHBoxLayout()
            row.addWidget(QLabel(translate("dialogs", "Version")))
            row.addWidget(self.choice)
            row.addWidget(self.button)
            row.addWidget(self._said, 1)
            column.addLayout(row)
        column.addWidget(buttons(self, cancel=False))
        self._name_versions()
        self.choice.currentIndexChanged.connect(self._show_version)
        shown = used if used in self._packs else self._packs[0]
        self.choice.setCurrentIndex(self._packs.index(shown))
        self._show_version()

    def _name_versions(self) -> None:
        self.choice.blockSignals(True)
        at = max(self.choice.currentIndex(), 0)
        self.choice.clear()
        for pack in self._packs:
            words = translate("dialogs", "{version}, in use") if pack == self._used else "{version}"
            self.choice.addItem(words.format(version=pack.version))
        self.choice.setCurrentIndex(at)
        self.choice.blockSignals(False)

    @property
    def _shown(self) -> ModelPack:
        return self._packs[self.choice.currentIndex()]

    def _show_version(self) -> None:
        pack = self._shown
        self.setWindowTitle(f"{pack.id} {pack.version}")
        self._text.setMarkdown(_card(pack) + _compared(pack))
        set_apart(self._text.document())
        self.button.setEnabled(pack != self._used and not self._why_not)
        self.button.setToolTip(self._why_not)
        self._said.setText(self._why_not if pack != self._used else "")

    def _on_use(self) -> None:
        pack = self._shown
        try:
            self._use(pack)
        except Problem as problem:
            self._said.setText(str(problem))
            return
        self._used = pack
        self._name_versions()
        self._show_version()
        self._said.setText(
            translate("dialogs", "Used from the next run on. Findings keep their version.")
        )


def _card(pack: ModelPack) -> str:
    try:
        return (pack.folder / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return translate("dialogs", "The card of this version cannot be read.")


def _compared(pack: ModelPack) -> str:
    """Return what a version was measured by before it was let in, as a table."""
    found = versions.comparison_of(pack)
    try:
        if found is None:
            return ""
        rows = [
            f"| {NAMES[name]()} | {difference(one['mean'])} | {difference(one['ci95'][0])} | "
            f"{difference(one['ci95'][1])} |"
            for name, one in found["new_minus_old"].items()
        ]
        patients, old = found["data"]["patients"], found["old"]["model"]["version"]
    except (KeyError, TypeError, IndexError, ValueError):
        return ""
    head = translate("dialogs", "Compared with {old}, on {patients} patients new to both")
    names = [
        translate("dialogs", "This version less the other"),
        translate("dialogs", "mean"),
        translate("dialogs", "95 % from"),
        translate("dialogs", "to"),
    ]
    table = ["| " + " | ".join(names) + " |", "| --- | --- | --- | --- |", *rows]
    return "\n\n## " + head.format(old=old, patients=patients) + "\n\n" + "\n".join(table) + "\n"
