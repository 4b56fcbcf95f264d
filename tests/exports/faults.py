"""What can befall an export, done to it: no half file may stand under a final name."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from resources.problem import Problem
from tests.export_cases import whole_case
from tests.exports.victim import Victim
from tests.outcomes import Judge, Outcome
from tests.small_disks import fill, small_disk
from viewer.export import export_case
from viewer.export.bundle import megabytes_needed
from viewer.export.formats import FORMATS
from viewer.export.place import MANIFEST, NAMES, REPLACING
from viewer.export.snapshot import CaseSnapshot
from viewer.study.cancel import Cancelled

_WHOLE = "no half file under a final name, and the next export works"


def half_files(folder: Path, earlier: Path | None = None) -> list[str]:
    """Say what under final names is not as a manifest tells.

    A folder that is not there is well. In one whose files are being replaced there is no manifest
    of all: each file must be of the new export, of which a copy tells, or of the earlier one.
    """
    if not folder.exists():
        return []
    present = {path.name: _sha(path) for path in folder.iterdir() if path.name in NAMES}
    if MANIFEST in present:
        listed = _listed(folder / MANIFEST)
        wrong = [name for name, sha in listed.items() if present.get(name) != sha]
        strays = present.keys() - listed.keys() - {MANIFEST}
        return wrong + [f"{name} is not listed" for name in sorted(strays)]
    known = [*_listed(folder / REPLACING).items()] if (folder / REPLACING).exists() else []
    known += _listed(earlier / MANIFEST).items() if earlier else []
    return sorted(name for name in present if (name, present[name]) not in known)


def _listed(manifest: Path) -> dict[str, str]:
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return {entry["name"]: entry["sha256"] for entry in files}


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def killed(times: int, home: Path) -> Outcome:
    """Kill so many exports at random moments: of a command and of a window, new and over others.

    Of each ten, four go over an earlier export, and one is written by a process apart, as the
    window's are. Every fourth is tried again. One that ends before it is killed does not count.
    """
    judge, rng, number, hit, half, again = Judge(), np.random.default_rng(0), 0, 0, 0, 0
    victim = Victim(home / "victim")
    try:
        lasts = {how: _seconds(victim, how, home / how) for how in ("here", "apart")}
        while hit < times:
            how = "apart" if number % 10 == 9 else "here"
            folder = home / f"trial-{number}"
            earlier = home / how if number % 10 in (2, 4, 6, 8) else None
            if earlier:
                shutil.copytree(earlier, folder)
            hit += not victim.export(how, folder, float(rng.uniform(0, 1.1 * lasts[how])))
            if how == "apart":
                _wait_for_quiet(home)
            wrong = half_files(folder, earlier)
            half += bool(wrong)
            judge(not wrong, f"trial {number}: {wrong[:2]}")
            if number % 4 == 0:
                again += 1
                judge(victim.export("here", folder), f"trial {number}: the next one does not work")
                judge(not half_files(folder), f"trial {number}: the next one is not whole")
                judge((folder / MANIFEST).is_file(), f"trial {number}: the next one is not there")
            _clear(home, folder)
            number += 1
    finally:
        victim.close()
    figures = {"half": half, "exports begun": number, "tried again": again}
    return Outcome("kill -9 during an export", hit, _WHOLE, figures, tuple(judge.failures))


def _seconds(victim: Victim, how: str, folder: Path) -> float:
    started = time.perf_counter()
    assert victim.export(how, folder)
    return time.perf_counter() - started


def _wait_for_quiet(home: Path) -> None:
    """Wait until a process that wrote for a killed one has gone: it sees its parent's end."""
    end, before = time.monotonic() + 10, None
    while time.monotonic() < end:
        now = sorted(
            (str(path), path.stat().st_size) for path in home.glob(".*.part/*") if path.exists()
        )
        if now == before:
            return
        before = now
        time.sleep(0.2)


def _clear(home: Path, folder: Path) -> None:
    """Remove what one trial left, so that the disk stays empty."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in home.glob(".*.part"):
        shutil.rmtree(part, ignore_errors=True)


def half_versions(folder: Path) -> list[str]:
    """Say what of a training set is not as the manifests of its versions tell."""
    if not folder.exists():
        return []
    wrong = []
    for version in (entry for entry in folder.iterdir() if entry.name.startswith("v")):
        here = {
            path.relative_to(version).as_posix(): _sha(path)
            for path in version.rglob("*")
            if path.is_file()
        }
        listed = _listed(version / MANIFEST) if MANIFEST in here else {}
        here.pop(MANIFEST, None)
        wrong += [f"{version.name}/{name}" for name, _ in here.items() ^ listed.items()]
    return sorted(set(wrong))


def killed_sets(times: int, home: Path) -> Outcome:
    """Kill training sets that are begun, or grow by a version; every fourth is tried again."""
    judge, rng, number, hit, half, again = Judge(), np.random.default_rng(1), 0, 0, 0, 0
    victim = Victim(home / "victim")
    try:
        first = home / "first"
        lasts = _seconds(victim, "set", first)
        before = half_versions(first)
        judge(not before and (first / "v0001" / MANIFEST).is_file(), f"the first: {before[:2]}")
        while hit < times:
            folder, grows = home / f"trial-{number}", number % 2
            if grows:
                shutil.copytree(first, folder)
            hit += not victim.export("set", folder, float(rng.uniform(0, 1.1 * lasts)))
            wrong = half_versions(folder)
            half += bool(wrong)
            judge(not wrong, f"trial {number}: {wrong[:2]}")
            if number % 4 < 2:
                again += 1
                judge(victim.export("set", folder), f"trial {number}: the next one does not work")
                judge(not half_versions(folder), f"trial {number}: the next one is not whole")
                least = folder / f"v{1 + grows:04d}" / MANIFEST
                judge(least.is_file(), f"trial {number}: the next one is not there")
            _clear(home, folder)
            number += 1
    finally:
        victim.close()
    figures = {"half": half, "sets written": number, "tried again": again}
    return Outcome("kill -9 of a training set", hit, _WHOLE, figures, tuple(judge.failures))


def killed_while_replacing(home: Path, every: int = 1) -> Outcome:
    """Kill an export at each file that gets its name in the place of an earlier one."""
    judge, steps = Judge(), 0
    victim = Victim(home / "victim")
    try:
        assert victim.export("here", home / "first")
        names = len(list((home / "first").iterdir()))
        for number in range(0, names, every):
            folder = home / f"at-{number}"
            shutil.copytree(home / "first", folder)
            judge(not victim.export(f"stop-{number}", folder), f"file {number}: it was not killed")
            steps += 1
            wrong = half_files(folder, home / "first")
            judge(not wrong, f"file {number}: {wrong[:2]}")
            judge(victim.export("here", folder), f"file {number}: the next one does not work")
            judge(not half_files(folder), f"file {number}: the next one is not whole")
            judge({path.name for path in folder.iterdir()} <= set(NAMES), "something is left over")
            _clear(home, folder)
    finally:
        victim.close()
    return Outcome(
        "kill -9 at each file that takes the place of an earlier one",
        steps,
        _WHOLE,
        {"files": names},
        tuple(judge.failures),
    )


def _refused(judge: Judge, attempt: Callable[[], object], word: str) -> str:
    """Judge that an attempt ends with a sentence that has this word; return the sentence."""
    try:
        attempt()
    except Problem as problem:
        judge(word in f"{problem.sentence} {problem.remedy}", f"says: {problem}")
        judge(problem.remedy, "a sentence without a remedy")
        return f"{problem.sentence} {problem.remedy}"
    judge(False, "it went on")
    return ""


def _all(case: CaseSnapshot, folder: Path, apart: bool, **more: object) -> object:
    return export_case(case, folder, formats=FORMATS, apart=apart, **more)


def disk_full(home: Path, rooms: Sequence[int] = (0, 20_000, 60_000, 120_000, 200_000)) -> Outcome:
    """Export to a full disk of 10 MB, then make room and try again; here and apart.

    With nothing free the folder is not made; with more, another file is the first to fail.
    """
    expected = "says how many MB it needs, leaves nothing; works when there is room"
    what = "disk full (10 MB)"
    case = whole_case(home / "study")
    judge, said = Judge(), ""
    with small_disk(home / "disk") as why_not:
        if why_not:
            return Outcome(what, 0, expected, skipped=why_not)
        needed = f"{megabytes_needed(case, FORMATS)} MB"
        tries = [*((False, free) for free in rooms), (True, 20_000)]
        for apart, free in tries:
            folder, filler = home / "disk" / f"out-{apart}", home / "disk" / "filler"
            fill(filler)
            _room(filler, free)
            said = _refused(judge, lambda at=folder, a=apart: _all(case, at, a), needed)
            left = sorted(path.name for path in (home / "disk").iterdir())
            judge("filler" in left and f"out-{apart}" not in left, f"left: {left}")
            judge(not [name for name in left if name.endswith(".part")], f"left: {left}")
            filler.unlink()
            _all(case, folder, apart)
            judge(not half_files(folder) and (folder / MANIFEST).is_file(), "the next is not whole")
            shutil.rmtree(folder)
    return Outcome(what, len(tries), expected, {"said": said}, tuple(judge.failures))


def _room(filler: Path, free: int) -> None:
    """Give a little of a full disk back."""
    with filler.open("r+b") as stream:
        stream.truncate(max(0, filler.stat().st_size - free))


def read_only(home: Path) -> Outcome:
    """Export to a disk that may only be read, then allow writing and try again."""
    expected = "a sentence with a remedy, nothing written; works when it may be written"
    what = "disk read-only"
    case = whole_case(home / "study")
    judge, said, disk = Judge(), "", home / "disk"
    with small_disk(disk) as why_not:
        if why_not:
            return Outcome(what, 0, expected, skipped=why_not)
        for apart in (False, True):
            folder = disk / f"out-{apart}"
            before = sorted(disk.iterdir())
            _remount(disk, "ro")
            said = _refused(judge, lambda at=folder, a=apart: _all(case, at, a), "written")
            judge(sorted(disk.iterdir()) == before, "something was written")
            _remount(disk, "rw")
            _all(case, folder, apart)
            judge(not half_files(folder) and (folder / MANIFEST).is_file(), "the next is not whole")
    said = said.replace(str(home), "…")
    return Outcome(what, 2, expected, {"said": said}, tuple(judge.failures))


def _remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True, capture_output=True)


def cancelled(home: Path, every: int = 1) -> Outcome:
    """Cancel at each question that an export asks, and apart at several moments."""
    judge, times, asked = Judge(), 0, [0]
    case = whole_case(home / "study")

    def count() -> bool:
        asked[0] += 1
        return False

    _all(case, home / "counted", False, cancelled=count)
    for n in range(0, asked[0], every):
        times += _cancelled(judge, case, home / f"out-{n}", n, apart=False)
    for n in (0, 4, 12):  # 50 ms from one to the next: while it starts, and while it writes
        times += _cancelled(judge, case, home / f"apart-{n}", n, apart=True)
    folder = home / "again"
    _all(case, folder, False)
    judge(not half_files(folder) and (folder / MANIFEST).is_file(), "the next one is not whole")
    return Outcome(
        "cancel",
        times,
        "leaves nothing, and the next export works",
        {"questions": asked[0]},
        tuple(judge.failures),
    )


def _cancelled(judge: Judge, case: CaseSnapshot, folder: Path, after: int, *, apart: bool) -> int:
    left, before = [after], {path.name for path in folder.parent.iterdir()}

    def asked() -> bool:
        left[0] -= 1
        return left[0] < 0

    try:
        _all(case, folder, apart, cancelled=asked)
        judge(False, f"question {after}: it was not cancelled")
    except Cancelled:
        pass
    found = {path.name for path in folder.parent.iterdir()} - before
    judge(not found, f"question {after}: left {sorted(found)}")
    return 1


def faults(kills: int) -> tuple[Callable[[Path], Outcome], ...]:
    """Return every fault."""

    def many_killed(home: Path) -> Outcome:
        return killed(kills, home)

    def many_sets_killed(home: Path) -> Outcome:
        return killed_sets(kills, home)

    return many_killed, many_sets_killed, killed_while_replacing, disk_full, read_only, cancelled
