from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from scipy import ndimage

from inference.runtime import window
from inference.training.data import Lungs
from inference.training.recipe import KINDS, Mix
from inference.training.samples import Sample
from inference.training.windows import Windows
from tests.training_cases import (
    DISC_MM,
    PIXEL_MM,
    SLICES,
    disc_crops,
    disc_places,
    patients,
)


@pytest.fixture(scope="module")
def discs():
    return disc_crops([*patients("train", 6), *patients("validation", 3), *patients("test", 3)])


@pytest.fixture(scope="module")
def windows(discs, lungs: tuple[Lungs, ...]) -> Windows:
    inside = tuple(np.argwhere(scan.hu > -100)[::500] for scan in lungs)
    return Windows(discs, lungs, disc_places(discs), inside)


def draws(windows: Windows, kind: str, count: int) -> list[Sample]:
    rng = np.random.default_rng(11)
    return [getattr(windows, f"_{kind}")(rng) for _ in range(count)]


@pytest.mark.parametrize("kind", ["crop", "beyond", "paste"])
def test_what_is_outlined_is_what_is_seen(windows: Windows, kind: str):
    grow = np.ones((3, 3), bool)
    compared = 0
    for sample in draws(windows, kind, 25):
        image, there = sample.inputs[0].numpy(), sample.inputs[3].numpy() > 0
        # One of two slices that were averaged showed it: neither bright nor dark.
        clear = (sample.share.amax((1, 2)) > 0.9) | (sample.share.amax((1, 2)) == 0)
        for k in np.flatnonzero(clear.numpy()):
            # Farther off, a pasted disc may lie beside vessels of the other scan.
            half = sample.half[k].numpy() > 0
            near = ndimage.binary_dilation(half, grow, iterations=2)
            bright = (image[k] > 0.42) & near
            assert there[k].all()
            assert not (half & ~ndimage.binary_dilation(bright, grow)).any()
            assert not (ndimage.binary_erosion(bright, grow) & ~half).any()
            compared += bool(half.any())
    assert compared > 20


def test_a_window_holds_as_much_of_the_nodule_as_its_scale_says(windows: Windows):
    for sample in draws(windows, "crop", 20):
        pixel_mm = float(torch.exp(sample.inputs[4, 0, 0, 0]))
        area = float(sample.half.sum((1, 2)).max()) * pixel_mm**2
        assert area == pytest.approx(np.pi * DISC_MM**2 / 4, rel=0.1)


def test_the_first_look_is_from_a_point_within_a_quarter_of_the_diameter(discs, windows: Windows):
    rng, far, slices = np.random.default_rng(3), [], Counter()
    for nodule in discs.of("train") * 60:
        votes = discs.votes[nodule.start : nodule.stop].astype(np.float32)
        k, centre, scale = windows._aim(nodule, votes, rng)
        if scale == window.first_scale(nodule.gap_mm):
            middle = np.argwhere(votes[k] > 0).mean(axis=0)
            far.append(float(np.hypot(*(centre - middle))) * PIXEL_MM)
            slices[k] += 1
    assert max(far) <= DISC_MM / 4 + 1e-6
    assert max(far) > 0.9 * DISC_MM / 4
    # On any of its slices, evenly over the disc that is a quarter of the diameter wide.
    assert set(slices) == set(range(SLICES))
    assert np.mean(np.square(far)) == pytest.approx((DISC_MM / 4) ** 2 / 2, rel=0.25)


def test_only_training_patients_are_drawn(windows: Windows):
    rng = np.random.default_rng(5)
    for _ in range(150):
        sample = windows.draw(rng)
        # Windows reach beyond the crop, where nothing is; its middle is always seen.
        middle = sample.inputs[0, :, 24:40, 24:40]
        assert float(middle.min(dim=2).values.min(dim=1).values.max()) < 0.9


def test_every_kind_occurs_as_often_as_it_should_and_says_what_it_shows(
    windows: Windows, monkeypatch: pytest.MonkeyPatch
):
    drawn: Counter[str] = Counter()
    for kind in KINDS:
        draw = getattr(windows, f"_{kind}")

        def counted(rng, kind=kind, draw=draw):
            drawn[kind] += 1
            sample = draw(rng)
            nodule = float(kind not in ("vessel", "lung"))
            assert float(sample.verdicts[0]) == nodule
            assert bool(sample.half.any()) == bool(nodule)
            assert bool(sample.verdicts[1:].isnan().any()) != bool(nodule)
            return sample

        monkeypatch.setattr(windows, f"_{kind}", counted)
    rng = np.random.default_rng(1)
    for _ in range(200):
        sample = windows.draw(rng)
        assert torch.isfinite(sample.inputs).all()
        assert 1 <= sample.inputs.shape[1] <= window.MOST_SLICES
        assert sample.inputs.shape[0] == window.CHANNELS
    for kind, share in Mix().kinds.items():
        assert drawn[kind] / 200 == pytest.approx(share, abs=0.1)
        assert drawn[kind]


def test_the_seed_alone_decides(windows: Windows):
    one = [windows.draw(np.random.default_rng((4, n))) for n in range(8)]
    two = [windows.draw(np.random.default_rng((4, n))) for n in reversed(range(8))][::-1]
    for a, b in zip(one, two, strict=True):
        assert torch.equal(a.inputs, b.inputs)
        assert torch.equal(a.share, b.share)


def test_mined_places_are_shown_instead_in_their_share(windows: Windows, discs):
    # The middle of the disc stands for a mined place; the ordinary ones are the bright square.
    nodule = discs.of("train")[0]
    mined = np.array([[nodule.start + 2, 64, 64]], dtype=np.intp)
    other = discs.of("validation")[0]
    mined = np.concatenate([mined, [[other.start, 64, 64]]])
    harder = windows.harder(mined, (np.zeros((0, 3), np.intp),), 0.5)
    rng, shown = np.random.default_rng(0), Counter()
    for _ in range(200):
        row, *_ = harder._one_of(harder._vessels, harder._mined[0], rng)
        shown[int(row) == nodule.start + 2] += 1
        assert discs.nodules[int(row) // SLICES].split == "train"
    assert 60 < shown[True] < 150
    # Scans without one show their ordinary places.
    assert harder._lung(np.random.default_rng(1)).verdicts[0] == 0
    assert windows._mined is None


def test_a_mix_decides_how_often_what_is_shown(windows: Windows):
    lungs_only = Mix(crop=0, beyond=0, paste=0, vessel=0, lung=1, first_look=1)
    rng = np.random.default_rng(3)
    first = np.log(window.FIRST_PIXEL_MM)
    for sample in (windows.mixed(lungs_only).draw(rng) for _ in range(20)):
        assert sample.verdicts[0] == 0
        # All at the scale of the first look, but for the random zoom of some per cent.
        assert abs(float(sample.inputs[4].max()) - first) < 0.3
    assert windows._mix == Mix()
