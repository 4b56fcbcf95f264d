"""Where a lesion lies, in words: side and third of the lung, from patient space alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from resources.text import translate
from viewer.annotate.lesion import Point
from viewer.annotate.mask import Bools

Side = Literal["right", "left"]
Level = Literal["upper", "middle", "lower"]

# A lesion at the pleura or hilum may lie outside of both masks; farther off it is not placed.
_NEAR_MM = 20.0


@dataclass(frozen=True, slots=True)
class Place:
    """Side of the patient, and third of that lung's height; None where it is not known."""

    side: Side | None
    level: Level | None

    def text(self) -> str:
        """Return it translated, such as ``"right, upper third"``; empty when not known."""
        match self.side, self.level:
            case "right", "upper":
                return translate("annotate", "right, upper third")
            case "right", "middle":
                return translate("annotate", "right, middle third")
            case "right", "lower":
                return translate("annotate", "right, lower third")
            case "left", "upper":
                return translate("annotate", "left, upper third")
            case "left", "middle":
                return translate("annotate", "left, middle third")
            case "left", "lower":
                return translate("annotate", "left, lower third")
            case _:
                return ""


class LungMap:
    """Both lungs of one volume, measured once.

    Parameters
    ----------
    lungs
        Masks by side of the patient; a side may be missing or empty.
    affine
        (4, 4), (k, j, i, 1) to LPS mm.
    former
        Map of the same volume, whose lungs need not be measured again if they are the same.
    """

    def __init__(
        self,
        lungs: Mapping[Side, Mask],
        affine: geometry.Affine,
        former: LungMap | None = None,
    ) -> None:
        self._affine = affine
        self._lungs = {side: mask for side, mask in lungs.items() if mask.voxels.size}
        self._height_mm: dict[Side, tuple[float, float]] = {
            side: former._height_mm[side]
            if former is not None and former._lungs.get(side) is mask
            else _height_mm(mask, affine)
            for side, mask in self._lungs.items()
        }

    def place(self, centre_lps_mm: Point) -> Place:
        """Place a point of patient space (LPS mm): in the lung that holds it, or the nearest."""
        distances = {
            side: _distance_mm(mask, self._affine, centre_lps_mm)
            for side, mask in self._lungs.items()
        }
        side = min(distances, key=lambda s: distances[s], default=None)
        if side is None or distances[side] > _NEAR_MM:
            return Place(None, None)
        low, high = self._height_mm[side]
        third = (centre_lps_mm[2] - low) / (high - low)
        level: Level = "lower" if third < 1 / 3 else "middle" if third < 2 / 3 else "upper"
        return Place(side, level)


def place(centre_lps_mm: Point, lungs: Mapping[Side, Mask], affine: geometry.Affine) -> Place:
    """Place one point; ``LungMap`` is quicker for several."""
    return LungMap(lungs, affine).place(centre_lps_mm)


def _height_mm(mask: Mask, affine: geometry.Affine) -> tuple[float, float]:
    """Return the lowest and highest z (towards the head) that voxels of a mask reach, mm."""
    z = affine[2, :3]
    rows = np.argwhere(mask.voxels.any(axis=2))
    origin = float(z @ mask.origin_kji + affine[2, 3])
    half = float(np.abs(z).sum()) / 2.0
    low, high = -_highest(mask.voxels, rows, -z), _highest(mask.voxels, rows, z)
    return origin + low - half, origin + high + half


def _highest(array: Bools, rows: npt.NDArray[np.int64], z: npt.NDArray[np.float64]) -> float:
    """Return the greatest z . (k, j, i) of the voxels of an array; ``rows`` are its (k, j)."""
    base = rows @ z[:2]
    span = z[2] * (array.shape[2] - 1)
    # Only rows that could reach beyond what another one reaches for certain are looked into.
    near = base + max(span, 0.0) >= (base + min(span, 0.0)).max()
    lines = array[rows[near, 0], rows[near, 1]]
    # z is linear along a row, so its extremes lie at the two ends.
    first = lines.argmax(axis=1)
    last = lines.shape[1] - 1 - lines[:, ::-1].argmax(axis=1)
    return float((base[near] + np.maximum(first * z[2], last * z[2])).max())


def _distance_mm(mask: Mask, affine: geometry.Affine, point_lps_mm: Point) -> float:
    """Return the distance from a point to the nearest voxel of a mask; far off: infinity."""
    at = geometry.lps_mm_to_kji(affine, point_lps_mm) - mask.origin_kji
    shape = np.array(mask.voxels.shape)
    nearest = np.floor(at + 0.5).astype(np.int64)
    if ((nearest >= 0) & (nearest < shape)).all() and mask.voxels[tuple(nearest)]:
        return 0.0
    reach = _NEAR_MM * np.linalg.norm(np.linalg.inv(affine[:3, :3]), axis=1)
    low = np.maximum(np.floor(at - reach), 0).astype(np.int64)
    high = np.minimum(np.ceil(at + reach) + 1, shape).astype(np.int64)
    if (low >= high).any():
        return float("inf")
    part = mask.voxels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    indices = np.argwhere(part)
    if not len(indices):
        return float("inf")
    offsets = (indices + low - at) @ affine[:3, :3].T
    return float(np.sqrt((offsets * offsets).sum(axis=1).min()))
