"""Nodules of known place and size, with the lobes and spicules of real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from viewer.phantom.thorax import Side

Vector = tuple[float, float, float]
_Vectors = npt.NDArray[np.float64]

_SUB_KJI = (6, 3, 3)


@dataclass(frozen=True, slots=True)
class NoduleSpec:
    """What a nodule is to be.

    Attributes
    ----------
    centre_lps_mm
        LPS mm; the carina is the origin.
    diameter_mm
        Diameter of the sphere of the same volume, spicules left out.
    side
        Lung it lies in.
    hu
        Density, HU.
    lobes
        Depth of its lobes as a share of the radius.
    spicules
        Number of spicules.
    halo_hu
        Density of a ground-glass halo that fills ``diameter_mm`` around a solid core of
        half that diameter; None for a solid nodule.
    """

    centre_lps_mm: Vector
    diameter_mm: float
    side: Side
    hu: float = 40.0
    lobes: float = 0.10
    spicules: int = 0
    halo_hu: float | None = None


DEFAULT_NODULES = (
    NoduleSpec((-66.0, -12.0, 38.0), 12.0, "right", 45.0, lobes=0.12, spicules=10),
    NoduleSpec((-108.0, 46.0, -52.0), 9.0, "right", 35.0, lobes=0.08),
    NoduleSpec((-84.0, -44.0, -58.0), 6.0, "right", 50.0, lobes=0.06),
    NoduleSpec((72.0, 8.0, 30.0), 18.0, "left", 40.0, lobes=0.16, spicules=22),
    NoduleSpec((88.0, 52.0, -88.0), 8.0, "left", 55.0, lobes=0.08),
    NoduleSpec((96.0, -22.0, -14.0), 14.0, "left", 20.0, lobes=0.10, halo_hu=-560.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnNodule:
    """A nodule on a grid.

    Attributes
    ----------
    box
        Slices of the volume it lies in.
    coverage
        Share of each voxel of the box inside it, spicules included, float32.
    density_hu
        HU to paint there, of the same shape.
    mask
        Voxels at least half inside its body, spicules left out.
    """

    spec: NoduleSpec
    box: tuple[slice, slice, slice]
    coverage: npt.NDArray[np.float32]
    density_hu: npt.NDArray[np.float32]
    mask: Mask


def draw(
    spec: NoduleSpec,
    rng: np.random.Generator,
    affine: geometry.Affine,
    shape_kji: tuple[int, int, int],
) -> DrawnNodule | None:
    """Draw one nodule with true partial volumes; None when it lies outside the grid."""
    radius = spec.diameter_mm / 2
    inverse = np.linalg.inv(affine)
    reach = np.linalg.norm(inverse[:3, :3], axis=1) * (1.9 * radius + 2)
    middle = geometry.lps_mm_to_kji(affine, spec.centre_lps_mm)
    low = np.maximum(np.floor(middle - reach), 0).astype(int)
    high = np.minimum(np.ceil(middle + reach) + 1, shape_kji).astype(int)
    if (high <= low).any():
        return None
    axes = [
        (np.arange((b - a) * n) + 0.5) / n - 0.5 + a
        for a, b, n in zip(low, high, _SUB_KJI, strict=True)
    ]
    kji = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    offset = geometry.kji_to_lps_mm(affine, kji) - np.asarray(spec.centre_lps_mm)
    distance = np.linalg.norm(offset, axis=-1)
    direction = offset / np.maximum(distance, 1e-6)[..., None]

    lobes = _lobes(rng, spec.lobes)
    surface = radius * lobes(direction)
    body = distance <= surface
    outside = body.copy()
    _add_spicules(outside, rng, spec.spicules, radius, offset, distance)
    core = distance <= surface * 0.5
    coverage = _bin(outside)
    halo_hu = spec.hu if spec.halo_hu is None else spec.halo_hu
    density = halo_hu + (spec.hu - halo_hu) * _bin(core) / np.maximum(coverage, 1e-6)
    k, j, i = (int(v) for v in low)
    return DrawnNodule(
        spec=spec,
        box=(slice(k, int(high[0])), slice(j, int(high[1])), slice(i, int(high[2]))),
        coverage=coverage,
        density_hu=density.astype(np.float32),
        mask=Mask.from_array(_bin(body) >= 0.5, (k, j, i)),
    )


def _lobes(rng: np.random.Generator, depth: float) -> Callable[[_Vectors], _Vectors]:
    """Return a function from unit vectors to relative radius, of a sphere's volume."""
    axes = rng.standard_normal((7, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    weights = rng.uniform(0.5, 1.0, 7) * np.where(rng.random(7) < 0.5, -1, 1)
    powers = rng.uniform(2.0, 6.0, 7)

    def bumps(direction: _Vectors) -> _Vectors:
        total = np.zeros(direction.shape[:-1])
        for axis, weight, power in zip(axes, weights, powers, strict=True):
            total += weight * np.exp(power * (direction @ axis - 1))
        return np.asarray(1 + depth * total)

    even = rng.standard_normal((4096, 3))
    even /= np.linalg.norm(even, axis=1, keepdims=True)
    scale = np.mean(bumps(even) ** 3) ** (-1 / 3)
    return lambda direction: bumps(direction) * scale


def _add_spicules(
    inside: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    count: int,
    radius: float,
    offset: _Vectors,
    distance: _Vectors,
) -> None:
    """Add thin tapering spikes to ``inside``, in place."""
    near = np.flatnonzero(~inside & (distance < 1.75 * radius))
    points = offset.reshape(-1, 3)[near].astype(np.float32)
    squared = (points * points).sum(axis=1)
    hit = np.zeros(len(near), dtype=np.bool_)
    for _ in range(count):
        axis = rng.standard_normal(3)
        axis /= np.linalg.norm(axis)
        length = radius * rng.uniform(1.25, 1.75)
        width = rng.uniform(0.5, 0.9)
        along = points @ axis.astype(np.float32)
        taper = np.clip((length - along) / (length - 0.8 * radius), 0, 1) * width
        hit |= (along > 0) & (squared - along * along < taper * taper)
    inside.reshape(-1)[near[hit]] = True


def _bin(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Average sub-voxels over each voxel."""
    a, b, c = _SUB_KJI
    k, j, i = inside.shape
    parts = inside.reshape(k // a, a, j // b, b, i // c, c)
    return np.asarray(parts.mean(axis=(1, 3, 5), dtype=np.float32))
