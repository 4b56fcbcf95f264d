"""A small data set in the form of the real one, and recipes that take seconds."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference.training.batches import Rng
from inference.training.data import Crops, Nodule, split_of
from inference.training.recipe import Recipe, read_recipe


def plane(rng: Rng, lung=-860.0, soft=30.0, noise=25.0):
    hu = np.full((128, 128), lung)
    hu[:, 80:] = soft
    hu[:, 118:] = -100
    hu[40:60, 30:34] = 20
    hu[100:110, 90:100] = 600
    return hu + rng.normal(0, noise, hu.shape)


def write_webp(archive: tarfile.TarFile, name: str, plane) -> None:
    handle = io.BytesIO()
    Image.fromarray(plane).save(handle, "WEBP", lossless=True)
    info = tarfile.TarInfo(name)
    info.size = handle.tell()
    handle.seek(0)
    archive.addfile(info, handle)


def write_crops(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    rows, masks = [], []
    start = 0
    with tarfile.open(folder / "slices.tar", "w") as archive:
        for n in range(count):
            slices = int(rng.integers(2, 5))
            j, i = np.indices((128, 128))
            disc = (j - 64) ** 2 + (i - 50) ** 2 < 49
            planes = []
            for _ in range(slices):
                hu = plane(rng)
                hu[disc] = 30
                grey = (hu - hu.min()) / (hu.max() - hu.min()) * 255
                planes.append(np.round(grey).astype(np.uint8))
                masks.append(disc * np.uint8(0b1011))
            write_webp(archive, f"LIDC-IDRI-{n:04d}_nodule-0.webp", np.concatenate(planes))
            rows.append(
                {
                    "patient": f"LIDC-IDRI-{n:04d}",
                    "nodule": "nodule-0",
                    "n_slices": slices,
                    "n_readers": 3,
                    "start": start,
                    "stop": start + slices,
                    "pixel_spacing_mm": 0.7,
                    "slice_thickness_mm": 2.5,
                    "mean_diameter_mm": 9.8,
                    "malignancy": "1 3 5",
                    "texture": "5 5 4",
                    "zmin": 0.0,
                    "zmax": 2.5 * (slices - 1),
                }
            )
            start += slices
    np.savez_compressed(folder / "reader_masks.npz", masks=np.stack(masks).astype(np.uint8))
    write_rows(folder / "index.csv", rows)


def write_lungs(folder: Path) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(6)
    j, i = np.indices((160, 200))
    rows = []
    with tarfile.open(folder / "slices.tar", "w") as archive:
        for k in range(12):
            hu = np.full((160, 200), 40.0)
            for column in (55, 145):
                hu[((j - 80) / 60) ** 2 + ((i - column) / 38) ** 2 < 1] = -850
            hu[76:80, 40:60] = 30
            grey = (np.clip(hu + rng.normal(0, 20, hu.shape), -1024, 404) + 1024) / 5.6
            name = f"A/{k:04d}.webp"
            write_webp(archive, name, np.round(grey).astype(np.uint8))
            rows.append(
                {
                    "series": "A",
                    "slice": k,
                    "file": name,
                    "pixel_spacing_mm": 1.2,
                    "z_lps_mm": 5.0 * (12 - k),
                }
            )
    write_rows(folder / "index.csv", rows)


def write_rows(path: Path, rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def document(**changes: Any) -> dict[str, Any]:
    """Return the recipe of the program as JSON, made small; ``a__b=c`` changes a member."""
    found = read_recipe().document()
    for name, widths in (("heatmap", [4, 8]), ("outliner", [4, 8])):
        found[name] |= {"steps": 4, "batch": 2, "widths": widths}
    found["mining"] |= {"from_step": 2}
    found["refine"] = [one | {"steps": 3} for one in found["refine"]]
    found["threshold"] |= {"policy": "fixed"}
    for path, value in changes.items():
        *above, last = path.split("__")
        place = found
        for key in above:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[last] = value
    return found


def write_recipe(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(document(**changes)), encoding="utf-8")
    return path


def recipe(folder: Path, **changes: Any) -> Recipe:
    return read_recipe(write_recipe(folder / "recipe.json", **changes))


# Discs in memory -------------------------------------------------------------------------------

DISC_MM, PIXEL_MM, GAP_MM, SLICES = 12.0, 0.7, 2.0, 5
LUNG_HU, SOFT_HU = -860.0, 30.0


def patients(split: str, count: int) -> list[str]:
    names = (f"LIDC-IDRI-{n:04d}" for n in range(1, 2000))
    return list(islice((name for name in names if split_of(name) == split), count))


def disc_crops(names: list[str]) -> Crops:
    """Return crops of cylinders in lung, one a patient, that four readers outlined alike.

    Those who are not of the training patients are white all over.
    """
    rng = np.random.default_rng(2)
    j, i = np.indices((128, 128))
    nodules, grey, votes = [], [], []
    for n, name in enumerate(names):
        centre = 64 + rng.integers(-3, 4, 2)
        disc = np.hypot(j - centre[0], i - centre[1]) <= DISC_MM / 2 / PIXEL_MM
        hu = np.where(disc, SOFT_HU, LUNG_HU) + rng.normal(0, 10, (SLICES, 128, 128))
        hu[:, 20:26, 20:26] = SOFT_HU
        found = np.round((hu + 1024) / 5.6).clip(0, 255).astype(np.uint8)
        grey.append(found if split_of(name) == "train" else np.full_like(found, 255))
        votes.append(np.repeat(disc[None] * np.uint8(4), SLICES, axis=0))
        nodules.append(
            Nodule(
                patient=name,
                name="nodule-0",
                start=n * SLICES,
                stop=(n + 1) * SLICES,
                n_readers=4,
                pixel_mm=PIXEL_MM,
                gap_mm=GAP_MM,
                mean_diameter_mm=DISC_MM,
                malignancy=3.0,
                texture=5.0,
            )
        )
    scale = np.tile(np.array([5.6, -1024.0], np.float32), (len(names) * SLICES, 1))
    return Crops(tuple(nodules), np.concatenate(grey), scale, np.concatenate(votes))


def disc_places(crops: Crops) -> npt.NDArray[np.intp]:
    """Return the bright square beside the disc in every slice, of all patients."""
    return np.array([[row, 22, 22] for row in range(len(crops.grey))], dtype=np.intp)
