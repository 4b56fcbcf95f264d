"""An export without identity: nobody is named in any format, and all fits de-identified copies."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pydicom
import pytest

from resources.problem import Problem
from tests.deid_cases import FORBIDDEN, PATIENT_ID, UID_ROOT, hits, identified
from tests.export_cases import whole_case
from viewer.deid.dataset import Deidentifier
from viewer.deid.folder import deidentify
from viewer.deid.keyed import Keys
from viewer.deid.options import options
from viewer.export import export_case
from viewer.export.formats import FORMATS
from viewer.export.leaving import deidentified, plan_of
from viewer.study import order, scan

KEYS = Keys(bytes(range(32)))
WORDS = (*FORBIDDEN, "Reader One", "Reader Two")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("case") / "study"
    made = whole_case(folder)
    identified(folder)
    plan = order.order(scan.scan([folder]).series[0])
    return replace(made, plan=plan), folder


def unpacked(folder: Path) -> None:
    for path in folder.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))


@pytest.mark.parametrize("apart", [False, True])
def test_nobody_is_named_in_any_format(case, tmp_path, apart):
    snapshot, _ = case
    export_case(snapshot, tmp_path / "named", formats=FORMATS)
    assert len({hit.split(" in ")[0] for hit in hits(tmp_path / "named", WORDS)}) > 5
    changed, patients = deidentified(snapshot, KEYS)
    report = export_case(changed, tmp_path / "out", formats=FORMATS, apart=apart)
    assert not report.left_out and len(report.files) >= 10
    unpacked(tmp_path / "out")
    assert not hits(tmp_path / "out", WORDS)
    assert KEYS.secret.hex() not in (tmp_path / "out" / "manifest.json").read_text()
    assert patients == {KEYS.patient(PATIENT_ID): PATIENT_ID}
    assert changed.plan.series.patient.id == KEYS.patient(PATIENT_ID)
    for path in (tmp_path / "out").glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        assert dataset.PatientID == KEYS.patient(PATIENT_ID)
        assert dataset.StudyInstanceUID == KEYS.uid(f"{UID_ROOT}.1")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["readers"] == sorted([KEYS.reader("Reader One"), KEYS.reader("Reader Two")])


def test_what_refers_to_an_image_fits_its_copy(case, tmp_path):
    snapshot, study = case
    changed, _ = deidentified(snapshot, KEYS)
    export_case(changed, tmp_path / "out", formats=("seg",))
    deidentify([study], tmp_path / "copies", Deidentifier(KEYS, options([])))
    copies = {pydicom.dcmread(p).SOPInstanceUID for p in (tmp_path / "copies").rglob("*.dcm")}
    seg = pydicom.dcmread(tmp_path / "out" / "seg.dcm")
    (series,) = seg.ReferencedSeriesSequence
    referred = {one.ReferencedSOPInstanceUID for one in series.ReferencedInstanceSequence}
    assert referred and referred <= copies
    one = pydicom.dcmread(next((tmp_path / "copies").rglob("*.dcm")))
    assert series.SeriesInstanceUID == one.SeriesInstanceUID
    assert seg.FrameOfReferenceUID == one.FrameOfReferenceUID
    opened = scan.scan([tmp_path / "copies"]).series[0]
    assert opened.series_uid == plan_of(snapshot.plan, KEYS).series.series_uid


def test_the_case_itself_stays(case):
    snapshot, _ = case
    deidentified(snapshot, KEYS)
    assert snapshot.plan.series.series_uid == f"{UID_ROOT}.2"
    assert snapshot.reader == "Reader One" and snapshot.pseudonyms is None


def test_images_with_text_need_a_person(case, tmp_path):
    snapshot, study = case
    path = files(study)[0]
    before = path.read_bytes()
    dataset = pydicom.dcmread(path)
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(path)
    try:
        with pytest.raises(Problem, match="burned into"):
            deidentified(snapshot, KEYS)
        assert deidentified(snapshot, KEYS, pixels_seen=True)
    finally:
        path.write_bytes(before)
