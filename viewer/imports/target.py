"""The open series as a file is held against it: who it is of, where it lies, which images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inference import geometry
from inference.geometry import Affine
from viewer.annotate.mask import Triple
from viewer.imports.held import Misfit, Said
from viewer.study.order import StackPlan

# Of a voxel: closer than this a plane of a file is a slice of the series. Positions are decimal
# strings, and some programs write few digits.
NEAR = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The series that is open.

    Attributes
    ----------
    patient
        Digest of Patient ID (0010,0020); empty without one.
    study_uid, series_uid
        Of its images; empty when they are no DICOM files.
    frames
        Frame of Reference UIDs (0020,0052) of its images: one, as a rule.
    places
        Slice by ``image_key``.
    """

    shape_kji: Triple
    affine: Affine
    patient: str = ""
    study_uid: str = ""
    series_uid: str = ""
    frames: frozenset[str] = frozenset()
    places: Mapping[str, int] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, plan: StackPlan, shape_kji: Triple, affine: Affine) -> Target:
        """Return what is known of a series."""
        if plan.series.instances[0].file_format != "dicom":
            return cls(shape_kji, affine)
        places: dict[str, int] = {}
        for k, ref in enumerate(plan.planes):
            frame = ref.frame + 1 if ref.instance.n_frames > 1 else 0
            places[image_key(ref.instance.sop_instance_uid, frame)] = k
        frames = {i.frame_of_reference_uid for i in plan.series.instances}
        return cls(
            shape_kji,
            affine,
            patient_digest(plan.series.patient.id),
            plan.series.study_uid,
            plan.series.series_uid,
            frozenset(frames - {""}),
            places,
        )

    def body(self) -> dict[str, Any]:
        """Return it as a value of JSON."""
        return {
            "shape_kji": list(self.shape_kji),
            "affine": [float(x) for x in self.affine.ravel()],
            "patient": self.patient,
            "study_uid": self.study_uid,
            "series_uid": self.series_uid,
            "frames": sorted(self.frames),
            "places": dict(self.places),
        }

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Target:
        """Read ``body``."""
        k, j, i = (int(n) for n in body["shape_kji"])
        return cls(
            (k, j, i),
            np.array(body["affine"], dtype=np.float64).reshape(4, 4),
            str(body["patient"]),
            str(body["study_uid"]),
            str(body["series_uid"]),
            frozenset(body["frames"]),
            dict(body["places"]),
        )

    # ---------------------------------------------------------------- fitting

    def check(
        self, patient: str, study_uid: str, frame_uid: str, series: Iterable[str], refs: set[str]
    ) -> tuple[Said, ...]:
        """Tell whether a DICOM object belongs onto this series.

        Parameters
        ----------
        patient
            Patient ID (0010,0020) of the object.
        study_uid
            Its Study Instance UID (0020,000D).
        frame_uid
            Its Frame of Reference UID; empty where it has none.
        series
            Series Instance UIDs that it refers to.
        refs
            SOP Instance UIDs that it refers to.

        Returns
        -------
        tuple of Said
            Cautions: it was drawn on another series of this study, in the same frame.

        Raises
        ------
        Misfit
            When it is of another patient, study or frame of reference.
        """
        if not self.study_uid:
            raise Misfit("series-not-dicom")
        if patient.strip() and self.patient and patient_digest(patient) != self.patient:
            raise Misfit("other-patient")
        if study_uid and study_uid != self.study_uid:
            raise Misfit("other-study")
        own = {key.partition("#")[0] for key in self.places}
        here = bool(refs & own) or (not refs and self.series_uid in set(series))
        if frame_uid and self.frames and frame_uid not in self.frames:
            raise Misfit("other-frame")
        if here:
            return ()
        if not frame_uid or not self.frames:
            raise Misfit("no-frame")
        return (("other-series",) if refs or series else ("no-series",),)

    def slice_of(self, uid: str, frame: int = 0) -> int | None:
        """Return which slice an image is, None when it is none of the series."""
        found = self.places.get(image_key(uid, frame))
        return found if found is not None or frame > 1 else self.places.get(image_key(uid, 0))


def image_key(uid: str, frame: int = 0) -> str:
    """Return the key of an image; ``frame`` counts from 1, 0 for one that has no frames."""
    return f"{uid}#{frame}" if frame else uid


def patient_digest(patient_id: str) -> str:
    """Return the digest of a Patient ID; empty of none."""
    stripped = patient_id.strip(" \0")
    return hashlib.sha256(stripped.encode("utf-8", "replace")).hexdigest() if stripped else ""


def same_grid(affine: Affine, shape_kji: Triple, target: Target) -> bool:
    """Tell whether voxels of a file are those of the series, one for one."""
    if tuple(shape_kji) != tuple(target.shape_kji):
        return False
    ends = np.array([(0, n - 1) for n in shape_kji], dtype=np.float64)
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    there = geometry.lps_mm_to_kji(target.affine, geometry.kji_to_lps_mm(affine, corners))
    return bool(np.abs(there - corners).max() <= NEAR)
