"""Edits that lay outlines of other files into a case: as they came, with who made them.

What is imported is neither the AI's nor the reader's own; it says so until somebody changes it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from inference.findings import Mask
from viewer.annotate.lesion import Decision, Point
from viewer.annotate.mask import Delta, empty_mask
from viewer.annotate.small_edits import Body, triple

_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, slots=True, eq=False)
class ImportedOutline:
    """One outline, or one finding without, as it came.

    Attributes
    ----------
    target_id
        ``"i1"``, ``"i2"`` and so on.
    number
        Shown to the reader; 0 for a structure.
    label
        Key of ``resources/tables/labels.json``, or of the edit's ``terms``.
    anatomy
        Whether it is a structure, not a finding.
    mask
        On the voxels of the case; empty for a mere point.
    point_lps_mm
        Where a finding without an outline lies, LPS mm; else its centre.
    decision
        What the file says was decided on it, by whom and when.
    about
        For the record and for later exports, values that JSON can hold: ``"name"``,
        ``"tracking_uid"``, ``"tracking_id"``, ``"algorithm_type"``, ``"algorithm"``,
        ``"origin"``, ``"number"`` in the file.
    """

    target_id: str
    number: int
    label: str
    anatomy: bool
    mask: Mask
    point_lps_mm: Point
    decision: Decision
    about: Mapping[str, Any]

    def body(self) -> Body:
        """Return everything but the voxels."""
        said = self.decision
        return {
            "target": self.target_id,
            "number": self.number,
            "label": self.label,
            "anatomy": self.anatomy,
            "origin_kji": list(self.mask.origin_kji),
            "shape_kji": list(self.mask.voxels.shape),
            "point_lps_mm": list(self.point_lps_mm),
            "decision": [said.verdict, said.reader, said.decided_utc, said.reason],
            "about": dict(self.about),
        }

    def bits(self) -> bytes:
        """Return the bits of the mask, as those of a stroke; nothing for an empty one."""
        delta = Delta.from_array(self.mask.voxels, self.mask.origin_kji)
        return b"" if delta is None else delta.bits

    @classmethod
    def read(cls, body: Mapping[str, Any], bits: bytes) -> ImportedOutline:
        """Read its journal form."""
        origin, shape = triple(body["origin_kji"]), triple(body["shape_kji"])
        x, y, z = (float(v) for v in body["point_lps_mm"])
        voxels = Delta(origin, shape, bits).to_array() if bits else None
        return cls(
            str(body["target"]),
            int(body["number"]),
            str(body["label"]),
            bool(body["anatomy"]),
            empty_mask() if voxels is None else Mask(origin, voxels),
            (x, y, z),
            Decision(*body["decision"]),
            dict(body["about"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class AddImported:
    """A reader takes outlines of other files in, all in one step.

    Attributes
    ----------
    sources
        Of each file what is known: ``"kind"``, ``"system"``, ``"description"``, ``"uid"`` and
        ``"outlines"``, the ids that came from it. No file name.
    outlines
        At least one; each mask fits its box closely.
    terms
        Of labels that nobody here knew before, as ``viewer.annotate.attributes.TERMS``.
    """

    kind: ClassVar[str] = "add-imported"
    sources: tuple[Mapping[str, Any], ...]
    outlines: tuple[ImportedOutline, ...]
    terms: Mapping[str, Mapping[str, Any]]

    @property
    def tool(self) -> str:
        """What it came by."""
        return "import"

    def inverse(self) -> RemoveImported:
        """Return its removal."""
        return RemoveImported(self)

    def body(self) -> Body:
        """Return everything but the voxels."""
        return {
            "sources": [dict(source) for source in self.sources],
            "outlines": [one.body() for one in self.outlines],
            "terms": {key: dict(term) for key, term in self.terms.items()},
        }

    def blob(self) -> bytes:
        """Return the bits of each outline behind their number, eight bytes little endian."""
        parts: list[bytes] = []
        for one in self.outlines:
            bits = one.bits()
            parts += [_LENGTH.pack(len(bits)), bits]
        return b"".join(parts)

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> AddImported:
        """Read its journal form."""
        rest, outlines = memoryview(blob or b""), []
        for one in body["outlines"]:
            if len(rest) < _LENGTH.size:
                raise ValueError("outlines without all of their bytes")
            (size,) = _LENGTH.unpack_from(rest)
            bits = bytes(rest[_LENGTH.size : _LENGTH.size + size])
            if len(bits) != size:
                raise ValueError("outlines without all of their bytes")
            outlines.append(ImportedOutline.read(one, bits))
            rest = rest[_LENGTH.size + size :]
        return cls(
            tuple(dict(source) for source in body["sources"]),
            tuple(outlines),
            {str(key): dict(term) for key, term in body["terms"].items()},
        )

    def source_of(self, target_id: str) -> Mapping[str, Any]:
        """Return what is known of the file that an outline came from."""
        return next((s for s in self.sources if target_id in s.get("outlines", ())), {})


@dataclass(frozen=True, slots=True, eq=False)
class RemoveImported:
    """Takes an import back before anything was done to its outlines, as if it had never been."""

    kind: ClassVar[str] = "remove-imported"
    added: AddImported

    @property
    def tool(self) -> str:
        """What it came by."""
        return self.added.tool

    def inverse(self) -> AddImported:
        """Return the import that was taken back."""
        return self.added

    def body(self) -> Body:
        """Return the import's own."""
        return self.added.body()

    def blob(self) -> bytes:
        """Return the import's own."""
        return self.added.blob()

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> RemoveImported:
        """Read its journal form."""
        return cls(AddImported.read(body, blob))


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """An outline of a case as it came, and of which file."""

    outline: ImportedOutline
    source: Mapping[str, Any]

    @property
    def said(self) -> str:
        """Whose it is: the system that made the file, and what it calls the series."""
        parts = [str(self.source.get(key) or "") for key in ("system", "description")]
        return ", ".join(part for part in parts if part) or str(self.source.get("kind") or "")
