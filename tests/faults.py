"""Does to saved work whatever can happen to it, and prints what came of it.

``python -m tests.faults`` takes about a minute; ``--full`` kills 200 sessions, overwrites 200
files and lets two programs change one case 1000 times. Ends with 1 when anything is not as it
should be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests import fault_cases
from tests.fault_cases import Outcome

Case = Callable[[Path], Outcome]


def cases(full: bool) -> tuple[Case, ...]:
    """Return every fault, as often as it is to be tried."""
    return (
        lambda home: fault_cases.killed(200 if full else 20, home),
        lambda home: fault_cases.killed(100 if full else 10, home, commit_s=1.0),
        fault_cases.disk_full,
        lambda home: fault_cases.overwritten(200 if full else 20, home),
        fault_cases.emptied,
        fault_cases.clock_set_back,
        fault_cases.read_only_folder,
        fault_cases.folder_gone,
        fault_cases.disk_hangs,
        lambda home: fault_cases.two_readers(1000 if full else 50, home),
    )


def row(outcome: Outcome) -> tuple[str, ...]:
    """Return one line of the table."""
    figures = "; ".join(f"{name}: {value}" for name, value in outcome.figures.items())
    if outcome.skipped:
        return outcome.fault, "-", outcome.expected, outcome.skipped, "skipped"
    result = "as expected" if outcome.good else "; ".join(outcome.failures[:3])
    return outcome.fault, str(outcome.times), outcome.expected, figures, result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="as often as the table of figures says")
    full = parser.parse_args().full
    table = Table("fault", "times", "expected", "figures", "result", show_lines=True)
    outcomes = []
    for case in cases(full):
        with tempfile.TemporaryDirectory() as home:
            outcomes.append(case(Path(home)))
        table.add_row(*row(outcomes[-1]))
    Console(width=150).print(table)
    return int(not all(outcome.good for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
