"""Every fault of ``python -m tests.faults``, less often; that command prints the figures."""

import pytest

from tests import fault_cases
from tests.annotate_cases import findings, findings_sha, open_case, volume
from tests.fault_session import records_of, step
from tests.faults import cases
from tests.outcomes import row
from viewer.annotate import second_copy

FAULTS = {
    "killed": lambda home: fault_cases.killed(6, home, lost_most=None),
    "killed-on-a-slow-disk": lambda home: fault_cases.killed(4, home, lost_most=None, commit_s=0.5),
    "disk-full": fault_cases.disk_full,
    "overwritten": lambda home: fault_cases.overwritten(8, home, records=60),
    "emptied": fault_cases.emptied,
    "clock": fault_cases.clock_set_back,
    "read-only": fault_cases.read_only_folder,
    "folder-gone": fault_cases.folder_gone,
    "disk-hangs": lambda home: fault_cases.disk_hangs(home, 0.3),
    "two-readers": lambda home: fault_cases.two_readers(20, home),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_no_work(fault, tmp_path):
    outcome = FAULTS[fault](tmp_path)
    assert not outcome.failures, row(outcome)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome.times


def test_the_command_tries_every_fault():
    assert len(cases(full=True)) == len(cases(full=False)) == len(FAULTS)


@pytest.fixture
def worked_on(tmp_path):
    case = open_case(folder=tmp_path)
    while records_of(case) < 12:
        step(case)
    assert case.close() == 0
    (file,) = tmp_path.rglob("journal.db")
    return tmp_path, file, file.with_name(second_copy.FILE)


def test_the_second_copy_has_every_record(worked_on):
    _, _, copy = worked_on
    assert len(second_copy.read(copy).records) == 12


def test_a_journal_that_was_deleted_comes_back_from_its_copy(worked_on):
    folder, file, _ = worked_on
    file.unlink()
    case = open_case(folder=folder)
    assert records_of(case) == 12
    assert "all 12 steps were restored" in case.recovered
    assert findings_sha(case.document.findings) == findings_sha(findings(volume()))
    assert case.close() == 0
    again = open_case(folder=folder)
    assert again.recovered is None
    assert again.close() == 0


def test_an_older_state_put_in_place_of_the_journal_is_noticed(worked_on):
    folder, file, _ = worked_on
    earlier = file.read_bytes()
    case = open_case(folder=folder)
    for n in range(4):
        case.set_note("comment", f"c{n}", {"text": "x"})
    assert case.close() == 0
    file.write_bytes(earlier)
    case = open_case(folder=folder)
    assert records_of(case) == 16
    assert case.recovered
    assert case.close() == 0


def test_a_copy_that_is_no_copy_is_made_anew(worked_on):
    folder, _, copy = worked_on
    for rubbish in (b"", b"rubbish" * 900, copy.read_bytes()[:5000]):
        copy.write_bytes(rubbish)
        case = open_case(folder=folder)
        assert case.recovered is None
        case.set_note("comment", "c", None if case.document.notes("comment") else {"text": "x"})
        assert case.close() == 0
        assert len(second_copy.read(copy).records) == records_of(case)


def test_what_was_cut_off_does_not_come_back(worked_on, monkeypatch):
    folder, _file, _copy = worked_on
    from viewer.annotate.document import AnnotationDocument

    real = AnnotationDocument.apply
    applied = []

    def refusing(document, edit):
        applied.append(edit)
        if len(applied) == 5:
            raise ValueError("a defect of an earlier version")
        return real(document, edit)

    with monkeypatch.context() as patch:
        patch.setattr(AnnotationDocument, "apply", refusing)
        case = open_case(folder=folder)
        assert case.recovered
        n = records_of(case)
        assert n < 12
        assert case.close() == 0
    case = open_case(folder=folder)
    assert case.recovered is None
    assert records_of(case) == n
    assert case.close() == 0
