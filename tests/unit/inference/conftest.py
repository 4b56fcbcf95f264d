from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import resources
from inference.geometry import kji_to_lps_mm
from inference.manifest import ModelPack, read_manifest
from inference.volume import Volume

NODULE_LPS_MM = (62.0, 12.0, -20.0)
NODULE_MM = 14.0


@dataclass(frozen=True)
class Chest:
    """A body, two lungs, a trachea and one nodule in the left lung, drawn in LPS mm."""

    volume: Volume
    right_lps_mm: tuple[float, float, float] = (-65.0, 0.0, 0.0)
    left_lps_mm: tuple[float, float, float] = (65.0, 0.0, 0.0)
    nodule_lps_mm: tuple[float, float, float] = NODULE_LPS_MM
    nodule_mm: float = NODULE_MM


def _inside(points: npt.NDArray[np.float64], centre: tuple[float, ...], radii: tuple[float, ...]):
    return (((points - centre) / radii) ** 2).sum(axis=-1) <= 1


def draw_chest(
    spacing_kji_mm: tuple[float, float, float] = (5.0, 1.4, 1.4),
    shape_kji: tuple[int, int, int] = (44, 176, 224),
    flip_kji: tuple[bool, bool, bool] = (False, False, False),
    transpose: bool = False,
    touching: bool = False,
) -> Chest:
    """Draw the same chest into grids that lie differently in the patient."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, (row, mm) in enumerate(zip((2, 1, 0), spacing_kji_mm, strict=True)):
        affine[row, axis] = -mm if flip_kji[axis] else mm
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape_kji) - 1) / 2)
    points = kji_to_lps_mm(affine, np.moveaxis(np.indices(shape_kji), 0, -1))
    hu = np.full(shape_kji, -1000.0)
    hu[((points[..., :2] / (150, 110)) ** 2).sum(axis=-1) <= 1] = 40
    # Overlap of 8 mm makes one piece of the two lungs, as a thin anterior junction does.
    apart = 58.0 if touching else 65.0
    for side in (-1, 1):
        hu[_inside(points, (side * apart, 0, 0), (60, 80, 100))] = -850
    hu[((points[..., :2] - (0, -20)) ** 2).sum(axis=-1) <= 8.0**2] = np.where(
        points[..., 2] > 20, -990, hu
    )[((points[..., :2] - (0, -20)) ** 2).sum(axis=-1) <= 8.0**2]
    hu[_inside(points, NODULE_LPS_MM, (NODULE_MM / 2,) * 3)] = 40
    rng = np.random.default_rng(3)
    hu += rng.normal(0, 15, shape_kji)
    voxels = np.round(hu).astype(np.int16)
    if transpose:
        voxels = voxels.transpose(0, 2, 1)
        affine = affine[:, [0, 2, 1, 3]]
    return Chest(Volume(np.ascontiguousarray(voxels), affine, "CT", "HU"))


@pytest.fixture(scope="session")
def make_chest() -> Callable[..., Chest]:
    return draw_chest


@pytest.fixture(scope="session")
def chest() -> Chest:
    return draw_chest()


@pytest.fixture(scope="session")
def bundled() -> ModelPack:
    return read_manifest(resources.path("models", "lung-nodule-ct"))


@pytest.fixture
def pack_folder(bundled: ModelPack, tmp_path: Path) -> Path:
    """A copy of the bundled pack, to be damaged."""
    return Path(shutil.copytree(bundled.folder, tmp_path / bundled.id))
