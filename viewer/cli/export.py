"""``overread export``: the work on cases, as it was left, written in the formats asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.problem import Problem
from resources.text import translate
from viewer import folders, logbook, saved_work, site_labels, worklist_case
from viewer.annotate.journal import FILE as JOURNAL
from viewer.cli import terminal
from viewer.export import export_case, words
from viewer.export.formats import FORMATS, USUAL, Format
from viewer.export.leaving import Leave, plan_of
from viewer.export.place import check as check_place
from viewer.export.report import ExportReport
from viewer.session import Case, Reader
from viewer.study.order import StackPlan, volumes
from viewer.study.read import read
from viewer.study.scan import require_images, scan
from viewer.worklist import Worklist

_LEAST_KEY = 6
_DONE, _FAILED = 0, 2


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one case: its export, or why there is none."""

    named: str
    report: ExportReport | None = None
    problem: Problem | None = None


def export_command(
    cases: Sequence[str],
    out: Path,
    formats: Sequence[Sequence[Format]] | None,
    *,
    as_json: bool,
    leave: Leave | None,
) -> int:
    """Export each case into a folder of its own; one that fails does not stop the others.

    Parameters
    ----------
    cases
        Paths of studies, or keys of cases in the worklist (their first characters do).
    out
        Where the folders are made; an earlier export of the same case there is replaced once
        the new one is whole.
    formats
        Groups of formats; None takes the usual ones.
    as_json
        Print JSON instead of a table.
    leave
        How identity goes; None when it stays.

    Returns
    -------
    int
        0, or 2 when a case could not be exported.
    """
    site_labels.check()
    given = {one for group in formats or (USUAL,) for one in group}
    wanted = tuple(one for one in FORMATS if one in given)
    outcomes: list[_Outcome] = []
    with terminal.stages() as stages:
        for named in cases:
            try:
                for plan in worked_on(named, stages):
                    report = _export(plan, out, wanted, stages, leave)
                    outcomes.append(_Outcome(named, report))
            except Problem as problem:
                log(problem)
                outcomes.append(_Outcome(named, problem=problem))
    _print(outcomes, as_json=as_json)
    return _FAILED if any(one.problem is not None for one in outcomes) else _DONE


# ------------------------------------------------------------------------------- finding


def worked_on(named: str, stages: terminal.Stages) -> list[StackPlan]:
    """Return the volumes of a case that somebody, or a model, has worked on.

    Raises
    ------
    Problem
        When there is no such case, or nothing was done on it yet.
    """
    plans = plans_of(named, stages)
    kept = [plan for plan in plans if _has_work(plan)]
    if not kept:
        raise Problem(
            translate("cli", "Nobody has worked on {case} yet, and no model has run.").format(
                case=named
            ),
            translate("cli", "Open it in Overread first, or run overread analyze."),
        )
    return kept


def plans_of(named: str, stages: terminal.Stages) -> list[StackPlan]:
    """Return the volumes of a study, by its path or by its key in the worklist.

    Raises
    ------
    Problem
        When there is no such case.
    """
    path = Path(named)
    try:
        there = path.exists()
    except OSError:
        there = False
    if not there:
        return _of_worklist(named)
    progress = stages.step(translate("cli", "Reading headers"))
    found = require_images(scan([path], progress=progress), [path])
    return [plan for series in found.series for plan in volumes(series)]


def _of_worklist(named: str) -> list[StackPlan]:
    keyed = [s for s in Worklist().studies() if s.case_key.startswith(named)]
    if len(named) < _LEAST_KEY or not keyed:
        raise Problem(
            translate("cli", "{case} is neither a file nor a case of the worklist.").format(
                case=named
            ),
            translate(
                "cli", "Name the folder of the study, or the first {n} characters of its key."
            ).format(n=_LEAST_KEY),
        )
    if len(keyed) > 1:
        raise Problem(
            translate("cli", "Several cases begin with {case}.").format(case=named),
            translate("cli", "Name more characters of the key."),
        )
    _, plans = worklist_case.volumes_of(keyed[0], lambda: False)
    at = worklist_case.find(keyed[0], plans)
    return [] if at is None else [plans[at]]


def _has_work(plan: StackPlan) -> bool:
    return (folders.data_dir() / "cases" / saved_work.key_of(plan) / JOURNAL).is_file()


# ------------------------------------------------------------------------------- writing


def _export(
    plan: StackPlan,
    out: Path,
    formats: tuple[Format, ...],
    stages: terminal.Stages,
    leave: Leave | None,
) -> ExportReport:
    why_not = plan.refusal or plan.irregularity
    if why_not is not None:
        raise why_not
    named = plan if leave is None else plan_of(plan, leave.keys, leave.options.keep)
    folder = (out / f"overread-{saved_work.key_of(named)[:8]}").resolve()
    check_place(folder, replace=True)  # before the images are read
    with opened(plan, stages) as case:
        snapshot = case.snapshot()
        if leave is not None:
            snapshot = leave.take_out(snapshot)
        report = export_case(
            snapshot,
            folder,
            replace=True,
            progress=stages.step(translate("cli", "Exporting")),
            formats=formats,
        )
        if not case.read_only:
            case.note_event("exported")
        _tell_worklist(case)
    return report


@contextmanager
def opened(plan: StackPlan, stages: terminal.Stages) -> Iterator[Case]:
    """Open a case as it was left; one that is open elsewhere is read without changing it."""
    volume = read(plan, progress=stages.step(translate("cli", "Reading images")))
    case = Case.open(plan.series, plan, volume, reader=Reader("", "software"))
    try:
        if case.viewing_only is not None:
            raise case.viewing_only
        yield case
    finally:
        case.close()


def _tell_worklist(case: Case) -> None:
    """Note that all of a case stands in an export; without the list there is nothing to note."""
    try:
        mark = worklist_case.mark_of(case.document)
        Worklist().changed(case.key, "exported", exported_mark=mark)
    except Problem as problem:
        log(problem)


def log(problem: Problem) -> None:
    """Note a problem that has something for the log."""
    if problem.detail and logbook.open_log() is not None:
        logbook.note_problem(problem)


# ------------------------------------------------------------------------------ printing


def _print(outcomes: Sequence[_Outcome], *, as_json: bool) -> None:
    done = [one.report for one in outcomes if one.report is not None]
    failed = [(one.named, one.problem) for one in outcomes if one.problem is not None]
    if as_json:
        terminal.print_json(
            {
                "exports": [{"folder": str(r.folder), **_manifest(r)} for r in done],
                "failed": [{"case": named, "problem": str(why)} for named, why in failed],
            }
        )
    elif done:
        _print_tables(done)
    for named, why in failed:
        terminal.note(f"{named}: {why}" if len(outcomes) > 1 else str(why))


def _manifest(report: ExportReport) -> dict[str, Any]:
    text = (report.folder / "manifest.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _print_tables(done: Sequence[ExportReport]) -> None:
    for report in done:
        readers = {check.name: check.reader for check in report.checks}
        terminal.print_table(
            [
                translate("cli", "File"),
                translate("cli", "Megabytes"),
                translate("cli", "Read back by"),
                translate("cli", "SHA-256"),
            ],
            [
                (file.name, f"{file.bytes / 1e6:.2f}", readers.get(file.name, ""), file.sha256[:12])
                for file in report.files
            ],
        )
        lines = (words.told(report), translate("cli", "Research use. Not for diagnosis."))
        for line in lines:
            terminal.print_line(line)
