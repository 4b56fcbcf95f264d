"""The corpus of odd files: its geometry oracle, its pixel hashes, and no traceback anywhere."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm, lps_mm_to_kji, reorder_kji_ijk
from resources.problem import Problem
from viewer.study.inspect import inspect
from viewer.study.order import StackPlan, volumes
from viewer.study.read import read
from viewer.study.resample import can_resample, resampled
from viewer.study.scan import scan
from viewer.study.thumbnail import thumbnail

REGULAR = ["ct_philips_2010", "dcm4che_mr_coronal", "d2n_generic_001", "d2n_non_isotropic_oblique"]
IRREGULAR = {
    "d2n_gantrytilt": "gantry-tilt",
    "d2n_increment1": "missing-slices",
    "d2n_notavolume": "duplicate-positions",
}
LOSSY = tuple(f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51", "81", "91"))


@pytest.fixture(scope="module")
def oracle(corpus: Path) -> dict[str, Any]:
    loaded = json.loads((corpus / "GEOMETRY_ORACLE.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry for part in loaded.values() for entry in part}


def plans_of(corpus: Path, entry: dict[str, Any]) -> tuple[StackPlan, ...]:
    found = [
        series
        for series in scan(corpus / entry["path"]).series
        if series.series_uid == entry.get("series_uid", series.series_uid)
    ]
    assert len(found) == 1
    return volumes(found[0])


def test_the_oracle_is_the_one_these_tests_know(oracle: dict[str, Any]) -> None:
    assert set(oracle) == {*REGULAR, *IRREGULAR, "enh_philips_fmap_e1"}


@pytest.mark.parametrize("name", REGULAR)
def test_regular_series_equal_the_oracle(corpus: Path, oracle: dict[str, Any], name: str) -> None:
    entry = oracle[name]
    (plan,) = plans_of(corpus, entry)
    assert plan.regular and not plan.problems and plan.irregularity is None
    assert (plan.name, plan.part) == ("", "")
    volume = read(plan)
    tolerance = entry["tolerance"]
    assert volume.regular
    assert list(reversed(volume.shape_kji)) == entry["size_ijk"]
    assert np.abs(np.array(volume.spacing_kji_mm[::-1]) - entry["spacing_mm"]).max() <= 1e-3
    affine = reorder_kji_ijk(volume.affine)
    assert np.abs(affine - entry["affine_lps"]).max() <= tolerance["affine"]
    assert len(entry["points"]) == 5
    for point in entry["points"]:
        i, j, k = point["index_ijk"]
        place = kji_to_lps_mm(volume.affine, (k, j, i))
        assert np.abs(place - point["world_lps_mm"]).max() <= tolerance["world_mm"]
        assert abs(float(volume.voxels[k, j, i]) - point["value"]) <= tolerance["value"]
    assert float(volume.voxels.min()) == pytest.approx(entry["min"], abs=1e-3)
    assert float(volume.voxels.max()) == pytest.approx(entry["max"], abs=1e-3)
    assert float(volume.voxels.mean(dtype=np.float64)) == pytest.approx(entry["mean"], abs=1e-3)
    if volume.voxels.dtype != np.float32:
        raw = volume.voxels.astype("<f4").tobytes()
        assert hashlib.sha256(raw).hexdigest() == entry["sha256_float32_kji"]


@pytest.mark.parametrize(("name", "kind"), IRREGULAR.items())
def test_irregular_series_are_flagged_and_stand_where_they_are(
    corpus: Path, oracle: dict[str, Any], name: str, kind: str
) -> None:
    entry = oracle[name]
    (plan,) = plans_of(corpus, entry)
    assert not plan.regular and plan.affine is None and plan.refusal is None
    assert plan.irregularity is not None and plan.irregularity.remedy
    assert plan.irregularity.detail == kind
    assert kind in [problem.kind for problem in plan.problems]
    assert plan.places is not None and len(plan.places) == entry["n_slices"]
    truth = {each["sop"]: each for each in entry["slices"]}
    volume = read(plan)
    assert not volume.regular and volume.places is not None and volume.placed and volume.in_mm
    for k, ref in enumerate(plan.planes):
        true = truth.pop(ref.instance.sop_instance_uid)
        row, column = np.array(true["iop"][:3]), np.array(true["iop"][3:])
        between_rows, between_columns = true["pixel_spacing"]
        for places in (plan.places, volume.places):
            place = places[k]
            assert np.abs(place[:3, 3] - true["ipp_lps"]).max() <= 1e-3
            far = place @ (0, 511, 511, 1)
            expected = true["ipp_lps"] + 511 * (column * between_rows + row * between_columns)
            assert np.abs(far[:3] - expected).max() <= 1e-3
        values = volume.voxels[k]
        at = true["value_at_r_c"]
        assert float(values[at["r"], at["c"]]) == at["value"]
        assert (values.min(), values.max()) == (true["min"], true["max"])
        assert float(values.mean(dtype=np.float64)) == pytest.approx(true["mean"], abs=1e-4)
    assert not truth
    assert thumbnail(plan, 64).shape == (64, 64)


def test_the_tilt_is_measured(corpus: Path, oracle: dict[str, Any]) -> None:
    entry = oracle["d2n_gantrytilt"]
    (plan,) = plans_of(corpus, entry)
    assert f"{entry['slice_axis_tilt_deg']:.1f} degrees" in plan.problems[0].text
    assert plan.places is not None
    normal = plan.places[0, :3, 0] / np.linalg.norm(plan.places[0, :3, 0])
    gaps = np.diff(plan.places[:, :3, 3] @ normal)
    assert abs(gaps.min() - entry["gap_min_mm"]) < 1e-3
    assert abs(gaps.max() - entry["gap_max_mm"]) < 1e-3


@pytest.mark.parametrize("name", ["d2n_gantrytilt", "d2n_increment1"])
def test_their_resampled_copy_holds_the_slices_in_their_places(
    corpus: Path, oracle: dict[str, Any], name: str
) -> None:
    (plan,) = plans_of(corpus, oracle[name])
    assert can_resample(plan)
    volume = read(plan)
    copy = resampled(volume)
    assert copy.regular and volume.places is not None
    for k, place in enumerate(volume.places):
        # Noise is blurred by half a pixel; the places of a grid of means stay.
        at = np.array([[j, i] for j in range(40, 480, 40) for i in range(40, 480, 40)])
        ours, theirs = [], []
        for j, i in at:
            world = place @ (0, j, i, 1)
            index = lps_mm_to_kji(copy.affine, world[:3])
            assert abs(index[0] - round(index[0])) < 0.02
            n, row, column = np.rint(index).astype(int)
            ours.append(copy.voxels[n, row - 5 : row + 6, column - 5 : column + 6].mean())
            theirs.append(volume.voxels[k, j - 5 : j + 6, i - 5 : i + 6].mean())
        assert np.corrcoef(ours, theirs)[0, 1] > 0.95


def test_slices_at_one_place_are_not_offered_a_copy(corpus: Path, oracle: dict[str, Any]) -> None:
    (plan,) = plans_of(corpus, oracle["d2n_notavolume"])
    assert not can_resample(plan)
    with pytest.raises(Problem):
        resampled(read(plan))


def test_enhanced_mr_is_two_volumes_in_the_places_of_its_nifti(
    corpus: Path, oracle: dict[str, Any]
) -> None:
    entry = oracle["enh_philips_fmap_e1"]
    plans = plans_of(corpus, entry)
    assert [plan.name for plan in plans] == ["magnitude", "field map"]
    assert len({plan.part for plan in plans}) == 2
    assert sum(len(plan.planes) for plan in plans) == entry["frames"]
    size = np.array(entry["nifti_shape"])
    theirs = np.linalg.inv(np.array(entry["affine_lps"]))
    for plan in plans:
        assert plan.regular and not plan.problems
        volume = read(plan)
        assert list(reversed(volume.shape_kji)) == entry["nifti_shape"]
        # The NIfTI counts columns and rows from the other end; every corner must be a corner.
        for corner in np.ndindex(2, 2, 2):
            place = kji_to_lps_mm(volume.affine, np.array(corner) * (size[::-1] - 1))
            index = theirs[:3, :3] @ place + theirs[:3, 3]
            assert np.minimum(np.abs(index), np.abs(index - (size - 1))).max() <= 0.02
    # Values of the oracle carry a private scale of Philips: they must be in proportion.
    volume = read(plans[0])
    ours, reference = [], []
    for point in entry["points"]:
        k, j, i = np.rint(lps_mm_to_kji(volume.affine, point["world_lps_mm"])).astype(int)
        ours.append(float(volume.voxels[k, j, i]))
        reference.append(point["value"])
    assert np.corrcoef(ours, reference)[0, 1] > 0.9999


@pytest.mark.parametrize(
    ("number", "file"),
    [(0, "Philips_WIP_B0_NS_801_e1.nii"), (1, "Philips_WIP_B0_NS_801_e2_fieldmaphz.nii")],
)
def test_enhanced_mr_equals_both_nifti_files_voxel_for_voxel(
    corpus: Path, oracle: dict[str, Any], number: int, file: str
) -> None:
    """The program's own reading of the NIfTI stands in for dcm2niix, which wrote it."""
    entry = oracle["enh_philips_fmap_e1"]
    ours = read(plans_of(corpus, entry)[number])
    (series,) = scan(corpus / Path(entry["path"]).parent.parent.parent / "Ref" / file).series
    theirs = read(volumes(series)[0])
    index = np.stack(np.meshgrid(*map(np.arange, ours.shape_kji), indexing="ij"), axis=-1)
    there = lps_mm_to_kji(theirs.affine, kji_to_lps_mm(ours.affine, index))
    k, j, i = np.rint(there).astype(int).reshape(-1, 3).T
    assert np.abs(there - np.rint(there)).max() < 0.02
    found = theirs.voxels[k, j, i].astype(np.float64)
    assert np.corrcoef(found, ours.voxels.ravel().astype(np.float64))[0, 1] > 0.9999


def test_inspect_gives_the_stored_values_of_the_manifest(corpus: Path) -> None:
    """Lossless files by their hash, lossy ones by their size, through the command's own JSON."""
    expected = {}
    with (corpus / "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            found = re.search(
                r"opens; pixels \(([\d, ]+)\) \S+ \S+ sha256 ([0-9a-f]{16})", row["expected"] or ""
            )
            if found:
                shape = [int(n) for n in found[1].split(",") if n.strip()]
                expected[str(corpus / row["path"])] = shape, found[2], row["transfer_syntax"]
    right, wrong = 0, []
    for path, (shape, digest, syntax) in expected.items():
        try:
            described = inspect(path, pixels=True)
        except Problem as problem:
            wrong.append(f"{path}: {problem}")
            continue
        said = [*described["series"], *described["skipped"]]
        (file,) = (file for each in said for file in each.get("pixels", ()))
        if "problem" in file:
            wrong.append(f"{path}: {file['problem']}")
        elif file["shape"] != shape or (syntax not in LOSSY and file["sha256"] != digest):
            wrong.append(f"{path}: {file}, not {shape} {digest}")
        else:
            right += 1
    print(f"{right} of {len(expected)} files give the pixels of the manifest")
    assert not wrong, "\n".join(wrong)
    assert right > 250


def test_every_file_of_the_corpus_ends_in_a_series_or_in_a_sentence(corpus: Path) -> None:
    """Open, order, read, picture: whatever fails fails as a Problem with a sentence."""
    outcomes = {"volumes": 0, "problem": 0, "skipped": 0}
    for path in sorted(p for p in corpus.rglob("*") if p.is_file()):
        try:
            described = inspect(path)
        except Problem as problem:
            assert problem.sentence and problem.remedy
            outcomes["skipped"] += 1
            continue
        json.dumps(described, allow_nan=False)
        for series in scan(path).series:
            for plan in volumes(series):
                try:
                    if plan.refusal is None:
                        assert read(plan).regular == plan.regular
                    thumbnail(plan, 32)
                    outcomes["volumes"] += 1
                except Problem as problem:
                    assert problem.sentence and problem.remedy
                    outcomes["problem"] += 1
    assert outcomes["volumes"] > 200
