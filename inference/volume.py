"""One stack of voxels with its place in the patient, as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A read-only stack of slices; a regular volume unless it says otherwise.

    Attributes
    ----------
    voxels
        (k, j, i) = (slice, row, column), C order, int16 or uint16 (float32 only where the
        rescale differs between slices), not writeable. In ``unit``.
    affine
        (4, 4) float64, (k, j, i, 1) to LPS mm. Slices ascend along row x column direction.
        Only when the volume is ``regular`` may it be used across slices.
    modality
        DICOM Modality (0008,0060), such as ``"CT"``.
    unit
        Unit of the voxels: ``"HU"`` for rescaled CT, ``"SUVbw"`` or ``"Bq/mL"`` for PET, else
        empty when it is not proven.
    places
        (k, 4, 4) float64 for slices that no one affine places: of each its own, (0, j, i, 1) to
        LPS mm. ``affine`` is then that of the first slice with a made-up step.
    placed
        False when the images do not say where in the patient they lie; x then runs along the
        rows and y down the columns.
    in_mm
        False when the size of a pixel is not known; a pixel then stands for a millimetre.
    colours
        (k, j, i, 3) uint8, red, green and blue of colour images; ``voxels`` is their luminance.
    padding
        Lowest and highest value that stands for no value, to be shown black; or None.
    """

    voxels: npt.NDArray[Any]
    affine: geometry.Affine
    modality: str
    unit: str = ""
    places: npt.NDArray[np.float64] | None = None
    placed: bool = True
    in_mm: bool = True
    colours: npt.NDArray[np.uint8] | None = None
    padding: tuple[float, float] | None = None

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
        k, j, i = voxels.shape
        if self.places is not None and self.places.shape != (k, 4, 4):
            raise ValueError("every slice has one place")
        if self.colours is not None and self.colours.shape != (k, j, i, 3):
            raise ValueError("every voxel has one colour")

    @property
    def regular(self) -> bool:
        """Whether the one affine places every voxel in the patient, in millimetres."""
        return self.places is None and self.placed and self.in_mm

    @property
    def shape_kji(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        k, j, i = self.voxels.shape
        return k, j, i

    @property
    def spacing_kji_mm(self) -> tuple[float, float, float]:
        """Millimetres between neighbours along k, j and i."""
        return geometry.spacing_kji_mm(self.affine)
