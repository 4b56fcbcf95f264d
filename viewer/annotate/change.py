"""What an edit touched, and one run of a model: values that a document hands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inference.findings import Findings
from viewer.annotate.mask import Box

ChangeKind = Literal["findings", "verdict", "add", "delete", "move", "paint", "label", "note"]


@dataclass(frozen=True, slots=True)
class Change:
    """What one edit touched, for whoever shows the document.

    Attributes
    ----------
    lesion_ids, segment_ids
        Whose values changed, came or went.
    boxes
        Parts of the volume whose overlay changed; none for ``"findings"`` means all of it.
    note
        Topic and id of the note that changed; None when none did.
    """

    kind: ChangeKind
    lesion_ids: tuple[str, ...] = ()
    segment_ids: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    note: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of a model on this case: its number, what it said, when it was taken in."""

    number: int
    findings: Findings
    utc: str


def together(changes: Sequence[Change]) -> Change:
    """Return several changes as one, with all that they touched, once.

    It is of the kind of the last that is more than voxels or a note, else of the last: whoever
    paints no more than the voxels that changed relies on nothing having come or gone.
    """

    def every(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for change in changes for one in getattr(change, name)))

    kinds = [change.kind for change in changes if change.kind not in ("paint", "note")]
    notes = [change.note for change in changes if change.note is not None]
    return Change(
        kinds[-1] if kinds else changes[-1].kind,
        every("lesion_ids"),
        every("segment_ids"),
        tuple(box for change in changes for box in change.boxes),
        notes[-1] if notes else None,
    )
