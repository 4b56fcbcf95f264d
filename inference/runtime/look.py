"""One look of the outliner at a place in a scan: what the net says of one window there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from inference.geometry import Affine
from inference.runtime import window
from inference.runtime.engine import Engine
from inference.runtime.intensity import to_unit

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
# Whether rows and columns are mirrored, and whether they are swapped.
Mirrors = tuple[tuple[int, int, int], ...]

FIRST_LEVEL = 0.3
_NEAR_MM = 6.0
# A nodule has no up and down.
MIRRORS: Mirrors = ((0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 1, 0))
_MOST_IN_BATCH = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how large a look is: fractional voxel (k, j, i) and diameter in mm, if known."""

    centre_kji: tuple[float, float, float]
    diameter_mm: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the lesion is.

    Attributes
    ----------
    logit
        That it is a nodule.
    malignancy, texture
        As in ``findings.Impression``.
    """

    logit: float
    malignancy: float
    texture: float

    @property
    def score(self) -> float:
        """Chance that it is a nodule, 0..1."""
        return float(1 / (1 + np.exp(-self.logit)))


@dataclass(frozen=True, slots=True, eq=False)
class Look(Verdict):
    """One look: what the net said of one window.

    Attributes
    ----------
    share, half
        (k, row, column) 0..1 in the window: share of readers, and chance that at least half.
    spread
        (k, row, column) 0..1: twice the standard deviation of ``half`` over the mirrored windows.
    slices
        The volume's slice of every k.
    centre_rc, pixel_mm
        Fractional row and column of the volume at the middle of the window, and its pixel size.
    """

    share: Floats
    half: Floats
    spread: Floats
    slices: npt.NDArray[np.intp]
    centre_rc: tuple[float, float]
    pixel_mm: float


class Scan:
    """A volume as the outliner looks at it.

    Parameters
    ----------
    voxels
        (k, j, i) HU.
    affine
        (4, 4), (k, j, i, 1) to LPS mm.
    """

    def __init__(self, voxels: npt.NDArray[Any], affine: Affine) -> None:
        self.voxels = voxels
        self.affine = affine
        gap, row, column = np.linalg.norm(affine[:3, :3], axis=0)
        self.gap_mm = float(gap)
        self.spacing_rc = (float(row), float(column))

    def prepare(self, place: Place) -> tuple[Tensor, npt.NDArray[np.intp], window.Scale]:
        """Return the input of one window, its slices and its scale."""
        if place.diameter_mm is None:
            scale = window.first_scale(self.gap_mm)
        else:
            scale = window.second_scale(place.diameter_mm, self.gap_mm)
        k, j, i = place.centre_kji
        middle = int(np.clip(round(k), 0, len(self.voxels) - 1))
        slices = middle + scale.offsets(self.gap_mm)
        slices = slices[(slices >= 0) & (slices < len(self.voxels))]
        half_mm = scale.pixel_mm * window.SIZE_PX / 2
        sides, centre = [], []
        for axis, at in ((1, j), (2, i)):
            reach = int(np.ceil(half_mm / self.spacing_rc[axis - 1])) + 2
            low = max(round(at) - reach, 0)
            high = max(min(round(at) + reach + 1, self.voxels.shape[axis]), low + 1)
            sides.append(slice(low, high))
            centre.append(at - low)
        cut = self.voxels[slices][:, sides[0], sides[1]]
        # What is no number is taken for air, as in the pipeline.
        planes = np.nan_to_num(to_unit(cut), copy=False, nan=0.0)
        images = window.look(planes, (centre[0], centre[1]), self.spacing_rc, scale.pixel_mm)
        distance = torch.from_numpy(((slices - middle) * self.gap_mm).astype(np.float32))
        inputs = window.channels(images, distance, torch.ones(len(slices)), scale.pixel_mm)
        return inputs, slices, scale


def looks(
    engine: Engine, scan: Scan, places: Sequence[Place], mirrors: Mirrors = MIRRORS[:1]
) -> list[Look]:
    """Look at several places.

    Windows with as many slices as one another share a batch.

    Parameters
    ----------
    mirrors
        Of the windows that are averaged.
    """
    prepared = [scan.prepare(place) for place in places]
    out: list[Look | None] = [None] * len(places)
    by_slices: dict[int, list[int]] = {}
    for n, (inputs, _, _) in enumerate(prepared):
        by_slices.setdefault(inputs.shape[1], []).append(n)
    for count, members in by_slices.items():
        size = max(1, _MOST_IN_BATCH // (count * len(mirrors)))
        for first in range(0, len(members), size):
            batch = members[first : first + size]
            stack = torch.stack([prepared[n][0] for n in batch])
            masks, verdicts = _mirrored(engine, stack, mirrors)
            for row, n in enumerate(batch):
                _, slices, scale = prepared[n]
                _, j, i = places[n].centre_kji
                share, half = masks[:, row, 0].mean(axis=0), masks[:, row, 1].mean(axis=0)
                spread = 2 * masks[:, row, 1].std(axis=0)
                logit, malignancy, texture = verdicts[:, row].mean(axis=0)
                out[n] = Look(
                    logit=float(logit),
                    malignancy=_score(malignancy),
                    texture=_score(texture),
                    share=share,
                    half=half,
                    spread=spread,
                    slices=slices,
                    centre_rc=(j, i),
                    pixel_mm=scale.pixel_mm,
                )
    return [look for look in out if look is not None]


def _score(distance: float) -> float:
    return float(np.clip(distance + 3.0, 1.0, 5.0))


def _mirrored(engine: Engine, stack: Tensor, mirrors: Mirrors) -> tuple[Floats, Floats]:
    """Return chances (mirror, n, 2, k, row, column) and verdicts (mirror, n, 3)."""
    turned = torch.cat([_turn(stack, *mirror) for mirror in mirrors])
    masks, verdicts = engine.backend.run("outliner", turned)
    parts = masks.sigmoid().split(len(stack))
    back = [_back(part, *mirror) for part, mirror in zip(parts, mirrors, strict=True)]
    return torch.stack(back).numpy(), torch.stack(verdicts.split(len(stack))).numpy()


def _turn(x: Tensor, rows: int, columns: int, swap: int) -> Tensor:
    axes = [axis for axis, wanted in ((-2, rows), (-1, columns)) if wanted]
    x = x.flip(axes) if axes else x
    return x.transpose(-1, -2) if swap else x


def _back(x: Tensor, rows: int, columns: int, swap: int) -> Tensor:
    x = x.transpose(-1, -2) if swap else x
    axes = [axis for axis, wanted in ((-2, rows), (-1, columns)) if wanted]
    return x.flip(axes) if axes else x


def seen(scan: Scan, look: Look, point_kji: Sequence[float], level: float) -> Place | None:
    """Return middle and diameter of what a look outlined at a point; None when there is nothing."""
    piece = nearest_piece(look.half >= level, _in_window(scan, look, point_kji), _cell(scan, look))
    if piece is None:
        return None
    places = np.argwhere(piece)
    extent = np.ptp(places[:, 1:], axis=0).max() + 1
    k, row, column = places.mean(axis=0)
    middle = (window.SIZE_PX - 1) / 2
    return Place(
        (
            float(np.interp(k, np.arange(len(look.slices)), look.slices)),
            look.centre_rc[0] + (row - middle) * look.pixel_mm / scan.spacing_rc[0],
            look.centre_rc[1] + (column - middle) * look.pixel_mm / scan.spacing_rc[1],
        ),
        float(extent * look.pixel_mm),
    )


def _cell(scan: Scan, look: Look) -> tuple[float, float, float]:
    step = int(look.slices[1] - look.slices[0]) if len(look.slices) > 1 else 1
    return step * scan.gap_mm, look.pixel_mm, look.pixel_mm


def _in_window(scan: Scan, look: Look, point_kji: Sequence[float]) -> tuple[float, float, float]:
    middle = (window.SIZE_PX - 1) / 2
    return (
        float(np.interp(point_kji[0], look.slices, np.arange(len(look.slices)))),
        middle + (point_kji[1] - look.centre_rc[0]) * scan.spacing_rc[0] / look.pixel_mm,
        middle + (point_kji[2] - look.centre_rc[1]) * scan.spacing_rc[1] / look.pixel_mm,
    )


def nearest_piece(
    mask: Bools, point: Sequence[float], cell_mm: tuple[float, float, float]
) -> Bools | None:
    """Return the connected piece nearest to a point; None when none is near."""
    places = np.argwhere(mask)
    if not len(places):
        return None
    away = np.linalg.norm((places - np.asarray(point)) * np.asarray(cell_mm), axis=1)
    nearest = int(away.argmin())
    if away[nearest] > _NEAR_MM + cell_mm[0]:
        return None
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    return np.asarray(labels == labels[tuple(places[nearest])])
