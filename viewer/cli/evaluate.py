"""``overread evaluate``: how good a model is, on crops with outlines and on whole scans."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inference import registry
from inference.evaluation import options as evaluation
from inference.evaluation.scan import figures
from inference.evaluation.truth import Truth, load_truth
from inference.findings import Findings
from inference.manifest import ModelPack
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer.cli import running, terminal
from viewer.cli.child import run_child
from viewer.study.order import StackPlan, volumes
from viewer.study.read import read
from viewer.study.scan import require_images, scan

# What the extra "train" brings beyond the program: the crops are WebP.
_NEEDS = ("PIL",)


def evaluate_command(options: argparse.Namespace) -> int:
    """Run an evaluation and return its exit code.

    Raises
    ------
    Problem
        At every bad input; no file is written then.
    """
    if options.target == "scan":
        _scan(options.path, options.truth, options.json, options.model, options.device)
        return 0
    return run_child(
        "inference.evaluation",
        ["lidc-nodules", *evaluation.crops_arguments(options)],
        needs=_NEEDS,
    )


def compare_command(options: argparse.Namespace) -> int:
    """Compare two models and return the exit code."""
    return run_child(
        "inference.evaluation", ["compare", *evaluation.compare_arguments(options)], needs=_NEEDS
    )


def _scan(
    paths: Sequence[Path], truth_file: Path | None, out: Path, model: str | None, device: str
) -> None:
    truth = None if truth_file is None else load_truth(truth_file)
    pack = registry.find(model)
    registry.check(pack)
    began = time.perf_counter()
    with terminal.stages() as stages:
        found = require_images(
            scan(paths, progress=stages.step(translate("cli", "Reading headers"))), paths
        )
        plans = [plan for series in found.series for plan in volumes(series)]
        plan, volume = _series(pack, plans, truth, stages)
        with running.model_process() as process:
            findings = process.analyze(
                volume, pack, device, progress=lambda step: running.show_progress(stages, step)
            )
    seconds = {**findings.seconds, "with_reading": time.perf_counter() - began}
    document = figures(volume, findings, truth, seconds)
    document["scan"]["series_instance_uid"] = plan.series.series_uid
    _write(out, document)
    _print(document, findings, out)


def _series(
    pack: ModelPack, plans: Sequence[StackPlan], truth: Truth | None, stages: terminal.Stages
) -> tuple[StackPlan, Volume]:
    """Return the series of the truth; where it names none, that which ``analyze`` would take."""
    if truth is None or not truth.series_instance_uid:
        return running.choose_series(pack, plans, stages)
    meant = [plan for plan in plans if plan.series.series_uid == truth.series_instance_uid]
    if meant:
        plan = max(meant, key=lambda plan: len(plan.planes))
        if (problem := running.no_volume(plan)) is not None:
            raise problem
        return plan, read(plan, progress=stages.step(translate("cli", "Reading images")))
    raise Problem(
        translate("cli", "The series that the truth was drawn on is not in this study."),
        translate("cli", "Give the study that the truth belongs to."),
    )


def _write(out: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(
            translate("cli", "The file {path} cannot be written: {fault}.").format(
                path=out, fault=error.strerror or type(error).__name__
            ),
            translate("cli", "Choose another place."),
        ) from error


def _print(document: dict[str, Any], findings: Findings, out: Path) -> None:
    for number, row in enumerate(document.get("nodules", ()), start=1):
        best = row.get("best")
        if best is None:
            line = translate("cli", "Nodule {number} ({readers} readers): not found").format(
                number=number, readers=row["readers"]
            )
        else:
            line = translate(
                "cli",
                "Nodule {number} ({readers} readers): rank {rank}, score {score}, Dice {dice}",
            ).format(
                number=number,
                readers=row["readers"],
                rank=best["rank"],
                score=best["score"],
                dice=best["dice"],
            )
        terminal.print_line(line)
    if "false_positives" in document:
        terminal.print_line(
            translate("cli", "False positives: {count}").format(count=document["false_positives"])
        )
    terminal.print_line(
        translate("cli", "{count} findings by {model} {version} on {device}, not reviewed.").format(
            count=document["shown"],
            model=findings.model.id,
            version=findings.model.version,
            device=findings.device,
        )
    )
    terminal.print_line(translate("cli", "Figures: {path}").format(path=out))
