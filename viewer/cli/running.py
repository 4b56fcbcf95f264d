"""What every command that runs a model does: choose the series, read it, show the progress."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference import registry
from inference.client import ModelProcess
from inference.manifest import ModelPack
from inference.protocol import Progress
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer.cli import terminal
from viewer.stages import stage_text
from viewer.study.order import StackPlan, volumes
from viewer.study.read import read
from viewer.study.scan import require_images, scan


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """The volume that a model reads, of all those of a study, and the seconds that it took."""

    plans: Sequence[StackPlan]
    plan: StackPlan
    volume: Volume
    seconds: dict[str, float]


def open_study(pack: ModelPack, paths: Sequence[Path], stages: terminal.Stages) -> Opened:
    """Read the largest volume below ``paths`` that the model may read."""
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    found = require_images(
        scan(paths, progress=stages.step(translate("cli", "Reading headers"))), paths
    )
    plans = [plan for series in found.series for plan in volumes(series)]
    seconds["scan"] = time.perf_counter() - started
    started = time.perf_counter()
    plan, volume = choose_series(pack, plans, stages)
    seconds["read"] = time.perf_counter() - started
    return Opened(plans, plan, volume, seconds)


def choose_series(
    pack: ModelPack, plans: Sequence[StackPlan], stages: terminal.Stages
) -> tuple[StackPlan, Volume]:
    """Return the largest volume that the model may read, read.

    Raises
    ------
    Problem
        When there is none, with the reason of the largest.
    """
    refusals: list[Problem] = []
    others: list[Problem] = []
    remedy = translate("cli", "Choose another series or another model.")
    for plan in sorted(plans, key=_voxels, reverse=True):
        if plan.series.modality == pack.input.modality:
            if (problem := no_volume(plan)) is not None:
                refusals.append(problem)
                continue
            try:
                volume = read(plan, progress=stages.step(translate("cli", "Reading images")))
            except Problem as bad_file:
                refusals.append(bad_file)
                continue
            reasons = registry.eligibility(pack, volume)
            if not reasons:
                return plan, volume
            refusals.append(Problem(" ".join(reasons), remedy))
        else:
            reasons = registry.eligibility(pack, _stand_in(plan))
            others.append(Problem(" ".join(reasons), remedy))
    # A CT that was refused says more than a series of another kind.
    raise (refusals + others)[0]


def no_volume(plan: StackPlan) -> Problem | None:
    """Return why nothing can be computed of a stack, or None."""
    return plan.refusal or plan.irregularity


def note_choice(opened: Opened) -> None:
    """Say which series was read, when there was a choice."""
    if len(opened.plans) > 1:
        terminal.note(_which(opened.plan, opened.plans))


def model_process() -> ModelProcess:
    """Return a model process; tests put their own in place."""
    return ModelProcess()


def show_progress(stages: terminal.Stages, step: Progress) -> None:
    """Show how far the model is."""
    stages.show(stage_text(step), step.done, step.total)


def _voxels(plan: StackPlan) -> int:
    k, j, i = plan.shape_kji
    return k * j * i


def _stand_in(plan: StackPlan) -> Volume:
    """Return a volume of one voxel, enough to be told that the modality is the wrong one."""
    return Volume(np.zeros((1, 1, 1), dtype=np.int16), np.eye(4), plan.series.modality)


def _which(plan: StackPlan, plans: Sequence[StackPlan]) -> str:
    k, j, i = plan.shape_kji
    return translate(
        "cli",
        "Read volume {number} of {count}: {modality}, {i} x {j} x {k}, “{description}”.",
    ).format(
        number=[p is plan for p in plans].index(True) + 1,
        count=len(plans),
        modality=plan.series.modality,
        i=i,
        j=j,
        k=k,
        description=", ".join(part for part in (plan.series.description, plan.name) if part),
    )
