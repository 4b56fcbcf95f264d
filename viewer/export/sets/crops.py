"""Crops in the format of ``lidc-nodules``, which ``overread retrain`` reads.

A row with readers is a nodule as it was accepted, corrected or drawn; a row with none is a finding
that was rejected, in the middle of its crop. As in those data each slice of a crop is min-max
scaled to 8 bits on its own: what is trained brings the scale back in the one way it does for them.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.volume import Volume
from viewer.export.report import FileCheck
from viewer.export.sets.files import insist
from viewer.export.sets.formats import NoCrop
from viewer.export.sets.truth import Finding, other_masks

FOLDER = "crops"
INDEX, MASKS, SLICES, OTHERS = "index.csv", "reader_masks.npz", "slices.tar", "other_findings.npz"
SIZE_PX = 128
READERS = 8  # bits of a byte
COLUMNS = (
    "patient", "nodule", "n_slices", "n_readers", "series_uid", "slice_thickness_mm",
    "pixel_spacing_mm", "annotation_ids", "malignancy", "subtlety", "texture", "calcification",
    "mean_diameter_mm", "zmin", "zmax", "exact_mask_area_match", "readers_matched", "start", "stop",
)  # fmt: skip

Bytes = npt.NDArray[np.uint8]

# A picture of WebP has at most 16,383 rows.
_MOST_SLICES = 16_383 // SIZE_PX
# Below air there is nothing but padding outside of the scanner's circle; the crops of LIDC-IDRI
# begin at about -1000 too.
_LEAST_HU = -1024
_SQUARE, _AXIAL = 0.01, 0.9
# Nearer than this to another lesion the middle of a crop is no example of "no nodule".
_AWAY_MM = 12.0
_TEXTURES = {"ground-glass": 1, "part-solid": 3, "solid": 5}


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One row.

    Attributes
    ----------
    row
        As the index has it, but for ``start`` and ``stop``.
    grey
        (k, 128, 128) uint8, min-max scaled per slice.
    bits
        (k, 128, 128) uint8, bit r where reader r outlined the pixel.
    others
        (k, 128, 128) uint8: 1 where another finding is or may be a lesion.
    """

    row: Mapping[str, str]
    grey: Bytes
    bits: Bytes
    others: Bytes


def why_no_crops(volume: Volume) -> NoCrop | None:
    """Return why no finding of a case can be a crop; None when it can."""
    if volume.modality != "CT" or volume.unit != "HU":
        return "not-ct"
    _, row_mm, column_mm = geometry.spacing_kji_mm(volume.affine)
    if abs(row_mm - column_mm) > _SQUARE * column_mm:
        return "not-square"
    step = volume.affine[:3, 0]
    return None if abs(step[2]) >= _AXIAL * float(np.linalg.norm(step)) else "not-axial"


def crop_of(
    one: Finding,
    found: tuple[Finding, ...],
    outlines: Sequence[npt.NDArray[np.bool_]],
    volume: Volume,
    names: Mapping[str, str],
) -> Crop | NoCrop:
    """Cut one finding out.

    Parameters
    ----------
    one
        Truth or rejected.
    found
        All findings of the case.
    outlines
        Of a true finding by each of its readers, (k, j, i) in the box of the volume's shape;
        empty for a rejected one.
    volume
        Of CT, see ``why_no_crops``.
    names
        ``"patient"``, ``"nodule"`` and ``"series_uid"``, all pseudonyms.
    """
    if one.kind == "rejected":
        where = _round_point(one, found, volume)
        if isinstance(where, str):
            return where
    else:
        where = _round_outline(outlines)
    (low, high), top, left = where
    if high - low > _MOST_SLICES:
        return "too-large"
    bits = np.zeros((high - low, SIZE_PX, SIZE_PX), dtype=np.uint8)
    for reader, outline in enumerate(outlines[:READERS]):
        own = _window(outline[low:high], top, left, fill=False)
        if np.count_nonzero(own) != np.count_nonzero(outline):
            return "too-large"
        bits |= (own.astype(np.uint8) << reader).astype(np.uint8)
    others = np.zeros(volume.shape_kji, dtype=np.bool_)
    for mask in other_masks(found, one):
        others[mask.box] |= mask.voxels
    beside = _window(others[low:high], top, left, fill=False).astype(np.uint8)
    return Crop(
        _row(one, volume, (low, high), min(len(outlines), READERS), names),
        scaled(volume.voxels[low:high], top, left),
        bits,
        beside * (bits == 0),
    )


def scaled(slices: npt.NDArray[Any], top: int, left: int) -> Bytes:
    """Cut (k, 128, 128) from slices and scale each on its own: its least is 0, its most 255.

    Beyond the image there is 0, as outside of the scanner's circle.
    """
    inside = np.maximum(slices, _LEAST_HU).astype(np.float32)
    out = np.zeros((len(slices), SIZE_PX, SIZE_PX), dtype=np.uint8)
    rows, columns = slices.shape[1:]
    j, i = (slice(max(0, at), min(n, at + SIZE_PX)) for at, n in ((top, rows), (left, columns)))
    for k, plane in enumerate(inside):
        part = plane[j, i]
        low, high = float(part.min()), float(part.max())
        share = (part - low) / max(high - low, 1.0)
        place = (slice(j.start - top, j.stop - top), slice(i.start - left, i.stop - left))
        out[k][place] = np.rint(share * 255).astype(np.uint8)
    return out


def _round_outline(
    outlines: Sequence[npt.NDArray[np.bool_]],
) -> tuple[tuple[int, int], int, int]:
    """Return slices, first row and first column of the crop round all outlines of a lesion."""
    any_of = np.logical_or.reduce(list(outlines))
    ends = []
    for axis in range(3):
        hit = np.flatnonzero(any_of.any(axis=tuple(a for a in range(3) if a != axis)))
        ends.append((int(hit[0]), int(hit[-1]) + 1))
    top, left = ((low + high - 1) // 2 - SIZE_PX // 2 for low, high in ends[1:])
    return ends[0], top, left


def _round_point(
    one: Finding, found: tuple[Finding, ...], volume: Volume
) -> tuple[tuple[int, int], int, int] | NoCrop:
    """Return the same for a rejected finding: it lies in the middle slice, row and column."""
    mask, centre_mm = one.lesion.mask, one.lesion.centre_lps_mm
    reach = 1
    if mask.count:
        voxels = np.argwhere(mask.voxels) + mask.origin_kji
        mean = voxels.mean(axis=0)
        point = voxels[np.argmin(np.linalg.norm(voxels - mean, axis=1))]
        reach = int(max(point[0] - voxels[0][0], voxels[-1][0] - point[0]))
    elif centre_mm is not None:
        point = np.rint(geometry.lps_mm_to_kji(volume.affine, [centre_mm])[0]).astype(int)
    else:
        return "too-large"
    k, j, i = (int(np.clip(p, 0, n - 1)) for p, n in zip(point, volume.shape_kji, strict=True))
    place = geometry.kji_to_lps_mm(volume.affine, [(k, j, i)])
    for other in other_masks(found, one):
        voxels = np.argwhere(other.voxels) + other.origin_kji
        away = np.linalg.norm(geometry.kji_to_lps_mm(volume.affine, voxels) - place, axis=1)
        if away.min() < _AWAY_MM:
            return "beside-a-nodule"
    reach = min(reach, k, volume.shape_kji[0] - 1 - k, (_MOST_SLICES - 1) // 2)
    return (k - reach, k + reach + 1), j - SIZE_PX // 2, i - SIZE_PX // 2


def _window(slices: npt.NDArray[Any], top: int, left: int, *, fill: bool) -> npt.NDArray[Any]:
    padded = np.pad(slices, ((0, 0), (SIZE_PX, SIZE_PX), (SIZE_PX, SIZE_PX)), constant_values=fill)
    j, i = top + SIZE_PX, left + SIZE_PX
    return np.asarray(padded[:, j : j + SIZE_PX, i : i + SIZE_PX])


def _row(
    one: Finding,
    volume: Volume,
    ends: tuple[int, int],
    readers: int,
    names: Mapping[str, str],
) -> dict[str, str]:
    lesion, size = one.lesion, one.lesion.measurement
    gap_mm, _, pixel_mm = geometry.spacing_kji_mm(volume.affine)
    low, high = ends
    # Distances along the normal: two ends a slice apart say the gap whatever the tilt.
    first = float(geometry.kji_to_lps_mm(volume.affine, [(low, 0, 0)])[0][2])
    diameter = pixel_mm if size is None else (size.diameter_mm + size.short_axis_mm) / 2
    return {
        **names,
        "n_slices": str(high - low),
        "n_readers": str(readers),
        # What is read as the distance of slices where a crop has only one.
        "slice_thickness_mm": f"{gap_mm:.6f}",
        "pixel_spacing_mm": f"{pixel_mm:.6f}",
        "annotation_ids": str(lesion.number),
        "malignancy": "" if lesion.malignancy is None else str(lesion.malignancy),
        "subtlety": "",
        "texture": str(_TEXTURES.get(lesion.texture or "", "")),
        "calcification": "",
        "mean_diameter_mm": f"{max(diameter, pixel_mm):.2f}",
        "zmin": f"{first:.6f}",
        "zmax": f"{first + gap_mm * (high - low - 1):.6f}",
        "exact_mask_area_match": "1" if readers else "",
        "readers_matched": str(readers),
    }


# ------------------------------------------------------------------ the folder of a version


def save(path: Path, crops: Sequence[Crop]) -> None:
    """Write the crops of a case by themselves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        grey=_joined(crops, "grey"),
        bits=_joined(crops, "bits"),
        others=_joined(crops, "others"),
    )


def load(path: Path, rows: Sequence[Mapping[str, str]]) -> list[Crop]:
    """Read what ``save`` wrote, given its rows."""
    with np.load(path, allow_pickle=False) as archive:
        grey, bits, others = archive["grey"], archive["bits"], archive["others"]
    out, at = [], 0
    for row in rows:
        own = slice(at, at + int(row["n_slices"]))
        out.append(Crop(row, grey[own], bits[own], others[own]))
        at = own.stop
    return out


def write_folder(folder: Path, name: str, crops: Sequence[Crop]) -> list[FileCheck]:
    """Write crops as one folder in the format, and read all of it again.

    Parameters
    ----------
    folder, name
        Of the version, and of the folder in it.
    """
    import PIL
    from PIL import Image

    target = folder / name
    target.mkdir(parents=True)
    rows, at = [], 0
    for crop in crops:
        stop = at + len(crop.grey)
        rows.append({**crop.row, "start": str(at), "stop": str(stop)})
        at = stop
    with (target / INDEX).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    np.savez_compressed(target / MASKS, masks=_joined(crops, "bits"))
    np.savez_compressed(target / OTHERS, masks=_joined(crops, "others"))
    with tarfile.open(target / SLICES, "w") as archive:
        for crop in crops:
            picture = io.BytesIO()
            Image.fromarray(crop.grey.reshape(-1, SIZE_PX)).convert("RGB").save(
                picture, "WEBP", lossless=True, method=4
            )
            # No owner and no time: the same crops give the same bytes.
            entry = tarfile.TarInfo(f"{crop.row['patient']}_{crop.row['nodule']}.webp")
            entry.size = len(picture.getvalue())
            archive.addfile(entry, io.BytesIO(picture.getvalue()))
    _check(target, crops)
    said = {
        INDEX: ("csv", ("every row",)),
        MASKS: (f"numpy {np.__version__}", ("every pixel of each reader",)),
        OTHERS: (f"numpy {np.__version__}", ("every pixel",)),
        SLICES: (f"Pillow {PIL.__version__}", ("every pixel", "each slice from 0 to 255")),
    }
    return [FileCheck(f"{name}/{file}", *how) for file, how in said.items()]


def _check(target: Path, crops: Sequence[Crop]) -> None:
    """Read a folder as training does: by its index."""
    from PIL import Image

    with (target / INDEX).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    insist(INDEX, "" if len(rows) == len(crops) else "rows")
    with np.load(target / MASKS, allow_pickle=False) as one:
        masks = one["masks"]
    with np.load(target / OTHERS, allow_pickle=False) as one:
        beside = one["masks"]
    with tarfile.open(target / SLICES) as archive:
        for row, crop in zip(rows, crops, strict=True):
            own = slice(int(row["start"]), int(row["stop"]))
            insist(MASKS, "" if np.array_equal(masks[own], crop.bits) else "outlines differ")
            insist(OTHERS, "" if np.array_equal(beside[own], crop.others) else "pixels differ")
            handle = archive.extractfile(f"{row['patient']}_{row['nodule']}.webp")
            with Image.open(io.BytesIO(handle.read() if handle else b"")) as image:
                grey = np.asarray(image.convert("L")).reshape(-1, SIZE_PX, SIZE_PX)
            insist(SLICES, "" if np.array_equal(grey, crop.grey) else "pixels differ")
            insist(INDEX, "" if row == {**row, **crop.row} else "a row differs")


def _joined(crops: Iterable[Crop], what: str) -> Bytes:
    parts = [np.asarray(getattr(crop, what)) for crop in crops]
    return np.concatenate(parts) if parts else np.zeros((0, SIZE_PX, SIZE_PX), np.uint8)
