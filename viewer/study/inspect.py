"""What ``overread inspect`` says of files: plain values that go into JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.geometry import reorder_kji_ijk, spacing_kji_mm
from resources.problem import Problem
from viewer.study import pixels as stored
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.header import Unusable, read_header
from viewer.study.order import StackPlan, volumes
from viewer.study.scan import Progress, Skipped, require_images, scan
from viewer.study.series import InstanceHeader, Series
from viewer.study.trust import trust

# Frames of one file that are in memory together.
_FRAMES_AT_ONCE = 16
_DIGITS = 16


def inspect(
    paths: Path | str | Iterable[Path | str],
    *,
    pixels: bool = False,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> dict[str, Any]:
    """Describe every series below ``paths``.

    Parameters
    ----------
    paths
        Files and folders.
    pixels
        Read the pixels of every file, too.
    progress, cancelled
        As of ``scan.scan``.

    Returns
    -------
    dict
        ``{"series": [...], "skipped": [{"path", "reason"}]}``, JSON types only. Of each
        series: ``series_uid, modality, description, n_files``, ``volumes``, and what is said of
        that volume which has the most slices, beside its ``name``, ``part`` and ``trust``.

        Of each volume: ``name, part`` (empty when it is alone), ``n_images``, ``size_ijk``,
        ``spacing_mm`` (i, j, k order, None when not known), ``affine_lps`` (4 x 4, (i, j, k, 1)
        to LPS mm, None when the stack is not regular), ``regular``, ``problems``
        [{"kind", "text"}], ``transfer_syntax``, ``refusal`` (None, or the sentence why nothing
        of it can be shown), ``irregularity`` (None, or the sentence why it is no regular
        volume) and ``trust`` [{"question", "answer", "state", "source"}].

        With ``pixels``, of each series also ``pixels``: of each file its ``path`` and either
        ``shape`` ([frames,] rows, columns [, samples]), ``dtype``, ``min``, ``max`` and
        ``sha256``, the first 16 hex digits of the hash of the stored values before any rescale,
        little endian in C order; or ``problem``, the sentence why they cannot be read. The
        same of skipped objects that are no images but have pixels.

    Raises
    ------
    Problem
        When a path does not exist or no image is found.
    Cancelled
        When ``cancelled`` says so.
    """
    several = [paths] if isinstance(paths, (str, Path)) else list(paths)
    found = scan(several, progress=progress, cancelled=cancelled)
    skipped = _skipped(found.skipped, pixels=pixels, cancelled=cancelled)
    if not any("pixels" in each for each in skipped):
        require_images(found, several)
    return {
        "series": [
            _series(series, found.skipped, pixels=pixels, cancelled=cancelled)
            for series in found.series
        ],
        "skipped": skipped,
    }


def _skipped(
    skipped: Sequence[Skipped], *, pixels: bool, cancelled: CancelCheck | None
) -> list[dict[str, Any]]:
    found = []
    for each in skipped:
        said: dict[str, Any] = {"path": str(each.path), "reason": each.reason}
        if pixels:
            stop_if(cancelled)
            said |= _object_pixels(each.path)
        found.append(said)
    return found


def _object_pixels(path: Path) -> dict[str, Any]:
    """Describe what is no image but has pixels, such as a segmentation; of others nothing."""
    try:
        instance, _ = read_header(path, any_object=True)
    except (Unusable, OSError):
        return {}
    return {"pixels": [{"path": str(path), **_pixels(instance)}]}


def _series(
    series: Series, skipped: Sequence[Skipped], *, pixels: bool, cancelled: CancelCheck | None
) -> dict[str, Any]:
    plans = volumes(series)
    largest = max(plans, key=lambda plan: len(plan.planes))
    said = {
        "series_uid": series.series_uid,
        "modality": series.modality,
        "description": series.description,
        "n_files": series.n_files,
        **_described(largest),
        "volumes": [
            {
                "name": plan.name,
                "part": plan.part,
                "n_images": len(plan.planes),
                **_described(plan),
                "trust": [
                    {
                        "question": row.question,
                        "answer": row.answer,
                        "state": row.state,
                        "source": row.source,
                    }
                    for row in trust(plan, skipped)
                ],
            }
            for plan in plans
        ],
    }
    if pixels:
        said["pixels"] = []
        for instance in series.instances:
            stop_if(cancelled)
            said["pixels"].append({"path": str(instance.path), **_pixels(instance)})
    return said


def _described(plan: StackPlan) -> dict[str, Any]:
    first = plan.planes[0]
    k, j, i = plan.shape_kji
    spacing: list[float | None] | None
    if plan.affine is not None:
        spacing = list(reversed(spacing_kji_mm(plan.affine)))
        affine = reorder_kji_ijk(plan.affine).tolist()
    else:
        rows = first.plane.spacing_mm
        spacing = [rows[1], rows[0], None] if rows else None
        affine = None
    return {
        "size_ijk": [i, j, k],
        "spacing_mm": spacing,
        "affine_lps": affine,
        "regular": plan.regular,
        "problems": [{"kind": each.kind, "text": each.text} for each in plan.problems],
        "refusal": plan.refusal.sentence if plan.refusal is not None else None,
        "irregularity": plan.irregularity.sentence if plan.irregularity is not None else None,
        "transfer_syntax": first.instance.transfer_syntax,
    }


def _pixels(instance: InstanceHeader) -> dict[str, Any]:
    """Describe the stored values of one file, a few frames at a time."""
    digest, count = hashlib.sha256(), len(instance.planes)
    shape: tuple[int, ...] = ()
    kind, ends = "", list[int | float]()
    try:
        for start in range(0, count, _FRAMES_AT_ONCE):
            for frame in stored.frames(instance, range(start, min(start + _FRAMES_AT_ONCE, count))):
                shape, kind = frame.shape, frame.dtype.name
                little = np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("<"))
                digest.update(little.data)
                # Of float pixels, what is no number is no extreme either.
                known = frame[np.isfinite(frame)] if frame.dtype.kind == "f" else frame
                if known.size:
                    ends += [known.min().item(), known.max().item()]
    except Problem as problem:
        return {"problem": problem.sentence}
    return {
        "shape": [count, *shape] if count > 1 else list(shape),
        "dtype": kind,
        "min": min(ends, default=None),
        "max": max(ends, default=None),
        "sha256": digest.hexdigest()[:_DIGITS],
    }
