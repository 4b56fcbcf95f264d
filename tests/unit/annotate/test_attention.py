"""Active seconds: written before the next edit, by reader and finding, alive after closing."""

import math

import pytest

from tests.annotate_cases import findings, open_case, volume
from viewer.annotate import audit
from viewer.annotate.attention import Attention
from viewer.session import Reader


@pytest.fixture
def read(tmp_path):
    case = open_case(folder=tmp_path)
    case.add_findings(findings(volume()))
    yield case
    case.close()


def test_seconds_are_written_before_the_next_edit(read, tmp_path):
    read.attention.add("d1", 3.25)
    read.attention.add("d2", 0.2)
    assert read.events == 0
    read.set_verdict("d1", "accepted")
    assert read.events == 1
    assert read.close() == 0
    log = audit.read_audit(read.folder, audit.KnownNames(read.document))
    assert [row.step for row in log.rows] == ["AI run 1", "3.2 s at nodule 1", "Accept nodule 1"]
    again = open_case(folder=tmp_path)
    assert again.attention.seconds("d1") == 3.2
    assert again.attention.seconds("d2") == 0
    assert again.close() == 0


def test_looking_alone_writes_nothing(read, tmp_path):
    assert read.flush() == 0
    read.attention.add("d1", 30.0)
    assert read.attention.seconds("d1") == 30
    assert read.close() == 0
    again = open_case(folder=tmp_path)
    assert again.attention.seconds("d1") == 0
    assert again.close() == 0


def test_each_reader_has_seconds_of_his_own(read):
    read.attention.add("d1", 2.0)
    read.set_verdict("d1", "accepted")
    read.set_reader(Reader("Other"))
    read.attention.add("d1", 5.0)
    read.undo()
    assert read.attention.seconds("d1", "Reader One") == 2
    assert read.attention.seconds("d1", "Other") == 5
    assert read.attention.seconds("d1") == 7


@pytest.mark.parametrize("seconds", [None, "x", -1, math.inf, math.nan, True])
def test_what_is_no_time_counts_for_nothing(seconds):
    attention = Attention()
    attention.note("R", {"what": "attended", "lesion": "d1", "seconds": seconds})
    assert attention.seconds("d1") in (0, 1)  # True is 1 to Python, and does no harm
    attention.note("R", {"what": "exported", "lesion": "d1", "seconds": 9.0})
    assert attention.seconds("d1") < 9
