"""Adjudication in the review panel: what both readings say of one finding, and the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton

from resources.text import translate
from viewer.annotate import adjudication
from viewer.annotate.adjudication import Choice
from viewer.ui import theme
from viewer.ui.adjudicating import CHOICES, Adjudicating, choice_text, kinds_text, title_of
from viewer.ui.agreement_view import verdict_text
from viewer.ui.commands import key_text
from viewer.ui.panel import words
from viewer.ui.panel.row import Row
from viewer.ui.panel.section import Section, titled
from viewer.ui.widgets import CommandButton, KeyCap, note

if TYPE_CHECKING:
    from viewer.annotate.lesion import Lesion
    from viewer.ui.reading import Reading


class _Choice(Row):
    """One choice: its name and key, and what it says."""

    def __init__(self, action: QAction, choice: Choice) -> None:
        self._says = note()
        self._key = QLabel()
        super().__init__(self._key, self._says)
        self._cap = KeyCap("", self)
        self.action, self.choice = action, choice
        top = self.layout().itemAt(0).layout()  # type: ignore[union-attr]
        assert isinstance(top, QHBoxLayout)
        top.addWidget(self._cap)
        self.clicked.connect(self._on_click)

    def _on_click(self) -> None:
        self.setChecked(not self.isChecked())  # the document says, not the hand
        self.action.trigger()

    def show_one(self, name: str, says: str, key: str, *, chosen: bool) -> None:
        self._name.setText(name)
        self._says.setText(says)
        self._cap.set_key(key)
        self._key.setText("✓" if chosen else "")
        self.setChecked(chosen)
        self.setEnabled(self.action.isEnabled())
        self.setToolTip(self.action.toolTip())
        self.setAccessibleName(", ".join(filter(None, (name, says))))


class AdjudicationSection(Section):
    """One difference at a time; hidden while no adjudication is open."""

    def __init__(
        self, reading: Reading, adjudicating: Adjudicating, actions: dict[str, QAction]
    ) -> None:
        super().__init__(reading)
        self._adjudicating = adjudicating
        self._count = note()
        self._count.setWordWrap(False)
        self._column.addLayout(titled(translate("readers", "Adjudication"), self._count))
        self._title = QLabel()
        self._title.setWordWrap(True)
        self._column.addWidget(self._title)
        self.rows = {choice: _Choice(actions[name], choice) for name, choice in CHOICES.items()}
        for row in self.rows.values():
            self._column.addWidget(row)
        self._before = QPushButton("‹")
        self._after = QPushButton("›")
        for button, name, by in (
            (self._before, translate("readers", "The finding before"), -1),
            (self._after, translate("readers", "The finding after"), 1),
        ):
            button.setProperty("role", "verdict")
            button.setFixedWidth(32)
            button.setToolTip(name)
            button.setAccessibleName(name)
            button.clicked.connect(lambda _checked=False, by=by: adjudicating.step(by))
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(self._before)
        foot.addWidget(CommandButton(actions["next_difference"], role="verdict"), 1)
        foot.addWidget(self._after)
        self._column.addSpacing(2)
        self._column.addLayout(foot)
        adjudicating.changed.connect(self.refresh)
        reading.keys.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Follow the case."""
        room, case = self._adjudicating, self._reading.case
        there = case is not None and case.which == "adjudicated" and not self._reading.ai_hidden
        self.setVisible(there)
        if case is None or not there:
            return
        pair, both = room.pair, room.both
        left = len(room.open_pairs)
        theme.set_tone(self._count, "pending" if left else "secondary")
        self._count.setText(
            translate("readers", "{left} of {all} open").format(left=left, all=len(room.pairs))
            if room.pairs
            else ""
        )
        for row in self.rows.values():
            row.setVisible(pair is not None)
        if pair is None or both is None:
            self._title.setText(
                translate("readers", "Both readings are being read.")
                if room.reader.busy
                else translate("readers", "Neither reading has a finding.")
            )
            return
        parts = [title_of(pair), kinds_text(pair, room.limit)]
        if pair.dice is not None:
            parts.append(translate("comparing", "Dice {value}").format(value=f"{pair.dice:.2f}"))
        self._title.setText(" · ".join(parts))
        chosen = adjudication.settlement(case.document, pair)
        stood = None if chosen is None else chosen.choice
        own = case.document.lesion(chosen.lesion_id) if chosen and chosen.lesion_id else None
        says = {
            "first": f"{both.names[0]}: {_says(pair.first)}",
            "second": f"{both.names[1]}: {_says(pair.second)}",
            "own": _says(own)
            if stood == "own"
            else translate("readers", "as you judge and draw it yourself"),
        }
        names = {
            "first": translate("readers", "First reading"),
            "second": translate("readers", "Second reading"),
            "own": translate("readers", "Your own"),
        }
        keys = {choice: name for name, choice in CHOICES.items()}
        for choice, row in self.rows.items():
            is_it = choice == stood or (stood == "both" and choice != "own")
            key = key_text(self._reading.keys.keys_of(keys[choice])[:1])
            row.show_one(names[choice], says[choice], key, chosen=is_it)
            row.updateGeometry()
        if chosen is not None:
            self.setToolTip(
                translate("readers", "Settled {choice} by {reader}.").format(
                    choice=choice_text(chosen.choice), reader=chosen.reader or "?"
                )
            )
        else:
            self.setToolTip("")


def _says(lesion: Lesion | None) -> str:
    """Return what a reading has: verdict, then size."""
    told = verdict_text(lesion)
    if lesion is None or lesion.empty:
        return told
    size = words.size(lesion).replace(" mL", "\N{NO-BREAK SPACE}mL")
    return f"{told} · {size}"
