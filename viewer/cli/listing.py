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


def inspect_command(
    paths: Sequence[Path], *, as_json: bool, trust: bool = False, pixels: bool = False
) -> None:
    """Print what the files below ``paths`` hold.

    Parameters
    ----------
    trust
        Print what each volume rests on, too; in JSON it always stands.
    pixels
        Read the pixels of every file and print what they are.

    Raises
    ------
    Problem
        When there is no image.
    """
    from viewer.study.inspect import inspect

    with terminal.stages() as stages:
        found = inspect(
            paths, pixels=pixels, progress=stages.step(translate("cli", "Reading headers"))
        )
    if as_json:
        terminal.print_json(found)
        return
    terminal.print_table(
        [
            translate("cli", "Modality"),
            translate("cli", "Description"),
            translate("cli", "Columns x rows x slices"),
            translate("cli", "Spacing, mm"),
            translate("cli", "Images"),
            translate("cli", "Geometry"),
        ],
        [_row(series, volume) for series in found["series"] for volume in series["volumes"]],
    )
    if trust:
        for series in found["series"]:
            for volume in series["volumes"]:
                terminal.print_line(_title(series, volume))
                _print_trust(volume["trust"])
    if pixels:
        said = [*found["series"], *found["skipped"]]
        _print_pixels([file for each in said for file in each.get("pixels", ())])
    for skipped in found["skipped"]:
        terminal.note(f"{skipped['path']}: {skipped['reason']}")


def _row(series: dict[str, Any], volume: dict[str, Any]) -> list[object]:
    spacing = volume["spacing_mm"] or []
    said = [problem["text"] for problem in volume["problems"]]
    # Why it cannot be shown, or is no volume, often is one of the problems.
    whole = [text for text in (volume["refusal"], volume["irregularity"]) if text]
    said = [*whole, *(text for text in said if not any(text in other for other in whole))]
    return [
        series["modality"],
        _title(series, volume),
        " x ".join(str(n) for n in volume["size_ijk"]),
        " x ".join("?" if mm is None else f"{mm:.4g}" for mm in spacing) or "?",
        volume["n_images"],
        " ".join(said) or translate("cli", "regular"),
    ]


def _title(series: dict[str, Any], volume: dict[str, Any]) -> str:
    parts = [part for part in (series["description"], volume["name"]) if part]
    return ", ".join(parts) or translate("cli", "(none)")


def _print_trust(rows: list[dict[str, str]]) -> None:
    states = {
        "good": translate("cli", "good"),
        "note": translate("cli", "note"),
        "bad": translate("cli", "bad"),
    }
    terminal.print_table(
        [
            translate("cli", "Question"),
            translate("cli", "Answer"),
            translate("cli", "State"),
            translate("cli", "From"),
        ],
        [[row["question"], row["answer"], states[row["state"]], row["source"]] for row in rows],
    )


def _print_pixels(files: list[dict[str, Any]]) -> None:
    terminal.print_table(
        [
            translate("cli", "File"),
            translate("cli", "Pixels"),
            translate("cli", "Type"),
            translate("cli", "Range"),
            translate("cli", "SHA-256"),
        ],
        [
            [file["path"], file["problem"], "", "", ""]
            if "problem" in file
            else [
                file["path"],
                " x ".join(str(n) for n in file["shape"]),
                file["dtype"],
                f"{file['min']}..{file['max']}",
                file["sha256"],
            ]
            for file in files
        ],
    )


def models_command(*, as_json: bool) -> None:
    """Print all versions of the models, which lead, and whether the file of each is whole."""
    packs = [(pack, _damage(pack)) for pack in registry.every()]
    lead = {pack.weights.sha256 for pack in registry.available()}
    if as_json:
        terminal.print_json(
            {
                "models": [
                    {**_model(pack, damage), "leads": pack.weights.sha256 in lead}
                    for pack, damage in packs
                ]
            }
        )
        return
    terminal.print_table(
        [
            translate("cli", "Model"),
            translate("cli", "Version"),
            translate("cli", "Leads"),
            translate("cli", "Reads"),
            translate("cli", "Intended use"),
            translate("cli", "Licence"),
            translate("cli", "File"),
        ],
        [
            [
                pack.id,
                pack.version,
                translate("cli", "yes") if pack.weights.sha256 in lead else "",
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
