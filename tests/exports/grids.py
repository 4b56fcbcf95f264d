"""Our NIfTI files as nibabel and SimpleITK see them: one affine, the same points, the same values.

nnU-Net's own check lets a label pass that is flipped from left to right: ``affine_of`` does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np

from inference import geometry
from inference.geometry import Affine
from tests.exports.dicom import checked
from tests.exports.subjects import Subject
from tests.outcomes import Outcome

WITHIN = 1e-3
_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def affine_of(path: Path) -> Affine:
    """Return the affine of a file, (i, j, k, 1) to LPS mm, as both libraries see it.

    Raises
    ------
    ValueError
        When they differ, or the file is not readable to its end.
    """
    import SimpleITK

    image = nibabel.load(path)
    ours = _RAS @ image.affine
    theirs = SimpleITK.ReadImage(str(path))
    turned = np.array(theirs.GetDirection()).reshape(3, 3) * theirs.GetSpacing()
    other = np.eye(4)
    other[:3, :3], other[:3, 3] = turned, theirs.GetOrigin()
    if np.abs(ours - other).max() > WITHIN:
        raise ValueError(f"{path.name}: nibabel and SimpleITK differ in the affine")
    # Values too, to the end of the file: a header alone reads well of a file that was cut off.
    array = np.asanyarray(image.dataobj)
    # A scale makes 64 bits of a value in the one, 32 in the other.
    if not np.allclose(array, SimpleITK.GetArrayViewFromImage(theirs).T, rtol=1e-6, atol=1e-7):
        raise ValueError(f"{path.name}: nibabel and SimpleITK differ in values")
    return ours


def five(shape: Sequence[int]) -> np.ndarray:
    """Return five voxels of an array, no two mirror images of each other."""
    shares = [(0.5, 0.5, 0.5), (0.2, 0.3, 0.4), (0.8, 0.3, 0.6), (0.4, 0.8, 0.2), (0.7, 0.6, 0.9)]
    return np.rint(np.array(shares) * (np.array(shape) - 1)).astype(int)


def wrong_grids(files: Sequence[Path], affine: Affine) -> list[str]:
    """Say which files do not lie where a volume does.

    Parameters
    ----------
    affine
        (4, 4) of the volume, (k, j, i, 1) to LPS mm.
    """
    wrong = []
    for path in files:
        try:
            seen = affine_of(path)
        except Exception as error:
            # Of a damaged file the two libraries raise anything.
            wrong.append(f"{path.name}: {type(error).__name__}: {error}")
            continue
        for ijk in five(nibabel.load(path).shape):
            there = (seen @ (*ijk, 1))[:3]
            meant = geometry.kji_to_lps_mm(affine, ijk[::-1])
            if np.abs(there - meant).max() > WITHIN:
                wrong.append(f"{path.name}: {np.abs(there - meant).max():.3f} mm off")
                break
    return wrong


def nifti(subject: Subject) -> Outcome:
    """Every NIfTI file lies on the source, in both libraries; five values are the source's."""

    def look() -> dict:
        files = sorted(subject.folder.glob("*.nii.gz"))
        volume = subject.case.volume
        wrong = wrong_grids(files, volume.affine)
        if not wrong:
            wrong = _values(subject.folder / "image.nii.gz", subject)
        return {"times": len(files), "points": 5 * len(files), "wrong": wrong}

    return checked("nibabel, SimpleITK", subject.name, "affines and five points in 0.001 mm", look)


def _values(path: Path, subject: Subject) -> list[str]:
    volume = subject.case.volume
    array = np.asanyarray(nibabel.load(path).dataobj)
    return [
        f"{path.name}: another value at {tuple(ijk)}"
        for ijk in five(array.shape)
        if array[tuple(ijk)] != volume.voxels[tuple(ijk[::-1])]
    ]


CHECKS = (nifti,)
