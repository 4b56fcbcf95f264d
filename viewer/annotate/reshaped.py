"""The edits of tools that change an outline otherwise than by a stroke, and several as one step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from viewer.annotate.mask import Delta
from viewer.annotate.small_edits import Body, place_of, read_delta

if TYPE_CHECKING:
    from viewer.annotate.edits import Edit


@dataclass(frozen=True, slots=True)
class Reshape:
    """A tool changes the voxels of one lesion or segment: lasso, filling, pieces, margin and so on.

    Attributes
    ----------
    target_id
        Id of the lesion or segment.
    delta
        The voxels that changed.
    made_by
        What changed them, such as ``"lasso-add"`` or ``"margin"``.
    settings
        What the tool was set to, for the record: values that JSON can hold, with the unit in
        their names. Replay needs none of them.
    """

    kind: ClassVar[str] = "reshape"
    target_id: str
    delta: Delta
    made_by: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tool(self) -> str:
        """What changed it."""
        return self.made_by

    def inverse(self) -> Reshape:
        """Return itself: what differs, changed twice, is as it was."""
        return self

    def body(self) -> Body:
        """Return everything but the bits."""
        return {
            "target": self.target_id,
            **place_of(self.delta),
            "made_by": self.made_by,
            "settings": dict(self.settings),
        }

    def blob(self) -> bytes:
        """Return the bits of the delta."""
        return self.delta.bits

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> Reshape:
        """Read its journal form."""
        delta = read_delta(body, blob, "a changed outline")
        return cls(str(body["target"]), delta, str(body["made_by"]), dict(body["settings"]))


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Several edits that are one step for the reader: all of them stand, or none.

    Attributes
    ----------
    made_by
        What the reader did, such as ``"split"`` or ``"merge"``.
    parts
        The edits, in order; none of them is a ``Together`` itself.
    """

    kind: ClassVar[str] = "together"
    made_by: str
    parts: tuple[Edit, ...]

    def __post_init__(self) -> None:
        if not self.parts or any(isinstance(part, Together) for part in self.parts):
            raise ValueError("edits that are one step are some, and single ones")

    @property
    def tool(self) -> str:
        """What the reader did."""
        return self.made_by

    def inverse(self) -> Together:
        """Return the way back, the last edit first."""
        return Together(self.made_by, tuple(part.inverse() for part in reversed(self.parts)))

    def body(self) -> Body:
        """Return the bodies of all, and how many bytes each of them has."""
        sizes = [None if (blob := part.blob()) is None else len(blob) for part in self.parts]
        return {
            "made_by": self.made_by,
            "parts": [
                {"kind": part.kind, "body": part.body(), "bytes": size}
                for part, size in zip(self.parts, sizes, strict=True)
            ],
        }

    def blob(self) -> bytes | None:
        """Return the bytes of all, one after the other."""
        return b"".join(part.blob() or b"" for part in self.parts)

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> Together:
        """Read its journal form."""
        from viewer.annotate.edits import decode

        rest, parts = blob or b"", []
        for part in body["parts"]:
            size = part["bytes"]
            own = None if size is None else rest[: int(size)]
            if own is not None and len(own) != size:
                raise ValueError("edits without all of their bytes")
            rest = rest[int(size or 0) :]
            # As it came from the journal: through JSON, no tuple in place of a list.
            parts.append(decode(str(part["kind"]), json.loads(json.dumps(part["body"])), own))
        return cls(str(body["made_by"]), tuple(parts))
