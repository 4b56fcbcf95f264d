"""A training set grows by whole, checked versions; nobody changes side, nothing names anybody."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from resources.problem import Problem
from tests.deid_cases import BIRTH_DATE, NAME, PATIENT_ID
from tests.set_cases import document, judged, set_case, tree, with_lesion
from viewer.deid.keyed import Keys
from viewer.export import apart
from viewer.export.leaving import Leave
from viewer.export.sets import secret
from viewer.export.sets.formats import SET_FORMATS
from viewer.export.sets.grow import Wish, grow
from viewer.export.sets.truth import findings, label_array

SITE = Leave(Keys(bytes(range(32))), lambda patients: None)
ALL = Wish(SET_FORMATS, 0, SITE)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return set_case(tmp_path_factory.mktemp("case") / "study")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return set_case(tmp_path_factory.mktemp("other") / "study", "P2")


@pytest.fixture(scope="module")
def made(case, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "set"
    return grow(folder, [case], ALL)


def _version(report):
    return report.folder / f"v{report.version:04d}"


def test_only_what_somebody_judged_is_truth(case, made):
    kinds = {one.lesion.number: (one.kind, one.why) for one in findings(case, ("nodule",))}
    assert kinds == {
        1: ("rejected", None), 2: ("truth", None), 3: ("truth", None), 4: ("open", "unsure"),
    }  # fmt: skip
    manifest = document(_version(made) / "manifest.json")
    assert manifest["counts"]["truth"] == 2
    assert manifest["counts"]["rejected"] == 1
    assert manifest["counts"]["missed"] == 1
    assert manifest["counts"]["open"] == {"unsure": 1}


def test_a_finding_that_nobody_judged_is_looked_away_from(case):
    open_one = judged(case, 2, None)
    open_one = replace(
        open_one,
        lesions=tuple(replace(x, origin="ai") if x.number == 2 else x for x in open_one.lesions),
    )
    found = findings(open_one, ("nodule",))
    volume = case.volume
    labels = label_array(found, ("nodule",), volume.shape_kji, volume.affine)
    box = case.lesions[1].mask.box
    assert (labels[box][case.lesions[1].mask.voxels] == 2).all()
    assert (labels[case.lesions[0].mask.box] == 0).all()
    # A place without an outline hides what lies within 15 mm of it.
    place = case.lesions[3].centre_lps_mm
    at = np.argwhere(labels == 2)
    from inference import geometry

    away = np.linalg.norm(geometry.kji_to_lps_mm(volume.affine, at) - np.array(place), axis=1)
    assert (away <= 15.0).any()


def test_a_finding_hidden_without_a_verdict_is_open(case):
    hidden = replace(case.lesions[0], verdict=None, origin="ai", score=0.7, number=9)
    low = replace(hidden, score=0.1, number=10)
    both = replace(
        case, unlisted=(("below-threshold", hidden), ("below-threshold", low), ("deleted", hidden))
    )
    added = [one for one in findings(both, ("nodule",)) if one.lesion.number > 4]
    assert [(one.lesion.number, one.why) for one in added] == [(9, "hidden")]


def test_a_label_without_a_class_is_open(case):
    strange = with_lesion(case, 7, (8, 40, 20), (1, 3, 3), label="cyst")
    (one,) = (x for x in findings(strange, ("nodule",)) if x.lesion.number == 7)
    assert (one.kind, one.why) == ("open", "other-label")


def test_every_file_is_listed_with_its_hash_and_checked(made):
    version = _version(made)
    manifest = document(version / "manifest.json")
    found = tree(version)
    found.pop("manifest.json")
    assert {file["name"]: file["sha256"] for file in manifest["files"]} == found
    unchecked = set(found) - {check["name"] for check in manifest["checks"]}
    # These are read to make the files that are checked, and stand by their hash.
    assert {name.split("/")[-2] for name in unchecked} == {"items"}
    assert all(check["result"] == "equal" and check["reader"] for check in manifest["checks"])
    assert manifest["parent"] is None
    assert manifest["models"][0]["version"] == "0.0.1"
    assert manifest["schema"]["journal"] > 0


def test_a_second_version_leaves_the_first_as_it_is(case, other, tmp_path):
    one = grow(tmp_path / "set", [case], ALL)
    first = tree(_version(one))
    two = grow(tmp_path / "set", [other], Wish(site=SITE))
    assert tree(_version(one)) == first
    manifest = document(_version(two) / "manifest.json")
    assert manifest["parent"]["version"] == 1
    assert manifest["parent"]["manifest_sha256"] == first["manifest.json"]
    assert manifest["counts"]["cases"] == manifest["counts"]["patients"] == 2
    assert len(manifest["added"]) == 1
    # What did not change is the same file, not a copy.
    image = next(name for name in first if name.startswith("pairs/images"))
    assert (_version(one) / image).stat().st_ino == (_version(two) / image).stat().st_ino
    assert tree(_version(two))[image] == first[image]
    assert {entry.name for entry in (tmp_path / "set").iterdir()} == {
        "overread-set.json", "v0001", "v0002",
    }  # fmt: skip


def test_a_corrected_case_is_a_new_item_and_the_old_one_stays(case, tmp_path):
    one = grow(tmp_path / "set", [case], ALL)
    two = grow(tmp_path / "set", [judged(case, 2, "rejected")], Wish(site=SITE))
    (before,) = document(_version(one) / "manifest.json")["items"]
    (after,) = document(_version(two) / "manifest.json")["items"]
    assert before["item"].endswith("-r1") and after["item"].endswith("-r2")
    assert before["item"][:-1] == after["item"][:-1]
    assert after["counts"]["truth"] == 1 and after["counts"]["rejected"] == 2
    assert (_version(one) / "pairs" / "labels" / f"{before['item']}.nii.gz").is_file()
    assert not list(_version(two).rglob(f"*{before['item']}*"))


def test_what_is_as_it_was_makes_no_version(case, made):
    before = tree(made.folder)
    again = grow(made.folder, [case], Wish(site=SITE))
    assert (again.version, again.latest, again.left_out) == (None, 1, {"unchanged": 1})
    assert tree(made.folder) == before


def test_a_case_that_nobody_judged_is_left_out_and_told(case, tmp_path):
    nothing = replace(
        case, lesions=tuple(replace(x, verdict=None, origin="ai") for x in case.lesions)
    )
    report = grow(tmp_path / "set", [nothing], ALL)
    assert (report.version, report.left_out) == (None, {"nothing-judged": 1})
    assert not (tmp_path / "set").exists()


def test_one_case_among_others_may_be_left_out(case, other, tmp_path):
    nothing = replace(other, lesions=())
    report = grow(tmp_path / "set", [nothing, case], ALL)
    assert report.items == 1
    manifest = document(_version(report) / "manifest.json")
    assert manifest["cases_left_out"] == {"nothing-judged": 1}


def test_sides_follow_from_secret_and_patient_and_have_their_shares():
    keys = SITE.keys
    names = [keys.patient(str(n)) for n in range(4000)]
    sides = Counter(secret.side_of(keys, name, 20) for name in names)
    assert sides == Counter(secret.side_of(keys, name, 20) for name in reversed(names))
    test = sum(count for (side, _), count in sides.items() if side == "test")
    assert 0.17 < test / 4000 < 0.23
    for fold in range(5):
        side = "training" if fold else "validation"
        assert 0.13 < sides[side, fold] / 4000 < 0.19
    # With fewer kept for the test, nobody goes there who was elsewhere.
    for name in names:
        if secret.side_of(keys, name, 20)[0] != "test":
            assert secret.side_of(keys, name, 10)[0] != "test"
    assert secret.side_of(Keys(bytes(32)), names[0], 0)[0] in ("training", "validation")


def test_all_formats_agree_on_the_sides(made, other):
    two = grow(made.folder, [other], Wish(site=SITE))
    version = _version(two)
    manifest = document(version / "manifest.json")
    folds = {item["item"]: item["fold"] for item in manifest["items"]}
    splits = document(next(version.glob("nnunet/*/splits_final.json")))
    for number, split in enumerate(splits):
        assert set(split["val"]) == {name for name, fold in folds.items() if fold == number}
        assert set(split["train"]) == set(folds) - set(split["val"])
    listed = document(version / "datalist.json")
    for side in ("training", "validation"):
        names = {entry["image"].split("/")[-1] for entry in listed.get(side, [])}
        own = {item["item"] for item in manifest["items"] if item["side"] == side}
        assert names == {f"{name}.nii.gz" for name in own}
        coco = version / "coco" / f"{side}.json"
        assert coco.is_file() == bool(own)
        if own:
            assert {image["item"] for image in document(coco)["images"]} == own


def test_the_table_is_whole_and_no_formula(case, tmp_path):
    odd = with_lesion(case, 8, (8, 40, 20), (1, 3, 3), label="nodule", reason="=1+1")
    report = grow(tmp_path / "set", [odd], Wish(("table",), 0, SITE))
    with (_version(report) / "findings.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["use"] for row in rows] == ["rejected", "truth", "truth", "open", "truth"]
    assert rows[4]["reason"] == "'=1+1"
    assert rows[3]["why_left_out"] == "unsure"
    assert float(rows[3]["y_lps_mm"]) == -20.0  # a number below zero stays one
    assert rows[2]["missed_by_ai"] == "yes" and rows[2]["malignancy"] == "4"
    assert rows[0]["reader"].startswith("R-")


def test_what_the_model_got_wrong_comes_with_its_reason(case, made):
    version = made.folder / "v0001"
    with (version / "hard" / "index.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["finding"], row["kind"], row["reason"]) for row in rows] == [
        ("1", "false-positive", "vessel"), ("3", "missed", ""),
    ]  # fmt: skip
    for row, lesion in zip(rows, (case.lesions[0], case.lesions[2]), strict=True):
        image = nibabel.load(version / row["image"])
        label = nibabel.load(version / row["label"])
        at = [int(row[f"voxel_{axis}"]) for axis in "ijk"]
        there = (image.affine @ [*at, 1])[:3] * [-1, -1, 1]
        off = np.abs(there - np.array(lesion.measurement.centre_lps_mm))
        assert (off <= np.array([3.1, 3.1, 9.6])).all()  # half a voxel
        count = int((np.asarray(label.dataobj) == 1).sum())
        assert count == (0 if row["kind"] == "false-positive" else lesion.mask.count)


def test_nobody_is_named(tmp_path):
    study = tmp_path / "study"
    case = set_case(study)
    import pydicom

    for path in filter(Path.is_file, study.rglob("*")):
        dataset = pydicom.dcmread(path)
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = (
            NAME, PATIENT_ID, BIRTH_DATE,
        )  # fmt: skip
        dataset.save_as(path)
    uids = {case.plan.series.series_uid, case.plan.series.study_uid}
    case = replace(case, lesions=tuple(replace(x, comment=f"of {NAME}") for x in case.lesions))
    report = grow(tmp_path / "set", [case], Wish(SET_FORMATS, 0))
    words = [str(word).encode() for word in (NAME, PATIENT_ID, BIRTH_DATE, "Reader One", *uids)]
    for path in report.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".gz":
                data = gzip.decompress(data)
            assert not [word for word in words if word in data], path
        assert PATIENT_ID not in path.name


def test_a_set_with_a_secret_of_its_own_goes_on_and_names_the_same(case, other, tmp_path):
    one = grow(tmp_path / "set", [case], Wish(("table",)))
    two = grow(tmp_path / "set", [other], Wish())
    items = document(_version(two) / "manifest.json")["items"]
    assert document(_version(one) / "manifest.json")["items"][0] in items
    assert secret.place(one.design.id).is_file()
    assert not [path for path in tmp_path.rglob("*") if one.design.id in path.name]
    secret.place(one.design.id).unlink()
    with pytest.raises(Problem, match="begun elsewhere"):
        grow(tmp_path / "set", [judged(case, 2, "rejected")], Wish())


def test_another_secret_is_refused(case, made):
    stranger = Leave(Keys(bytes(32)), lambda patients: None)
    with pytest.raises(Problem, match="another secret"):
        grow(made.folder, [case], Wish(site=stranger))
    with pytest.raises(Problem, match="passphrase"):
        grow(made.folder, [case], Wish())


def test_formats_and_share_are_those_it_was_begun_with(case, made):
    with pytest.raises(Problem, match="holds pairs"):
        grow(made.folder, [case], Wish(("coco",), site=SITE))
    with pytest.raises(Problem, match="keeps 0 %"):
        grow(made.folder, [case], Wish(test_percent=30, site=SITE))
    with pytest.raises(Problem, match="cannot be 91"):
        grow(made.folder.parent / "new", [case], Wish(test_percent=91, site=SITE))


def test_another_process_writes_the_same(case, made, tmp_path):
    apart_made = grow(tmp_path / "set", [case], ALL, write_case=apart.write_case)
    before, after = (
        document(made.folder / "v0001" / "manifest.json"),
        document(_version(apart_made) / "manifest.json"),
    )
    nnunet = before["set"]["nnunet"], after["set"]["nnunet"]

    def files(one, name):
        return {
            file["name"].replace(name, ""): file["sha256"]
            for file in one["files"]
            if "items/" not in file["name"] and file["name"] != "README.md"
        }

    assert files(before, nnunet[0]) == files(after, nnunet[1])
