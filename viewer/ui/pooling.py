"""Agreement over many cases: the tables that were saved of each, put together and saved as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from resources.problem import Problem
from resources.text import translate
from viewer.annotate import pooled
from viewer.annotate.pooled import Pooled
from viewer.ui.places import ask_files, ask_save
from viewer.ui.saving import save_text

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow

_COMMAND = "pool_agreement"
_LARGEST = 64 << 20  # a table of one case is some kilobytes
# What is false a scan at the sensitivity that is told.
_FALSE_A_SCAN = 1.0


def pooled_text(found: Pooled) -> str:
    """Return the pooled figures in sentences."""
    kappa = "–" if found.kappa is None else f"{found.kappa:.2f}"
    parts = [
        translate(
            "readers", "{cases} cases: verdicts the same on {same} of {judged}, kappa {kappa}."
        ).format(cases=found.cases, same=found.same_verdicts, judged=found.judged, kappa=kappa)
    ]
    if found.mean_dice is not None:
        parts.append(
            translate("readers", "Outlines, mean: Dice {dice}.").format(
                dice=f"{found.mean_dice:.3f}"
            )
        )
    names = {
        "first": translate("readers", "the first readings"),
        "second": translate("readers", "the second readings"),
        "adjudicated": translate("readers", "what is adjudicated"),
    }
    for name, one in found.frocs.items():
        within = [p for p in one.points if p.false_a_scan <= _FALSE_A_SCAN]
        if not within:
            continue
        best = max(within, key=lambda point: point.sensitivity)
        text = translate(
            "readers", "Against {what}: {percent} % of {lesions} lesions found at {false} false a"
            " scan (score from {score})."
        )  # fmt: skip
        parts.append(
            text.format(
                what=names[name],
                percent=f"{best.sensitivity * 100:.0f}",
                lesions=one.lesions,
                false=f"{best.false_a_scan:.2f}",
                score=f"{best.threshold:.2f}",
            )
        )
    return " ".join(parts)


class Pooling(QObject):
    """Asks for tables and for a place; a ``Part`` of the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {_COMMAND: self.ask}

    def reasons(self) -> Mapping[str, str]:
        """Return why it cannot be used: it always can, no case need be open."""
        return {_COMMAND: ""}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def ask(self) -> None:
        """Ask for the tables of the cases, then where their pooled one is to be saved."""
        title = translate("readers", "Tables of agreement to put together")
        files = ask_files(self._window, title)
        if not files:
            return
        found = self.read(files)
        if found is None:
            return
        file = ask_save(
            self._window,
            translate("readers", "Save the agreement over all cases"),
            "overread-agreement-pooled.csv",
            translate("audit", "Table (*.csv)"),
        )
        if file is not None:
            self.save(found, file)

    def read(self, files: Sequence[Path]) -> Pooled | None:
        """Put tables together; None, and a sentence, when that cannot be."""
        try:
            return pooled.pool([_text(file) for file in files])
        except Problem as problem:
            self._window.message.show_problem(problem)
            return None

    def save(self, found: Pooled, file: Path) -> None:
        """Save the pooled table and say what it holds."""
        problem = save_text(file, pooled.as_csv(found))
        if problem is not None:
            self._window.message.show_problem(problem)
        else:
            self._window.message.show_note(pooled_text(found))


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError("larger than any table of a case")
        return file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise Problem(
            translate("readers", "One of the tables could not be read."),
            translate("readers", "Choose tables that “Save as CSV…” of the agreement wrote."),
            repr(error),
        ) from None
