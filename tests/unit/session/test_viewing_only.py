"""Cases that are for looking only: still being read, not all there, or no regular volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resources.problem import Problem
from tests.dicom_files import stored, write_slice, write_stack
from viewer.session import Case, Reader
from viewer.study.order import StackPlan, order
from viewer.study.scan import scan
from viewer.study.staged import StagedRead

READER = Reader("Dr. A. Test")


def plan_of(folder: Path) -> StackPlan:
    (series,) = scan(folder).series
    return order(series)


def opened(plan: StackPlan, staged: StagedRead, home: Path) -> Case:
    return Case.open(
        plan.series,
        staged.plan,
        staged.result(),
        reader=READER,
        folder=home,
        failed=staged.failed,
        incomplete=staged.incomplete,
    )


def test_a_case_that_is_being_read_can_be_seen_and_not_changed(tmp_path: Path) -> None:
    write_stack(tmp_path / "dicom", stored(5))
    plan = plan_of(tmp_path / "dicom")
    staged = StagedRead(plan)
    case = Case.being_read(staged, reader=READER)
    assert case.is_being_read and case.read_only and case.viewing_only is not None
    with pytest.raises(Problem, match="still being read"):
        case.add_missed((0.0, 0.0, 0.0))
    staged.result()
    assert case.slices.empty(case.volume.shape_kji[0]) is None and case.slices.has(4)
    whole = opened(plan, staged, tmp_path / "cases")
    staged.close()
    # What is kept of the one is kept of the other.
    assert whole.key == case.key
    assert not whole.is_being_read and not whole.read_only and whole.viewing_only is None
    assert case.close() == 0
    assert whole.close() == 0


def test_a_case_of_which_files_are_missing_has_no_journal(tmp_path: Path) -> None:
    files = write_stack(tmp_path / "dicom", stored(5))
    plan = plan_of(tmp_path / "dicom")
    files[1].unlink()
    staged = StagedRead(plan)
    case = opened(plan, staged, tmp_path / "cases")
    staged.close()
    assert case.viewing_only is case.read_only_problem
    assert "1 of 5 images cannot be read" in case.viewing_only.sentence
    assert not (tmp_path / "cases").exists()
    assert list(np.flatnonzero(case.slices.empty(case.volume.shape_kji[0]))) == [1]
    assert files[1].name in (case.slices.why_not(1) or "")
    assert case.slices.why_not(0) is None
    with pytest.raises(Problem, match="cannot be read"):
        case.add_missed((0.0, 0.0, 0.0))
    assert case.close() == 0


def test_a_case_of_irregular_slices_says_why_and_has_no_journal(tmp_path: Path) -> None:
    for k, depth in enumerate((0.0, 1.0, 4.0)):
        write_slice(tmp_path / "dicom" / f"{k}.dcm", stored(3)[k], position=(0, 0, depth))
    plan = plan_of(tmp_path / "dicom")
    staged = StagedRead(plan)
    case = opened(plan, staged, tmp_path / "cases")
    staged.close()
    assert case.viewing_only is plan.irregularity is case.read_only_problem
    assert not (tmp_path / "cases").exists()
    assert case.slices.empty(case.volume.shape_kji[0]) is None
    assert case.undo_name is None and case.shown == ()
