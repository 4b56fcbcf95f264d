"""Peaks of a heatmap against a search voxel by voxel."""

from itertools import product

import numpy as np
import pytest

from inference.findings import Heatmap
from viewer.display.peaks import peaks

AFFINE = np.array([[0, 0, 0.7, -50], [0, 0.7, 0, -60], [2.5, 0, 0, 10], [0, 0, 0, 1.0]])


def heatmap(values, origin=(0, 0, 0)):
    return Heatmap(origin, np.ascontiguousarray(values, dtype=np.uint8), "of a test")


def plateaus(values, floor):
    """Search each connected set of equal voxels; return the heights of those with none higher."""
    shape, seen, found = values.shape, set(), []
    for start in product(*map(range, shape)):
        if start in seen or values[start] < floor:
            continue
        stack, members, top = [start], [], True
        seen.add(start)
        while stack:
            at = stack.pop()
            members.append(at)
            for step in product((-1, 0, 1), repeat=3):
                to = tuple(a + s for a, s in zip(at, step, strict=True))
                if not all(0 <= t < n for t, n in zip(to, shape, strict=True)):
                    continue
                if values[to] > values[start]:
                    top = False
                elif values[to] == values[start] and to not in seen:
                    seen.add(to)
                    stack.append(to)
        if top:
            found.append((int(values[start]), frozenset(members)))
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("levels", [4, 40, 255])
def test_peaks_are_the_plateaus_that_nothing_overtops(seed, levels):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels, (5, 7, 6)).astype(np.uint8)
    floor = levels // 2
    expected = plateaus(values, floor)
    found = peaks(heatmap(values), AFFINE, floor, apart_mm=0)
    assert sorted(round(peak.value * 255) for peak in found) == sorted(v for v, _ in expected)
    for peak in found:
        assert any(peak.voxel_kji in members for _, members in expected)
    heights = [peak.value for peak in found]
    assert heights == sorted(heights, reverse=True)


def test_a_peak_knows_its_place_in_the_patient():
    values = np.zeros((6, 6, 6))
    values[1, 2, 3] = 212
    (peak,) = peaks(heatmap(values, (10, 20, 30)), AFFINE, 26)
    assert peak.voxel_kji == (11, 22, 33)
    assert peak.centre_lps_mm == pytest.approx((0.7 * 33 - 50, 0.7 * 22 - 60, 2.5 * 11 + 10))
    assert f"{peak.value:.2f}" == "0.83"


def test_two_bumps_of_one_lesion_are_one_place_to_look_at():
    values = np.zeros((3, 40, 40))
    values[1, 10, 10], values[1, 10, 14], values[1, 30, 30] = 200, 190, 60
    found = peaks(heatmap(values), AFFINE, 26)
    assert [peak.voxel_kji for peak in found] == [(1, 10, 10), (1, 30, 30)]
    assert len(peaks(heatmap(values), AFFINE, 26, apart_mm=0)) == 3


def test_what_is_not_shown_has_no_peak():
    values = np.zeros((3, 4, 5))
    values[1, 1, 1] = 25
    assert peaks(heatmap(values), AFFINE, 26) == ()
    assert len(peaks(heatmap(values), AFFINE, 25)) == 1
    assert peaks(heatmap(np.zeros((0, 4, 5))), AFFINE, 1) == ()
    assert peaks(heatmap(np.zeros((3, 4, 5))), AFFINE, 0) == ()
