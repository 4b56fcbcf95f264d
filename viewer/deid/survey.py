"""What a folder holds before it is de-identified: which series a person must look at, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom

from viewer.deid import pixels
from viewer.deid.pages import File, FilePages
from viewer.deid.pixels import Doubt
from viewer.study import quiet, scan
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.header import looks_like_dicom
from viewer.study.sources import Source

_MOST_FRAMES = 1_000_000


@dataclass(frozen=True, slots=True)
class FolderSurvey:
    """What was found.

    Attributes
    ----------
    files
        How many files there are, DICOM or not.
    images
        How many of them hold images.
    to_look_at
        Series of which a person must vouch for the pixels, in the order of the files.
    faces
        Number of series that may show a head.
    doubts
        Why somebody must look, and at how many files.
    """

    files: int
    images: int
    to_look_at: tuple[FilePages, ...]
    faces: int
    doubts: Counter[Doubt]


@dataclass(slots=True)
class _Series:
    modality: str
    files: list[tuple[int, File]] = field(default_factory=list)
    doubts: Counter[Doubt] = field(default_factory=Counter)
    face: bool = False
    keepers: list[object] = field(default_factory=list)


def look_through(
    paths: Iterable[Path],
    *,
    progress: Any = None,
    cancelled: CancelCheck | None = None,
) -> FolderSurvey:
    """Read the headers of all files below ``paths``; nothing is written.

    Parameters
    ----------
    paths
        As for ``viewer.deid.folder.deidentify``.
    progress
        Called with files done and all files.
    """
    quiet.hush()
    skipped: list[scan.Skipped] = []
    files = scan.files(paths, skipped, cancelled=cancelled)
    found: dict[str, _Series] = {}
    images = 0
    for done, source in enumerate(files):
        stop_if(cancelled)
        if progress is not None:
            progress(done, len(files))
        images += _add(found, source)
    asked = tuple(
        FilePages(uid, one.modality, _ordered(one), one.face, tuple(one.keepers))
        for uid, one in found.items()
        if any(one.doubts)
    )
    doubts: Counter[Doubt] = Counter()
    for one in found.values():
        doubts.update({why: count for why, count in one.doubts.items() if why})
    faces = sum(one.face for one in found.values())
    return FolderSurvey(len(files) + len(skipped), images, asked, faces, doubts)


def _ordered(one: _Series) -> tuple[File, ...]:
    return tuple(file for _, file in sorted(one.files, key=lambda pair: pair[0]))


def _add(found: dict[str, _Series], source: Source) -> bool:
    """Note a file with an image; what is none, or cannot be read, is told by who copies it."""
    try:
        with source.path.open("rb") as stream:
            if not looks_like_dicom(stream):
                return False
        dataset = pydicom.dcmread(source.path, stop_before_pixels=True, force=True)
        if "Rows" not in dataset or "Columns" not in dataset:
            return False
        uid, sop_uid = pixels.names_of(dataset)
        frames = min(max(int(dataset.get("NumberOfFrames") or 1), 1), _MOST_FRAMES)
        number = int(dataset.get("InstanceNumber") or 0)
        modality = str(dataset.get("Modality") or "")
        doubt = pixels.doubt(dataset, assume_pixels=True)
        face = pixels.may_show_face(dataset, assume_pixels=True)
    except Exception:  # of a malformed file pydicom raises nearly anything
        return False
    one = found.setdefault(uid, _Series(modality))
    one.files.append((number, File(source.path, sop_uid, frames)))
    one.doubts[doubt] += 1
    one.face |= face
    if source.keeper is not None:
        one.keepers.append(source.keeper)
    return True
