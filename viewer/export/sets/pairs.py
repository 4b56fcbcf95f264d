"""An image and its label map as NIfTI, and how both are read again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from inference import geometry
from viewer.export import nifti
from viewer.export.report import FileCheck
from viewer.export.sets.files import insist
from viewer.export.sets.truth import Finding

IMAGE = ("every voxel", "five points within 0.001 mm")
LABELS = (*IMAGE, "volume and centre of each finding in patient space")

# As a share of the volume that the case tells, and mm.
_VOLUME_TOLERANCE, _PLACE_TOLERANCE_MM = 1e-3, 1e-3


def write_checked(
    path: Path, name: str, voxels: npt.NDArray[Any], affine: geometry.Affine
) -> FileCheck:
    """Write an array (k, j, i) and read it again.

    Parameters
    ----------
    name
        Of the file in its version.
    affine
        (4, 4), (k, j, i, 1) to LPS mm.

    Raises
    ------
    FileProblem
        When it does not read back as it was meant.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    nifti.write(path, voxels, affine)
    insist(name, nifti.differs(path, voxels, affine))
    return FileCheck(name, f"nibabel {nibabel.__version__}", IMAGE)


def findings_differ(path: Path, found: Sequence[Finding], classes: Sequence[str]) -> str:
    """Compare findings of a label map with what the case says of each, in patient space.

    The map is read with nibabel and nothing but its own header places it, so that a flip shows.
    A finding that another one overlaps is compared by the other test only: its voxels.

    Returns
    -------
    str
        How the first one differs; empty when none does.
    """
    image = nibabel.Nifti1Image.from_filename(path)
    proxy: Any = image.dataobj
    stored = np.asarray(proxy)
    step_mm3 = abs(float(np.linalg.det(image.affine[:3, :3])))
    for one in found:
        lesion = one.lesion
        if one.kind != "truth" or lesion.measurement is None or _overlapped(one, found):
            continue
        k, j, i = lesion.mask.box
        box = stored[i, j, k]
        own = np.argwhere((box == classes.index(lesion.label) + 1) & lesion.mask.voxels.T)
        volume_ml = len(own) * step_mm3 / 1000
        if abs(volume_ml - lesion.measurement.volume_ml) > _VOLUME_TOLERANCE * volume_ml:
            return f"volume of finding {lesion.number}"
        centre = own.mean(axis=0) + np.array((i.start, j.start, k.start))
        ras = image.affine[:3, :3] @ centre + image.affine[:3, 3]
        off = np.abs(ras * [-1, -1, 1] - np.array(lesion.measurement.centre_lps_mm)).max()
        if not off <= _PLACE_TOLERANCE_MM:
            return f"place of finding {lesion.number}, {off:.4g} mm"
    return ""


def _overlapped(one: Finding, found: Sequence[Finding]) -> bool:
    for other in found:
        if other is one or other.kind != "truth":
            continue
        boxes = zip(one.lesion.mask.box, other.lesion.mask.box, strict=True)
        if all(a.start < b.stop and b.start < a.stop for a, b in boxes):
            return True
    return False
