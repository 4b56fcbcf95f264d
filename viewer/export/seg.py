"""Writing masks as DICOM Segmentation (PS3.3 A.51), and reading them back.

The masks go to highdicom as planes beside their source images, in our own order of slices.
``highdicom.Volume.from_attributes`` is not used: it stacks slices the other way.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
import warnings
from collections.abc import Sequence
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
from viewer.export import program
from viewer.export.layers import Layer
from viewer.export.nifti import corner_points
from viewer.export.problems import FileProblem
from viewer.export.snapshot import CaseSnapshot
from viewer.study import quiet
from viewer.study.order import StackPlan

# PS3.3 C.8.20.2: with an operator's help, be it a correction or a point, it is SEMIAUTOMATIC.
_ALGORITHM = {
    "ai": "AUTOMATIC",
    "ai-edited": "SEMIAUTOMATIC",
    "ai-pointed": "SEMIAUTOMATIC",
    "human": "MANUAL",
}
_NAMESPACE = uuid.UUID("2f0a6d0e-6b7e-4a55-8a35-6b1f6d1c6f5e")
_SERIES_NUMBER = 9100
_ALONE = frozenset(
    f"ISO 2022 IR {n}" for n in (6, 13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166)
)
_TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "ReferringPhysicianName",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
)


def write(path: Path, snapshot: CaseSnapshot, shown: Sequence[Layer]) -> None:
    """Write the layers as one BINARY segmentation.

    Parameters
    ----------
    path
        File to write.
    snapshot
        The case; its source files must still be there, for their headers.
    shown
        At least one layer.

    Raises
    ------
    Problem
        When the headers of the series do not allow a segmentation.
    OSError
        When the file cannot be written.
    """
    _hush()
    sources = _sources(snapshot.plan, snapshot.volume.spacing_kji_mm[0])
    used, masks = _planes(snapshot, shown)
    try:
        segmentation = _make(snapshot, shown, sources, used, masks)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # The message of the library may quote a value of the file, and that is the patient's.
        raise FileProblem("headers", type(error).__name__) from error
    segmentation.save_as(path)


def differs(
    path: Path, snapshot: CaseSnapshot, shown: Sequence[Layer], tolerance_mm: float = 1e-3
) -> str:
    """Read a segmentation with highdicom and say how it differs from the masks, or nothing."""
    _hush()
    segmentation = hd.seg.segread(path)
    if list(segmentation.segment_numbers) != [layer.number for layer in shown]:
        return "segments differ"
    inverse = np.linalg.inv(snapshot.volume.affine)
    for layer in shown:
        volume = segmentation.get_volume(
            segment_numbers=[layer.number], combine_segments=False, allow_missing_positions=True
        )
        array, theirs = volume.array[..., 0], np.asarray(volume.affine, dtype=np.float64)
        points = corner_points(array.shape)
        there = geometry.kji_to_lps_mm(theirs, points)
        ours = np.rint(geometry.kji_to_lps_mm(np.asarray(inverse, dtype=np.float64), there))
        meant = geometry.kji_to_lps_mm(snapshot.volume.affine, ours)
        off = float(np.abs(there - meant).max())
        if not off <= tolerance_mm:
            return f"segment {layer.number} lies off by {off:.4g} mm"
        low, high = ours.min(axis=0).astype(int), ours.max(axis=0).astype(int) + 1
        if ours[0][0] > ours[1][0] or (array.shape[0] == 1 and theirs[:3, 0] @
                                       snapshot.volume.affine[:3, 0] < 0):  # fmt: skip
            array = array[::-1]
        whole = layer.mask.to_array(snapshot.volume.shape_kji)
        window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        if not np.array_equal(whole[window], array != 0) or (
            int(np.count_nonzero(array)) != layer.mask.count
        ):
            return f"segment {layer.number} has other voxels"
    return ""


def tracking_uid(series_uid: str, layer_id: str) -> str:
    """Return the Tracking UID (0062,0021): the same for one lesion in every export of its case."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'{series_uid}/{layer_id}').int}"


def _hush() -> None:
    """Silence highdicom too: its warnings quote the patient's name."""
    quiet.hush()
    logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"highdicom(\.|$)")
    warnings.filterwarnings("ignore", category=UserWarning, module=r"viewer\.export\.")


def _sources(plan: StackPlan, thickness_mm: float) -> dict[Path, Dataset]:
    """Read the headers of the series, each file once."""
    out: dict[Path, Dataset] = {}
    for ref in plan.planes:
        path = ref.instance.path
        if path in out:
            continue
        try:
            out[path] = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        except Exception as error:
            raise FileProblem("unreadable", type(error).__name__) from error
    for header in out.values():
        _complete(header, thickness_mm)
    first = next(iter(out.values()))
    # A series has one frame of reference (PS3.3 C.7.4.1). Some de-identified ones (LIDC-IDRI)
    # gave each slice its own, some old ones have none; position and orientation prove that
    # the slices belong together.
    frame_of_reference = (
        plan.series.frame_of_reference_uid
        or first.get("FrameOfReferenceUID")
        or tracking_uid(plan.series.series_uid, "frame of reference")
    )
    for header in out.values():
        header.FrameOfReferenceUID = frame_of_reference
    return out


def _complete(header: Dataset, thickness_mm: float) -> None:
    """Put in what the standard wants there, if only empty (PS3.3 C.7.1.1, C.7.2.1, type 2)."""
    if header.get("SliceThickness") is None:
        header.SliceThickness = thickness_mm
    for keyword in _TYPE_2:
        if keyword not in header:
            setattr(header, keyword, "")
    name = header.get("SpecificCharacterSet", "ISO_IR 6")
    if not name:
        del header.SpecificCharacterSet
    elif isinstance(name, str) and name in _ALONE:
        # A code extension without anything that it extends (PS3.3 C.12.1.1.2).
        header.SpecificCharacterSet = name.replace("ISO 2022 IR", "ISO_IR")


def _planes(
    snapshot: CaseSnapshot, shown: Sequence[Layer]
) -> tuple[list[int], npt.NDArray[np.uint8]]:
    """Return the slices that any layer touches, and (plane, row, column, layer) masks of them."""
    count, rows, columns = snapshot.volume.shape_kji
    touched = np.zeros(count, dtype=np.bool_)
    for layer in shown:
        touched[layer.mask.box[0]] |= layer.mask.voxels.any(axis=(1, 2))
    used = np.flatnonzero(touched)
    place = np.cumsum(touched) - 1
    # One layer after the other in memory: they are written so, and the last axis is a view.
    masks = np.zeros((len(shown), len(used), rows, columns), dtype=np.uint8)
    for n, layer in enumerate(shown):
        k, j, i = layer.mask.box
        for offset in range(layer.mask.voxels.shape[0]):
            if touched[k.start + offset]:
                masks[n, place[k.start + offset], j, i] = layer.mask.voxels[offset]
    return [int(k) for k in used], np.moveaxis(masks, 0, -1)


def _make(
    snapshot: CaseSnapshot,
    shown: Sequence[Layer],
    sources: dict[Path, Dataset],
    used: list[int],
    masks: npt.NDArray[np.uint8],
) -> Any:
    plan = snapshot.plan
    single = all(ref.instance.n_frames == 1 for ref in plan.planes)
    placing: dict[str, Any] = {}
    if single:
        images = [sources[plan.planes[k].instance.path] for k in used]
    else:
        images = list(sources.values())
        placing = _placing(snapshot, used)
        # highdicom looks for these in the shared groups alone; a source may have them per frame.
        for header in images:
            if "SharedFunctionalGroupsSequence" not in header:
                header.SharedFunctionalGroupsSequence = [Dataset()]
            shared = header.SharedFunctionalGroupsSequence[0]
            shared.PixelMeasuresSequence = placing["pixel_measures"]
            shared.PlaneOrientationSequence = placing["plane_orientation"]
    reviewed = snapshot.reviewed
    segmentation = hd.seg.Segmentation(
        source_images=images,
        pixel_array=masks,
        segmentation_type="BINARY",
        segment_descriptions=[_describe(layer, plan) for layer in shown],
        series_instance_uid=_fresh_uid(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=_fresh_uid(),
        instance_number=1,
        manufacturer="Overread",
        manufacturer_model_name="Overread",
        software_versions=program.VERSION,
        device_serial_number="0",
        content_label="OVERREAD",
        content_description="Reviewed by a person" if reviewed else "AI, not reviewed",
        content_creator_name=_person_name(snapshot.reader),
        **placing,
    )
    # highdicom leaves this one empty, and a study has one value of it (PS3.3 C.7.2.1).
    segmentation.ReferringPhysicianName = images[0].ReferringPhysicianName
    segmentation.SeriesDescription = (
        "Overread, reviewed, research use" if reviewed else "Overread: AI, not reviewed"
    )
    return segmentation


def _placing(snapshot: CaseSnapshot, used: list[int]) -> dict[str, Any]:
    """Return explicit places of the planes, for frames of a multi-frame source."""
    affine, spacing = snapshot.volume.affine, snapshot.volume.spacing_kji_mm
    places = geometry.kji_to_lps_mm(affine, [(k, 0, 0) for k in used])
    across, down = affine[:3, 2] / spacing[2], affine[:3, 1] / spacing[1]
    return {
        "plane_positions": [
            hd.PlanePositionSequence("PATIENT", image_position=tuple(place)) for place in places
        ],
        "plane_orientation": hd.PlaneOrientationSequence(
            "PATIENT", image_orientation=(*across, *down)
        ),
        "pixel_measures": hd.PixelMeasuresSequence(
            pixel_spacing=(spacing[1], spacing[2]),
            slice_thickness=spacing[0],
            spacing_between_slices=spacing[0],
        ),
    }


def _describe(layer: Layer, plan: StackPlan) -> Any:
    term, model = layer.term, layer.model
    algorithm = None
    if layer.origin != "human":
        assert model is not None, "only a model makes an AI mask"
        algorithm = hd.AlgorithmIdentificationSequence(
            name=model.id[:64],
            family=codes.DCM.ArtificialIntelligence,
            version=model.version[:64],
            parameters={"weights_sha256": model.sha256},
        )
    region = [Code(*term["region"])] if "region" in term else None
    return hd.seg.SegmentDescription(
        segment_number=layer.number,
        segment_label=layer.name,
        segmented_property_category=Code(*term["category"]),
        segmented_property_type=Code(*term["type"]),
        algorithm_type=_ALGORITHM[layer.origin],
        algorithm_identification=algorithm,
        tracking_uid=tracking_uid(plan.series.series_uid, layer.id),
        tracking_id=_short(layer.id),
        anatomic_regions=region,
        display_color=hd.color.CIELabColor.from_string(term["colour"]),
    )


def _short(text: str) -> str:
    if len(text) <= 64:
        return text
    return hashlib.sha256(text.encode()).hexdigest()


def _person_name(reader: str) -> str | None:
    """Return a reader's name as a PN value (PS3.5 6.2): one component, no delimiters."""
    cleaned = "".join(c for c in reader if c.isprintable() and c not in "\\^=").strip()
    # The caret says that a single component is meant.
    return f"{cleaned[:60]}^" if cleaned else None


def _fresh_uid() -> str:
    return f"2.25.{uuid.uuid4().int}"
