"""What ``start.py`` does: set the environment up once, then open Overread or check it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import bootstrap_checks
import bootstrap_install
import bootstrap_system

from resources.problem import Problem
from resources.text import translate

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = "overread-output"

USE = """\
python3 start.py               open Overread on the sample study
python3 start.py STUDY         open a study (folder or file)
python3 start.py -- ARGUMENTS  call Overread's command line, as in: -- models
python3 start.py test [...]    run lint, types, contracts and tests; [...] goes to pytest
"""


def has_display() -> bool:
    """Tell whether a window can be shown."""
    if os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"):
        return False
    if platform.system() != "Linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def arguments(argv: list[str], display: bool) -> list[str]:
    """Return the arguments of ``python -m viewer`` for those of ``start.py``.

    Without a display the window's work is done by the commands: the sample, or the
    study named, is analysed and the results are written to ``overread-output``.
    """
    if argv[:1] == ["--"]:
        return argv[1:]
    if display:
        return argv or ["--sample"]
    study = ["--study", *argv] if argv else []
    return ["sample", *study, "--out", OUTPUT]


def run(python: Path, argv: list[str]) -> int:
    """Run Overread from the checkout and return its exit code."""
    environment = dict(os.environ)
    display = has_display()
    if not display:
        environment["QT_QPA_PLATFORM"] = "offscreen"
        if argv[:1] != ["--"]:
            print(
                translate(
                    "start", "There is no display here: results are written to {folder}."
                ).format(folder=OUTPUT),
                flush=True,
            )
    command = [str(python), "-m", "viewer", *arguments(argv, display)]
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                code = process.wait()
                return code if code >= 0 else 128 - code  # ended by a signal, as shells say it
            except KeyboardInterrupt:
                # Ctrl+C reaches the child as well; it ends in its own way, saving first.
                continue


def main(argv: list[str]) -> int:
    """Run ``start.py`` with these arguments and return the exit code."""
    if argv[:1] in (["-h"], ["--help"]):
        print(USE, end="")
        return 0
    testing = argv[:1] == ["test"]
    try:
        bootstrap_system.prepare(display=has_display())
        python = bootstrap_install.prepare(ROOT, tools="test" if testing else None)
        if testing:
            return bootstrap_checks.run(ROOT, python, argv[1:])
        return run(python, argv)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        print(
            "\n" + translate("start", "Stopped. Start again to go on from here."), file=sys.stderr
        )
        return 130
