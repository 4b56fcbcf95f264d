"""Exporting one case as a folder that appears whole, checked, or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from resources.problem import Problem
from resources.text import translate
from viewer.export import nifti, place, seg
from viewer.export.documents import findings_document, manifest_document
from viewer.export.layers import label_map, layers, maps
from viewer.export.snapshot import CaseSnapshot
from viewer.study.cancel import CancelCheck, stop_if

Progress = Callable[[int, int], None]

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file of an export: its name in the folder, its size, its SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote.

    Attributes
    ----------
    folder
        Where it lies now.
    files
        Every file but the manifest, which lists them.
    segments
        Number of masks in the SEG and the label map.
    reviewed
        Whether a person gave every verdict.
    seconds
        Wall time per stage.
    """

    folder: Path
    files: tuple[ExportedFile, ...]
    segments: int
    reviewed: bool
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Size of all files but the manifest."""
        return sum(file.bytes for file in self.files)


def export_case(
    snapshot: CaseSnapshot,
    folder: Path,
    *,
    replace: bool = False,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> ExportReport:
    """Write ``seg.dcm``, NIfTI images, ``findings.json`` and ``manifest.json``.

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

    Returns
    -------
    ExportReport
        Every image was read back and found equal before the folder got its name.

    Raises
    ------
    Problem
        When the folder is taken or cannot be written, the disk is full, or the headers do not
        allow a SEG. Nothing is left behind, and what was there stays as it was.
    Cancelled
        When ``cancelled`` says so; nothing is left behind either.

    Notes
    -----
    Without any mask there is no ``seg.dcm`` (PS3.3 C.8.20.2 wants a segment), nor of images that
    are not DICOM; without a heatmap
    no ``heatmap.nii.gz``, and without a map of it no ``uncertainty.nii.gz``.
    """
    try:
        # A link is followed, so that the parts are written on the disk that they will lie on.
        folder = folder.resolve()
        place.check(folder, replace=replace)
        place.sweep(folder.parent)
        part = place.part_of(folder)
        try:
            part.mkdir(parents=True)
            report = _write_all(snapshot, folder, part, _Steps(progress, cancelled))
            stop_if(cancelled)
            place.settle(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise _problem(error, folder, megabytes_needed(snapshot)) from error
    except MemoryError as error:
        raise Problem(
            translate("export", "The memory does not suffice to export this case."),
            translate("export", "Close other programs or other cases, then export it again."),
            f"{snapshot.volume.shape_kji}",
        ) from error
    return report


def megabytes_needed(snapshot: CaseSnapshot) -> int:
    """Return how many megabytes an export may need, an upper bound, at least 1."""
    shown = layers(snapshot)
    count, rows, columns = snapshot.volume.shape_kji
    planes = sum(int(layer.mask.voxels.shape[0]) for layer in shown)
    bits = planes * (rows * columns / 8 + 1000) + 2000 * count
    images = (1 + len(maps(snapshot))) * count * rows * columns / 8
    total = float(snapshot.volume.voxels.nbytes + bits + images)
    return max(1, math.ceil(total / 1e6))


class _Steps:
    """Counts finished steps, from any thread of the export, and stops when asked."""

    def __init__(self, progress: Progress | None, cancelled: CancelCheck | None) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self.done = 0
        self.total = 0

    def finish(self) -> None:
        self.done += 1
        if self._progress is not None:
            self._progress(self.done, self.total)

    def stop_if_asked(self) -> None:
        stop_if(self._cancelled)


def _write_all(snapshot: CaseSnapshot, folder: Path, part: Path, steps: _Steps) -> ExportReport:
    shown = layers(snapshot)
    jobs = _jobs(snapshot, part)
    steps.total = len(jobs) + 2
    started = time.perf_counter()
    seconds: dict[str, float] = {}
    written: list[ExportedFile] = []
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        futures = {name: pool.submit(_timed, job, steps) for name, job in jobs.items()}
        try:
            for name, future in futures.items():
                seconds[name] = future.result()
                written.append(_seal(part / name))
                steps.finish()
        except BaseException:
            for future in futures.values():
                future.cancel()
            raise
    _write_json(part / "findings.json", findings_document(snapshot, shown, list(jobs)))
    written.append(_seal(part / "findings.json"))
    steps.finish()
    listed = [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in written]
    checks = [f"{name} read back: same voxels, same places within 0.001 mm" for name in jobs]
    _write_json(part / "manifest.json", manifest_document(snapshot, listed, checks))
    _seal(part / "manifest.json")
    steps.finish()
    seconds["all"] = time.perf_counter() - started
    return ExportReport(folder, tuple(written), len(shown), snapshot.reviewed, seconds)


def _jobs(snapshot: CaseSnapshot, part: Path) -> dict[str, Callable[[], None]]:
    """Return what writes and checks each image file, the slowest first."""
    shown = layers(snapshot)
    volume = snapshot.volume

    def image(name: str, make: Callable[[], Any], **more: Any) -> Callable[[], None]:
        def run() -> None:
            voxels = make()
            nifti.write(part / name, voxels, volume.affine, **more)
            _insist(name, nifti.differs(part / name, voxels, volume.affine))

        return run

    def segmentation() -> None:
        seg.write(part / "seg.dcm", snapshot, shown)
        _insist("seg.dcm", seg.differs(part / "seg.dcm", snapshot, shown))

    jobs: dict[str, Callable[[], None]] = {}
    # A SEG refers to the images that it was drawn on, by identifiers that only DICOM files have.
    dicom = all(ref.instance.file_format == "dicom" for ref in snapshot.plan.planes)
    if shown and dicom:
        jobs["seg.dcm"] = segmentation
    jobs["image.nii.gz"] = image("image.nii.gz", lambda: volume.voxels)
    jobs["labels.nii.gz"] = image("labels.nii.gz", lambda: label_map(shown, volume.shape_kji))
    for name, one in maps(snapshot).items():
        jobs[name] = image(
            name,
            partial(nifti.heatmap_array, one, volume.shape_kji),
            slope=1 / 255,
            description="uncertainty" if name == "uncertainty.nii.gz" else "probability",
        )
    return jobs


def _timed(job: Callable[[], None], steps: _Steps) -> float:
    steps.stop_if_asked()
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def _insist(name: str, difference: str) -> None:
    if difference:
        raise Problem(
            translate("export", "The file {name} did not read back as it was written.").format(
                name=name
            ),
            translate("export", "Nothing was exported; try another disk, and report this."),
            f"{name}: {difference}",
        )


def _seal(path: Path) -> ExportedFile:
    """Force a file to the disk and take its hash."""
    digest = hashlib.sha256()
    # Windows flushes only what is open for writing.
    with path.open("r+b") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
        os.fsync(stream.fileno())
    return ExportedFile(path.name, path.stat().st_size, digest.hexdigest())


def _write_json(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _problem(error: OSError, folder: Path, megabytes: int) -> Problem:
    # OSError's text holds a path chosen by the user, maybe with a name: only its number is kept.
    detail = f"{type(error).__name__} errno {error.errno}"
    if error.errno in _FULL:
        return Problem(
            translate("export", "The disk is full; nothing was exported."),
            translate(
                "export", "Free at least {megabytes} MB there, or choose a folder on another disk."
            ).format(megabytes=megabytes),
            detail,
        )
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
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
