"""One regular stack of voxels with its place in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A read-only regular volume.

    Attributes
    ----------
    voxels
        (k, j, i) = (slice, row, column), C order, int16 or uint16 (float32 only where the
        rescale differs between slices), not writeable. In ``unit``.
    affine
        (4, 4) float64, (k, j, i, 1) to LPS mm. Slices ascend along row x column direction.
    modality
        DICOM Modality (0008,0060), such as ``"CT"``.
    unit
        Unit of the voxels: ``"HU"`` for rescaled CT, else empty when it is not proven.
    """

    voxels: npt.NDArray[Any]
    affine: geometry.Affine
    modality: str
    unit: str = ""

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3 or self.affine.shape != (4, 4):
            raise ValueError("a volume has three axes and a 4 x 4 affine")
        voxels = np.ascontiguousarray(self.voxels)
        if voxels is self.voxels and voxels.flags.writeable:
            voxels = voxels.view()
        voxels.flags.writeable = False
        affine = np.array(self.affine, dtype=np.float64)
        affine.flags.writeable = False
        object.__setattr__(self, "voxels", voxels)
        object.__setattr__(self, "affine", affine)

    @property
    def shape_kji(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        k, j, i = self.voxels.shape
        return k, j, i

    @property
    def spacing_kji_mm(self) -> tuple[float, float, float]:
        """Millimetres between neighbours along k, j and i."""
        return geometry.spacing_kji_mm(self.affine)
