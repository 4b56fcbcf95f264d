"""Fixtures of all tests: real studies when they are there, a private home, a leak hunt."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything imports Qt.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# No deadline: machines differ. No database: a test run writes nothing into the tree.
settings.register_profile("overread", deadline=None, database=None, print_blob=True)
settings.load_profile("overread")

_ROOT = Path(__file__).resolve().parents[1]
_LEAK_GRACE_S = 3.0


def _shared(name: str, variable: str) -> Path:
    named = os.environ.get(variable)
    path = Path(named) if named else _ROOT.parent / "shared" / name
    if not path.is_dir():
        pytest.skip(f"needs {path} (or {variable}), which is not here")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real cases, which is no part of the repository."""
    return _shared("data", "OVERREAD_DATA")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of odd DICOM files, which is no part of the repository."""
    return _shared("corpus", "OVERREAD_CORPUS")


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which all workers of this session share what they unpack."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "unpacked"
    folder.mkdir(exist_ok=True)
    return folder


def _study(name: str, shared_data: Path, unpacked: Path) -> Path:
    archive = shared_data / "studies" / f"{name}.tar.xz"
    if not archive.is_file():
        pytest.skip(f"needs {archive}, which is not here")
    target, lock = unpacked / name, unpacked / f"{name}.lock"
    try:
        lock.mkdir()
    except FileExistsError:
        # Another worker unpacks it.
        end = time.monotonic() + 120
        while not target.is_dir():
            assert time.monotonic() < end, f"nobody unpacked {archive}"
            time.sleep(0.1)
    else:
        part = unpacked / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(part, filter="data")
            part.rename(target)
        except BaseException:
            lock.rmdir()
            raise
    inside = list(target.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target


@pytest.fixture(scope="session")
def lidc_study(shared_data: Path, unpacked: Path) -> Path:
    """LIDC-IDRI-0001: chest CT, 133 slices of 2.5 mm, one mass with truth."""
    return _study("LIDC-IDRI-0001", shared_data, unpacked)


@pytest.fixture(scope="session")
def lungfcp_study(shared_data: Path, unpacked: Path) -> Path:
    """LungFCP-01-0001: chest CT, 98 slices of 2 mm."""
    return _study("LungFCP-01-0001", shared_data, unpacked)


@pytest.fixture(scope="session")
def brain_study(shared_data: Path, unpacked: Path) -> Path:
    """REMBRANDT-HF1139-FLAIR: axial brain MR, 53 slices."""
    return _study("REMBRANDT-HF1139-FLAIR", shared_data, unpacked)


@pytest.fixture(scope="session")
def liver_study(shared_data: Path, unpacked: Path) -> Path:
    """TCGA-BC-4073-MR-coronal: slightly oblique coronal MR, 30 slices."""
    return _study("TCGA-BC-4073-MR-coronal", shared_data, unpacked)


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh OVERREAD_HOME: no test sees or touches the real one."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("OVERREAD_HOME", str(home))
    return home


def _threads() -> set[threading.Thread]:
    # A dummy stands for a thread of Qt that ran Python once; Python never learns of its end.
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, threading._DummyThread) and thread.is_alive()
    }


def _children() -> set[int]:
    """Ids of the living child processes; all of them on Linux, elsewhere multiprocessing's."""
    found = {child.pid for child in multiprocessing.active_children() if child.pid}
    if sys.platform == "linux":
        for tasks in Path("/proc/self/task").glob("*/children"):
            try:
                found.update(int(pid) for pid in tasks.read_text().split())
            except OSError:
                continue
        found = {pid for pid in found if _lives(pid)}
    return found


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    # The tracker of multiprocessing lives as long as the program, by design.
    return state != "Z" and b"resource_tracker" not in command


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process behind."""
    threads, children = _threads(), _children()
    yield
    # Decoding processes live on for the next file, by design; the next test starts its own.
    decode = sys.modules.get("viewer.study.decode")
    if decode is not None:
        decode.close()
    end = time.monotonic() + _LEAK_GRACE_S
    while time.monotonic() < end:
        left = _threads() - threads
        processes = _children() - children
        if not left and not processes:
            return
        time.sleep(0.02)
    names = sorted(thread.name for thread in left)
    pytest.fail(f"left behind: threads {names}, child processes {sorted(processes)}")
