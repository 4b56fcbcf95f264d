"""A study, a model pack that reads it, and a model process without a model."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from inference import registry
from inference.client import ModelProcess
from inference.manifest import Limits
from viewer.cli import running
from viewer.phantom.anatomy import PhantomSpec, make_phantom
from viewer.phantom.dicom import write_series

WORKER = Path(__file__).with_name("fake_worker.py")
SPEC = PhantomSpec.small(
    shape_kji=(10, 40, 36), spacing_kji_mm=(25.0, 8.4, 9.0), twigs=10, noise_hu=20.0
)


@pytest.fixture(scope="session")
def phantom_study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "study"
    write_series(make_phantom(SPEC), folder, order="shuffled")
    return folder


@pytest.fixture
def pack(monkeypatch):
    """The bundled pack, with limits that let the coarse phantom in."""
    bundled = registry.available()
    if not bundled:
        pytest.skip("no model pack is bundled")
    wide = Limits((0.1, 100.0), (0.1, 10.0), (1, 1000), (1.0, 10000.0))
    pack = replace(bundled[0], limits=wide)
    monkeypatch.setattr(registry, "available", lambda: (pack,))
    return pack


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """Put the fake model process in place; return the path of its marker."""
    marker = tmp_path / "worker-started"

    def install(mode: str) -> Path:
        command = [sys.executable, str(WORKER), mode, str(marker)]
        monkeypatch.setattr(running, "model_process", lambda: ModelProcess(command))
        return marker

    return install
