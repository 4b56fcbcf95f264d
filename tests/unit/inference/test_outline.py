"""From a point to voxels: where the outline lies, in any orientation and spacing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.geometry import kji_to_lps_mm
from inference.runtime import window
from inference.runtime.engine import Engine
from inference.runtime.nets import Calibration
from inference.runtime.outline import (
    MIRRORS,
    Place,
    Scan,
    cut_out,
    disagreement,
    last_look,
    looks,
    outline_at,
)


class Bright:
    """A backend whose outliner outlines what is bright and calls it a nodule."""

    device, name = "cpu", "CPU"

    def __init__(self) -> None:
        self.windows: list[tuple[int, ...]] = []

    def run(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        assert net == "outliner"
        self.windows.append(tuple(inputs.shape))
        # -500 HU, where half of a voxel is air: the edge of the ball.
        bright = (inputs[:, 0] - 0.357) * 40
        verdicts = torch.tensor([[2.0, 0.5, 1.0]]).expand(len(inputs), 3)
        return torch.stack((bright, bright), dim=1), verdicts


class Corner(Bright):
    """Outlines the first rows of every window: what is mirrored back lies on all sides."""

    def run(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        _, verdicts = super().run(net, inputs)
        rows = torch.arange(window.SIZE_PX)[:, None] < 8
        masks = (rows * 20.0 - 10.0).expand(len(inputs), 2, inputs.shape[2], -1, window.SIZE_PX)
        return masks, verdicts


def engine(backend: Bright | None = None) -> Engine:
    return Engine(backend or Bright(), Calibration())


def ball(
    shape: tuple[int, int, int], affine: np.ndarray, centre_lps_mm: np.ndarray, radius_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return HU with a bright ball in air, and its voxels."""
    places = kji_to_lps_mm(affine, np.indices(shape).reshape(3, -1).T)
    away = np.linalg.norm(places - centre_lps_mm, axis=1).reshape(shape)
    # A soft edge of a millimetre, as a scanner gives: half of it is where the ball ends.
    hu = -1000 + 1000 / (1 + np.exp((away - radius_mm) / 0.3))
    return hu.astype(np.float32), away <= radius_mm


def affine_of(gap: float, row: float, column: float, turned: bool = False) -> np.ndarray:
    """Return (k, j, i, 1) to LPS mm; ``turned`` is oblique, with slices from head to feet."""
    steps = np.fliplr(np.diag([column, row, gap])).astype(float)
    if turned:
        angle = np.deg2rad(20)
        turn = np.array(
            [
                [1, 0, 0],
                [0, np.cos(angle), -np.sin(angle)],
                [0, np.sin(angle), np.cos(angle)],
            ]
        )
        steps = turn @ steps @ np.diag([-1.0, 1.0, -1.0])
    affine = np.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = (-70.0, 40.0, 300.0)
    return affine


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * int((a & b).sum()) / int(a.sum() + b.sum())


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("gap", "row", "column"), [(1.0, 0.7, 0.7), (2.5, 0.6, 0.8), (5.0, 0.9, 0.9), (0.5, 0.5, 0.5)]
)
@pytest.mark.parametrize("radius", [4.0, 9.0, 18.0])
def test_a_ball_is_outlined_where_it_is(gap, row, column, radius, turned) -> None:
    affine = affine_of(gap, row, column, turned)
    shape = (max(12, round(60 / gap)), 120, 110)
    middle = kji_to_lps_mm(affine, np.array([shape[0] / 2 - 0.3, 62.4, 51.7]))
    hu, truth = ball(shape, affine, middle, radius)
    point = middle + np.array([0.3, -0.2, 0.1]) * radius
    outline = outline_at(engine(), hu, affine, point)
    assert outline.reason == ""
    mask = outline.mask.to_array(shape)
    # Between slices that the net looks at, the outline is interpolated.
    assert dice(mask, truth) > (0.93 if gap < 5 else 0.85)
    assert outline.impression is not None
    assert outline.impression.malignancy == pytest.approx(3.5)
    assert outline.impression.texture == pytest.approx(4.0)
    assert outline.score == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert outline.uncertainty < 0.35


def test_the_maps_lie_on_the_lesion() -> None:
    affine = affine_of(2.0, 0.7, 0.7)
    shape = (30, 100, 100)
    middle = kji_to_lps_mm(affine, np.array([14.0, 50.0, 45.0]))
    hu, truth = ball(shape, affine, middle, 7.0)
    outline = outline_at(engine(), hu, affine, middle)
    share = np.zeros(shape, dtype=np.uint8)
    share[outline.share.box] = outline.share.values
    assert dice(share >= 128, truth) > 0.93
    assert outline.spread.box == outline.share.box
    # All mirrored windows see the same ball.
    assert outline.spread.values.max() < 40


def test_two_points_give_one_outline() -> None:
    affine = affine_of(1.5, 0.7, 0.7)
    shape = (40, 120, 120)
    middle = kji_to_lps_mm(affine, np.array([20.0, 60.0, 60.0]))
    hu, _ = ball(shape, affine, middle, 8.0)
    first, second = (
        outline_at(engine(), hu, affine, middle + np.array(off)).mask.to_array(shape)
        for off in ((4.0, 0.0, -3.0), (-3.0, 4.0, 4.0))
    )
    assert dice(first, second) > 0.98


def test_the_piece_at_the_point_is_outlined_and_no_other() -> None:
    affine = affine_of(1.5, 0.7, 0.7)
    shape = (40, 120, 120)
    here, there = (kji_to_lps_mm(affine, np.array([20.0, 60.0, i])) for i in (50.0, 80.0))
    hu, truth = ball(shape, affine, here, 6.0)
    other, _ = ball(shape, affine, there, 6.0)
    mask = outline_at(engine(), np.maximum(hu, other), affine, here).mask.to_array(shape)
    assert dice(mask, truth) > 0.93


@pytest.mark.parametrize("at", [(0.0, 3.0, 3.0), (29.0, 96.0, 2.0)])
def test_a_lesion_at_the_edge_of_the_volume_is_outlined(at) -> None:
    affine = affine_of(2.0, 0.7, 0.7)
    shape = (30, 100, 100)
    middle = kji_to_lps_mm(affine, np.array(at))
    hu, truth = ball(shape, affine, middle, 6.0)
    assert dice(outline_at(engine(), hu, affine, middle).mask.to_array(shape), truth) > 0.9


@pytest.mark.parametrize("kji", [(-2.0, 5.0, 5.0), (3.0, 5.0, 300.0)])
def test_a_point_outside_is_answered_so(kji) -> None:
    affine = affine_of(2.0, 0.7, 0.7)
    hu = np.full((10, 30, 30), -800, dtype=np.int16)
    outline = outline_at(engine(), hu, affine, kji_to_lps_mm(affine, np.array(kji)))
    assert outline.reason == "outside"
    assert not outline.mask.count


def test_a_point_on_nothing_is_answered_so() -> None:
    affine = affine_of(2.0, 0.7, 0.7)
    shape = (30, 100, 100)
    hu, _ = ball(shape, affine, kji_to_lps_mm(affine, np.array([15.0, 20.0, 20.0])), 4.0)
    outline = outline_at(engine(), hu, affine, kji_to_lps_mm(affine, np.array([15.0, 70.0, 70.0])))
    assert outline.reason == "nothing"
    assert not outline.mask.count
    assert outline.impression is None


def test_a_large_lesion_gets_a_larger_window() -> None:
    affine = affine_of(2.5, 0.7, 0.7)
    shape = (40, 160, 160)
    middle = kji_to_lps_mm(affine, np.array([20.0, 80.0, 80.0]))
    scan_large = Scan(ball(shape, affine, middle, 19.0)[0], affine)
    scan_small = Scan(ball(shape, affine, middle, 4.0)[0], affine)
    large = last_look(engine(), scan_large, (20.0, 80.0, 80.0), 1)
    small = last_look(engine(), scan_small, (20.0, 80.0, 80.0), 1)
    assert large is not None and small is not None
    assert large.pixel_mm == pytest.approx(window.PIXEL_MM_LIMITS[1], rel=0.15)
    assert small.pixel_mm == pytest.approx(window.PIXEL_MM_LIMITS[0])
    assert large.slices[-1] - large.slices[0] > small.slices[-1] - small.slices[0]


def test_mirrored_windows_come_back_where_they_were() -> None:
    hu = np.full((9, 80, 80), -800, dtype=np.int16)
    scan = Scan(hu, affine_of(2.0, 0.7, 0.7))
    (look,) = looks(engine(Corner()), scan, [Place((4.0, 40.0, 40.0), 10.0)], len(MIRRORS))
    half = look.half[0] > 0.2
    # One of the four mirrored windows says so of every side.
    assert half[:8].all() and half[-8:].all() and half[:, :8].all() and half[:, -8:].all()
    assert not half[8:-8, 8:-8].any()
    assert look.spread[0][:8, 20:40].max() > 0.5


def test_windows_with_as_many_slices_share_a_batch() -> None:
    backend = Bright()
    scan = Scan(np.full((60, 80, 80), -800, dtype=np.int16), affine_of(2.0, 0.7, 0.7))
    places = [Place((k, 40.0, 40.0), 8.0) for k in (20.0, 30.0, 40.0)]
    assert len(looks(Engine(backend, Calibration()), scan, places)) == 3
    assert len(backend.windows) == 1 and backend.windows[0][0] == 3


def test_doubt_grows_with_the_share_of_doubtful_voxels() -> None:
    scan = Scan(np.full((9, 80, 80), -800, dtype=np.int16), affine_of(2.0, 0.7, 0.7))
    (look,) = looks(engine(), scan, [Place((4.0, 40.0, 40.0), 10.0)])
    sure, unsure = (np.full_like(look.half, chance) for chance in (1.0, 0.5))
    assert disagreement(_with(look, sure), 0.5) == 0.0
    assert disagreement(_with(look, unsure), 0.5) == pytest.approx(0.5)
    assert disagreement(_with(look, np.zeros_like(sure)), 0.5) == 1.0
    assert not cut_out(scan, _with(look, np.zeros_like(sure)), (4.0, 40.0, 40.0), 0.5).count


def _with(look, half):
    import dataclasses

    return dataclasses.replace(look, half=half)
