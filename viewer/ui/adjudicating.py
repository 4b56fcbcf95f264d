"""Settling, one by one, what two committed readings of the open case say otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from resources.problem import Problem
from resources.text import translate
from viewer.annotate import adjudication
from viewer.annotate.adjudication import Choice
from viewer.annotate.agreement import Pair
from viewer.annotate.journal import utc_now
from viewer.ui.both_readings import Both, BothReadings
from viewer.ui.panel import words
from viewer.ui.preferences import DICE_LIMIT

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.main_window import MainWindow

CHOICES: dict[str, Choice] = {
    "choose_first": "first",
    "choose_second": "second",
    "choose_own": "own",
}
_OPEN, _NEXT = "adjudicate", "next_difference"


class Adjudicating(QObject):
    """Opens the adjudicated reading, and turns choices into steps of it.

    Attributes
    ----------
    pairs
        Every finding of either reading, those that differ first; empty while no adjudication is
        open.
    at
        Number in ``pairs`` of the one that is dealt with.
    """

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reading = window.reading
        self._both: Both | None = None
        self._wanted: Pair | None = None
        self.pairs: tuple[Pair, ...] = ()
        self.at = 0
        self.reader = BothReadings(window.reading, window.opener, self)
        self.reader.ready.connect(self._on_read)
        self.reader.failed.connect(lambda problem: window.message.show_problem(problem))
        window.reading.case_changed.connect(self._on_case)
        window.reading.document_changed.connect(self._on_change)
        window.reading.selection_changed.connect(self._on_selection)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        chosen = {name: partial(self.choose, choice) for name, choice in CHOICES.items()}
        return {_OPEN: self.toggle, _NEXT: self.next_open, **chosen}

    def reasons(self) -> Mapping[str, str]:
        """Return why they cannot be used now."""
        case = self._reading.case
        why = dict.fromkeys((*CHOICES, _NEXT), self._why_no_choice(case))
        if self.pair is not None and not why[_NEXT] and not self.open_pairs:
            why[_NEXT] = translate("readers", "Every difference is settled.")
        why[_OPEN] = self._why_not(case)
        if case is not None and case.which == "adjudicated":
            why["run"] = translate("readers", "It rests on the AI results of both readings.")
        return why

    def checked(self) -> Mapping[str, bool]:
        """Return whether an adjudication is open."""
        case = self._reading.case
        return {_OPEN: case is not None and case.which == "adjudicated"}

    def _why_not(self, case: Case | None) -> str:
        readers = self._window.record.readers
        why = readers.why_no_case()
        if why or case is None or case.which == "adjudicated":
            return why
        why = readers.why_not_compared()
        if not why and not case.reader.name:
            why = translate("readers", "Name the reader first ({key}).").format(
                key=self._reading.keys.name("reader")
            )
        return why

    def _why_no_choice(self, case: Case | None) -> str:
        if case is None:
            return translate("window", "Open a series first.")
        if case.which != "adjudicated":
            return translate("readers", "Open the adjudication first ({key}).").format(
                key=self._reading.keys.name(_OPEN)
            )
        if case.read_only:
            return str(case.read_only_problem)
        if not case.reader.name:
            return translate("readers", "Name the reader first ({key}).").format(
                key=self._reading.keys.name("reader")
            )
        if self.pair is None:
            return translate("readers", "Both readings are being read.")
        return ""

    # --------------------------------------------------------------- what is

    @property
    def limit(self) -> float:
        """Dice below which outlines differ: as when the adjudication began, else as set."""
        wanted = float(self._reading.preferences.choice(DICE_LIMIT))
        case = self._reading.case
        if case is not None and case.which == "adjudicated":
            return adjudication.limit_of(case.document, wanted)
        if self._window.record.readers.adjudicated is not None:
            return adjudication.limit_of(self._window.record.readers.adjudicated, wanted)
        return wanted

    @property
    def both(self) -> Both | None:
        """Both readings; None while no adjudication is open."""
        return self._both

    @property
    def pair(self) -> Pair | None:
        """What is dealt with now; None while no adjudication is open."""
        return self.pairs[self.at] if self.at < len(self.pairs) else None

    @property
    def open_pairs(self) -> tuple[Pair, ...]:
        """What is still to be settled."""
        case = self._reading.case
        if case is None:
            return ()
        return tuple(pair for pair in self.pairs if adjudication.is_open(case.document, pair))

    # --------------------------------------------------------------- opening

    def toggle(self) -> None:
        """Open the adjudicated reading, beginning it when there is none; again: the first."""
        case = self._reading.case
        if case is None or self.reasons()[_OPEN]:
            self._window.follow()
            return
        self._window.study.open_reading("first" if case.which == "adjudicated" else "adjudicated")

    def _on_case(self) -> None:
        self.reader.cancel()
        self._both, self.pairs, self.at = None, (), 0
        case = self._reading.case
        if case is not None and case.which == "adjudicated":
            self.reader.read()
        else:
            self._wanted = None
        self.changed.emit()

    def _on_read(self, found: object) -> None:
        case = self._reading.case
        if not isinstance(found, Both) or case is None or case.which != "adjudicated":
            return
        self._both = found
        self._begin(case, found)
        limit = self.limit
        pairs = found.parents.agreement.pairs
        self.pairs = tuple(sorted(pairs, key=lambda p: not adjudication.kinds_of(p, limit)))
        wanted, self._wanted = self._wanted, None
        keys = [adjudication.key_of(pair) for pair in self.pairs]
        if wanted is not None and adjudication.key_of(wanted) in keys:
            self.show(keys.index(adjudication.key_of(wanted)))
        elif self.open_pairs:
            self.show(self.pairs.index(self.open_pairs[0]))
        self.changed.emit()
        self._window.follow()
        self._tell_open()

    def _begin(self, case: Case, found: Both) -> None:
        """Take over what both agree on, once: when the adjudication is new."""
        if case.read_only or case.events:
            return
        parents, name = found.parents, case.reader.name
        is_reader = name in (*parents.first.readers, *parents.second.readers)
        case.note_event("adjudication-begun", **({"reader": 1.0} if is_reader else {}))
        edit = adjudication.agreed_edit(case.document, parents, self.limit, name, utc_now())
        if edit is not None:
            self._window.corrections.change(lambda case: case.apply(edit))

    # --------------------------------------------------------------- choosing

    def choose(self, choice: Choice) -> None:
        """Settle what is dealt with, and go on to the next that is open."""
        case, pair, both = self._reading.case, self.pair, self._both
        if case is None or pair is None or both is None or self._why_no_choice(case):
            self._window.follow()
            return
        try:
            edit = adjudication.settle_edit(
                case.document, both.parents, pair, choice, case.reader.name, utc_now()
            )
        except Problem as problem:
            self._window.message.show_problem(problem)
            return
        if edit is not None:
            self._window.corrections.change(lambda case: case.apply(edit))
        if adjudication.is_open(case.document, pair):
            self.show(self.at)
            self._window.status.hint(
                translate("readers", "Judge and correct it as any finding: that is your own.")
            )
        elif choice == "own":
            self.show(self.at)
            self._tell_open()
        else:
            self.next_open()

    def next_open(self) -> None:
        """Go to the next difference that is still to be settled."""
        still = {adjudication.key_of(pair) for pair in self.open_pairs}
        order = [*range(self.at + 1, len(self.pairs)), *range(self.at + 1)]
        goal = next((n for n in order if adjudication.key_of(self.pairs[n]) in still), None)
        if goal is not None:
            self.show(goal)
        else:
            self.show(self.at)
        self._tell_open()

    def step(self, by: int) -> None:
        """Go to the pair before or after, settled or not."""
        if self.pairs:
            self.show((self.at + by) % len(self.pairs))

    def show(self, number: int) -> None:
        """Deal with a pair: bring the views to it, and select what it is in the result."""
        case = self._reading.case
        if case is None or number >= len(self.pairs):
            return
        self.at = number
        pair = self.pairs[number]
        found = self.lesion_of(pair)
        self._reading.select(found)
        if found is None:
            self._reading.move_cursor(pair.either.centre_lps_mm)
        self.changed.emit()
        self._window.follow()

    def go_to(self, pair: object) -> None:
        """Bring the views to a pair; in an adjudication it is what is dealt with."""
        if not isinstance(pair, Pair):
            return
        keys = [adjudication.key_of(each) for each in self.pairs]
        key = adjudication.key_of(pair)
        self._wanted = pair
        if key in keys:
            self.show(keys.index(key))
        else:
            self._reading.move_cursor(pair.either.centre_lps_mm)

    def lesion_of(self, pair: Pair) -> str | None:
        """Return the id in the result of what a pair is there; None when it is not there."""
        case = self._reading.case
        if case is None:
            return None
        live = {lesion.id for lesion in case.document.lesions}
        chosen = adjudication.settlement(case.document, pair)
        ids = [chosen.lesion_id] if chosen is not None else []
        ids += [one.id for one in (pair.first, pair.second) if one is not None and one.run]
        return next((each for each in ids if each in live), None)

    def _tell_open(self) -> None:
        left = len(self.open_pairs)
        self._window.status.hint(
            translate("readers", "{n} differences are still to be settled.").format(n=left)
            if left
            else translate("readers", "Every difference is settled; the export holds the result.")
        )

    def _on_change(self, _change: object) -> None:
        if self.pairs:
            self.changed.emit()

    def _on_selection(self) -> None:
        """Deal with what is selected by other keys."""
        selected = self._reading.selected
        pair = self.pair
        if selected is None or pair is None or self.lesion_of(pair) == selected:
            return
        for number, each in enumerate(self.pairs):
            if self.lesion_of(each) == selected:
                self.at = number
                self.changed.emit()
                return


def kinds_text(pair: Pair, limit: float) -> str:
    """Return in what two readings differ, in words."""
    kinds = adjudication.kinds_of(pair, limit)
    if not kinds:
        return translate("readers", "the same in both")
    texts = {
        "one-only": translate("readers", "in one reading only"),
        "verdict": translate("readers", "verdict differs"),
        "label": translate("readers", "label differs"),
        "outline": translate("readers", "outline differs"),
    }
    return ", ".join(texts[kind] for kind in kinds)


def choice_text(choice: Choice) -> str:
    """Return what was chosen, in a word or two."""
    return {
        "first": translate("readers", "as the first"),
        "second": translate("readers", "as the second"),
        "own": translate("readers", "own"),
        "both": translate("readers", "as both"),
    }[choice]


def title_of(pair: Pair) -> str:
    """Return what a pair is called; the numbers of readers' own findings may differ."""
    return words.title(pair.either)
