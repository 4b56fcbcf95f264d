from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inference.training.batches import Batches
from inference.training.data import load_crops, load_lungs, split_of
from inference.training.grey import grey_scale
from tests.training_cases import plane


def test_the_split_of_a_patient_never_changes():
    names = [f"LIDC-IDRI-{n:04d}" for n in range(1, 1013)]
    splits = [split_of(name) for name in names]

    # Fixed by the hash for good: a changed rule would let test patients into the training.
    assert [n for n, s in zip(names, splits, strict=True) if s == "test"][:3] == FIRST_TEST
    assert splits.count("train") / len(splits) == pytest.approx(0.8, abs=0.03)
    assert splits.count("validation") / len(splits) == pytest.approx(0.1, abs=0.03)


FIRST_TEST = ["LIDC-IDRI-0007", "LIDC-IDRI-0024", "LIDC-IDRI-0032"]


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("top", [200.0, 700.0, 1400.0])
def test_the_scale_of_a_slice_is_found_from_its_tissues(padded: bool, top: float):
    rng = np.random.default_rng(1)
    hu = np.clip(plane(rng), -1000, top)
    hu[0, 0] = top
    if padded:
        hu[:, :12] = -3000
    low, high = hu.min(), hu.max()
    grey = np.round((hu - low) / (high - low) * 255).astype(np.uint8)
    scale = grey_scale(grey)
    found = scale.slope * grey + scale.intercept
    for tissue, wanted in ((slice(45, 75), -860), (slice(82, 116), 30)):
        assert np.median(found[64:90, tissue]) == pytest.approx(wanted, abs=60)


def test_crops_and_lungs_are_read_as_their_readme_says(data: Path):
    crops = load_crops(data / "lidc-nodules")
    assert len(crops.nodules) == 24
    assert crops.votes.max() == 3
    assert crops.nodules[0].gap_mm == pytest.approx(2.5)
    hu = crops.hu(slice(0, 2))
    assert np.median(hu[:, 5:20, 5:20]) == pytest.approx(-860, abs=40)
    patients = {s: {n.patient for n in crops.of(s)} for s in ("train", "validation", "test")}
    assert sum(map(len, patients.values())) == 24
    (lungs,) = load_lungs(data / "lungs-unlabelled")
    assert lungs.gap_mm == 5.0
    assert lungs.hu[:, 80, 55].mean() == pytest.approx(-850, abs=30)
    inside = lungs.hu[tuple(lungs.inside.T)]
    assert len(inside) > 12 * 2 * 5000 and np.median(inside) == pytest.approx(-850, abs=15)


def test_batches_hold_what_the_net_reads_and_repeat_with_their_seed(data: Path):
    batches = Batches(load_crops(data / "lidc-nodules"), load_lungs(data / "lungs-unlabelled"))
    one = batches.draw(np.random.default_rng(4), 24)
    two = batches.draw(np.random.default_rng(4), 24)
    assert torch.equal(one.images, two.images)
    assert one.images.shape == (24, 5, 96, 96) and one.target.shape == (24, 1, 96, 96)
    assert float(one.images.min()) >= 0 and float(one.images.max()) <= 1
    assert float(one.target.max()) == pytest.approx(0.75, abs=0.01)
    assert {0.0, 1.0} >= set(one.weight.unique().tolist())
    # The target lies on what is bright: the disc has soft tissue, lung lies around it.
    middle = one.images[:, 2:3]
    assert middle[(one.target > 0.7)].median() > 0.5
