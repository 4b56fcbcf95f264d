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
from viewer.annotate.imported import AddImported as AddImported
from viewer.annotate.imported import RemoveImported as RemoveImported
from viewer.annotate.mask import Delta
from viewer.annotate.outlined import AddOutlined as AddOutlined
from viewer.annotate.outlined import RemoveOutlined as RemoveOutlined
from viewer.annotate.reshaped import Reshape as Reshape
from viewer.annotate.reshaped import Together as Together
from viewer.annotate.small_edits import AddLesion as AddLesion
from viewer.annotate.small_edits import Body, place_of, read_delta
from viewer.annotate.small_edits import CallUp as CallUp
from viewer.annotate.small_edits import DeleteLesion as DeleteLesion
from viewer.annotate.small_edits import MoveLesion as MoveLesion
from viewer.annotate.small_edits import Note as Note
from viewer.annotate.small_edits import RemoveLesion as RemoveLesion
from viewer.annotate.small_edits import SetLabel as SetLabel
from viewer.annotate.small_edits import SetNote as SetNote
from viewer.annotate.small_edits import SetVerdict as SetVerdict

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
    rule
        Which of the voxels under the brush it changed: empty for all of them, ``"edge"``, or
        ``"range LOW HIGH"`` in the unit of the volume.
    """

    kind: ClassVar[str] = "paint"
    target_id: str
    delta: Delta
    mode: str
    shape: str
    diameter_mm: float
    rule: str = ""

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
            **place_of(self.delta),
            "mode": self.mode,
            "shape": self.shape,
            "diameter_mm": self.diameter_mm,
            # As before there were rules, wherever there is none.
            **({"rule": self.rule} if self.rule else {}),
        }

    def blob(self) -> bytes:
        """Return the bits of the delta."""
        return self.delta.bits

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> PaintStroke:
        """Read its journal form."""
        return cls(
            str(body["target"]),
            read_delta(body, blob, "a stroke"),
            str(body["mode"]),
            str(body["shape"]),
            float(body["diameter_mm"]),
            str(body.get("rule", "")),
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
    AddImported.kind: AddImported.read,
    RemoveImported.kind: RemoveImported.read,
    SetLabel.kind: SetLabel.read,
    MoveLesion.kind: MoveLesion.read,
    PaintStroke.kind: PaintStroke.read,
    Reshape.kind: Reshape.read,
    Together.kind: Together.read,
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
