"""From a series to ordered stacks of planes, and the judgement whether they are regular."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine
from resources.problem import Problem
from resources.text import translate
from viewer.study import spacing, suitable
from viewer.study import volumes as splitting
from viewer.study.series import FrameRef, InstanceHeader, Series
from viewer.study.spacing import GeometryProblem

__all__ = ["FrameRef", "GeometryProblem", "StackPlan", "order", "volumes"]

_DIGITS = re.compile(r"(\d+)")
# Bad files that are told by name; of more only the number.
_MOST_TOLD = 5


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
    resampled
        True for the plan of a copy that ``resample`` made: ``planes`` are those it was made of.
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
    resampled: bool = False

    def __repr__(self) -> str:
        kinds = [problem.kind for problem in self.problems]
        return f"StackPlan({self.series!r}, {self.shape_kji}, regular={self.regular}, {kinds})"


def volumes(series: Series, *, split: bool = True) -> tuple[StackPlan, ...]:
    """Find the volumes of a series, sort each along its normal and judge its geometry.

    Parameters
    ----------
    series
        As scanned, in any order.
    split
        False keeps the images together in the order of their files: what a person asks for who
        thinks the splitting wrong. Images of different size still make a plan each.

    Returns
    -------
    tuple of StackPlan
        One or more; every image of the series is in exactly one. Never raises for odd geometry:
        what is wrong stands in ``problems``, in ``irregularity`` when the images make no regular
        volume, and in ``refusal`` when nothing of it can be shown.

    Notes
    -----
    Slices are placed by Image Position and Orientation (Patient) alone (PS3.3 C.7.6.2.1.1);
    Slice Location, Slice Thickness and Spacing Between Slices are not trusted.
    """
    frames = [
        FrameRef(instance, frame)
        for instance in sorted(series.instances, key=_file_order)
        for frame in range(len(instance.planes))
    ]
    groups = splitting.split(frames)
    if not split and len(groups) > 1:
        groups = splitting.whole(frames)
    return tuple(_plan(series, group) for group in groups)


def order(series: Series) -> StackPlan:
    """Return the volume of a series that has the most slices, of equal ones the first."""
    return max(volumes(series), key=lambda plan: len(plan.planes))


def _plan(series: Series, group: splitting.Group) -> StackPlan:
    refs = list(group.refs)
    if not group.unsorted and all(spacing.is_placed(ref.plane) for ref in refs):
        # Stable: images at one place stay in the order of their files.
        depths = spacing.depths_mm([ref.plane for ref in refs])
        refs = [refs[n] for n in np.argsort(depths, kind="stable")]
    planes = [ref.plane for ref in refs]
    kept = group.part.startswith(splitting.UNSPLIT)
    verdict = spacing.unsorted(planes) if kept else spacing.judge(planes)
    used = list({id(ref.instance): ref.instance for ref in refs}.values())
    notes = dict.fromkeys(note for instance in used for note in instance.notes)
    problems = [*verdict.problems, *(GeometryProblem(*note) for note in notes)]
    refusal = suitable.refusal(series, _readable(used, problems), len(refs), problems)
    first = refs[0].instance
    return StackPlan(
        series=series,
        planes=tuple(refs),
        shape_kji=(len(refs), first.rows, first.columns),
        affine=verdict.affine,
        regular=verdict.affine is not None,
        problems=tuple(problems),
        refusal=refusal,
        inverted=first.photometric == "MONOCHROME1",
        name=group.name,
        part=group.part,
        irregularity=verdict.irregularity,
        places=verdict.places,
    )


def _readable(
    instances: list[InstanceHeader], problems: list[GeometryProblem]
) -> list[InstanceHeader]:
    """Return the files that can be read, all of them when none can; tell of the others.

    Their slices stay in the stack, empty: one bad file does not stop a series.
    """
    bad = [(one, why) for one in instances if (why := suitable.pixels_refusal(one)) is not None]
    if not bad or len(bad) == len(instances):
        return instances
    said = [GeometryProblem("unreadable-file", why.sentence) for _, why in bad[:_MOST_TOLD]]
    if len(bad) > _MOST_TOLD:
        more = translate("study", "{count} more images cannot be read.")
        said.append(GeometryProblem("unreadable-file", more.format(count=len(bad) - _MOST_TOLD)))
    problems += said
    refused = {id(one) for one, _ in bad}
    return [one for one in instances if id(one) not in refused]


def _file_order(instance: InstanceHeader) -> tuple[int, int, list[tuple[int, str]]]:
    number, acquisition = instance.instance_number, instance.acquisition_number
    return acquisition or 0, number or 0, natural(instance.name)


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts names as a person does: image 2 before image 10."""
    return [
        (int(part), "") if part.isdecimal() and len(part) < 20 else (-1, part.casefold())
        for part in _DIGITS.split(name)
        if part
    ]
