"""Small volumes, findings and cases for the tests of editing; what they hold is known."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from inference import packing
from inference.findings import Detection, Findings, Heatmap, Mask, ModelStamp, Segment
from inference.measure import measure
from inference.volume import Volume
from viewer.annotate.document import AnnotationDocument
from viewer.session import Case, Reader
from viewer.study.order import StackPlan
from viewer.study.series import InstanceHeader, PatientText, Series

SHAPE = (12, 24, 28)
SPACING = (2.0, 0.7, 0.8)
READER = Reader("Reader One", "radiologist")


def affine(spacing=SPACING, flip=(1, 1, 1)) -> np.ndarray:
    """k to the head, j to posterior, i to the left, each turned round where ``flip`` is -1."""
    out = np.eye(4)
    out[:3, :3] = np.eye(3)[:, ::-1] * (np.array(spacing) * flip)
    out[:3, 3] = (-10.0, 20.0, -30.0)
    return out


def volume(shape=SHAPE, seed=0, dtype=np.int16, transform=None) -> Volume:
    voxels = np.random.default_rng(seed).integers(-1000, 400, shape).astype(dtype)
    return Volume(voxels, affine() if transform is None else transform, "CT", "HU")


def ball(centre_kji, radius_mm, shape=SHAPE, spacing=SPACING) -> np.ndarray:
    k, j, i = ((np.arange(n) - c) * s for n, c, s in zip(shape, centre_kji, spacing, strict=True))
    distance2 = (k * k)[:, None, None] + (j * j)[None, :, None] + (i * i)[None, None, :]
    return distance2 <= radius_mm**2


def detection(name, score, centre_kji, radius_mm, of: Volume) -> Detection:
    mask = Mask.from_array(ball(centre_kji, radius_mm, of.shape_kji, of.spacing_kji_mm))
    found = measure(mask, of.affine, of.voxels)
    return Detection(
        id=name,
        label="nodule",
        score=score,
        centre_lps_mm=found.centre_lps_mm,
        diameter_mm=found.diameter_mm,
        short_axis_mm=found.short_axis_mm,
        volume_ml=found.volume_ml,
        mean_value=found.mean_value,
        mask=mask,
    )


def findings(of: Volume, version="1.0", shift=0.0) -> Findings:
    """Two lesions above the threshold, one below it, and both lungs."""
    right, left = np.zeros((2, *of.shape_kji), dtype=bool)
    right[1:11, 3:20, 2:12] = True
    left[1:11, 3:20, 16:26] = True
    ml = abs(np.linalg.det(of.affine[:3, :3])) / 1000
    segments = tuple(
        Segment(name, name, float(array.sum() * ml), Mask.from_array(array))
        for name, array in (("lung_right", right), ("lung_left", left))
    )
    heat = np.random.default_rng(1).integers(0, 255, (4, 5, 6)).astype(np.uint8)
    return Findings(
        model=ModelStamp("lung-nodule-ct", version, "ab" * 32),
        device="CPU",
        detections=(
            detection("d1", 0.9, (5 + shift, 8, 6), 4.0, of),
            detection("d2", 0.7, (7 + shift, 12, 20), 3.0, of),
            detection("d3", 0.2, (3 + shift, 6, 22), 2.5, of),
        ),
        segments=segments,
        heatmap=Heatmap((1, 2, 3), heat, "lesion"),
        threshold=0.5,
        seconds={"run": 1.5},
    )


def findings_sha(of: Findings) -> str:
    digest = hashlib.sha256()
    for part in packing.pack(*packing.findings_parts(of)):
        digest.update(part)
    return digest.hexdigest()


def _mask_state(mask: Mask) -> tuple[Any, ...]:
    if not mask.voxels.size:
        return ()
    return mask.origin_kji, mask.voxels.shape, mask.voxels.tobytes()


def state(document: AnnotationDocument) -> tuple[Any, ...]:
    """Everything that a document says, comparable bit by bit."""

    def values(item):
        return tuple(
            _mask_state(item.mask) if f.name == "mask" else getattr(item, f.name)
            for f in fields(item)
        )

    return (
        tuple(values(lesion) for lesion in document.record),
        tuple(values(segment) for segment in document.segments),
        tuple((run.number, run.utc, findings_sha(run.findings)) for run in document.runs),
        tuple(document.detection_id(lesion.id) for lesion in document.record),
        tuple((topic, _notes_state(document, topic)) for topic in TOPICS),
    )


TOPICS = ("measurement", "key-image", "first-impression", "lock")


def _notes_state(document: AnnotationDocument, topic: str) -> tuple[Any, ...]:
    return tuple(sorted((key, repr(note)) for key, note in document.notes(topic).items()))


def series(uid="1.2.826.0.1.3680043.8.498.1", n=SHAPE[0]) -> Series:
    header = InstanceHeader(
        path=Path("slice.dcm"),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        sop_instance_uid=f"{uid}.9",
        study_uid=f"{uid}.8",
        series_uid=uid,
        frame_of_reference_uid=f"{uid}.7",
        transfer_syntax="1.2.840.10008.1.2.1",
        modality="CT",
        instance_number=1,
        acquisition_number=None,
        image_type=("ORIGINAL", "PRIMARY"),
        rows=SHAPE[1],
        columns=SHAPE[2],
        n_frames=1,
        samples_per_pixel=1,
        photometric="MONOCHROME2",
        bits_allocated=16,
        bits_stored=16,
        high_bit=15,
        signed=True,
        padding_value=None,
        has_modality_lut=False,
        pixel_offset=None,
        pixel_length=None,
        file_size=0,
        patient_key="CANARY-KEY",
        planes=(),
    )
    return Series(
        series_uid=uid,
        study_uid=f"{uid}.8",
        frame_of_reference_uid=f"{uid}.7",
        modality="CT",
        description="CANARY-DESCRIPTION",
        study_description="CANARY-STUDY",
        laterality="",
        body_part="CHEST",
        patient_position="HFS",
        series_number=1,
        series_date="",
        patient=PatientText(name="CANARY^NAME", id="CANARY-ID", birth_date="19310203"),
        instances=(header,) * n,
    )


def plan(of: Series, shape=SHAPE, transform=None) -> StackPlan:
    return StackPlan(
        series=of,
        planes=(),
        shape_kji=shape,
        affine=affine() if transform is None else transform,
        regular=True,
        problems=(),
        refusal=None,
        inverted=False,
    )


def open_case(uid="1.2.826.0.1.3680043.8.498.1", of: Volume | None = None, **options) -> Case:
    which = series(uid)
    options.setdefault("reader", READER)
    return Case.open(which, plan(which), volume() if of is None else of, **options)


def paint(case: Case, target_id, points_kji, brush):
    stroke = case.start_stroke(target_id, brush)
    for point in points_kji:
        stroke.move_to(point)
    return case.commit_stroke(stroke)
