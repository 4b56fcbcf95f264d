"""``start.py test``: lint, types, contracts, tests, each with its outcome and time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from resources.text import translate


def steps(python: Path) -> dict[str, list[str]]:
    """Return the checks before the tests, by name."""
    suffix = ".exe" if sys.platform == "win32" else ""

    def tool(name: str) -> str:
        return str(python.with_name(name + suffix))

    return {
        "ruff check": [tool("ruff"), "check", "."],
        "ruff format": [tool("ruff"), "format", "--check", "."],
        "mypy": [tool("mypy")],
        "lint-imports": [tool("lint-imports")],
    }


def pytest_command(python: Path, arguments: list[str]) -> list[str]:
    """Return the command of the tests; all of them are spread over the processors."""
    spread = [] if arguments else ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
    return [str(python), "-m", "pytest", *spread, *arguments]


def run(root: Path, python: Path, arguments: list[str]) -> int:
    """Run every check, the tests last, and return 0 only when all passed.

    The tests' own closing line is the last that is printed unless another check failed.
    """
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    failed = []
    for name, command in steps(python).items():
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        seconds = time.monotonic() - started
        if done.returncode:
            failed.append(name)
            print(done.stdout.rstrip())
        outcome = translate("start", "failed") if done.returncode else translate("start", "passed")
        print(f"{name:<13} {outcome} ({seconds:.1f} s)", flush=True)
    tests = subprocess.run(pytest_command(python, arguments), cwd=root, env=environment)
    if failed:
        print(translate("start", "Failed: {names}").format(names=", ".join(failed)))
    return 1 if failed else tests.returncode
