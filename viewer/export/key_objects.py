"""Writing key images as Key Object Selection (PS3.3 A.35.4), and reading them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highdicom as hd
import pydicom
from pydicom.sr.codedict import codes

from viewer.export import program
from viewer.export.notes import key_slices
from viewer.export.observers import device, person
from viewer.export.problems import FileProblem
from viewer.export.source import Source, review_text, sign

NAME = "key-images.dcm"


def write(path: Path, source: Source) -> None:
    """Write which images were marked; there is at least one.

    Raises
    ------
    FileProblem
        When the headers of the series do not allow it.
    """
    identity, marked = source.identities[NAME], key_slices(source.snapshot)
    try:
        content = hd.ko.KeyObjectSelection(
            document_title=codes.DCM.OfInterest,
            referenced_objects=[source.header(k) for k in marked],
            observer_person_context=person(_marker(source)),
            observer_device_context=device(),
            description=f"Key images. {review_text(source.snapshot)}. {program.RESEARCH_USE}",
        )
        _name_frames(content[0], source, marked)
        written = hd.ko.KeyObjectSelectionDocument(
            evidence=source.images(marked),
            content=content,
            series_instance_uid=identity.series_uid,
            series_number=identity.series_number,
            sop_instance_uid=identity.sop_uid,
            instance_number=1,
            manufacturer=program.NAME,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileProblem("headers", type(error).__name__) from error
    written.ManufacturerModelName, written.SoftwareVersions = program.NAME, program.VERSION
    # The library takes over what is required alone; a study says one thing of itself.
    written.copy_patient_and_study_information(source.first)
    sign(written, source)
    written.save_as(path)


def _marker(source: Source) -> str:
    """Return who marked all of them; where several did, nobody is named for the others' marks."""
    readers = {image.reader for image in source.snapshot.key_images}
    return readers.pop() if len(readers) == 1 else ""


def _name_frames(root: Any, source: Source, marked: list[int]) -> None:
    """Name the frame of images that hold several, which the library has no room for."""
    images = [item for item in root.ContentSequence if item.ValueType == "IMAGE"]
    for item, k in zip(images, marked, strict=True):
        if (frames := source.reference(k)[2]) is not None:
            item.ReferencedSOPSequence[0].ReferencedFrameNumber = frames[0]


def differs(path: Path, source: Source) -> str:
    """Read a selection with pydicom and say how it differs from what was marked, or nothing."""
    dataset = pydicom.dcmread(path)
    told = []
    for item in dataset.ContentSequence:
        if item.ValueType == "IMAGE":
            named = item.ReferencedSOPSequence[0]
            frame = named.get("ReferencedFrameNumber")
            uids = str(named.ReferencedSOPClassUID), str(named.ReferencedSOPInstanceUID)
            told.append((*uids, None if frame is None else [int(frame)]))
    if told != [source.reference(k) for k in key_slices(source.snapshot)]:
        return "names other images"
    evidence = {
        str(one.ReferencedSOPInstanceUID)
        for study in dataset.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    return "" if evidence == {uid for _, uid, _ in told} else "has other evidence"
