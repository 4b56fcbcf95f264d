"""What the queue in the background has done off the GUI thread: find, read, keep, list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference import registry
from inference.findings import Findings
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate
from viewer import worklist_case
from viewer.batch import Batch
from viewer.session import Case, Reader
from viewer.study import order, scan
from viewer.study.cancel import stop_if
from viewer.study.order import StackPlan
from viewer.ui.opener import FoundStudy
from viewer.ui.staging import ReadSlices, Telling, read_staged
from viewer.worklist import State, Study, Worklist

Report = Callable[[int, int], None]
Cancelled = Callable[[], bool]

# Whose name the journal holds for what no person did.
SOFTWARE = Reader("", "software")


class Refused(Problem):
    """The model may not read a study; its sentence is the rule."""


@dataclass(frozen=True, eq=False)
class ReadStudy:
    """A study of the list, read: what was found beside it, and its slices."""

    study: Study
    found: FoundStudy
    slices: ReadSlices


def read_study(
    study: Study,
    fits: Callable[[StackPlan], None],
    _report: Report,
    cancelled: Cancelled,
) -> ReadStudy:
    """Find the images of a study where they were, and read them.

    Parameters
    ----------
    fits
        Called with the volume before it is read; raises when there is no use in that.

    Raises
    ------
    Problem
        When they are gone, or cannot be read.
    """
    result, plans = worklist_case.volumes_of(study, cancelled)
    number = worklist_case.find(study, plans)
    if number is None:
        raise Problem(
            translate("batch", "This study is not among the images found there."),
            translate("batch", "Open it once, then analyse it."),
        )
    plan = plans[number]
    if plan.refusal is not None:
        raise plan.refusal
    fits(plan)
    slices = read_staged(
        number, plan, SOFTWARE, Telling(_nobody, _nobody), lambda _done, _total: None, cancelled
    )
    return ReadStudy(study, FoundStudy(tuple(plans), result.skipped), slices)


def read_for(pack: ModelPack, study: Study, report: Report, cancelled: Cancelled) -> ReadStudy:
    """Read a study for a model.

    Raises
    ------
    Refused
        When the model may not read it; the sentence names the rule.
    Problem
        When it cannot be read.
    """

    def fits(plan: StackPlan) -> None:
        if plan.series.modality != pack.input.modality:
            # Told before thousands of slices are read for nothing.
            raise _refused(
                translate("batch", "{model} reads {wanted}; this series is {found}.").format(
                    model=pack.name, wanted=pack.input.modality, found=plan.series.modality
                )
            )
        if plan.irregularity is not None:
            raise _refused(plan.irregularity.sentence)

    read = read_study(study, fits, report, cancelled)
    if read.slices.incomplete is not None:
        raise _refused(read.slices.incomplete.sentence)
    reasons = registry.eligibility(pack, read.slices.volume)
    if reasons:
        raise _refused(" ".join(reasons))
    return read


def _refused(rule: str) -> Refused:
    return Refused(rule, "", "")


def keep(
    batch: Batch,
    read: ReadStudy,
    findings: Findings,
    exported_mark: str,
    _report: Report,
    _cancelled: Cancelled,
) -> State | None:
    """Lay a result into the case's own journal, and note in the queue that this is done.

    A result of the same model that is there already stays the only one: the program may have
    ended between the two the last time.

    Returns
    -------
    State or None
        How far the reading is now; None when the case is open, here or elsewhere.

    Raises
    ------
    Problem
        When it cannot be written.
    """
    slices = read.slices
    plan = slices.plan
    case = Case.open(
        plan.series, plan, slices.volume, reader=SOFTWARE,
        failed=slices.failed, incomplete=slices.incomplete,
    )  # fmt: skip
    try:
        if case.viewing_only is not None:
            raise _again(case.viewing_only)
        if case.read_only:
            return None
        if all(run.findings.model != findings.model for run in case.document.runs):
            case.add_findings(findings)
        state, _mark = worklist_case.progress_of(case, exported_mark)
    finally:
        unsaved = case.close()
    if unsaved:
        raise Problem(
            translate("batch", "The result could not be saved."),
            translate("batch", "Free some space, then analyse the study again."),
            f"{unsaved} records",
        )
    batch.mark(read.study.case_key, "done")
    return state


def _again(problem: Problem) -> Problem:
    return Problem(problem.sentence, problem.remedy, problem.detail)


def list_folder(
    worklist: Worklist, pack: ModelPack, paths: Sequence[Path], report: Report, cancelled: Cancelled
) -> tuple[str, ...]:
    """Put every study below some folders into the worklist; return the keys of those to analyse.

    Of each study the volume counts that the model would read, else its largest one, which the
    queue then refuses with the rule. One that has a result already is not analysed again.
    """
    result = scan.scan(paths, progress=report, cancelled=cancelled)
    scan.require_images(result, paths)
    plans: list[StackPlan] = []
    for series in result.series:
        stop_if(cancelled)
        plans += order.volumes(series)
    return list_plans(worklist, pack, plans, paths)


def list_plans(
    worklist: Worklist, pack: ModelPack, plans: Sequence[StackPlan], given: Sequence[Path]
) -> tuple[str, ...]:
    """Put the best volume of each study into the worklist; return the keys of those to analyse."""
    analysed = {s.case_key for s in worklist.studies() if s.state in ("ai", "done")}
    studies: dict[str, list[StackPlan]] = {}
    for plan in plans:
        if plan.refusal is None:
            studies.setdefault(plan.series.study_uid or plan.series.series_uid, []).append(plan)
    keys = []
    # The list puts what came last on top.
    for of_study in reversed(studies.values()):
        best = max(
            of_study,
            key=lambda plan: (
                plan.series.modality == pack.input.modality,
                plan.irregularity is None,
                plan.shape_kji[0],
            ),
        )
        line = worklist_case.unopened(best, plans, given)
        worklist.listed(line)
        if line.case_key not in analysed:
            keys.append(line.case_key)
    return tuple(reversed(keys))


def count_studies(plans: Sequence[StackPlan]) -> int:
    """Return how many studies some volumes are of."""
    return len({plan.series.study_uid or plan.series.series_uid for plan in plans})


def size_bytes(plan: StackPlan) -> int:
    """Return how much memory a volume takes when it is read, as far as its headers tell."""
    return int(np.prod(plan.shape_kji)) * 2


def _nobody(*_anything: object) -> None:
    pass
