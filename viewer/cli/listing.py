"""``overread inspect`` and ``overread models``: lists for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inference import registry
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate
from viewer.cli import terminal


def inspect_command(paths: Sequence[Path], *, as_json: bool) -> None:
    """Print what the files below ``paths`` hold.

    Raises
    ------
    Problem
        When there is no image.
    """
    from viewer.study.inspect import inspect

    with terminal.stages() as stages:
        found = inspect(paths, progress=stages.step(translate("cli", "Reading headers")))
    if as_json:
        terminal.print_json(found)
        return
    terminal.print_table(
        [
            translate("cli", "Modality"),
            translate("cli", "Description"),
            translate("cli", "Columns x rows x slices"),
            translate("cli", "Spacing, mm"),
            translate("cli", "Files"),
            translate("cli", "Geometry"),
        ],
        [_row(series) for series in found["series"]],
    )
    for skipped in found["skipped"]:
        terminal.note(f"{skipped['path']}: {skipped['reason']}")


def _row(series: dict[str, Any]) -> list[object]:
    spacing = series["spacing_mm"] or []
    said = [problem["text"] for problem in series["problems"]]
    refusal = series.get("refusal")
    if refusal:
        # The refusal often is one of the problems with its remedy.
        said = [refusal, *(text for text in said if text not in refusal)]
    return [
        series["modality"],
        series["description"] or translate("cli", "(none)"),
        " x ".join(str(n) for n in series["size_ijk"]),
        " x ".join("?" if mm is None else f"{mm:.4g}" for mm in spacing) or "?",
        series["n_files"],
        " ".join(said) or translate("cli", "regular"),
    ]


def models_command(*, as_json: bool) -> None:
    """Print the bundled models, and whether the file of each is whole."""
    packs = [(pack, _damage(pack)) for pack in registry.available()]
    if as_json:
        terminal.print_json({"models": [_model(pack, damage) for pack, damage in packs]})
        return
    terminal.print_table(
        [
            translate("cli", "Model"),
            translate("cli", "Version"),
            translate("cli", "Reads"),
            translate("cli", "Intended use"),
            translate("cli", "Licence"),
            translate("cli", "File"),
        ],
        [
            [
                pack.id,
                pack.version,
                f"{pack.input.modality}, {pack.input.orientation}",
                pack.intended_use,
                pack.licence,
                translate("cli", "whole") if damage is None else str(damage),
            ]
            for pack, damage in packs
        ],
    )
    terminal.print_line(translate("cli", "Research use. Not for diagnosis."))


def _damage(pack: ModelPack) -> Problem | None:
    try:
        registry.check(pack)
    except Problem as problem:
        return problem
    return None


def _model(pack: ModelPack, damage: Problem | None) -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "name": pack.name,
        "task": pack.task,
        "intended_use": pack.intended_use,
        "licence": pack.licence,
        "sha256": pack.weights.sha256,
        "architecture": pack.weights.architecture,
        "threshold": pack.threshold,
        "modality": pack.input.modality,
        "outputs": [{"kind": output.kind, "label": output.label} for output in pack.outputs],
        "whole": damage is None,
        "problem": None if damage is None else str(damage),
    }
