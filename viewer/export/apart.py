"""Writing an export in a process of its own, ``apart_child``: the window never waits for it.

The libraries that write DICOM take a second to import and work in Python; in a thread they would
hold up the window again and again. What memory they need is that of their own process, and a
cancel is a kill.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from inference.child import Child, watched
from resources.problem import Problem
from viewer.export import wire
from viewer.export.formats import DEFAULT, Format
from viewer.export.problems import KINDS, FileProblem
from viewer.export.report import ExportedFile, ExportReport, FileCheck
from viewer.export.sets.folder import read_item
from viewer.export.snapshot import CaseSnapshot
from viewer.study.cancel import CancelCheck, Cancelled

if TYPE_CHECKING:
    from viewer.export.sets.task import Task

ARGUMENT = "--export-child"
"""First argument with which the frozen program becomes the exporting process."""


class ExportDefect(RuntimeError):
    """Something in the exporting process went wrong that nobody thought of; says where."""


def command() -> list[str]:
    """Return what starts the exporting process: this program when frozen, else this Python."""
    if getattr(sys, "frozen", False):
        return [sys.executable, ARGUMENT]
    return [sys.executable, "-m", "viewer.export.apart_child"]


def write_all(
    snapshot: CaseSnapshot,
    folder: Path,
    part: Path,
    progress: Any = None,
    cancelled: CancelCheck | None = None,
    formats: Sequence[Format] = DEFAULT,
) -> ExportReport:
    """Do what ``files.write_all`` does, in another process; it is gone when this returns.

    Raises
    ------
    Problem
        Also when the process cannot be started or ends before it is done.
    OSError, MemoryError, Cancelled
        As ``files.write_all``.
    """
    request = ("case", snapshot, folder, part, tuple(formats))
    return _result(_done(request, progress, cancelled), folder)


def write_case(
    snapshot: CaseSnapshot,
    folder: Path,
    task: Task,
    progress: Any = None,
    cancelled: CancelCheck | None = None,
) -> dict[str, Any]:
    """Do what ``sets.case_files.write_case`` does, in another process; it is gone then.

    Raises
    ------
    Problem, OSError, MemoryError, Cancelled
        As ``write_all``.
    """
    _done(("set", snapshot, folder, asdict(task)), progress, cancelled)
    return read_item(folder, task.item)


def _done(
    request: tuple[object, ...], progress: Any, cancelled: CancelCheck | None
) -> dict[str, Any]:
    """Have the process do something; return its last answer, or raise what that tells of."""
    try:
        child = Child(command())
    except OSError as error:
        raise FileProblem("unstartable", type(error).__name__) from error
    with watched(child, cancelled) as stopped:
        with contextlib.suppress(OSError):  # it ended; its last answer, if any, says why
            wire.send(request, child.stdin.write)
            child.stdin.flush()
        for line in child.stdout:
            if stopped:
                break
            answer = _answer(line)
            if "step" in answer:
                if progress is not None:
                    progress(*answer["step"])
                continue
            return _well(answer)
    if stopped:
        raise Cancelled
    raise FileProblem("ended", f"exit code {child.process.returncode}")


def _answer(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        return {"ended": True}  # it was killed in the middle of a word
    return answer if isinstance(answer, dict) else {"ended": True}


def _result(done: Mapping[str, Any], folder: Path) -> ExportReport:
    """Return the report that an answer brings."""
    files = tuple(ExportedFile(*file) for file in done["files"])
    return ExportReport(
        folder,
        files,
        done["segments"],
        done["reviewed"],
        done["seconds"],
        tuple(FileCheck(name, who, tuple(what)) for name, who, what in done["checks"]),
        tuple((one, why) for one, why in done["left_out"]),
    )


def _well(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an answer brings, or raise what it tells of."""
    if "done" in answer:
        return dict(answer["done"])
    if "os_error" in answer:
        raise OSError(answer["os_error"], "in the exporting process")
    if "memory" in answer:
        raise MemoryError
    if "problem" in answer:
        kind, name, detail = answer["problem"]
        if kind not in KINDS:
            raise Problem(kind, name, detail)
        raise FileProblem(cast(Any, kind), detail, name=name)
    if "defect" in answer:
        raise ExportDefect(answer["defect"])
    raise FileProblem("ended", "no answer")
