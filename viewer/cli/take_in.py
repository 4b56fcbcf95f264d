"""``overread import``: outlines of other files, taken into a case as the window does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from resources.problem import Problem
from resources.text import translate
from viewer import site_labels
from viewer.cli import terminal
from viewer.cli.export import plans_of
from viewer.imports import apart, words
from viewer.imports.held import HeldFile, HeldOutline
from viewer.imports.taking import Chosen
from viewer.imports.target import Target
from viewer.session import Case, Reader
from viewer.study.order import StackPlan
from viewer.study.read import read

_DONE, _FAILED = 0, 2


def import_command(
    named: str, files: Sequence[Path], *, only_list: bool, anyway: bool, as_json: bool
) -> int:
    """Take what fits of some files into the series of a case that they belong onto.

    Parameters
    ----------
    named
        Path of a study, or the key of a case in the worklist (its first characters do).
    only_list
        Say what the files hold, and change nothing.
    anyway
        Take also what a reader of the window would have to tick himself.
    as_json
        Print JSON instead of a table.

    Returns
    -------
    int
        0, or 2 when nothing could be taken.
    """
    site_labels.check()
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise Problem(translate("cli", "There is no file {path}.").format(path=missing[0]))
    with terminal.stages() as stages:
        plan, held = _belongs(plans_of(named, stages), files, stages)
        chosen = _chosen(held, anyway)
        count = 0
        if chosen and not only_list:
            count = _take(plan, chosen, stages)
    _print(plan, held, count, as_json=as_json, only_list=only_list)
    usable = any(chosen_of.outlines for chosen_of in _chosen(held, True))
    return _DONE if count or (only_list and usable) else _FAILED


def _belongs(
    plans: Sequence[StackPlan], files: Sequence[Path], stages: terminal.Stages
) -> tuple[StackPlan, list[HeldFile]]:
    """Return the volume of a study that files fit best, and what they hold for it."""
    regular = [plan for plan in plans if plan.refusal is None and plan.irregularity is None]
    if not regular:
        raise Problem(translate("cli", "The study has no series that outlines can lie on."))
    progress = stages.step(translate("cli", "Reading outlines"))
    best: tuple[tuple[int, int], StackPlan, list[HeldFile]] | None = None
    for plan in sorted(regular, key=lambda plan: -plan.shape_kji[0]):
        assert plan.affine is not None
        target = Target.of(plan, plan.shape_kji, plan.affine)
        held = apart.read(files, target, progress=progress)
        refused = sum(bool(file.refusal) for file in held)
        worth = refused, sum(len(file.cautions) for file in held)
        if best is None or worth < best[0]:
            best = worth, plan, held
        if worth == (0, 0):
            break
    assert best is not None
    return best[1], best[2]


def _chosen(held: Sequence[HeldFile], anyway: bool) -> list[Chosen]:
    """Return what is taken unless somebody chooses otherwise."""
    return [
        Chosen(file, tuple(one for one in file.outlines if one.usable))
        for file in held
        if not file.refusal and (anyway or not file.cautions)
    ]


def _take(plan: StackPlan, chosen: Sequence[Chosen], stages: terminal.Stages) -> int:
    volume = read(plan, progress=stages.step(translate("cli", "Reading images")))
    case = Case.open(plan.series, plan, volume, reader=Reader("", "software"))
    try:
        change = case.take_in(chosen, plan.series.series_uid)
    finally:
        unsaved = case.close()
    if unsaved:
        raise Problem(
            translate("cli", "The outlines could not be saved."),
            translate("cli", "Free some space, then try again."),
        )
    return 0 if change is None else len(change.lesion_ids) + len(change.segment_ids)


# ------------------------------------------------------------------------------ printing


def _print(
    plan: StackPlan, held: Sequence[HeldFile], count: int, *, as_json: bool, only_list: bool
) -> None:
    if as_json:
        terminal.print_json(
            {
                "series_uid": plan.series.series_uid,
                "taken": count,
                "files": [_file_json(file) for file in held],
            }
        )
        return
    rows = [
        (file.name, one.number, one.name, _coded(one), one.mask.count or "", _said(one))
        for file in held
        for one in file.outlines
    ]
    if rows:
        terminal.print_table(
            [
                translate("cli", "File"),
                translate("cli", "Number"),
                translate("cli", "Name"),
                translate("cli", "Code"),
                translate("cli", "Voxels"),
                translate("cli", "Note"),
            ],
            rows,
        )
    for file in held:
        if file.refusal:
            terminal.note(f"{file.name}: {words.refusal(file.refusal)}")
        for sentence in words.cautions(file):
            terminal.note(f"{file.name}: {sentence}")
    if not only_list:
        terminal.print_line(translate("cli", "Taken in: {count} outlines.").format(count=count))


def _coded(one: HeldOutline) -> str:
    return "" if one.type is None else f"{one.type[2]} ({one.type[0]}, {one.type[1]})"


def _said(one: HeldOutline) -> str:
    return ", ".join(part for part in (words.notes(one), words.made_by(one), one.verdict) if part)


def _file_json(file: HeldFile) -> dict[str, Any]:
    return {
        "file": file.name,
        "kind": file.kind,
        "system": file.system,
        "description": file.description,
        "refusal": list(file.refusal),
        "cautions": [list(caution) for caution in file.cautions],
        "outlines": [_outline_json(one) for one in file.outlines],
    }


def _outline_json(one: HeldOutline) -> dict[str, Any]:
    return {
        "number": one.number,
        "name": one.name,
        "category": one.category,
        "type": one.type,
        "region": one.region,
        "colour": one.colour,
        "anatomy": one.anatomy,
        "voxels": int(np.count_nonzero(one.mask.voxels)),
        "point_lps_mm": one.point_lps_mm,
        "algorithm_type": one.algorithm_type,
        "algorithm": one.algorithm,
        "tracking_uid": one.tracking_uid,
        "verdict": one.verdict,
        "notes": [list(note) for note in one.notes],
    }
