"""What a file holds for the open series: outlines, points, verdicts, or why it does not fit.

Reasons are words of a closed set with values, ``(word, *values)``: the process that reads knows
no language. ``words`` says them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from inference.findings import Mask
from viewer.annotate.mask import empty_mask

Kind = Literal["SEG", "SR", "RTSTRUCT", "NIfTI", "NRRD", "MetaImage", ""]
Said = tuple[str | int | float, ...]
Coded = tuple[str, str, str]
Point = tuple[float, float, float]

MOST_OUTLINES = 2000
MOST_TEXT = 64


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutline:
    """One segment, region or finding of a file.

    Attributes
    ----------
    number
        What the file calls it: Segment Number (0062,0004), ROI Number (3006,0022) or value.
    name
        Its label in the file, up to 64 characters.
    category, type, region
        Coded concepts (value, scheme, meaning); None where the file has none.
    colour
        Such as ``"#E69F00"``, or empty.
    anatomy
        Whether it is a structure of the body and no finding.
    mask
        On the voxels of the open series; empty for a mere point or when ``notes`` say why.
    point_lps_mm
        Where a finding without an outline lies, LPS mm.
    algorithm_type, algorithm
        Segment Algorithm Type (0062,0008) and what the file calls the algorithm; or empty.
    tracking_uid, tracking_id
        (0062,0021), (0062,0020); or empty.
    verdict, reason, reader, utc
        What a report of Overread says of it: as in ``annotate.lesion.Decision``; or empty.
    origin
        Whose a report of Overread says it is, as in ``annotate.lesion.Origin``; or empty.
    notes
        What must be told of it, each a ``Said``.
    """

    number: int
    name: str
    category: Coded | None = None
    type: Coded | None = None
    region: Coded | None = None
    colour: str = ""
    anatomy: bool = False
    mask: Mask = field(default_factory=empty_mask)
    point_lps_mm: Point | None = None
    algorithm_type: str = ""
    algorithm: str = ""
    tracking_uid: str = ""
    tracking_id: str = ""
    verdict: str = ""
    reason: str = ""
    reader: str = ""
    utc: str = ""
    origin: str = ""
    notes: tuple[Said, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether there is anything of it to be taken."""
        return bool(self.mask.voxels.size) or self.point_lps_mm is not None


@dataclass(frozen=True, slots=True, eq=False)
class HeldFile:
    """What one file holds.

    Attributes
    ----------
    name
        Of the file, for the reader alone.
    kind
        Empty when it is none of them.
    system
        Who made it: manufacturer, model, version; or empty.
    description
        Series Description (0008,103E) or what the format has in its place.
    refusal
        Why nothing of it can be taken; empty when it fits.
    cautions
        What a reader must know before he takes any; then nothing is ticked beforehand.
    outlines
        In the order of the file; none when it is refused.
    uid
        SOP Instance UID (0008,0018), or the SHA-256 of the content.
    """

    name: str
    kind: Kind = ""
    system: str = ""
    description: str = ""
    refusal: Said = ()
    cautions: tuple[Said, ...] = ()
    outlines: tuple[HeldOutline, ...] = ()
    uid: str = ""


class Misfit(Exception):
    """A file that cannot be taken; the arguments are the ``Said``."""

    @property
    def said(self) -> Said:
        """The reason."""
        return self.args


def short(text: object, most: int = MOST_TEXT) -> str:
    """Return printable text of a file, no longer than a label may be."""
    return "".join(c for c in str(text or "") if c.isprintable()).strip()[:most]
