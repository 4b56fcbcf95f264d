"""COCO: a PNG a slice, a box and a mask a finding and slice.

Masks are uncompressed run lengths (COCO's ``RLE`` with a list of counts, column by column, zeros
first), which pycocotools reads; ``area`` is the number of pixels of these runs. What nobody judged
is a crowd (``iscrowd`` 1): pycocotools neither rewards nor punishes what is found there.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.volume import Volume
from viewer.export.report import FileCheck
from viewer.export.sets.files import insist
from viewer.export.sets.truth import Finding

FOLDER = "coco"
_LUNG_WINDOW = (-600.0, 1500.0)  # centre and width, HU
_SHARES = (1.0, 99.0)  # percent, of images without HU


def window_of(volume: Volume) -> tuple[float, float]:
    """Return centre and width of the window that the pictures show: the lung's for CT."""
    if volume.unit == "HU":
        return _LUNG_WINDOW
    low, high = np.percentile(volume.voxels[::2, ::4, ::4], _SHARES)
    return float(low + high) / 2, max(float(high - low), 1.0)


def windowed(plane: npt.NDArray[Any], window: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """Return a slice in 8 bits; the ends of the window are 0 and 255."""
    centre, width = window
    share = (plane.astype(np.float32) - (centre - width / 2)) / width
    return np.asarray(np.rint(np.clip(share, 0, 1) * 255), dtype=np.uint8)


def write_images(
    folder: Path, item: str, volume: Volume
) -> tuple[list[dict[str, Any]], list[FileCheck]]:
    """Write each slice as ``coco/images/ITEM_KKKK.png`` and read it again with Pillow.

    Returns
    -------
    list, list
        What COCO says of each image, without its id; and how each was checked.
    """
    import PIL
    from PIL import Image

    (folder / FOLDER / "images").mkdir(parents=True, exist_ok=True)
    window = window_of(volume)
    _, row_mm, column_mm = geometry.spacing_kji_mm(volume.affine)
    images, checks = [], []
    for k, plane in enumerate(volume.voxels):
        inside = f"images/{item}_{k:04d}.png"
        name = f"{FOLDER}/{inside}"
        grey = windowed(plane, window)
        (folder / name).write_bytes(png(grey))
        with Image.open(folder / name) as image:
            insist(name, "" if np.array_equal(np.asarray(image), grey) else "pixels differ")
        checks.append(FileCheck(name, f"Pillow {PIL.__version__}", ("every pixel",)))
        images.append(
            {
                "file_name": inside,
                "width": plane.shape[1],
                "height": plane.shape[0],
                "item": item,
                "slice": k,
                "window": {"centre": window[0], "width": window[1]},
                "pixel_spacing_mm": [row_mm, column_mm],
            }
        )
    return images, checks


def marks(
    found: Iterable[Finding], classes: Sequence[str], labels: npt.NDArray[np.uint8]
) -> list[dict[str, Any]]:
    """Return the annotations of a case, without ids; ``slice`` says of which image.

    Parameters
    ----------
    labels
        The label map (k, j, i), which says where nobody knows.
    """
    out = []
    for one in found:
        if one.kind != "truth":
            continue
        k, j, i = one.lesion.mask.box
        for at, inside in enumerate(one.lesion.mask.voxels, start=k.start):
            plane = np.zeros(labels.shape[1:], dtype=np.bool_)
            plane[j, i] = inside
            category = classes.index(one.lesion.label) + 1
            out += _annotation(plane, at, category, finding=one.lesion.number)
    for level in np.flatnonzero((labels > len(classes)).any(axis=(1, 2))):
        for category in range(1, len(classes) + 1):
            out += _annotation(labels[level] > len(classes), int(level), category, crowd=1)
    return out


def _annotation(
    plane: npt.NDArray[np.bool_], k: int, category: int, *, crowd: int = 0, **more: int
) -> list[dict[str, Any]]:
    """Return the annotation of a mask (row, column); none when it is empty."""
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if not len(rows):
        return []
    counts = runs(plane)
    insist(FOLDER, "" if np.array_equal(filled(counts, plane.shape), plane) else "runs differ")
    left, top = int(columns[0]), int(rows[0])
    return [
        {
            "slice": k,
            "category_id": category,
            "segmentation": {"size": list(plane.shape), "counts": counts},
            "area": int(np.count_nonzero(plane)),
            "bbox": [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1],
            "iscrowd": crowd,
            **more,
        }
    ]


def runs(plane: npt.NDArray[np.bool_]) -> list[int]:
    """Return the run lengths of a mask (row, column), column by column, zeros first."""
    flat = plane.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    ends = [0, *(int(edge) for edge in edges), flat.size]
    lengths = [b - a for a, b in pairwise(ends)]
    return [0, *lengths] if flat[0] else lengths


def filled(counts: Sequence[int], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return the mask (row, column) of run lengths."""
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(shape[::-1]).T


def document(
    cases: Iterable[tuple[list[dict[str, Any]], list[dict[str, Any]]]],
    classes: Sequence[str],
    about: str,
) -> dict[str, Any]:
    """Return one COCO file of some cases, each its images and its annotations."""
    images: list[dict[str, Any]] = []
    drawn: list[dict[str, Any]] = []
    for own_images, own_marks in cases:
        first = len(images) + 1
        images += [{"id": first + n, **image} for n, image in enumerate(own_images)]
        for mark in own_marks:
            rest = {name: value for name, value in mark.items() if name != "slice"}
            drawn.append({"id": len(drawn) + 1, "image_id": first + mark["slice"], **rest})
    return {
        "info": {"description": about},
        "licenses": [],
        "categories": [
            {"id": n, "name": name, "supercategory": "lesion"} for n, name in enumerate(classes, 1)
        ],
        "images": images,
        "annotations": drawn,
    }


def png(grey: npt.NDArray[np.uint8]) -> bytes:
    """Return an 8-bit grey PNG (ISO/IEC 15948) without any text or time in it."""
    rows, columns = grey.shape
    # Each row less the one above (filter 2): CT compresses to half as much.
    filtered = np.empty((rows, columns + 1), dtype=np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = grey[0]
    filtered[1:, 1:] = grey[1:] - grey[:-1]
    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    data = zlib.compress(filtered.tobytes(), 4)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
