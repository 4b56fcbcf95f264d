"""From a point to voxels: where the outline lies, in any orientation and spacing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from inference.geometry import kji_to_lps_mm
from inference.runtime import window
from inference.runtime.chances import cut_out, disagreement, level_of, together
from inference.runtime.engine import Engine
from inference.runtime.look import MIRRORS, Place, Scan, looks
from inference.runtime.nets import Calibration
from inference.runtime.outline import chances_at, outline_at


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
    # All windows see the same ball; coarser and finer pixels differ at its edge alone.
    spread = np.zeros(shape, dtype=np.uint8)
    spread[outline.spread.box] = outline.spread.values
    edge = ndimage.binary_dilation(truth, iterations=2) & ~ndimage.binary_erosion(
        truth, iterations=2
    )
    assert spread[~edge].max() < 20


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


class Hardly(Bright):
    """Outlines the same, but says that it is hardly a nodule."""

    def run(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        masks, _ = super().run(net, inputs)
        return masks, torch.tensor([[-3.0, 0.0, 0.0]]).expand(len(inputs), 3)


class Nearsighted(Bright):
    """Sees nothing in windows as wide as the first look; ``logit`` is what it says elsewhere."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def run(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        masks, _ = super().run(net, inputs)
        wide = inputs[:, 4, 0, 0, 0] > np.log(window.FIRST_PIXEL_MM) - 0.01
        masks = torch.where(wide[:, None, None, None, None], torch.full_like(masks, -9.0), masks)
        return masks, torch.tensor([[self.logit, 0.0, 0.0]]).expand(len(inputs), 3)


def test_what_is_hardly_a_nodule_is_not_outlined() -> None:
    affine = affine_of(2.0, 0.7, 0.7)
    middle = kji_to_lps_mm(affine, np.array([14.0, 50.0, 45.0]))
    hu, _ = ball((30, 100, 100), affine, middle, 5.0)
    assert outline_at(engine(Hardly()), hu, affine, middle).reason == "nothing"


@pytest.mark.parametrize(("logit", "reason"), [(2.0, ""), (-1.0, "nothing")])
def test_what_the_wide_look_misses_is_looked_for_as_small_when_it_is_likely(logit, reason) -> None:
    affine = affine_of(2.0, 0.7, 0.7)
    shape = (30, 100, 100)
    middle = kji_to_lps_mm(affine, np.array([14.0, 50.0, 45.0]))
    hu, truth = ball(shape, affine, middle, 4.0)
    outline = outline_at(engine(Nearsighted(logit)), hu, affine, middle)
    assert outline.reason == reason
    if not reason:
        assert dice(outline.mask.to_array(shape), truth) > 0.9


def test_a_large_lesion_gets_a_larger_window() -> None:
    affine = affine_of(2.5, 0.7, 0.7)
    shape = (40, 160, 160)
    middle = kji_to_lps_mm(affine, np.array([20.0, 80.0, 80.0]))
    scan_large = Scan(ball(shape, affine, middle, 19.0)[0], affine)
    scan_small = Scan(ball(shape, affine, middle, 4.0)[0], affine)
    large = chances_at(engine(), scan_large, (20.0, 80.0, 80.0))
    small = chances_at(engine(), scan_small, (20.0, 80.0, 80.0))
    assert large is not None and small is not None
    low, high = (limit * window.SIZE_PX for limit in window.PIXEL_MM_LIMITS)
    assert _side_mm(large, 0.7) == pytest.approx(high, rel=0.1)
    assert _side_mm(small, 0.7) == pytest.approx(low, rel=0.1)
    assert large.half.shape[0] > small.half.shape[0]


def test_a_large_lesion_costs_hardly_more_than_a_small_one() -> None:
    """In slices of windows, which is what the time goes by."""
    slices = []
    for radius in (4.0, 9.0, 13.0, 18.0):
        affine = affine_of(1.25, 0.7, 0.7)
        middle = kji_to_lps_mm(affine, np.array([40.0, 80.0, 80.0]))
        hu, _ = ball((80, 160, 160), affine, middle, radius)
        backend = Bright()
        assert not outline_at(engine(backend), hu, affine, middle).reason
        slices.append(sum(shape[0] * shape[2] for shape in backend.windows))
    assert max(slices) <= 76


def _side_mm(chances, pixel_mm: float) -> float:
    return chances.half.shape[1] * pixel_mm


def test_mirrored_windows_come_back_where_they_were() -> None:
    hu = np.full((9, 80, 80), -800, dtype=np.int16)
    scan = Scan(hu, affine_of(2.0, 0.7, 0.7))
    (look,) = looks(engine(Corner()), scan, [Place((4.0, 40.0, 40.0), 10.0)], MIRRORS)
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


def test_looks_are_averaged_where_they_reach() -> None:
    scan = Scan(np.full((20, 120, 120), -800, dtype=np.int16), affine_of(2.0, 0.7, 0.7))
    places = [Place((10.0, 60.0, 60.0), diameter) for diameter in (8.0, 16.0)]
    near, far = looks(engine(), scan, places)
    near, far = (
        dataclasses.replace(look, half=np.full_like(look.half, chance), spread=look.half * 0)
        for look, chance in ((near, 0.9), (far, 0.3))
    )
    both = together(scan, [near, far])
    middle = tuple(size // 2 for size in both.half.shape)
    # Twice the standard deviation of 0.9 and 0.3.
    assert both.half[middle] == pytest.approx(0.6) and both.spread[middle] == pytest.approx(0.6)
    assert both.half[0, 0, 0] == pytest.approx(0.3) and both.spread[0, 0, 0] == pytest.approx(0)
    assert both.logit == pytest.approx(2.0)


def test_the_level_is_that_of_the_largest_expected_dice() -> None:
    rng = np.random.default_rng(0)
    sharp = np.concatenate([np.full(1000, 0.95), np.full(100, 0.45), np.full(3000, 0.02)])
    faint = np.concatenate([np.full(300, 0.6), np.full(900, 0.35), np.full(3000, 0.02)])
    for half in (sharp, faint):
        draws = rng.random((200, len(half))) < half
        dices = {
            level: np.mean(
                [
                    2 * (truth & (half >= level)).sum() / (truth.sum() + (half >= level).sum())
                    for truth in draws
                ]
            )
            for level in (0.35, 0.45, 0.6, 0.95)
            if (half >= level).any()
        }
        found = half >= level_of(half.astype(np.float32)) - 1e-6
        best = max(dices, key=dices.__getitem__)
        assert found.sum() == (half >= best).sum()
    assert level_of(np.zeros((2, 3, 3), dtype=np.float32)) == 0.5


def test_doubt_grows_with_the_share_of_doubtful_voxels() -> None:
    scan = Scan(np.full((9, 80, 80), -800, dtype=np.int16), affine_of(2.0, 0.7, 0.7))
    found = together(scan, looks(engine(), scan, [Place((4.0, 40.0, 40.0), 10.0)]))
    sure, unsure = (np.full_like(found.half, chance) for chance in (1.0, 0.5))
    assert disagreement(_with(found, sure), 1.0) == 0.0
    assert disagreement(_with(found, unsure), 1.0) == pytest.approx(0.5)
    nothing = _with(found, np.zeros_like(sure))
    assert disagreement(nothing, 1.0) == 1.0
    assert not cut_out(scan, nothing, (4.0, 40.0, 40.0), 1.0).count


def _with(found, half):
    return dataclasses.replace(found, half=half, level=level_of(half))
