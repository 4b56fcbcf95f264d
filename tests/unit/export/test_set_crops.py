"""Crops for retraining: in the very format that training reads, scaled as its own data are."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import geometry
from inference.evaluation.folder import Slices, load_folder
from inference.training.data import load_crops
from inference.volume import Volume
from tests.set_cases import document, set_case, with_lesion
from viewer.deid.keyed import Keys
from viewer.export.leaving import Leave
from viewer.export.problems import FileProblem
from viewer.export.sets import coco, crops
from viewer.export.sets.grow import Wish, grow
from viewer.export.sets.truth import findings

SITE = Leave(Keys(bytes(range(32))), lambda patients: None)
NAMES = {"patient": "P-1", "nodule": "n-1", "series_uid": "2.25.1"}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return set_case(tmp_path_factory.mktemp("case") / "study")


@pytest.fixture(scope="module")
def folder(case, tmp_path_factory):
    made = grow(tmp_path_factory.mktemp("made") / "set", [case], Wish(("crops",), 0, SITE))
    return made.folder / "v0001" / "crops" / "training"


def _rows(folder):
    with (folder / "index.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_training_reads_them(case, folder):
    found = load_crops(folder)
    rejected, corrected, drawn = found.nodules
    assert [n.n_readers for n in found.nodules] == [0, 1, 1]
    assert rejected.pixel_mm == corrected.pixel_mm == 6.0
    assert corrected.gap_mm == pytest.approx(19.0)
    assert (drawn.malignancy, drawn.texture) == (4.0, 5.0)
    assert np.isnan(corrected.malignancy)
    for nodule, lesion in ((corrected, case.lesions[1]), (drawn, case.lesions[2])):
        votes = found.votes[nodule.start : nodule.stop]
        assert int(votes.sum()) == lesion.mask.count
        volume_ml = votes.sum() * nodule.pixel_mm**2 * nodule.gap_mm / 1000
        assert volume_ml == pytest.approx(lesion.measurement.volume_ml, rel=1e-3)
        box = np.argwhere(votes.any(axis=0))
        assert np.abs((box.min(axis=0) + box.max(axis=0)) / 2 - 64).max() <= 1
    assert not found.votes[rejected.start : rejected.stop].any()


def test_a_rejected_finding_lies_in_the_middle_of_its_crop(case, folder):
    row = _rows(folder)[0]
    found = load_crops(folder)
    middle = (int(row["stop"]) - int(row["start"])) // 2
    mask = case.lesions[0].mask.to_array(case.volume.shape_kji)
    at = np.argwhere(mask)
    near = at[np.argmin(np.linalg.norm(at - at.mean(axis=0), axis=1))]
    plane = crops.scaled(case.volume.voxels[near[0]][None], near[1] - 64, near[2] - 64)[0]
    assert np.array_equal(found.grey[int(row["start"]) + middle], plane)


def test_each_slice_is_scaled_on_its_own(case, folder):
    found = load_crops(folder)
    assert (found.grey.min(axis=(1, 2)) == 0).all()
    assert (found.grey.max(axis=(1, 2)) == 255).all()


def test_evaluation_reads_the_test_side_and_no_rejected_one_is_there(case, tmp_path):
    made = grow(tmp_path / "set", [case], Wish(("crops",), 90, SITE))
    side = made.added[0]["side"]
    assert side == "test"
    home = made.folder / "v0001" / "crops"
    assert not (home / "training").exists()
    found = load_folder(home / "test")
    assert [lesion.n_readers for lesion in found.lesions] == [1, 1]
    with Slices(found) as slices:
        for lesion in found.lesions:
            assert slices.of(lesion).shape == (lesion.stop - lesion.start, 128, 128)


@given(st.integers(0, 2**31), st.integers(-127, 179), st.integers(-127, 169), st.integers(0, 1))
def test_the_scale_is_undone_by_its_ends(seed, top, left, padding):
    rng = np.random.default_rng(seed)
    slices = rng.integers(-1024, 1500, (2, 180, 170)).astype(np.int16)
    if padding:
        slices[:, :60] = -3024  # outside of the scanner's circle
    out = crops.scaled(slices, top, left)
    j, i = slice(max(top, 0), top + 128), slice(max(left, 0), left + 128)
    for plane, grey in zip(np.maximum(slices, -1024), out, strict=True):
        part = plane[j, i]
        inside = grey[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
        step = (int(part.max()) - int(part.min())) / 255
        assert np.abs(inside * step + part.min() - part).max() <= step / 2 + 1e-3
        assert grey.sum() == inside.sum()


def test_other_lesions_in_the_crop_are_told_apart(case, tmp_path):
    near = with_lesion(case, 7, (9, 30, 44), (1, 2, 2))
    made = grow(tmp_path / "set", [near], Wish(("crops",), 0, SITE))
    home = made.folder / "v0001" / "crops" / "training"
    with np.load(home / "other_findings.npz") as archive:
        others = archive["masks"]
    found = load_crops(home)
    assert others.shape == found.votes.shape
    assert not (others & (found.votes > 0)).any()
    corrected = found.nodules[1]
    assert others[corrected.start : corrected.stop].sum() > 0


def test_a_finding_rejected_right_beside_a_lesion_is_no_example(case, tmp_path):
    first = case.lesions[0]
    k, j, i = first.mask.origin_kji
    beside = with_lesion(case, 7, (k + 2, j + 4, i + 5), (1, 2, 2))
    made = grow(tmp_path / "set", [beside], Wish(("crops",), 0, SITE))
    assert made.counts["findings_without_crop"] == {"beside-a-nodule": 1}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"modality": "MR", "unit": ""}, "not-ct"),
        ({"affine": np.diag([2.0, 0.7, 0.9, 1.0])[:, [2, 1, 0, 3]]}, "not-square"),
        ({"affine": np.diag([2.0, 0.7, 0.7, 1.0])}, "not-axial"),
    ],
)
def test_what_is_no_axial_ct_of_square_pixels_gives_none(change, why):
    affine = np.array([[0, 0, 0.7, 0], [0, 0.7, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1.0]])
    voxels = np.zeros((3, 8, 8), np.int16)
    plain = Volume(voxels, affine, "CT", "HU")
    assert crops.why_no_crops(plain) is None
    if why == "not-square":
        change = {"affine": affine @ np.diag([1, 1, 1.3, 1])}
    assert crops.why_no_crops(replace(plain, **change)) == why


def test_a_lesion_wider_than_a_crop_gives_none():
    affine = np.array([[0, 0, 0.7, 0], [0, 0.7, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1.0]])
    volume = Volume(np.zeros((4, 300, 300), np.int16), affine, "CT", "HU")
    outline = np.zeros((4, 300, 300), bool)
    outline[1, 20:200, 50] = True
    from viewer.export.sets.truth import Finding

    one = Finding(None, "truth")
    assert crops.crop_of(one, (), [outline], volume, NAMES) == "too-large"


def test_readers_are_bits(case, tmp_path):
    (one,) = (x for x in findings(case, ("nodule",)) if x.lesion.number == 2)
    shape = case.volume.shape_kji
    first = one.lesion.mask.to_array(shape)
    second = np.roll(first, 1, axis=2)
    crop = crops.crop_of(one, (one,), [first, second], case.volume, NAMES)
    assert crop.row["n_readers"] == "2"
    assert [int((crop.bits >> bit & 1).sum()) for bit in range(3)] == [first.sum(), second.sum(), 0]
    crops.write_folder(tmp_path, "crops/training", [crop])
    found = load_folder(tmp_path / "crops" / "training")
    assert found.readers(found.lesions[0]).shape[0] == 2


def test_a_folder_that_reads_back_otherwise_is_told(case, tmp_path, monkeypatch):
    (one,) = (x for x in findings(case, ("nodule",)) if x.lesion.number == 2)
    outline = one.lesion.mask.to_array(case.volume.shape_kji)
    crop = crops.crop_of(one, (one,), [outline], case.volume, NAMES)
    real = np.savez_compressed

    def turned(path, masks):
        real(path, masks=masks[:, :, ::-1])

    monkeypatch.setattr(crops.np, "savez_compressed", turned)
    with pytest.raises(FileProblem, match="did not read back"):
        crops.write_folder(tmp_path, "crops/training", [crop])


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=7))
def test_runs_are_the_mask(rows):
    plane = np.array(rows)
    counts = coco.runs(plane)
    assert np.array_equal(coco.filled(counts, plane.shape), plane)
    assert sum(counts) == plane.size
    assert sum(counts[1::2]) == plane.sum()


def test_pictures_and_annotations_fit_the_case(case, tmp_path):
    made = grow(tmp_path / "set", [case], Wish(("coco",), 0, SITE))
    (path,) = (made.folder / "v0001" / "coco").glob("*.json")
    found = document(path)
    assert len(found["images"]) == case.volume.shape_kji[0]
    per_finding = {}
    for mark in found["annotations"]:
        assert mark["area"] == sum(mark["segmentation"]["counts"][1::2])
        image = found["images"][mark["image_id"] - 1]
        assert image["id"] == mark["image_id"]
        if not mark["iscrowd"]:
            per_finding[mark["finding"]] = per_finding.get(mark["finding"], 0) + mark["area"]
    assert per_finding == {2: case.lesions[1].mask.count, 3: case.lesions[2].mask.count}
    assert geometry.spacing_kji_mm(case.volume.affine)[1] == pytest.approx(
        found["images"][0]["pixel_spacing_mm"][0]
    )
