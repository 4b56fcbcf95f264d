"""Reading DICOM Segmentations (PS3.3 A.51, A.51 label maps): binary, fractional, overlapping.

pydicom reads the head; the frames are walked by hand (``frame_groups``) and plain pixels are
taken straight from the file, a frame at a time. What is compressed pydicom decodes.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.filereader import read_partial

from inference.findings import Mask
from viewer.imports import frame_groups as fg
from viewer.imports import seg_geometry
from viewer.imports.gathering import Gathering, add_labels, room_left
from viewer.imports.held import MOST_OUTLINES, HeldFile, HeldOutline, Misfit, Said, short
from viewer.imports.segments import described, system_of
from viewer.imports.target import Target
from viewer.study import plain_header, syntax
from viewer.study.suitable import MAX_FRAME_PIXELS
from viewer.tools.carry_over import carried_over

CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_MOST_FRAMES = 200_000
_MOST_INFLATED = 1 << 30
_HALF = 0.5

Report = Callable[[int, int], None]


def read(
    path: Path, target: Target, report: Report | None = None, *, head: bool = False
) -> HeldFile:
    """Read one segmentation.

    Parameters
    ----------
    target
        The open series; a file that does not belong onto it comes back with ``refusal`` alone.
    report
        Called with frames done and of all.
    head
        Read no pixels: the outlines come without masks.

    Raises
    ------
    Misfit
        When the file is damaged or of a kind that is not read.
    OSError
        When it cannot be read.
    """
    with ExitStack() as stack:
        opened = _Opened(path, stack)
        dataset = opened.head
        found = HeldFile(
            path.name,
            "SEG",
            system_of(dataset),
            short(dataset.get("SeriesDescription")),
            uid=str(dataset.get("SOPInstanceUID", "")),
        )
        outlines = _outlines(dataset)
        try:
            cautions = target.check(*_said_of(dataset, opened.frames))
            if head:
                return replace(found, cautions=cautions, outlines=tuple(outlines.values()))
            masks, more = _masks(opened, target, outlines, report)
        except Misfit as misfit:
            return replace(found, refusal=misfit.said)
    kept = [
        replace(one, mask=masks[n][0], notes=one.notes + masks[n][1]) for n, one in outlines.items()
    ]
    return replace(found, cautions=cautions + more, outlines=tuple(kept))


class _Opened:
    """A file, its head without frames, its frames, and where its pixels are."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        stream = stack.enter_context(path.open("rb"))
        name, _, start = plain_header.meta(stream)
        self.syntax = name
        self.data: Any
        if name == syntax.DEFLATED_LITTLE:
            self.data = plain_header.inflate(stream, start, _MOST_INFLATED)
            start = 0
            body: Any = io.BytesIO(self.data)
            self.head = pydicom.filereader.read_dataset(body, False, True, stop_when=_at_frames)
        else:
            self.data = stack.enter_context(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
            body = stream
            stream.seek(0)
            self.head = read_partial(stream, stop_when=_at_frames)
        if name == syntax.EXPLICIT_BIG:
            raise Misfit("compression", "big endian")
        explicit = name != syntax.IMPLICIT_LITTLE
        walked = fg.walk(self.data, body.tell(), explicit, _MOST_FRAMES)
        self.frames, self.pixels_at = walked.frames, walked.pixels_at
        self.pixels_length = walked.pixels_length or 0
        declared = int(self.head.get("NumberOfFrames", 1) or 1)
        if declared != len(self.frames) or not self.frames:
            raise Misfit("damaged")

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = int(self.head.get("Rows", 0)), int(self.head.get("Columns", 0))
        if min(rows, columns) < 1 or rows * columns > MAX_FRAME_PIXELS:
            raise Misfit("damaged")
        return rows, columns

    def planes(self) -> Iterator[npt.NDArray[Any] | None]:
        """Yield the stored values of each frame; None where a frame is empty."""
        bits = int(self.head.get("BitsAllocated", 0))
        if bits not in (1, 8, 16) or int(self.head.get("SamplesPerPixel", 1)) != 1:
            raise Misfit("kind")
        if self.pixels_at is None:
            yield from self._decoded()
            return
        rows, columns = self.size
        needed = (len(self.frames) * rows * columns * bits + 7) // 8
        if min(self.pixels_length, len(self.data) - self.pixels_at) < needed:
            raise Misfit("damaged")
        for n in range(len(self.frames)):
            yield self._bits(n, rows, columns) if bits == 1 else self._cells(n, rows, columns, bits)

    def _bits(self, n: int, rows: int, columns: int) -> npt.NDArray[Any] | None:
        # Frames of single bits follow each other without a gap (PS3.5 8.1.1).
        assert self.pixels_at is not None
        first, count = n * rows * columns, rows * columns
        low, high = first // 8, (first + count + 7) // 8
        packed = np.frombuffer(self.data, np.uint8, high - low, self.pixels_at + low)
        if not packed.any():
            return None
        skip = first - 8 * low
        flat = np.unpackbits(packed, bitorder="little")[skip : skip + count]
        return flat.reshape(rows, columns)

    def _cells(self, n: int, rows: int, columns: int, bits: int) -> npt.NDArray[Any] | None:
        assert self.pixels_at is not None
        kind = np.dtype("u1") if bits == 8 else np.dtype("<u2")
        at = self.pixels_at + n * rows * columns * kind.itemsize
        plane = np.frombuffer(self.data, kind, rows * columns, at)
        return plane.reshape(rows, columns) if plane.any() else None

    def _decoded(self) -> Iterator[npt.NDArray[Any] | None]:
        from pydicom.pixels.utils import iter_pixels

        if self.syntax not in syntax.ENCAPSULATED:
            raise Misfit("compression", self.syntax)
        for plane in iter_pixels(self.path, raw=True):
            yield plane if plane.any() else None


def _at_frames(tag: Any, _vr: str | None, _length: int) -> bool:
    return int(tag) >= fg.PER_FRAME


def _said_of(dataset: Any, frames: list[fg.Found]) -> tuple[str, str, str, list[str], set[str]]:
    """Return what ``Target.check`` asks: patient, study, frame of reference, series, images."""
    series, refs = [], set()
    for item in dataset.get("ReferencedSeriesSequence") or []:
        series.append(str(item.get("SeriesInstanceUID", "")))
        for image in item.get("ReferencedInstanceSequence") or []:
            refs.add(str(image.get("ReferencedSOPInstanceUID", "")))
    for frame in frames:
        if fg.IMAGE in frame:
            refs.add(frame[fg.IMAGE].decode("ascii", "replace").strip(" \0"))
    return (
        str(dataset.get("PatientID", "") or ""),
        str(dataset.get("StudyInstanceUID", "") or ""),
        str(dataset.get("FrameOfReferenceUID", "") or ""),
        series,
        refs - {""},
    )


def _outlines(dataset: Any) -> dict[int, HeldOutline]:
    found: dict[int, HeldOutline] = {}
    labelmap = str(dataset.get("SegmentationType", "")) == "LABELMAP"
    for item in dataset.get("SegmentSequence") or []:
        number = int(item.get("SegmentNumber", 0))
        if labelmap and number == 0:
            continue  # the background of a label map may be described (PS3.3 C.8.20.2)
        if number < 1 or number in found or len(found) >= MOST_OUTLINES:
            raise Misfit("damaged")
        found[number] = described(item, number)
    if not found:
        raise Misfit("nothing")
    return found


def _masks(
    opened: _Opened, target: Target, outlines: Mapping[int, HeldOutline], report: Report | None
) -> tuple[dict[int, tuple[Mask, tuple[Said, ...]]], tuple[Said, ...]]:
    """Return mask and notes of each segment, and what is to be told of all."""
    dataset = opened.head
    kind = str(dataset.get("SegmentationType", "BINARY")).upper()
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise Misfit("kind")
    shared = seg_geometry.shared_of(dataset)
    rows, columns = opened.size
    frames = [{**shared, **frame} for frame in opened.frames]
    laid = seg_geometry.layout(frames, shared, rows, columns, target)
    gathered = {number: Gathering() for number in outlines}
    least = 1
    if kind == "FRACTIONAL":
        most = int(dataset.get("MaximumFractionalValue", 255) or 255)
        least = int(np.ceil(most * _HALF))
    total = len(opened.frames)
    for n, plane in enumerate(opened.planes()):
        if report is not None and n % 64 == 0:
            report(n, total)
        if plane is None:
            continue
        if kind == "LABELMAP":
            add_labels(gathered, laid.slices[n], plane, laid.at_ji)
            continue
        number = int.from_bytes(frames[n].get(fg.SEGMENT, b"")[:2], "little")
        if number not in gathered:
            raise Misfit("damaged")
        inside = plane.view(np.bool_) if plane.dtype == np.uint8 and kind == "BINARY" else None
        if inside is None or dataset.get("BitsAllocated") != 1:
            inside = plane >= least
        gathered[number].add(laid.slices[n], inside, laid.at_ji)
    room_left(gathered.values())
    more: tuple[Said, ...] = () if laid.affine is None else (("other-grid",),)
    fractional = (("fractional",),) if kind == "FRACTIONAL" else ()
    return {n: _placed(one, laid, target, fractional) for n, one in gathered.items()}, more


def _placed(
    one: Gathering, laid: seg_geometry.Layout, target: Target, notes: tuple[Said, ...]
) -> tuple[Mask, tuple[Said, ...]]:
    mask = one.mask()
    if not mask.voxels.size:
        return mask, (*notes, ("empty",))
    if laid.affine is None:
        return mask, notes
    carried, cut = carried_over(mask, laid.affine, target.affine, target.shape_kji)
    if not carried.voxels.size:
        return carried, (*notes, ("outside",))
    return carried, (*notes, ("cut-off",)) if cut else notes
