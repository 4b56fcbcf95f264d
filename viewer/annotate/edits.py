"""Everything a person can do to a case, as frozen, invertible values that a journal can keep.

Each edit holds what stood before as well as what comes after, so its inverse needs no
document. ``encode`` and ``decode`` give and read its journal form: a JSON object and,
for voxels, bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from inference import packing
from inference.findings import Findings
from viewer.annotate.lesion import Decision, Point
from viewer.annotate.mask import Delta, Triple
from viewer.annotate.outlined import AddOutlined as AddOutlined
from viewer.annotate.outlined import RemoveOutlined as RemoveOutlined

Body = dict[str, Any]
Note = Mapping[str, Any] | None
# Notes that undo does not take back, nor what came before them.
SEALED_TOPICS = frozenset(["first-impression"])


class Edit(Protocol):
    """One change of a document."""

    kind: ClassVar[str]

    @property
    def tool(self) -> str:
        """What the reader used, for the journal."""

    def inverse(self) -> Edit:
        """Return the edit that takes this one back exactly."""

    def body(self) -> Body:
        """Return the JSON part of its journal form."""

    def blob(self) -> bytes | None:
        """Return the binary part of its journal form; may be slow, needs no document."""


@dataclass(frozen=True, slots=True, eq=False)
class AddFindings:
    """One run of a model is laid under the case.

    Attributes
    ----------
    run
        1 for the first run of the case.
    findings
        What the model said; kept as it is for ever.
    utc
        When it was taken in, ISO 8601.
    first_number
        Number that the first new lesion is shown with.
    supersedes
        Ids of lesions and segments of earlier runs that no reader has touched: they leave
        the list and stay in the record.
    known
        Pairs of an id in ``findings`` and the id in the case of the same thing, on which a
        reader has worked already: it does not enter the list a second time.
    """

    kind: ClassVar[str] = "add-findings"
    run: int
    findings: Findings
    utc: str
    first_number: int
    supersedes: tuple[str, ...] = ()
    known: tuple[tuple[str, str], ...] = ()

    @property
    def tool(self) -> str:
        """The model's id."""
        return self.findings.model.id

    def inverse(self) -> RemoveFindings:
        """Return its removal."""
        return RemoveFindings(self)

    def body(self) -> Body:
        """Return run, time, number and ids."""
        return {
            "run": self.run,
            "utc": self.utc,
            "first_number": self.first_number,
            "supersedes": list(self.supersedes),
            "known": [list(pair) for pair in self.known],
        }

    def blob(self) -> bytes:
        """Return the findings, packed and deflated."""
        deflater = zlib.compressobj(1)
        parts = packing.pack(*packing.findings_parts(self.findings))
        return b"".join([*(deflater.compress(part) for part in parts), deflater.flush()])

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> AddFindings:
        """Read its journal form."""
        if blob is None:
            raise ValueError("findings without bytes")
        findings = packing.findings_from_parts(*packing.unpack(zlib.decompress(blob)))
        return cls(
            run=int(body["run"]),
            findings=findings,
            utc=str(body["utc"]),
            first_number=int(body["first_number"]),
            supersedes=tuple(str(s) for s in body["supersedes"]),
            known=tuple((str(new), str(old)) for new, old in body["known"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class RemoveFindings:
    """Takes back one run of a model, before anything was done to its lesions."""

    kind: ClassVar[str] = "remove-findings"
    added: AddFindings

    @property
    def tool(self) -> str:
        """The model's id."""
        return self.added.tool

    def inverse(self) -> AddFindings:
        """Return the run that was taken back."""
        return self.added

    def body(self) -> Body:
        """Return the run's own."""
        return self.added.body()

    def blob(self) -> bytes:
        """Return the run's own."""
        return self.added.blob()

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> RemoveFindings:
        """Read its journal form."""
        return cls(AddFindings.read(body, blob))


@dataclass(frozen=True, slots=True)
class _Small:
    """What the edits without voxels share."""

    @property
    def tool(self) -> str:
        """Keyboard and list, for which no tool is held."""
        return "list"

    def blob(self) -> bytes | None:
        """Return nothing."""
        return None


@dataclass(frozen=True, slots=True)
class SetVerdict(_Small):
    """A reader decides on a lesion, or takes his decision back."""

    kind: ClassVar[str] = "set-verdict"
    lesion_id: str
    before: Decision
    after: Decision

    def inverse(self) -> SetVerdict:
        """Return the decision that stood before."""
        return replace(self, before=self.after, after=self.before)

    def body(self) -> Body:
        """Return id and both decisions."""
        return {
            "lesion": self.lesion_id,
            "before": _decision_body(self.before),
            "after": _decision_body(self.after),
        }

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> SetVerdict:
        """Read its journal form."""
        return cls(str(body["lesion"]), Decision(*body["before"]), Decision(*body["after"]))


@dataclass(frozen=True, slots=True)
class AddLesion(_Small):
    """A reader puts a lesion, as a point that is drawn later."""

    kind: ClassVar[str] = "add-lesion"
    lesion_id: str
    number: int
    label: str
    centre_lps_mm: Point
    missed_by_ai: bool

    def inverse(self) -> RemoveLesion:
        """Return its removal."""
        return RemoveLesion(self)

    def body(self) -> Body:
        """Return all of it."""
        return {
            "lesion": self.lesion_id,
            "number": self.number,
            "label": self.label,
            "centre_lps_mm": list(self.centre_lps_mm),
            "missed_by_ai": self.missed_by_ai,
        }

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> AddLesion:
        """Read its journal form."""
        return cls(
            str(body["lesion"]),
            int(body["number"]),
            str(body["label"]),
            _point(body["centre_lps_mm"]),
            bool(body["missed_by_ai"]),
        )


@dataclass(frozen=True, slots=True)
class RemoveLesion(_Small):
    """Takes back the adding of a lesion, as if it had never been. Not a deletion."""

    kind: ClassVar[str] = "remove-lesion"
    added: AddLesion

    def inverse(self) -> AddLesion:
        """Return the adding."""
        return self.added

    def body(self) -> Body:
        """Return the adding's own."""
        return self.added.body()

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> RemoveLesion:
        """Read its journal form."""
        return cls(AddLesion.read(body, blob))


@dataclass(frozen=True, slots=True)
class DeleteLesion(_Small):
    """A reader takes a lesion off the list (or, inverted, back on it); the record keeps it."""

    kind: ClassVar[str] = "delete-lesion"
    lesion_id: str
    deleted: bool = True

    def inverse(self) -> DeleteLesion:
        """Return the opposite."""
        return replace(self, deleted=not self.deleted)

    def body(self) -> Body:
        """Return id and state."""
        return {"lesion": self.lesion_id, "deleted": self.deleted}

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> DeleteLesion:
        """Read its journal form."""
        return cls(str(body["lesion"]), bool(body["deleted"]))


@dataclass(frozen=True, slots=True)
class CallUp(_Small):
    """A reader points at a lesion that the threshold hides: from now on it is listed."""

    kind: ClassVar[str] = "call-up"
    lesion_id: str
    called_up: bool = True

    def inverse(self) -> CallUp:
        """Return the opposite."""
        return replace(self, called_up=not self.called_up)

    def body(self) -> Body:
        """Return id and state."""
        return {"lesion": self.lesion_id, "called_up": self.called_up}

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> CallUp:
        """Read its journal form."""
        return cls(str(body["lesion"]), bool(body["called_up"]))


@dataclass(frozen=True, slots=True)
class SetLabel(_Small):
    """A reader calls a lesion something else."""

    kind: ClassVar[str] = "set-label"
    lesion_id: str
    before: str
    after: str

    def inverse(self) -> SetLabel:
        """Return the label that stood before."""
        return replace(self, before=self.after, after=self.before)

    def body(self) -> Body:
        """Return id and both labels."""
        return {"lesion": self.lesion_id, "before": self.before, "after": self.after}

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> SetLabel:
        """Read its journal form."""
        return cls(str(body["lesion"]), str(body["before"]), str(body["after"]))


@dataclass(frozen=True, slots=True)
class MoveLesion(_Small):
    """A reader moves a lesion by whole voxels; no voxel may leave the volume.

    Attributes
    ----------
    offset_kji
        By how many voxels along k, j and i.
    before_lps_mm, after_lps_mm
        Its anchor before and after, LPS mm; both are kept because adding and then taking
        away an offset does not give the same floating point number.
    """

    kind: ClassVar[str] = "move-lesion"
    lesion_id: str
    offset_kji: Triple
    before_lps_mm: Point
    after_lps_mm: Point

    @property
    def tool(self) -> str:
        """The marker is dragged."""
        return "marker"

    def inverse(self) -> MoveLesion:
        """Return the way back."""
        k, j, i = (-n for n in self.offset_kji)
        return replace(
            self,
            offset_kji=(k, j, i),
            before_lps_mm=self.after_lps_mm,
            after_lps_mm=self.before_lps_mm,
        )

    def body(self) -> Body:
        """Return id, offset and anchors."""
        return {
            "lesion": self.lesion_id,
            "offset_kji": list(self.offset_kji),
            "before_lps_mm": list(self.before_lps_mm),
            "after_lps_mm": list(self.after_lps_mm),
        }

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> MoveLesion:
        """Read its journal form."""
        return cls(
            str(body["lesion"]),
            _triple(body["offset_kji"]),
            _point(body["before_lps_mm"]),
            _point(body["after_lps_mm"]),
        )


@dataclass(frozen=True, slots=True)
class PaintStroke:
    """A reader draws on a lesion or a segment, or rubs out, in one stroke.

    Attributes
    ----------
    target_id
        Id of the lesion or segment.
    delta
        The voxels that changed.
    mode
        ``"add"`` or ``"erase"``.
    shape
        ``"disc"`` or ``"ball"``.
    diameter_mm
        Size of the brush, mm.
    """

    kind: ClassVar[str] = "paint"
    target_id: str
    delta: Delta
    mode: str
    shape: str
    diameter_mm: float

    @property
    def tool(self) -> str:
        """Brush or eraser, and its shape."""
        return f"{'eraser' if self.mode == 'erase' else 'brush'}-{self.shape}"

    def inverse(self) -> PaintStroke:
        """Return the stroke that takes it back."""
        return replace(self, mode="add" if self.mode == "erase" else "erase")

    def body(self) -> Body:
        """Return everything but the bits."""
        return {
            "target": self.target_id,
            "origin_kji": list(self.delta.origin_kji),
            "shape_kji": list(self.delta.shape_kji),
            "mode": self.mode,
            "shape": self.shape,
            "diameter_mm": self.diameter_mm,
        }

    def blob(self) -> bytes:
        """Return the bits of the delta."""
        return self.delta.bits

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> PaintStroke:
        """Read its journal form."""
        if blob is None:
            raise ValueError("a stroke without bytes")
        delta = Delta(_triple(body["origin_kji"]), _triple(body["shape_kji"]), blob)
        return cls(
            str(body["target"]),
            delta,
            str(body["mode"]),
            str(body["shape"]),
            float(body["diameter_mm"]),
        )


@dataclass(frozen=True, slots=True)
class SetNote(_Small):
    """A reader puts, changes or takes away what stands beside lesions and masks.

    Measurements, key images and first impressions are notes: small values that no other part
    of the document depends on. The room that makes them knows what is in them.

    Attributes
    ----------
    topic
        Whose note it is, such as ``"measurement"``.
    note_id
        Unique in its topic.
    before, after
        What stood there and what will: values that JSON can hold, None for nothing.
    """

    kind: ClassVar[str] = "set-note"
    topic: str
    note_id: str
    before: Note
    after: Note

    @property
    def tool(self) -> str:
        """The topic."""
        return self.topic

    def inverse(self) -> SetNote:
        """Return the way back."""
        return replace(self, before=self.after, after=self.before)

    def body(self) -> Body:
        """Return all of it."""
        return {
            "topic": self.topic,
            "note": self.note_id,
            "before": self.before,
            "after": self.after,
        }

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> SetNote:
        """Read its journal form."""
        return cls(
            str(body["topic"]), str(body["note"]), _note(body["before"]), _note(body["after"])
        )


_READERS: dict[str, Callable[[Mapping[str, Any], bytes | None], Edit]] = {
    AddFindings.kind: AddFindings.read,
    RemoveFindings.kind: RemoveFindings.read,
    SetVerdict.kind: SetVerdict.read,
    AddLesion.kind: AddLesion.read,
    RemoveLesion.kind: RemoveLesion.read,
    DeleteLesion.kind: DeleteLesion.read,
    CallUp.kind: CallUp.read,
    AddOutlined.kind: AddOutlined.read,
    RemoveOutlined.kind: RemoveOutlined.read,
    SetLabel.kind: SetLabel.read,
    MoveLesion.kind: MoveLesion.read,
    PaintStroke.kind: PaintStroke.read,
    SetNote.kind: SetNote.read,
}


def decode(kind: str, body: Mapping[str, Any], blob: bytes | None) -> Edit:
    """Read the journal form of one edit.

    Raises
    ------
    ValueError
        When it is not the form of a known edit, whole.
    """
    if kind not in _READERS:
        raise ValueError(f"unknown edit {kind}")
    try:
        return _READERS[kind](body, blob)
    except (KeyError, TypeError, zlib.error) as error:
        raise ValueError(f"a damaged edit {kind}") from error


def _decision_body(decision: Decision) -> list[str | None]:
    parts = [decision.verdict, decision.reader, decision.decided_utc]
    # As before there were reasons, wherever there is none.
    return [*parts, decision.reason] if decision.reason else parts


def _point(values: Any) -> Point:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _triple(values: Any) -> Triple:
    k, j, i = (int(v) for v in values)
    return k, j, i


def _note(value: Any) -> Note:
    if value is None or isinstance(value, Mapping):
        return value
    raise ValueError("a note is an object or nothing")
