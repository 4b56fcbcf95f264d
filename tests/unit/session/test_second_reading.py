"""The second reading lies apart from the first and is found again by its reader only."""

import pytest

from tests.annotate_cases import findings, open_case, state, volume
from viewer import second_reading
from viewer.session import Reader

FIRST, SECOND = Reader("First"), Reader("Second")


@pytest.fixture
def begun(tmp_path):
    first = open_case(folder=tmp_path, reader=FIRST)
    first.add_findings(findings(volume()))
    first.set_verdict("d1", "rejected")
    assert first.close() == 0
    second = open_case(folder=tmp_path, reader=SECOND, which="second")
    second.add_findings(findings(volume()))
    assert second.close() == 0
    return tmp_path, first


def test_neither_reading_changes_the_other(begun):
    folder, first = begun
    second = open_case(folder=folder, reader=SECOND, which="second")
    assert second.document.lesion("d1").verdict is None
    second.set_verdict("d1", "accepted")
    assert second.close() == 0
    again = open_case(folder=folder, reader=FIRST)
    assert state(again.document) == state(first.document)
    assert again.readers == {"First"}
    assert again.close() == 0


def test_its_reader_is_led_back_to_it_until_it_is_committed(begun):
    folder, first = begun
    for reader, second in ((SECOND, True), (FIRST, False), (Reader("Third"), False)):
        case = open_case(folder=folder, reader=reader, which=None)
        assert case.second == second
        assert case.close() == 0
    case = open_case(folder=folder, reader=SECOND, which="second")
    case.note_event("second-committed")
    assert case.close() == 0
    assert second_reading.standing(first.folder).committed
    case = open_case(folder=folder, reader=SECOND, which=None)
    assert not case.second
    assert case.close() == 0


def test_there_is_none_before_it_is_begun(tmp_path):
    case = open_case(folder=tmp_path)
    assert second_reading.standing(case.folder) is None
    assert case.close() == 0


def test_a_damaged_one_counts_as_under_way(begun):
    _, first = begun
    file = first.folder / second_reading.FOLDER / "journal.db"
    file.write_bytes(b"rubbish" * 500)
    found = second_reading.standing(first.folder)
    assert found is not None
    assert not found.committed
