"""The tables of what was asked for, line by line, name tests that exist."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_TABLES = sorted((_ROOT / "resources/docs/decisions").glob("*-line-by-line.md"))


def test_there_are_tables():
    assert [path.name[:4] for path in _TABLES] == ["0016", "0022"]


@pytest.mark.parametrize("table", _TABLES, ids=lambda path: path.name[:4])
def test_every_test_of_the_table_exists(table):
    named = re.findall(r"`(\w+)::(\w+)`", table.read_text(encoding="utf-8"))
    assert len(named) > 50
    there = {
        f"{path.stem.removeprefix('test_')}::{name}"
        for path in (_ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def test_(\w+)\(", path.read_text(encoding="utf-8"), re.M)
    }
    assert sorted({"::".join(pair) for pair in named} - there) == []
