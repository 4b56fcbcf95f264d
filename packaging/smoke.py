"""Check a built bundle: ``python3 packaging/smoke.py [--bundle dist/overread]``.

Run it with the Python of the environment that ``start.py`` made (it is found by itself):
the sample study is analysed by the checkout and by the bundle, both as ``overread sample``
does it, window and screenshot included. Then

* both must find the same by the same engine: as many detections, each within 0.1 mm and 0.001
  of its fellow;
* the window must open on the sample and stay, printing nothing;
* of a small case that the checkout worked on, both must export files of the same names, without
  identity, and begin a training set; the bundle must say that it cannot retrain;
* the bundle must print nothing that the checkout does not: no warning, no traceback;
* the window's process must hold no library of torch or OpenVINO, the model's none of Qt
  (Linux only: there a process's libraries can be read without tools).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SUFFIX = ".exe" if sys.platform == "win32" else ""
PYTHON = ROOT / ".venv" / ("Scripts/python.exe" if SUFFIX else "bin/python")
LIMIT_S = 900
WINDOW_S = 15
CENTRE_MM, SCORE = 0.1, 1e-3

# Makes a study and works on it, as a person does in the window.
WORK = """
import sys
from pathlib import Path
import numpy as np
from viewer.phantom.anatomy import PhantomSpec, make_phantom
from viewer.phantom.dicom import write_series
from viewer.session import Case, Reader
from viewer.study import order, read, scan
from viewer.tools.brush import Brush
made = make_phantom(PhantomSpec.small())
write_series(made, Path(sys.argv[1]))
plan = order.order(scan.scan([Path(sys.argv[1])]).series[0])
volume = read.read(plan)
case = Case.open(plan.series, plan, volume, reader=Reader("Ada Reader", "radiologist"))
at = np.array(volume.shape_kji) // 2
lesion, = case.add_missed(tuple((volume.affine @ (*at, 1))[:3])).lesion_ids
stroke = case.start_stroke(lesion, Brush(30.0, "ball"))
stroke.move_to(at.astype(float))
case.commit_stroke(stroke)
case.set_verdict(lesion, "accepted")
assert case.close() == 0
"""

TORCH = re.compile(r"libtorch|libc10|/torch/|openvino")
QT = re.compile(r"libQt6|PySide6|shiboken6")


class Failure(Exception):
    """What the bundle did wrong, in one sentence."""


def libraries(pid: int) -> str:
    """Return the memory map of a process; empty when it is gone or the system shows none."""
    try:
        return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def family(pid: int) -> Iterator[int]:
    """Yield a process and all its descendants, as Linux lists them."""
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = tasks.read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


class Watch(threading.Thread):
    """Looks at the libraries of a bundle's processes while they run.

    Attributes
    ----------
    seen
        Executable name and what it held of ``"torch"`` and ``"Qt"``.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.done = threading.Event()
        self.seen: dict[str, set[str]] = {}

    def run(self) -> None:
        """Look every 0.2 s until told to end."""
        while not self.done.wait(0.2):
            for pid in family(self.pid):
                try:
                    name = Path(f"/proc/{pid}/exe").readlink().name
                except OSError:
                    continue
                text = libraries(pid)
                held = {word for word, sign in (("torch", TORCH), ("Qt", QT)) if sign.search(text)}
                self.seen.setdefault(name, set()).update(held)


def start(command: list[str], home: Path) -> tuple[subprocess.Popen[str], Watch]:
    """Start a command without a screen and with a home of its own, and watch it."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "OVERREAD_HOME": str(home)}
    environment["OVERREAD_PASSPHRASE"] = "of the smoke test"
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    watch = Watch(process.pid)
    watch.start()
    return process, watch


def run(command: list[str], home: Path) -> tuple[str, dict[str, set[str]]]:
    """Run a command to its end; return what it printed and the libraries its processes held.

    Raises
    ------
    Failure
        When it fails or takes longer than LIMIT_S.
    """
    process, watch = start(command, home)
    try:
        words, _ = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Failure(f"{command[0]} was not done after {LIMIT_S} s.") from None
    finally:
        watch.done.set()
        watch.join()
    if process.returncode:
        raise Failure(f"{' '.join(command)} ended with {process.returncode}:\n{words}")
    return words, watch.seen


def sample(command: list[str], home: Path) -> tuple[dict[str, Any], str, dict[str, set[str]]]:
    """Run ``sample`` into a folder; return the findings, the words and the libraries held."""
    home.mkdir()
    out = home / "out"
    words, seen = run([*command, "sample", "--out", str(out)], home)
    found = list(out.rglob("findings.json"))
    if len(found) != 1:
        raise Failure(f"{command[0]} wrote {len(found)} files findings.json.")
    if not list(out.rglob("*.png")):
        raise Failure(f"{command[0]} wrote no screenshot of the window.")
    findings: dict[str, Any] = json.loads(found[0].read_text(encoding="utf-8"))
    return findings, words.replace(str(home), "HOME"), seen


def compare(source: dict[str, Any], bundle: dict[str, Any]) -> None:
    """See that both found the same.

    Raises
    ------
    Failure
        When they did not.
    """
    if source["model"] != bundle["model"]:
        raise Failure(f"The models differ: {source['model']} and {bundle['model']}.")
    if source["device"] != bundle["device"]:
        raise Failure(f"The checkout ran on {source['device']}, the bundle on {bundle['device']}.")
    ours, theirs = source["detections"], bundle["detections"]
    if not ours:
        raise Failure("The checkout found nothing in the sample, so there is nothing to compare.")
    if len(ours) != len(theirs):
        raise Failure(f"The checkout has {len(ours)} detections, the bundle {len(theirs)}.")
    key = "centre_lps_mm"
    for one, other in zip(
        sorted(ours, key=lambda d: d[key]), sorted(theirs, key=lambda d: d[key]), strict=True
    ):
        apart = max(abs(a - b) for a, b in zip(one[key], other[key], strict=True))
        if apart > CENTRE_MM or abs(one["score"] - other["score"]) > SCORE:
            raise Failure(f"A detection differs: {one} and {other}.")


def plain(words: str) -> set[str]:
    """Return the lines printed, numbers taken out: times and sizes differ from run to run."""
    return {re.sub(r"[\d.,]+", "N", line).strip() for line in words.splitlines() if line.strip()}


def window(program: Path, home: Path) -> dict[str, set[str]]:
    """Open the window without a screen, let it stand, end it; return the libraries held.

    Raises
    ------
    Failure
        When it ends by itself or prints anything.
    """
    process, watch = start([str(program), "--sample"], home)
    time.sleep(WINDOW_S)
    ended = process.poll()
    watch.done.set()
    watch.join()
    process.kill()
    words, _ = process.communicate()
    if ended is not None:
        raise Failure(f"The window closed by itself with {ended}:\n{words}")
    if words.strip():
        raise Failure(f"The window printed:\n{words}")
    return watch.seen


def exports(program: Path, home: Path) -> int:
    """Export a case by checkout and bundle; return how many files there are of it.

    Raises
    ------
    Failure
        When names of files differ, identity was left, or the bundle does not say that it
        cannot retrain.
    """
    home.mkdir()
    study = home / "study"
    run([str(PYTHON), "-c", WORK, str(study)], home)
    wrote: list[list[str]] = []
    for command in ([str(PYTHON), "-m", "viewer"], [str(program)]):
        out = home / f"out-{len(wrote)}"
        for formats, to in (("all", out / "case"), ("training", out / "set")):
            run([*command, "export", str(study), "--out", str(to), "--format", formats], home)
        files = [path for path in out.rglob("*") if path.is_file()]
        for path in files:
            if any(word in path.read_bytes() for word in (b"OVERREAD-PHANTOM", b"Ada Reader")):
                raise Failure(f"{path.name} of {command[0]} names somebody.")
        wrote.append(sorted(path.name for path in files))
    if wrote[0] != wrote[1]:
        raise Failure(f"The checkout exported {wrote[0]}, the bundle {wrote[1]}.")
    retrain = [str(program), "retrain", "--data", str(home), "--base", "lung-nodule-ct"]
    process, _ = start([*retrain, "--out", str(home / "pack")], home)
    words, _ = process.communicate(timeout=LIMIT_S)
    if process.returncode != 2 or "can neither train" not in words:
        raise Failure(f"The bundle said of retraining ({process.returncode}):\n{words}")
    return len(wrote[1])


def check(bundle: Path) -> None:
    """Do all the checks.

    Raises
    ------
    Failure
        At the first that fails.
    """
    program = bundle / f"overread{SUFFIX}"
    for needed in (PYTHON, program, bundle / f"overread-model{SUFFIX}"):
        if not needed.exists():
            raise Failure(f"{needed} is missing: run start.py and packaging/build.py first.")
    with tempfile.TemporaryDirectory() as scratch:
        started = time.monotonic()
        source, expected, _ = sample([str(PYTHON), "-m", "viewer"], Path(scratch, "source"))
        print(f"checkout: {len(source['detections'])} detections, {elapsed(started)}", flush=True)
        started = time.monotonic()
        frozen, words, held = sample([str(program)], Path(scratch, "bundle"))
        print(f"bundle:   {len(frozen['detections'])} detections, {elapsed(started)}", flush=True)
        compare(source, frozen)
        if unexpected := plain(words) - plain(expected):
            raise Failure(
                "The bundle printed what the checkout does not:\n" + "\n".join(unexpected)
            )
        for name, some in window(program, Path(scratch, "bundle")).items():
            held.setdefault(name, set()).update(some)
        print(f"window:   open for {WINDOW_S} s, silent", flush=True)
        started = time.monotonic()
        count = exports(program, Path(scratch, "exports"))
        print(f"exports:  {count} files of the same names, {elapsed(started)}", flush=True)
    if sys.platform.startswith("linux"):
        wanted = {program.name: {"Qt"}, f"overread-model{SUFFIX}": {"torch"}}
        if held != wanted:
            raise Failure(f"The processes held {held}, not {wanted}.")
        print("libraries: Qt in the window alone, torch in the model process alone", flush=True)


def elapsed(started: float) -> str:
    """Return the seconds since a moment as text."""
    return f"{time.monotonic() - started:.0f} s"


def main() -> int:
    """Check a bundle; return 0 when all is well."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bundle", type=Path, default=ROOT / "dist" / "overread")
    try:
        check(parser.parse_args().bundle.resolve())
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    print("The bundle is well.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
