"""Lesions and segments of a document as an export takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from inference.findings import Detection, ModelStamp
from inference.measure import Measurement
from resources import labels, table
from viewer.annotate import adjudication, attributes, key_images, measurements
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.lesion import Lesion, Point, SegmentState
from viewer.export.snapshot import Absence, ImportedSnapshot, LesionSnapshot, SegmentSnapshot

_NOTHING_SAID = attributes.Attributes()


def record_snapshot(
    document: AnnotationDocument, threshold: float, changed_utc: Mapping[str, str]
) -> tuple[tuple[LesionSnapshot, ...], tuple[tuple[Absence, LesionSnapshot], ...]]:
    """Freeze every lesion: those that are listed at a threshold, and the others with the reason.

    Parameters
    ----------
    changed_utc
        When a reader last did something to a lesion, ISO 8601, by id.
    """
    listed = {lesion.id for lesion in document.shown(threshold)}
    chosen = adjudication.choices_by_lesion(document)
    lesions: list[LesionSnapshot] = []
    others: list[tuple[Absence, LesionSnapshot]] = []
    for lesion in document.record:
        frozen = lesion_snapshot(
            lesion,
            document.detection_id(lesion.id),
            changed_utc.get(lesion.id),
            document.made_by(lesion),
            document.detection(lesion.id),
            _pointed_lps_mm(document, lesion),
            adjudicated=chosen.get(lesion.id, ""),
            said=attributes.of(document, lesion.id),
            imported=_imported(document, lesion.id),
        )
        if lesion.id in listed:
            lesions.append(frozen)
        else:
            others.append((_absence(lesion), frozen))
    return tuple(lesions), tuple(others)


def _absence(lesion: Lesion) -> Absence:
    if lesion.deleted:
        return "deleted"
    return "superseded" if lesion.superseded else "below-threshold"


def _imported(document: AnnotationDocument, target_id: str) -> ImportedSnapshot | None:
    came = document.imported(target_id)
    if came is None:
        return None
    about = {key: str(value or "") for key, value in came.outline.about.items()}
    names = ("tracking_uid", "tracking_id", "algorithm_type", "algorithm")
    return ImportedSnapshot(came.said, **{name: about.get(name, "") for name in names})


def _pointed_lps_mm(document: AnnotationDocument, lesion: Lesion) -> Point | None:
    pointed = document.outlined(lesion.id)
    return None if pointed is None else pointed.point_lps_mm


def lesion_snapshot(
    lesion: Lesion,
    detection_id: str | None,
    changed_utc: str | None,
    model: ModelStamp | None,
    proposed: Detection | None = None,
    pointed_lps_mm: Point | None = None,
    adjudicated: str = "",
    said: attributes.Attributes = _NOTHING_SAID,
    imported: ImportedSnapshot | None = None,
) -> LesionSnapshot:
    """Freeze one lesion.

    Parameters
    ----------
    detection_id
        What the latest findings call it, or None.
    changed_utc
        When a reader last did something to it, ISO 8601, or None.
    model
        Which model proposed it, or None.
    proposed
        What that model said of it, or None.
    pointed_lps_mm
        Where a reader pointed for it, LPS mm, or None.
    adjudicated
        Whose it is in an adjudicated reading, or empty.
    said
        What a reader says of it.
    imported
        Of which file it came, or None.
    """
    measurement = None
    if not lesion.empty:
        measurement = Measurement(
            lesion.centre_lps_mm,
            lesion.diameter_mm,
            lesion.short_axis_mm,
            lesion.volume_ml,
            float("nan") if lesion.mean_value is None else lesion.mean_value,
        )
    return LesionSnapshot(
        id=lesion.id,
        number=lesion.number,
        label=lesion.label,
        origin=lesion.origin,
        verdict=lesion.verdict,
        mask=lesion.mask,
        measurement=measurement,
        score=lesion.score,
        detection_id=detection_id,
        reader=lesion.reader or "",
        verdict_utc=lesion.decided_utc,
        changed_utc=changed_utc,
        centre_lps_mm=lesion.centre_lps_mm,
        model=model,
        uncertainty=None if proposed is None else proposed.uncertainty,
        impression=None if proposed is None else proposed.impression,
        pointed_lps_mm=pointed_lps_mm,
        reason=lesion.decision.reason,
        adjudicated=adjudicated,
        texture=said.texture,
        malignancy=said.malignancy,
        imported=imported,
        missed_by_ai=lesion.missed_by_ai,
    )


class Notes(TypedDict):
    """Fields of a ``CaseSnapshot`` that notes and labels of a document fill."""

    measurements: tuple[tuple[str, measurements.Measurement], ...]
    measurements_left_out: int
    key_images: tuple[key_images.KeyImage, ...]
    terms: dict[str, Mapping[str, Any]]


def notes_snapshot(document: AnnotationDocument) -> Notes:
    """Freeze what readers measured and marked beside the lesions."""
    used = {lesion.label for lesion in document.record}
    used |= {segment.label for segment in document.segments}
    measured = measurements.kept(document.notes(measurements.TOPIC))
    return {
        "measurements": tuple(measured.by_id.items()),
        "measurements_left_out": measured.damaged,
        "key_images": key_images.key_images(document.notes(key_images.TOPIC)),
        "terms": {key: dict(table("labels")[key]) for key in used if not labels.is_bundled(key)},
    }


def segment_snapshot(document: AnnotationDocument, segment: SegmentState) -> SegmentSnapshot:
    """Freeze one structure."""
    return SegmentSnapshot(
        segment.id,
        segment.label,
        segment.origin,
        segment.volume_ml,
        segment.mask,
        document.made_by(segment),
        _imported(document, segment.id),
    )
