"""Cases for training sets: the reviewed phantom with square pixels, of several patients."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom

from inference.findings import Mask
from inference.measure import measure
from tests.export_cases import blob, reviewed_case
from viewer.export.snapshot import CaseSnapshot, LesionSnapshot


def named(folder: Path, patient: str) -> None:
    """Give the study on the disk a patient."""
    for path in filter(Path.is_file, folder.rglob("*")):
        dataset = pydicom.dcmread(path)
        dataset.PatientID, dataset.PatientName = patient, f"{patient}^Test"
        dataset.save_as(path)


def set_case(folder: Path, patient: str = "P1") -> CaseSnapshot:
    """The reviewed phantom: 1 rejected, 2 corrected and accepted, 3 missed and drawn, 4 unsure."""
    case = reviewed_case(folder)
    named(folder, patient)
    affine = case.volume.affine.copy()
    affine[:3, 1] *= 6.0 / np.linalg.norm(affine[:3, 1])
    affine[:3, 2] *= 6.0 / np.linalg.norm(affine[:3, 2])
    volume = replace(case.volume, affine=affine)
    lesions = []
    for lesion in case.lesions:
        size = measure(lesion.mask, affine, volume.voxels) if lesion.mask.count else None
        centre = lesion.centre_lps_mm if size is None else size.centre_lps_mm
        lesions.append(
            replace(
                lesion,
                measurement=size,
                centre_lps_mm=centre,
                reason="vessel" if lesion.verdict == "rejected" else "",
                missed_by_ai=lesion.id == "h1",
                texture="solid" if lesion.id == "h1" else None,
                malignancy=4 if lesion.id == "h1" else None,
            )
        )
    return replace(case, volume=volume, lesions=tuple(lesions))


def judged(case: CaseSnapshot, number: int, verdict: str | None) -> CaseSnapshot:
    """Return a case with another verdict on one finding."""
    return replace(
        case,
        lesions=tuple(
            replace(x, verdict=verdict) if x.number == number else x for x in case.lesions
        ),
    )


def with_lesion(case: CaseSnapshot, number: int, centre, radius, **more) -> CaseSnapshot:
    """Return a case with one more lesion that a person drew."""
    mask: Mask = blob(case.volume.shape_kji, centre, radius)
    size = measure(mask, case.volume.affine, case.volume.voxels)
    lesion = LesionSnapshot(
        f"x{number}", number, "nodule", "human", "accepted", mask, size, reader="Reader One",
        centre_lps_mm=size.centre_lps_mm,
    )  # fmt: skip
    return replace(case, lesions=(*case.lesions, replace(lesion, **more)))


def tree(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its name there."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def document(path: Path):
    """Return a JSON file that has only what JSON has."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
