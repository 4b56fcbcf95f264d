"""Exporting one case as a folder that appears whole, checked, or not at all."""

from __future__ import annotations

import errno
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from inference.findings import Mask
from resources.problem import Problem
from resources.text import translate
from viewer.export import place
from viewer.export.formats import DEFAULT, Format, complete
from viewer.export.layers import layers, maps
from viewer.export.problems import errno_of
from viewer.export.report import ExportedFile, ExportReport
from viewer.export.snapshot import CaseSnapshot
from viewer.study.cancel import CancelCheck, stop_if

__all__ = ["ExportReport", "ExportedFile", "Write", "export_case", "megabytes_needed"]

Progress = Callable[[int, int], None]

# Three numbers of at most ten characters; a contour has some hundred bytes of its own.
_CORNER_BYTES = 100
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


class Write(Protocol):
    """What writes and checks the files: ``files.write_all`` or ``apart.write_all``."""

    def __call__(
        self,
        snapshot: CaseSnapshot,
        folder: Path,
        part: Path,
        progress: Progress | None = None,
        cancelled: CancelCheck | None = None,
        formats: Sequence[Format] = DEFAULT,
    ) -> ExportReport:
        """Write them into ``part``; see ``files.write_all``."""
        ...


def export_case(
    snapshot: CaseSnapshot,
    folder: Path,
    *,
    replace: bool = False,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
    write: Write | None = None,
    formats: Sequence[Format] = DEFAULT,
) -> ExportReport:
    """Write a case in the formats asked for, with ``findings.json`` and ``manifest.json``.

    Parameters
    ----------
    snapshot
        The case.
    folder
        To be made. An empty folder is taken too.
    replace
        Take a folder that holds an earlier export of this program and replace its files, or
        one that holds other files only and leave them alone.
    progress
        Called with (steps done, steps).
    cancelled
        Asked between steps.
    write
        What writes the files; None writes them here.
    formats
        Of ``viewer.export.formats``; ``"sr"`` brings ``"seg"``, whose segments it names.

    Returns
    -------
    ExportReport
        Every image and document was read back and found equal before the folder got its name.

    Raises
    ------
    Problem
        When the folder is taken or cannot be written, the disk is full, or the headers do not
        allow a SEG. Nothing is left behind, and what was there stays as it was.
    Cancelled
        When ``cancelled`` says so; nothing is left behind either.

    Notes
    -----
    A format that the case has nothing for gives no file, and the report says why: without any
    mask there is no ``seg.dcm`` (PS3.3 C.8.20.2 wants a segment); of images that are not DICOM
    there is no DICOM; without a map of the model none is written.
    """
    if write is None:
        from viewer.export import files

        write = files.write_all
    try:
        # A link is followed, so that the parts are written on the disk that they will lie on.
        folder = folder.resolve()
        place.check(folder, replace=replace)
        place.sweep(folder.parent)
        part = place.part_of(folder)
        try:
            part.mkdir(parents=True)
            report = write(snapshot, folder, part, progress, cancelled, formats)
            stop_if(cancelled)
            place.settle(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise problem_of(error, folder, megabytes_needed(snapshot, formats)) from error
    except MemoryError as error:
        raise Problem(
            translate("export", "The memory does not suffice to export this case."),
            translate("export", "Close other programs or other cases, then export it again."),
            f"{snapshot.volume.shape_kji}",
        ) from error
    return report


def megabytes_needed(snapshot: CaseSnapshot, formats: Sequence[Format] = DEFAULT) -> int:
    """Return how many megabytes an export may need, an upper bound, at least 1."""
    shown, wanted = layers(snapshot), complete(formats)
    count, rows, columns = snapshot.volume.shape_kji
    total = 5000.0 * count  # what is said of every image and slice
    if "seg" in wanted:
        planes = sum(int(layer.mask.voxels.shape[0]) for layer in shown)
        total += planes * (rows * columns / 8 + 1000)
    if "nifti" in wanted:
        images = (1 + len(maps(snapshot))) * count * rows * columns / 8
        total += float(snapshot.volume.voxels.nbytes) + images
    if "pm" in wanted:
        total += sum(4.0 * one.values.size for one in maps(snapshot).values())
    if "rtstruct" in wanted:
        total += sum(_CORNER_BYTES * _edges(layer.mask) for layer in shown)
    if "sr" in wanted:
        total += 10_000.0 * (len(snapshot.lesions) + len(snapshot.measurements) + len(shown))
        total += 200.0 * count * len(shown)
    return max(1, math.ceil(total / 1e6))


def _edges(mask: Mask) -> int:
    """Return how many pixel edges lie between a mask and its background, slice by slice."""
    voxels = mask.voxels
    inner = sum(int(np.count_nonzero(np.diff(voxels, axis=axis))) for axis in (1, 2))
    outer = (voxels[:, 0], voxels[:, -1], voxels[:, :, 0], voxels[:, :, -1])
    return inner + sum(int(np.count_nonzero(side)) for side in outer)


def problem_of(error: OSError, folder: Path, megabytes: int) -> Problem:
    """Return what is said when an export to ``folder`` could not be written."""
    # OSError's text holds a path chosen by the user, maybe with a name: only its number is kept.
    number = errno_of(error)
    detail = f"{type(error).__name__} errno {number}"
    if number in _FULL:
        return Problem(
            translate("export", "The disk is full; nothing was exported."),
            translate(
                "export", "Free at least {megabytes} MB there, or choose a folder on another disk."
            ).format(megabytes=megabytes),
            detail,
        )
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return Problem(
            translate("export", "The folder {folder} may not be written to.").format(
                folder=folder.parent
            ),
            translate("export", "Choose a folder of your own."),
            detail,
        )
    return Problem(
        translate("export", "The export to {folder} could not be written.").format(folder=folder),
        translate("export", "Check that the disk is still connected, or choose another folder."),
        detail,
    )
