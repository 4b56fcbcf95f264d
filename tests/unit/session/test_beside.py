"""What one series is to another, and which one is offered beside it."""

import dataclasses

import numpy as np
import pytest

from tests.dicom_files import stored, write_stack
from viewer import beside
from viewer.study import order, scan
from viewer.worklist import Study


def plans_of(folder, *given):
    """Write one series for each dict of tags and return their plans in that order."""
    for number, tags in enumerate(given):
        tags = {"series_uid": f"1.2.3.{number}", "StudyInstanceUID": f"1.2.9.{number}", **tags}
        write_stack(folder / str(number), stored(), **tags)
    found = {s.series_uid: order.order(s) for s in scan.scan([folder]).series}
    return [found[tags.get("series_uid", f"1.2.3.{number}")] for number, tags in enumerate(given)]


@pytest.mark.parametrize(
    ("tags", "kind", "days", "words"),
    [
        ({"StudyDate": "20000203"}, "prior", 366, "PRIOR · 2000-02-03 · 366 days earlier"),
        ({"StudyDate": "20010202"}, "prior", 1, "PRIOR · 2001-02-02 · 1 day earlier"),
        ({"StudyDate": "20010205"}, "later", 2, "LATER STUDY · 2001-02-05 · 2 days later"),
        ({}, "same", 0, "same study · 2001-02-03"),
        ({"StudyDate": ""}, "undated", 0, "another study, date not known"),
        ({"PatientID": "B"}, "other", 0, "ANOTHER PATIENT · 2001-02-03"),
        ({"PatientName": "B"}, "other", 0, "ANOTHER PATIENT · 2001-02-03"),
        ({"PatientID": ""}, "unproven", 0, "not proven to be the same patient · 2001-02-03"),
    ],
)
def test_what_a_series_is_to_the_open_one(tmp_path, tags, kind, days, words):
    current, other = plans_of(tmp_path, {}, tags)
    found = beside.relation(current.series, other.series)
    assert (found.kind, found.days) == (kind, days)
    assert " · ".join(found.words()) == words
    assert found.heeded == (kind in ("other", "unproven"))
    listed = Study(
        "k",
        patient_id=other.series.patient.id,
        patient_name=other.series.patient.name,
        study_date=other.series.patient.study_date,
    )
    assert beside.relation_of_study(current.series, listed) == found


def test_a_date_that_is_none_is_not_guessed():
    for text in ("", "2001", "20011399", "2001-2-3", "200102031"):
        assert beside.day_of(text) is None


def test_the_latest_prior_of_the_same_modality_comes_first(tmp_path):
    tags = [
        {"StudyInstanceUID": "1.5"},
        {"StudyInstanceUID": "1.5"},
        {"StudyDate": "19990101"},
        {"StudyDate": "20000101"},
        {"StudyDate": "20010201", "modality": "MR"},
        {"StudyDate": "20020101"},
        {"PatientID": "somebody else", "StudyDate": "20010202"},
    ]
    plans = plans_of(tmp_path, *tags)
    found = beside.candidates(plans[0], plans)
    assert [each.number for each in found] == [3, 2, 1, 5, 4]
    patient = plans[0].series.patient
    listed = Study(
        "elsewhere",
        patient_id=patient.id,
        patient_name=patient.name,
        study_date="20010101",
        modality="CT",
    )
    stranger = dataclasses.replace(listed, case_key="other", patient_name="Stranger")
    nameless = dataclasses.replace(listed, case_key="nobody", patient_id="")
    found = beside.candidates(plans[0], plans, (listed, stranger, nameless))
    assert [each.study for each in found if each.study] == [listed]
    assert found[0].study is listed


def test_a_series_to_look_at_has_no_journal_and_takes_no_change(tmp_path, private_home):
    from viewer.session import Reader
    from viewer.study.read import read

    (plan,) = plans_of(tmp_path, {})
    case = beside.case_to_look_at(plan, read(plan), Reader("R"))
    assert case.read_only
    assert case.shown == ()
    with pytest.raises(Exception, match="looking only"):
        case.add_missed(np.zeros(3))
    assert not (private_home / "cases").exists()
