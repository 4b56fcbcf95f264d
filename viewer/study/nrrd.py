"""NRRD, attached and detached: where its voxels lie. The header is pynrrd's to understand."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from resources.text import translate
from viewer.study import grid, nearby
from viewer.study.grid import Affine, Grid
from viewer.study.header import Unusable

_SIGNS = {
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
}
_SHORT = {"lps": "left-posterior-superior", "ras": "right-anterior-superior"} | {
    "las": "left-anterior-superior"
}
_ENCODINGS = {"raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_TYPES = {
    name: kind
    for kind, names in {
        "i1": "signed char,int8,int8_t",
        "u1": "uchar,unsigned char,uint8,uint8_t",
        "i2": "short,short int,signed short,signed short int,int16,int16_t",
        "u2": "ushort,unsigned short,unsigned short int,uint16,uint16_t",
        "i4": "int,signed int,int32,int32_t",
        "u4": "uint,unsigned int,uint32,uint32_t",
        "i8": "longlong,long long,long long int,signed long long,signed long long int,"
        "int64,int64_t",
        "u8": "ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t",
        "f4": "float",
        "f8": "double",
    }.items()
    for name in names.split(",")
}
_COLOURS = {"rgb-color", "rgba-color", "3-color", "4-color"}
_SPATIAL = {"domain", "space"}


def is_one(start: bytes) -> bool:
    """Return whether a file that starts so is NRRD."""
    return start[:7] == b"NRRD000" and start[7:8].isdigit()


def read(path: Path, keeper: object | None = None) -> Grid:
    """Read the header of an NRRD file; see ``nifti.read``.

    Spaces that name no patient, such as ``scanner-xyz``, place nothing.
    """
    import nrrd  # type: ignore[import-untyped]

    with path.open("rb") as stream:
        raw = stream.read(grid.MAX_HEADER_BYTES)
    ends = [at + len(end) for end in (b"\n\n", b"\r\n\r\n") if (at := raw.find(end)) >= 0]
    start = min(ends, default=len(raw))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what it mends
            head = nrrd.read_header(io.BytesIO(raw[:start]))
        return grid.check(_grid(path, head, start if ends else None, keeper))
    except (Unusable, OSError):
        raise
    except Exception:
        raise grid.damaged() from None


def _grid(path: Path, head: Mapping[str, Any], start: int | None, keeper: object | None) -> Grid:
    detached = head.get("data file", head.get("datafile"))
    if detached is not None:
        name = str(detached).removeprefix("./")
        if name.upper().startswith("LIST") or "%" in name:
            raise Unusable(translate("study", "Voxels in several files are not read."))
        data, start = nearby.beside(path, name, keeper), 0
    else:
        data = path
    compression = _ENCODINGS.get(str(head.get("encoding", "")).lower())
    kind = _TYPES.get(str(head["type"]).lower())
    if compression is None or kind is None:
        raise Unusable(translate("study", "Its kind of voxel is not read."))
    if start is None:
        raise Unusable(translate("study", "The file is cut short."))
    order = ">" if str(head.get("endian", "little")).lower() == "big" else "<"
    sizes = [int(value) for value in head["sizes"]]
    if len(sizes) != int(head["dimension"]) or min(sizes) < 1:
        raise grid.damaged()
    axes = _spatial_axes(head, len(sizes))
    first = axes[0] if axes else 0
    if not 2 <= len(axes) <= 3 or first > 1 or axes != list(range(first, first + len(axes))):
        raise Unusable(translate("study", "The order of its axes is not read."))
    rest = sizes[first + len(axes) :]
    channels = sizes[0] if first else 1
    spatial = [sizes[axis] for axis in axes] + [1] * (3 - len(axes))
    dtype = np.dtype(order + kind)
    affine, spacing, source = _place(head, axes)
    found = Grid(
        data=data,
        start=start,
        compression=compression,
        skip=0,
        dtype=dtype,
        size_ijk=(spatial[0], spatial[1], spatial[2]),
        volumes=math.prod(rest),
        channels=channels,
        colour=bool(first) and _kinds(head, len(sizes))[0] in _COLOURS and dtype == np.uint8,
        affine=affine,
        spacing_mm=spacing,
        source=source,
    )
    return _skipped(found, head)


def _skipped(found: Grid, head: Mapping[str, Any]) -> Grid:
    lines = int(head.get("line skip", head.get("lineskip", 0)))
    bytes_ = int(head.get("byte skip", head.get("byteskip", 0)))
    if lines:
        raise Unusable(translate("study", "Voxels behind lines of text are not read."))
    if bytes_ == -1 and not found.compression:
        return replace(found, start=found.data.stat().st_size - found.needed)
    if not 0 <= bytes_ <= grid.MAX_HEADER_BYTES:
        raise grid.damaged()
    return replace(found, skip=bytes_)


def _kinds(head: Mapping[str, Any], count: int) -> list[str]:
    kinds = [str(kind).lower() for kind in head.get("kinds", [])]
    return kinds if len(kinds) == count else [""] * count


def _spatial_axes(head: Mapping[str, Any], count: int) -> list[int]:
    """Return the axes that lie in space: those with a direction, else with such a kind."""
    directions = head.get("space directions")
    if directions is not None:
        return [axis for axis, row in enumerate(directions) if _is_vector(row)]
    kinds = _kinds(head, count)
    named = [axis for axis, kind in enumerate(kinds) if kind in _SPATIAL]
    if named:
        return named
    first = 1 if kinds[0] in _COLOURS or kinds[0] in ("vector", "list") else 0
    return list(range(first, min(first + 3, count)))


def _is_vector(row: Any) -> bool:
    return row is not None and bool(np.isfinite(np.asarray(row, np.float64)).all())


def _place(
    head: Mapping[str, Any], axes: list[int]
) -> tuple[Affine | None, tuple[float, float, float] | None, str]:
    units = {str(unit).strip('"').lower() for unit in head.get("space units", [])}
    if units - {"mm", ""}:
        raise Unusable(translate("study", "It is not measured in mm."))
    space = str(head.get("space", "")).lower().removesuffix("-time")
    signs = _SIGNS.get(_SHORT.get(space, space))
    directions, origin = head.get("space directions"), head.get("space origin")
    if directions is None:
        lengths = head.get("spacings")
        if lengths is None:
            return None, None, ""
        sizes = [abs(float(lengths[axis])) for axis in axes] + [math.nan] * (3 - len(axes))
        good = all(math.isfinite(size) for size in sizes[:2])
        return None, (sizes[0], sizes[1], sizes[2]) if good else None, "spacings" if good else ""
    vectors = [np.asarray(directions[axis], np.float64) for axis in axes]
    sizes = [float(np.linalg.norm(vector)) for vector in vectors] + [math.nan] * (3 - len(axes))
    spacing = (sizes[0], sizes[1], sizes[2])
    placed = signs is not None and origin is not None and _is_vector(origin)
    if not placed or len(axes) != 3 or any(len(vector) != 3 for vector in vectors):
        return None, spacing, "space directions"
    affine = np.eye(4)
    affine[:3, :3] = np.stack(vectors, axis=1)
    affine[:3, 3] = np.asarray(origin, np.float64)
    assert signs is not None  # placed
    return np.diag([*signs, 1.0]) @ affine, None, "space directions"
