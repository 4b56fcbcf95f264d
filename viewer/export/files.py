"""Writing the files of an export, each read back and compared, into a folder that has no name yet.

What is slow to import and to run: a window has it done by another process, ``apart``.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from viewer.export.documents import findings_document, manifest_document
from viewer.export.formats import DEFAULT, Format, complete
from viewer.export.jobs import jobs as find_jobs
from viewer.export.layers import layers
from viewer.export.place import DEIDENTIFICATION
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
    formats: Sequence[Format] = DEFAULT,
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
    progress, cancelled, formats
        As for ``viewer.export.bundle.export_case``.

    Raises
    ------
    Problem, OSError, MemoryError, Cancelled
        What was written until then lies in ``part``.
    """
    steps = _Steps(progress, cancelled)
    shown = layers(snapshot)
    jobs, left_out = find_jobs(snapshot, part, complete(formats))
    steps.total = len(jobs) + 2
    started = time.perf_counter()
    seconds: dict[str, float] = {}
    written: list[ExportedFile] = []
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        futures = {name: pool.submit(_timed, job.run, steps) for name, job in jobs.items()}
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
    if snapshot.pseudonyms is not None and snapshot.pseudonyms.report:
        _write_json(part / DEIDENTIFICATION, json.loads(snapshot.pseudonyms.report))
        written.append(_seal(part / DEIDENTIFICATION))
    listed = [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in written]
    checks = tuple(job.check for job in jobs.values())
    manifest = manifest_document(snapshot, listed, checks, complete(formats), left_out)
    _write_json(part / "manifest.json", manifest)
    _seal(part / "manifest.json")
    steps.finish()
    seconds["all"] = time.perf_counter() - started
    return ExportReport(
        folder, tuple(written), len(shown), snapshot.reviewed, seconds, checks, left_out
    )


def _timed(job: Callable[[], None], steps: _Steps) -> float:
    steps.stop_if_asked()
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


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
