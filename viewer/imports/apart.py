"""Reading files of other systems in a process of its own, ``apart_child``: they are not trusted.

The libraries take a second to import and work in Python, and a malformed file may do anything to
them: memory and time are those of that process, and a cancel is a kill.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from inference.child import Child, watched
from inference.findings import Mask
from resources.problem import Problem
from resources.text import translate
from viewer.annotate.mask import empty_mask
from viewer.imports.held import HeldFile, HeldOutline
from viewer.imports.target import Target
from viewer.study.cancel import CancelCheck, Cancelled

ARGUMENT = "--import-child"
"""First argument with which the frozen program becomes the reading process."""

LIMIT_S = 300.0
_MOST_HEAD = 64 << 20

Report = Callable[[int, int], None]


def command() -> list[str]:
    """Return what starts the reading process: this program when frozen, else this Python."""
    if getattr(sys, "frozen", False):
        return [sys.executable, ARGUMENT]
    return [sys.executable, "-m", "viewer.imports.apart_child"]


def read(
    paths: Sequence[Path],
    target: Target,
    *,
    progress: Report | None = None,
    cancelled: CancelCheck | None = None,
    limit_s: float = LIMIT_S,
) -> list[HeldFile]:
    """Return what files hold for the open series, as ``together.read_all``.

    Parameters
    ----------
    limit_s
        After so long the process is ended, whatever it does.

    Raises
    ------
    Problem
        When the process cannot be started, takes too long or too much memory.
    Cancelled
        When ``cancelled`` says so.
    """
    try:
        child = Child(command())
    except OSError as error:
        raise _problem("unstartable", type(error).__name__) from error
    asked = {"paths": [str(path.absolute()) for path in paths], "target": target.body()}
    with watched(child, cancelled, limit_s) as stopped:
        with contextlib.suppress(OSError):  # it ended; that it gives no answer says so
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            child.stdin.flush()
        try:
            return _received(child.stdout, progress)  # type: ignore[arg-type]
        except (EOFError, ValueError) as error:
            if stopped == ["cancelled"]:
                raise Cancelled from None
            if stopped == ["time"]:
                raise _problem("time", f"{limit_s} s") from None
            child.process.wait()
            detail = f"exit code {child.process.returncode} {type(error).__name__}"
            raise _problem("ended", detail) from None
        except MemoryError:
            raise _problem("memory", "memory") from None


def _received(stream: BinaryIO, progress: Report | None) -> list[HeldFile]:
    files: list[tuple[dict[str, Any], list[HeldOutline]]] = []
    while True:
        size = int.from_bytes(_exactly(stream, 4), "little")
        if size > _MOST_HEAD:
            raise ValueError
        head = json.loads(_exactly(stream, size))
        if "progress" in head:
            if progress is not None:
                progress(*head["progress"])
        elif "file" in head:
            files.append((head["file"], []))
        elif "outline" in head:
            files[-1][1].append(_outline(stream, head))
        elif "memory" in head:
            raise MemoryError
        else:
            return [_file(said, outlines) for said, outlines in files]


def _outline(stream: BinaryIO, head: Mapping[str, Any]) -> HeldOutline:
    (k, j, i), shape = head["place"]
    data = np.frombuffer(_exactly(stream, int(head["bytes"])), dtype=np.uint8)
    count = int(np.prod(shape, dtype=np.int64))
    voxels = np.unpackbits(data, count=count).view(np.bool_).reshape(shape)
    said = dict(head["outline"])
    for name in ("category", "type", "region", "point_lps_mm"):
        said[name] = None if said[name] is None else tuple(said[name])
    said["notes"] = tuple(tuple(note) for note in said["notes"])
    return HeldOutline(**said, mask=Mask((k, j, i), voxels) if count else empty_mask())


def _file(said: Mapping[str, Any], outlines: Sequence[HeldOutline]) -> HeldFile:
    changed = {
        "refusal": tuple(said["refusal"]),
        "cautions": tuple(tuple(caution) for caution in said["cautions"]),
        "outlines": tuple(outlines),
    }
    return HeldFile(**{**said, **changed})


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _problem(kind: str, detail: str) -> Problem:
    sentence = {
        "unstartable": translate("imports", "The process that reads files could not be started."),
        "time": translate("imports", "The file took too long to be read."),
        "memory": translate("imports", "The file needs more memory than there is."),
        "ended": translate("imports", "The file could not be read: it is damaged or too large."),
    }[kind]
    remedy = translate("imports", "Nothing was changed. Try another file, or fewer at once.")
    return Problem(sentence, remedy, detail)
