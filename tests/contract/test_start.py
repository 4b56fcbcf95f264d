"""start.py: what it decides before anything of the project is installed."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sources import ROOT

from resources.problem import Problem

SCRIPTS = str(ROOT / "packaging")


@pytest.fixture
def bootstrap(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import bootstrap

    return bootstrap


@pytest.fixture
def install(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import bootstrap_install

    return bootstrap_install


@pytest.fixture
def pip(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import bootstrap_pip

    return bootstrap_pip


@pytest.fixture
def system(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import bootstrap_system

    return bootstrap_system


def test_an_old_python_gets_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 8, 10, "final", 0))
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(ROOT / "start.py"), run_name="__main__")
    assert str(caught.value) == (
        "Overread needs Python 3.11 or later, this is 3.8. "
        "Install a newer Python and start this file with it."
    )


def test_start_needs_nothing_but_the_standard_library():
    # -S leaves out site-packages; -I the working folder and PYTHONPATH.
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "start.py"), "--help"],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "start.py test" in done.stdout


@pytest.mark.parametrize(
    ("argv", "display", "expected"),
    [
        ([], True, ["--sample"]),
        ([], False, ["sample", "--out", "overread-output"]),
        (["study"], True, ["study"]),
        (["study"], False, ["sample", "--study", "study", "--out", "overread-output"]),
        (["--", "models", "--json"], False, ["models", "--json"]),
    ],
)
def test_arguments_become_those_of_the_program(bootstrap, argv, display, expected):
    assert bootstrap.arguments(argv, display) == expected


def test_no_display_on_linux_without_a_screen(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap.platform, "system", lambda: "Linux")
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not bootstrap.has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert bootstrap.has_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert not bootstrap.has_display()


def fake_environment(install, folder: Path, wanted: dict[str, str]) -> Path:
    """Make what looks like a complete environment whose Python is the one running."""
    (folder / ".venv").mkdir()
    (folder / ".venv" / "overread.json").write_text(json.dumps(wanted))
    return Path(sys.executable)


def test_a_second_start_finds_the_environment_complete(install, tmp_path):
    wanted = install.state(ROOT)
    python = fake_environment(install, tmp_path, wanted)
    assert install.complete(tmp_path / ".venv", python, wanted)
    assert not install.complete(tmp_path / ".venv", tmp_path / "gone", wanted)
    assert not install.complete(tmp_path / ".venv", python, wanted | {"runtime": "other"})


def test_the_test_tools_are_asked_for_only_by_test(install, tmp_path):
    wanted = install.state(ROOT, tools="test")
    python = fake_environment(install, tmp_path, install.state(ROOT))
    assert not install.complete(tmp_path / ".venv", python, wanted)


def test_a_set_up_that_died_is_seen(install, tmp_path):
    wanted = install.state(ROOT)
    python = fake_environment(install, tmp_path, wanted)
    marker = tmp_path / ".venv.setup"
    with pytest.raises(RuntimeError), install.busy(marker) as cut_short:
        assert not cut_short
        raise RuntimeError("killed")
    assert not install.complete(tmp_path / ".venv", python, wanted)
    with install.busy(marker) as cut_short:
        assert cut_short
    assert install.complete(tmp_path / ".venv", python, wanted)


def test_two_set_ups_at_once_are_refused(install, tmp_path):
    marker = tmp_path / ".venv.setup"
    with (
        install.busy(marker),
        pytest.raises(Problem, match=r"^Another set-up"),
        install.busy(marker),
    ):
        pass
    assert not marker.exists()


def test_a_damaged_stamp_counts_as_nothing_installed(install, tmp_path):
    (tmp_path / "overread.json").write_text('{"runtime": "a')
    assert install.read_stamp(tmp_path) == {}


def test_line_ends_do_not_change_a_digest(install):
    assert install.digest(b"a\r\nb\r\n") == install.digest(b"a\nb\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "The disk is full."),
        (
            "WARNING: Retrying ... NewConnectionError(...): Failed to establish a new connection\n"
            "ERROR: No matching distribution found for numpy==2.4.6",
            "The package index cannot be reached.",
        ),
        (
            "ERROR: No matching distribution found for torch==2.13.0",
            "The package index has no torch==2.13.0 for this Python.",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "A downloaded package is not the one that was tested.",
        ),
        ("something else", "The packages could not be installed."),
    ],
)
def test_what_pip_says_becomes_a_sentence_with_a_remedy(pip, words, sentence, tmp_path):
    problem = pip.problem(words, tmp_path / "install.log")
    assert problem.sentence == sentence
    assert problem.remedy


class FakePip:
    """pip that only notes what it is asked."""

    def __init__(self, *, own_index: bool, version: str) -> None:
        self.own_index = own_index
        self.torch = version
        self.asked: list[str] = []

    def has_own_index(self) -> bool:
        return self.own_index

    def version(self, package: str) -> str:
        return self.torch

    def install_lock(self, lock: Path, what: str) -> None:
        self.asked.append(lock.name)

    def install(self, arguments: list[str], what: str) -> None:
        self.asked.append(" ".join(arguments))


CPU = "--no-deps --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0"
CUDA = "--no-deps --extra-index-url https://download.pytorch.org/whl/cu130 torch==2.13.0"
PLAIN = "--no-deps torch==2.13.0"


@pytest.mark.parametrize(
    ("system_name", "card", "own_index", "version", "asked"),
    [
        ("Linux", False, False, "2.13.0+cpu", [CPU]),
        ("Linux", True, False, "2.13.0", ["torch.lock"]),
        ("Linux", False, True, "2.13.0+cpu", [PLAIN]),
        ("Linux", False, True, "2.13.0", [PLAIN, "torch.lock"]),
        ("Windows", False, False, "2.13.0", ["torch.lock"]),
        ("Windows", True, False, "2.13.0+cu130", [CUDA]),
        ("Darwin", False, False, "2.13.0", ["torch.lock"]),
    ],
)
def test_torch_comes_in_the_build_that_suits_the_machine(
    install, monkeypatch, system_name, card, own_index, version, asked
):
    monkeypatch.setattr(install.platform, "system", lambda: system_name)
    monkeypatch.setattr(install, "nvidia_card", lambda: card)
    fake = FakePip(own_index=own_index, version=version)
    install.install_torch(fake, ROOT / "packaging" / "torch.lock")
    assert fake.asked == asked


def test_missing_packages_are_named_in_one_line_to_type(system, monkeypatch):
    monkeypatch.setattr(system, "missing", lambda display: {"libEGL.so.1": "libegl1"})
    monkeypatch.setattr(system.shutil, "which", lambda name: "/usr/bin/apt-get")
    monkeypatch.setattr(system.Path, "exists", lambda self: True)
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000, raising=False)
    if sys.platform == "win32":
        pytest.skip("Windows has no such packages")
    with pytest.raises(Problem) as caught:
        system.prepare(display=True)
    assert caught.value.remedy.endswith("\nsudo apt-get install -y --no-install-recommends libegl1")


def test_other_systems_are_told_the_names(system, monkeypatch):
    monkeypatch.setattr(system, "missing", lambda display: {"libEGL.so.1": "libegl1"})
    monkeypatch.setattr(system.shutil, "which", lambda name: None)
    with pytest.raises(Problem, match=r"lacks libEGL\.so\.1"):
        system.prepare(display=True)


def test_nothing_missing_means_nothing_done(system, monkeypatch):
    monkeypatch.setattr(system, "missing", lambda display: {})
    monkeypatch.setattr(system.subprocess, "run", lambda *a, **k: pytest.fail("ran a command"))
    system.prepare(display=True)


def test_a_library_that_is_not_there_does_not_load(system):
    assert not system.loads("libno-such-thing.so.9")


def test_a_folder_that_cannot_be_written_gets_a_sentence(install, tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(install, "make", refuse)
    with pytest.raises(Problem, match=r"could not be written: Permission denied\. Free some space"):
        install.prepare(tmp_path)
