"""Small folders in the format of lidc-nodules, predictions for them, and nodules by hand."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.evaluation.folder import SIZE_PX, Folder, Lesion, load_folder
from inference.evaluation.predictions import Predictions

PIXEL_MM, GAP_MM = 0.7, 2.5


def ball(slices: int, radius_px: float, row: float = 64, column: float = 64):
    """A ball (slice, row, column) bool whose middle slice is the middle of the crop."""
    k, j, i = np.indices((slices, SIZE_PX, SIZE_PX))
    up = (k - (slices - 1) / 2) * GAP_MM / PIXEL_MM
    return up**2 + (j - row) ** 2 + (i - column) ** 2 <= radius_px**2


def lesion(start: int = 0, stop: int = 5, **changes) -> Lesion:
    values = {
        "patient": "P1", "name": "nodule-0", "start": start, "stop": stop, "n_readers": 4,
        "pixel_mm": PIXEL_MM, "gap_mm": GAP_MM, "diameter_mm": 8.0,
        "malignancy": (2.0, 3.0, 3.0, 4.0), "texture": (5.0, 5.0, 4.0, 5.0),
    }  # fmt: skip
    return Lesion(**{**values, **changes})


def folder_of(nodules: Sequence[Sequence[np.ndarray]], **changes) -> Folder:
    """A folder in memory: a nodule is the outlines of its readers."""
    bits, lesions, start = [], [], 0
    for number, readers in enumerate(nodules):
        own = sum(
            (mask.astype(np.uint8) << r for r, mask in enumerate(readers)),
            np.zeros(readers[0].shape, dtype=np.uint8),
        )
        bits.append(own)
        lesions.append(
            lesion(
                start,
                start + len(own),
                **{"patient": f"P{number}", "n_readers": len(readers), **changes},
            )
        )
        start += len(own)
    return Folder(Path("nowhere"), tuple(lesions), np.concatenate(bits))


def said(folder: Folder, masks: np.ndarray, scores=None, **more) -> Predictions:
    count = len(folder.lesions)
    scores = np.full(count, 0.9) if scores is None else np.asarray(scores, dtype=float)
    return Predictions(masks, scores, np.ones(count, dtype=bool), **more)


def majority(folder: Folder) -> np.ndarray:
    return np.concatenate([folder.majority(one) for one in folder.lesions])


def write_folder(path: Path, count: int = 6, first: int = 0, pixels: bool = True) -> Folder:
    """Write a folder of balls that four readers outlined a little differently."""
    path.mkdir(parents=True)
    rng = np.random.default_rng(3)
    rows, masks, start = [], [], 0
    with tarfile.open(path / "slices.tar", "w") as archive:
        for n in range(first, first + count):
            slices = 3 + n % 3
            radius = 5 + n % 4
            planes = [ball(slices, radius + change) for change in (-1, 0, 0, 1)]
            own = sum(
                (plane.astype(np.uint8) << r for r, plane in enumerate(planes)),
                np.zeros(planes[0].shape, dtype=np.uint8),
            )
            masks.append(own)
            if pixels:
                add_webp(archive, f"LIDC-IDRI-{n:04d}_nodule-1.webp", _grey(planes[1], rng))
            rows.append(
                {
                    "patient": f"LIDC-IDRI-{n:04d}", "nodule": "nodule-1", "n_slices": slices,
                    "n_readers": 4, "slice_thickness_mm": GAP_MM, "pixel_spacing_mm": PIXEL_MM,
                    "malignancy": "1 2 3 2", "texture": "5 5 4 5",
                    "mean_diameter_mm": round(2 * radius * PIXEL_MM, 1),
                    "zmin": -100.0, "zmax": -100.0 + GAP_MM * (slices - 1),
                    "start": start, "stop": start + slices,
                }
            )  # fmt: skip
            start += slices
    np.savez_compressed(path / "reader_masks.npz", masks=np.concatenate(masks))
    write_index(path, rows)
    return load_folder(path)


def write_index(path: Path, rows: Sequence[dict]) -> None:
    with (path / "index.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_index(path: Path) -> list[dict]:
    with (path / "index.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _grey(nodule, rng) -> np.ndarray:
    """Lung, chest wall and a nodule, stretched to 8 bits."""
    hu = np.full(nodule.shape, -860.0)
    hu[:, 100:] = 30
    hu[nodule] = 20
    hu += rng.normal(0, 20, hu.shape)
    low, high = hu.min(), hu.max()
    return np.round((hu - low) / (high - low) * 255).astype(np.uint8)


def add_webp(archive: tarfile.TarFile, name: str, planes: np.ndarray) -> None:
    from PIL import Image

    handle = io.BytesIO()
    Image.fromarray(planes.reshape(-1, SIZE_PX)).save(handle, "WEBP", lossless=True)
    info = tarfile.TarInfo(name)
    info.size = handle.tell()
    handle.seek(0)
    archive.addfile(info, handle)
