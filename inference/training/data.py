"""The training sets: outlined LIDC crops and lungs without labels."""

from __future__ import annotations

import csv
import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from inference.training.grey import grey_scale

Progress = Callable[[int, int], None]

# Four radiologists read every LIDC scan: a share of 0.5 is two of the four.
READERS = 4
SPLITS = ("train", "validation", "test")
# Three scans are all there is: one is kept for choosing the threshold, none for the test.
VALIDATION_LUNGS = ("RIDER-pilot-0109",)
# Nodules that we saw in the lungs without labels, which are no examples of lung without one:
# mm along columns, rows and slices from the first voxel, and diameter. No radiologist read them.
SEEN_NODULES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "CMB-CRC-MSB-01068": (
        (311.6, 120.9, 127.5, 28.0),
        (150.5, 103.3, 36.0, 10.0),
        (123.4, 79.5, 114.4, 6.0),
        (265.7, 132.0, 32.1, 9.0),
        (117.0, 72.9, 73.3, 6.0),
        (160.2, 165.2, 121.7, 6.0),
        (136.9, 104.5, 148.0, 5.0),
        (308.2, 172.7, 107.4, 6.0),
        (306.3, 135.6, 176.1, 5.0),
        (250.8, 46.8, 80.3, 8.0),
        (277.2, 89.9, 87.6, 7.0),
        (301.9, 139.7, 199.4, 6.0),
    ),
}
_CLEAR_MM = 8.0


def split_of(patient: str) -> str:
    """Return the split of one patient, fixed for good: 80 % train, 10 % validation, 10 % test."""
    digit = int(hashlib.sha256(patient.encode()).hexdigest()[:8], 16) % 10
    return "train" if digit < 8 else SPLITS[digit - 7]


@dataclass(frozen=True, slots=True)
class Nodule:
    """One outlined nodule: rows ``start`` to ``stop`` of the crops.

    ``malignancy`` and ``texture`` are the means of its readers, 1 to 5.
    """

    patient: str
    name: str
    start: int
    stop: int
    n_readers: int
    pixel_mm: float
    gap_mm: float
    mean_diameter_mm: float
    malignancy: float
    texture: float

    @property
    def split(self) -> str:
        """The split of its patient."""
        return split_of(self.patient)


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """All LIDC crops.

    Attributes
    ----------
    nodules
        In the order of the index.
    grey
        (slice, row, column) uint8, min-max scaled per slice.
    scale
        (slice, 2) float32: slope and intercept of the estimated HU per grey.
    votes
        (slice, row, column) uint8: how many readers outlined the pixel.
    """

    nodules: tuple[Nodule, ...]
    grey: npt.NDArray[np.uint8]
    scale: npt.NDArray[np.float32]
    votes: npt.NDArray[np.uint8]

    def of(self, split: str) -> tuple[Nodule, ...]:
        """Return the nodules of one split."""
        return tuple(n for n in self.nodules if n.split == split)

    def hu(self, rows: npt.NDArray[np.intp] | slice) -> npt.NDArray[np.float32]:
        """Return the estimated HU (n, row, column) of some slices."""
        slope, intercept = self.scale[rows].T[:, :, None, None]
        return np.asarray(self.grey[rows] * slope + intercept, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Lungs:
    """One CT without labels.

    Attributes
    ----------
    name
        Collection and case.
    hu
        (k, j, i) int16.
    pixel_mm, gap_mm
        Spacing within and between slices.
    inside
        (n, 3) int: voxels (k, j, i) in aerated lung, not next to its wall nor to a nodule seen.
    """

    name: str
    hu: npt.NDArray[np.int16]
    pixel_mm: float
    gap_mm: float
    inside: npt.NDArray[np.intp]

    def around(self, ks: npt.NDArray[np.intp], j: int, i: int, half: int) -> npt.NDArray[np.int16]:
        """Cut slices (k, 2 half, 2 half) round a place; beyond the scan its frame is repeated."""
        ks, js, is_ = (
            np.clip(wanted, 0, size - 1)
            for wanted, size in zip(
                (ks, np.arange(j - half, j + half), np.arange(i - half, i + half)),
                self.hu.shape,
                strict=True,
            )
        )
        return np.asarray(self.hu[ks[:, None, None], js[None, :, None], is_[None, None]])

    def clear(self, places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Return those of some places (n, 3) k, j, i that are not next to a nodule seen."""
        return _clear(places, self.name, self.pixel_mm, self.gap_mm)


def by_size(lungs: Sequence[Lungs]) -> npt.NDArray[np.float64]:
    """Return how often each of some scans is to be drawn: by the root of its lung voxels."""
    sizes = np.sqrt([len(scan.inside) for scan in lungs])
    return np.asarray(sizes / sizes.sum())


def _clear(
    places: npt.NDArray[np.intp], name: str, pixel_mm: float, gap_mm: float
) -> npt.NDArray[np.intp]:
    spots_mm = places[:, ::-1] * np.array([pixel_mm, pixel_mm, gap_mm])
    keep = np.ones(len(places), dtype=np.bool_)
    for x, y, z, diameter in SEEN_NODULES.get(name, ()):
        away = np.linalg.norm(spots_mm - np.array([x, y, z]), axis=1)
        keep &= away > diameter / 2 + _CLEAR_MM
    return places[keep]


def _webp(archive: tarfile.TarFile, name: str) -> npt.NDArray[np.uint8]:
    handle = archive.extractfile(name)
    if handle is None:
        raise FileNotFoundError(name)
    with Image.open(io.BytesIO(handle.read())) as image:
        return np.asarray(image.convert("L"), dtype=np.uint8)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _nodule(row: dict[str, str]) -> Nodule:
    slices = int(row["n_slices"])
    extent = float(row["zmax"]) - float(row["zmin"])
    thickness = float(row["slice_thickness_mm"])
    return Nodule(
        patient=row["patient"],
        name=row["nodule"],
        start=int(row["start"]),
        stop=int(row["stop"]),
        n_readers=int(row["n_readers"]),
        pixel_mm=float(row["pixel_spacing_mm"]),
        gap_mm=extent / (slices - 1) if slices > 1 and extent > 0 else thickness,
        mean_diameter_mm=float(row["mean_diameter_mm"]),
        malignancy=_mean(row["malignancy"]),
        texture=_mean(row["texture"]),
    )


def _mean(scores: str) -> float:
    """Return the mean of the readers' scores, which a space parts; NaN of none."""
    found = [float(score) for score in scores.split()]
    return float(np.mean(found)) if found else float("nan")


def load_crops(folder: Path, progress: Progress | None = None) -> Crops:
    """Decode ``lidc-nodules`` (see its README) and estimate the HU scale of every slice."""
    nodules = tuple(_nodule(row) for row in _rows(folder / "index.csv"))
    with np.load(folder / "reader_masks.npz", allow_pickle=False) as archive:
        bits = archive["masks"]
    votes = sum((bits >> reader & 1 for reader in range(READERS)), np.zeros_like(bits))
    grey = np.zeros(bits.shape, dtype=np.uint8)
    with tarfile.open(folder / "slices.tar") as archive_tar:
        for done, nodule in enumerate(nodules):
            plane = _webp(archive_tar, f"{nodule.patient}_{nodule.name}.webp")
            grey[nodule.start : nodule.stop] = plane.reshape(-1, *bits.shape[1:])
            if progress:
                progress(done + 1, len(nodules))
    scales = [grey_scale(plane) for plane in grey]
    scale = np.array([(s.slope, s.intercept) for s in scales], dtype=np.float32)
    return Crops(nodules, grey, scale, votes)


def load_lungs(folder: Path) -> tuple[Lungs, ...]:
    """Decode ``lungs-unlabelled``: HU = 5.6 grey - 1024."""
    series: dict[str, list[dict[str, str]]] = {}
    for row in _rows(folder / "index.csv"):
        series.setdefault(row["series"], []).append(row)
    out = []
    with tarfile.open(folder / "slices.tar") as archive:
        for name, rows in series.items():
            rows.sort(key=lambda row: float(row["z_lps_mm"]))
            grey = np.stack([_webp(archive, row["file"]) for row in rows])
            hu = np.round(grey * 5.6 - 1024.0).astype(np.int16)
            pixel_mm = float(rows[0]["pixel_spacing_mm"])
            gap_mm = float(np.median(np.diff([float(row["z_lps_mm"]) for row in rows])))
            inside = _clear(np.argwhere(_aerated(hu)), name, pixel_mm, gap_mm)
            out.append(Lungs(name, hu, pixel_mm, gap_mm, inside))
    return tuple(out)


def _aerated(hu: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Mark lung voxels a few pixels from anything dense: (k, j, i) HU to bool."""
    air = ndimage.uniform_filter(hu.astype(np.float32), size=(1, 3, 3)) < -400
    for plane in air:
        # Air outside the body reaches the frame of the slice; lungs lie within.
        labels, _ = ndimage.label(plane)
        frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        plane[np.isin(labels, frame)] = False
    labels, count = ndimage.label(air)
    if not count:
        return np.zeros(hu.shape, dtype=np.bool_)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    means = ndimage.mean(hu, labels, np.arange(count + 1))
    # A hollow table top is emptier than lung.
    lungs = ((sizes > 0.1 * sizes.max()) & (means > -890))[labels]
    return np.asarray(ndimage.uniform_filter(lungs.astype(np.float32), size=(1, 9, 9)) > 0.75)
