"""The findings of a training set as a table, one a row, that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inference.volume import Volume
from viewer.annotate.audit import safe_value
from viewer.export.report import FileCheck
from viewer.export.sets.files import insist
from viewer.export.sets.truth import Finding

NAME = "findings.csv"
COLUMNS = (
    "item", "patient", "side", "fold", "finding", "use", "why_left_out", "label", "origin",
    "verdict", "reason", "missed_by_ai", "reader", "texture", "malignancy", "score", "model_id",
    "model_version", "model_sha256", "long_axis_mm", "short_axis_mm", "volume_ml", "mean_value",
    "unit", "x_lps_mm", "y_lps_mm", "z_lps_mm", "voxels",
)  # fmt: skip


def row_of(one: Finding, volume: Volume, who: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a finding; ``who`` says item, patient, side and fold.

    What a reader wrote in his own words is not in it: it may name somebody.
    """
    lesion, size = one.lesion, one.lesion.measurement
    model = lesion.model
    centre = lesion.centre_lps_mm if size is None else size.centre_lps_mm
    return {
        **who,
        "finding": lesion.number,
        "use": one.kind,
        "why_left_out": one.why or "",
        "label": lesion.label,
        "origin": lesion.origin,
        "verdict": lesion.verdict or "",
        "reason": lesion.reason,
        "missed_by_ai": "yes" if lesion.missed_by_ai else "no",
        "reader": lesion.reader,
        "texture": lesion.texture or "",
        "malignancy": "" if lesion.malignancy is None else lesion.malignancy,
        "score": _rounded(lesion.score, 6),
        "model_id": "" if model is None else model.id,
        "model_version": "" if model is None else model.version,
        "model_sha256": "" if model is None else model.sha256,
        "long_axis_mm": _rounded(None if size is None else size.diameter_mm, 3),
        "short_axis_mm": _rounded(None if size is None else size.short_axis_mm, 3),
        "volume_ml": _rounded(None if size is None else size.volume_ml, 6),
        "mean_value": _rounded(None if size is None else size.mean_value, 2),
        "unit": volume.unit,
        **{
            name: "" if centre is None else round(float(value), 3)
            for name, value in zip(COLUMNS[-4:-1], centre or (0, 0, 0), strict=True)
        },
        "voxels": lesion.mask.count,
    }


def _rounded(value: float | None, digits: int) -> float | str:
    return "" if value is None or value != value else round(float(value), digits)


def write(
    folder: Path, name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> FileCheck:
    """Write a table (RFC 4180) and read it again."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    meant = [{column: safe_value(row[column]) for column in columns} for row in rows]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(meant)
    with path.open(newline="", encoding="utf-8") as stream:
        insist(name, "" if list(csv.DictReader(stream)) == meant else "rows differ")
    return FileCheck(name, "csv", ("every row",))
