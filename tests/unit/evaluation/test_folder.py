"""Reading a folder and predictions: what is right is read, what is wrong is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation import points
from inference.evaluation.folder import SIZE_PX, Folder, Slices, load_folder
from inference.evaluation.predict import estimated_hu
from inference.evaluation.predictions import Blob, load, save
from inference.evaluation.seen import Seen, chosen, seen_by
from inference.findings import Mask
from inference.geometry import lps_mm_to_kji
from inference.training.data import load_crops, split_of
from resources.problem import Problem
from tests.evaluation_cases import (
    GAP_MM,
    ball,
    folder_of,
    lesion,
    majority,
    read_index,
    said,
    write_folder,
    write_index,
)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Folder:
    return write_folder(tmp_path_factory.mktemp("crops") / "lidc-nodules")


@pytest.fixture
def path(written: Folder, tmp_path: Path) -> Path:
    """A copy to be broken."""
    return shutil.copytree(written.path, tmp_path / "broken")


def refusal(call, *arguments) -> str:
    with pytest.raises(Problem) as caught:
        call(*arguments)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return caught.value.sentence


# ------------------------------------------------------------------- folder


def test_a_folder_is_read_as_the_training_reads_it(written: Folder):
    crops = load_crops(written.path)
    assert len(written.lesions) == len(crops.nodules) == 6
    for own, other in zip(written.lesions, crops.nodules, strict=True):
        assert (own.patient, own.name, own.start, own.stop) == (
            other.patient, other.name, other.start, other.stop,
        )  # fmt: skip
        assert (own.gap_mm, own.pixel_mm, own.diameter_mm) == (
            other.gap_mm, other.pixel_mm, other.mean_diameter_mm,
        )  # fmt: skip
        assert np.mean(own.malignancy) == other.malignancy
        assert (written.votes(own) == crops.votes[own.rows]).all()
    with Slices(written) as slices:
        for own in written.lesions:
            hu = estimated_hu(slices.of(own))
            assert hu == pytest.approx(crops.hu(own.rows), abs=0.01)


def test_the_affine_of_a_crop_keeps_millimetres():
    one = lesion()
    assert one.affine[:3, 0] == pytest.approx([0, 0, GAP_MM])
    assert lps_mm_to_kji(one.affine, [0.7, 1.4, 5.0]) == pytest.approx([2, 2, 1])


@pytest.mark.parametrize("name", ["index.csv", "reader_masks.npz"])
def test_a_missing_file_is_named(path: Path, name: str):
    (path / name).unlink()
    assert name in refusal(load_folder, path) and "not there" in refusal(load_folder, path)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("start", "x"), ("stop", ""), ("n_slices", "99"), ("n_readers", "0"),
        ("pixel_spacing_mm", "0"), ("pixel_spacing_mm", "nan"), ("mean_diameter_mm", "-3"),
        ("malignancy", "1 two"), ("zmax", "inf"), ("patient", " "),
    ],
)  # fmt: skip
def test_a_bad_value_in_the_index_is_named(path: Path, column: str, value: str):
    rows = read_index(path)
    rows[2][column] = value
    write_index(path, rows)
    said = refusal(load_folder, path)
    assert "line 4" in said and (column in said or column == "stop" or "disagree" in said)


def test_a_missing_column_is_named(path: Path):
    write_index(path, [{k: v for k, v in r.items() if k != "texture"} for r in read_index(path)])
    assert "texture" in refusal(load_folder, path)


def test_an_index_without_rows_or_text_is_refused(path: Path):
    (path / "index.csv").write_text("patient,nodule\n")
    assert "no nodules" in refusal(load_folder, path)
    (path / "index.csv").write_bytes(b"\xff\xfe\x00" * 40)
    assert "index.csv" in refusal(load_folder, path)


@pytest.mark.parametrize(
    "array",
    [np.zeros((5, 64, 64), np.uint8), np.zeros((5, 128, 128), bool), np.zeros(3, np.uint8)],
)
def test_masks_of_another_kind_are_refused(path: Path, array):
    np.savez(path / "reader_masks.npz", masks=array)
    assert "128" in refusal(load_folder, path)


def test_masks_that_are_too_few_or_damaged_are_refused(path: Path):
    np.savez(path / "reader_masks.npz", masks=np.zeros((4, SIZE_PX, SIZE_PX), np.uint8))
    assert "4 slices" in refusal(load_folder, path)
    (path / "reader_masks.npz").write_bytes(b"PK\x03\x04 and no more")
    assert "damaged" in refusal(load_folder, path)
    np.savez(path / "reader_masks.npz", other=np.zeros(3))
    assert "reader_masks.npz" in refusal(load_folder, path)


def test_objects_in_an_archive_are_never_loaded(path: Path):
    np.savez(path / "reader_masks.npz", masks=np.array([{}, []], dtype=object))
    assert "reader_masks.npz" in refusal(load_folder, path)


def test_slices_that_are_missing_or_of_another_size_are_named(path: Path):
    folder = load_folder(path)
    other = replace(folder.lesions[0], name="nodule-9")
    short = replace(folder.lesions[0], stop=folder.lesions[0].stop + 1)
    with Slices(folder) as slices:
        assert "slices.tar" in refusal(slices.of, other)
        assert "nodule-1.webp" in refusal(slices.of, short)
    (path / "slices.tar").write_bytes(b"no archive at all" * 100)
    assert "slices.tar" in refusal(Slices, folder)
    (path / "slices.tar").unlink()
    assert "not there" in refusal(Slices, folder)


# -------------------------------------------------------------- predictions


def test_predictions_come_back_as_they_were_saved(written: Folder, tmp_path: Path):
    masks = majority(written)
    blobs = (
        Blob(0, 0.25, Mask((0, 3, 4), np.ones((1, 2, 3), dtype=bool))),
        Blob(5, 0.75, Mask.from_array(ball(5, 6))),
        Blob(2, 0.5, Mask((0, 0, 0), np.zeros((0, 0, 0), dtype=bool))),
    )
    given = said(
        written, masks, np.linspace(0, 1, 6), other_masks=~masks, blobs=blobs,
        heat=masks.astype(np.uint8), scalars={"texture": np.arange(6.0)},
        seconds=np.full(6, 0.3), model={"id": "m", "threshold": 0.4},
    )  # fmt: skip
    save(tmp_path / "deep" / "p.npz", given)
    back = load(tmp_path / "deep" / "p.npz", written)
    assert (back.masks == masks).all() and (back.other_masks == ~masks).all()
    assert back.largest_masks is None and (back.heat == given.heat).all()
    assert (back.scores == given.scores).all() and back.model == given.model
    assert (back.scalars["texture"] == np.arange(6.0)).all() and set(back.scalars) == {"texture"}
    for a, b in zip(back.blobs, blobs, strict=True):
        assert (a.lesion, a.score, a.mask.origin_kji) == (b.lesion, b.score, b.mask.origin_kji)
        assert (a.mask.voxels == b.mask.voxels).all()


def test_masks_and_scores_are_enough(written: Folder, tmp_path: Path):
    np.savez(tmp_path / "p.npz", masks=majority(written), scores=np.ones(6, dtype=np.float32))
    back = load(tmp_path / "p.npz", written)
    assert back.measured.all() and back.blobs is None and back.heat is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"masks": None}, "masks"),
        ({"scores": None}, "scores"),
        ({"scores": np.ones(5)}, "scores"),
        ({"scores": np.full(6, 1.5)}, "0 to 1"),
        ({"scores": np.full(6, np.nan)}, "0 to 1"),
        ({"scores": np.array(["a"] * 6)}, "scores"),
        ({"masks": np.zeros((3, 128, 128), bool)}, "masks"),
        ({"masks": "probabilities"}, "masks"),
        ({"masks": "counts"}, "masks"),
        ({"other_masks": np.zeros((1, 128, 128), bool)}, "other_masks"),
        ({"heat": np.zeros((1, 128, 128), np.uint8)}, "heat"),
        ({"texture": np.zeros(2)}, "texture"),
        ({"measured": np.zeros(2, bool)}, "measured"),
        ({"model_threshold": np.array("high")}, "model_threshold"),
        ({"blob_score": np.ones(1)}, "blob"),
        (
            {
                "blob_score": np.ones(1), "blob_lesion": np.array([7]),
                "blob_box": np.array([[0, 0, 0, 1, 1, 1]]), "blob_bits": np.ones(1, np.uint8),
            },
            "blob",
        ),
        (
            {
                "blob_score": np.ones(1), "blob_lesion": np.array([0]),
                "blob_box": np.array([[0, 120, 0, 1, 20, 1]]), "blob_bits": np.ones(9, np.uint8),
            },
            "blob",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_predictions_is_named(written: Folder, tmp_path: Path, changes, named):
    arrays = {"masks": majority(written), "scores": np.ones(6)}
    for name, value in changes.items():
        if isinstance(value, str):
            kind = np.float32 if value == "probabilities" else np.uint8
            value = arrays["masks"].astype(kind) * 2
        arrays[name] = value
    np.savez(tmp_path / "p.npz", **{k: v for k, v in arrays.items() if v is not None})
    assert named in refusal(load, tmp_path / "p.npz", written)


def test_no_archive_is_no_predictions(written: Folder, tmp_path: Path):
    file = tmp_path / "p.npz"
    assert "not there" in refusal(load, file, written)
    file.write_bytes(b"masks")
    assert "damaged" in refusal(load, file, written)
    with file.open("wb") as handle:
        np.save(handle, np.ones(3))
    assert "NPZ" in refusal(load, file, written)
    np.savez(file, masks=np.array([{}], dtype=object))
    assert "p.npz" in refusal(load, file, written)


# ------------------------------------------------------------------- points


def test_a_point_depends_on_its_nodule_alone():
    half = ball(5, 6)
    one, moved = lesion(0, 5), lesion(40, 45)
    assert points.point_kji(one, half, "first") == points.point_kji(moved, half, "first")
    kinds = {points.point_kji(one, half, kind) for kind in points.KINDS}
    assert len(kinds) == 3
    assert points.point_kji(lesion(name="nodule-1"), half, "first") not in kinds


def test_the_protocol_never_changes():
    # A changed protocol makes figures that cannot be compared with those of the model card.
    assert points.point_kji(lesion(), ball(5, 9), "first") == pytest.approx(FIRST, abs=1e-6)


FIRST = (0, 65.39667973592515, 66.1929570944969)


def test_points_are_spread_over_slices_and_over_a_disc_of_a_quarter_of_the_diameter():
    half = ball(5, 9)
    off, slices = [], []
    for n in range(800):
        one = lesion(patient=f"P{n}", diameter_mm=8.4)
        k, j, i = points.point_kji(one, half, "first")
        off.append(np.array([j - 64, i - 64]) * one.pixel_mm)
        slices.append(k)
        assert points.point_kji(one, half, "largest")[0] == 2
    away = np.linalg.norm(off, axis=1)
    assert away.max() <= 8.4 / 4 and away.max() > 0.98 * 8.4 / 4
    # Uniform over a disc: a quarter of the points within half of the radius, mean 2/3 of it.
    assert np.mean(away < 8.4 / 8) == pytest.approx(0.25, abs=0.05)
    assert away.mean() == pytest.approx(2 / 3 * 8.4 / 4, rel=0.04)
    assert np.abs(np.mean(off, axis=0)).max() < 0.12
    assert np.bincount(slices) / 800 == pytest.approx(np.full(5, 0.2), abs=0.05)


def test_a_point_stays_within_its_crop_and_may_lie_beside_the_outline():
    corner = ball(3, 3, row=1, column=1)
    for n in range(50):
        one = lesion(0, 3, patient=f"P{n}", diameter_mm=60.0)
        _, j, i = points.point_kji(one, corner, "first")
        assert 0 <= j <= 127 and 0 <= i <= 127
    assert any(points.beside(lesion(patient=f"P{n}"), ball(5, 2), "first") for n in range(50))


# --------------------------------------------------------------------- seen


class _Pack:
    def __init__(self, folder: Path, record="training.json") -> None:
        self.folder, self.training = folder, {"record": record}


def test_the_pack_says_by_name_whom_it_was_trained_on(tmp_path: Path):
    record = {"patients": {"train": ["A"], "validation": ["B"]}}
    (tmp_path / "training.json").write_text(json.dumps(record))
    seen = seen_by(_Pack(tmp_path))  # type: ignore[arg-type]
    assert seen.by_name
    assert [seen.use(p) for p in "ABC"] == ["train", "validation", ""]
    assert [chosen(p, "unseen", seen) for p in "ABC"] == [False, False, True]
    assert chosen("A", "all", seen)


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"patients": {"train": ["A"]}}'])
def test_a_record_without_names_leaves_the_hash_to_tell(tmp_path: Path, text: str):
    (tmp_path / "training.json").write_text(text)
    for seen in (seen_by(_Pack(tmp_path)), seen_by(_Pack(tmp_path, 7)), seen_by(None)):  # type: ignore[arg-type]
        assert not seen.by_name
        for n in range(60):
            patient = f"LIDC-IDRI-{n:04d}"
            split = split_of(patient)
            assert chosen(patient, "unseen", seen) == (split == "test")
            assert chosen(patient, split, seen)
            assert seen.use(patient) == ("" if split == "test" else split)


def test_a_record_is_never_read_outside_its_pack(tmp_path: Path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "training.json").write_text('{"patients": {"train": [], "validation": []}}')
    assert not seen_by(_Pack(tmp_path / "pack", "../training.json")).by_name  # type: ignore[arg-type]


def test_an_empty_choice_is_refused():
    from inference.evaluation.report import choose, measure

    folder = folder_of([[ball(3, 5)] * 4])
    seen = Seen(True, {"train": frozenset({"P0"}), "validation": frozenset()})
    assert "unseen" in refusal(choose, folder, "unseen", seen)
    none = replace(said(folder, majority(folder)), measured=np.zeros(1, dtype=bool))
    assert "none of the chosen" in refusal(measure, folder, none, [0], "all", seen)
