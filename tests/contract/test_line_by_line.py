"""The table of what the reading station was asked for names tests that exist."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_TABLE = _ROOT / "resources/docs/decisions/0016-the-reading-station-line-by-line.md"


def test_every_test_of_the_table_exists():
    named = re.findall(r"`(\w+)::(\w+)`", _TABLE.read_text(encoding="utf-8"))
    assert len(named) > 50
    there = {
        f"{path.stem.removeprefix('test_')}::{name}"
        for path in (_ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def test_(\w+)\(", path.read_text(encoding="utf-8"), re.M)
    }
    assert {"::".join(pair) for pair in named} <= there
