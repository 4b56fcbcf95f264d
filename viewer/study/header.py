"""One DICOM file to one ``InstanceHeader``: everything of the file but its pixels.

The file is not trusted: no value is used before it is checked, and every file that cannot
serve ends as ``Unusable`` with a plain reason.
"""

from __future__ import annotations

import hashlib
import math
import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from resources.text import translate
from viewer.study import frames, marks, plain_header, syntax
from viewer.study.series import InstanceHeader, Pet, Plane
from viewer.study.words import words

Raw = Mapping[int, bytes]
"""Values of the elements that we use, as stored, by tag; sequences as a mere mark."""
Numbers = tuple[float, ...] | None

# Modalities of objects that refer to images and are none (PS3.3 C.7.3.1.1.1).
_NOT_IMAGES = frozenset(
    {"SEG", "SR", "PR", "KO", "RTSTRUCT", "RTPLAN", "RTRECORD", "RTDOSE", "REG", "RWV", "DOC"}
    | {"AU", "ECG", "HD", "FID", "PLAN"}
)
# Segmentation Storage and its kin: one with the modality of its source would look like one.
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66."
_MAX_FRAMES = 100_000
_OVERLAY_ROWS = tuple(group << 16 | 0x0010 for group in range(0x6000, 0x6020, 2))
# Sixteen times what a UID may have (PS3.5 6.2).
_MAX_TEXT = 1024


@dataclass(frozen=True, slots=True, repr=False)
class OtherObject:
    """What a DICOM file says of itself that is no image.

    Attributes
    ----------
    description
        Series Description (0008,103E), for the screen alone.
    path, keeper
        Where it lies, and what keeps it there, or None.
    """

    modality: str
    sop_class_uid: str
    study_uid: str
    description: str
    path: Path
    keeper: object | None = None

    def __repr__(self) -> str:
        return f"OtherObject({self.modality!r})"


class Unusable(Exception):
    """The file is not an image that can be shown; the text is the translated reason.

    Attributes
    ----------
    quiet
        True when nobody needs to be told, as of a DICOMDIR.
    other
        What it is instead, where it says so; else None.
    """

    def __init__(
        self, reason: str, *, quiet: bool = False, other: OtherObject | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.quiet = quiet
        self.other = other


def read_header(path: Path, *, any_object: bool = False) -> tuple[InstanceHeader, Raw]:
    """Read what is needed to place and to read the pixels of one file.

    Parameters
    ----------
    path
        A regular file, with or without the 128-byte preamble of PS3.10.
    any_object
        Take what has pixels and is no image, too, such as a segmentation or a dose.

    Returns
    -------
    InstanceHeader
        The checked header.
    Mapping
        The raw elements, for the texts of the series.

    Raises
    ------
    Unusable
        When the file is no DICOM image or is damaged.
    OSError
        When the file cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        found = plain_header.parse(stream) or _parse_slowly(stream)
    return _instance(path, size, found, any_object), found.raw


def _parse_slowly(stream: BinaryIO) -> plain_header.Parsed:
    stream.seek(0)
    if not looks_like_dicom(stream):
        raise Unusable(translate("study", "This is not a DICOM file."))
    from viewer.study import pydicom_header

    stream.seek(0)
    try:
        return pydicom_header.parse(stream)
    except OSError as error:
        if error.errno is not None:
            raise
        raise Unusable(translate("study", "The file is damaged or cut short.")) from None
    except Exception:
        # Of a malformed file pydicom raises nearly anything, and its text quotes values.
        raise Unusable(translate("study", "The file is damaged or cut short.")) from None


def looks_like_dicom(stream: BinaryIO) -> bool:
    """Return whether a stream begins as DICOM files do, with the preamble of PS3.10 or without."""
    start = stream.read(132)
    if start[128:132] == b"DICM":
        return True
    # Without a preamble a data set starts with group 0002 or 0008 (PS3.10 7.1 is ignored
    # by old writers); byte order as the transfer syntax has it.
    if len(start) < 8:
        return False
    little, big = struct.unpack_from("<HH", start), struct.unpack_from(">HH", start)
    return any(group in (0x0002, 0x0008) and element < 0x0100 for group, element in (little, big))


def _instance(
    path: Path, size: int, found: plain_header.Parsed, any_object: bool
) -> InstanceHeader:
    raw = found.raw
    modality = text(raw, 0x00080060)
    sop_class = text(raw, 0x00080016)
    if text(raw, plain_header.MEDIA_CLASS) == plain_header.MEDIA_DIRECTORY:
        raise Unusable(translate("study", "This is the directory of a medium."), quiet=True)
    other = modality in _NOT_IMAGES or sop_class.startswith(_SEGMENTATION)
    if other and not (any_object and found.has_pixels):
        raise Unusable(
            translate("study", "This is not an image but an object of type {modality}.").format(
                modality=modality
            ),
            other=OtherObject(
                modality, sop_class, text(raw, 0x0020000D), words(raw, 0x0008103E), path
            ),
        )
    if not found.has_pixels:
        if not sop_class and not modality:
            raise Unusable(translate("study", "This is not a DICOM file."))
        # Without a size nobody can tell which of the two it is.
        raise Unusable(
            translate("study", "The file is cut short before its pixels.")
            if 0x00280010 in raw
            else translate("study", "The file holds no image, or is cut short before it.")
        )
    rows, columns = number(raw, 0x00280010), number(raw, 0x00280011)
    allocated = number(raw, 0x00280100)
    if not rows or not columns or allocated not in (1, 8, 16, 32, 64):
        raise Unusable(translate("study", "The file does not say the size of its image."))
    series_uid = text(raw, 0x0020000E) or _alone(path, text(raw, 0x00080018))
    n_frames = integer(raw, 0x00280008) or 1
    if not 1 <= n_frames <= _MAX_FRAMES:
        raise Unusable(translate("study", "The file names an impossible number of frames."))
    stored = number(raw, 0x00280101) or allocated
    if stored > allocated:
        raise Unusable(translate("study", "The file contradicts itself about its pixels."))
    signed = number(raw, 0x00280103) == 1
    plain = found.transfer_syntax in syntax.PLAIN and found.pixel_length is not None
    packed = found.transfer_syntax in syntax.ENCAPSULATED
    return InstanceHeader(
        path=path,
        sop_class_uid=sop_class,
        sop_instance_uid=text(raw, 0x00080018),
        study_uid=text(raw, 0x0020000D),
        series_uid=series_uid,
        frame_of_reference_uid=text(raw, 0x00200052),
        transfer_syntax=printable(found.transfer_syntax),
        modality=modality,
        instance_number=integer(raw, 0x00200013),
        acquisition_number=integer(raw, 0x00200012),
        image_type=tuple(part.strip() for part in text(raw, 0x00080008).split("\\")),
        rows=rows,
        columns=columns,
        n_frames=n_frames,
        samples_per_pixel=number(raw, 0x00280002) or 1,
        photometric=text(raw, 0x00280004) or "MONOCHROME2",
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=number(raw, 0x00280102, stored - 1),
        signed=signed,
        padding_value=_padding(raw, 0x00280120, signed, allocated),
        padding_limit=_padding(raw, 0x00280121, signed, allocated),
        has_modality_lut=bool(raw.get(0x00283000)),
        has_voi_lut=bool(raw.get(0x00283010)),
        overlay_groups=tuple(tag >> 16 for tag in _OVERLAY_ROWS if number(raw, tag)),
        pet=_pet(raw) if modality == "PT" else None,
        pixel_offset=found.pixel_offset if plain else None,
        pixel_length=found.pixel_length if plain else None,
        file_size=size,
        patient_key=hashlib.sha256(
            raw.get(0x00100020, b"").strip(b" \0") + b"\n" + raw.get(0x00100010, b"").strip(b" \0")
        ).hexdigest(),
        planes=_planes(found.functional_groups, n_frames, raw),
        fragments_offset=found.pixel_offset if packed else None,
    )


def _alone(path: Path, instance_uid: str) -> str:
    """Return a series identifier for a file that names none: it is a series of its own.

    Series Instance UID is of Type 1 (PS3.3 C.7.3.1), but images without one are about. Derived
    (PS3.5 B.2), so that the same file has the same one when it is opened again.
    """
    name = instance_uid or str(path.absolute())
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


def _planes(groups: Any, n_frames: int, raw: Raw) -> tuple[Plane, ...]:
    try:
        return frames.planes(groups, n_frames, _plane(raw))
    except Exception:
        # pydicom parses nested sequences only when they are asked for, and may raise anything.
        raise Unusable(
            translate("study", "The file is damaged: its numbers cannot be meant.")
        ) from None


def text(raw: Raw, tag: int) -> str:
    """Return a value of ASCII, such as a UID or a code string; empty when absent."""
    return printable(raw.get(tag, b"")[:_MAX_TEXT].decode("ascii", "replace").strip(" \0"))


def printable(value: str) -> str:
    """Return the value with a question mark for each control character."""
    return value if value.isprintable() else "".join(c if c.isprintable() else "?" for c in value)


def number(raw: Raw, tag: int, default: int = 0) -> int:
    """Return a US value (two bytes, made little endian by the parser)."""
    value = raw.get(tag)
    if value is None:
        return default
    return int.from_bytes(value[:2], "little") if len(value) >= 2 else default


def integer(raw: Raw, tag: int) -> int | None:
    """Return an IS value, None when it is absent or no number."""
    found = decimals(raw, tag, 1)
    return int(found[0]) if found else None


def decimals(raw: Raw, tag: int, count: int) -> tuple[float, ...] | None:
    """Return the first ``count`` DS values, None when fewer are finite numbers."""
    parts = raw.get(tag, b"").split(b"\\")
    if len(parts) < count:
        return None
    try:
        values = tuple(float(part.strip(b" \0")) for part in parts[:count])
    except ValueError:
        return None
    return values if all(math.isfinite(value) for value in values) else None


def _plane(raw: Raw) -> Plane:
    row, column = frames.unit_pair(decimals(raw, 0x00200037, 6))
    intercept = decimals(raw, 0x00281052, 1)
    factor = decimals(raw, 0x00281053, 1)
    slope, offset = frames.rescale(factor, intercept)
    centres, widths = raw.get(0x00281050, b""), raw.get(0x00281051, b"")
    pairs = min(len(centres.split(b"\\")), len(widths.split(b"\\")))
    middle, wide = decimals(raw, 0x00281050, pairs), decimals(raw, 0x00281051, pairs)
    spacing, source = _spacing(raw)
    return Plane(
        position_lps_mm=frames.position(decimals(raw, 0x00200032, 3)),
        row_lps=row,
        column_lps=column,
        spacing_mm=spacing,
        spacing_source=source,
        thickness_mm=frames.thickness(decimals(raw, 0x00180050, 1)),
        slope=slope,
        intercept=offset,
        has_rescale=frames.rescales(factor, intercept),
        rescale_type=text(raw, 0x00281054),
        window=frames.windows(middle, wide),
        window_names=_window_names(raw, middle, wide),
        voi_function=frames.voi_function(text(raw, 0x00281056)),
        marks=marks.of_header(raw),
    )


def _window_names(raw: Raw, centres: Numbers, widths: Numbers) -> tuple[str, ...]:
    if 0x00281055 not in raw:
        return ()
    return frames.window_names(centres, widths, words(raw, 0x00281055).split("\\"))


_SPACINGS = (
    (0x00280030, "Pixel Spacing"),
    # At the detector (PS3.3 C.8.11.4): what lies before it is magnified.
    (0x00181164, "Imager Pixel Spacing"),
    (0x00182010, "Nominal Scanned Pixel Spacing"),
    (plain_header.REGIONS, "Ultrasound region"),
)


def _spacing(raw: Raw) -> tuple[tuple[float, float] | None, str]:
    """Return the spacing and the name of the first attribute that says a sane one."""
    for tag, name in _SPACINGS:
        found = frames.spacing_pair(decimals(raw, tag, 2))
        if found is not None:
            return found, name
    return None, ""


def _pet(raw: Raw) -> Pet:
    times = [
        (text(raw, date), text(raw, time))
        for date, time in ((0x00080021, 0x00080031), (0x00080022, 0x00080032))
    ]
    # The forms before DICOM parted them by dots and colons.
    series_time, acquisition_time = (
        (date.replace(".", "") + time.replace(":", "") if date and time else "")
        for date, time in times
    )
    weight, reference, duration = (
        found[0] if (found := decimals(raw, tag, 1)) else None
        for tag in (0x00101030, 0x00541300, 0x00181242)
    )
    return Pet(
        units=text(raw, 0x00541001),
        suv_type=text(raw, 0x00541006),
        decay_correction=text(raw, 0x00541102),
        corrected=tuple(part.strip() for part in text(raw, 0x00280051).split("\\")),
        weight_kg=weight,
        series_time=series_time,
        acquisition_time=acquisition_time,
        reference_ms=reference,
        duration_ms=duration,
        offset_from_utc=text(raw, 0x00080201),
    )


def _padding(raw: Raw, tag: int, signed: bool, allocated: int) -> int | None:
    if len(raw.get(tag, b"")) < 2:
        return None
    value = number(raw, tag)
    # Often written as US in a signed image (63536 for -2000): the bits are what counts.
    return value - 65536 if signed and allocated == 16 and value >= 32768 else value
