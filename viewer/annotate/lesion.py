"""The values that a document holds: lesions, segments of anatomy, decisions, readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inference.findings import Mask

Point = tuple[float, float, float]
Verdict = Literal["accepted", "rejected", "unsure"]
Origin = Literal["ai", "ai-pointed", "ai-edited", "human", "imported", "imported-edited"]

# Drawn by a model and by nobody else: shown dashed.
AI_DRAWN: tuple[Origin, ...] = ("ai", "ai-pointed")
# Of another file: neither the AI's nor a reader's own.
IMPORTED: tuple[Origin, ...] = ("imported", "imported-edited")
NOT_AI: tuple[Origin, ...] = ("human", *IMPORTED)
# Topic of the notes that hold a reader's words on a lesion: {"text": ...} by its id.
COMMENT = "comment"
VERDICTS: tuple[Verdict, ...] = ("accepted", "rejected", "unsure")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who works on the case, as he wants to be named, and his role."""

    name: str
    role: str = ""

    def __post_init__(self) -> None:
        # Half a surrogate pair can be typed but not saved.
        for field in ("name", "role"):
            text = getattr(self, field).encode("utf-8", "replace").decode("utf-8")
            object.__setattr__(self, field, text)


@dataclass(frozen=True, slots=True)
class Decision:
    """A reader's verdict on one lesion.

    Attributes
    ----------
    verdict
        None: not decided.
    reader
        Name of who decided, None when nobody did.
    decided_utc
        When, ISO 8601 in UTC, None when nobody did.
    reason
        Why it was rejected: key of ``resources/tables/rejection_reasons.json``, or empty.
    """

    verdict: Verdict | None = None
    reader: str | None = None
    decided_utc: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise ValueError("not a verdict")
        if self.reason and self.verdict != "rejected":
            raise ValueError("only a rejection has a reason")


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """One lesion as it stands now.

    Attributes
    ----------
    id
        Stable in its case: ``"d1"`` from the first AI run, ``"r2d1"`` from the second,
        ``"h1"`` drawn by a human, ``"p1"`` outlined by the model where a reader pointed,
        ``"i1"`` of another file.
    number
        Shown to the reader, stable.
    label
        Key of ``resources/tables/labels.json``.
    origin
        ``"ai"`` exactly as the model drew it, ``"ai-pointed"`` the same where a reader pointed,
        ``"ai-edited"``, ``"human"``, ``"imported"`` as another file has it or
        ``"imported-edited"``.
    run
        Number of the AI run that proposed it; 0 when none did.
    score
        The model's, 0 to 1; None for a human's.
    decision
        The reader's verdict, by whom and when.
    missed_by_ai
        Added by a reader after a run of the model that had not proposed it.
    mask
        Its voxels; empty for a point that is not drawn yet or for one rubbed out.
    anchor_lps_mm
        Where it was put: its centre while the mask is empty, LPS mm.
    centre_lps_mm
        Centre of mass in LPS mm.
    diameter_mm, short_axis_mm, volume_ml
        As in ``inference.measure``; 0 with an empty mask.
    mean_value
        Mean voxel value, in the volume's unit; None with an empty mask.
    deleted
        Taken away by the reader; stays in the record.
    superseded
        Proposed by an earlier AI run and never touched by a reader; stays in the record.
    called_up
        A reader pointed at it while the threshold hid it: it stays in the list.
    """

    id: str
    number: int
    label: str
    origin: Origin
    run: int
    score: float | None
    decision: Decision
    missed_by_ai: bool
    mask: Mask
    anchor_lps_mm: Point
    centre_lps_mm: Point
    diameter_mm: float
    short_axis_mm: float
    volume_ml: float
    mean_value: float | None
    deleted: bool = False
    superseded: bool = False
    called_up: bool = False

    @property
    def verdict(self) -> Verdict | None:
        """The reader's verdict, None while there is none."""
        return self.decision.verdict

    @property
    def reader(self) -> str | None:
        """Name of who decided."""
        return self.decision.reader

    @property
    def decided_utc(self) -> str | None:
        """When it was decided, ISO 8601 in UTC."""
        return self.decision.decided_utc

    @property
    def empty(self) -> bool:
        """Whether it is a point without voxels."""
        return not self.mask.voxels.size

    @property
    def touched(self) -> bool:
        """Whether a reader decided on it, changed it, made it or pointed at it."""
        return self.origin != "ai" or self.verdict is not None or self.called_up

    @property
    def reviewed(self) -> bool:
        """Whether nothing is left to decide: it has a verdict, or a human made it."""
        return self.origin == "human" or self.verdict is not None

    @property
    def live(self) -> bool:
        """Whether it counts: neither deleted nor superseded."""
        return not (self.deleted or self.superseded)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentState:
    """One structure of anatomy as it stands now.

    Attributes
    ----------
    id
        Stable in its case; ``"r2"`` and the model's id from a second AI run.
    label
        Key of ``resources/tables/labels.json``.
    origin
        ``"ai"``, ``"ai-edited"``, ``"imported"`` or ``"imported-edited"``.
    run
        Number of the AI run that drew it; 0 when none did.
    volume_ml
        Volume of the mask, mL.
    count
        Voxels of the mask.
    """

    id: str
    label: str
    volume_ml: float
    mask: Mask
    origin: Origin
    run: int
    count: int
