"""Writing what was found as a structured report (PS3.16 TID 1500), and reading it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import pydicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import SegmentationStorage

from viewer.export import program
from viewer.export import sr_codes as our
from viewer.export.layers import Layer
from viewer.export.observers import device, person
from viewer.export.problems import FileProblem
from viewer.export.source import Source, review_text, sign, tracking_of
from viewer.export.sr_groups import groups

NAME = "sr.dcm"
_SEG = "seg.dcm"
_TRACKING, _SEGMENT, _VERDICT = "112040", "121191", our.VERDICT.value


def write(path: Path, source: Source, shown: Sequence[Layer]) -> None:
    """Write the report of a case in which there is something to report.

    Parameters
    ----------
    shown
        What the SEG beside it holds, maybe nothing.

    Raises
    ------
    FileProblem
        When the headers of the series do not allow it.
    """
    identity = source.identities[NAME]
    try:
        report = hd.sr.MeasurementReport(
            observation_context=hd.sr.ObservationContext(
                observer_person_context=person(source.snapshot.reader),
                observer_device_context=device(),
            ),
            procedure_reported=our.PROCEDURES.get(
                source.plan.series.modality, codes.cid100.ImagingProcedure
            ),
            imaging_measurements=groups(source, shown),
        )
        written = hd.sr.Comprehensive3DSR(
            evidence=[*source.headers.values(), *([_segmentation(source)] if shown else [])],
            content=report,
            series_instance_uid=identity.series_uid,
            series_number=identity.series_number,
            sop_instance_uid=identity.sop_uid,
            instance_number=1,
            manufacturer=program.NAME,
            is_complete=source.snapshot.reviewed,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileProblem("headers", type(error).__name__) from error
    written.ManufacturerModelName, written.SoftwareVersions = program.NAME, program.VERSION
    written.DeviceSerialNumber = "0"
    # PS3.3 C.17.2: why it is complete or not.
    written.CompletionFlagDescription = review_text(source.snapshot)
    written.CodingSchemeIdentificationSequence = [_scheme()]
    sign(written, source)
    written.save_as(path)


def _segmentation(source: Source) -> Dataset:
    """Return of the segmentation, which is written beside, what a reference needs."""
    identity, out = source.identities[_SEG], Dataset()
    out.SOPClassUID, out.SOPInstanceUID = SegmentationStorage, identity.sop_uid
    out.StudyInstanceUID = source.first.StudyInstanceUID
    out.SeriesInstanceUID = identity.series_uid
    return out


def _scheme() -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator = our.SCHEME
    item.CodingSchemeName = "Concepts of Overread"
    item.CodingSchemeResponsibleOrganization = program.NAME
    return item


def differs(path: Path, source: Source, shown: Sequence[Layer]) -> str:
    """Read a report with pydicom and say how it differs from the case, or nothing.

    Every lesion with its verdict, its sizes and its segment; every figure that a reader
    measured; every image that is named one of the series.
    """
    dataset = pydicom.dcmread(path)
    told = {_text(group, _TRACKING, "UID"): group for group in _containers(dataset)}
    snapshot = source.snapshot
    numbers = {layer.id: layer.number for layer in shown}
    for lesion in snapshot.lesions:
        group = told.get(tracking_of(snapshot, lesion.id)[0])
        if group is None:
            return f"lesion {lesion.number} is missing"
        if _text(group, _VERDICT) != our.verdict(lesion.verdict, lesion.origin).value:
            return f"lesion {lesion.number} has another verdict"
        if _segment_of(group) != numbers.get(lesion.id):
            return f"lesion {lesion.number} names another segment"
        size = lesion.measurement
        sizes = () if size is None else (size.diameter_mm, size.short_axis_mm, size.volume_ml)
        if not _equal(_numbers(group)[: len(sizes)], sizes):
            return f"lesion {lesion.number} has another size"
    for key, measured in snapshot.measurements:
        group = told.get(tracking_of(snapshot, key)[0])
        if group is None or not _equal(_numbers(group), [one.value for one in measured.values]):
            return f"measurement {measured.number} differs"
    known = {str(header.SOPInstanceUID) for header in source.headers.values()}
    known.add(source.identities[_SEG].sop_uid)
    return "" if set(_named(dataset)) <= known else "names images of elsewhere"


def _containers(dataset: Dataset) -> Iterator[Dataset]:
    for item in dataset.ContentSequence:
        if item.ValueType == "CONTAINER" and _concept(item) == "126010":
            yield from (i for i in item.ContentSequence if i.ValueType == "CONTAINER")


def _concept(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def _text(group: Dataset, concept: str, kind: str = "") -> str:
    """Return UID or coded value of the child that a concept names; empty when there is none."""
    for item in group.ContentSequence:
        if _concept(item) == concept:
            if item.ValueType == "UIDREF":
                return str(item.UID)
            if item.ValueType == "CODE" and not kind:
                return str(item.ConceptCodeSequence[0].CodeValue)
    return ""


def _segment_of(group: Dataset) -> int | None:
    for item in group.ContentSequence:
        if item.ValueType == "IMAGE" and _concept(item) == _SEGMENT:
            named: Any = item.ReferencedSOPSequence[0].ReferencedSegmentNumber
            return int(named)
    return None


def _numbers(group: Dataset) -> list[float]:
    return [
        float(item.MeasuredValueSequence[0].NumericValue)
        for item in group.ContentSequence
        if item.ValueType == "NUM"
    ]


def _equal(told: Sequence[float], meant: Sequence[float]) -> bool:
    # A decimal string has 16 characters (PS3.5 6.2).
    return len(told) == len(meant) and all(
        abs(a - b) <= 1e-6 * max(1.0, abs(b)) for a, b in zip(told, meant, strict=True)
    )


def _named(item: Dataset) -> Iterator[str]:
    for named in item.get("ReferencedSOPSequence", ()):
        yield str(named.ReferencedSOPInstanceUID)
    for child in item.get("ContentSequence", ()):
        yield from _named(child)
