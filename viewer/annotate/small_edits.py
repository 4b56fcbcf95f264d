"""The edits that change no voxel: verdicts, points, labels, notes; see ``edits``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from viewer.annotate.lesion import Decision, Point
from viewer.annotate.mask import Delta, Triple

Body = dict[str, Any]
Note = Mapping[str, Any] | None


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
            triple(body["offset_kji"]),
            _point(body["before_lps_mm"]),
            _point(body["after_lps_mm"]),
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


def _decision_body(decision: Decision) -> list[str | None]:
    parts = [decision.verdict, decision.reader, decision.decided_utc]
    # As before there were reasons, wherever there is none.
    return [*parts, decision.reason] if decision.reason else parts


def _point(values: Any) -> Point:
    x, y, z = (float(v) for v in values)
    return x, y, z


def triple(values: Any) -> Triple:
    """Return three whole numbers that JSON kept."""
    k, j, i = (int(v) for v in values)
    return k, j, i


def place_of(delta: Delta) -> Body:
    """Return where a change of voxels lies, for the body of its edit; its bits are the blob."""
    return {"origin_kji": list(delta.origin_kji), "shape_kji": list(delta.shape_kji)}


def read_delta(body: Mapping[str, Any], blob: bytes | None, what: str) -> Delta:
    """Return the change of voxels of an edit; ``what`` it is, for the error."""
    if blob is None:
        raise ValueError(f"{what} without bytes")
    return Delta(triple(body["origin_kji"]), triple(body["shape_kji"]), blob)


def _note(value: Any) -> Note:
    if value is None or isinstance(value, Mapping):
        return value
    raise ValueError("a note is an object or nothing")
