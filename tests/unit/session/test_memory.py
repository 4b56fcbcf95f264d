"""What a closed case held goes at once, whenever the collector of garbage comes by."""

import gc
import weakref

import pytest

from tests.annotate_cases import findings, open_case, volume


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_closed_case_holds_no_memory(no_collector, tmp_path):
    of = volume()
    case = open_case(of=of, folder=tmp_path, on_saved=lambda seq, utc: None)
    case.add_findings(findings(of))
    assert case.close() == 0
    gone = weakref.ref(case)
    del case
    assert gone() is None
