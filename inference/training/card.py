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
from inference.training.curve import svg
from inference.training.pack import CARD, METRICS, RECORD
from inference.training.recipe import FILE as RECIPE
from resources.problem import Problem

CURVE, FAILURES, NOTES = "training.svg", "failures.svg", "NOTES.md"
_NONE = "not measured"
_SPLITS = ("validation", "test", "unseen", "train", "all")

Document = Mapping[str, Any]
Row = tuple[str, ...]


def collect(folder: Path, crops: Sequence[Path], scans: Mapping[str, Path]) -> None:
    """Gather what ``overread evaluate`` wrote into the ``metrics.json`` of a pack.

    Parameters
    ----------
    folder
        The pack.
    crops
        Files of ``overread evaluate lidc-nodules``, one a split.
    scans
        Files of ``overread evaluate scan`` by the name of the scan.

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
        document = _measured_with(pack, file)
        # The rows of single nodules are left in their own file.
        left = {key: value for key, value in document.items() if key != "nodules"}
        found["crops"][document["measured"]["split"]] = left
    for name, file in scans.items():
        found["scans"][name] = _measured_with(pack, file)
    _write(path, json.dumps(found, indent=2) + "\n")


def _measured_with(pack: ModelPack, file: Path) -> dict[str, Any]:
    document = _read(file)
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
        _figures(metrics["crops"]),
        _froc(metrics["crops"]),
        _scans(metrics["scans"]),
        _limits(pack),
        _failures(folder),
        notes.read_text(encoding="utf-8").strip() if notes.exists() else "",
        _repeat(metrics),
    ]
    _write(folder / CARD, "\n\n".join(part for part in parts if part) + "\n")


# What is known of numbers ---------------------------------------------------------------------


def value(document: Document, path: str) -> Any:
    """Return what lies at ``a/b/c`` in a document; None when it does not go that far."""
    found: Any = document
    for key in path.split("/"):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def number(found: Any, digits: int = 3, scale: float = 1.0) -> str:
    """Return a number for a table."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return _NONE
    return f"{found * scale:.{digits}f}" if isinstance(found, float) else f"{found:,}"


def interval(found: Any, digits: int = 3, scale: float = 1.0) -> str:
    """Return `` (low–high)`` of a pair, nothing when it is none."""
    if not isinstance(found, list) or len(found) != 2 or None in found:
        return ""
    low, high = (f"{end * scale:.{digits}f}" for end in found)
    # A dash between negative numbers is hard to read.
    return f" ({low} to {high})"


def measured(document: Document, path: str, digits: int = 3, scale: float = 1.0) -> str:
    """Return the number at ``path`` with the interval that stands beside it."""
    above, _, last = path.rpartition("/")
    beside = value(document, f"{above}/{'ci95' if last in ('share', 'mean') else last + '_ci95'}")
    if beside is None:
        beside = value(document, f"{path}_ci95")
    found = value(document, path)
    return number(found, digits, scale) + interval(beside, digits, scale)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# The sections ---------------------------------------------------------------------------------


def _head(pack: ModelPack) -> str:
    return (
        f"# Lung nodules on chest CT ({pack.id} {pack.version})\n\n"
        "**Research use, not for diagnosis.** This card is written by a script from the files "
        "of the pack; every figure was measured, by the commands at the end.\n\n"
        f"## Intended use\n{pack.intended_use}"
    )


def _what(pack: ModelPack, record: Document) -> str:
    stages = record["stages"]
    size = sum(stage["parameters"] for stage in stages.values()) / 1e6
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
        "- uncertainty: where the outlines of mirrored images differ.",
        "",
        "## How",
        f"{len(stages)} nets with {size:.2f} million parameters in one safetensors file of "
        f"{megabytes:.1f} MB (architecture `{pack.weights.architecture}`):",
        "1. a 2.5-D U-Net draws the heatmap within the lungs and the masses on their walls, from "
        f"pixels of {pack.input.pixel_mm:g} mm and HU from {low:g} to {high:g}; connected heat "
        "makes candidates;",
        "2. the outliner, a 3-D net, looks at a window round a point or candidate, then again at "
        "one that is scaled to what it outlined; it returns mask, score and impression. Mirrored "
        "windows are averaged, and their spread is the uncertainty.",
    ]
    if "rescorer" in stages:
        lines.append("3. a small 3-D net scores each candidate from its own slices.")
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
    rows = [
        (
            name,
            f"{stage['parameters']:,}",
            f"{stage['steps']:,} of {recipe[name]['batch']}",
            " ".join(map(str, recipe[name]["widths"])),
            number(float(stage["minutes"]), 0),
        )
        for name, stage in record["stages"].items()
    ]
    head = ("net", "parameters", "steps of windows", "widths", "minutes")
    return (
        f"## How it was trained\n{table(head, rows)}\n\n"
        f"AdamW, a warm-up and one cosine; the weights are a running average. Seed "
        f"{recipe['seed']}. The whole recipe is `{RECIPE}`, the record `{RECORD}`.\n\n"
        f"![Loss by step]({CURVE})"
    )


_GROUP = "detection/nodules_of_3_or_more_readers"
# Title, path, digits, scale.
_ROWS: tuple[tuple[str, str, int, float], ...] = (
    ("patients", "measured/patients", 0, 1),
    ("nodules", "measured/nodules", 0, 1),
    ("nodules of 3 or more readers", "outline/dice/count", 0, 1),
    ("**Outline at a point, 3-D Dice**, mean", "outline/dice/mean", 3, 1),
    ("– median", "outline/dice/median", 3, 1),
    ("– 10th percentile", "outline/dice/percentile_10", 3, 1),
    ("– under 6 mm, mean", "outline/by_size/under 6 mm/mean", 3, 1),
    ("– 6 to 10 mm, mean", "outline/by_size/6 to 10 mm/mean", 3, 1),
    ("– 10 to 20 mm, mean", "outline/by_size/10 to 20 mm/mean", 3, 1),
    ("– 20 mm and more, mean", "outline/by_size/20 mm and more/mean", 3, 1),
    ("– ground-glass, mean", "outline/by_texture/ground-glass/mean", 3, 1),
    ("– part-solid, mean", "outline/by_texture/part-solid/mean", 3, 1),
    ("– solid, mean", "outline/by_texture/solid/mean", 3, 1),
    ("– with more than half of the readers, mean", "outline/dice_more_than_half/mean", 3, 1),
    ("– point on the largest slice, mean", "outline/dice_point_on_largest_slice/mean", 3, 1),
    ("– nothing outlined, nodules", "outline/empty", 0, 1),
    ("**One reader** against the others, mean", "readers/dice/mean", 3, 1),
    ("– the model against the same", "readers/model_against_the_same/mean", 3, 1),
    ("Two points in one nodule, mean Dice", "outline/two_points/mean", 3, 1),
    ("**Found** without a point at the default score, %", f"{_GROUP}/sensitivity/share", 1, 100),
    ("– false blobs a crop", f"{_GROUP}/false_blobs_a_crop", 3, 1),
    ("– Dice of the found, mean", f"{_GROUP}/dice_of_the_found/mean", 3, 1),
    ("– of all nodules, %", "detection/all_nodules/sensitivity/share", 1, 100),
    ("**Long axis**, median absolute error, mm", "size/long_axis_mm/median_absolute", 2, 1),
    ("– bias, mm", "size/long_axis_mm/bias", 2, 1),
    ("– of a reader, median absolute, mm", "size/readers_long_axis_mm/median_absolute", 2, 1),
    (
        "**Volume**, bias, % of the mean of both",
        "size/volume/percent_of_the_mean_of_both/bias",
        1,
        1,
    ),
    (
        "– of a reader",
        "size/readers_volume/percent_of_the_mean_of_both/bias",
        1,
        1,
    ),
    (
        "**Heatmap**, calibration error, voxels with heat or a reader",
        "calibration/heatmap/expected_calibration_error/voxels_with_heat_of_0.1_or_a_reader",
        4,
        1,
    ),
    (
        "– all voxels",
        "calibration/heatmap/expected_calibration_error/all_voxels",
        4,
        1,
    ),
    ("Scores, calibration error", "calibration/scores/expected_calibration_error", 3, 1),
    *(
        row
        for name in ("malignancy", "texture")
        for row in (
            (
                f"**Impression**, {name} (1–5), mean absolute error",
                f"impression/{name}/nodules_of_3_or_more_readers/model/mean",
                2,
                1,
            ),
            (
                "– of always the mean of the training",
                f"impression/{name}/nodules_of_3_or_more_readers/training_mean/mean",
                2,
                1,
            ),
            (
                "– of a reader against the others",
                f"impression/{name}/nodules_of_3_or_more_readers"
                "/against_the_mean_of_the_other_readers/reader/mean",
                2,
                1,
            ),
        )
    ),
    (
        "**Uncertainty**, rank correlation with the error of the outline",
        "uncertainty/rank_correlation_with_1_minus_dice",
        2,
        1,
    ),
    (
        "– with the readers' disagreement",
        "uncertainty/rank_correlation_with_1_minus_readers_dice",
        2,
        1,
    ),
    ("Seconds an outline, median", "seconds_an_outline/median", 2, 1),
)


def _splits(crops: Document) -> list[str]:
    return [split for split in _SPLITS if split in crops]


def _figures(crops: Document) -> str:
    splits = _splits(crops)
    if not splits:
        return "## Figures on crops\nNot measured yet."
    rows = [
        (title, *(measured(crops[split], path, digits, scale) for split in splits))
        for title, path, digits, scale in _ROWS
    ]
    known = [row for row in rows if any(cell != _NONE for cell in row[1:])]
    readers = value(crops[splits[0]], "outline/reference")
    return (
        "## Figures on crops\n"
        "Crops of patients who were not trained on; unless it says otherwise, nodules of three or "
        "more readers. The point lies on one slice, displaced at random by up to a quarter of the "
        f"diameter. The reference are {readers}. A blob is false when it touches nothing that any "
        "reader outlined; crops may hold nodules that the index does not list. In brackets: "
        f"intervals of {value(crops[splits[0]], 'intervals')}. The test patients were measured "
        f"once the recipe was fixed.\n\n{table(('', *splits), known)}"
    )


def _froc(crops: Document) -> str:
    splits = _splits(crops)
    rates = value(crops[splits[0]], f"{_GROUP}/froc/false_blobs_a_crop") if splits else None
    if not rates:
        return ""
    rows = [
        (
            f"{split}, %",
            *(
                measured(crops[split][_GROUP.split("/")[0]], f"{_tail}/{rate}/share", 1, 100)
                for rate in rates
            ),
        )
        for split in splits
        for _tail in ("nodules_of_3_or_more_readers/froc/false_blobs_a_crop",)
    ]
    return f"Found against false blobs a crop:\n\n{table(('false blobs a crop', *rates), rows)}"


def _scans(scans: Document) -> str:
    if not scans:
        return ""
    rows = []
    for name, one in scans.items():
        nodules = one.get("nodules")
        if nodules is None:
            known = "unlabelled"
            false = f"at most {one['shown']}"
        else:
            known = "; ".join(map(_nodule, nodules)) or "no nodule"
            false = number(one["false_positives"])
        taken = one.get("seconds", {}).get("with_reading")
        rows.append((name, number(one["scan"]["slices"]), known, false, number(taken, 1)))
    head = ("scan", "slices", "nodules", "false positives shown", "seconds")
    return (
        "## Whole scans\nAt the default score. Where nothing is labelled, every detection counts "
        f"as false, though it may be a true nodule.\n\n{table(head, rows)}"
    )


def _nodule(one: Document) -> str:
    best = one.get("best")
    if best is None:
        return f"missed ({one['readers']} readers)"
    found = "found" if one["found"] else "below the default score"
    return (
        f"{found}: rank {best['rank']}, score {number(best['score'], 2)}, Dice "
        f"{number(best['dice'])}, long axis {number(best['long_axis_mm'], 1)} mm "
        f"(error {number(best['long_axis_error_mm'], 1)} mm)"
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
    splits, scans = _splits(metrics["crops"]), list(metrics["scans"])
    lines = ["overread train lung-nodule --data DATA --out RUN --config recipe.json"]
    lines += [
        f"overread evaluate lidc-nodules DATA/lidc-nodules --split {split} --json {split}.json"
        for split in splits
    ]
    lines += [f"overread evaluate scan STUDY --json {name}.json" for name in scans]
    crops = "".join(f" --crops {split}.json" for split in splits)
    named = "".join(f" --scan {name} {name}.json" for name in scans)
    lines.append(f"python -m inference.training card --pack PACK{crops}{named}")
    return "## How to repeat it\n```\n" + "\n".join(lines) + "\n```"
