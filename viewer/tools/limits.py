"""How far a tool may change an outline: within a box, and not into what belongs to others."""

from __future__ import annotations

from inference.findings import Mask
from viewer.annotate.mask import Box, crop, cut, empty_mask, equal
from viewer.tools.reshape import combine


def limited(
    before: Mask, after: Mask, box: Box | None = None, kept_out: tuple[Mask, ...] = ()
) -> Mask:
    """Return what a tool made of an outline, as far as it may.

    Parameters
    ----------
    before, after
        The outline as it was, and as the tool would have it.
    box
        Outside of it everything stays as it was; None: there is none.
    kept_out
        Outlines of others: nothing is added to them.
    """
    added, removed = combine(after, before, "subtract"), combine(before, after, "subtract")
    for other in kept_out:
        added = combine(added, other, "subtract")
    if box is not None:
        added, removed = clipped(added, box), clipped(removed, box)
    made = combine(combine(before, removed, "subtract"), added, "union")
    return before if equal(made, before) else made


def clipped(mask: Mask, box: Box) -> Mask:
    """Return what of a mask lies in a box of the volume."""
    low = [max(b.start, m.start) for b, m in zip(box, mask.box, strict=True)]
    high = [min(b.stop, m.stop) for b, m in zip(box, mask.box, strict=True)]
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return empty_mask()
    k, j, i = (slice(a, b) for a, b in zip(low, high, strict=True))
    return crop(cut(mask, (k, j, i)), (low[0], low[1], low[2]))
