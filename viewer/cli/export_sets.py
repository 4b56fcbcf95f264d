"""``overread export --format nnunet,…``: cases become a new version of a training set."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from resources.problem import Problem
from resources.text import translate
from viewer import site_labels
from viewer.cli import deidentify, export, terminal
from viewer.deid import mapping
from viewer.deid.options import options as options_of
from viewer.export.leaving import Leave
from viewer.export.sets import folder as folders
from viewer.export.sets import words
from viewer.export.sets.formats import SET_FORMATS, SetFormat
from viewer.export.sets.grow import Wish, grow
from viewer.export.sets.report import SetReport
from viewer.export.snapshot import CaseSnapshot

_DONE, _FAILED = 0, 2

Failed = list[tuple[str, Problem]]


def asked(options: Any) -> bool:
    """Return whether a training set is asked for.

    Raises
    ------
    Problem
        When files of cases are asked for too, or identity is to stay.
    """
    given = [one for group in options.format or () for one in group]
    sets = [one for one in given if one in SET_FORMATS]
    if not sets:
        if options.test_share is not None:
            raise Problem(
                translate("cli", "Only a training set keeps patients for the test."),
                translate("cli", "Name its formats, such as --format nnunet,crops."),
            )
        return False
    if len(sets) < len(given):
        raise Problem(
            translate("cli", "A training set and files of cases cannot be written at once."),
            translate("cli", "Start overread export once for each."),
        )
    if options.with_identity or options.keep:
        raise Problem(
            translate("cli", "A training set never carries identity."),
            translate("cli", "Leave --with-identity and --keep away."),
        )
    return True


def set_command(options: Any) -> int:
    """Add the cases to the training set; one that cannot be read does not stop the others.

    Returns
    -------
    int
        0, or 2 when a case could not be added because of a problem. One that has no verdict is
        told of, and is no problem.
    """
    site_labels.check()
    wanted = {one for group in options.format for one in group}
    formats: tuple[SetFormat, ...] = tuple(one for one in SET_FORMATS if one in wanted)
    failed: Failed = []
    names: list[str] = []
    chosen = options_of((), pixels_seen=options.pixels_seen, boxes=options.box)
    wish = Wish(formats, options.test_share, _site(options, chosen), chosen)
    with terminal.stages() as stages:
        report = grow(
            options.out,
            _snapshots(options.case, stages, names, failed),
            wish,
            progress=stages.step(translate("cli", "Exporting")),
            on_problem=lambda problem: failed.append((names[-1], problem)),
        )
    _print(report, failed, many=len(options.case) > 1, as_json=options.json)
    return _FAILED if failed else _DONE


def _site(options: Any, chosen: Any) -> Leave | None:
    """Return how identity goes by the site's secret; None where the set has one of its own.

    A new set takes the site's where there is one, so that a patient is called the same in all
    that leaves.
    """
    known = folders.load(Path(options.out))
    wanted = mapping.exists() or deidentify.PASSPHRASE in os.environ
    if options.once or not (wanted if known is None else known.secret == "site"):
        return None
    return Leave(*deidentify.open_keys(once=False), chosen)


def _snapshots(
    cases: Sequence[str], stages: terminal.Stages, names: list[str], failed: Failed
) -> Iterator[CaseSnapshot]:
    """Open one case after the other; only one volume is held at a time."""
    for named in cases:
        names.append(named)
        try:
            for plan in export.worked_on(named, stages):
                why_not = plan.refusal or plan.irregularity
                if why_not is not None:
                    raise why_not
                with export.opened(plan, stages) as case:
                    yield case.snapshot()
        except Problem as problem:
            export.log(problem)
            failed.append((named, problem))


def _print(report: SetReport, failed: Failed, *, many: bool, as_json: bool) -> None:
    if as_json:
        made = None
        if report.version is not None:
            made = folders.manifest(report.folder, report.version)[0]
        terminal.print_json(
            {
                "folder": str(report.folder),
                "version": report.version,
                "left_out": dict(report.left_out),
                "manifest": made,
                "failed": [{"case": named, "problem": str(why)} for named, why in failed],
            }
        )
    else:
        _print_table(report)
    for named, why in failed:
        terminal.note(f"{named}: {why}" if many else str(why))


def _print_table(report: SetReport) -> None:
    if report.added:
        terminal.print_table(
            [
                translate("cli", "Case"),
                translate("cli", "Side"),
                translate("cli", "Truth"),
                translate("cli", "Rejected"),
                translate("cli", "Left out"),
            ],
            [
                (
                    str(one["item"]),
                    words.side(one["side"]),
                    str(one["counts"]["truth"]),
                    str(one["counts"]["rejected"]),
                    str(sum(one["counts"]["open"].values())),
                )
                for one in report.added
            ],
        )
    for line in (*words.told(report), translate("cli", "Research use. Not for diagnosis.")):
        terminal.print_line(line)
