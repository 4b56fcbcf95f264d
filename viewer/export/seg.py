"""Writing masks as DICOM Segmentation (PS3.3 A.51), and reading them back.

The masks go to highdicom as planes beside their source images, in our own order of slices.
``highdicom.Volume.from_attributes`` is not used: it stacks slices the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.sr.coding import Code

from viewer.annotate.lesion import IMPORTED
from viewer.export.layers import Layer
from viewer.export.problems import FileProblem
from viewer.export.snapshot import CaseSnapshot
from viewer.export.source import (
    Source,
    algorithm,
    equipment,
    group_of,
    load,
    off_mm,
    person_name,
    placing_of,
    review_text,
    sign,
    tracking_of,
)

NAME = "seg.dcm"

# PS3.3 C.8.20.2: with an operator's help, be it a correction or a point, it is SEMIAUTOMATIC.
_ALGORITHM = {
    "ai": "AUTOMATIC",
    "ai-edited": "SEMIAUTOMATIC",
    "ai-pointed": "SEMIAUTOMATIC",
    "human": "MANUAL",
    "imported": "MANUAL",
    "imported-edited": "MANUAL",
}


def made_how(layer: Layer) -> str:
    """Return Segment Algorithm Type (0062,0008); of an import what its file says of it."""
    told = "" if layer.imported is None else layer.imported.algorithm_type
    if told in ("AUTOMATIC", "SEMIAUTOMATIC"):
        return told if layer.origin == "imported" else "SEMIAUTOMATIC"
    return _ALGORITHM[layer.origin]


def write(
    path: Path, snapshot: CaseSnapshot, shown: Sequence[Layer], source: Source | None = None
) -> None:
    """Write the layers as one BINARY segmentation.

    Parameters
    ----------
    path
        File to write.
    snapshot
        The case; its source files must still be there, for their headers.
    shown
        At least one layer.
    source
        Of the case, when it was loaded before.

    Raises
    ------
    Problem
        When the headers of the series do not allow a segmentation.
    OSError
        When the file cannot be written.
    """
    source = source or load(snapshot)
    used, masks = _planes(snapshot, shown)
    try:
        segmentation = _make(source, shown, used, masks)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # The message of the library may quote a value of the file, and that is the patient's.
        raise FileProblem("headers", type(error).__name__) from error
    segmentation.save_as(path)


def differs(
    path: Path, snapshot: CaseSnapshot, shown: Sequence[Layer], tolerance_mm: float = 1e-3
) -> str:
    """Read a segmentation with pydicom alone and say how it differs from the masks, or nothing.

    Every frame at its place in the patient, every voxel of every segment.
    """
    dataset = pydicom.dcmread(path)
    if [int(s.SegmentNumber) for s in dataset.SegmentSequence] != [x.number for x in shown]:
        return "segments differ"
    tracked = [str(segment.get("TrackingUID")) for segment in dataset.SegmentSequence]
    if tracked != [tracking_of(snapshot, layer.id)[0] for layer in shown]:
        return "tracking UIDs differ"
    groups = dataset.PerFrameFunctionalGroupsSequence
    places = [
        group_of(dataset, group, "PlanePositionSequence").ImagePositionPatient for group in groups
    ]
    off, slices = off_mm(snapshot.volume.affine, dataset, places)
    if not off <= tolerance_mm:
        return f"lies off by {off:.4g} mm"
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    pixels = np.asarray(dataset.pixel_array).reshape(len(groups), rows, columns)
    numbers = [
        int(group_of(dataset, group, "SegmentIdentificationSequence").ReferencedSegmentNumber)
        for group in groups
    ]
    for layer in shown:
        mine = [n for n, number in enumerate(numbers) if number == layer.number]
        frames = {slices[n]: pixels[n] for n in mine}
        if len(frames) != len(mine):
            return f"segment {layer.number} has a slice twice"
        whole = layer.mask.to_array(snapshot.volume.shape_kji)
        filled = set(np.flatnonzero(whole.any(axis=(1, 2))).tolist())
        if not filled <= set(frames) or not all(
            0 <= k < len(whole) and np.array_equal(frame != 0, whole[k])
            for k, frame in frames.items()
        ):
            return f"segment {layer.number} has other voxels"
    return ""


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
    source: Source, shown: Sequence[Layer], used: list[int], masks: npt.NDArray[np.uint8]
) -> Any:
    snapshot, identity = source.snapshot, source.identities[NAME]
    placing: dict[str, Any] = {}
    if source.multi_frame:
        images = list(source.headers.values())
        placing = placing_of(snapshot, used)
    else:
        images = source.images(used)
    segmentation = hd.seg.Segmentation(
        source_images=images,
        pixel_array=masks,
        segmentation_type="BINARY",
        segment_descriptions=[_describe(layer, snapshot) for layer in shown],
        series_instance_uid=identity.series_uid,
        series_number=identity.series_number,
        sop_instance_uid=identity.sop_uid,
        instance_number=1,
        content_label="OVERREAD",
        content_description=review_text(snapshot),
        content_creator_name=person_name(snapshot.reader),
        **equipment(),
        **placing,
    )
    sign(segmentation, source)
    return segmentation


def _describe(layer: Layer, snapshot: CaseSnapshot) -> Any:
    term, model = layer.term, layer.model
    made_by = None
    if layer.origin not in ("human", *IMPORTED):
        assert model is not None, "only a model makes an AI mask"
        made_by = algorithm(model)
    uid, name = tracking_of(snapshot, layer.id)
    region = [Code(*term["region"])] if "region" in term else None
    described = hd.seg.SegmentDescription(
        segment_number=layer.number,
        segment_label=layer.name,
        segmented_property_category=Code(*term["category"]),
        segmented_property_type=Code(*term["type"]),
        algorithm_type=_ALGORITHM[layer.origin],
        algorithm_identification=made_by,
        tracking_uid=uid,
        tracking_id=name,
        anatomic_regions=region,
        display_color=hd.color.CIELabColor.from_string(term["colour"]),
    )
    if layer.imported is not None:
        # As its file had it. highdicom would want the family of the algorithm, which few files say.
        described.SegmentAlgorithmType = made_how(layer)
        if made_how(layer) != "MANUAL":
            described.SegmentAlgorithmName = layer.imported.algorithm or layer.imported.said[:64]
    return described
