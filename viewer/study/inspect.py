"""What ``overread inspect`` says of files: plain values that go into JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inference.geometry import reorder_kji_ijk, spacing_kji_mm
from viewer.study.cancel import CancelCheck
from viewer.study.order import StackPlan, order
from viewer.study.scan import Progress, require_images, scan


def inspect(
    paths: Path | str | Iterable[Path | str],
    *,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> dict[str, Any]:
    """Describe every series below ``paths``.

    Parameters
    ----------
    paths
        Files and folders.
    progress, cancelled
        As of ``scan.scan``.

    Returns
    -------
    dict
        ``{"series": [...], "skipped": [{"path", "reason"}]}``, JSON types only. Of each
        series: ``series_uid, modality, description, n_files, size_ijk, spacing_mm`` (i, j,
        k order, None when not known), ``affine_lps`` (4 x 4, (i, j, k, 1) to LPS mm, None
        when the stack is not regular), ``regular, problems`` [{"kind", "text"}],
        ``transfer_syntax, refusal`` (None, or the sentence why no volume can be read).

    Raises
    ------
    Problem
        When a path does not exist or no image is found.
    Cancelled
        When ``cancelled`` says so.
    """
    several = [paths] if isinstance(paths, (str, Path)) else list(paths)
    found = require_images(scan(several, progress=progress, cancelled=cancelled), several)
    return {
        "series": [_describe(order(series)) for series in found.series],
        "skipped": [{"path": str(each.path), "reason": each.reason} for each in found.skipped],
    }


def _describe(plan: StackPlan) -> dict[str, Any]:
    series, first = plan.series, plan.planes[0]
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
        "series_uid": series.series_uid,
        "modality": series.modality,
        "description": series.description,
        "n_files": series.n_files,
        "size_ijk": [i, j, k],
        "spacing_mm": spacing,
        "affine_lps": affine,
        "regular": plan.regular,
        "problems": [{"kind": each.kind, "text": each.text} for each in plan.problems],
        "refusal": plan.refusal.sentence if plan.refusal is not None else None,
        "transfer_syntax": first.instance.transfer_syntax,
    }
