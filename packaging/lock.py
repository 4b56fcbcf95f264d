"""Write the lock files anew: ``python packaging/lock.py [--upgrade]`` (needs uv on the path).

The locks hold every version and hash for Python 3.11 and later on Linux, Windows and
macOS. ``start.py`` installs from them, never from the ranges of pyproject.toml.

``runtime.lock``
    What the program needs, but torch.
``torch.lock``
    torch as the Python package index holds it, with the CUDA libraries that its Linux
    builds need. A build for the processor alone comes without a lock, see
    ``bootstrap_install.install_torch``.
``test.lock``
    What lint, types, contracts and tests need on top.
``bundle.lock``, ``train.lock``, ``bench.lock``
    PyInstaller; what training needs; what the benchmarks compare with.
``build.lock``
    What builds the project itself.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "packaging"
EXTRAS = ("test", "bundle", "train", "bench")
# OpenVINO reports its use to its maker through this package, and works without it.
EXCLUDED = ("openvino-telemetry",)

# torch itself and what only its CUDA builds need.
ACCELERATOR = re.compile(r"^(torch|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)$")

HEADER = "# Written by packaging/lock.py; do not edit.\n"


def compile_lock(
    requirements: list[str], *, constraints: list[Path], seed: Path | None
) -> dict[str, str]:
    """Resolve requirements for every platform.

    Parameters
    ----------
    requirements
        Requirements as in pyproject.toml.
    constraints
        Locks whose versions must be kept.
    seed
        Lock whose versions are kept where they still fit, None to take the newest.

    Returns
    -------
    dict of str to str
        Entry as written by uv, marker and hashes with it, by ``name==version ; marker``.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "requirements.in")
        source.write_text("\n".join(requirements), encoding="utf-8")
        excluded = Path(scratch, "excluded.txt")
        excluded.write_text("\n".join(EXCLUDED), encoding="utf-8")
        target = Path(scratch, "out.lock")
        if seed is not None and seed.exists():
            target.write_bytes(seed.read_bytes())
        command = [
            "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-annotate", "--no-header", "--no-config",
            "--excludes", str(excluded),
            *(part for lock in constraints for part in ("--constraint", str(lock))),
            "--output-file", str(target), str(source),
        ]  # fmt: skip
        subprocess.run(command, check=True)
        return entries(target.read_text(encoding="utf-8"))


def entries(text: str) -> dict[str, str]:
    """Return the entries of a lock by their first line, hashes included in the value."""
    found: dict[str, str] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        lines = [line for line in block.strip().splitlines() if not line.startswith("#")]
        if lines:
            found[lines[0].rstrip(" \\")] = "\n".join(lines)
    return found


def name(entry: str) -> str:
    """Return the name of the package of an entry."""
    return re.split(r"[=\s;\[]", entry, maxsplit=1)[0]


def write(path: Path, locked: dict[str, str], note: str = "") -> None:
    """Write a lock with its header."""
    body = "\n".join(locked[key] for key in sorted(locked))
    path.write_text(HEADER + note + body + "\n", encoding="utf-8", newline="\n")
    print(f"{path.relative_to(ROOT)}: {len(locked)} packages")


def main() -> int:
    """Write all locks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = parser.parse_args().upgrade
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    def seed(lock: str) -> Path | None:
        return None if upgrade else FOLDER / lock

    with tempfile.TemporaryDirectory() as scratch:
        both = Path(scratch, "both.lock")  # runtime and torch are resolved as one
        if not upgrade:
            parts = [FOLDER / "runtime.lock", FOLDER / "torch.lock"]
            both.write_text("".join(p.read_text(encoding="utf-8") for p in parts if p.exists()))
        whole = compile_lock(project["project"]["dependencies"], constraints=[], seed=both)
        both.write_text("\n".join(whole.values()), encoding="utf-8")
        write(
            FOLDER / "runtime.lock",
            {key: text for key, text in whole.items() if not ACCELERATOR.match(name(key))},
        )
        write(
            FOLDER / "torch.lock",
            {key: text for key, text in whole.items() if ACCELERATOR.match(name(key))},
        )
        for extra in EXTRAS:
            wanted = project["project"]["optional-dependencies"][extra]
            lock = f"{extra}.lock"
            locked = compile_lock(wanted, constraints=[both], seed=seed(lock))
            write(FOLDER / lock, {k: t for k, t in locked.items() if k not in whole})
    # hatchling asks for editables only when it is to install the checkout itself.
    wanted = [*project["build-system"]["requires"], "editables"]
    write(FOLDER / "build.lock", compile_lock(wanted, constraints=[], seed=seed("build.lock")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
