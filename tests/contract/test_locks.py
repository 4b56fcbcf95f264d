"""The locks: complete for pyproject.toml, hashed, and what these tests run with."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from sources import ROOT

FOLDER = ROOT / "packaging"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENTRY = re.compile(
    r"^(?P<name>[a-z0-9.-]+)(\[[^]]*\])?==(?P<version>[^\s;]+)( ; (?P<marker>[^\\\n]+?))? \\\n"
    r"(?P<hashes>(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+)",
    re.M,
)


def entries(*locks: str) -> list[re.Match[str]]:
    text = "".join((FOLDER / lock).read_text(encoding="utf-8") for lock in locks)
    return list(ENTRY.finditer(text))


def locked(*locks: str) -> dict[str, str]:
    """Return name and version of what a lock installs here."""
    return {
        entry["name"]: entry["version"]
        for entry in entries(*locks)
        if entry["marker"] is None or Marker(entry["marker"]).evaluate()
    }


@pytest.mark.parametrize("lock", sorted(path.name for path in FOLDER.glob("*.lock")))
def test_every_line_of_a_lock_is_an_entry_with_hashes(lock):
    text = (FOLDER / lock).read_text(encoding="utf-8")
    assert ENTRY.sub("", text) == "# Written by packaging/lock.py; do not edit.\n"
    assert entries(lock)


@pytest.mark.parametrize(
    ("requirements", "locks"),
    [
        (PROJECT["dependencies"], ("runtime.lock", "torch.lock")),
        (PROJECT["optional-dependencies"]["test"], ("runtime.lock", "test.lock")),
        (PROJECT["optional-dependencies"]["bundle"], ("runtime.lock", "bundle.lock")),
        (PROJECT["optional-dependencies"]["train"], ("runtime.lock", "train.lock")),
        (PROJECT["optional-dependencies"]["bench"], ("runtime.lock", "bench.lock")),
    ],
    ids=["dependencies", "test", "bundle", "train", "bench"],
)
def test_the_locks_hold_what_the_project_asks_for(requirements, locks):
    found = locked(*locks)
    for text in requirements:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        assert wanted.specifier.contains(found[canonicalize_name(wanted.name)]), text


def test_these_tests_run_with_the_locked_versions():
    other = {}
    for name, pinned in locked("runtime.lock", "torch.lock", "test.lock").items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            # torch's build for the processor comes without the CUDA packages.
            if not re.match(r"nvidia-|cuda-|triton", name):
                other[name] = None
            continue
        if Version(installed).public != pinned:
            other[name] = installed
    assert not other


def test_torch_is_pinned():
    assert "torch==2.13.0" in PROJECT["dependencies"]
    assert locked("torch.lock")["torch"] == "2.13.0"


def test_no_lock_installs_what_calls_home():
    everything = entries(*(path.name for path in FOLDER.glob("*.lock")))
    assert not [entry["name"] for entry in everything if "telemetry" in entry["name"]]
