"""Edits that bring outlines of another series into a case, with where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference import geometry
from inference.findings import Mask
from viewer.annotate import reshaping
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.document_state import DocumentState
from viewer.annotate.edits import AddLesion, Edit, Reshape, SetNote, Together
from viewer.annotate.mask import difference, empty_mask
from viewer.annotate.rerun import SAME_DICE, dice

# Of the notes that say where a finding was copied from.
TOPIC = "copied-from"


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """One outline of another series, on the voxels of this one.

    Attributes
    ----------
    label
        Key of ``resources/tables/labels.json``.
    mask
        Not empty.
    anatomy
        Whether it is a structure, not a finding.
    source
        Where it comes from, for the record; says nothing of the patient.
    """

    label: str
    mask: Mask
    anatomy: bool
    source: Mapping[str, Any]


def is_copied(document: DocumentState, lesion_id: str) -> bool:
    """Tell whether a finding was copied from another series."""
    return lesion_id in document.notes(TOPIC)


def known_as(document: AnnotationDocument, copied: Copied) -> str | None:
    """Return the id of the finding that lies there already, or None."""
    if copied.anatomy:
        return None
    scored = [(dice(copied.mask, lesion.mask), lesion.id) for lesion in document.lesions]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= SAME_DICE else None


def copy_edit(
    document: AnnotationDocument, outlines: Sequence[Copied], *, blind: bool = False
) -> Together | None:
    """Take outlines in, all in one step; None when nothing is new.

    A finding becomes a new one, a person's. A structure takes the place of the one of its name;
    where there is none of its name it is left out.

    Parameters
    ----------
    blind
        As in ``makers.missed_edit``.
    """
    parts: list[Edit] = []
    taken = {lesion.id for lesion in document.record}
    shown = document.next_blind_number if blind else document.next_number
    anatomy = {segment.label: segment for segment in document.segments}
    for one in outlines:
        settings = dict(one.source)
        if one.anatomy:
            segment = anatomy.get(one.label)
            if segment is not None:
                changed = reshaping.reshape_edit(document, segment.id, one.mask, "copy", settings)
                parts += [] if changed is None else [changed]
            continue
        drawn = difference(empty_mask(), one.mask)
        if drawn is None or known_as(document, one) is not None:
            continue
        number = 1
        while f"h{number}" in taken:
            number += 1
        new = f"h{number}"
        taken.add(new)
        middle = np.argwhere(one.mask.voxels).mean(axis=0) + one.mask.origin_kji
        x, y, z = (float(v) for v in geometry.kji_to_lps_mm(document.affine, middle))
        parts += [
            SetNote(TOPIC, new, document.notes(TOPIC).get(new), settings),
            AddLesion(new, shown, one.label, (x, y, z), False),
            Reshape(new, drawn, "copy", settings),
        ]
        shown += 1
    return Together("copy", tuple(parts)) if parts else None
