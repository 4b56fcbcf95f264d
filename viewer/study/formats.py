"""Everything that is no DICOM: which format it is, and its reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from resources.text import translate
from viewer.study import archives, grid, metaimage, nearby, nifti, nrrd, raster
from viewer.study.cancel import CancelCheck
from viewer.study.grid import Grid
from viewer.study.header import Unusable
from viewer.study.series import InstanceHeader
from viewer.study.sources import Found, Source

_START = 1024
_GRIDS: dict[str, Callable[[Path, object | None], Grid]] = {
    "nifti": nifti.read,
    "nrrd": nrrd.read,
    "metaimage": metaimage.read,
}


def read(source: Source, cancelled: CancelCheck | None = None) -> Found | None:
    """Read the header of a file that is no DICOM; None when it is of no format known here.

    Raises
    ------
    Unusable
        When it is, and cannot be shown.
    OSError
        When it cannot be read.
    Cancelled
        When ``cancelled`` says so.
    """
    path = source.path
    start = nearby.start_of(path, _START)
    if start[128:132] == b"DICM":
        return None
    file_format = format_of(start)
    if file_format == "raster":
        return Found(
            *raster.read(path, source.shown.name, keeper=source.keeper, cancelled=cancelled)
        )
    if file_format:
        found = _GRIDS[file_format](path, source.keeper)
        instance, raw = grid.header(
            path, found, file_format, source.shown.name, keeper=source.keeper, cancelled=cancelled
        )
        return Found(instance, raw, found.data if found.data != path else None)
    if archives.kind(path):
        if source.keeper is not None:
            raise Unusable(
                translate("study", "An archive in an archive is not opened: unpack it first.")
            )
        raise Unusable(
            translate("study", "An archive in a folder is not opened: open it by itself.")
        )
    return None


def format_of(start: bytes) -> str:
    """Return the format of a file other than DICOM by its first, inflated bytes, or nothing."""
    if nifti.is_one(start):
        return "nifti"
    if nrrd.is_one(start):
        return "nrrd"
    if raster.is_one(start):
        return "raster"
    return "metaimage" if metaimage.is_one(start) else ""


def frames(
    instance: InstanceHeader, wanted: Sequence[int], cancelled: CancelCheck | None = None
) -> list[npt.NDArray[Any]]:
    """Read frames; see ``viewer.study.sources.frames``."""
    if instance.file_format == "raster":
        from viewer.study import decode

        return decode.decode(instance, wanted, cancelled=cancelled)
    return grid.frames(instance, _GRIDS[instance.file_format], wanted, cancelled)
