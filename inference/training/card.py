"""Write the model card of a pack: every number comes from its files, none is typed here.

``manifest.json`` says what the model is, ``recipe.json`` and ``training.json`` how it was made,
``metrics.json`` how good it is. What a person has to add stands in ``NOTES.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.manifest import ModelPack, read_manifest
from inference.training import card_tables
from inference.training.card_tables import Document, number, table
from inference.training.curve import svg
from inference.training.pack import CARD, METRICS, RECORD
from inference.training.recipe import FILE as RECIPE
from resources.problem import Problem

CURVE, FAILURES, NOTES = "training.svg", "failures.svg", "NOTES.md"
LUNGS = "lungs-unlabelled"


def collect(
    folder: Path, crops: Sequence[Path], scans: Mapping[str, Path], lungs: Path | None = None
) -> None:
    """Gather what ``overread evaluate`` wrote into the ``metrics.json`` of a pack.

    Parameters
    ----------
    folder
        The pack.
    crops
        Files of ``overread evaluate lidc-nodules``, one a split.
    scans
        Files of ``overread evaluate scan`` by the name of the scan.
    lungs
        File of ``python -m inference.evaluation lungs-unlabelled``, with a scan a name.

    Raises
    ------
    Problem
        When one cannot be read or was measured with other weights.
    """
    pack = read_manifest(folder)
    path = folder / METRICS
    found: dict[str, Any] = {"format": 1, "model": pack.weights.sha256, "crops": {}, "scans": {}}
    if path.exists() and (kept := _read(path)).get("model") == pack.weights.sha256:
        found = kept
    for file in crops:
        document = _measured_with(pack, file, _read(file))
        # The rows of single nodules are left in their own file.
        left = {key: value for key, value in document.items() if key != "nodules"}
        found["crops"][document["measured"]["split"]] = left
    for name, file in scans.items():
        found["scans"][name] = _measured_with(pack, file, _read(file))
    for name, document in (_read(lungs) if lungs else {}).items():
        found["scans"][name] = {**_measured_with(pack, lungs, document), "of": LUNGS}
    _write(path, json.dumps(found, indent=2) + "\n")


def _measured_with(pack: ModelPack, file: Path | None, document: dict[str, Any]) -> dict[str, Any]:
    if (document.get("model") or {}).get("sha256") != pack.weights.sha256:
        raise Problem(
            f"{file} was not measured with the weights of {pack.folder}.",
            "Measure again with this pack.",
        )
    return document


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.", "Name another file.") from error
    except ValueError as error:
        raise Problem(f"{path} is no JSON.", "Write it again.") from error
    if not isinstance(value, dict):
        raise Problem(f"{path} is no JSON object.", "Write it again.")
    return value


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_card(folder: Path) -> None:
    """Write ``MODEL_CARD.md`` and the curve of the training beside it."""
    pack = read_manifest(folder)
    recipe, record, metrics = (_read(folder / name) for name in (RECIPE, RECORD, METRICS))
    if metrics.get("model") != pack.weights.sha256:
        raise Problem(
            f"{folder / METRICS} is of other weights.", "Measure the pack, then collect the files."
        )
    curves = {name: stage["curve"] for name, stage in record["stages"].items()}
    _write(folder / CURVE, svg(curves))
    notes = folder / NOTES
    parts = [
        _head(pack),
        _what(pack, record),
        _data(record),
        _training(recipe, record),
        card_tables.figures(metrics["crops"]),
        card_tables.froc(metrics["crops"]),
        card_tables.scans(metrics["scans"]),
        _limits(pack),
        _failures(folder),
        notes.read_text(encoding="utf-8").strip() if notes.exists() else "",
        _repeat(metrics),
    ]
    _write(folder / CARD, "\n\n".join(part for part in parts if part) + "\n")


# The sections ---------------------------------------------------------------------------------


def _head(pack: ModelPack) -> str:
    return (
        f"# Lung nodules on chest CT ({pack.id} {pack.version})\n\n"
        "**Research use, not for diagnosis.** This card is written by a script from the files "
        "of the pack; every figure was measured, by the commands at the end.\n\n"
        f"## Intended use\n{pack.intended_use}"
    )


def _what(pack: ModelPack, record: Document) -> str:
    nets = record["parameters"]
    size = sum(nets.values()) / 1e6
    megabytes = (pack.folder / pack.weights.file).stat().st_size / 1e6
    low, high = pack.input.window
    lines = [
        "## What it does",
        "- both lungs, by thresholds and morphology (no training);",
        "- a heatmap: the share of the radiologists who would outline each voxel as nodule;",
        "- detections, each with a score, a 3-D mask, size, volume and mean HU; those from a score "
        f"of {pack.threshold:g} on are shown at first, fainter ones are listed;",
        "- the outline of a nodule that is pointed at, or a reason why there is none;",
        "- radiologists' impression in LIDC, not pathology: likelihood of malignancy and texture;",
        "- uncertainty: where the outlines of mirrored and rescaled images differ.",
        "",
        "## How",
        f"{len(nets)} nets with {size:.2f} million parameters in one safetensors file of "
        f"{megabytes:.1f} MB (architecture `{pack.weights.architecture}`):",
        "1. a 2.5-D U-Net draws the heatmap within the lungs and the masses on their walls, from "
        f"pixels of {pack.input.pixel_mm:g} mm and HU from {low:g} to {high:g}; connected heat "
        "makes candidates;",
        "2. the outliner, a 3-D net, looks at a window round a point or candidate, then again at "
        "windows scaled to what it outlined; it returns mask, score and impression. Mirrored "
        "windows at two scales are averaged, and their spread is the uncertainty; the outline is "
        "cut at the chance that makes its expected Dice the largest.",
    ]
    return "\n".join(lines)


def _data(record: Document) -> str:
    counts = record["data"]
    parts = ", ".join(
        f"{one['nodules']:,} nodules of {one['patients']:,} patients for {use}"
        for use, one in counts.items()
    )
    return (
        "## Data and licences\n"
        "- **LIDC-IDRI**, Armato et al., *The Lung Image Database Consortium (LIDC) and Image "
        "Database Resource Initiative (IDRI)*, Medical Physics 38 (2011) 915–931; The Cancer "
        "Imaging Archive, doi 10.7937/K9/TCIA.2015.LO9QL9SX, **CC BY 3.0**. Crops of nodules "
        f"that two to four of four radiologists outlined: {parts}, by a hash of the patient's "
        "id.\n"
        "- Lungs without labels, as places without a nodule: CMB-CRC MSB-01068 (**CC BY 4.0**) "
        "and CPTAC-PDA C3L-00189 (**CC BY**). RIDER-pilot-0109 (**CC BY 3.0**) was kept out of "
        "the training. They may hold unmarked nodules.\n\n"
        "The crops lost their HU scale (each slice was stretched to 8 bits); it is estimated from "
        "aerated lung and soft tissue, and contrast and level are varied in training to cover the "
        "error. Every crop is centred on its nodule and ends where it ends; off-centre windows, "
        "slices from which the nodule was erased, nodules pasted into other lungs, vessels, and "
        "candidates of the heatmap net that no reader outlined teach what lies elsewhere."
    )


def _training(recipe: Document, record: Document) -> str:
    rows = []
    for name, stage in record["stages"].items():
        net = name if name in recipe else "outliner"
        rows.append(
            (
                name,
                f"{record['parameters'][net]:,}",
                f"{stage['steps']:,} of {recipe[net]['batch']}",
                " ".join(map(str, recipe[net]["widths"])),
                number(float(stage["minutes"]), 0),
            )
        )
    head = ("stage", "parameters", "steps of windows", "widths", "minutes")
    return (
        f"## How it was trained\n{table(head, rows)}\n\n"
        f"AdamW, in each stage a warm-up and one cosine; the weights are a running average. Seed "
        f"{recipe['seed']}. The whole recipe is `{RECIPE}`, the record `{RECORD}`.\n\n"
        f"![Loss by step]({CURVE})"
    )


def _limits(pack: ModelPack) -> str:
    limits = pack.limits
    gap, pixel = limits.slice_spacing_mm, limits.pixel_mm
    return (
        "## Limits\n"
        f"- Slices {gap[0]:g} to {gap[1]:g} mm apart, pixels {pixel[0]:g} to {pixel[1]:g} mm, at "
        f"least {limits.slices[0]} slices and {limits.coverage_mm[0]:g} mm, axial or nearly so, "
        "in HU. Other volumes are refused with the rule named.\n"
        "- Small and ground-glass nodules are missed or outlined wrongly more often: see the "
        "figures by size and texture, and how few of them some rest on.\n"
        "- The crops' HU are estimates; figures on whole scans, whose HU are true, rest on few "
        "scans.\n"
        "- Lungs that are fully consolidated or drowned in effusion may not be seen as lung.\n"
        "- LIDC holds scans of seven centres in North America. Nothing is known of children, of "
        "other populations, or of scanners and reconstructions made since.\n"
        "- The reference are radiologists' outlines and impressions, not pathology."
    )


def _failures(folder: Path) -> str:
    if not (folder / FAILURES).exists():
        return ""
    return (
        "## Where it fails\nThe worst outlines among the patients who were not trained on, each on "
        "the slice where model and readers differ most; contours only, no pixel of a patient.\n\n"
        f"![The worst outlines, model and readers]({FAILURES})"
    )


def _repeat(metrics: Document) -> str:
    splits, known = card_tables.splits(metrics["crops"]), metrics["scans"]
    scans = [name for name, one in known.items() if one.get("of") != LUNGS]
    lines = ["overread train lung-nodule --data DATA --out RUN --config recipe.json"]
    lines += [
        f"overread evaluate lidc-nodules DATA/lidc-nodules --split {split} --json {split}.json"
        for split in splits
    ]
    lines += [f"overread evaluate scan STUDY --json {name}.json" for name in scans]
    crops = "".join(f" --crops {split}.json" for split in splits)
    named = "".join(f" --scan {name} {name}.json" for name in scans)
    if len(scans) < len(known):
        lines.append(f"python -m inference.evaluation {LUNGS} DATA/{LUNGS} --json lungs.json")
        named += " --lungs lungs.json"
    lines.append(f"python -m inference.training card --pack PACK{crops}{named}")
    return "## How to repeat it\n```\n" + "\n".join(lines) + "\n```"
