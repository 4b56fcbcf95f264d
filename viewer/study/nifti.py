"""NIfTI-1 and NIfTI-2, single files and pairs, compressed or not: where their voxels lie.

The header is nibabel's to understand; what it says is checked here before it is believed.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from resources.text import translate
from viewer.study import grid, inflate, nearby
from viewer.study.grid import Affine, Grid
from viewer.study.header import Unusable

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
# Larger than the rounding of a quaternion, far smaller than a voxel.
_AGREE_MM = 0.05
_RGB = {128: 3, 2304: 4}
_STEEP = 1e12


def is_one(start: bytes) -> bool:
    """Return whether a file whose inflated start this is (352 bytes) is NIfTI."""
    if start[4:12] in (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"):
        return True
    sizes = (b"\x5c\x01\0\0", b"\0\0\x01\x5c")
    return start[:4] in sizes and start[344:348] in (b"n+1\0", b"ni1\0")


def read(path: Path, keeper: object | None = None) -> Grid:
    """Read the header of a NIfTI file.

    Parameters
    ----------
    path
        Of a file that ``is_one``.
    keeper
        As of ``grid.header``.

    Returns
    -------
    Grid
        Its affine is that of the sform, else of the qform, as nibabel prefers them; none when
        neither has a code. A ``"sform-qform"`` note tells that the two disagree.

    Raises
    ------
    Unusable
        With the reason.
    OSError
        When the file cannot be read.
    """
    import nibabel

    raw = nearby.start_of(path, 540)
    two = raw[4:6] in (b"n+", b"ni")
    kind: Any = nibabel.Nifti2Header if two else nibabel.Nifti1Header
    try:
        head = kind(binaryblock=raw[: 540 if two else 348], check=False)
        return grid.check(_grid(path, head, keeper, raw))
    except (Unusable, OSError):
        raise
    except Exception:
        # Of numbers that cannot be meant nibabel raises several kinds.
        raise grid.damaged() from None


def _grid(path: Path, head: Any, keeper: object | None, raw: bytes) -> Grid:
    two = len(head.binaryblock) == 540
    single = raw[4 if two else 344 :][:2] == b"n+"
    data = path if single else nearby.beside(path, _pair(path, keeper), keeper)
    with data.open("rb") as stream:
        compression = inflate.compression(stream.read(16))
    least = (544 if two else 352) if single else 0
    skip = _whole(head["vox_offset"]) or least
    if not least <= skip <= grid.MAX_HEADER_BYTES:
        raise grid.damaged()
    sizes = [_whole(value) for value in head["dim"]]
    if not 1 <= sizes[0] <= 7:
        raise grid.damaged()
    sizes = sizes[1 : sizes[0] + 1] + [1] * (7 - sizes[0])
    code = int(head["datatype"])
    channels = _RGB.get(code, 1)
    dtype = np.dtype(np.uint8) if code in _RGB else np.dtype(head.get_data_dtype())
    slope, intercept = _rescale(head) if code not in _RGB else (1.0, 0.0)
    affine, spacing, source, notes = _place(head, sizes)
    low, high = float(head["cal_min"]), float(head["cal_max"])
    return Grid(
        data=data,
        start=0,
        compression=compression,
        skip=skip,
        dtype=dtype,
        size_ijk=(sizes[0], sizes[1], sizes[2]),
        volumes=math.prod(sizes[3:]),
        channels=channels,
        colour=code in _RGB,
        affine=affine,
        spacing_mm=spacing,
        source=source,
        slope=slope,
        intercept=intercept,
        window=(((low + high) / 2, high - low),) if -_STEEP < low < high < _STEEP else (),
        notes=notes,
    )


def _pair(path: Path, keeper: object | None) -> str:
    """Return the name of the voxels of a header file."""
    room = keeper
    while room is not None and not hasattr(room, "names"):
        room = getattr(room, "under", None)
    name = room.names[path].name if room is not None and path in room.names else path.name
    for end, other in ((".hdr", ".img"), (".hdr.gz", ".img.gz"), (".HDR", ".IMG")):
        if name.endswith(end):
            return name[: -len(end)] + other
    raise Unusable(
        translate("study", "The file {name} with its voxels is not there.").format(
            name=f"{name}.img"
        )
    )


def _whole(value: Any) -> int:
    number = float(value)
    if not math.isfinite(number) or number != int(number) or number < 0:
        raise grid.damaged()
    return int(number)


def _rescale(head: Any) -> tuple[float, float]:
    slope, intercept = head.get_slope_inter()
    if slope is None:
        return 1.0, 0.0
    pair = float(slope), float(intercept or 0.0)
    if not 1 / _STEEP <= abs(pair[0]) <= _STEEP or abs(pair[1]) > _STEEP:
        raise grid.damaged()
    return pair


def _place(
    head: Any, sizes: list[int]
) -> tuple[Affine | None, tuple[float, float, float] | None, str, tuple[tuple[str, str], ...]]:
    """Return affine or spacing, what it was taken from, and what must be told of it."""
    unit = head.get_xyzt_units()[0]
    scale = np.diag([_MM[unit]] * 3 + [1.0])
    named = "" if unit != "unknown" else " (unit not named, mm taken)"
    sform, qform = head.get_sform(coded=True)[0], None
    try:
        qform = head.get_qform(coded=True)[0]
    except Exception:
        # A quaternion that is none; the sform may still be good.
        if sform is None:
            raise
    notes: tuple[tuple[str, str], ...] = ()
    if sform is not None and qform is not None:
        far = _far_mm(scale @ (sform - qform), sizes)
        if not far <= _AGREE_MM:
            text = translate(
                "study",
                "The two places that the file gives differ by up to {mm} mm; the first (sform) "
                "is used.",
            )
            notes = (("sform-qform", text.format(mm=round(far, 1))),)
    for affine, name in ((sform, "sform"), (qform, "qform")):
        if affine is not None:
            return _RAS_TO_LPS @ scale @ np.asarray(affine, np.float64), None, name + named, notes
    i, j, k = (abs(float(value)) * _MM[unit] for value in head["pixdim"][1:4])
    return None, (i, j, k), f"pixdim{named}", ()


def _far_mm(difference: Affine, sizes: list[int]) -> float:
    """Return how far the difference of two affines moves a corner of the volume."""
    ends = [(0, size - 1) for size in sizes[:3]]
    corners = np.array([[i, j, k, 1] for i in ends[0] for j in ends[1] for k in ends[2]])
    return float(np.linalg.norm((corners @ difference.T)[:, :3], axis=1).max())
