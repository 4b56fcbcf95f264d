"""Writing masks as an RT Structure Set (PS3.3 A.19) of closed planar contours, and checking it.

By pydicom: no kept library writes contours of a mask exactly. Implicit VR, as the coordinates of
one contour may take more than the 64 KB that a decimal string has room for in explicit VR.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pydicom
from PIL import ImageColor
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.tag import Tag
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage

from inference import geometry
from viewer.export import program
from viewer.export.contours import area, filled, outlines
from viewer.export.layers import Layer
from viewer.export.problems import FileProblem
from viewer.export.seg import made_how
from viewer.export.snapshot import CaseSnapshot
from viewer.export.source import Source, person_name, review_text, sign, tracking_of

NAME = "rtstruct.dcm"

_CONTOUR_DATA = Tag(0x3006, 0x0050)
_AREA_SHARE = 1e-3


def write(path: Path, source: Source, shown: Sequence[Layer]) -> None:
    """Write each layer as one region of interest.

    Parameters
    ----------
    path
        File to write.
    source
        The series.
    shown
        At least one layer.

    Raises
    ------
    FileProblem
        When the headers of the series do not allow it.
    """
    try:
        dataset = _head(source)
        _describe(dataset, source, shown)
        dataset.ROIContourSequence = [_contours(layer, source) for layer in shown]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileProblem("headers", type(error).__name__) from error
    dataset.save_as(path, enforce_file_format=True)


def _head(source: Source) -> hd.SOPClass:
    identity, first = source.identities[NAME], source.first
    out = hd.SOPClass(
        study_instance_uid=first.StudyInstanceUID,
        series_instance_uid=identity.series_uid,
        series_number=identity.series_number,
        sop_instance_uid=identity.sop_uid,
        sop_class_uid=RTStructureSetStorage,
        instance_number=1,
        modality="RTSTRUCT",
        transfer_syntax_uid=ImplicitVRLittleEndian,
    )
    out.copy_patient_and_study_information(first)
    if "SpecificCharacterSet" in first:
        out["SpecificCharacterSet"] = first["SpecificCharacterSet"]
    out.OperatorsName = person_name(source.snapshot.reader) or ""
    out.Manufacturer = out.ManufacturerModelName = program.NAME
    out.SoftwareVersions, out.DeviceSerialNumber = program.VERSION, "0"
    out.FrameOfReferenceUID, out.PositionReferenceIndicator = source.frame_of_reference, ""
    out.StructureSetLabel = "OVERREAD"
    out.StructureSetName = review_text(source.snapshot)
    out.StructureSetDescription = f"{review_text(source.snapshot)}. {program.RESEARCH_USE}"
    out.StructureSetDate = out.SeriesDate = out.InstanceCreationDate
    out.StructureSetTime = out.SeriesTime = out.InstanceCreationTime
    out.ApprovalStatus = "UNAPPROVED"  # PS3.3 C.8.8.16: what a reader says of a finding is none
    sign(out, source)
    return out


def _describe(out: Dataset, source: Source, shown: Sequence[Layer]) -> None:
    """Say which images and which structures the contours are of."""
    series = Dataset()
    series.SeriesInstanceUID = source.first.SeriesInstanceUID
    series.ContourImageSequence = [_image(source, k) for k in range(len(source.plan.planes))]
    study = Dataset()
    # Retired but asked for (PS3.3 C.8.8.5, note): Detached Study Management.
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = source.first.StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID = source.frame_of_reference
    frame.RTReferencedStudySequence = [study]
    out.ReferencedFrameOfReferenceSequence = [frame]
    out.StructureSetROISequence = [_roi(layer, source) for layer in shown]
    out.RTROIObservationsSequence = [_observation(layer) for layer in shown]


def _roi(layer: Layer, source: Source) -> Dataset:
    roi = Dataset()
    roi.ROINumber = layer.number
    roi.ReferencedFrameOfReferenceUID = source.frame_of_reference
    roi.ROIName = layer.name
    said = [f"Tracking UID {tracking_of(source.snapshot, layer.id)[0]}"]
    if layer.model is not None:
        said.append(f"{layer.model.id} {layer.model.version}, SHA-256 {layer.model.sha256}")
    roi.ROIDescription = "; ".join(said)
    roi.ROIVolume = f"{layer.mask.count * _voxel_ml(source.snapshot):.6g}"  # cubic centimetres
    roi.ROIGenerationAlgorithm = made_how(layer)
    return roi


def _observation(layer: Layer) -> Dataset:
    out = Dataset()
    out.ObservationNumber = out.ReferencedROINumber = layer.number
    out.ROIObservationLabel = layer.name[:16]
    out.RTROIIdentificationCodeSequence = [_coded(Code(*layer.term["type"]))]
    out.RTROIInterpretedType = "ORGAN" if layer.term["kind"] == "anatomy" else ""
    out.ROIInterpreter = ""
    return out


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code.value, code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def _image(source: Source, k: int) -> Dataset:
    sop_class, sop_instance, frames = source.reference(k)
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_instance
    if frames:
        item.ReferencedFrameNumber = frames[0]
    return item


def _contours(layer: Layer, source: Source) -> Dataset:
    affine, mask = source.snapshot.volume.affine, layer.mask
    corner = np.array(mask.origin_kji, dtype=np.float64) - (0, 0.5, 0.5)
    items: list[Dataset] = []
    for at, plane in enumerate(mask.voxels):
        for loop in outlines(plane):
            points_kji = np.column_stack([np.full(len(loop), at), loop]) + corner
            item = Dataset()
            item.ContourImageSequence = [_image(source, mask.origin_kji[0] + at)]
            item.ContourGeometricType = "CLOSED_PLANAR"
            item.NumberOfContourPoints = len(loop)
            item.ContourNumber = len(items) + 1
            _put_points(item, geometry.kji_to_lps_mm(affine, points_kji))
            items.append(item)
    out = Dataset()
    out.ROIDisplayColor = list(ImageColor.getrgb(layer.term["colour"]))
    out.ReferencedROINumber = layer.number
    out.ContourSequence = items
    return out


def _put_points(item: Dataset, points_lps_mm: npt.NDArray[np.float64]) -> None:
    """Set Contour Data (3006,0050), as bytes: a lung has a million numbers."""
    text = "\\".join([f"{v:.4f}" for v in points_lps_mm.ravel().tolist()]).encode("ascii")
    text += b" " * (len(text) % 2)
    item[_CONTOUR_DATA] = RawDataElement(_CONTOUR_DATA, "DS", len(text), text, 0, True, True, True)


def _voxel_ml(snapshot: CaseSnapshot) -> float:
    return geometry.voxel_volume_mm3(snapshot.volume.affine) / 1000.0


def differs(path: Path, source: Source, shown: Sequence[Layer], tolerance_mm: float = 1e-3) -> str:
    """Read a structure set with pydicom and say how it differs from the masks, or nothing.

    The contours are filled anew, in patient space back to the grid of the volume: the same
    voxels, the same volume, each contour in the plane of the image that it names.
    """
    dataset = pydicom.dcmread(path)
    numbers = [int(roi.ROINumber) for roi in dataset.StructureSetROISequence]
    drawn = {int(roi.ReferencedROINumber): roi for roi in dataset.ROIContourSequence}
    if numbers != [layer.number for layer in shown] or set(drawn) != set(numbers):
        return "regions differ"
    if dataset.FrameOfReferenceUID != source.frame_of_reference:
        return "another frame of reference"
    for layer in shown:
        if wrong := _roi_differs(drawn[layer.number], layer, source, tolerance_mm):
            return f"region {layer.number} {wrong}"
    return ""


def _roi_differs(roi: Any, layer: Layer, source: Source, tolerance_mm: float) -> str:
    volume = source.snapshot.volume
    loops: dict[int, list[npt.NDArray[np.float64]]] = {}
    for item in roi.ContourSequence:
        points = _points(item)
        kji = geometry.lps_mm_to_kji(volume.affine, points)
        k = round(float(kji[0, 0]))
        flat = kji.copy()
        flat[:, 0] = k
        off = float(np.abs(geometry.kji_to_lps_mm(volume.affine, flat) - points).max())
        if not off <= tolerance_mm or not 0 <= k < volume.shape_kji[0]:
            return f"lies off its slice by {off:.4g} mm"
        image = item.ContourImageSequence[0]
        if str(image.ReferencedSOPInstanceUID) != source.reference(k)[1]:
            return "names another image"
        loops.setdefault(k, []).append(kji[:, 1:])
    whole = layer.mask.to_array(volume.shape_kji)
    if set(np.flatnonzero(whole.any(axis=(1, 2))).tolist()) != set(loops):
        return "has other slices"
    if not all(np.array_equal(filled(one, whole.shape[1:]), whole[k]) for k, one in loops.items()):
        return "has other voxels"
    enclosed = sum(area(one) for one in loops.values())
    if not abs(enclosed - layer.mask.count) <= _AREA_SHARE * layer.mask.count:
        return "has another volume"
    return ""


def _points(item: Dataset) -> npt.NDArray[np.float64]:
    raw: Any = item.get_item(_CONTOUR_DATA)
    numbers = np.array(bytes(raw.value).split(b"\\"), dtype=np.float64)
    if numbers.size != 3 * int(item.NumberOfContourPoints):
        raise FileProblem("misread", "number of points", name=NAME)
    return numbers.reshape(-1, 3)
