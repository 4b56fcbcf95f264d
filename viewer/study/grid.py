"""Voxels of research formats (NIfTI, NRRD, MetaImage) as instances with planes, as DICOM has them.

Each of these files is one array behind a header that places it; their readers say so as a
``Grid``, and from there on there is one way. Indices are (i, j, k) = (column, row, slice),
i fastest in the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resources.problem import Problem
from resources.text import translate
from viewer.study import foreign
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.header import Raw, Unusable
from viewer.study.inflate import Damaged
from viewer.study.series import InstanceHeader, Plane, Vector
from viewer.study.spool import Short, Spool
from viewer.study.suitable import MAX_FRAME_PIXELS

Affine = npt.NDArray[np.float64]

MAX_HEADER_BYTES = 1 << 20
_MAX_FRAMES = 100_000
_MAX_BYTES = 20 << 30
_FAR_MM, _SMALL_MM = 1e5, 1e-5
# 0.05 mm at the far end of half a metre.
_SQUARE = 1e-4
# Deflate cannot reach more; a file that promises more lies.
_DEFLATE_RATIO = 1032


@dataclass(frozen=True, slots=True, repr=False)
class Grid:
    """What one file says of its voxels.

    Attributes
    ----------
    data
        File that holds the voxels.
    start
        Byte of it at which they, or the compressed stream that holds them, begin.
    compression
        Of that stream: ``""``, ``"gzip"``, ``"zlib"`` or ``"bzip2"``.
    skip
        Bytes of the inflated stream before the first voxel.
    dtype
        As stored, byte order included.
    size_ijk
        Columns, rows, slices.
    volumes
        How many such stacks follow one another.
    channels
        Values that stand together for one place, the fastest axis.
    colour
        Whether the channels are red, green, blue (and opacity); else they are volumes too.
    affine
        (4, 4), (i, j, k, 1) to LPS mm; None when the file does not say.
    spacing_mm
        (i, j, k) when there is no affine but a size of voxels; else None.
    source
        Name of what the spacing was taken from.
    """

    data: Path
    start: int
    compression: str
    skip: int
    dtype: np.dtype[Any]
    size_ijk: tuple[int, int, int]
    volumes: int = 1
    channels: int = 1
    colour: bool = False
    affine: Affine | None = None
    spacing_mm: tuple[float, float, float] | None = None
    source: str = ""
    slope: float = 1.0
    intercept: float = 0.0
    window: tuple[tuple[float, float], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def n_volumes(self) -> int:
        """Number of stacks, those that lie voxel by voxel beside each other too."""
        return self.volumes * (1 if self.colour else self.channels)

    @property
    def slab_bytes(self) -> int:
        """Bytes of one slice with all of its channels."""
        columns, rows, _ = self.size_ijk
        return columns * rows * self.channels * self.dtype.itemsize

    @property
    def needed(self) -> int:
        """Bytes of the inflated stream up to the last voxel."""
        return self.skip + self.slab_bytes * self.size_ijk[2] * self.volumes

    def spool(self, under: object | None) -> Spool:
        """Return what reads the voxels; see ``Spool``."""
        return Spool(self.data, self.start, self.compression, self.needed, under=under, about=self)


def damaged() -> Unusable:
    """Return the reason of a header that cannot be meant."""
    return Unusable(translate("study", "The file is damaged: its numbers cannot be meant."))


def check(grid: Grid) -> Grid:
    """Return ``grid`` when the file can hold it and the program can show it.

    Raises
    ------
    Unusable
        Before a byte is set aside for the voxels.
    """
    columns, rows, slices = grid.size_ijk
    if min(columns, rows, slices, grid.volumes, grid.channels) < 1:
        raise Unusable(translate("study", "The file does not say the size of its image."))
    if columns * rows > MAX_FRAME_PIXELS or grid.needed > _MAX_BYTES:
        raise Unusable(translate("study", "The images are too large to be opened."))
    if slices * grid.n_volumes > _MAX_FRAMES:
        raise Unusable(translate("study", "The file names an impossible number of frames."))
    if grid.colour and (grid.dtype != np.uint8 or grid.channels not in (3, 4)):
        raise Unusable(translate("study", "Its kind of voxel is not read."))
    if grid.dtype.kind not in "iuf" or grid.dtype.itemsize > 8:
        raise Unusable(translate("study", "Its kind of voxel is not read."))
    there = grid.data.stat().st_size - grid.start
    most = _DEFLATE_RATIO if grid.compression in ("gzip", "zlib") else 1
    if grid.compression != "bzip2" and there * most < grid.needed:
        raise Unusable(translate("study", "The file is cut short."))
    return grid


# ------------------------------------------------------------------------------ header


def header(
    path: Path,
    grid: Grid,
    file_format: str,
    name: str,
    *,
    keeper: object | None = None,
    cancelled: CancelCheck | None = None,
) -> tuple[InstanceHeader, Raw]:
    """Return what ``viewer.study.header.read_header`` returns of a DICOM file.

    Parameters
    ----------
    path
        Of the file with the header.
    name
        What a person calls it.
    keeper
        What keeps the file on the disk, if anything.

    Notes
    -----
    The identifiers are made of the content of the file: work on it is found again after it
    was moved or renamed, and never taken for work on another file.
    """
    uid = foreign.digest_uid([path] if grid.data == path else [path, grid.data], cancelled)
    columns, rows, _ = grid.size_ijk
    whole = grid.dtype.kind in "iu" and grid.dtype.itemsize <= 4
    allocated = grid.dtype.itemsize * 8 if whole else 32
    planes, notes = _planes(grid)
    instance = foreign.header(
        path,
        uid,
        (rows, columns),
        planes,
        allocated,
        signed=grid.dtype.kind != "u",
        photometric="RGB" if grid.colour else "MONOCHROME2",
        file_format=file_format,
        notes=grid.notes + notes,
        keeper=grid.spool(keeper),
    )
    return instance, foreign.texts(name)


def _planes(grid: Grid) -> tuple[tuple[Plane, ...], tuple[tuple[str, str], ...]]:
    affine, notes = _sane(grid)
    base = Plane(slope=grid.slope, intercept=grid.intercept, window=grid.window)
    if affine is not None:
        base = _oriented(base, affine, grid.source)
    elif grid.spacing_mm is not None and not notes:
        i, j, k = grid.spacing_mm
        if all(_SMALL_MM <= value <= _FAR_MM for value in (i, j)):
            thick = k if _SMALL_MM <= k <= _FAR_MM else None
            base = replace(base, spacing_mm=(j, i), thickness_mm=thick, spacing_source=grid.source)
    found = []
    for volume in range(grid.n_volumes):
        if grid.n_volumes > 1:
            # Placed volumes are told apart by their marks; without places only stacks part them.
            stack = "" if affine is not None else f"{volume + 1}"
            base = replace(base, marks=(("time", float(volume + 1)),), stack=stack)
        for k in range(grid.size_ijk[2]):
            position = None if affine is None else _vector(affine[:3, 3] + k * affine[:3, 2])
            found.append(replace(base, position_lps_mm=position))
    return tuple(found), notes


def _oriented(plane: Plane, affine: Affine, source: str) -> Plane:
    i, j, k = (float(length) for length in np.linalg.norm(affine[:3, :3], axis=0))
    return replace(
        plane,
        row_lps=_vector(affine[:3, 0] / i),
        column_lps=_vector(affine[:3, 1] / j),
        spacing_mm=(j, i),
        thickness_mm=k,
        spacing_source=source,
    )


def _vector(values: Affine) -> Vector:
    # Adding 0 turns a minus zero into a zero.
    return float(values[0]) + 0.0, float(values[1]) + 0.0, float(values[2]) + 0.0


def _sane(grid: Grid) -> tuple[Affine | None, tuple[tuple[str, str], ...]]:
    """Return the affine when rows and columns can be drawn by it, else a note why not."""
    affine = grid.affine
    if affine is None:
        return None, ()
    sizes = np.linalg.norm(affine[:3, :3], axis=0) if np.isfinite(affine).all() else np.zeros(3)
    corner = np.abs(affine[:3, 3]).max() if np.isfinite(affine).all() else math.inf
    if sizes.min() < _SMALL_MM or sizes.max() > _FAR_MM or corner > _FAR_MM:
        return None, (("bad-affine", _bad_affine()),)
    units = affine[:3, :3] / sizes
    if abs(np.linalg.det(units)) < _SQUARE:
        return None, (("bad-affine", _bad_affine()),)
    if abs(float(units[:, 0] @ units[:, 1])) > _SQUARE:
        return None, (
            (
                "sheared",
                translate(
                    "study",
                    "The pixels are sheared: rows and columns are not at right angles. "
                    "Places and sizes are not shown.",
                ),
            ),
        )
    return affine, ()


def _bad_affine() -> str:
    return translate("study", "The place of the image in the file cannot be meant.")


# ------------------------------------------------------------------------------ frames


def frames(
    instance: InstanceHeader,
    read: Callable[[Path, object | None], Grid],
    wanted: Sequence[int],
    cancelled: CancelCheck | None = None,
) -> list[npt.NDArray[Any]]:
    """Return some frames as ``viewer.study.pixels.frames`` does.

    Parameters
    ----------
    read
        Reads the header of the file anew when the instance does not keep what it said.

    Raises
    ------
    Problem
        When the file is not what it was when it was scanned, or is damaged or cut short.
    """
    kept = instance.keeper if isinstance(instance.keeper, Spool) else None
    if kept is not None and isinstance(kept.about, Grid):
        grid, spool = kept.about, kept
    else:
        try:
            grid = read(instance.path, instance.keeper)
        except Unusable as unusable:
            raise _problem(f"{{name}}: {_plain(unusable.reason)}", instance) from None
        except OSError as error:
            raise _unreadable(instance, error) from None
        spool = grid.spool(instance.keeper)
    columns, rows, slices = grid.size_ijk
    same = (columns, rows, slices * grid.n_volumes)
    if same != (instance.columns, instance.rows, instance.n_frames):
        raise _problem(translate("study", "The file {name} has changed."), instance)
    try:
        return [_frame(grid, spool, number, cancelled) for number in wanted]
    except Short:
        raise _problem(translate("study", "The file {name} is cut short."), instance) from None
    except Damaged:
        raise _problem(translate("study", "The file {name} is damaged."), instance) from None
    except OSError as error:
        raise _unreadable(instance, error) from None
    finally:
        if spool is not kept:
            spool.close()


def _frame(
    grid: Grid, spool: Spool, number: int, cancelled: CancelCheck | None
) -> npt.NDArray[Any]:
    stop_if(cancelled)
    columns, rows, slices = grid.size_ijk
    volume, k = divmod(number, slices)
    inner = 1 if grid.colour else grid.channels
    outer, channel = divmod(volume, inner)
    at = grid.skip + (outer * slices + k) * grid.slab_bytes
    stored = np.frombuffer(spool.read(at, grid.slab_bytes, cancelled), dtype=grid.dtype)
    shaped = stored.reshape((rows, columns, grid.channels))
    if grid.colour:
        return np.array(shaped[..., :3])
    values = shaped[..., channel]
    if grid.dtype.kind == "f" or grid.dtype.itemsize > 4:
        return _floats(values)
    return values.astype(grid.dtype.newbyteorder("="), order="C")


def _floats(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return float32; what is no number becomes 0, what is too large the largest."""
    limit = float(np.finfo(np.float32).max)
    with np.errstate(invalid="ignore", over="ignore"):
        narrow: npt.NDArray[np.float32] = values.astype(np.float32, order="C")
    return np.nan_to_num(narrow, copy=False, nan=0.0, posinf=limit, neginf=-limit)


def _plain(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _unreadable(instance: InstanceHeader, error: OSError) -> Problem:
    return _problem(
        translate("study", "The file {name} cannot be read."), instance, f"errno {error.errno}"
    )


def _problem(sentence: str, instance: InstanceHeader, detail: str = "") -> Problem:
    return Problem(
        sentence.format(name=instance.name),
        translate("study", "Copy the file again from where it came from."),
        detail or instance.file_format,
    )
