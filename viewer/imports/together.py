"""Several files at once: a report names the segments of a segmentation that lies beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pydicom

from viewer.imports import reading, seg, sr
from viewer.imports.held import HeldFile, HeldOutline
from viewer.imports.target import Target
from viewer.study import pydicom_header

# Files of a report's folder that are asked whether they are the segmentation it names.
_MOST_BESIDE = 64

Report = Callable[[int, int], None]


def read_all(paths: Sequence[Path], target: Target, report: Report | None = None) -> list[HeldFile]:
    """Return what files hold, in their order; what a report says stands with the outline it means.

    The segmentation that a report names is read too when it lies in the report's folder.
    """
    held: list[HeldFile] = []
    reports: list[tuple[int, list[sr.Reported]]] = []
    for path in paths:
        one = reading.read(path, target, report)
        held.append(one)
        if one.kind == "SR" and not one.refusal:
            told = sr.reported(pydicom.dcmread(path, force=True), target)
            reports.append((len(held) - 1, told))
    known = {one.uid for one in held}
    for at, told in reports:
        missing = {each.file_uid for each in told if each.file_uid} - known
        for path in _beside(paths[at], missing):
            held.append(reading.read(path, target, report))
            known.add(held[-1].uid)
    for at, told in reports:
        held[at] = _joined(held, at, told)
    return held


def _beside(path: Path, wanted: set[str]) -> list[Path]:
    """Return the files in the folder of a report that have one of these SOP Instance UIDs."""
    found: list[Path] = []
    if not wanted:
        return found
    others = [file for file in sorted(path.parent.iterdir()) if file.is_file() and file != path]
    for file in others[:_MOST_BESIDE]:
        try:
            head = pydicom_header.elements(file, [0x00080016, 0x00080018])
        except Exception:
            continue  # whatever it is, it is not what is looked for
        if head.get("SOPClassUID") in seg.CLASSES and head.get("SOPInstanceUID") in wanted:
            found.append(file)
    return found


def _joined(held: list[HeldFile], at: int, told: Sequence[sr.Reported]) -> HeldFile:
    """Give the outlines of other files what a report says; return the report without these."""
    rest: list[HeldOutline] = []
    for each in told:
        if not any(_give(held, n, each) for n in range(len(held)) if n != at):
            rest.append(each.outline)
    return replace(held[at], outlines=tuple(rest))


def _give(held: list[HeldFile], n: int, told: sr.Reported) -> bool:
    file = held[n]
    for m, one in enumerate(file.outlines):
        named = bool(told.file_uid) and (file.uid, one.number) == (told.file_uid, told.segment)
        tracked = told.outline.tracking_uid
        if not named and not (tracked and one.tracking_uid == tracked):
            continue
        said = told.outline
        outlines = list(file.outlines)
        outlines[m] = replace(
            one,
            verdict=said.verdict,
            reason=said.reason,
            reader=said.reader,
            utc=said.utc,
            origin=said.origin,
        )
        held[n] = replace(file, outlines=tuple(outlines))
        return True
    return False
