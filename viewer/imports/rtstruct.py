"""Reading RT Structure Sets (PS3.3 A.19): closed contours, filled on the slices of the series."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.tag import Tag

from inference import geometry
from inference.findings import Mask
from viewer.export.contours import filled
from viewer.imports.gathering import Gathering, room_left
from viewer.imports.held import MOST_OUTLINES, HeldFile, HeldOutline, Misfit, Point, Said, short
from viewer.imports.segments import code, system_of
from viewer.imports.target import NEAR, Target

CLASSES = ("1.2.840.10008.5.1.4.1.1.481.3",)
_CONTOUR_DATA = Tag(0x3006, 0x0050)
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
# As ``viewer.export.rtstruct`` writes it.
_TRACKING = re.compile(r"Tracking UID ([0-9.]{1,64})")
_FINDINGS = ("", "GTV", "CTV", "ITV", "PTV", "MARKER", "FIDUCIAL")

Report = Callable[[int, int], None]
Loops = dict[int, list[npt.NDArray[np.float64]]]


def read(dataset: Any, path: Path, target: Target, report: Report | None = None) -> HeldFile:
    """Read one structure set; see ``seg.read``.

    Parameters
    ----------
    dataset
        The whole object, by pydicom.
    """
    found = HeldFile(
        path.name,
        "RTSTRUCT",
        system_of(dataset),
        short(dataset.get("SeriesDescription") or dataset.get("StructureSetLabel")),
        uid=str(dataset.get("SOPInstanceUID", "")),
    )
    try:
        regions = _regions(dataset)
        cautions = target.check(*_said_of(dataset))
        outlines, gathered = [], []
        for n, (outline, contours) in enumerate(regions):
            if report is not None:
                report(n, len(regions))
            made, one = _drawn(outline, contours, target)
            outlines.append(made)
            gathered.append(one)
            room_left(gathered)
    except Misfit as misfit:
        return replace(found, refusal=misfit.said)
    return replace(found, cautions=cautions, outlines=tuple(outlines))


def _said_of(dataset: Any) -> tuple[str, str, str, list[str], set[str]]:
    frames, series, refs = [], [], set()
    for frame in dataset.get("ReferencedFrameOfReferenceSequence") or []:
        frames.append(str(frame.get("FrameOfReferenceUID", "")))
        for study in frame.get("RTReferencedStudySequence") or []:
            for one in study.get("RTReferencedSeriesSequence") or []:
                series.append(str(one.get("SeriesInstanceUID", "")))
                for image in one.get("ContourImageSequence") or []:
                    refs.add(str(image.get("ReferencedSOPInstanceUID", "")))
    for roi in dataset.get("ROIContourSequence") or []:
        for item in (roi.get("ContourSequence") or [])[:1]:
            for image in item.get("ContourImageSequence") or []:
                refs.add(str(image.get("ReferencedSOPInstanceUID", "")))
    frames += [
        str(roi.get("ReferencedFrameOfReferenceUID", ""))
        for roi in dataset.get("StructureSetROISequence") or []
    ]
    named = {frame for frame in frames if frame}
    if len(named) > 1:
        raise Misfit("several-frames")
    return (
        str(dataset.get("PatientID", "") or ""),
        str(dataset.get("StudyInstanceUID", "") or ""),
        named.pop() if named else "",
        series,
        refs - {""},
    )


def _regions(dataset: Any) -> list[tuple[HeldOutline, list[Any]]]:
    drawn = {
        int(roi.get("ReferencedROINumber", -1)): roi
        for roi in dataset.get("ROIContourSequence") or []
    }
    told = {
        int(each.get("ReferencedROINumber", -1)): each
        for each in dataset.get("RTROIObservationsSequence") or []
    }
    found = []
    for roi in dataset.get("StructureSetROISequence") or []:
        number = int(roi.get("ROINumber", 0))
        contours = list(drawn[number].get("ContourSequence") or []) if number in drawn else []
        outline = _described(roi, number, told.get(number), drawn.get(number))
        found.append((outline, contours))
    if not found:
        raise Misfit("nothing")
    if len(found) > MOST_OUTLINES:
        raise Misfit("too-large")
    return found


def _described(roi: Any, number: int, observed: Any, contoured: Any) -> HeldOutline:
    kind = None if observed is None else code(observed, "RTROIIdentificationCodeSequence")
    interpreted = "" if observed is None else short(observed.get("RTROIInterpretedType"), 16)
    shown = None if contoured is None else contoured.get("ROIDisplayColor")
    rgb = [int(v) for v in shown] if shown is not None and len(shown) == 3 else []
    tracking = _TRACKING.search(str(roi.get("ROIDescription") or ""))
    generated = short(roi.get("ROIGenerationAlgorithm"), 16)
    return HeldOutline(
        number,
        short(roi.get("ROIName")),
        type=kind,
        colour="#{:02X}{:02X}{:02X}".format(*rgb) if rgb and max(rgb) < 256 > -min(rgb) else "",
        anatomy=interpreted not in _FINDINGS or (interpreted == "" and kind is None),
        algorithm_type=generated if generated in ("AUTOMATIC", "SEMIAUTOMATIC", "MANUAL") else "",
        tracking_uid=tracking.group(1) if tracking else "",
    )


def _drawn(
    outline: HeldOutline, contours: list[Any], target: Target
) -> tuple[HeldOutline, Gathering]:
    loops: Loops = {}
    notes: set[Said] = set()
    point: Point | None = None
    for item in contours:
        kind = str(item.get("ContourGeometricType", "")).strip()
        points = _points(item)
        if kind == "POINT" and len(points):
            x, y, z = (float(v) for v in points[0])
            point = x, y, z
        elif kind in _CLOSED and len(points) >= 3:
            _take(loops, notes, geometry.lps_mm_to_kji(target.affine, points), target)
        elif kind:
            notes.add(("not-closed",))
    gathering = Gathering()
    for k, polygons in loops.items():
        _fill(gathering, k, polygons, target)
    mask = gathering.mask()
    if not mask.voxels.size:
        if point is None:
            notes.add(("outside",) if ("cut-off",) in notes else ("empty",))
            notes.discard(("cut-off",))
        return replace(outline, point_lps_mm=point, notes=tuple(sorted(notes))), gathering
    if _has_gaps(mask):
        notes.add(("gaps",))
    return replace(outline, mask=mask, notes=tuple(sorted(notes))), gathering


def _take(loops: Loops, notes: set[Said], kji: npt.NDArray[np.float64], target: Target) -> None:
    """Put a contour to the slice that it lies in, or lies nearest to."""
    depth = float(kji[:, 0].mean())
    if np.abs(kji[:, 0] - depth).max() > NEAR:
        raise Misfit("tilted")
    k = round(depth)
    if not 0 <= k < target.shape_kji[0]:
        notes.add(("cut-off",))
        return
    if abs(depth - k) > NEAR:
        notes.add(("between-slices",))
    loops.setdefault(k, []).append(kji[:, 1:])


def _fill(
    gathering: Gathering, k: int, polygons: list[npt.NDArray[np.float64]], target: Target
) -> None:
    rows, columns = target.shape_kji[1:]
    low = np.floor(np.min([p.min(axis=0) for p in polygons], axis=0)).astype(int)
    high = np.ceil(np.max([p.max(axis=0) for p in polygons], axis=0)).astype(int) + 1
    j, i = (max(int(v), 0) for v in low)
    size = max(min(int(high[0]), rows) - j, 0), max(min(int(high[1]), columns) - i, 0)
    if min(size):
        gathering.add(k, filled([polygon - (j, i) for polygon in polygons], size), (j, i))


def _has_gaps(mask: Mask) -> bool:
    return not mask.voxels.any(axis=(1, 2)).all()


def _points(item: Any) -> npt.NDArray[np.float64]:
    """Return the points of a contour, (n, 3) LPS mm, from bytes: a lung has a million numbers."""
    raw: Any = item.get_item(_CONTOUR_DATA)
    value = getattr(raw, "value", None)
    try:
        if isinstance(value, bytes):
            numbers = np.array(
                value.strip(b" \0").split(b"\\") if value.strip(b" \0") else [], float
            )
        else:
            numbers = np.array([float(v) for v in value or ()], dtype=np.float64)
    except ValueError:
        raise Misfit("damaged") from None
    if numbers.size % 3 or not np.isfinite(numbers).all() or np.abs(numbers).max(initial=0) > 1e6:
        raise Misfit("damaged")
    return numbers.reshape(-1, 3)
