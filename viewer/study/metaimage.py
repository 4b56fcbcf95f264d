"""MetaImage (.mha, .mhd): where its voxels lie. Its world is LPS, as DICOM's.

A small reader of the header: the libraries that know the format bring far more than it.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from resources.text import translate
from viewer.study import grid, nearby
from viewer.study.grid import Affine, Grid
from viewer.study.header import Unusable

_LINE = re.compile(rb"^[ \t]*([A-Za-z_0-9]+)[ \t]*[=:][ \t]*([^\r\n]*?)[ \t]*\r?$")
_FIRST = (b"ObjectType", b"NDims", b"Comment", b"ID ", b"Name")
_TYPES = {
    "CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4",
    "LONG": "i4", "ULONG": "u4", "LONG_LONG": "i8", "ULONG_LONG": "u8",
    "FLOAT": "f4", "DOUBLE": "f8",
}  # fmt: skip


def is_one(start: bytes) -> bool:
    """Return whether a file that starts so (of some 300 bytes) is a MetaImage."""
    head = start.lstrip()
    return head.startswith(_FIRST) and b"NDims" in start and b"=" in start.split(b"\n", 1)[0]


def read(path: Path, keeper: object | None = None) -> Grid:
    """Read the header of a MetaImage; see ``nifti.read``."""
    with path.open("rb") as stream:
        raw = stream.read(grid.MAX_HEADER_BYTES)
    try:
        fields, start = _fields(raw)
        return grid.check(_grid(path, fields, start, keeper))
    except (ValueError, KeyError, IndexError, OverflowError):
        raise grid.damaged() from None


def _fields(raw: bytes) -> tuple[dict[str, str], int]:
    """Return the fields of the header and where it ends: behind ElementDataFile."""
    fields: dict[str, str] = {}
    at = 0
    while True:
        end = raw.find(b"\n", at)
        if end < 0:
            raise Unusable(translate("study", "The file is cut short."))
        line = _LINE.match(raw[at:end])
        at = end + 1
        if line is None:
            if raw[at:end].strip():
                raise grid.damaged()
            continue
        key = line[1].decode("ascii")
        fields[key] = line[2].decode("utf-8", "replace")
        if key == "ElementDataFile":
            return fields, at


def _grid(path: Path, fields: dict[str, str], start: int, keeper: object | None) -> Grid:
    if fields.get("ObjectType", "Image") != "Image" or not _flag(fields, "BinaryData", "True"):
        raise Unusable(translate("study", "Its kind of voxel is not read."))
    n_dims = int(fields["NDims"])
    sizes = [int(value) for value in fields["DimSize"].split()]
    if not 2 <= n_dims <= 4 or len(sizes) != n_dims or min(sizes) < 1:
        raise Unusable(translate("study", "The order of its axes is not read."))
    kind = _TYPES.get(fields["ElementType"].removeprefix("MET_").removesuffix("_ARRAY"))
    if kind is None:
        raise Unusable(translate("study", "Its kind of voxel is not read."))
    most = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    dtype = np.dtype((">" if _true(most) else "<") + kind)
    channels = int(fields.get("ElementNumberOfChannels", "1"))
    name = fields["ElementDataFile"]
    if name.split(" ")[0].upper() == "LIST" or "%" in name:
        raise Unusable(translate("study", "Voxels in several files are not read."))
    local = name.upper() == "LOCAL"
    data = path if local else nearby.beside(path, name.removeprefix("./"), keeper)
    packed = _flag(fields, "CompressedData", "False")
    affine, spacing, source = _place(fields, n_dims)
    spatial = [*sizes, 1][:3]
    found = Grid(
        data=data,
        start=start if local else 0,
        compression="zlib" if packed else "",
        skip=0,
        dtype=dtype,
        size_ijk=(spatial[0], spatial[1], spatial[2]),
        volumes=math.prod(sizes[3:]),
        channels=channels,
        colour=dtype == np.uint8 and channels in (3, 4),
        affine=affine,
        spacing_mm=spacing,
        source=source,
    )
    return _behind_header(found, int(fields.get("HeaderSize", "0")))


def _behind_header(found: Grid, size: int) -> Grid:
    if size == -1 and not found.compression:
        return replace(found, start=found.data.stat().st_size - found.needed)
    if not 0 <= size <= grid.MAX_HEADER_BYTES:
        raise grid.damaged()
    return replace(found, start=found.start + size)


def _true(value: str) -> bool:
    return value[:1].upper() in ("T", "1")


def _flag(fields: dict[str, str], key: str, default: str) -> bool:
    return _true(fields.get(key, default))


def _numbers(fields: dict[str, str], *keys: str) -> list[float] | None:
    text = next((fields[key] for key in keys if key in fields), None)
    return None if text is None else [float(value) for value in text.split()]


def _place(
    fields: dict[str, str], n_dims: int
) -> tuple[Affine | None, tuple[float, float, float] | None, str]:
    key = "ElementSpacing" if "ElementSpacing" in fields else "ElementSize"
    sizes = _numbers(fields, key)
    if sizes is None:
        return None, None, ""
    matrix = _numbers(fields, "TransformMatrix", "Rotation", "Orientation")
    origin = _numbers(fields, "Offset", "Position", "Origin")
    if len(sizes) != n_dims:
        raise grid.damaged()
    if n_dims == 2 or (matrix is None and origin is None):
        i, j, k = (*sizes, math.nan)[:3]
        return None, (i, j, k), key
    matrix = matrix or np.eye(n_dims).ravel().tolist()
    origin = origin or [0.0] * n_dims
    if len(matrix) != n_dims**2 or len(origin) != n_dims or min(sizes[:3]) <= 0:
        raise grid.damaged()
    affine = np.eye(4)
    # Each row of the matrix is the direction of one axis.
    affine[:3, :3] = np.reshape(matrix, (n_dims, n_dims))[:3, :3].T * np.array(sizes[:3])
    affine[:3, 3] = origin[:3]
    return affine, None, key
