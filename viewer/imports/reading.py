"""One file to what it holds, told apart by its content. Runs in the process of ``apart_child``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom

from viewer.imports import frame_groups, rtstruct, seg, sr, volumes
from viewer.imports.held import HeldFile, Misfit
from viewer.imports.target import Target
from viewer.study import header, plain_header, pydicom_header, syntax
from viewer.study.quiet import hush

# A structure set or a report is read whole: all of it is text.
_MOST_BYTES = 1 << 30
_CLASS = 0x00080016

Report = Callable[[int, int], None]


def read(path: Path, target: Target, report: Report | None = None) -> HeldFile:
    """Return what a file holds for the open series, or why it is refused.

    Parameters
    ----------
    path
        Of any file.
    report
        Called with what is done and of how much, if it takes long.

    Raises
    ------
    MemoryError
        When its content does not fit.
    """
    hush()
    try:
        return _read(path, target, report)
    except MemoryError:
        raise
    except Misfit as misfit:
        return HeldFile(path.name, refusal=misfit.said)
    except OSError as error:
        if error.errno is None:  # of pydicom, about what the file holds
            return HeldFile(path.name, refusal=("damaged",))
        return HeldFile(path.name, refusal=("unreadable",))
    except Exception:
        # Of a malformed file libraries raise nearly anything, and their words quote values.
        return HeldFile(path.name, refusal=("damaged",))


def sop_class(path: Path) -> str:
    """Return the SOP Class UID (0008,0016) of a file; empty when it is no DICOM file."""
    with path.open("rb") as stream:
        if not header.looks_like_dicom(stream):
            return ""
    found = pydicom_header.elements(path, [_CLASS])
    meta = getattr(found, "file_meta", None)
    media = "" if meta is None else str(meta.get("MediaStorageSOPClassUID", ""))
    return str(found.get("SOPClassUID", "") or media)


def _read(path: Path, target: Target, report: Report | None) -> HeldFile:
    kind = sop_class(path)
    if kind in seg.CLASSES:
        return seg.read(path, target, report)
    if kind in rtstruct.CLASSES:
        return rtstruct.read(_whole(path), path, target, report)
    if kind in sr.CLASSES:
        return sr.read(_whole(path), path, target)
    if kind:
        raise Misfit("other-object")
    found = volumes.read(path, target, report)
    if found is None:
        raise Misfit("not-known")
    return found


def _whole(path: Path) -> Any:
    if path.stat().st_size > _MOST_BYTES:
        raise Misfit("too-large")
    with path.open("rb") as stream:
        try:
            name, _, start = plain_header.meta(stream)
        except plain_header.Surprise:
            name, start = "", 0  # without a preamble: pydicom guesses
        if name in syntax.PLAIN:
            stream.seek(0)
            explicit = name != syntax.IMPLICIT_LITTLE
            if not frame_groups.is_whole(stream.read(), start, explicit):
                raise Misfit("damaged")
    return pydicom.dcmread(path, force=True)
