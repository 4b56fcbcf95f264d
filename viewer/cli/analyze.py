"""``overread analyze``: open, choose the series, run the model, export."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from inference import registry
from inference.client import ModelProcess
from inference.findings import Findings
from inference.manifest import ModelPack
from inference.protocol import Progress
from inference.volume import Volume
from resources import table
from resources.problem import Problem
from resources.text import translate
from viewer.cli import terminal
from viewer.export import export_case
from viewer.export.place import check as check_place
from viewer.export.snapshot import snapshot_of_findings
from viewer.stages import stage_text
from viewer.study.order import StackPlan, order
from viewer.study.read import read
from viewer.study.scan import require_images, scan


def analyze_command(
    paths: Sequence[Path], out: Path, model: str | None, device: str, *, as_json: bool
) -> None:
    """Run a model on the largest series below ``paths`` that it may read, and export.

    Parameters
    ----------
    paths
        Files and folders of one study.
    out
        Folder of the export; an earlier export there is replaced once the new one is whole.
    model
        Id of a pack; None takes the first.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    Problem
        At every bad input; nothing is written then.
    """
    pack = _pack(model)
    registry.check(pack)
    # Before minutes of work, not after.
    check_place(out.resolve(), replace=True)
    seconds: dict[str, float] = {}
    with terminal.stages() as stages:
        started = time.perf_counter()
        found = require_images(
            scan(paths, progress=stages.step(translate("cli", "Reading headers"))), paths
        )
        plans = [order(series) for series in found.series]
        seconds["scan"] = time.perf_counter() - started
        started = time.perf_counter()
        plan, volume = _choose(pack, plans, stages)
        seconds["read"] = time.perf_counter() - started
        with _process() as process:
            findings = process.analyze(
                volume, pack, device, progress=lambda step: _show(stages, step)
            )
        snapshot = snapshot_of_findings(plan, volume, findings, seconds=seconds)
        report = export_case(
            snapshot, out, replace=True, progress=stages.step(translate("cli", "Exporting"))
        )
    if len(plans) > 1:
        terminal.note(_which(plan, plans))
    if as_json:
        document = json.loads((report.folder / "findings.json").read_text(encoding="utf-8"))
        terminal.print_json({"folder": str(report.folder), **document})
        return
    _print(findings, report.folder)


def _process() -> ModelProcess:
    """Return a model process; tests put their own in place."""
    return ModelProcess()


def _pack(model: str | None) -> ModelPack:
    if model is not None:
        return registry.find(model)
    packs = registry.available()
    if not packs:
        raise Problem(
            translate("cli", "No model is installed."), translate("cli", "Install Overread again.")
        )
    return packs[0]


def _choose(
    pack: ModelPack, plans: Sequence[StackPlan], stages: terminal.Stages
) -> tuple[StackPlan, Volume]:
    """Return the largest series that the model may read, read.

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
            if plan.refusal is not None:
                refusals.append(plan.refusal)
                continue
            volume = read(plan, progress=stages.step(translate("cli", "Reading images")))
            reasons = registry.eligibility(pack, volume)
            if not reasons:
                return plan, volume
            refusals.append(Problem(" ".join(reasons), remedy))
        else:
            reasons = registry.eligibility(pack, _stand_in(plan))
            others.append(Problem(" ".join(reasons), remedy))
    # A CT that was refused says more than a series of another kind.
    raise (refusals + others)[0]


def _voxels(plan: StackPlan) -> int:
    k, j, i = plan.shape_kji
    return k * j * i


def _stand_in(plan: StackPlan) -> Volume:
    """Return a volume of one voxel, enough to be told that the modality is the wrong one."""
    import numpy as np

    return Volume(np.zeros((1, 1, 1), dtype=np.int16), np.eye(4), plan.series.modality)


def _which(plan: StackPlan, plans: Sequence[StackPlan]) -> str:
    k, j, i = plan.shape_kji
    return translate(
        "cli",
        "Read series {number} of {count}: {modality}, {i} x {j} x {k}, “{description}”.",
    ).format(
        number=[p is plan for p in plans].index(True) + 1,
        count=len(plans),
        modality=plan.series.modality,
        i=i,
        j=j,
        k=k,
        description=plan.series.description,
    )


def _show(stages: terminal.Stages, step: Progress) -> None:
    stages.show(stage_text(step), step.done, step.total)


def _print(findings: Findings, folder: Path) -> None:
    names = table("labels")
    shown = [d for d in findings.detections if d.score >= findings.threshold]
    terminal.print_table(
        [
            translate("cli", "Finding"),
            translate("cli", "Score"),
            translate("cli", "Size, mm"),
            translate("cli", "Volume, mL"),
            translate("cli", "Centre (left, posterior, head), mm"),
        ],
        [
            [
                f"{names[d.label]['name']} {number}",
                f"{d.score:.2f}",
                f"{d.diameter_mm:.1f} x {d.short_axis_mm:.1f}",
                f"{d.volume_ml:.2f}",
                ", ".join(f"{v:.1f}" for v in d.centre_lps_mm),
            ]
            for number, d in enumerate(shown, start=1)
        ],
    )
    lines = [
        translate("cli", "{count} findings by {model} {version} on {device}, not reviewed.").format(
            count=len(shown),
            model=findings.model.id,
            version=findings.model.version,
            device=findings.device,
        ),
        translate("cli", "Export: {folder}").format(folder=folder),
        translate("cli", "Research use. Not for diagnosis."),
    ]
    for line in lines:
        terminal.print_line(line)
