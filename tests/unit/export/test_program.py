"""The files name the version that the package has."""

from __future__ import annotations

import tomllib
from pathlib import Path

import resources
from viewer.export import program


def test_the_version_is_the_packages():
    root = Path(resources.__file__).resolve().parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == resources.VERSION == program.VERSION
