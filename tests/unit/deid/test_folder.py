"""Whole folders: they appear checked or not at all, and nothing of the patient is left anywhere."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pydicom
import pytest

from resources.problem import Problem
from tests.deid_cases import FORBIDDEN, PATIENT_ID, UID_ROOT, hits, write
from viewer.deid import check, folder
from viewer.deid.dataset import Deidentifier
from viewer.deid.folder import REPORT, deidentify
from viewer.deid.keyed import Keys
from viewer.deid.options import Box, options
from viewer.study.cancel import Cancelled

KEYS = Keys(bytes(range(32)))


def by(*keep: str, **more: object) -> Deidentifier:
    return Deidentifier(KEYS, options(keep, **more))


@pytest.fixture
def study(tmp_path) -> Path:
    """Three slices in folders with the patient's name, and a text beside them."""
    root = tmp_path / "Quxworthy Zebedee"
    for number in (1, 2, 3):
        write(root / PATIENT_ID / f"Zebedee{number}.dcm", number)
    (root / "letter.txt").write_text("Dear Mr Quxworthy")
    return root


def test_a_folder_leaves_without_the_patient_and_the_sources_stay(study, tmp_path):
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    out = tmp_path / "out"
    seen = []
    report = deidentify([study], out, by(), progress=lambda *step: seen.append(step))
    assert hits(study), "the search finds what is there"
    assert not hits(out)
    assert report.files == 3 and report.why_left_out() == {"not-dicom": 1}
    files = sorted(out.rglob("*.dcm"))
    assert len(files) == 3
    assert {path.parent.parent.name for path in files} == {KEYS.patient(PATIENT_ID)}
    for path in files:
        assert pydicom.dcmread(path).SOPInstanceUID == path.stem
    assert seen[-1] == (4, 4)
    assert {path: path.read_bytes() for path in before} == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_the_report_tells_what_went_and_why_and_quotes_nothing(study, tmp_path):
    out = tmp_path / "out"
    deidentify([study], out, by("dates"))
    document = json.loads((out / REPORT).read_text())
    assert document["options"] == ["dates"] and document["files"] == 3
    found = {entry["tag"]: entry for entry in document["attributes"]}
    birth = found["(0010,0030)"]
    assert birth["name"] == "Patient's Birth Date"
    assert (birth["action"], birth["why"], birth["files"]) == ("emptied", "profile", 3)
    assert found["(0008,0021)"]["action"] == "shifted"
    assert found["(0028,0010)"]["action"] == "kept"


def test_two_exports_of_one_site_fit_each_other(study, tmp_path):
    deidentify([study], tmp_path / "a", by())
    deidentify([study / PATIENT_ID / "Zebedee2.dcm"], tmp_path / "b", by())
    names = {p.name for p in (tmp_path / "a").rglob("*.dcm")}
    assert {p.name for p in (tmp_path / "b").rglob("*.dcm")} < names


def test_patients_are_remembered_before_they_leave(study, tmp_path):
    out = tmp_path / "out"

    def remember(patients: dict[str, str]) -> None:
        assert not out.exists()
        assert patients == {KEYS.patient(PATIENT_ID): PATIENT_ID}
        raise Problem("The mapping could not be written.")

    with pytest.raises(Problem, match="mapping"):
        deidentify([study], out, by(), remember=remember)
    assert not out.exists() and [p.name for p in tmp_path.iterdir()] == [study.name]


def test_images_with_text_need_a_person(study, tmp_path):
    write(study / "capture.dcm", 9, sc=True)
    report = deidentify([study], tmp_path / "a", by())
    assert report.why_left_out() == {"not-dicom": 1, "pixels-not-seen": 1}
    with pytest.raises(Problem, match="burned into"):
        deidentify([study / "capture.dcm"], tmp_path / "b", by())
    box = Box(3, 2, 6, 4)
    report = deidentify([study / "capture.dcm"], tmp_path / "c", by(pixels_seen=True, boxes=[box]))
    (path,) = (tmp_path / "c").rglob("*.dcm")
    found = pydicom.dcmread(path)
    assert report.boxed == 1 and found.BurnedInAnnotation == "NO"
    assert found.pixel_array.max() == 100
    assert "113101" in [item.CodeValue for item in found.DeidentificationMethodCodeSequence]
    assert not hits(tmp_path / "c")


def test_a_face_is_warned_of(study, tmp_path):
    write(study / "head.dcm", 4, BodyPartExamined="HEAD", SeriesInstanceUID=f"{UID_ROOT}.7")
    report = deidentify([study], tmp_path / "out", by())
    assert report.faces == {KEYS.uid(f"{UID_ROOT}.7")}
    document = json.loads((tmp_path / "out" / REPORT).read_text())
    assert document["warnings"] == [{"kind": "face", "series": KEYS.uid(f"{UID_ROOT}.7")}]


def test_a_file_in_which_the_check_finds_something_stays_behind(study, tmp_path, monkeypatch):
    real = check.look

    def look(path, outcome):
        return "uid" if f"{UID_ROOT}.3.2" in outcome.uids else real(path, outcome)

    monkeypatch.setattr(check, "look", look)
    report = deidentify([study], tmp_path / "out", by())
    assert report.why_left_out() == {"not-dicom": 1, "check-failed": 1}
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == report.files == 2


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda d: setattr(d, "ImageComments", "Zebedee"), "identity"),
        (lambda d: setattr(d, "PatientComments", PATIENT_ID), "identity"),
        (lambda d: setattr(d, "FrameOfReferenceUID", f"{UID_ROOT}.5"), "uid"),
        (lambda d: setattr(d.file_meta, "MediaStorageSOPInstanceUID", f"{UID_ROOT}.3.1"), "uid"),
        (lambda d: d.private_block(0x29, "X", create=True).add_new(1, "LO", "y"), "private"),
        (lambda d: setattr(d, "preamble", b"x" * 128), "unreadable"),
        (lambda d: None, ""),
    ],
)
def test_the_check_finds_what_a_writer_left(tmp_path, change, found):
    dataset = pydicom.dcmread(write(tmp_path / "in.dcm"))
    outcome = by().apply(dataset)
    folder._write(dataset, tmp_path / "out.dcm")
    assert check.look(tmp_path / "out.dcm", outcome) == ""
    spoilt = pydicom.dcmread(tmp_path / "out.dcm")
    change(spoilt)
    spoilt.save_as(tmp_path / "out.dcm")
    assert check.look(tmp_path / "out.dcm", outcome) == found


def test_cancelled_or_failed_leaves_nothing(study, tmp_path, monkeypatch):
    done = []
    with pytest.raises(Cancelled):
        deidentify(
            [study],
            tmp_path / "out",
            by(),
            progress=lambda *step: done.append(step),
            cancelled=lambda: len(done) == 2,
        )
    assert done == [(0, 4), (1, 4)]

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "_write_report", full)
    with pytest.raises(Problem, match=r"disk is full.*MB"):
        deidentify([study], tmp_path / "out", by())
    assert [p.name for p in tmp_path.iterdir()] == [study.name]


def test_a_folder_that_is_taken_is_refused(study, tmp_path):
    (tmp_path / "out").mkdir()
    deidentify([study], tmp_path / "out", by())
    with pytest.raises(Problem, match="not empty"):
        deidentify([study], tmp_path / "out", by())


def test_what_is_no_image_or_damaged_is_told(study, tmp_path):
    data = (study / PATIENT_ID / "Zebedee1.dcm").read_bytes()
    (study / "copy.dcm").write_bytes(data)
    (study / "short.dcm").write_bytes(data[:300])
    write(study / "document.dcm", 8, SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1")
    write(study / "report.dcm", 7, ValueType="CONTAINER")
    report = deidentify([study], tmp_path / "out", by())
    left_out = report.why_left_out()
    short = left_out.pop("damaged", 0)  # or it counts as no DICOM file
    assert left_out.pop("not-dicom") + short == 2
    assert left_out == {"copy": 1, "document": 1, "report": 1}
    assert not hits(tmp_path / "out")


def test_with_uids_retained_names_come_only_of_what_a_uid_is_made_of(tmp_path):
    path = write(tmp_path / "in" / "a.dcm")
    dataset = pydicom.dcmread(path)
    with pydicom.config.disable_value_validation():
        dataset.SOPInstanceUID = "../../1.2.3"
        dataset.save_as(path)
        deidentify([path], tmp_path / "out", by("uids"))
    (found,) = tmp_path.joinpath("out").rglob("*.dcm")
    assert found.name == "1.2.3.dcm" and os.path.commonpath([found, tmp_path / "out"])
    assert not hits(tmp_path / "out", tuple(w for w in FORBIDDEN if w != UID_ROOT))


def test_a_patient_called_as_the_program_speaks_can_leave(tmp_path):
    path = write(tmp_path / "in" / "a.dcm", PatientName="Basic^Overread^Table")
    assert deidentify([path], tmp_path / "out", by("dates")).files == 1
