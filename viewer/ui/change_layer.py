"""The AI result against the corrected one, on the image: what came, what went, what stayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from viewer.annotate.lesion import Decision
from viewer.display.layers import Fill

if TYPE_CHECKING:
    from viewer.annotate.lesion import Lesion
    from viewer.ui.reading import Reading

# Of the set of Okabe and Ito; all pairs are told apart with protanopia and deuteranopia.
ADDED, REMOVED, KEPT = "#009E73", "#D55E00", "#56B4E9"
_STRONG, _WEAK = 0.55, 0.25


def fills(reading: Reading) -> list[Fill]:
    """Return the masks to fill: stronger where something changed than where it stayed."""
    out = []
    for one in reading.compared():
        if one.target_id == getattr(reading.stroke, "target_id", None):
            continue
        for mask, colour, opacity in (
            (one.parts.kept, KEPT, _WEAK),
            (one.parts.removed, REMOVED, _STRONG),
            (one.parts.added, ADDED, _STRONG),
        ):
            if mask.voxels.size:
                out.append(Fill(mask, colour, opacity))
    return out


def drawn_by_ai(reading: Reading) -> Iterator[Lesion]:
    """Yield what the model drew of each finding that was changed, to be outlined dashed."""
    case = reading.case
    if case is None:
        return
    for one in reading.compared():
        drawn = case.document.ai_mask(one.target_id)
        if one.same or one.number is None or drawn is None:
            continue
        lesion = case.document.lesion(one.target_id)
        if lesion.run:
            yield replace(
                lesion, id=f"{lesion.id} AI", origin="ai", mask=drawn, decision=Decision()
            )
