"""What came of something that was tried, and the table that a command prints of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Outcome:
    """One fault or check: what was done, what should come of it, what came."""

    fault: str
    times: int
    expected: str
    figures: dict[str, float | int | str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def good(self) -> bool:
        return not self.failures


class Judge:
    """Gathers what did not come as it should."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def __call__(self, holds: object, otherwise: str) -> None:
        if not holds:
            self.failures.append(otherwise)


def row(outcome: Outcome) -> tuple[str, ...]:
    """Return one line of the table."""
    figures = "; ".join(f"{name}: {value}" for name, value in outcome.figures.items())
    if outcome.skipped:
        return outcome.fault, "-", outcome.expected, outcome.skipped, "skipped"
    result = "as expected" if outcome.good else "; ".join(outcome.failures[:3])
    return outcome.fault, str(outcome.times), outcome.expected, figures, result


def show(outcomes: Iterable[Outcome], what: str) -> int:
    """Print the table; return 1 when anything is not as it should be."""
    table = Table(what, "times", "expected", "figures", "result", show_lines=True)
    told = list(outcomes)
    for outcome in told:
        table.add_row(*row(outcome))
    Console(width=150).print(table)
    return int(not all(outcome.good for outcome in told))
