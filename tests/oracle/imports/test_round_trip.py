"""What an export writes comes back voxel for voxel; what it came from is known and kept."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from resources import labels
from tests.export_cases import findings_for, whole_case
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.mask import equal
from viewer.export import export_case
from viewer.export.layers import label_map, layers
from viewer.export.snapshot import ImportedSnapshot, Pseudonyms, snapshot_of_findings
from viewer.export.source import tracking_of
from viewer.imports import taking, together
from viewer.imports.target import Target
from viewer.session import Case, Reader
from viewer.study import order, read, scan

OBLIQUE = (14.0, -8.0, 21.0)
FORMATS = ("seg", "sr", "rtstruct", "nifti")


@pytest.fixture(scope="module", params=["straight", "oblique", "real"])
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    if request.param == "real":
        study = request.getfixturevalue("lidc_study")
        plan = order.order(max(scan.scan([study]).series, key=lambda s: s.n_files))
        volume = read.read(plan)
        case = snapshot_of_findings(plan, volume, findings_for(volume))
        judged = [replace(x, verdict="accepted", reader="Reader One") for x in case.lesions]
        case = replace(case, lesions=tuple(judged), reader="Reader One")
    else:
        case = whole_case(folder / "study", OBLIQUE if request.param == "oblique" else (0, 0, 0))
    return case, export_case(case, folder / "out", formats=FORMATS).folder


def target_of(case) -> Target:
    return Target.of(case.plan, case.volume.shape_kji, case.volume.affine)


def read_all(exported, *names):
    case, folder = exported
    return together.read_all([folder / name for name in names], target_of(case))


def test_a_segmentation_comes_back(exported):
    case, _ = exported
    (held,) = read_all(exported, "seg.dcm")
    assert (held.refusal, held.cautions, held.kind) == ((), (), "SEG")
    assert held.system.startswith("Overread")
    shown = layers(case)
    assert len(held.outlines) == len(shown) >= 4
    for one, layer in zip(held.outlines, shown, strict=True):
        assert equal(one.mask, layer.mask)
        assert (one.number, one.name) == (layer.number, layer.name)
        assert one.type[:2] == tuple(layer.term["type"][:2])
        assert one.colour == layer.term["colour"]
        assert (one.tracking_uid, one.tracking_id) == tracking_of(case, layer.id)
        assert one.anatomy == (layer.term["kind"] == "anatomy")


def test_a_structure_set_comes_back(exported):
    case, _ = exported
    (held,) = read_all(exported, "rtstruct.dcm")
    assert (held.refusal, held.cautions, held.kind) == ((), (), "RTSTRUCT")
    for one, layer in zip(held.outlines, layers(case), strict=True):
        assert equal(one.mask, layer.mask)
        assert (one.number, one.name, one.colour) == (
            layer.number,
            layer.name,
            layer.term["colour"],
        )
        assert one.tracking_uid == tracking_of(case, layer.id)[0]
        assert one.anatomy == (layer.term["kind"] == "anatomy")


def test_a_label_map_comes_back(exported):
    case, _ = exported
    (held,) = read_all(exported, "labels.nii.gz")
    assert (held.refusal, held.cautions, held.kind) == ((), (), "NIfTI")
    shown = layers(case)
    whole = label_map(shown, case.volume.shape_kji)
    back = np.zeros_like(whole)
    for one in held.outlines:
        back[one.mask.box][one.mask.voxels] = one.number
    assert np.array_equal(back, whole)
    names = {layer.number: layer.name for layer in shown}
    assert {one.number: one.name for one in held.outlines} == names


def test_verdicts_come_with_the_report_and_its_segmentation_is_found(exported):
    case, _ = exported
    report, seg = read_all(exported, "sr.dcm")
    assert (report.refusal, seg.kind) == ((), "SEG")
    by_uid = {one.tracking_uid: one for one in seg.outlines}
    for lesion in case.shown_lesions:
        one = by_uid[tracking_of(case, lesion.id)[0]]
        assert one.verdict == (lesion.verdict or "")
        assert (one.reader, one.origin) == (lesion.reader, lesion.origin)
        assert one.utc == (lesion.verdict_utc or lesion.changed_utc or "")
    # What has no segment stands in the report alone: a point, or what was rejected.
    rest = {one.tracking_uid: one for one in report.outlines}
    for lesion in case.lesions:
        if lesion in case.shown_lesions:
            continue
        one = rest[tracking_of(case, lesion.id)[0]]
        assert (one.verdict, one.reason) == (lesion.verdict, lesion.reason)
        meant = lesion.centre_lps_mm
        if lesion.measurement is not None:
            meant = lesion.measurement.centre_lps_mm
        assert one.point_lps_mm == pytest.approx(meant, abs=1e-3)


def test_what_was_taken_in_is_exported_with_the_same_tracking(exported, tmp_path):
    case, folder = exported
    held = read_all(exported, "sr.dcm")
    again = Case.open(
        case.plan.series, case.plan, case.volume, reader=Reader("Reader Two"), folder=tmp_path
    )
    chosen = [taking.Chosen(file, file.outlines) for file in held]
    assert again.take_in(chosen, case.plan.series.series_uid) is not None
    assert all(lesion.origin == "imported" for lesion in again.document.lesions)
    numbers = {lesion.number for lesion in again.document.lesions}
    assert {lesion.number for lesion in case.shown_lesions} <= numbers
    snapshot = again.snapshot()
    assert again.close() == 0
    out = export_case(snapshot, tmp_path / "out", formats=FORMATS).folder
    (seg,) = together.read_all([out / "seg.dcm"], target_of(case))
    (first,) = together.read_all([folder / "seg.dcm"], target_of(case))
    before = {one.tracking_uid: one for one in first.outlines}
    assert before.keys() == {one.tracking_uid for one in seg.outlines}
    for one in seg.outlines:
        was = before[one.tracking_uid]
        assert equal(one.mask, was.mask)
        assert (one.name, one.type, one.colour) == (was.name, was.type, was.colour), was
        assert one.algorithm_type == was.algorithm_type


def test_files_of_another_study_are_refused_with_the_reason(exported, tmp_path):
    case, folder = exported
    other = whole_case(tmp_path / "other", (3.0, 0.0, 0.0))
    target = target_of(other)
    names = ["seg.dcm", "rtstruct.dcm", "sr.dcm"]
    for held in together.read_all([folder / name for name in names], target):
        assert held.refusal in (("other-patient",), ("other-study",))
        assert held.outlines == ()
    own = target_of(case)
    elsewhere = replace(own, frames=frozenset({"1.2.3"}))
    for held in together.read_all([folder / name for name in names], elsewhere):
        # A report without a place of its own names no frame; its outlines are the segmentation's.
        assert held.refusal == ("other-frame",) or held.kind == "SR"
        assert not any(one.usable for one in held.outlines)
    # Same frame, same study, drawn on another series: told, and nothing is ticked beforehand.
    beside = replace(own, series_uid="1.2.3", places={f"1.2.3.{k}": k for k in range(9)})
    for held in together.read_all([folder / name for name in names[:2]], beside):
        assert (held.refusal, held.cautions[:1]) == ((), (("other-series",),))


def test_the_order_of_files_and_of_slices_does_not_matter(exported, tmp_path):
    case, folder = exported
    if case.volume.shape_kji[0] > 50:
        pytest.skip("the same on a small one")
    study = tmp_path / "study"
    study.mkdir()
    paths = sorted({ref.instance.path for ref in case.plan.planes})
    for n, path in enumerate(reversed(paths)):
        shutil.copy(path, study / f"{n:03}.dcm")
    plan = order.order(scan.scan([study]).series[0])
    target = Target.of(plan, plan.shape_kji, plan.affine)
    for name in ("seg.dcm", "rtstruct.dcm", "labels.nii.gz"):
        (here,) = together.read_all([folder / name], target)
        (there,) = together.read_all([folder / name], target_of(case))
        for a, b in zip(here.outlines, there.outlines, strict=True):
            assert equal(a.mask, b.mask)


def test_an_empty_document_takes_in_what_a_file_holds(exported):
    case, _ = exported
    (held,) = read_all(exported, "seg.dcm")
    document = AnnotationDocument(case.volume.shape_kji, case.volume.affine, case.volume.voxels)
    edit = taking.import_edit(document, [taking.Chosen(held, held.outlines)], {})
    document.apply(edit)
    assert {lesion.label for lesion in document.lesions} == {"nodule"}
    assert {"lung_right", "lung_left"} == {segment.label for segment in document.segments}
    for lesion in document.lesions:
        meant = next(x for x in case.shown_lesions if x.number == lesion.number)
        assert lesion.volume_ml == pytest.approx(meant.measurement.volume_ml)
        assert lesion.diameter_mm == pytest.approx(meant.measurement.diameter_mm)
    assert edit.terms == {}
    document.apply(edit.inverse())
    assert not document.record and not document.segments


def test_words_of_another_file_go_where_identity_goes(exported):
    case, _ = exported
    came = ImportedSnapshot("CANARY SYSTEM", "1.2.3", "t", "AUTOMATIC", "CANARY NET")
    labels.remember(
        {
            "x_1": {
                "name": "CANARY NAME",
                "kind": "anatomy",
                "colour": "#56B4E9",
                "category": ["123037004", "SCT", "Anatomical Structure"],
                "type": ["10200004", "SCT", "Liver"],
            }
        }
    )
    try:
        segment = replace(case.segments[0], label="x_1", origin="imported", imported=came)
        named = replace(case, segments=(segment,))
        hidden = replace(named, pseudonyms=Pseudonyms("ab" * 32))
        assert layers(named)[0].name == "CANARY NAME"
        assert tracking_of(named, segment.id) == ("1.2.3", "t")
        assert layers(hidden)[0].name == "Liver"
        assert "CANARY" not in repr(layers(hidden)[0].imported)
        assert tracking_of(hidden, segment.id)[0] != "1.2.3"
    finally:
        labels.forget()
