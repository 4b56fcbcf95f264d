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

from tests import fault_cases
from tests.outcomes import Outcome, show

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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="as often as the table of figures says")
    full = parser.parse_args().full
    outcomes = []
    for case in cases(full):
        with tempfile.TemporaryDirectory() as home:
            outcomes.append(case(Path(home)))
    return show(outcomes, "fault")


if __name__ == "__main__":
    sys.exit(main())
