"""Writing the model's maps as Parametric Map (PS3.3 A.75), and reading them back with pydicom.

Floating point, as that is what dcmqi and 3D Slicer read, and cropped to where the model looked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference import geometry
from inference.findings import Heatmap
from resources import table
from viewer.export.problems import FileProblem
from viewer.export.source import (
    Source,
    equipment,
    group_of,
    off_mm,
    person_name,
    placing_of,
    review_text,
    sign,
)

HEATMAP, UNCERTAINTY = "heatmap.dcm", "uncertainty.dcm"


def write(path: Path, source: Source, map: Heatmap) -> None:
    """Write one map, each frame with the image that it was made of.

    Raises
    ------
    FileProblem
        When the headers of the series do not allow it.
    """
    try:
        written = _make(path.name, source, map)
        _ascend(written, source)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileProblem("headers", type(error).__name__) from error
    written.save_as(path)


def _slices(map: Heatmap) -> list[int]:
    return list(range(map.box[0].start, map.box[0].stop))


def _corner(map: Heatmap) -> tuple[int, int]:
    return map.box[1].start, map.box[2].start


def _values(map: Heatmap) -> npt.NDArray[np.float32]:
    return map.values.astype(np.float32) / np.float32(255)


def _make(name: str, source: Source, map: Heatmap) -> Any:
    snapshot, identity = source.snapshot, source.identities[name]
    spread = name == UNCERTAINTY
    mapping = hd.pm.RealWorldValueMapping(
        lut_label="UNCERTAINTY" if spread else "PROBABILITY",
        lut_explanation=(map.meaning or "probability")[:64],
        unit=codes.UCUM.NoUnits,
        value_range=(0.0, 1.0),
        quantity_definition=None if spread else codes.DCM.Probability,
    )
    written = hd.pm.ParametricMap(
        source_images=source.images(_slices(map)),
        pixel_array=_values(map),
        series_instance_uid=identity.series_uid,
        series_number=identity.series_number,
        sop_instance_uid=identity.sop_uid,
        instance_number=1,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.5, window_width=1.0)],
        content_label="UNCERTAINTY" if spread else "HEATMAP",
        content_description=review_text(snapshot),
        content_creator_name=person_name(snapshot.reader),
        **equipment(),
        **placing_of(snapshot, _slices(map), _corner(map)),
    )
    sign(written, source)
    _place(written, source)
    written.SeriesDescription += ", uncertainty" if spread else ", heatmap"
    return written


def _place(written: Any, source: Source) -> None:
    """Name the region of the body (PS3.3 C.7.6.16.2.8), when all that was found lies in one."""
    found = source.snapshot.findings
    labels = {lesion.label for lesion in source.snapshot.lesions}
    labels |= {detection.label for detection in (found.detections if found else ())}
    regions = {tuple(table("labels")[label].get("region", ())) for label in labels} - {()}
    if len(regions) != 1:
        written.Laterality = ""  # PS3.3 C.7.3.1, type 2C: of which body part is not known
        return
    anatomy = Dataset()
    anatomy.AnatomicRegionSequence = [_coded(Code(*regions.pop()))]
    anatomy.FrameLaterality = "B"
    written.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [anatomy]


def _ascend(written: Any, source: Source) -> None:
    """Put the frames into the order of the slices, and name the source of each.

    The library puts them into an order of its own; dcmqi takes the first for the lowest one and
    would turn the map upside down. PS3.3 C.7.6.16.2.6: the source of a frame.
    """
    groups = list(written.PerFrameFunctionalGroupsSequence)
    places = [
        group_of(written, group, "PlanePositionSequence").ImagePositionPatient for group in groups
    ]
    slices = np.rint(geometry.lps_mm_to_kji(source.snapshot.volume.affine, places)[:, 0])
    order = np.argsort(slices)
    pixels = np.frombuffer(written.FloatPixelData, dtype="<f4").reshape(len(groups), -1)
    written.FloatPixelData = pixels[order].tobytes()
    written.PerFrameFunctionalGroupsSequence = [groups[n] for n in order]
    for number, n in enumerate(order, start=1):
        content = groups[n].FrameContentSequence[0]
        content.DimensionIndexValues = [number]
        if "InStackPositionNumber" in content:
            content.InStackPositionNumber = number
        groups[n].DerivationImageSequence = [_derived(source, int(slices[n]))]


def _derived(source: Source, k: int) -> Dataset:
    sop_class, sop_instance, frames = source.reference(k)
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = sop_class, sop_instance
    if frames:
        image.ReferencedFrameNumber = frames[0]
    image.PurposeOfReferenceCodeSequence = [
        _coded(codes.DCM.SourceImageForImageProcessingOperation)
    ]
    derived = Dataset()
    derived.SourceImageSequence = [image]
    derived.DerivationCodeSequence = [_coded(codes.DCM.ImageProcessing)]
    return derived


def _coded(code: Code) -> Dataset:
    return hd.sr.CodedConcept(code.value, code.scheme_designator, code.meaning)


def differs(path: Path, source: Source, map: Heatmap, tolerance_mm: float = 1e-3) -> str:
    """Read a map with pydicom alone and say how it differs from the model's, or nothing."""
    dataset = pydicom.dcmread(path)
    groups = dataset.PerFrameFunctionalGroupsSequence
    positions = [
        group_of(dataset, group, "PlanePositionSequence").ImagePositionPatient for group in groups
    ]
    off, slices = off_mm(source.snapshot.volume.affine, dataset, positions, _corner(map))
    if not off <= tolerance_mm:
        return f"lies off by {off:.4g} mm"
    if slices != _slices(map):
        return "has other slices"
    stored = np.asarray(dataset.pixel_array)
    stored = stored.reshape(len(groups), int(dataset.Rows), int(dataset.Columns))
    meant = _values(map)
    if stored.shape != meant.shape or not np.array_equal(stored, meant):
        return "has other values"
    for group, k in zip(groups, slices, strict=True):
        image = group.DerivationImageSequence[0].SourceImageSequence[0]
        if str(image.ReferencedSOPInstanceUID) != source.reference(k)[1]:
            return "names another image"
    mapping = group_of(dataset, groups[0], "RealWorldValueMappingSequence")
    if (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) != (1.0, 0.0):
        return "has another scale"
    return ""
