"""What the worklist keeps of a case: where its files are, which volume it is of."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.dicom_files import stored, write_stack
from viewer.study.case_key import case_key
from viewer.study.order import volumes
from viewer.study.scan import scan
from viewer.worklist import Study
from viewer.worklist_case import find, find_source, is_copy, paths_of

OTHER = "1.2.826.0.1.3680043.8.498.55"


@pytest.fixture
def study(tmp_path):
    """Two series of one study, and one of another, in three folders."""
    write_stack(tmp_path / "a" / "one", stored(3))
    write_stack(tmp_path / "a" / "two", stored(4), SeriesInstanceUID=OTHER)
    write_stack(
        tmp_path / "b", stored(5), SeriesInstanceUID=OTHER + ".1", StudyInstanceUID=OTHER + ".2"
    )
    return tmp_path


def plans_in(*paths):
    return [plan for series in scan(paths).series for plan in volumes(series)]


def plan_of(plans, count):
    return next(plan for plan in plans if plan.shape_kji[0] == count)


def test_a_study_in_a_folder_of_many_is_kept_by_its_own_folders(study):
    plans = plans_in(study)
    wanted = (str(study / "a" / "one"), str(study / "a" / "two"))
    assert paths_of(plan_of(plans, 3), plans, [study]) == wanted
    assert paths_of(plan_of(plans, 5), plans, [study]) == (str(study / "b"),)


def test_files_that_were_named_are_kept_as_files(study):
    files = sorted((study / "b").iterdir())
    plans = plans_in(*files)
    assert paths_of(plans[0], plans, files) == tuple(str(file) for file in files)


def test_of_what_was_unpacked_only_what_was_named_lasts(study):
    plans = plans_in(study / "b")
    archive = study / "c" / "study.zip"
    assert paths_of(plans[0], plans, [archive]) == (str(archive),)


def test_of_the_sample_its_folder_is_kept(study):
    plans = plans_in(study / "b")
    assert paths_of(plans[0], plans, []) == (str(study / "b"),)


def test_a_folder_named_relatively_is_kept_absolutely(study, monkeypatch):
    monkeypatch.chdir(study)
    plans = plans_in(Path("b"))
    assert paths_of(plans[0], plans, [Path("b")]) == (str(study / "b"),)


def test_a_line_is_found_by_its_key(study):
    plans = plans_in(study)
    for number, plan in enumerate(plans):
        key = case_key(plan.series.series_uid, plan.part)
        assert find(Study(key, part=plan.part), plans) == number
    assert find(Study("0" * 32), plans) is None
    assert find_source(Study("0" * 32), plans) is None


def test_a_copy_and_a_series_shown_in_one_are_found_by_their_source(study):
    plans = plans_in(study)
    uid = plans[0].series.series_uid
    parts = [replace(plans[0], part=part) for part in ("t1", "t2")]
    several = [*parts, *plans[1:]]
    copy = Study(case_key(uid, "t2/resampled"), part="t2/resampled")
    assert is_copy(copy)
    assert find(copy, several) is None
    assert find_source(copy, several) == 1
    whole = Study(case_key(uid, "unsplit"), part="unsplit")
    assert not is_copy(whole)
    assert find(whole, several) is None
    assert find_source(whole, several) == 0
