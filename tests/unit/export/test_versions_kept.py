"""Every finding remembers the version of the model that made it, in each file that names one."""

from __future__ import annotations

import json
from dataclasses import replace

import pydicom

from inference.findings import ModelStamp
from tests.export_cases import findings_for, on_disk
from viewer.export import export_case
from viewer.export.tracking import tracking_id
from viewer.session import Case, Reader
from viewer.ui.panel import words

OLD = ModelStamp("made-up-for-tests", "1.0.0", "ab" * 32)
NEW = ModelStamp("made-up-for-tests", "2.0.0", "cd" * 32)


def test_after_a_second_run_each_finding_has_the_version_that_made_it(tmp_path):
    plan, volume = on_disk(tmp_path / "study")
    case = Case.open(plan.series, plan, volume, reader=Reader("One"), folder=tmp_path / "cases")
    case.add_findings(replace(findings_for(volume), model=OLD))
    case.set_verdict("d1", "accepted")
    case.add_findings(replace(findings_for(volume), model=NEW))
    made = {lesion.id: case.document.made_by(lesion) for lesion in case.shown}
    assert made == {"d1": OLD, "r2d2": NEW}
    # On screen the list names it where it is not the version whose results are shown.
    said = {lesion.id: words.other_version(case, lesion) for lesion in case.shown}
    assert said == {"d1": "made-up-for-tests 1.0.0", "r2d2": ""}
    assert words.made_by(case, case.document.lesion("r2d2")) == "made-up-for-tests 2.0.0"
    out = export_case(case.snapshot(), tmp_path / "out", formats=("seg", "sr")).folder
    assert case.close() == 0

    document = json.loads((out / "findings.json").read_text())
    listed = {lesion["id"]: lesion["model"] for lesion in document["lesions"]}
    assert listed["d1"]["version"] == "1.0.0" and listed["d1"]["sha256"] == OLD.sha256
    assert listed["r2d2"]["version"] == "2.0.0" and listed["r2d2"]["sha256"] == NEW.sha256
    numbers = {lesion["id"]: lesion["segment_number"] for lesion in document["lesions"]}
    segments = {
        int(one.SegmentNumber): one.SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion
        for one in pydicom.dcmread(out / "seg.dcm").SegmentSequence
    }
    assert segments[numbers["d1"]] == "1.0.0"
    assert segments[numbers["r2d2"]] == "2.0.0"
    # In the report too, of each lesion: its tracking identifier stands beside the version.
    groups = list(_groups(pydicom.dcmread(out / "sr.dcm")))
    of_d1, of_r2d2 = (
        "".join(text for text in groups if f"'{tracking_id(name)}'" in text)
        for name in ("d1", "r2d2")
    )
    assert "1.0.0" in of_d1 and "2.0.0" not in of_d1
    assert "2.0.0" in of_r2d2 and "1.0.0" not in of_r2d2


def _groups(item):
    """Yield the text of every measurement group (125007, DCM) of a report."""
    for child in item.get("ContentSequence", ()):
        name = child.get("ConceptNameCodeSequence")
        if name and name[0].CodeValue == "125007":
            yield str(child)
        else:
            yield from _groups(child)
