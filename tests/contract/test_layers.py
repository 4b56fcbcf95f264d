"""The nevers about imports: kept by the tree, and broken by a tree that breaks them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sources import ROOT, shipped

COMMAND = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]


def lint(folder: Path) -> tuple[int, dict[str, str]]:
    """Run import-linter in a folder; return its exit code and the outcome of each contract."""
    done = subprocess.run(
        [*COMMAND, "--no-cache"], cwd=folder, capture_output=True, encoding="utf-8", timeout=120
    )
    outcomes = re.findall(r"^(.+?) (KEPT|BROKEN)\b", done.stdout, re.M)
    assert outcomes, done.stdout + done.stderr
    return done.returncode, dict(outcomes)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the shipped sources."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path in shipped():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


def test_every_contract_is_kept():
    code, outcomes = lint(ROOT)
    assert set(outcomes.values()) == {"KEPT"}
    assert len(outcomes) == 6
    assert code == 0


@pytest.mark.parametrize(
    ("contract", "file", "line"),
    [
        ("Rooms stand low to high", "inference/trespass.py", "import viewer.study"),
        ("Rooms stand low to high", "resources/trespass.py", "import inference.geometry"),
        ("In viewer: rooms", "viewer/study/trespass.py", "import viewer.ui"),
        ("Only viewer.ui knows Qt", "viewer/study/trespass.py", "import PySide6.QtCore"),
        ("Only viewer.ui knows Qt", "inference/trespass.py", "import pyqtgraph"),
        ("The viewer never reaches torch", "viewer/ui/trespass.py", "import torch"),
        ("The viewer never reaches torch", "viewer/study/trespass.py", "import inference.runtime"),
        ("The viewer never reaches torch", "viewer/ui/trespass.py", "import openvino"),
        ("In inference only runtime", "inference/trespass.py", "import torch"),
        ("In inference only runtime", "inference/training/trespass.py", "import openvino"),
        ("The model side knows no DICOM", "inference/runtime/trespass.py", "import pydicom"),
    ],
)
def test_a_trespass_breaks_its_contract(copied: Path, contract: str, file: str, line: str):
    path = copied / file
    path.write_text(f'"""Trespass."""\n\n{line}\n', encoding="utf-8")
    try:
        code, outcomes = lint(copied)
    finally:
        path.unlink()
    broken = [name for name, outcome in outcomes.items() if outcome == "BROKEN"]
    assert any(name.startswith(contract) for name in broken)
    assert code == 1
