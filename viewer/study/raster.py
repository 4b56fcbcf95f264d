"""PNG, JPEG and TIFF: pictures that lie nowhere in a patient.

A resolution in such a file is that of print or of a scanner, never of a patient, and is not
looked at. The header is read here, the pixels in the decoding process, both by pillow.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resources.text import translate
from viewer.study import foreign
from viewer.study.cancel import CancelCheck
from viewer.study.header import Raw, Unusable
from viewer.study.series import InstanceHeader, Plane
from viewer.study.suitable import MAX_FRAME_PIXELS

_FORMATS = ("PNG", "JPEG", "TIFF")
_MAX_PAGES = 10_000
_STARTS = (
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"),
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
)
_ORIENTATION = 0x0112
_PHOTOMETRIC, _WHITE_IS_ZERO = 0x0106, 0
# EXIF orientations that exchange rows and columns.
_TURNED = (5, 6, 7, 8)
# Of a mode of pillow: numpy type, and whether it is colour.
_MODES: dict[str, tuple[str, bool]] = {
    **dict.fromkeys(("1", "L", "LA", "La"), ("u1", False)),
    **dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), ("u2", False)),
    "I": ("i4", False),
    "F": ("f4", False),
    **dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"), ("u1", True)),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One picture of a file, as it is to be seen: turned as its orientation says."""

    number: int
    rows: int
    columns: int
    kind: str
    colour: bool
    inverted: bool

    @property
    def like(self) -> tuple[object, ...]:
        """What must be equal for two pages to be one stack."""
        return self.rows, self.columns, self.kind, self.colour, self.inverted


def is_one(start: bytes) -> bool:
    """Return whether a file that starts so is a PNG, JPEG or TIFF."""
    return start.startswith(_STARTS)


def read(
    path: Path,
    name: str,
    *,
    keeper: object | None = None,
    cancelled: CancelCheck | None = None,
) -> tuple[InstanceHeader, Raw]:
    """Return what ``viewer.study.header.read_header`` returns of a DICOM file.

    Pages that differ from the first in size or kind are left out, with a note.

    Raises
    ------
    Unusable
        With the reason.
    OSError
        When the file cannot be read.
    """
    try:
        with _opened(path) as image:
            pages, left = _pages(image)
    except (Unusable, MemoryError):
        raise
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged() from None
    except Exception:
        raise _damaged() from None
    first = pages[0]
    if first.rows * first.columns > MAX_FRAME_PIXELS:
        raise Unusable(translate("study", "The images are too large to be opened."))
    uid = foreign.digest_uid([path], cancelled)
    bits = int(first.kind[1]) * 8
    notes: tuple[tuple[str, str], ...] = ()
    if left:
        text = translate("study", "Pages of another size or kind are left out: {count}.")
        notes = (("other-pages", text.format(count=left)),)
    instance = foreign.header(
        path,
        uid,
        (first.rows, first.columns),
        (Plane(),) * len(pages),
        bits,
        signed=first.kind[0] != "u",
        photometric="RGB" if first.colour else "MONOCHROME1" if first.inverted else "MONOCHROME2",
        file_format="raster",
        notes=notes,
        keeper=keeper,
    )
    return instance, foreign.texts(name)


def _damaged() -> Unusable:
    return Unusable(translate("study", "The picture is damaged or of a kind that is not read."))


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    from PIL import Image

    with warnings.catch_warnings():
        # Of odd metadata pillow warns; of too many pixels we have a limit of our own.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(path, formats=_FORMATS)
        except Image.DecompressionBombError:
            raise Unusable(translate("study", "The images are too large to be opened.")) from None
        with image:
            yield image


def _pages(image: Any) -> tuple[list[Page], int]:
    """Return the pages that are as the first one, and the number of the others."""
    found, left, number = [_page(image, 0)], 0, 0
    while image.format == "TIFF":
        number += 1
        if number > _MAX_PAGES:
            raise Unusable(translate("study", "The file names an impossible number of frames."))
        try:
            image.seek(number)
        except EOFError:
            break
        try:
            page = _page(image, number)
        except Unusable:
            left += 1
            continue
        if page.like == found[0].like:
            found.append(page)
        else:
            left += 1
    return found, left


def _page(image: Any, number: int) -> Page:
    if image.mode not in _MODES:
        raise _damaged()
    kind, colour = _MODES[image.mode]
    columns, rows = image.size
    if _orientation(image) in _TURNED:
        columns, rows = rows, columns
    tags = getattr(image, "tag_v2", {})
    if tags.get(_ORIENTATION) in _TURNED:
        # pillow 13.0 turns these itself, and comes out with other pixels.
        raise Unusable(
            translate("study", "The picture lies on its side: save it upright, then open it again.")
        )
    # Narrower pixels pillow inverts itself.
    inverted = kind != "u1" and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    return Page(number, rows, columns, kind, colour, inverted)


def _orientation(image: Any) -> int:
    if image.format == "TIFF":
        return 1  # pillow turns these itself
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1  # damaged metadata are not worth the picture


class Decoder:
    """Decodes pictures in the decoding process; keeps the last file open for its next page."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._image: Any = None
        self._pages: list[Page] = []

    def frame(self, path: str, number: int) -> npt.NDArray[Any]:
        """Return one page: (row, column), or (row, column, 3) in RGB.

        Raises
        ------
        Exception
            Of any kind, for pillow does when a file is malformed.
        """
        from PIL import Image

        info = os.stat(path)  # noqa: PTH116 - may hold no path's text
        key = path, info.st_size, info.st_mtime_ns
        if key != self._key:
            self.close()
            warnings.simplefilter("ignore")
            self._image = Image.open(path, formats=_FORMATS)
            self._pages, _ = _pages(self._image)
            self._key = key
        page = self._pages[number]
        if page.rows * page.columns > MAX_FRAME_PIXELS:
            raise ValueError("too large")
        self._image.seek(page.number)
        return _values(self._image, page)

    def close(self) -> None:
        """Close the file."""
        if self._image is not None:
            self._image.close()
        self._key, self._image, self._pages = (), None, []


def _values(image: Any, page: Page) -> npt.NDArray[Any]:
    from PIL import Image

    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(_orientation(image))
    image.load()
    shown = image
    if page.colour:
        clear = image.mode in ("RGBA", "PA", "RGBa") or "transparency" in image.info
        shown = _on_black(image.convert("RGBA"), "RGB") if clear else image.convert("RGB")
    elif image.mode in ("LA", "La"):
        shown = _on_black(image.convert("RGBA"), "L")
    elif image.mode == "1":
        shown = image.convert("L")
    if turned is not None:
        shown = shown.transpose(turned)
    return np.array(shown).astype(page.kind, order="C")


def _on_black(image: Any, mode: str) -> Any:
    """Return an image with opacity as it looks on black: what is clear is not in the picture."""
    from PIL import Image

    ground = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return Image.alpha_composite(ground, image).convert(mode)
