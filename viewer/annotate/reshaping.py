"""Edits that change outlines by tools, made from how the document stands. None: no change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inference import geometry
from inference.findings import Mask
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.edits import AddLesion, DeleteLesion, Edit, Reshape, Together
from viewer.annotate.mask import cut, difference, empty_mask, xor


def reshape_edit(
    document: AnnotationDocument,
    target_id: str,
    after: Mask,
    made_by: str,
    settings: Mapping[str, Any] | None = None,
) -> Reshape | None:
    """Give a lesion or segment another mask."""
    delta = difference(document.target(target_id).mask, after)
    return None if delta is None else Reshape(target_id, delta, made_by, dict(settings or {}))


def split_edit(
    document: AnnotationDocument, lesion_id: str, pieces: Sequence[Mask], *, blind: bool = False
) -> Together | None:
    """Make several lesions of one: it keeps the first piece, each other becomes a new lesion.

    Parameters
    ----------
    pieces
        Masks without a voxel in common, none of them empty.
    blind
        Whether the reader may not see the AI yet: the numbers of new lesions must not tell of it.
    """
    lesion = document.lesion(lesion_id)
    if len(pieces) < 2 or not lesion.live:
        return None
    kept = reshape_edit(document, lesion_id, pieces[0], "split")
    if kept is None:
        return None
    parts: list[Edit] = [kept]
    taken = {known.id for known in document.record}
    number = 0
    first = document.next_blind_number if blind else document.next_number
    for shown, piece in enumerate(pieces[1:], first):
        number += 1
        while f"h{number}" in taken:
            number += 1
        new = f"h{number}"
        centre = np.argwhere(piece.voxels).mean(axis=0) + piece.origin_kji
        x, y, z = (float(v) for v in geometry.kji_to_lps_mm(document.affine, centre))
        drawn = difference(empty_mask(), piece)
        assert drawn is not None, "a piece holds voxels"
        parts += [
            AddLesion(new, shown, lesion.label, (x, y, z), False),
            Reshape(new, drawn, "split"),
        ]
    return Together("split", tuple(parts))


def merge_edit(document: AnnotationDocument, lesion_id: str, other_id: str) -> Together | None:
    """Make one lesion of two: the first takes the other's voxels, the other leaves the list."""
    if lesion_id == other_id:
        return None
    lesion, other = document.lesion(lesion_id), document.lesion(other_id)
    if not (lesion.live and other.live):
        return None
    gone = DeleteLesion(other_id)
    joined = reshape_edit(document, lesion_id, union(lesion.mask, other.mask), "merge")
    return Together("merge", (gone,) if joined is None else (joined, gone))


def union(a: Mask, b: Mask) -> Mask:
    """Return the voxels of either mask."""
    if not a.voxels.size or not b.voxels.size:
        return b if b.voxels.size else a
    more = difference(empty_mask(), Mask(b.origin_kji, b.voxels & ~cut(a, b.box)))
    return a if more is None else xor(a, more)[0]
