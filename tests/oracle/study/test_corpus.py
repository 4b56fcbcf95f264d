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
from viewer.study import pixels
from viewer.study.header import Unusable, read_header
from viewer.study.inspect import inspect
from viewer.study.order import StackPlan, order
from viewer.study.read import read
from viewer.study.scan import scan
from viewer.study.suitable import pixels_refusal
from viewer.study.thumbnail import thumbnail

REGULAR = ["ct_philips_2010", "dcm4che_mr_coronal", "d2n_generic_001", "d2n_non_isotropic_oblique"]
IRREGULAR = {
    "d2n_gantrytilt": "gantry-tilt",
    "d2n_increment1": "missing-slices",
    "d2n_notavolume": "duplicate-positions",
}


@pytest.fixture(scope="module")
def oracle(corpus: Path) -> dict[str, Any]:
    loaded = json.loads((corpus / "GEOMETRY_ORACLE.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry for part in loaded.values() for entry in part}


def plan_of(corpus: Path, entry: dict[str, Any]) -> StackPlan:
    found = [
        series
        for series in scan(corpus / entry["path"]).series
        if series.series_uid == entry.get("series_uid", series.series_uid)
    ]
    assert len(found) == 1
    return order(found[0])


def test_the_oracle_is_the_one_these_tests_know(oracle: dict[str, Any]) -> None:
    assert set(oracle) == {*REGULAR, *IRREGULAR, "enh_philips_fmap_e1"}


@pytest.mark.parametrize("name", REGULAR)
def test_regular_series_equal_the_oracle(corpus: Path, oracle: dict[str, Any], name: str) -> None:
    entry = oracle[name]
    plan = plan_of(corpus, entry)
    assert plan.regular and not plan.problems
    volume = read(plan)
    tolerance = entry["tolerance"]
    assert list(reversed(volume.shape_kji)) == entry["size_ijk"]
    affine = reorder_kji_ijk(volume.affine)
    assert np.abs(affine - entry["affine_lps"]).max() <= tolerance["affine"]
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
def test_irregular_series_are_flagged_and_refused(
    corpus: Path, oracle: dict[str, Any], name: str, kind: str
) -> None:
    plan = plan_of(corpus, oracle[name])
    assert not plan.regular
    assert kind in [problem.kind for problem in plan.problems]
    with pytest.raises(Problem):
        read(plan)
    assert thumbnail(plan, 64).shape == (64, 64)


def test_enhanced_mr_gives_the_first_echo_alone(corpus: Path, oracle: dict[str, Any]) -> None:
    entry = oracle["enh_philips_fmap_e1"]
    plan = plan_of(corpus, entry)
    assert [problem.kind for problem in plan.problems] == ["several-volumes"]
    volume = read(plan)
    assert list(reversed(volume.shape_kji)) == entry["nifti_shape"]
    # The reference counts columns and rows from the other end; every corner must be a corner.
    theirs = np.array(entry["affine_lps"])
    inverse = np.linalg.inv(theirs)
    size = np.array(entry["nifti_shape"])
    for corner in np.ndindex(2, 2, 2):
        place = kji_to_lps_mm(volume.affine, np.array(corner) * (size[::-1] - 1))
        index = inverse[:3, :3] @ place + inverse[:3, 3]
        assert np.minimum(np.abs(index), np.abs(index - (size - 1))).max() <= 0.02
    # Its values carry a private scale of Philips: they must be in proportion.
    ours, reference = [], []
    for point in entry["points"]:
        k, j, i = np.rint(lps_mm_to_kji(volume.affine, point["world_lps_mm"])).astype(int)
        ours.append(float(volume.voxels[k, j, i]))
        reference.append(point["value"])
    assert np.corrcoef(ours, reference)[0, 1] > 0.9999


def _hashed_rows(corpus: Path) -> list[tuple[Path, tuple[int, ...], str, str]]:
    rows = []
    with (corpus / "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            found = re.search(
                r"opens; pixels \(([\d, ]+)\) \S+ \S+ sha256 ([0-9a-f]{16})", row["expected"] or ""
            )
            if found:
                shape = tuple(int(n) for n in found[1].split(",") if n.strip())
                rows.append((corpus / row["path"], shape, found[2], row["transfer_syntax"]))
    return rows


def test_stored_values_of_all_greyscale_files_equal_their_hash(corpus: Path) -> None:
    """Greyscale files of 8 to 32 bits: lossless ones by hash; others must decode to the size."""
    lossy = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"}
    lossy.add("1.2.840.10008.1.2.4.91")
    compared, wrong = 0, []
    for path, shape, expected, syntax in _hashed_rows(corpus):
        try:
            instance, _ = read_header(path)
        except Unusable:
            continue
        if pixels_refusal(instance) is not None:
            continue
        found = pixels.frames(instance, range(instance.n_frames))
        values = np.stack(found) if instance.n_frames > 1 else found[0]
        if values.shape != shape:
            wrong.append(f"{path.name}: {values.shape}, not {shape}")
        elif syntax not in lossy:
            compared += 1
            kind = values.dtype.newbyteorder("<")
            digest = hashlib.sha256(values.astype(kind).tobytes()).hexdigest()
            if not digest.startswith(expected):
                wrong.append(f"{path.relative_to(corpus)}: {values.dtype} {values.shape}")
    assert not wrong, "\n".join(wrong)
    assert compared > 50


def test_every_file_of_the_corpus_ends_in_a_series_or_in_a_sentence(corpus: Path) -> None:
    """Open, order, read, picture: whatever fails fails as a Problem with a sentence."""
    outcomes = {"series": 0, "problem": 0, "skipped": 0}
    for path in sorted(p for p in corpus.rglob("*") if p.is_file()):
        try:
            described = inspect(path)
        except Problem as problem:
            assert problem.sentence and problem.remedy
            outcomes["skipped"] += 1
            continue
        json.dumps(described, allow_nan=False)
        for series in scan(path).series:
            plan = order(series)
            try:
                if plan.refusal is None:
                    read(plan)
                thumbnail(plan, 32)
                outcomes["series"] += 1
            except Problem as problem:
                assert problem.sentence and problem.remedy
                outcomes["problem"] += 1
    assert outcomes["series"] > 200
