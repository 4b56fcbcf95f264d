"""Identity in the pixels: who must look, what is blacked out, and what hides beside the image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from viewer.deid.options import Box
from viewer.study import header, pixels
from viewer.study.header import Unusable

Doubt = Literal["", "burned-in", "modality", "unknown"]
"""Why a person must look: the image says that text is burned in; text is usual in images of its
kind; nothing says that there is none."""

# Of these the machine, a frame grabber, a camera or a scanner of paper may write into the image.
_WRITTEN_ON = frozenset({
    "US", "IVUS", "BMUS", "SC", "XC", "XA", "RF", "DX", "CR", "MG", "IO", "PX", "DG", "ES", "GM",
    "SM", "OT", "OP", "OPT", "LS", "DOC", "ECG", "EPS", "HC",
})  # fmt: skip
# Stored as they were reconstructed or computed; a picture of a screen has another SOP Class.
_COMPUTED = tuple(
    f"1.2.840.10008.5.1.4.1.1.{end}"
    for end in (
        "2", "2.1", "2.2", "4", "4.1", "4.2", "4.4", "20", "30", "66.4", "66.7", "128", "128.1",
        "130", "481.2",
    )
)  # fmt: skip
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_DERIVED_WELL = frozenset({"66.4", "66.7", "30", "481.2"})
_FACES = frozenset({"CT", "MR", "PT"})
_HEAD = (
    "HEAD", "BRAIN", "SKULL", "FACE", "FACIAL", "CRANI", "NEURO", "SINUS", "ORBIT", "CEREBR",
    "MAXILL", "MANDIB", "JAW", "TEMPORAL", "PITUITARY", "NECK", "WHOLEBODY", "WHOLE BODY",
)  # fmt: skip
_SPOKEN = ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName")


class Unblackable(Exception):
    """The boxes cannot be drawn: the image cannot be decoded, or has values that are no grey."""


def doubt(dataset: Dataset, *, assume_pixels: bool = False) -> Doubt:
    """Return why a person must look at the pixels before they leave; empty when none need.

    ``assume_pixels``: the data set was read without them.
    """
    if "PixelData" not in dataset and not assume_pixels:
        return ""
    said = _text(dataset, "BurnedInAnnotation")
    if said == "YES":
        return "burned-in"
    sop_class = _text(dataset, "SOPClassUID")
    if _text(dataset, "Modality") in _WRITTEN_ON or sop_class.startswith(_SECONDARY_CAPTURE):
        return "modality"
    if "ConversionType" in dataset:
        return "modality"
    if said == "NO":
        return ""
    if sop_class in _COMPUTED:
        kinds = dataset.get("ImageType") or ["ORIGINAL"]
        first = kinds if isinstance(kinds, str) else str(kinds[0])
        if first == "ORIGINAL" or sop_class.removeprefix(_SECONDARY_CAPTURE[:-1]) in _DERIVED_WELL:
            return ""
    return "unknown"


def names_of(dataset: Dataset) -> tuple[str, str]:
    """Return by which UIDs boxes know the series and the image of a data set."""
    series, image = _text(dataset, "SeriesInstanceUID"), _text(dataset, "SOPInstanceUID")
    return series or image, image


def may_show_face(dataset: Dataset, *, assume_pixels: bool = False) -> bool:
    """Return whether a volume may hold a head, of which the face can be made visible."""
    if _text(dataset, "Modality") not in _FACES:
        return False
    if "PixelData" not in dataset and not assume_pixels:
        return False
    said = " ".join(_text(dataset, keyword) for keyword in _SPOKEN)
    return any(word in said for word in _HEAD)


def black_out(path: Path, dataset: Dataset, boxes: tuple[Box, ...]) -> None:
    """Black boxes out in the frames of an image, in place; it is then stored uncompressed.

    Parameters
    ----------
    path
        The file that ``dataset`` was read from: frames are decoded in the decoding process.
    boxes
        Those that are not in this image are passed over.

    Raises
    ------
    Unblackable
        When its frames cannot be had.
    """
    try:
        instance, _ = header.read_header(path, any_object=True)
        frames = pixels.frames(instance, range(instance.n_frames))
    except (Unusable, OSError) as error:
        raise Unblackable(type(error).__name__) from error
    if instance.bits_allocated not in (8, 16, 32) or any(f.dtype.kind == "f" for f in frames):
        raise Unblackable("values")
    series, image = names_of(dataset)
    for number, frame in enumerate(frames):
        here = [box for box in boxes if box.is_in(series, image, number)]
        grey = frame.ndim == 2 and instance.photometric != "PALETTE COLOR"
        blacken(frame, here, inverted=instance.photometric == "MONOCHROME1", grey=grey)
    _store(dataset, frames)


def blacken(
    frame: npt.NDArray[Any], boxes: Iterable[Box], *, inverted: bool = False, grey: bool = True
) -> None:
    """Black boxes out in one frame (row, column and maybe samples), in place.

    Parameters
    ----------
    inverted
        Whether the highest value is the darkest.
    grey
        Whether values are shades of grey: black is then the darkest there is, else 0.
    """
    boxes = list(boxes)
    if not boxes or not frame.size:
        return
    dark: Any = (frame.max() if inverted else frame.min()) if grey else 0
    for box in boxes:
        frame[box.row : box.row + box.height, box.column : box.column + box.width] = dark


def _store(dataset: Dataset, frames: list[npt.NDArray[Any]]) -> None:
    first = frames[0]
    data = b"".join(np.ascontiguousarray(f, dtype=f.dtype.newbyteorder("<")).data for f in frames)
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if first.dtype.itemsize == 1 else "OW"
    dataset["PixelData"].is_undefined_length = False
    dataset.Rows, dataset.Columns = first.shape[:2]
    dataset.BitsAllocated = first.dtype.itemsize * 8
    if first.ndim == 3:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
        dataset.PlanarConfiguration, dataset.PixelRepresentation = 0, 0
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for gone in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if gone in dataset:
            delattr(dataset, gone)


def clear_overlay_bits(dataset: Dataset) -> bool:
    """Clear overlays that old writers kept in the unused bits of the pixels (PS3.5 8.1.2, retired).

    Must be asked before the groups 60xx go, which tell of them. Returns whether there were any.

    Raises
    ------
    Unblackable
        When the pixels are compressed.
    """
    groups = range(0x6000, 0x6020, 2)
    inside = any((group, 0x0102) in dataset and dataset[group, 0x0102].value for group in groups)
    allocated, stored = (int(dataset.get(name) or 0) for name in ("BitsAllocated", "BitsStored"))
    if not inside or "PixelData" not in dataset:
        return False
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_compressed and not syntax.is_deflated:
        raise Unblackable("overlay bits")
    if allocated != 16 or not 0 < stored < 16 or dataset.get("HighBit") != stored - 1:
        return False
    cells = np.frombuffer(dataset.PixelData, "<u2" if syntax.is_little_endian else ">u2").copy()
    cells &= (1 << stored) - 1
    if dataset.get("PixelRepresentation"):
        cells[cells >> (stored - 1) == 1] |= 0xFFFF & ~((1 << stored) - 1)
    dataset.PixelData = cells.tobytes()
    return True


def _text(dataset: Dataset, keyword: str) -> str:
    try:
        return str(dataset.get(keyword) or "").strip().upper()
    except Exception:  # a value that pydicom cannot read
        return ""
