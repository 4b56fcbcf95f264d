"""``overread analyze``: open, choose the series, run the model, export."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference import registry
from inference.client import ModelProcess
from inference.findings import Findings, Impression
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
from viewer.impression import agreement_percent, malignancy_text, source_text, texture_text
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
    with terminal.stages() as stages:
        opened = _open(pack, paths, stages)
        with _process() as process:
            findings = process.analyze(
                opened.volume, pack, device, progress=lambda step: _show(stages, step)
            )
        snapshot = snapshot_of_findings(
            opened.plan, opened.volume, findings, seconds=opened.seconds
        )
        report = export_case(
            snapshot, out, replace=True, progress=stages.step(translate("cli", "Exporting"))
        )
    _note_choice(opened)
    if as_json:
        _print_document(report.folder)
        return
    _print(findings, report.folder)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """The series that a model reads, of all those of a study, and the seconds that it took."""

    plans: Sequence[StackPlan]
    plan: StackPlan
    volume: Volume
    seconds: dict[str, float]


def _open(pack: ModelPack, paths: Sequence[Path], stages: terminal.Stages) -> Opened:
    """Read the largest series below ``paths`` that the model may read."""
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    found = require_images(
        scan(paths, progress=stages.step(translate("cli", "Reading headers"))), paths
    )
    plans = [order(series) for series in found.series]
    seconds["scan"] = time.perf_counter() - started
    started = time.perf_counter()
    plan, volume = _choose(pack, plans, stages)
    seconds["read"] = time.perf_counter() - started
    return Opened(plans, plan, volume, seconds)


def _note_choice(opened: Opened) -> None:
    if len(opened.plans) > 1:
        terminal.note(_which(opened.plan, opened.plans))


def _print_document(folder: Path) -> None:
    document = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    terminal.print_json({"folder": str(folder), **document})


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
    impressed = any(d.impression is not None for d in shown)
    doubted = any(d.uncertainty is not None for d in shown)
    titles = [
        translate("cli", "Finding"),
        translate("cli", "Score"),
        translate("cli", "Size, mm"),
        translate("cli", "Volume, mL"),
        translate("cli", "Centre (left, posterior, head), mm"),
    ]
    # A model that says nothing of these gets no empty columns.
    titles += [translate("cli", "Malignancy, texture*")] if impressed else []
    titles += [translate("cli", "Outlines agree")] if doubted else []
    rows = []
    for number, d in enumerate(shown, start=1):
        row = [
            f"{names[d.label]['name']} {number}",
            f"{d.score:.2f}",
            f"{d.diameter_mm:.1f} x {d.short_axis_mm:.1f}",
            f"{d.volume_ml:.2f}",
            ", ".join(f"{v:.1f}" for v in d.centre_lps_mm),
        ]
        said = d.impression
        row += ["" if said is None else _impression(said)] if impressed else []
        row += ["" if d.uncertainty is None else _agreement(d.uncertainty)] if doubted else []
        rows.append(row)
    terminal.print_table(titles, rows)
    lines = [
        translate("cli", "{count} findings by {model} {version} on {device}, not reviewed.").format(
            count=len(shown),
            model=findings.model.id,
            version=findings.model.version,
            device=findings.device,
        ),
        *_footnotes(impressed, folder),
    ]
    for line in lines:
        terminal.print_line(line)


def _impression(said: Impression) -> str:
    return f"{malignancy_text(said)}, {texture_text(said)}"


def _agreement(uncertainty: float) -> str:
    return f"{agreement_percent(uncertainty)} %"


def _footnotes(impressed: bool, folder: Path) -> list[str]:
    return [
        *([f"* {source_text()}"] if impressed else []),
        translate("cli", "Export: {folder}").format(folder=folder),
        translate("cli", "Research use. Not for diagnosis."),
    ]
