"""The regular copy of tilted, shifted and unevenly spaced slices, against solids and SimpleITK."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from inference.geometry import (
    direction_letters,
    kji_to_lps_mm,
    lps_mm_to_kji,
    reorder_kji_ijk,
    voxel_volume_mm3,
)
from inference.volume import Volume
from resources.problem import Problem
from tests.dicom_files import write_slice
from viewer.study.cancel import Cancelled
from viewer.study.order import order
from viewer.study.read import read
from viewer.study.resample import can_resample, resampled
from viewer.study.scan import scan

CENTRE, RADIUS = np.array([12.0, -30.0, 55.0]), 14.0
# A second, smaller solid tells the six directions apart: to the left, the front and the head.
BESIDE, SMALL = CENTRE + np.array([22.0, -20.0, 9.0]), 6.0
DEEP, BRIGHT = -1000.0, 1000.0


def solid(points: npt.NDArray[Any], centre: npt.NDArray[Any], radius: float) -> npt.NDArray[Any]:
    """Return 1 within a ball and 0 outside, with an edge 2 mm wide: as slices show it."""
    inside = radius - np.linalg.norm(points - centre, axis=-1)
    return np.clip(inside / 2 + 0.5, 0, 1)


def phantom(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    both = solid(points, CENTRE, RADIUS) + solid(points, BESIDE, SMALL)
    return DEEP + (BRIGHT - DEEP) * both


def places_of(
    depths: list[float],
    aside: npt.NDArray[Any] | None = None,
    turn: npt.NDArray[Any] | None = None,
    pixel: tuple[float, float] = (0.9, 0.8),
) -> npt.NDArray[np.float64]:
    """Place slices of 100 x 110 pixels at depths along their normal, around the solids."""
    turn = np.eye(3) if turn is None else turn
    along, down, normal = turn.T
    middle = CENTRE + np.array([9.0, -9.0, 3.0])
    places = np.tile(np.eye(4), (len(depths), 1, 1))
    places[:, :3, 0] = normal
    places[:, :3, 1] = down * pixel[0]
    places[:, :3, 2] = along * pixel[1]
    for k, depth in enumerate(depths):
        corner = middle - down * pixel[0] * 49.5 - along * pixel[1] * 54.5 + normal * depth
        places[k, :3, 3] = corner if aside is None else corner + aside[k]
    return places


def volume_of(places: npt.NDArray[np.float64], kind: type = np.int16) -> Volume:
    j, i = np.meshgrid(np.arange(100), np.arange(110), indexing="ij")
    grid = np.stack([np.zeros_like(j), j, i], axis=-1)
    values = np.stack([phantom(grid @ p[:3, :3].T + p[:3, 3]) for p in places])
    if np.dtype(kind).kind in "iu":
        values = np.rint(values)
    affine = places[0].copy()
    return Volume(values.astype(kind), affine, "CT", "HU", places=places)


def turned(seed: int) -> npt.NDArray[Any]:
    return Rotation.from_rotvec(np.random.default_rng(seed).normal(0, 0.3, 3)).as_matrix()


EVEN = [2.5 * k for k in range(-12, 13)]
GAPS = [2.0 * k for k in range(-16, 17) if k not in (-6, 3, 9)]
UNEVEN = list(np.cumsum([0.0, *([1.2, 2.0, 2.6, 1.6, 2.0] * 6)]) - 28.0)


def tilt(depths: list[float], degrees: float, turn: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return by how much a tilted gantry moves slices down their columns."""
    return np.outer(np.array(depths) * math.tan(math.radians(degrees)), turn[:, 1])


CASES: dict[str, npt.NDArray[np.float64]] = {
    "tilt 14": places_of(EVEN, tilt(EVEN, 14, np.eye(3))),
    "tilt -20": places_of(EVEN, tilt(EVEN, -20, np.eye(3))),
    "tilt, turned": places_of(EVEN, tilt(EVEN, 14, turned(3)), turned(3)),
    "gaps": places_of(GAPS),
    "gaps, turned": places_of(GAPS, None, turned(5)),
    "uneven": places_of(UNEVEN),
    "tilt and gaps": places_of(GAPS, tilt(GAPS, 10, turned(7)), turned(7)),
    "shifted": places_of(EVEN, np.array([[3.3 * (k % 3), -1.7 * (k % 2), 0.0] for k in range(25)])),
}


def weights(found: Volume, centre: npt.NDArray[Any], radius: float) -> tuple[Any, float]:
    """Return centre of mass in LPS mm and volume in mm³ of what lies near a solid."""
    index = np.stack(np.meshgrid(*map(np.arange, found.shape_kji), indexing="ij"), axis=-1)
    points = kji_to_lps_mm(found.affine, index)
    share = (found.voxels.astype(float) - DEEP) / (BRIGHT - DEEP)
    share[np.linalg.norm(points - centre, axis=-1) > radius + 5] = 0
    middle = (points * share[..., None]).sum(axis=(0, 1, 2)) / share.sum()
    return middle, float(share.sum() * voxel_volume_mm3(found.affine))


def ball_mm3(radius: float) -> float:
    # The mean of the cube of a radius that is even between one millimetre less and more.
    return 4 / 3 * math.pi * (radius**3 + radius)


@pytest.mark.parametrize("name", CASES)
def test_solids_keep_their_place_and_their_volume(name: str) -> None:
    found = resampled(volume_of(CASES[name]))
    assert found.regular and found.unit == "HU" and found.voxels.dtype == np.int16
    assert not found.voxels.flags.writeable
    middle, size = weights(found, CENTRE, RADIUS)
    assert np.abs(middle - CENTRE).max() <= 0.2
    assert abs(size / ball_mm3(RADIUS) - 1) <= 0.02
    # The small one alone stands where it does: nothing is mirrored.
    middle, _ = weights(found, BESIDE, SMALL)
    assert np.abs(middle - BESIDE).max() <= 0.2
    k, j, i = np.rint(lps_mm_to_kji(found.affine, BESIDE)).astype(int)
    assert found.voxels[k, j, i] > 900
    mirrored = 2 * CENTRE - BESIDE
    k, j, i = np.rint(lps_mm_to_kji(found.affine, mirrored)).astype(int)
    assert found.voxels[k, j, i] == DEEP


@pytest.mark.parametrize("name", CASES)
def test_the_copy_is_a_box_with_the_pixels_of_the_slices(name: str) -> None:
    places = CASES[name]
    affine = resampled(volume_of(places)).affine
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    assert np.abs(directions.T @ directions - np.eye(3)).max() < 1e-9
    assert np.allclose(affine[:3, 1:3], places[0, :3, 1:3], atol=1e-9)
    assert np.linalg.det(affine[:3, [2, 1, 0]]) > 0
    depths = places[:, :3, 3] @ directions[:, 0]
    assert np.isclose(np.linalg.norm(affine[:3, 0]), np.median(np.diff(depths)))


def test_letters_of_the_copy_are_those_of_the_slices() -> None:
    affine = resampled(volume_of(CASES["tilt 14"])).affine
    assert [direction_letters(affine[:3, axis]) for axis in (2, 1, 0)] == ["L", "P", "H"]


@pytest.mark.parametrize("degrees", [14.0, -20.0, 5.5])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_tilt_is_resampled_as_simpleitk_does_it(degrees: float, seed: int) -> None:
    """ITK reads the slices with their true, slanted axis and resamples them to our grid."""
    turn = turned(seed)
    volume = volume_of(places_of(EVEN, tilt(EVEN, degrees, turn), turn), np.float32)
    found = resampled(volume)
    assert volume.places is not None
    slanted = volume.places[0].copy()
    slanted[:3, 0] = volume.places[1, :3, 3] - volume.places[0, :3, 3]
    theirs = sitk.Resample(
        image_of(np.asarray(volume.voxels), slanted),
        image_of(np.asarray(found.voxels), found.affine),
        sitk.Transform(),
        sitk.sitkLinear,
        float(volume.voxels.min()),
    )
    ours, expected = np.asarray(found.voxels), sitk.GetArrayFromImage(theirs)
    # At the very edge ITK takes half a pixel more.
    inner = ours[1:-1] != volume.voxels.min()
    assert inner.any()
    assert np.abs(ours[1:-1] - expected[1:-1])[inner].max() <= 0.5


@pytest.mark.parametrize("depths", [GAPS, UNEVEN])
def test_gaps_are_filled_as_simpleitk_does_it(depths: list[float]) -> None:
    """Between two true slices alone ITK interpolates as the copy does."""
    volume = volume_of(places_of(depths), np.float32)
    found = resampled(volume)
    assert volume.places is not None
    normal = volume.places[0, :3, 0]
    for n in range(len(depths) - 1):
        pair = volume.places[n].copy()
        pair[:3, 0] = normal * (depths[n + 1] - depths[n])
        theirs = sitk.GetArrayFromImage(
            sitk.Resample(
                image_of(np.asarray(volume.voxels[n : n + 2]), pair),
                image_of(np.asarray(found.voxels), found.affine),
                sitk.Transform(),
                sitk.sitkLinear,
                -5000.0,
            )
        )
        at = (found.affine[:3, 3] - volume.places[0, :3, 3]) @ normal + depths[0]
        step = np.linalg.norm(found.affine[:3, 0])
        for k in range(found.shape_kji[0]):
            if depths[n] + 0.01 < at + k * step < depths[n + 1] - 0.01:
                assert np.abs(theirs[k] - found.voxels[k]).max() <= 0.5


def test_where_no_slice_reaches_there_is_the_lowest_value() -> None:
    volume = volume_of(places_of(EVEN, tilt(EVEN, 20, np.eye(3))))
    bright = Volume(
        np.asarray(volume.voxels) + 1500, volume.affine, "CT", "HU", places=volume.places
    )
    found = resampled(bright)
    grown = round((EVEN[-1] - EVEN[0]) * math.tan(math.radians(20)) / 0.9)
    assert found.shape_kji[1] in (100 + grown, 101 + grown)
    assert found.voxels[0, -1].max() == found.voxels.min() == bright.voxels.min()


def test_what_touches_padding_is_padding() -> None:
    volume = volume_of(places_of(EVEN, tilt(EVEN, 14, np.eye(3))))
    voxels = np.array(volume.voxels)
    rows, columns = np.ogrid[:100, :110]
    voxels[:, (rows - 50) ** 2 + (columns - 55) ** 2 > 48**2] = -2000
    padded = Volume(
        voxels, volume.affine, "CT", "HU", places=volume.places, padding=(-2000.0, -2000.0)
    )
    found = resampled(padded)
    assert found.padding == (-2000.0, -2000.0)
    # Nothing between the lowest tissue and padding: no edge is made up.
    assert set(np.unique(found.voxels[found.voxels < DEEP])) == {-2000}
    middle, _ = weights(found, CENTRE, RADIUS)
    assert np.abs(middle - CENTRE).max() <= 0.2


def test_slices_that_stand_where_the_copy_has_one_are_kept_as_they_are() -> None:
    volume = volume_of(places_of(GAPS))
    found = resampled(volume)
    assert found.shape_kji[0] == 33
    for k, depth in enumerate(GAPS):
        assert np.array_equal(found.voxels[round((depth - GAPS[0]) / 2)], volume.voxels[k])


def image_of(voxels: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    image.SetSpacing([float(mm) for mm in spacing])
    image.SetDirection((reorder_kji_ijk(affine)[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


@pytest.mark.parametrize(
    "places",
    [
        places_of([0.0]),
        places_of([0.0, 0.0, 2.0]),
        places_of([4.0, 2.0, 0.0]),
        np.concatenate([places_of([0.0, 2.0]), places_of([4.0], None, turned(1))]),
        np.concatenate([places_of([0.0, 2.0]), places_of([4.0], None, None, (1.5, 1.5))]),
        places_of([0.0, 0.01, 0.02, 9000.0]),
        places_of([0.0, 1.0], np.array([[0, 0, 0], [90000.0, 0, 0]])),
    ],
    ids=["one", "same", "down", "turned", "sizes", "far", "aside"],
)
def test_what_cannot_be_a_regular_copy_is_a_problem(places: npt.NDArray[np.float64]) -> None:
    with pytest.raises(Problem, match="No regular copy"):
        resampled(volume_of(places))


def test_it_can_be_cancelled() -> None:
    with pytest.raises(Cancelled):
        resampled(volume_of(CASES["gaps"]), cancelled=lambda: True)


def write(folder: Path, places: npt.NDArray[np.float64], **tags: Any) -> None:
    volume = volume_of(places)
    for k, place in enumerate(places):
        spacing = np.linalg.norm(place[:3, 1]), np.linalg.norm(place[:3, 2])
        write_slice(
            folder / f"{k}.dcm",
            volume.voxels[k],
            position=place[:3, 3],
            orientation=[*(place[:3, 2] / spacing[1]), *(place[:3, 1] / spacing[0])],
            spacing=(float(spacing[0]), float(spacing[1])),
            number=k + 1,
            RescaleIntercept=0,
            **tags,
        )


@pytest.mark.parametrize("name", CASES)
def test_files_come_through_the_whole_way(tmp_path: Path, name: str) -> None:
    write(tmp_path, CASES[name])
    plan = order(scan(tmp_path).series[0])
    assert can_resample(plan) and not plan.regular
    volume = read(plan)
    assert volume.places is not None and not volume.regular
    assert np.abs(volume.places[:, :3, 3] - CASES[name][:, :3, 3]).max() < 1e-6
    middle, _ = weights(resampled(volume), CENTRE, RADIUS)
    assert np.abs(middle - CENTRE).max() <= 0.2


@pytest.mark.parametrize("which", ["regular", "duplicates", "unplaced"])
def test_only_what_a_copy_mends_is_offered_one(tmp_path: Path, which: str) -> None:
    places = places_of([0.0, 2.0, 4.0])
    write(tmp_path / "a", places, **({"ImagePositionPatient": None} if which == "unplaced" else {}))
    if which == "duplicates":
        write(tmp_path / "b", places[1:2])
    assert not can_resample(order(scan(tmp_path).series[0]))
