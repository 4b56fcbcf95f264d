"""A folder in the format of ``lidc-nodules``: index, outlines of the readers, slices."""

from __future__ import annotations

import csv
import hashlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from inference.geometry import axial_affine
from resources.problem import Problem
from resources.text import translate

INDEX, MASKS, SLICES = "index.csv", "reader_masks.npz", "slices.tar"
SIZE_PX = 128
# Four radiologists read every LIDC scan; bits 0 to 3 of the masks.
READERS = 4
# From so many on, what most of them outlined is an agreement and not one opinion.
AGREED = 3
# An array of more than this is none of ours: 9,901 slices take 0.16 GB.
_MOST_SLICES = 200_000

FILES = (INDEX, MASKS, SLICES)

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
_Value = TypeVar("_Value")

# What a broken archive raises; a size that no memory holds is as broken as any.
BROKEN = (
    ValueError, EOFError, KeyError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def digests(folder: Path, names: Sequence[str] = FILES) -> dict[str, str | None]:
    """Return the SHA-256 of files of a folder by their names; None of one that cannot be read."""
    return {name: _digest(folder / name) for name in names}


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Lesion:
    """One nodule of the index.

    Attributes
    ----------
    patient, name
        As in the index.
    start, stop
        Its rows of the masks, its slices in order.
    n_readers
        How many radiologists outlined it.
    pixel_mm, gap_mm
        Distance of pixels and of slices.
    diameter_mm
        Mean diameter over its readers, as in the index.
    malignancy, texture
        The scores of its readers, 1 to 5 each.
    """

    patient: str
    name: str
    start: int
    stop: int
    n_readers: int
    pixel_mm: float
    gap_mm: float
    diameter_mm: float
    malignancy: tuple[float, ...]
    texture: tuple[float, ...]

    @property
    def rows(self) -> slice:
        """Its rows of the masks."""
        return slice(self.start, self.stop)

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """Place of its crop: (k, j, i, 1) to mm, rows to the back, columns to the left."""
        return axial_affine(self.pixel_mm, self.gap_mm)


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """What is known of the nodules of one folder.

    Attributes
    ----------
    path
        Where it lies.
    lesions
        In the order of the index.
    bits
        (slice, row, column) uint8, bit r set where reader r outlined the pixel.
    """

    path: Path
    lesions: tuple[Lesion, ...]
    bits: Bytes

    def readers(self, lesion: Lesion) -> Bools:
        """Return the outlines (reader, k, row, column) of those readers who drew any."""
        own = self.bits[lesion.rows]
        each = np.stack([(own >> reader & 1).astype(bool) for reader in range(8)])
        return each[each.any(axis=(1, 2, 3))]

    def votes(self, lesion: Lesion) -> Bytes:
        """Return how many readers outlined each voxel (k, row, column)."""
        return np.asarray(np.bitwise_count(self.bits[lesion.rows]), dtype=np.uint8)

    def majority(self, lesion: Lesion, *, strict: bool = False) -> Bools:
        """Return the voxels of at least half of the readers; ``strict``: of more than half."""
        twice = 2 * self.votes(lesion)
        return np.asarray(twice > lesion.n_readers if strict else twice >= lesion.n_readers)


def load_folder(path: Path) -> Folder:
    """Read index and outlines, and check that they belong together.

    Raises
    ------
    Problem
        When a file is missing or malformed, with its name and what is wrong.
    """
    with _reading(path, INDEX), (path / INDEX).open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    if not rows:
        raise malformed(path, INDEX, translate("evaluation", "it lists no nodules"))
    lesions = tuple(_lesion(row, path, number) for number, row in enumerate(rows, start=2))
    bits = _bits(path)
    last = max(lesion.stop for lesion in lesions)
    if last > len(bits):
        raise malformed(
            path,
            MASKS,
            translate("evaluation", "it holds {found} slices and the index names {wanted}").format(
                found=len(bits), wanted=last
            ),
        )
    return Folder(path, lesions, bits)


def malformed(path: Path, name: str, fault: str) -> Problem:
    """Return what is said of a file that is not as it should be."""
    return Problem(
        translate("evaluation", "The file {name} in {folder} cannot be used: {fault}.").format(
            name=name, folder=path, fault=fault
        ),
        translate("evaluation", "Give a folder in the format of lidc-nodules."),
    )


@contextmanager
def _reading(path: Path, name: str) -> Iterator[None]:
    """Turn what a broken file raises into a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise malformed(path, name, translate("evaluation", "it is not there")) from error
    except OSError as error:
        fault = error.strerror or translate("evaluation", "it cannot be read")
        raise malformed(path, name, fault) from error
    except (*BROKEN, csv.Error) as error:
        fault = translate("evaluation", "it is damaged or of another kind")
        raise malformed(path, name, fault) from error


def read_arrays(path: Path, *names: str) -> dict[str, npt.NDArray[Any]]:
    """Read arrays of an NPZ file, all without names; nothing is unpickled.

    Raises
    ------
    OSError
        When it cannot be read; and one of ``BROKEN`` when it is no such file.
    """
    with path.open("rb") as handle:
        archive = np.load(handle, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("a lone array")
        return {name: archive[name] for name in names or archive.files}


def _bits(path: Path) -> Bytes:
    with _reading(path, MASKS):
        bits = read_arrays(path / MASKS, "masks")["masks"]
    if bits.dtype != np.uint8 or bits.shape[1:] != (SIZE_PX, SIZE_PX) or len(bits) > _MOST_SLICES:
        fault = translate("evaluation", "“masks” is not (slices, 128, 128) of uint8")
        raise malformed(path, MASKS, fault)
    return np.asarray(bits)


def _lesion(row: dict[str, Any], path: Path, line: int) -> Lesion:
    def take(column: str, read: Callable[[str], _Value]) -> _Value:
        try:
            return read(row[column])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            fault = translate("evaluation", "line {line} has no proper {column}").format(
                line=line, column=column
            )
            raise malformed(path, INDEX, fault) from error

    start, stop = take("start", _count), take("stop", _count)
    thickness = take("slice_thickness_mm", _length)
    extent = abs(take("zmax", _number) - take("zmin", _number))
    slices = stop - start
    if slices < 1 or take("n_slices", _count) != slices:
        fault = translate("evaluation", "start, stop and n_slices disagree in line {line}")
        raise malformed(path, INDEX, fault.format(line=line))
    return Lesion(
        patient=take("patient", _name),
        name=take("nodule", _name),
        start=start,
        stop=stop,
        n_readers=take("n_readers", _readers),
        pixel_mm=take("pixel_spacing_mm", _length),
        gap_mm=extent / (slices - 1) if slices > 1 and extent > 0 else thickness,
        diameter_mm=take("mean_diameter_mm", _length),
        malignancy=take("malignancy", _scores),
        texture=take("texture", _scores),
    )


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text.strip()


def _count(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _readers(text: str) -> int:
    if not 1 <= (number := int(text)) <= 8:
        raise ValueError
    return number


def _number(text: str) -> float:
    if not np.isfinite(number := float(text)):
        raise ValueError
    return number


def _length(text: str) -> float:
    if (number := _number(text)) <= 0:
        raise ValueError
    return number


def _scores(text: str) -> tuple[float, ...]:
    return tuple(_number(score) for score in text.split())


class Slices:
    """The grey slices of a folder; a context that keeps the archive open.

    Raises
    ------
    Problem
        When the archive or a slice in it is missing or malformed.
    """

    def __init__(self, folder: Folder) -> None:
        self._path = folder.path
        with self._reading():
            self._archive = tarfile.open(folder.path / SLICES)  # noqa: SIM115

    def __enter__(self) -> Slices:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            with _reading(self._path, SLICES):
                yield
        except tarfile.TarError as error:
            fault = translate("evaluation", "it is damaged or of another kind")
            raise malformed(self._path, SLICES, fault) from error

    def of(self, lesion: Lesion) -> Bytes:
        """Return the slices (k, row, column) of one nodule, grey 0 to 255."""
        from PIL import Image

        name = f"{lesion.patient}_{lesion.name}.webp"
        with self._reading():
            handle = self._archive.extractfile(name)
            if handle is None:
                raise KeyError(name)
            # Pillow says of a broken picture OSError, of one that is too large ValueError's kin.
            with Image.open(io.BytesIO(handle.read())) as image:
                grey = np.asarray(image.convert("L"), dtype=np.uint8)
        if grey.size != (lesion.stop - lesion.start) * SIZE_PX * SIZE_PX:
            fault = translate("evaluation", "{name} has not the slices that the index names")
            raise malformed(self._path, SLICES, fault.format(name=name))
        return grey.reshape(-1, SIZE_PX, SIZE_PX)
