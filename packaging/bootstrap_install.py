"""The virtual environment: made once, filled from the locks, repaired when cut short.

Three files tell how far it is. ``.venv.setup`` lies beside it while it is changed, and is
locked by the process that changes it: found unlocked, the last set-up was cut short and
the environment is made anew (pip's cache keeps that quick). ``.venv/overread.json`` holds
what is installed: equal to what is wanted, a start costs no more than reading it.
``.venv/install.log`` holds pip's own words.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap_pip import Pip

from resources.problem import Problem
from resources.text import translate

ENVIRONMENT = ".venv"
TOOLS = ("test", "bundle")
RECIPE = 1  # raise it when the steps below change what they install

# PyTorch's own indexes: builds for the processor alone (Linux wheels of the package index
# bring gigabytes of CUDA), and for NVIDIA cards on Windows (there the index has none).
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TORCH_CUDA_INDEX = "https://download.pytorch.org/whl/cu130"


def prepare(root: Path, *, tools: str | None = None) -> Path:
    """Make, repair or simply find the environment and return its Python.

    Parameters
    ----------
    root
        The checkout.
    tools
        Lock that is wanted on top: ``"test"``, ``"bundle"``, or None.

    Raises
    ------
    Problem
        When it cannot be set up: no network, no space, another set-up going on.
    """
    folder = root / ENVIRONMENT
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = state(root, tools=tools)
    if complete(folder, python, wanted):
        return python
    started = time.monotonic()
    try:
        with busy(root / f"{ENVIRONMENT}.setup") as cut_short:
            installed = {} if cut_short else read_stamp(folder)
            if installed.get("root") != wanted["root"] or not runs(python):
                installed = {}
                make(folder)
            (folder / "overread.json").unlink(missing_ok=True)
            fill(root, Pip(python, folder / "install.log"), wanted, installed)
            stamp = json.dumps(installed | wanted, indent=1)
            (folder / "overread.json").write_text(stamp, encoding="utf-8")
    except OSError as error:
        raise Problem(
            translate("start", "The environment {folder} could not be written: {reason}.").format(
                folder=folder, reason=error.strerror or error
            ),
            translate("start", "Free some space or check the folder's rights, start again."),
        ) from error
    print(
        translate("start", "Set up in {seconds} s.").format(
            seconds=round(time.monotonic() - started)
        ),
        flush=True,
    )
    return python


def state(root: Path, *, tools: str | None = None) -> dict[str, str]:
    """Return what the environment must hold, as digests of what it is made from."""
    locks = root / "packaging"
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    parts = ["runtime", "torch", "build", *([tools] if tools else [])]
    found = {part: digest((locks / f"{part}.lock").read_bytes()) for part in parts}
    found["project"] = digest(json.dumps([project["project"], RECIPE], sort_keys=True).encode())
    found["root"] = str(root)  # the environment holds absolute paths: a moved one is made anew
    return found


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal, line ends as git may have made them."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def read_stamp(folder: Path) -> dict[str, str]:
    """Return what the environment says it holds; nothing when it is not there or unreadable."""
    try:
        found = json.loads((folder / "overread.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def complete(folder: Path, python: Path, wanted: dict[str, str]) -> bool:
    """Tell whether the environment holds what is wanted and no set-up was cut short."""
    if folder.with_name(f"{ENVIRONMENT}.setup").exists():
        return False
    return wanted.items() <= read_stamp(folder).items() and runs(python)


def runs(python: Path) -> bool:
    """Tell whether the environment's Python starts: the one it was made from may be gone."""
    try:
        return subprocess.run([python, "-c", ""], check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def busy(marker: Path) -> Iterator[bool]:
    """Mark that the environment is being changed; yield whether an earlier change was cut short.

    The marker goes only when the block ends well. It is locked meanwhile, and the system
    drops the lock of a process that dies.
    """
    cut_short = marker.exists()
    with marker.open("a+b") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Problem(
                translate("start", "Another set-up of this checkout is going on."),
                translate("start", "Wait until it is done, then start again."),
            ) from error
        yield cut_short
    marker.unlink(missing_ok=True)


def make(folder: Path) -> None:
    """Make an empty virtual environment in place of whatever is there."""
    print(
        translate("start", "Making the environment {name} …").format(name=folder.name), flush=True
    )
    if folder.exists():
        shutil.rmtree(folder)
    # Called by the environment's own Python, the one below it must do the work.
    base = getattr(sys, "_base_executable", None) or sys.executable
    done = subprocess.run(
        [base, "-m", "venv", str(folder)], capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        words = (done.stderr + done.stdout).strip().splitlines()
        raise Problem(
            translate("start", "Python could not make the environment: {reason}").format(
                reason=words[-1] if words else "?"
            ),
            translate(
                "start", "Check that the disk has space and that Python has its venv module."
            ),
        )


def fill(root: Path, pip: Pip, wanted: dict[str, str], installed: dict[str, str]) -> None:
    """Install what is wanted and not yet there, in the order of need."""

    def stale(part: str) -> bool:
        return part in wanted and wanted[part] != installed.get(part)

    locks = root / "packaging"
    if stale("runtime"):
        pip.install_lock(locks / "runtime.lock", translate("start", "libraries"))
    if stale("torch"):
        install_torch(pip, locks / "torch.lock")
    for tools in TOOLS:
        if stale(tools):
            pip.install_lock(locks / f"{tools}.lock", translate("start", "tools"))
    if stale("build") or stale("project"):
        pip.install_lock(locks / "build.lock", translate("start", "build tools"))
        pip.install(
            ["--no-deps", "--no-build-isolation", "--editable", str(root)],
            translate("start", "Overread"),
        )


def install_torch(pip: Pip, lock: Path) -> None:
    """Install the pinned torch: for the NVIDIA card if there is one, else for the processor.

    The package index holds what macOS, Windows without a card, and Linux with one need:
    there the lock's hashes hold. Other builds come from PyTorch's own indexes, whose hashes
    no resolver can list beforehand for all Pythons; they are pinned by version, and pip
    still checks each file against the digest of its index page. Where pip is told of an
    index or folder of its own, that is asked alone: whoever set it decides what it serves.
    """
    what = translate("start", "torch")
    pin = next(
        line.split()[0]
        for line in lock.read_text(encoding="utf-8").splitlines()
        if line.startswith("torch==")
    )
    card, system = nvidia_card(), platform.system()
    if not pip.has_own_index():
        if system == "Darwin" or card == (system == "Linux"):
            pip.install_lock(lock, what)
            return
        index = TORCH_CUDA_INDEX if card else TORCH_CPU_INDEX
        pip.install(["--no-deps", "--extra-index-url", index, pin], what)
    else:
        pip.install(["--no-deps", pin], what)
    if system == "Linux" and "+" not in pip.version("torch"):
        # The package index's own build: it needs the CUDA libraries even without a card.
        pip.install_lock(lock, what)


def nvidia_card() -> bool:
    """Tell whether an NVIDIA driver is there, without loading anything."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()
