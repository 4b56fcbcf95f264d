"""A patient with marks at known places, imaged in every direction; the truth is in LPS mm.

What is bright lies where it lies in the patient; no image decides that. Whoever shows or names
a side of these studies can be held against it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.uid import generate_uid

from tests.dicom_files import write_slice

SHAPE_KJI = (14, 28, 35)
SPACING_KJI_MM = (3.0, 1.5, 1.2)
CENTRE_LPS_MM = np.array([11.0, -23.0, 37.0])
MARK, RIGHT_LUNG, LEFT_LUNG, BODY = 3000, 200, 300, 1000
# From the centre, mm. No two share a slice of any plane: each is looked for alone.
MARKS = {
    "left": np.array([15.0, 6.0, -6.0]),
    "anterior": np.array([-6.0, -15.0, 6.0]),
    "head": np.array([0.0, 0.0, 15.0]),
}
_RADIUS_MM = 2.2

# Patient lying in the scanner: what its right (seen from the table's foot end, facing it) and
# its floor are in the patient, LPS. Rows of an image run to the right, columns to the floor.
POSITIONS = {
    "HFS": ((1, 0, 0), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, -1, 0)),
    "HFDR": ((0, 1, 0), (-1, 0, 0)),
    "HFDL": ((0, -1, 0), (1, 0, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)),
    "FFP": ((1, 0, 0), (0, -1, 0)),
    "FFDR": ((0, -1, 0), (-1, 0, 0)),
    "FFDL": ((0, 1, 0), (1, 0, 0)),
}


@dataclass(frozen=True)
class Acquired:
    """How a study was acquired: columns of ``directions`` are unit vectors along k, j and i."""

    name: str
    directions: npt.NDArray[np.float64]
    patient_position: str | None = None

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """(4, 4), (k, j, i, 1) as the files are written to LPS mm."""
        out = np.eye(4)
        out[:3, :3] = self.directions * SPACING_KJI_MM
        out[:3, 3] = CENTRE_LPS_MM - out[:3, :3] @ ((np.array(SHAPE_KJI) - 1) / 2)
        return out


def along_axes() -> list[Acquired]:
    """Every order of the three axes with every choice of their senses: 48."""
    found = []
    for order in itertools.permutations(range(3)):
        for senses in itertools.product((1, -1), repeat=3):
            directions = np.zeros((3, 3))
            for column, (axis, sense) in enumerate(zip(order, senses, strict=True)):
                directions[axis, column] = sense
            signs = "".join("+" if sense > 0 else "-" for sense in senses)
            found.append(Acquired("".join("xyz"[axis] for axis in order) + signs, directions))
    return found


def oblique(count: int = 8) -> list[Acquired]:
    """Stacks in any direction."""
    found = []
    for seed in range(count):
        directions, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
        found.append(Acquired(f"oblique-{seed}", directions))
    return found


def lying() -> list[Acquired]:
    """Axial stacks of a patient who lies in the scanner in every position, from table to gantry."""
    found = []
    for name, (row, column) in POSITIONS.items():
        i, j = np.array(row, dtype=float), np.array(column, dtype=float)
        # A slice further in is nearer to what went in first.
        k = np.array([0, 0, 1.0 if name.startswith("HF") else -1.0])
        found.append(Acquired(name, np.stack([k, j, i], axis=1), name))
    return found


def voxels(acquired: Acquired) -> npt.NDArray[np.int16]:
    """Return stored values (k, j, i): what lies at each voxel in the patient."""
    grid = np.moveaxis(np.indices(SHAPE_KJI), 0, -1)
    affine = acquired.affine
    away = grid @ affine[:3, :3].T + affine[:3, 3] - CENTRE_LPS_MM
    out = np.full(SHAPE_KJI, BODY, dtype=np.int16)
    for value, x in ((RIGHT_LUNG, -9.0), (LEFT_LUNG, 9.0)):
        out[(np.abs((away - [x, 0, 0]) / [6, 9, 13]) ** 2).sum(axis=-1) < 1] = value
    for place in MARKS.values():
        out[np.linalg.norm(away - place, axis=-1) <= _RADIUS_MM] = MARK
    return out


def write(folder: Path, acquired: Acquired) -> Path:
    """Write the study, one file a slice, named so that their order says nothing."""
    affine, stored = acquired.affine, voxels(acquired)
    uid = generate_uid()
    position = (
        {} if acquired.patient_position is None else {"PatientPosition": acquired.patient_position}
    )
    for k in range(SHAPE_KJI[0]):
        write_slice(
            folder / f"{(k * 5 + 2) % 17:02d}",
            stored[k],
            position=affine[:3, 3] + k * affine[:3, 0],
            orientation=[*acquired.directions[:, 2], *acquired.directions[:, 1]],
            spacing=SPACING_KJI_MM[1:],
            series_uid=uid,
            number=SHAPE_KJI[0] - k,
            **position,
        )
    return folder
