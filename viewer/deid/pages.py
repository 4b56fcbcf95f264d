"""The images that a person looks through for text: of an open case, or of files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer.deid.drawing import Place
from viewer.study import header, pixels
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.order import StackPlan
from viewer.study.series import InstanceHeader

Pixels = npt.NDArray[Any]
"""(row, column) grey of any type, dark is low; or (row, column, 3) RGB."""

_SHADES = 1024


class Pages(Protocol):
    """The images of one series, in their order."""

    @property
    def series_uid(self) -> str:
        """Original UID by which boxes know the series."""

    @property
    def modality(self) -> str:
        """DICOM Modality (0008,0060); empty when the files do not say."""

    @property
    def face(self) -> bool:
        """Whether they may show a head."""

    def __len__(self) -> int:
        """Return the number of images."""

    def place(self, number: int) -> Place:
        """Return by what boxes know an image, counted from 0."""

    def pixels(self, number: int) -> Pixels:
        """Return an image; raises ``Problem`` when it cannot be read."""


@dataclass(frozen=True, eq=False)
class VolumePages:
    """The slices of an open case."""

    plan: StackPlan
    volume: Volume
    face: bool = False

    @property
    def series_uid(self) -> str:
        """Original UID by which boxes know the series."""
        return self.plan.planes[0].instance.series_uid

    @property
    def modality(self) -> str:
        """Of the series."""
        return self.plan.series.modality

    def __len__(self) -> int:
        """Return the number of slices."""
        return len(self.plan.planes)

    def place(self, number: int) -> Place:
        """Return by what boxes know a slice."""
        ref = self.plan.planes[number]
        return ref.instance.series_uid, ref.instance.sop_instance_uid, ref.frame

    def pixels(self, number: int) -> Pixels:
        """Return a slice; of colour images its colours."""
        if self.volume.colours is not None:
            return np.asarray(self.volume.colours[number])
        found = self.volume.voxels[number]
        return _upright(found, self.plan.planes[number].instance)


@dataclass(frozen=True, slots=True)
class File:
    """One file with pixels: where it lies, its SOP Instance UID, how many frames it has."""

    path: Path = field(repr=False)
    sop_uid: str = field(repr=False)
    frames: int = 1


@dataclass(frozen=True, eq=False)
class FilePages:
    """The frames of the files of one series.

    Attributes
    ----------
    keepers
        What keeps unpacked files on the disk.
    """

    series_uid: str = field(repr=False)
    modality: str
    files: tuple[File, ...]
    face: bool = False
    keepers: tuple[object, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        """Return the number of frames of all files."""
        return sum(one.frames for one in self.files)

    def place(self, number: int) -> Place:
        """Return by what boxes know a frame."""
        one, frame = self._at(number)
        return self.series_uid, one.sop_uid, frame

    def pixels(self, number: int) -> Pixels:
        """Read one frame; compressed ones are decoded in the decoding process.

        Raises
        ------
        Problem
            When it cannot be had.
        """
        one, frame = self._at(number)
        try:
            instance, _ = header.read_header(one.path, any_object=True)
        except (header.Unusable, OSError) as error:
            raise Problem(
                translate("deid", "This image cannot be shown."),
                translate("deid", "Leave its series out."),
                type(error).__name__,
            ) from error
        (found,) = pixels.frames(instance, [frame])
        return _upright(found, instance)

    def _at(self, number: int) -> tuple[File, int]:
        for one in self.files:
            if number < one.frames:
                return one, number
            number -= one.frames
        raise IndexError(number)


def _upright(found: Pixels, instance: InstanceHeader) -> Pixels:
    """Have dark be low."""
    if instance.photometric != "MONOCHROME1":
        return np.asarray(found)
    return np.asarray(np.subtract(found.max(), found, dtype=np.float32))


def brightest(
    pages: Pages,
    progress: Callable[[int, int], None] | None = None,
    cancelled: CancelCheck | None = None,
) -> Pixels:
    """Return the brightest of all images of a series, pixel by pixel: text of any of them.

    Images of another size than the first stay out.
    """
    whole = np.array(pages.pixels(0))
    for number in range(1, len(pages)):
        stop_if(cancelled)
        if progress is not None:
            progress(number, len(pages))
        one = pages.pixels(number)
        if one.shape == whole.shape:
            whole = np.maximum(whole, one)
    return whole


def shown(pixels: Pixels, *, spread: bool) -> npt.NDArray[np.uint8]:
    """Return an image as greys or RGB of a screen, the whole range of its values.

    ``spread``: each shade is given to as many pixels, so that text shows that hardly differs
    from its ground.
    """
    if pixels.ndim == 3:
        deep = pixels.dtype.itemsize > 1
        return (pixels / max(float(pixels.max()), 1.0) * 255 if deep else pixels).astype(np.uint8)
    values = np.nan_to_num(np.asarray(pixels, np.float32))
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    if not spread:
        return ((values - low) * (255.0 / (high - low))).astype(np.uint8)
    counts, edges = np.histogram(values, _SHADES, (low, high))
    # Of a ground that fills half of the image, only a part: all else would be white.
    counts = np.minimum(counts, max(1, values.size // 16))
    share = np.concatenate(([0.0], np.cumsum(counts) / counts.sum()))
    return np.asarray(np.interp(values, edges, share * 255.0)).astype(np.uint8)


def together(found: Sequence[Pages]) -> int:
    """Return how many images there are in all series."""
    return sum(len(pages) for pages in found)
