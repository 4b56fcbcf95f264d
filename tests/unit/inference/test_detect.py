"""Candidates judged by the outliner: scores, masks, and one finding a lesion."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inference.findings import Mask
from inference.geometry import kji_to_lps_mm
from inference.runtime.candidates import find_candidates
from inference.runtime.crop import search_crop
from inference.runtime.detect import detect, place_of
from inference.runtime.engine import Engine
from inference.runtime.grid import Grid
from inference.runtime.look import Scan
from inference.runtime.nets import Calibration
from tests.unit.inference.test_outline import Bright, affine_of, ball, dice

SHAPE = (24, 110, 120)


class Sceptic(Bright):
    """Finds what is bright, and gives a nodule only what is brighter than water."""

    def run(self, net, inputs):
        if net == "heatmap":
            self.windows.append(tuple(inputs.shape))
            return ((inputs[:, 2:3] - 0.357) * 20,)
        masks, verdicts = super().run(net, inputs)
        middle = inputs[:, 0, :, 28:36, 28:36].amax((1, 2, 3))
        logits = torch.where(middle > 0.75, 2.0, -6.0)
        return masks, torch.cat((logits[:, None], verdicts[:, 1:]), dim=1)


@pytest.fixture
def engine() -> Engine:
    return Engine(Sceptic(), Calibration())


def scene() -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return HU with two nodules and a duller thing, the affine, and each one's voxels."""
    affine = affine_of(2.0, 0.75, 0.75)
    hu, masks = np.full(SHAPE, -1000, dtype=np.float32), []
    for at, radius, level in (
        ((12.0, 30.0, 30.0), 5.0, 200.0),
        ((11.0, 80.0, 85.0), 8.0, 150.0),
        ((12.0, 80.0, 30.0), 5.0, -100.0),
    ):
        one, mask = ball(SHAPE, affine, kji_to_lps_mm(affine, np.array(at)), radius)
        hu = np.maximum(hu, -1000 + (one + 1000) * (level + 1000) / 1000)
        masks.append(mask)
    return hu, affine, masks


def test_nodules_are_found_with_their_masks_and_the_rest_is_dropped(engine: Engine) -> None:
    hu, affine, (small, large, dull) = scene()
    heat, found = search_crop(engine, hu, affine, 0.15)
    assert heat.shape == SHAPE
    assert heat[dull].mean() > 0.5, "the first stage sees all three"
    assert len(found) == 2
    for truth in (small, large):
        assert max(dice(one.mask.to_array(SHAPE), truth) for one in found) > 0.9
    assert not any(one.mask.to_array(SHAPE)[dull].any() for one in found)
    assert all(one.score == pytest.approx(1 / (1 + np.exp(-2.0))) for one in found)
    assert all(0.0 <= one.uncertainty <= 1.0 for one in found)


def test_the_score_weighs_outline_and_heat(engine: Engine) -> None:
    hu, affine, _ = scene()
    engine.calibration.score[:] = torch.tensor([0.5, 0.25, -0.75])
    _, found = search_crop(engine, hu, affine, 0.15)
    for one in found:
        heat = np.log(one.peak / (1 - one.peak))
        wanted = 1 / (1 + np.exp(-(0.5 * one.logit + 0.25 * min(heat, 13.8) - 0.75)))
        assert one.score == pytest.approx(wanted, abs=1e-3)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_two_candidates_of_one_lesion_are_one_finding(engine: Engine) -> None:
    hu, affine, (_, large, _) = scene()
    grid = Grid.over(tuple(slice(0, n) for n in SHAPE), (2.0, 0.75, 0.75))
    rows, columns = grid.size_px
    heat = np.zeros((SHAPE[0], rows, columns), dtype=np.float32)
    _, j, i = (round(x) for x in np.argwhere(large).mean(axis=0))
    row, column = round(j * rows / SHAPE[1]), round(i * columns / SHAPE[2])
    heat[10, row - 3 : row, column - 5 : column - 2] = 0.9
    heat[13, row : row + 3, column + 2 : column + 5] = 0.8
    assert len(find_candidates(heat, grid.cell_kji_mm, 0.15)) == 2
    (one,) = detect(engine, Scan(hu, affine), heat, grid, 0.15)
    assert one.peak == pytest.approx(0.9)
    assert dice(one.mask.to_array(SHAPE), large) > 0.9


def test_progress_is_told_and_nothing_is_found_in_nothing(engine: Engine) -> None:
    hu, affine, _ = scene()
    told: list[tuple[int, int]] = []
    grid = Grid.over(tuple(slice(0, n) for n in SHAPE), (2.0, 0.75, 0.75))
    heat = np.zeros((SHAPE[0], *grid.size_px), dtype=np.float32)
    assert detect(engine, Scan(hu, affine), heat, grid, 0.15, lambda *at: told.append(at)) == []
    assert told == []
    heat[10, 40:44, 40:44] = 0.9
    detect(engine, Scan(hu, affine), heat, grid, 0.15, lambda *at: told.append(at))
    assert told == [(1, 1)]


def test_the_place_of_a_candidate_is_that_of_its_heat() -> None:
    grid = Grid.over((slice(2, 20), slice(10, 100), slice(5, 105)), (2.0, 0.9, 0.6))
    heat = np.zeros((18, *grid.size_px), dtype=np.float32)
    heat[7:10, 20:31, 40:47] = 0.8
    (candidate,) = find_candidates(heat, grid.cell_kji_mm, 0.15)
    place = place_of(candidate, heat, grid)
    # The middle of cells 20..30 of 129 over 90 voxels, and of 40..46 of 86 over 100.
    j = (25 + 0.5) * 90 / grid.size_px[0] - 0.5 + 10
    i = (43 + 0.5) * 100 / grid.size_px[1] - 0.5 + 5
    assert place.centre_kji == pytest.approx((10.0, j, i))
    assert place.diameter_mm == pytest.approx(11 * grid.cell_kji_mm[1])


def test_calibration_is_a_line_on_the_logits() -> None:
    calibration = Calibration()
    calibration.heat[:] = torch.tensor([1.3, -0.6])
    heat = torch.tensor([0.0, 0.2, 0.5, 0.9])
    logits = torch.logit(heat[1:]) * 1.3 - 0.6
    assert calibration.heats(heat)[0] == 0, "where nothing was looked for"
    assert torch.allclose(calibration.heats(heat)[1:], torch.sigmoid(logits))


def test_masks_that_do_not_touch_are_both_kept() -> None:
    from inference.runtime.detect import _shared

    voxels = np.ones((2, 4, 4), dtype=np.bool_)
    a, b = Mask((0, 0, 0), voxels), Mask((0, 0, 2), voxels)
    assert _shared(a, b) == 0.5
    assert _shared(a, Mask((0, 0, 4), voxels)) == 0.0
    assert _shared(a, Mask((0, 1, 1), voxels[:1, :2, :2])) == 1.0
