"""Figures of one whole scan: what was found, where it ranks, what was found wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.statistics import rounded
from inference.evaluation.truth import Truth, rasterise
from inference.findings import Detection, Findings, Mask
from inference.geometry import Affine, kji_to_lps_mm
from inference.measure import measure
from inference.volume import Volume

Bools = npt.NDArray[np.bool_]
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class True3D:
    """One nodule as its readers saw it: each of them, and voxels of at least half of them."""

    readers: tuple[Mask, ...]
    majority: Mask
    anyone: Mask


def nodules_of(truth: Truth, volume: Volume) -> list[True3D]:
    """Return the nodules in voxels of the volume; a reader who outlined no voxel still counts.

    Raises
    ------
    Problem
        When the truth does not lie within the volume.
    """
    out = []
    for by_reader in truth.nodules:
        votes = np.zeros(volume.shape_kji, dtype=np.uint8)
        readers = []
        for annotation in by_reader:
            mask = rasterise(annotation, volume)
            votes += mask
            readers.append(Mask.from_array(mask))
        majority = Mask.from_array((2 * votes >= len(by_reader)) & (votes > 0))
        out.append(True3D(tuple(readers), majority, Mask.from_array(votes > 0)))
    return out


def shared(a: Mask, b: Mask) -> int:
    """Return how many voxels two masks of one volume have in common."""
    low = np.maximum(a.origin_kji, b.origin_kji)
    ends = [np.add(mask.origin_kji, mask.voxels.shape) for mask in (a, b)]
    high = np.minimum(*ends)
    if (low >= high).any():
        return 0
    parts = []
    for mask in (a, b):
        first, last = low - mask.origin_kji, high - mask.origin_kji
        box = tuple(slice(m, n) for m, n in zip(first, last, strict=True))
        parts.append(mask.voxels[box])
    return int((parts[0] & parts[1]).sum())


def dice(a: Mask, b: Mask) -> float:
    """Return the 3-D Dice of two masks of one volume; 1 when both are empty."""
    total = a.count + b.count
    return 2 * shared(a, b) / total if total else 1.0


def extent_mm(mask: Mask, affine: Affine) -> list[float | None]:
    """Return how far a mask reaches along x, y and z of LPS, from voxel edge to voxel edge."""
    if not mask.count:
        return [None, None, None]
    places = np.argwhere(mask.voxels) + np.asarray(mask.origin_kji)
    centres = kji_to_lps_mm(affine, places)
    one_voxel = np.abs(affine[:3, :3]).sum(axis=1)
    return [rounded(v) for v in np.ptp(centres, axis=0) + one_voxel]


def figures(
    volume: Volume, findings: Findings, truth: Truth | None, seconds: dict[str, float]
) -> dict[str, Any]:
    """Return the figures of one scan.

    A detection hits a nodule when it touches a voxel that at least half of its readers
    outlined; it is false when it touches none that any reader of any nodule outlined.

    Parameters
    ----------
    volume
        The scan.
    findings
        Of the model in it; those from its default threshold on are counted, all are ranked.
    truth
        What readers outlined, or None: then nothing is known to be true or false.
    seconds
        Wall time by stage.
    """
    shown = [one for one in findings.detections if one.score >= findings.threshold]
    out: dict[str, Any] = {
        "format": FORMAT,
        "model": {
            "id": findings.model.id,
            "version": findings.model.version,
            "sha256": findings.model.sha256,
            "device": findings.device,
        },
        "scan": {
            "slices": volume.shape_kji[0],
            "spacing_kji_mm": [rounded(mm) for mm in volume.spacing_kji_mm],
        },
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "threshold": findings.threshold,
        "listed": len(findings.detections),
        "shown": len(shown),
        "detections": [_detection(rank, one) for rank, one in enumerate(shown, start=1)],
    }
    if truth is None:
        out["note"] = "without truth: shown is an upper bound of the false positives"
        return out
    nodules = nodules_of(truth, volume)
    rows = [_nodule(one, findings, volume.affine) for one in nodules]
    agreed = [row for row in rows if row["readers"] >= 3]
    false = [one for one in shown if not any(shared(one.mask, n.anyone) for n in nodules)]
    ids = {one.id for one in false}
    for row, one in zip(out["detections"], shown, strict=True):
        row["false"] = one.id in ids
    return {
        **out,
        "nodules": rows,
        "sensitivity": _share(rows),
        "sensitivity_3_or_more_readers": _share(agreed),
        "false_positives": len(false),
    }


def _share(rows: list[dict[str, Any]]) -> float | None:
    return rounded(float(np.mean([row["found"] for row in rows]))) if rows else None


def _detection(rank: int, one: Detection) -> dict[str, Any]:
    return {
        "rank": rank,
        "score": rounded(one.score),
        "centre_lps_mm": [rounded(v) for v in one.centre_lps_mm],
        "long_axis_mm": rounded(one.diameter_mm),
        "volume_ml": rounded(one.volume_ml),
    }


def _nodule(true: True3D, findings: Findings, affine: Affine) -> dict[str, Any]:
    hits = [
        (rank, one)
        for rank, one in enumerate(findings.detections, start=1)
        if shared(one.mask, true.majority)
    ]
    sizes = [_size(mask, affine) for mask in (true.majority, *true.readers)]
    out: dict[str, Any] = {
        "readers": len(true.readers),
        "found": bool(hits) and hits[0][1].score >= findings.threshold,
        "ranks": [rank for rank, _ in hits],
        "majority": sizes[0],
        "each_reader": sizes[1:],
        "readers_dice_with_the_majority_of_the_others": _among(true),
    }
    if hits:
        rank, best = hits[0]
        own = _size(best.mask, affine)
        out["best"] = {
            "rank": rank,
            "score": rounded(best.score),
            "dice": rounded(dice(best.mask, true.majority)),
            "highest_dice_of_any_hit": rounded(
                max(dice(one.mask, true.majority) for _, one in hits)
            ),
            **own,
            "long_axis_error_mm": _minus(own["long_axis_mm"], sizes[0]["long_axis_mm"]),
            "volume_error_percent": rounded(100 * (best.mask.count / true.majority.count - 1)),
        }
        if best.impression is not None:
            out["best"]["impression"] = {
                "malignancy": rounded(best.impression.malignancy),
                "texture": rounded(best.impression.texture),
            }
    return out


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else rounded(a - b)


def _size(mask: Mask, affine: Affine) -> dict[str, Any]:
    if not mask.count:
        return {"extent_lps_mm": [None, None, None], "long_axis_mm": None, "volume_ml": 0.0}
    size = measure(mask, affine)
    return {
        "extent_lps_mm": extent_mm(mask, affine),
        "long_axis_mm": rounded(size.diameter_mm),
        "volume_ml": rounded(size.volume_ml),
    }


def _among(true: True3D) -> list[float | None]:
    """Return the Dice of each reader with the voxels of at least half of the others."""
    if len(true.readers) < 2 or not true.anyone.count:
        return []
    origin = np.asarray(true.anyone.origin_kji)
    k, j, i = true.anyone.voxels.shape
    each = []
    for reader in true.readers:
        a, b, c = (int(v) for v in (np.asarray(reader.origin_kji) - origin) * bool(reader.count))
        each.append(Mask((a, b, c), reader.voxels).to_array((k, j, i)))
    out = []
    for n, own in enumerate(each):
        others = [mask for m, mask in enumerate(each) if m != n]
        half = 2 * np.sum(others, axis=0) >= len(others)
        total = int(own.sum()) + int(half.sum())
        out.append(rounded(2 * int((own & half).sum()) / total) if total else None)
    return out
