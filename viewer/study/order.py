"""From a series to an ordered stack of planes, and the judgement whether it is regular."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine
from resources.problem import Problem
from resources.text import translate
from viewer.study import spacing, suitable
from viewer.study.series import InstanceHeader, Plane, Series
from viewer.study.spacing import GeometryProblem

__all__ = ["FrameRef", "GeometryProblem", "StackPlan", "order"]

# Largest difference of one direction cosine within a stack: 0.06 degrees, far more than the
# rounding of a DS value and far less than any tilt or rotation on purpose.
_SAME_DIRECTION = 1e-3
# Largest relative difference of pixel spacing: rounding of a DS value.
_SAME_SPACING = 1e-4
# A series of more kinds of image than this holds no stack worth the comparisons.
_MAX_GROUPS = 256


@dataclass(frozen=True, slots=True)
class FrameRef:
    """One plane of the stack: a frame of an instance, counted from 0."""

    instance: InstanceHeader
    frame: int

    @property
    def plane(self) -> Plane:
        """Where the plane is and how its values are to be read."""
        return self.instance.planes[self.frame]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class StackPlan:
    """How the voxels of a series are to be read, before any pixel is.

    Attributes
    ----------
    planes
        Ascending along row x column direction; in file order when nothing places them.
    shape_kji
        Slices, rows, columns.
    affine
        (4, 4) float64, (k, j, i, 1) to LPS mm; None when the stack is not regular.
    regular
        True when one affine places every voxel within the tolerances of
        ``viewer.study.spacing``.
    problems
        Everything that a reader should know of the geometry; a regular stack may have some,
        such as files of the series that are not in it.
    refusal
        Why nothing of it can be shown, or None.
    inverted
        True for MONOCHROME1: low values are to be shown bright (PS3.3 C.7.6.3.1.2).
    name
        What tells it from the other volumes of its series, translated; empty when it is alone.
    part
        The same as a stable identifier; empty when it is alone.
    irregularity
        Why the slices make no regular volume though they can be shown, or None.
    places
        (k, 4, 4) float64 when the slices lie irregularly: of each, (0, j, i, 1) to LPS mm.
    """

    series: Series
    planes: tuple[FrameRef, ...]
    shape_kji: tuple[int, int, int]
    affine: Affine | None
    regular: bool
    problems: tuple[GeometryProblem, ...]
    refusal: Problem | None
    inverted: bool
    name: str = ""
    part: str = ""
    irregularity: Problem | None = None
    places: npt.NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        kinds = [problem.kind for problem in self.problems]
        return f"StackPlan({self.series!r}, {self.shape_kji}, regular={self.regular}, {kinds})"


def order(series: Series) -> StackPlan:
    """Find the largest consistent stack of a series, sort it and judge its geometry.

    Parameters
    ----------
    series
        As scanned, in any order.

    Returns
    -------
    StackPlan
        Never raises for odd geometry: what is wrong stands in ``problems`` and, when no
        volume may be made of it, in ``refusal``.

    Notes
    -----
    Slices are placed by Image Position and Orientation (Patient) alone (PS3.3 C.7.6.2.1.1);
    Slice Location, Slice Thickness and Spacing Between Slices are not trusted.
    """
    frames = [
        FrameRef(instance, frame)
        for instance in sorted(series.instances, key=_file_order)
        for frame in range(instance.n_frames)
    ]
    problems: list[GeometryProblem] = []
    stack = _one_stack(frames, problems)
    first = stack[0]
    placed = first.plane.position_lps_mm is not None and first.plane.row_lps is not None
    if placed:
        depths = spacing.depths_mm([ref.plane for ref in stack])
        stack = [stack[n] for n in np.argsort(depths, kind="stable")]
        stack = _one_time(stack, problems)
    alone = len(stack) == 1 and len(frames) > 1
    verdict = (
        spacing.no_stack(problems[0]) if alone else spacing.judge([ref.plane for ref in stack])
    )
    problems += verdict.problems
    used = list({id(ref.instance): ref.instance for ref in stack}.values())
    refusal = suitable.refusal(series, used, len(stack), problems) or verdict.refusal
    instance = stack[0].instance
    return StackPlan(
        series=series,
        planes=tuple(stack),
        shape_kji=(len(stack), instance.rows, instance.columns),
        affine=verdict.affine,
        regular=verdict.affine is not None,
        problems=tuple(problems),
        refusal=refusal,
        inverted=instance.photometric == "MONOCHROME1",
    )


def _file_order(instance: InstanceHeader) -> tuple[int, int, str]:
    return (instance.acquisition_number or 0, instance.instance_number or 0, instance.path.name)


def _one_stack(frames: list[FrameRef], problems: list[GeometryProblem]) -> list[FrameRef]:
    """Return the largest group of equal size, pixel kind, spacing and orientation."""
    groups: list[list[FrameRef]] = []
    for ref in frames:
        # The latest group first: neighbours mostly belong together.
        home = next((g for g in reversed(groups) if _difference(g[0], ref) is None), None)
        if home is not None:
            home.append(ref)
        elif len(groups) < _MAX_GROUPS:
            groups.append([ref])
    largest = max(groups, key=len)
    left = len(frames) - len(largest)
    if left:
        problems.append(_mixed(largest, [g for g in groups if g is not largest], left))
    return largest


def _difference(a: FrameRef, b: FrameRef) -> str | None:
    """Name the first property in which two frames differ so much that they cannot stack."""
    if _pixel_kind(a.instance) != _pixel_kind(b.instance):
        return "mixed-size"
    p, q = a.plane, b.plane
    if (p.position_lps_mm is None) != (q.position_lps_mm is None):
        return "missing-geometry"
    if (p.row_lps is None) != (q.row_lps is None):
        return "missing-geometry"
    if (p.spacing_mm is None) != (q.spacing_mm is None):
        return "missing-geometry"
    if p.row_lps and q.row_lps and p.column_lps and q.column_lps:
        pairs = zip(p.row_lps + p.column_lps, q.row_lps + q.column_lps, strict=True)
        if any(abs(x - y) > _SAME_DIRECTION for x, y in pairs):
            return "mixed-orientation"
    if p.spacing_mm and q.spacing_mm:
        pairs = zip(p.spacing_mm, q.spacing_mm, strict=True)
        if any(abs(x - y) > _SAME_SPACING * x for x, y in pairs):
            return "mixed-spacing"
    return None


def _pixel_kind(instance: InstanceHeader) -> Hashable:
    return (
        instance.rows,
        instance.columns,
        instance.samples_per_pixel,
        instance.photometric,
        instance.bits_allocated,
    )


def _mixed(largest: list[FrameRef], others: list[list[FrameRef]], left: int) -> GeometryProblem:
    kind = _difference(largest[0], others[0][0]) or "mixed-orientation"
    reason = {
        "mixed-size": translate("study", "they differ in size or kind of pixel"),
        "mixed-spacing": translate("study", "they differ in pixel spacing"),
        "mixed-orientation": translate("study", "they are not parallel to the others"),
        "missing-geometry": translate("study", "only some of the images say where they are"),
    }[kind]
    return GeometryProblem(
        kind,
        translate(
            "study", "{left} of {all} images of the series are not in this stack: {reason}."
        ).format(left=left, all=left + len(largest), reason=reason),
    )


def _one_time(stack: list[FrameRef], problems: list[GeometryProblem]) -> list[FrameRef]:
    """Of a 4-D series, return the first of its volumes; others are returned unchanged.

    A series is 4-D when positions recur and one of the usual attributes parts it into
    groups in which none does.
    """
    if not spacing.has_duplicates([ref.plane for ref in stack]):
        return stack
    attributes: tuple[Callable[[FrameRef], Hashable], ...] = (
        lambda ref: ref.plane.stack,
        lambda ref: ref.instance.acquisition_number,
        lambda ref: ref.instance.image_type,
        lambda ref: ref.instance.sop_instance_uid if ref.instance.n_frames > 1 else None,
    )
    for attribute in attributes:
        parts: dict[Hashable, list[FrameRef]] = {}
        for ref in stack:
            parts.setdefault(attribute(ref), []).append(ref)
        chosen = max(parts.values(), key=len)
        # Parts of one slice are no volumes: those are images of one place.
        if len(parts) < 2 or len(chosen) < 2 or any(_recurs(part) for part in parts.values()):
            continue
        problems.append(
            GeometryProblem(
                "several-volumes",
                translate(
                    "study",
                    "The series holds {count} volumes, such as times or echoes; "
                    "only the first of the largest is shown.",
                ).format(count=len(parts)),
            )
        )
        return chosen
    return stack


def _recurs(part: Sequence[FrameRef]) -> bool:
    return spacing.has_duplicates([ref.plane for ref in part])
