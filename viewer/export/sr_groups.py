"""The measurement groups of the report: lesions, structures, a reader's measurements, key images.

PS3.16: TID 1411 of what has a segment, TID 1410 of what has a region or a point, else TID 1501.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import highdicom as hd
import numpy as np
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import SegmentationStorage

from inference import geometry
from inference.findings import Mask, ModelStamp
from inference.measure import Measurement as Size
from resources import table
from viewer.annotate.measurements import REGIONS, Measurement, Value
from viewer.annotate.place import LungMap
from viewer.export import sr_codes as our
from viewer.export.layers import Layer
from viewer.export.notes import key_slices
from viewer.export.snapshot import CaseSnapshot, LesionSnapshot
from viewer.export.source import Source, person_name, tracking_of

_SEG = "seg.dcm"
_LUNGS: Mapping[str, Any] = {"lung_right": "right", "lung_left": "left"}


def groups(source: Source, shown: Sequence[Layer]) -> list[Any]:
    """Return the groups of a case in the order of its numbers; lesions first."""
    snapshot = source.snapshot
    segments = {layer.id: layer for layer in shown}
    lungs = lung_map(snapshot)
    out = [_lesion(one, segments.get(one.id), source, lungs) for one in snapshot.lesions]
    known = {one.id for one in snapshot.lesions}
    out += [_structure(layer, source) for layer in shown if layer.id not in known]
    out += [_measured(key, one, source) for key, one in snapshot.measurements]
    out += [_key_image(k, source) for k in key_slices(snapshot)]
    return out


def lung_map(snapshot: CaseSnapshot) -> LungMap:
    """Return where the lungs of a case lie; empty when no model outlined them."""
    lungs = {_LUNGS[s.label]: s.mask for s in snapshot.segments if s.label in _LUNGS}
    return LungMap(lungs, snapshot.volume.affine)


# ------------------------------------------------------------------------------- lesions


def _lesion(one: LesionSnapshot, layer: Layer | None, source: Source, lungs: LungMap) -> Any:
    term = table("labels")[one.label]
    size = one.measurement
    centre = one.centre_lps_mm if size is None else size.centre_lps_mm
    common = {
        "tracking_identifier": _tracking(one.id, source),
        "finding_category": Code(*term["category"]),
        "finding_type": Code(*term["type"]),
        "finding_sites": _sites(term, centre, lungs),
        "algorithm_id": _algorithm(one.model),
        "measurements": [*_sizes(size, source), *_opinions(one)],
        "qualitative_evaluations": _evaluations(one),
    }
    group: Any
    if layer is not None:
        group = hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
            referenced_segment=_segment(layer.number, layer.mask, source), **common
        )
    elif centre is not None:
        region = hd.sr.ImageRegion3D("POINT", np.array([centre]), source.frame_of_reference)
        group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=region, **common
        )
    else:
        group = hd.sr.MeasurementsAndQualitativeEvaluations(**common)
    _sign(group, one.reader, one.verdict_utc or one.changed_utc)
    return group


def _evaluations(one: LesionSnapshot) -> list[Any]:
    said = [
        (our.VERDICT, our.verdict(one.verdict, one.origin)),
        (our.ORIGIN, our.ORIGINS[one.origin]),
    ]
    if one.verdict == "rejected" and one.reason:
        said.append((our.REASON, our.reason(one.reason)))
    if one.impression is not None:
        said.append((our.TEXTURE, our.TEXTURES[one.impression.texture_name]))
    if one.texture is not None and one.texture in our.TEXTURES:
        said.append((our.READER_TEXTURE, our.TEXTURES[one.texture]))
    return [hd.sr.QualitativeEvaluation(name, value) for name, value in said]


def _opinions(one: LesionSnapshot) -> list[Any]:
    """Return what the model itself says in figures, which no reader measured, and ratings."""
    told = [(our.SCORE, one.score, our.NO_UNIT), (our.UNCERTAINTY, one.uncertainty, our.NO_UNIT)]
    if one.impression is not None:
        told.append((our.MALIGNANCY, one.impression.malignancy, our.RATING))
        told.append((our.TEXTURE_RATING, one.impression.texture, our.RATING))
    found = [
        _number(name, value, unit, algorithm_id=_algorithm(one.model))
        for name, value, unit in told
        if value is not None and math.isfinite(value)
    ]
    if one.malignancy is not None:
        found.append(_number(our.READER_RATING, one.malignancy, our.RATING))
    return found


def _sizes(size: Size | None, source: Source) -> list[Any]:
    if size is None:
        return []
    out = [
        _number(codes.SCT.LongAxis, size.diameter_mm, our.MILLIMETRE),
        _number(codes.SCT.ShortAxis, size.short_axis_mm, our.MILLIMETRE),
        _number(codes.SCT.Volume, size.volume_ml, our.MILLILITRE),
    ]
    if math.isfinite(size.mean_value):
        unit = source.snapshot.volume.unit
        out.append(_statistic("mean", size.mean_value, unit))
    return out


def _statistic(name: str, value: float, unit: str) -> Any:
    return _number(
        our.QUANTITIES.get(unit, our.VOXEL_VALUE),
        value,
        our.UNITS.get(unit, our.NO_UNIT),
        derivation=our.DERIVATIONS[name],
    )


def _sites(term: Mapping[str, Any], centre: Any, lungs: LungMap) -> list[Any] | None:
    place = None if centre is None else lungs.place(centre)
    if place is None or place.side is None:
        return [hd.sr.FindingSite(Code(*term["region"]))] if "region" in term else None
    lung, side = our.SIDES[place.side]
    level = None if place.level is None else our.LEVELS[place.level]
    return [hd.sr.FindingSite(lung, side, level)]


# ---------------------------------------------------------------------- everything else


def _structure(layer: Layer, source: Source) -> Any:
    volume_ml = layer.mask.count * geometry.voxel_volume_mm3(source.snapshot.volume.affine) / 1000
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(layer.id, source),
        referenced_segment=_segment(layer.number, layer.mask, source),
        finding_category=Code(*layer.term["category"]),
        finding_type=Code(*layer.term["type"]),
        algorithm_id=_algorithm(layer.model),
        measurements=[_number(codes.SCT.Volume, volume_ml, our.MILLILITRE)],
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(our.ORIGIN, our.ORIGINS[layer.origin])
        ],
    )


def _measured(key: str, one: Measurement, source: Source) -> Any:
    """Return what a reader measured, where it lies in the patient."""
    points = np.array(one.points_lps_mm, dtype=np.float64)
    region = None
    if one.kind in REGIONS:
        region = _region(one, points, source)
        figures = [_figure(value, None) for value in one.values]
    else:
        figures = [_figure(value, _line(one, value.name, points, source)) for value in one.values]
    common = {
        "tracking_identifier": _tracking(key, source),
        "measurements": figures,
        "qualitative_evaluations": [
            hd.sr.QualitativeEvaluation(our.ORIGIN, our.ORIGINS[one.origin])
        ],
    }
    group: Any
    if region is not None:
        group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=region, **common
        )
    else:
        images = None if one.k is None else [_group_image(one.k, source)]
        group = hd.sr.MeasurementsAndQualitativeEvaluations(source_images=images, **common)
    _sign(group, one.reader, one.utc)
    return group


def _figure(value: Value, place: Any) -> Any:
    places = None if place is None else [place]
    if value.name in our.DERIVATIONS:
        return _statistic(value.name, value.value, value.unit)
    return _number(
        our.NAMES[value.name], value.value, our.UNITS[value.unit], referenced_coordinates=places
    )


def _line(one: Measurement, name: str, points: Any, source: Source) -> Any:
    """Return the line that a length or an angle was read from."""
    if one.kind == "bidirectional":
        points = points[:2] if name == "long_axis" else points[2:]
    return hd.sr.CoordinatesForMeasurement3D("POLYLINE", points, source.frame_of_reference)


def _region(one: Measurement, points: Any, source: Source) -> Any:
    if one.kind == "ellipse":
        first, second = (float(np.linalg.norm(points[a] - points[a + 1])) for a in (0, 2))
        if second > first:  # PS3.3 C.18.9.1.2: the major axis comes first
            points = points[[2, 3, 0, 1]]
        return hd.sr.ImageRegion3D("ELLIPSE", points, source.frame_of_reference)
    closed = np.concatenate([points, points[:1]])
    return hd.sr.ImageRegion3D("POLYGON", closed, source.frame_of_reference)


def _key_image(k: int, source: Source) -> Any:
    marks = [image for image in source.snapshot.key_images if image.k == k]
    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(f"key image {k}", source),
        finding_type=codes.DCM.OfInterest,
        source_images=[_group_image(k, source)],
    )
    _sign(group, marks[0].reader, marks[0].utc)
    return group


# --------------------------------------------------------------------------------- parts


def _number(name: Code, value: float, unit: Code, **more: Any) -> Any:
    """Return one figure, with the digits that it was measured to at the most."""
    return hd.sr.Measurement(name, float(f"{value:.8g}"), unit, **more)


def _tracking(key: str, source: Source) -> Any:
    uid, name = tracking_of(source.snapshot, key)
    return hd.sr.TrackingIdentifier(uid=uid, identifier=name)


def _algorithm(model: ModelStamp | None) -> Any:
    if model is None:
        return None
    return hd.sr.AlgorithmIdentification(
        name=model.id[:64],
        version=model.version[:64],
        parameters=[f"weights_sha256={model.sha256}"],
    )


def _segment(number: int, mask: Mask, source: Source) -> Any:
    first = mask.origin_kji[0]
    used = [first + int(k) for k in np.flatnonzero(mask.voxels.any(axis=(1, 2)))]
    return hd.sr.ReferencedSegment(
        sop_class_uid=SegmentationStorage,
        sop_instance_uid=source.identities[_SEG].sop_uid,
        segment_number=number,
        source_images=[
            hd.sr.SourceImageForSegmentation(sop_class, sop_instance, frames)
            for sop_class, sop_instance, frames in _references(used, source)
        ],
    )


def _references(slices: Iterable[int], source: Source) -> list[tuple[str, str, list[int] | None]]:
    """Return the images of slices, those of one file together."""
    found: dict[tuple[str, str], list[int]] = {}
    for k in slices:
        sop_class, sop_instance, frames = source.reference(k)
        found.setdefault((sop_class, sop_instance), []).extend(frames or [])
    return [(*uids, frames or None) for uids, frames in found.items()]


def _group_image(k: int, source: Source) -> Any:
    sop_class, sop_instance, frames = source.reference(k)
    return hd.sr.SourceImageForMeasurementGroup(sop_class, sop_instance, frames)


def _sign(group: Any, reader: str, utc: str | None) -> None:
    """Say of one group who observed it (PS3.16 TID 1003) and when (PS3.3 C.17.3, A032)."""
    root, name = group[0], person_name(reader)
    if name is not None:
        context = hd.sr.RelationshipTypeValues.HAS_OBS_CONTEXT
        root.ContentSequence.extend(
            [
                hd.sr.CodeContentItem(codes.DCM.ObserverType, codes.DCM.Person, context),
                hd.sr.PnameContentItem(codes.DCM.PersonObserverName, name, context),
            ]
        )
    if name is not None and utc:
        root.ObservationDateTime = _datetime(utc)


def _datetime(utc: str) -> str:
    """Return a DT value (PS3.5 6.2) in the time of this machine, as all times of the file are.

    No offset stands for this machine's own; DCMTK takes ``+0000`` for wrong, though it is not.
    """
    local = datetime.fromisoformat(utc).astimezone()
    return local.strftime("%Y%m%d%H%M%S.%f%z").removesuffix("+0000")
