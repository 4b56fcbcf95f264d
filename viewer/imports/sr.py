"""Reading reports of measurements (PS3.16 TID 1500), of Overread and of others.

pydicom reads them: highdicom refuses whole documents for what their writers left away. Of each
measurement group (TID 1410, 1411, 1501) come tracking, finding, site, and of reports of Overread
verdict, reason, reader and origin; its place is a segment of another file, or a point or closed
region of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from viewer.annotate.lesion import VERDICTS
from viewer.export import sr_codes as our
from viewer.export.contours import filled
from viewer.imports.gathering import Gathering
from viewer.imports.held import MOST_OUTLINES, Coded, HeldFile, HeldOutline, Misfit, Point, short
from viewer.imports.segments import code, system_of
from viewer.imports.target import NEAR, Target

CLASSES = (
    "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
    "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
)
_MEASUREMENTS, _GROUP = "126010", "125007"
_TRACKING_ID, _TRACKING_UID, _SEGMENT = "112039", "112040", "121191"
_FINDING, _OLD_FINDING = "121071", "G-A6A8"
_CATEGORY, _SITE, _OBSERVER = "276214006", "363698007", "121008"
_ABNORMAL = frozenset({"49755003", "M-01000"})
_DEPTH = 16
_MOST_SCOORD = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Reported:
    """A group of a report.

    Attributes
    ----------
    outline
        What it says; without a mask while ``segment`` names it.
    file_uid, segment
        SOP Instance UID and Segment Number (0062,0004) of its outline; empty and 0 without one.
    """

    outline: HeldOutline
    file_uid: str = ""
    segment: int = 0


def read(dataset: Any, path: Path, target: Target) -> HeldFile:
    """Read one report; see ``rtstruct.read``. Of outlines in other files ``reported`` tells."""
    found = HeldFile(
        path.name,
        "SR",
        system_of(dataset),
        short(dataset.get("SeriesDescription")),
        uid=str(dataset.get("SOPInstanceUID", "")),
    )
    try:
        groups = list(_groups(dataset))
        if not groups:
            raise Misfit("nothing")
        if len(groups) > MOST_OUTLINES:
            raise Misfit("too-large")
        cautions = target.check(*_said_of(dataset))
        told = [_reported(group, n, target) for n, group in enumerate(groups, start=1)]
    except Misfit as misfit:
        return replace(found, refusal=misfit.said)
    return replace(found, cautions=cautions, outlines=tuple(each.outline for each in told))


def reported(dataset: Any, target: Target) -> list[Reported]:
    """Return the groups of a report with the outlines in other files that they name."""
    return [_reported(group, n, target) for n, group in enumerate(_groups(dataset), start=1)]


def _groups(dataset: Any) -> Iterator[Any]:
    for item in _children(dataset):
        if _concept(item) == _MEASUREMENTS:
            yield from (child for child in _children(item) if _concept(child) == _GROUP)


def _reported(group: Any, number: int, target: Target) -> Reported:
    kind = _coded(group, _FINDING) or _coded(group, _OLD_FINDING)
    category = _coded(group, _CATEGORY)
    site = _coded(group, _SITE)
    verdict = _own(group, our.VERDICT.value)
    outline = HeldOutline(
        number,
        _text(group, _TRACKING_ID) or (kind[2] if kind else ""),
        category,
        kind,
        site,
        anatomy=category is not None and category[0] not in _ABNORMAL,
        tracking_uid=_text(group, _TRACKING_UID),
        tracking_id=_text(group, _TRACKING_ID),
        verdict=verdict if verdict in VERDICTS else "",
        reason=_own(group, our.REASON.value).removeprefix("reason-"),
        reader=_text(group, _OBSERVER).rstrip("^").replace("^", " "),
        utc=_utc(group),
        origin=_own(group, our.ORIGIN.value),
    )
    for item in _children(group):
        if item.get("ValueType") == "IMAGE" and _concept(item) == _SEGMENT:
            named = item.ReferencedSOPSequence[0]
            segment = named.get("ReferencedSegmentNumber", 0)
            first = segment if isinstance(segment, int) else segment[0]
            uid = str(named.get("ReferencedSOPInstanceUID", ""))
            return Reported(replace(outline, notes=(("segment-elsewhere",),)), uid, int(first))
    if outline.origin and not verdict:
        return Reported(replace(outline, notes=(("measurement",),)))  # a reader's, see sr_groups
    return Reported(_placed(outline, group, target))


# ---------------------------------------------------------------------------- places


def _placed(outline: HeldOutline, group: Any, target: Target) -> HeldOutline:
    """Return an outline with the point or region that a group has of its own."""
    for item in _all(group, 0):
        kind = str(item.get("ValueType", ""))
        if kind not in ("SCOORD", "SCOORD3D"):
            continue
        points = _points(item, kind, target)
        if points is None:
            continue
        shape = str(item.get("GraphicType", ""))
        closed = len(points) > 3 and np.abs(points[0] - points[-1]).max() < 1e-3
        if shape == "POINT":
            return replace(outline, point_lps_mm=_point(points[0]))
        if shape in ("POLYLINE", "POLYGON") and closed and _measures_region(group, item):
            return _region(outline, points, target)
    return replace(outline, notes=(("no-outline",),))


def _measures_region(group: Any, item: Any) -> bool:
    """Tell whether a region stands for the finding itself: not for one of its measurements."""
    return any(child is item for child in _children(group))


def _region(outline: HeldOutline, points: npt.NDArray[np.float64], target: Target) -> HeldOutline:
    kji = geometry.lps_mm_to_kji(target.affine, points)
    depth = float(kji[:, 0].mean())
    k = round(depth)
    if np.abs(kji[:, 0] - depth).max() > 2 * NEAR or not 0 <= k < target.shape_kji[0]:
        return replace(outline, point_lps_mm=_point(points[:-1].mean(axis=0)))
    gathering = Gathering()
    gathering.add(k, filled([kji[:-1, 1:]], target.shape_kji[1:]))
    mask = gathering.mask()
    if not mask.voxels.size:
        return replace(outline, point_lps_mm=_point(points[:-1].mean(axis=0)))
    return replace(outline, mask=mask, notes=(("one-slice",),))


def _points(item: Any, kind: str, target: Target) -> npt.NDArray[np.float64] | None:
    """Return the points of a region in LPS mm; None when its image is none of the series."""
    data = item.get("GraphicData")
    numbers = np.array([float(v) for v in data or ()], dtype=np.float64)
    width = 3 if kind == "SCOORD3D" else 2
    if not 0 < numbers.size <= _MOST_SCOORD or numbers.size % width:
        raise Misfit("damaged")
    if not np.isfinite(numbers).all():
        raise Misfit("damaged")
    points = numbers.reshape(-1, width)
    if kind == "SCOORD3D":
        frame = str(item.get("ReferencedFrameOfReferenceUID", ""))
        if target.frames and frame and frame not in target.frames:
            raise Misfit("other-frame")
        return points
    for child in _children(item):
        for named in child.get("ReferencedSOPSequence") or []:
            frames = named.get("ReferencedFrameNumber", 0)
            frame_number = frames if isinstance(frames, int) else frames[0]
            k = target.slice_of(str(named.get("ReferencedSOPInstanceUID", "")), int(frame_number))
            if k is not None:
                # The corner of the first pixel is (0, 0), its centre (0.5, 0.5): PS3.3 C.18.6.1.2.
                at = [(k, row - 0.5, column - 0.5) for column, row in points]
                return geometry.kji_to_lps_mm(target.affine, at)
    return None


def _point(values: Any) -> Point:
    x, y, z = (float(v) for v in values)
    return x, y, z


# ----------------------------------------------------------------------------- items


def _said_of(dataset: Any) -> tuple[str, str, str, list[str], set[str]]:
    series, refs, frames = [], set(), set()
    for study in dataset.get("CurrentRequestedProcedureEvidenceSequence") or []:
        for one in study.get("ReferencedSeriesSequence") or []:
            series.append(str(one.get("SeriesInstanceUID", "")))
            for image in one.get("ReferencedSOPSequence") or []:
                refs.add(str(image.get("ReferencedSOPInstanceUID", "")))
    for item in _all(dataset, 0):
        if item.get("ValueType") == "SCOORD3D":
            frames.add(str(item.get("ReferencedFrameOfReferenceUID", "")))
        for named in item.get("ReferencedSOPSequence") or []:
            refs.add(str(named.get("ReferencedSOPInstanceUID", "")))
    frames -= {""}
    if len(frames) > 1:
        raise Misfit("several-frames")
    return (
        str(dataset.get("PatientID", "") or ""),
        str(dataset.get("StudyInstanceUID", "") or ""),
        frames.pop() if frames else "",
        series,
        refs - {""},
    )


def _children(item: Any) -> list[Any]:
    return list(item.get("ContentSequence") or [])


def _all(item: Any, depth: int) -> Iterator[Any]:
    if depth > _DEPTH:
        raise Misfit("damaged")
    for child in _children(item):
        yield child
        yield from _all(child, depth + 1)


def _concept(item: Any) -> str:
    found = code(item, "ConceptNameCodeSequence")
    return "" if found is None else found[0]


def _coded(group: Any, concept: str) -> Coded | None:
    for item in _children(group):
        if item.get("ValueType") == "CODE" and _concept(item) == concept:
            return code(item, "ConceptCodeSequence")
    return None


def _own(group: Any, concept: str) -> str:
    """Return the value of a concept of our own scheme; empty when there is none."""
    for item in _children(group):
        name = code(item, "ConceptNameCodeSequence")
        if name is not None and name[:2] == (concept, our.SCHEME):
            found = code(item, "ConceptCodeSequence")
            return found[0] if found is not None and found[1] == our.SCHEME else ""
    return ""


def _text(group: Any, concept: str) -> str:
    for item in _children(group):
        if _concept(item) == concept:
            for keyword in ("TextValue", "UID", "PersonName"):
                if item.get(keyword):
                    return short(item.get(keyword))
    return ""


def _utc(group: Any) -> str:
    """Return when a group was observed, ISO 8601 in UTC; without an offset in local time."""
    text = str(group.get("ObservationDateTime", "") or "")
    for form in ("%Y%m%d%H%M%S.%f%z", "%Y%m%d%H%M%S%z", "%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            told = datetime.strptime(text, form)
        except ValueError:
            continue
        utc = told.astimezone(UTC).isoformat(timespec="milliseconds")
        return utc.replace("+00:00", "Z")
    return ""
