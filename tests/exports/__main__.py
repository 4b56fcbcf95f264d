"""Exports a reviewed case, has it checked by others, does to it what can befall it: one table.

``python -m tests.exports`` takes some minutes. A program that is not on this machine is printed
as skipped, with how to get it, and never as passed. Ends with 1 when anything is not as it should
be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from tests.exports import dicom, grids, identity, sets, subjects
from tests.exports.faults import faults
from tests.exports.subjects import Subject
from tests.outcomes import Outcome, show

CHECKS = (*dicom.CHECKS, *grids.CHECKS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.exports", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="exports to kill (20)")
    parser.add_argument("--model", action="store_true", help="run the model on LIDC-IDRI-0001")
    parser.add_argument("--train", action="store_true", help="train nnU-Net and MONAI for a while")
    parser.add_argument("--only", default="", metavar="WORD", help="checks with WORD in the name")
    options = parser.parse_args()
    names = [one.__name__ for one in (*CHECKS, *sets.CHECKS, *identity.CHECKS, *faults(1))]
    if not any(options.only in name for name in (*names, *(t.__name__ for t in sets.TRAININGS))):
        parser.error(f"no check has {options.only!r} in its name; they are: {', '.join(names)}")
    return options


def _subjects(home: Path, by_model: bool) -> Iterator[Subject | Outcome]:
    yield subjects.oblique(home / "oblique")
    data = subjects.data()
    if data is None:
        absent = "LIDC-IDRI-0001 is not here: OVERREAD_DATA=folder of real studies"
        yield Outcome("all checks: LIDC-IDRI-0001", 0, "as above", skipped=absent)
    else:
        yield subjects.lidc(home / "lidc", data, by_model=by_model)


def _outcomes(options: argparse.Namespace, home: Path, console: Console) -> Iterator[Outcome]:
    checks = [check for check in CHECKS if options.only in check.__name__]
    for subject in _subjects(home, options.model) if checks else ():
        if isinstance(subject, Outcome):
            yield subject
            continue
        console.print(f"{subject.name}: {subject.said}; {subject.contents}")
        for check in checks:
            yield check(subject)
    yield from _sets(options, home)
    for alone in (*identity.CHECKS, *faults(options.kills)):
        if options.only in alone.__name__:
            with tempfile.TemporaryDirectory() as folder:
                yield alone(Path(folder))


def _sets(options: argparse.Namespace, home: Path) -> Iterator[Outcome]:
    trainings = sets.TRAININGS if options.train else ()
    checks = [one for one in (*sets.CHECKS, *trainings) if options.only in one.__name__]
    if checks:
        made = sets.phantoms(home / "sets")
        for check in checks:
            yield check(made, home / check.__name__)


def main() -> int:
    options, console, told = _arguments(), Console(), []
    with tempfile.TemporaryDirectory() as home:
        before = time.perf_counter()
        for outcome in _outcomes(options, Path(home), console):
            seconds = time.perf_counter() - before
            console.print(f"  {seconds:5.1f} s  {outcome.fault}", highlight=False)
            told.append(outcome)
            before = time.perf_counter()
    return show(told, "export")


if __name__ == "__main__":
    sys.exit(main())
