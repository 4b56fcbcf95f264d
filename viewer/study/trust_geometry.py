"""What of the geometry of a volume is known, and from what."""

from __future__ import annotations

import math

import numpy as np

from inference.geometry import direction_letters, spacing_kji_mm
from resources.text import translate
from viewer.study import spacing
from viewer.study.calibration import calibration, is_asked_of_file
from viewer.study.order import StackPlan
from viewer.study.series import Plane
from viewer.study.trust_row import Row, format_name, is_dicom, kinds_of, mm_text
from viewer.study.volumes import plane_name

# Less than this is the rounding of direction cosines.
_STRAIGHT_DEGREES = 0.1
# Of such stacks neither tilt nor gaps nor images at one place are judged.
_UNJUDGED = frozenset({"missing-geometry", "missing-spacing", "mixed-orientation", "file-order"})

_POSITION = "Image Position (Patient) (0020,0032)"
_ORIENTATION = "Image Orientation (Patient) (0020,0037)"
PLACED_BY = f"{_POSITION}, {_ORIENTATION}"
"""The only attributes that slices are placed by."""
_SPACING_TAGS = {
    "Pixel Spacing": "Pixel Spacing (0028,0030)",
    "Imager Pixel Spacing": "Imager Pixel Spacing (0018,1164)",
    "Nominal Scanned Pixel Spacing": "Nominal Scanned Pixel Spacing (0018,2010)",
    "Ultrasound region": "Sequence of Ultrasound Regions (0018,6011)",
}


def rows(plan: StackPlan) -> list[Row]:
    """Return size of pixels, distance of slices, direction, faults and frame of reference."""
    return [
        _pixel_size(plan),
        _slice_spacing(plan),
        _direction(plan),
        *_faults(plan),
        _frame_of_reference(plan),
    ]


def _pixel_size(plan: StackPlan) -> Row:
    question, plane = translate("trust", "Pixel size"), plan.planes[0].plane
    if plane.spacing_mm is None:
        said = translate("trust", "Not said: nothing can be measured in millimetres.")
        return Row(question, said, "bad")
    size = translate("trust", "{row} x {column} mm").format(
        row=mm_text(plane.spacing_mm[0]), column=mm_text(plane.spacing_mm[1])
    )
    source = _SPACING_TAGS.get(plane.spacing_source, plane.spacing_source) or format_name(plan)
    if plane.spacing_source == "Imager Pixel Spacing":
        more = translate("trust", "at the detector: what lies in the patient is smaller")
        return Row(question, f"{size}, {more}", "note", source)
    if is_asked_of_file(plan):
        more = _calibration(plan)
        return Row(question, f"{size}, {more}", "note", source)
    if plane.spacing_source == "Nominal Scanned Pixel Spacing":
        more = translate("trust", "on the scanned film or paper, not in the patient")
        return Row(question, f"{size}, {more}", "note", source)
    return Row(question, size, "good", source)


def _calibration(plan: StackPlan) -> str:
    """Return what makes the spacing of a projection image one of the patient, if anything."""
    return {
        "geometry": translate("trust", "corrected for the usual magnification at one depth"),
        "fiducial": translate("trust", "calibrated by an object of known size, true at its depth"),
        "detector": translate("trust", "at the detector: what lies in the patient is smaller"),
        "calibrated": translate("trust", "calibrated, the file does not say how"),
    }.get(
        calibration(plan),
        translate("trust", "of a projection: at which depth it is true is not said"),
    )


def _slice_spacing(plan: StackPlan) -> Row:
    question = translate("trust", "Slice spacing")
    planes = [ref.plane for ref in plan.planes]
    kinds = kinds_of(plan)
    if plan.resampled and plan.affine is not None:
        said = translate("trust", "{mm} mm, made by interpolation").format(
            mm=mm_text(spacing_kji_mm(plan.affine)[0])
        )
        return Row(question, said, "note")
    if len(planes) == 1:
        thick = planes[0].thickness_mm
        if thick is None or not spacing.is_placed(planes[0]):
            return Row(question, translate("trust", "There is only one slice."), "note")
        return Row(
            question,
            translate("trust", "There is only one slice; its thickness is {mm} mm.").format(
                mm=mm_text(thick)
            ),
            "note",
            "Slice Thickness (0018,0050)" if is_dicom(plan) else format_name(plan),
        )
    if not all(spacing.is_placed(plane) for plane in planes):
        said = translate("trust", "Not known: the images do not say where they lie.")
        return Row(question, said, "bad", _POSITION)
    if kinds & {"mixed-orientation", "file-order"}:
        said = translate("trust", "None: the slices do not follow one another in space.")
        return Row(question, said, "bad", _POSITION)
    depths = spacing.depths_mm(planes)
    steps = np.diff(depths)
    source = _POSITION if is_dicom(plan) else format_name(plan)
    if kinds & {"missing-slices", "uneven-spacing", "duplicate-positions"}:
        said = translate("trust", "{low} to {high} mm, mostly {usual} mm").format(
            low=mm_text(steps.min()),
            high=mm_text(steps.max()),
            usual=mm_text(float(np.median(steps))),
        )
        return Row(question, said, "bad", source)
    _, step = spacing.even_depths(depths)
    even = np.arange(len(depths)) * step
    spread = float(np.ptp(depths - depths[0] - even)) / 2
    said = translate("trust", "{mm} mm by the positions, even within {spread} mm").format(
        mm=mm_text(step), spread=mm_text(spread)
    )
    return Row(question, said, "good", source)


def _direction(plan: StackPlan) -> Row:
    question, plane = translate("trust", "Direction"), plan.planes[0].plane
    source = _ORIENTATION if is_dicom(plan) else format_name(plan)
    if not all(spacing.is_placed(ref.plane) for ref in plan.planes):
        said = translate("trust", "Not said: the sides of the patient are not known.")
        return Row(question, said, "bad", source)
    if kinds_of(plan) & {"mixed-orientation"}:
        said = translate("trust", "It changes from image to image.")
        return Row(question, said, "bad", source)
    assert plane.row_lps is not None and plane.column_lps is not None  # placed
    off = _degrees_off(plane)
    name = plane_name(plan.planes[0])
    if off > _STRAIGHT_DEGREES:
        name = translate("trust", "oblique, {degrees} degrees from {name}").format(
            degrees=f"{off:.1f}", name=name
        )
    said = translate("trust", "{name}; rows run to {row}, columns to {column}, slices to {slice}")
    return Row(
        question,
        said.format(
            name=name,
            row=direction_letters(plane.row_lps),
            column=direction_letters(plane.column_lps),
            slice=direction_letters(spacing.normal_lps(plane)),
        ),
        "good",
        source,
    )


def _degrees_off(plane: Plane) -> float:
    """Return by how much the plane is turned out of the nearest main plane."""
    off = min(1.0, float(np.abs(spacing.normal_lps(plane)).max()))
    return math.degrees(math.acos(off))


def _faults(plan: StackPlan) -> list[Row]:
    """Return tilt, gaps and images at one place, each told where there is none, too."""
    found = {problem.kind: problem.text for problem in plan.problems}
    source = _POSITION if is_dicom(plan) else format_name(plan)
    unknown = bool(found.keys() & _UNJUDGED)
    asked = (
        (translate("trust", "Gantry tilt"), ("gantry-tilt", "shifted-slices")),
        (translate("trust", "Gaps"), ("missing-slices", "uneven-spacing")),
        (translate("trust", "Images at one place"), ("duplicate-positions",)),
    )
    made = []
    for question, kinds in asked:
        said = next((found[kind] for kind in kinds if kind in found), None)
        if said is not None:
            made.append(Row(question, said, "bad", source))
        elif plan.resampled:
            made.append(Row(question, translate("trust", "None in this copy."), "note"))
        elif unknown:
            made.append(Row(question, translate("trust", "Not known."), "note", source))
        else:
            made.append(Row(question, translate("trust", "None."), "good", source))
    return made


def _frame_of_reference(plan: StackPlan) -> Row:
    question = translate("trust", "Frame of reference")
    source = "Frame of Reference UID (0020,0052)" if is_dicom(plan) else format_name(plan)
    uids = {ref.instance.frame_of_reference_uid for ref in plan.planes}
    if len(uids) > 1:
        said = translate("trust", "{count} different ones in this volume").format(count=len(uids))
        return Row(question, said, "note", source)
    if "" in uids:
        said = translate("trust", "Not named: places cannot be compared with other series.")
        return Row(question, said, "note", source)
    return Row(question, translate("trust", "One, named by every image."), "good", source)
