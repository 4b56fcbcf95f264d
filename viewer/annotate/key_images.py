"""Key images: slices that a reader marked, with the window that he saw them in.

They are notes of the topic ``"key-image"`` in the document (``edits.SetNote``): undone and
journalled as all else. A journal holds no identifier of the images, so a slice stands by its
number in the volume; ``instance`` names the image when it is exported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from viewer.display.planes import NAMES
from viewer.study.order import StackPlan

TOPIC = "key-image"
_LARGEST = 1e9


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One marked slice.

    Attributes
    ----------
    plane
        Name of the straight plane that was looked at: ``"axial"``, ``"coronal"``, ``"sagittal"``.
    index
        Its slice, along the plane's axis.
    k
        The acquired slice: the one that is shown, or that the cursor lay on in another plane.
    window
        Centre and width, in the unit of the voxels.
    reader
        Who marked it; may be empty.
    utc
        When, ISO 8601.
    """

    plane: str
    index: int
    k: int
    window: tuple[float, float]
    reader: str
    utc: str

    @property
    def note_id(self) -> str:
        """Id of its note: a slice is marked once."""
        return f"{self.plane}-{self.index}"

    def note(self) -> dict[str, Any]:
        """Return it as a note keeps it."""
        return {
            "plane": self.plane,
            "index": self.index,
            "k": self.k,
            "window": list(self.window),
            "reader": self.reader,
            "utc": self.utc,
        }


def read(note: Mapping[str, Any]) -> KeyImage:
    """Return what a note keeps.

    Raises
    ------
    ValueError
        When it keeps none, or one that cannot be.
    """
    try:
        centre, width = (float(part) for part in note["window"])
        index, k = int(note["index"]), int(note["k"])
        plane, reader, utc = str(note["plane"]), str(note["reader"]), str(note["utc"])
    except (KeyError, TypeError, ValueError):
        raise ValueError("not a key image") from None
    sane = all(math.isfinite(x) and abs(x) <= _LARGEST for x in (centre, width)) and width > 0
    if plane not in NAMES or index < 0 or k < 0 or not sane:
        raise ValueError("not a key image")
    return KeyImage(plane, index, k, (centre, width), reader, utc)


def key_images(notes: Mapping[str, Mapping[str, Any]]) -> tuple[KeyImage, ...]:
    """Return the key images among the notes of the topic; damaged ones are left out."""
    found = []
    for note in notes.values():
        try:
            found.append(read(note))
        except ValueError:
            continue
    return tuple(found)


def marked(notes: Mapping[str, Mapping[str, Any]], plane: str, index: int) -> KeyImage | None:
    """Return the key image that a slice of a plane is, or None."""
    note = notes.get(f"{plane}-{index}")
    return next(iter(key_images({"": note})), None) if note is not None else None


def instance(plan: StackPlan, k: int) -> tuple[str, int] | None:
    """Return SOP Instance UID (0008,0018) and frame, from 1, of an acquired slice.

    None when the images are no DICOM, or the stack is a copy that was interpolated.
    """
    if plan.resampled or not 0 <= k < len(plan.planes):
        return None
    ref = plan.planes[k]
    if ref.instance.file_format != "dicom":
        return None
    return ref.instance.sop_instance_uid, ref.frame + 1
