"""The tables of a model card, filled from what ``overread evaluate`` measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOT_MEASURED = "not measured"
_SPLITS = ("validation", "test", "unseen", "train", "all")

Document = Mapping[str, Any]

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
        return NOT_MEASURED
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
        "**Heatmap**, calibration error where there is heat",
        "calibration/heatmap/expected_calibration_error/voxels_from_heat_0.1",
        3,
        1,
    ),
    (
        "– of all voxels",
        "calibration/heatmap/expected_calibration_error/all_voxels",
        4,
        1,
    ),
    (
        "– where there is heat, against those readers who saw the nodule",
        "calibration/heatmap/of_those_who_saw_the_nodule/voxels_from_heat_0.1",
        3,
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


def splits(crops: Document) -> list[str]:
    """Return the splits that were measured, in the order in which they are told."""
    return [split for split in _SPLITS if split in crops]


def figures(crops: Document) -> str:
    """Return the section of the figures on crops, a column a split."""
    names = splits(crops)
    if not names:
        return "## Figures on crops\nNot measured yet."
    rows = [
        (title, *(measured(crops[name], path, digits, scale) for name in names))
        for title, path, digits, scale in _ROWS
    ]
    known = [row for row in rows if any(cell != NOT_MEASURED for cell in row[1:])]
    first = crops[names[0]]
    return (
        "## Figures on crops\n"
        "Crops of patients who were not trained on; unless it says otherwise, nodules of three or "
        "more readers. The point lies on one slice, displaced at random by up to a quarter of the "
        f"diameter. The reference are {value(first, 'outline/reference')}. A blob is false when it "
        "touches nothing that any reader outlined; crops may hold nodules that the index does not "
        f"list. In brackets: intervals of {value(first, 'intervals')}. The test patients were "
        f"measured once the recipe was fixed.\n\n{table(('', *names), known)}"
    )


def froc(crops: Document) -> str:
    """Return the table of what is found at fixed false blobs a crop."""
    names, path = splits(crops), f"{_GROUP}/froc/false_blobs_a_crop"
    rates = value(crops[names[0]], path) if names else None
    if not rates:
        return ""
    rows = []
    for name in names:
        # A rate has a point in its name, never a slash.
        shares = [measured(crops[name], f"{path}/{rate}/share", 1, 100) for rate in rates]
        rows.append((f"{name}, %", *shares))
    return f"Found against false blobs a crop:\n\n{table(('false blobs a crop', *rates), rows)}"


def scans(found: Document) -> str:
    """Return the section of the whole scans."""
    if not found:
        return ""
    rows = []
    for name, one in found.items():
        nodules = one.get("nodules")
        if nodules is None:
            known, false = "unlabelled", f"at most {one['shown']}"
        else:
            known = "; ".join(map(_nodule, nodules)) or "no nodule"
            false = number(one["false_positives"])
        taken = value(one, "seconds/with_reading")
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
