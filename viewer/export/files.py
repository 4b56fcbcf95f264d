"""Writing the files of an export, each read back and compared, into a folder that has no name yet.

What is slow to import and to run: a window has it done by another process, ``apart``.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from viewer.export import nifti, seg
from viewer.export.documents import findings_document, manifest_document
from viewer.export.layers import label_map, layers, maps
from viewer.export.problems import FileProblem
from viewer.export.report import ExportedFile, ExportReport
from viewer.export.snapshot import CaseSnapshot
from viewer.study.cancel import CancelCheck, stop_if

Progress = Callable[[int, int], None]

_CHUNK = 1 << 20


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


def write_all(
    snapshot: CaseSnapshot,
    folder: Path,
    part: Path,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> ExportReport:
    """Write and check every file of an export.

    Parameters
    ----------
    snapshot
        The case.
    folder
        Where the files will lie in the end.
    part
        Where they are put together: is there, and empty.
    progress, cancelled
        As for ``viewer.export.bundle.export_case``.

    Raises
    ------
    Problem, OSError, MemoryError, Cancelled
        What was written until then lies in ``part``.
    """
    steps = _Steps(progress, cancelled)
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
        raise FileProblem("misread", f"{name}: {difference}", name=name)


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
