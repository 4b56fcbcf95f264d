"""What is loaded when: torch never in the window's process, Qt never below ``viewer.ui``."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sources import ROOT

# A walk imports packages to look inside; those left out must not be entered either.
LOAD = """
import importlib, pkgutil, sys
def load(name):
    names = [name]
    for module in pkgutil.iter_modules(getattr(importlib.import_module(name), "__path__", [])):
        child = name + "." + module.name
        if child not in {leave!r} and module.name != "__main__":
            names += load(child)
    return names
names = [name for package in {packages!r} for name in load(package)]
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & {unwanted!r}), len(names))
"""


@pytest.mark.parametrize(
    ("packages", "leave", "unwanted"),
    [
        (("viewer",), (), {"torch", "openvino", "monai"}),
        (("viewer",), ("viewer.ui",), {"torch", "openvino", "monai", "PySide6", "pyqtgraph"}),
        (
            ("inference", "resources"),
            ("inference.runtime", "inference.training"),
            {"torch", "openvino", "monai", "PySide6", "pydicom", "highdicom"},
        ),
        (("inference.runtime",), (), {"PySide6", "pydicom", "monai", "viewer"}),
        # MONAI looks for pydicom by itself.
        (("inference.training",), (), {"PySide6", "highdicom", "viewer"}),
    ],
    ids=["viewer", "viewer-without-ui", "inference-without-runtime", "runtime", "training"],
)
def test_importing_every_module_loads_nothing_unwanted(packages, leave, unwanted):
    code = LOAD.format(packages=packages, leave=leave, unwanted=unwanted)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr
    found, _, modules = done.stdout.strip().rpartition(" ")
    assert found == "[]"
    assert int(modules) > 3


def test_lungs_are_looked_for_without_torch():
    code = (
        "import sys, inference.worker, inference.runtime.pipeline; "
        "print('torch' in sys.modules, 'openvino' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.stdout.split() == ["False", "False"], done.stderr
