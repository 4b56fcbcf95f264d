"""Files of every format to instances, told apart by their content, never by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from viewer.study.cancel import CancelCheck
from viewer.study.header import Raw, Unusable, read_header
from viewer.study.series import InstanceHeader


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be looked at.

    Attributes
    ----------
    path
        Where it lies.
    shown
        What a person is told of it: the same, or a member's place in an archive.
    keeper
        What keeps ``path`` on the disk, or None.
    """

    path: Path
    shown: Path
    keeper: object | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds: an instance, its texts, and a file that holds its voxels for it."""

    instance: InstanceHeader
    raw: Raw
    voxels: Path | None = None


def read(source: Source, cancelled: CancelCheck | None = None) -> Found:
    """Read the header of a file of any format.

    Raises
    ------
    Unusable
        When it holds nothing that can be shown.
    OSError
        When it cannot be read.
    Cancelled
        When ``cancelled`` says so.
    """
    try:
        # DICOM first: thousands of them are read at once, and some begin as a TIFF does.
        found = Found(*read_header(source.path))
    except Unusable as unusable:
        # Late: plain studies need none of these readers.
        from viewer.study import formats

        other = formats.read(source, cancelled)
        if other is None:
            raise unusable from None
        found = other
    if source.keeper is None:
        return found
    instance = found.instance
    keeper = instance.keeper if instance.keeper is not None else source.keeper
    return replace(found, instance=replace(instance, given_name=source.shown.name, keeper=keeper))


def frames(
    instance: InstanceHeader, wanted: Sequence[int], *, cancelled: CancelCheck | None = None
) -> list[npt.NDArray[Any]]:
    """Read frames of an instance whose ``file_format`` is not DICOM.

    As ``viewer.study.pixels.frames``, which asks this for them. Pictures are decoded in the
    decoding process; the other formats need no decoder but zlib or bzip2, whose output is
    bounded by what the header was checked for.
    """
    from viewer.study import formats

    return formats.frames(instance, wanted, cancelled)
