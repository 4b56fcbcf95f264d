"""The queue of findings: in which order they are listed, which of them, and what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from resources.text import translate

if TYPE_CHECKING:
    from viewer.annotate.lesion import Lesion
    from viewer.session import Case
    from viewer.ui.corrections import Corrections
    from viewer.ui.reading import Reading
    from viewer.ui.rejecting import Rejecting
    from viewer.ui.settings import Settings

ORDERS = ("number", "score", "size", "volume", "place", "uncertainty", "open")
KINDS = ("all", "open", "accepted", "rejected", "unsure", "human")
_LEVELS = ("upper", "middle", "lower", None)
_SIDES = ("right", "left", None)


class Queue(QObject):
    """Order and kind of the listed findings, and the steps from one to the next.

    The order is remembered; the kind is not: findings that are left out without anybody knowing
    why would be overlooked. To go on after a verdict is a preference, off at first: a verdict is
    then seen to land, and a key pressed twice judges nothing that nobody has looked at.

    Attributes
    ----------
    order
        One of ``ORDERS``.
    kind
        One of ``KINDS``: which findings are listed.
    """

    changed = Signal()
    told = Signal(str)

    def __init__(
        self,
        reading: Reading,
        corrections: Corrections,
        rejecting: Rejecting,
        settings: Settings,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._settings = settings
        order = settings.text("findings order", ORDERS[0])
        self.order = order if order in ORDERS else ORDERS[0]
        self.kind = KINDS[0]
        self._places: dict[str, tuple[Lesion, Any, tuple[float, ...]]] = {}
        corrections.judged.connect(self._on_judged)
        rejecting.answered.connect(self._go_on_from)
        reading.case_changed.connect(self._on_case)

    # ------------------------------------------------------------------ the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what the keys of this room do."""
        return {
            "next": lambda: self.step(1),
            "previous": lambda: self.step(-1),
            "next_open": lambda: self.step_open(1),
            "previous_open": lambda: self.step_open(-1),
            "go_on": self.toggle_going_on,
        }

    def reasons(self) -> Mapping[str, str]:
        """Return why there is nothing to go to."""
        none = ""
        if self._reading.case is None:
            none = translate("queue", "Open a series first.")
        elif not self._reading.lesions:
            none = translate("queue", "There are no findings in the list.")
        open_ones = none
        if not none and all(lesion.reviewed for lesion in self._reading.lesions):
            open_ones = translate("queue", "All findings are reviewed.")
        names = ("next", "previous", "sort", "filter")
        return {
            **dict.fromkeys(names, none),
            "comment": none or self._no_comment(),
            **dict.fromkeys(("next_open", "previous_open"), open_ones),
            "go_on": "",
        }

    def _no_comment(self) -> str:
        case = self._reading.case
        if case is not None and case.read_only:
            return str(case.read_only_problem)
        if self._reading.lesion is None:
            return translate("queue", "Select a finding first.")
        return ""

    def checked(self) -> Mapping[str, bool]:
        """Return which of its switches are on."""
        return {"go_on": self.goes_on}

    @property
    def goes_on(self) -> bool:
        """Whether a verdict leads to the next finding that is not reviewed."""
        return self._reading.preferences.on("go_on")

    # -------------------------------------------------------------------- order

    def set_order(self, order: str) -> None:
        """List the findings in another order, remembered."""
        if order not in ORDERS:
            raise ValueError(order)
        self.order = order
        self._settings.put("findings order", order)
        self.changed.emit()

    def set_kind(self, kind: str) -> None:
        """List the findings of one kind only; the selected one stays in sight."""
        if kind not in KINDS:
            raise ValueError(kind)
        self.kind = kind
        self.changed.emit()

    def toggle_going_on(self) -> None:
        """Go on to the next finding that is not reviewed after each verdict, or stay."""
        self._reading.preferences.put("go_on", not self.goes_on)
        if self.goes_on:
            self.told.emit(translate("queue", "A verdict now leads to the next finding."))
        else:
            self.told.emit(translate("queue", "A verdict now stays with its finding."))
        self.changed.emit()

    def ordered(self) -> tuple[Lesion, ...]:
        """Return all findings that are shown, in the queue's order."""
        case = self._reading.case
        lesions = self._reading.lesions
        if case is None or self.order == "number":
            return lesions
        return tuple(sorted(lesions, key=lambda lesion: (*self._key(case, lesion), lesion.number)))

    def rows(self) -> tuple[Lesion, ...]:
        """Return the findings to be listed; the selected one stays until another is chosen."""
        selected = self._reading.selected
        return tuple(x for x in self.ordered() if self._keeps(x) or x.id == selected)

    def _keeps(self, lesion: Lesion) -> bool:
        if self.kind == "all":
            return True
        if self.kind == "open":
            return not lesion.reviewed
        if self.kind == "human":
            return lesion.origin not in ("ai", "imported")
        return lesion.verdict == self.kind

    def _key(self, case: Case, lesion: Lesion) -> tuple[float, ...]:
        match self.order:
            case "score":
                return (-(lesion.score if lesion.score is not None else -1.0),)
            case "size":
                return (-lesion.diameter_mm,)
            case "volume":
                return (-lesion.volume_ml,)
            case "uncertainty":
                said = case.document.detection(lesion.id)
                doubt = said.uncertainty if said is not None else None
                return (-(doubt if doubt is not None else -1.0),)
            case "place":
                return self._place(case, lesion)
            case "open":
                return (float(lesion.reviewed),)
            case _:
                return ()

    def _place(self, case: Case, lesion: Lesion) -> tuple[float, ...]:
        """Return the patient's right before his left, and from the head down."""
        segments = case.document.segments  # the lungs, by which a place is told
        known = self._places.get(lesion.id)
        if known is None or known[0] is not lesion or known[1] != segments:
            place = case.where(lesion)
            rank = (_SIDES.index(place.side), _LEVELS.index(place.level), -lesion.centre_lps_mm[2])
            known = self._places[lesion.id] = (lesion, segments, tuple(map(float, rank)))
        return known[2]

    # -------------------------------------------------------------------- steps

    def step(self, by: int) -> None:
        """Select the next (1) or previous (-1) row, around the ends."""
        self._step(self.rows(), by)

    def step_open(self, by: int) -> None:
        """Select the next (1) or previous (-1) finding that is not reviewed, around the ends."""
        if not self._step(tuple(x for x in self.ordered() if not x.reviewed), by):
            self.told.emit(translate("queue", "All findings are reviewed."))

    def _step(self, among: tuple[Lesion, ...], by: int) -> bool:
        """Select the nearest of some findings behind or before the selected one."""
        ids = [lesion.id for lesion in self.ordered()]
        targets = sorted(ids.index(lesion.id) for lesion in among)
        if not targets:
            return False
        selected = self._reading.selected
        at = ids.index(selected) if selected in ids else (-1 if by > 0 else len(ids))
        if by > 0:
            to = next((n for n in targets if n > at), targets[0])
        else:
            to = next((n for n in reversed(targets) if n < at), targets[-1])
        self._reading.select(ids[to])
        return True

    def _on_judged(self, lesion_id: str, verdict: str | None) -> None:
        # A rejection goes on when its reason is given.
        if verdict in ("accepted", "unsure"):
            self._go_on_from(lesion_id)

    def _go_on_from(self, lesion_id: str) -> None:
        case = self._reading.case
        if not self.goes_on or case is None or self._reading.selected != lesion_id:
            return
        if not self._step(tuple(x for x in self.ordered() if not x.reviewed), 1):
            self.told.emit(translate("queue", "All findings are reviewed."))

    def _on_case(self) -> None:
        self._places.clear()
        self.kind = KINDS[0]
        self.changed.emit()
