"""Where the model is pointed at: fixed for each nodule, whatever else is measured.

The protocol. A reader sees a nodule on some slice and clicks on it, not quite in its middle:

``first``
    A slice is drawn at random among those that the majority of readers outlined, each as
    likely as the others; there the centre of mass of the majority's voxels is displaced by a
    vector that is uniform over a disc of a quarter of the nodule's mean diameter.
``other``
    The same drawn again, independently: another point in the same nodule.
``largest``
    The same on the slice where the majority's outline is largest.

The random numbers are seeded by SHA-256 of patient, nodule and kind, so that they depend on
nothing else. A point may lie beside the outline, and does on the end slices of many nodules.
"""

from __future__ import annotations

import hashlib

import numpy as np

from inference.evaluation.folder import Bools, Lesion
from inference.geometry import kji_to_lps_mm

KINDS = ("first", "other", "largest")
SHARE_OF_DIAMETER = 0.25


def point_kji(lesion: Lesion, majority: Bools, kind: str) -> tuple[int, float, float]:
    """Return slice, row and column of one point.

    Parameters
    ----------
    lesion
        The nodule.
    majority
        (k, row, column): what at least half of its readers outlined; not empty.
    kind
        Of ``KINDS``.
    """
    rng = _rng(lesion, kind)
    area = majority.sum(axis=(1, 2))
    k = int(area.argmax()) if kind == "largest" else int(rng.choice(np.flatnonzero(area)))
    centre = np.argwhere(majority[k]).mean(axis=0)
    reach = SHARE_OF_DIAMETER * lesion.diameter_mm / lesion.pixel_mm * np.sqrt(rng.random())
    angle = rng.uniform(0, 2 * np.pi)
    j, i = centre + reach * np.array([np.sin(angle), np.cos(angle)])
    rows, columns = majority.shape[1:]
    return k, float(np.clip(j, 0, rows - 1)), float(np.clip(i, 0, columns - 1))


def point_mm(lesion: Lesion, majority: Bools, kind: str) -> tuple[float, float, float]:
    """Return the point in the mm of ``Lesion.affine`` (x, y, z)."""
    x, y, z = kji_to_lps_mm(lesion.affine, point_kji(lesion, majority, kind))
    return float(x), float(y), float(z)


def beside(lesion: Lesion, majority: Bools, kind: str) -> bool:
    """Tell whether the point lies on no voxel of the majority."""
    k, j, i = point_kji(lesion, majority, kind)
    return not bool(majority[k, round(j), round(i)])


def _rng(lesion: Lesion, kind: str) -> np.random.Generator:
    text = f"{lesion.patient}/{lesion.name}/{kind}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
