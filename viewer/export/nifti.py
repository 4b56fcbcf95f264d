"""Writing volumes as NIfTI-1, compressed, and checking them with nibabel."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Heatmap

# (x, y, z) in LPS to RAS.
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SCANNER_ANAT = 1
_HEADER_BYTES = 352
_CHUNK = 1 << 22


def ras_affine(affine_lps: geometry.Affine) -> geometry.Affine:
    """Return (i, j, k, 1) to RAS mm, as NIfTI wants it, from (k, j, i, 1) to LPS mm."""
    return np.asarray(_LPS_TO_RAS @ geometry.reorder_kji_ijk(affine_lps))


def write(
    path: Path,
    voxels: npt.NDArray[Any],
    affine_lps: geometry.Affine,
    *,
    slope: float = 1.0,
    description: str = "",
) -> None:
    """Write one array.

    Parameters
    ----------
    path
        Ends in ``.nii.gz``.
    voxels
        (k, j, i); its bytes are those of NIfTI's (i, j, k) in Fortran order, so nothing is
        copied but for the compression.
    affine_lps
        (4, 4), (k, j, i, 1) to LPS mm.
    slope
        Value of one step of the stored numbers.
    description
        Up to 79 characters of ASCII. No patient data.
    """
    header = nibabel.Nifti1Header()
    header.set_data_dtype(voxels.dtype.newbyteorder("<"))
    header.set_data_shape(voxels.shape[::-1])
    affine = ras_affine(affine_lps)
    header.set_sform(affine, code=_SCANNER_ANAT)
    header.set_qform(affine, code=_SCANNER_ANAT, strip_shears=True)
    header.set_xyzt_units("mm")
    header.set_slope_inter(slope, 0.0)
    header["descrip"] = description.encode("ascii")[:79]
    header["vox_offset"] = _HEADER_BYTES
    little = np.ascontiguousarray(voxels, dtype=voxels.dtype.newbyteorder("<"))
    data = little.reshape(-1).view(np.uint8).data
    # No name and no time in the gzip header: the same case gives the same bytes.
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) as stream,
    ):
        stream.write(header.binaryblock + bytes(_HEADER_BYTES - len(header.binaryblock)))
        for start in range(0, len(data), _CHUNK):
            stream.write(data[start : start + _CHUNK])


def heatmap_array(heatmap: Heatmap, shape_kji: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """Return the heatmap over the whole volume, (k, j, i); probability = value / 255."""
    out = np.zeros(shape_kji, dtype=np.uint8)
    out[heatmap.box] = heatmap.values
    return out


def differs(
    path: Path, voxels: npt.NDArray[Any], affine_lps: geometry.Affine, tolerance_mm: float = 1e-3
) -> str:
    """Read a file again and say how it differs from what was meant, or nothing.

    Five points of the grid must lie within ``tolerance_mm``; every stored number must be equal.
    """
    image = nibabel.Nifti1Image.from_filename(path)
    if image.shape != voxels.shape[::-1]:
        return f"shape {image.shape}"
    points = corner_points(voxels.shape)
    there = np.asarray(points[:, ::-1] @ image.affine[:3, :3].T + image.affine[:3, 3])
    meant = geometry.kji_to_lps_mm(affine_lps, points) * [-1, -1, 1]
    off = float(np.abs(there - meant).max())
    if not off <= tolerance_mm:
        return f"places differ by {off:.4g} mm"
    proxy: Any = image.dataobj
    stored = proxy.get_unscaled()
    if stored.dtype != voxels.dtype or not np.array_equal(stored.T, voxels):
        return "voxels differ"
    return ""


def corner_points(shape_kji: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return five points (k, j, i) that fix an affine: the origin, three corners, the far end."""
    k, j, i = (n - 1 for n in shape_kji)
    return np.array([(0, 0, 0), (k, 0, 0), (0, j, 0), (0, 0, i), (k, j, i)], dtype=np.float64)
