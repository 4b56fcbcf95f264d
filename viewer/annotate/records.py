"""One record of a journal, the volume a journal belongs to, and the hashes that chain records."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

# All records of a journal's database.
SELECT = "SELECT seq, utc, reader, role, tool, kind, body, blob, chain FROM record ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Which volume a journal belongs to.

    Attributes
    ----------
    series
        SHA-256 (hex) of the Series Instance UID (0020,000E) and the number of instances.
    shape_kji
        Shape of the volume.
    affine
        Its 16 numbers, row by row, (k, j, i, 1) to LPS mm.
    """

    series: str
    shape_kji: tuple[int, int, int]
    affine: tuple[float, ...]

    @classmethod
    def of(
        cls,
        series_uid: str,
        n_instances: int,
        shape_kji: tuple[int, int, int],
        affine: npt.NDArray[np.float64],
    ) -> Fingerprint:
        """Take the fingerprint of a volume."""
        digest = hashlib.sha256(f"{series_uid}\0{n_instances}".encode()).hexdigest()
        return cls(digest, shape_kji, tuple(float(x) for x in affine.ravel()))

    def to_json(self) -> str:
        """Return it as it stands in the journal."""
        return json.dumps(
            {"series": self.series, "shape_kji": self.shape_kji, "affine": self.affine}
        )

    def matches(self, text: str) -> bool:
        """Tell whether a journal's own is that of the same volume, to a micrometre.

        Raises
        ------
        ValueError
            When ``text`` is damaged.
        """
        try:
            other = json.loads(text)
            affine = np.array(other["affine"], dtype=np.float64)
            same = other["series"] == self.series and tuple(other["shape_kji"]) == self.shape_kji
            return same and bool(np.allclose(affine, self.affine, rtol=0.0, atol=1e-3))
        except (KeyError, TypeError) as error:
            raise ValueError("a damaged fingerprint") from error


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the journal.

    Attributes
    ----------
    seq
        1, 2, 3, …: the order that counts, whatever the clock says.
    utc
        When, ISO 8601.
    reader, role, tool
        Who, as what, with what.
    kind
        Kind of the edit, or ``"undo"`` or ``"redo"``.
    body
        JSON text.
    blob
        Voxels or findings, or None.
    chain
        SHA-256 over the record before and this one.
    """

    seq: int
    utc: str
    reader: str
    role: str
    tool: str
    kind: str
    body: str
    blob: bytes | None
    chain: bytes

    def row(self) -> tuple[Any, ...]:
        """Return its columns."""
        return (
            self.seq,
            self.utc,
            self.reader,
            self.role,
            self.tool,
            self.kind,
            self.body,
            self.blob,
            self.chain,
        )


def utc_now() -> str:
    """Return the time, ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def first_link(head: str) -> bytes:
    """Return the link that the first record is chained to."""
    return hashlib.sha256(b"overread-journal\0" + head.encode()).digest()


def link(before: bytes, row: Iterable[Any]) -> bytes:
    """Return the SHA-256 of a link and the columns of a record; lengths keep columns apart."""
    digest = hashlib.sha256(before)
    for column in row:
        if column is None:
            digest.update(b"\xff" * 8)
            continue
        data = column if isinstance(column, bytes) else str(column).encode()
        digest.update(struct.pack("<Q", len(data)))
        digest.update(data)
    return digest.digest()
