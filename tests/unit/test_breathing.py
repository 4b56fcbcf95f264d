"""A large module lets other threads run while it is loaded."""

import gc
import sys

import pytest

from viewer.ui import breathing

LINES = 5000


@pytest.fixture
def large(tmp_path, monkeypatch):
    lines = "\n".join(f'  "key {n}": ({n}, "word {n}", [{n}]),' for n in range(LINES))
    (tmp_path / "a_large_module.py").write_text(f"table = {{\n{lines}\n}}\n")
    (tmp_path / "a_small_module.py").write_text("x = 1\ny = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("a_large_module", "a_small_module"):
        sys.modules.pop(name, None)


def test_python_may_change_threads_at_every_line_of_a_large_module(large, monkeypatch):
    lines = []

    def counted(frame, event, _argument):
        if event == "line":
            lines.append(frame.f_code.co_filename.rpartition("a_")[2])
        return counted

    monkeypatch.setattr(breathing, "_at_line", counted)
    before = sys.gettrace()
    sys.settrace(None)
    try:
        breathing.load("a_large_module", "a_small_module")
        assert sys.gettrace() is None
    finally:
        sys.settrace(before)
    assert lines.count("large_module.py") >= LINES
    assert "small_module.py" not in lines
    assert len(sys.modules["a_large_module"].table) == LINES
    assert gc.isenabled()


def test_a_trace_that_is_set_stays(large):
    def mine(*_all):
        return None

    before = sys.gettrace()
    sys.settrace(mine)
    try:
        breathing.load("a_small_module")
        kept = sys.gettrace()
    finally:
        sys.settrace(before)
    assert kept is mine
    assert sys.modules["a_small_module"].x == 1


def test_a_module_that_is_missing_leaves_nothing_switched_off(large):
    with pytest.raises(ModuleNotFoundError):
        breathing.load("there_is_no_such_module")
    assert gc.isenabled()
