"""What the model got wrong: boxes round its false positives and round the lesions that it missed.

Each is a NIfTI image at the resolution of the scan with its label map beside, so that it can be
rehearsed by any program: NIfTI keeps the units and the place, which pictures would not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.volume import Volume
from viewer.export.report import FileCheck
from viewer.export.sets.truth import Finding

FOLDER = "hard"
INDEX = f"{FOLDER}/index.csv"
COLUMNS = (
    "item", "patient", "side", "fold", "finding", "kind", "reason", "image", "label",
    "score", "model_id", "model_version", "model_sha256", "long_axis_mm", "volume_ml",
    "voxel_k", "voxel_j", "voxel_i",
)  # fmt: skip

_EDGE_MM = 48.0


def write(
    folder: Path,
    found: Sequence[Finding],
    volume: Volume,
    labels: npt.NDArray[np.uint8],
    who: dict[str, Any],
) -> tuple[list[dict[str, Any]], list[FileCheck]]:
    """Write a box for each of them; return their rows of the index, and the checks.

    Parameters
    ----------
    labels
        The label map of the case (k, j, i).
    who
        Item, patient, side and fold of the case.
    """
    from viewer.export.sets.pairs import write_checked  # nibabel comes with it

    rows, checks = [], []
    for one in found:
        if not (one.kind == "rejected" or one.missed):
            continue
        box, centre = _box(one, volume)
        if box is None:
            continue
        affine = volume.affine.copy()
        affine[:3, 3] = geometry.kji_to_lps_mm(volume.affine, [[s.start for s in box]])[0]
        stem = f"{FOLDER}/{who['item']}_{one.lesion.number:03d}"
        image, label = f"{stem}.nii.gz", f"{stem}_label.nii.gz"
        for name, voxels in ((image, volume.voxels[box]), (label, labels[box])):
            checks.append(write_checked(folder / name, name, np.ascontiguousarray(voxels), affine))
        rows.append({**who, **_row(one), "image": image, "label": label, **centre})
    return rows, checks


def _box(one: Finding, volume: Volume) -> tuple[tuple[slice, slice, slice] | None, dict[str, int]]:
    """Return the box round a finding, cut at the edge of the scan, and its centre in that box."""
    size = one.lesion.measurement
    at = one.lesion.centre_lps_mm if size is None else size.centre_lps_mm
    if at is None:
        return None, {}
    middle = np.rint(geometry.lps_mm_to_kji(volume.affine, [at])[0]).astype(int)
    half = np.ceil(_EDGE_MM / 2 / np.array(geometry.spacing_kji_mm(volume.affine))).astype(int)
    own = one.lesion.mask
    sides, centre = [], {}
    for axis, n in enumerate(volume.shape_kji):
        low, high = middle[axis] - half[axis], middle[axis] + half[axis] + 1
        if own.count:
            low, high = min(low, own.box[axis].start), max(high, own.box[axis].stop)
        side = slice(int(max(low, 0)), int(min(high, n)))
        if side.start >= side.stop:
            return None, {}
        sides.append(side)
        centre[f"voxel_{'kji'[axis]}"] = int(np.clip(middle[axis], 0, n - 1)) - side.start
    return (sides[0], sides[1], sides[2]), centre


def _row(one: Finding) -> dict[str, Any]:
    lesion, model, size = one.lesion, one.lesion.model, one.lesion.measurement
    return {
        "finding": lesion.number,
        "kind": "missed" if one.missed else "false-positive",
        "reason": lesion.reason,
        "score": "" if lesion.score is None else round(lesion.score, 6),
        "model_id": "" if model is None else model.id,
        "model_version": "" if model is None else model.version,
        "model_sha256": "" if model is None else model.sha256,
        "long_axis_mm": "" if size is None else round(size.diameter_mm, 3),
        "volume_ml": "" if size is None else round(size.volume_ml, 6),
    }
