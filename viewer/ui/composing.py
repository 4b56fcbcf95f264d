"""What a view shows, as pixels of the image: a slice or a slab, with all that is blended in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from viewer.display.layers import compose
from viewer.display.overlays import blend_fill
from viewer.ui import oblique_slabs, theme, view_values

if TYPE_CHECKING:
    import numpy.typing as npt

    from viewer.display.grey import Rgb32
    from viewer.ui.slice_view import SliceView

_BLACK = 0xFF000000


def composed(view: SliceView) -> tuple[Rgb32 | None, npt.NDArray[Any] | None]:
    """Return what a view shows now, and the values of its slab.

    The outlines of that slice have been collected before.
    """
    case, plane, span = view.case, view.plane, view.slab_span
    assert case is not None
    assert plane is not None
    other = view.instead(view) if view.instead is not None else None
    if other is not None:
        buffer = _straight(view, view.index, other)
        _close(view, buffer)
        return buffer, other
    if span is None or view.slab is None:
        return single(view, view.index), None
    if plane.axis == 0 and not case.slices.has(view.index):
        return None, None
    flat: npt.NDArray[Any] | None
    if not plane.straight:
        buffer, flat = oblique_slabs.compose(
            view.oblique_slabs, case.volume, view.slab, view.reading.window,
            invert=_inverted(view), heat=view.overlay.heat(), fills=view.overlay.fills(),
        )  # fmt: skip
        view.oblique_slabs.end()
    else:
        flat = view_values.of_slab(view, span)
        buffer = _straight(view, view.index, flat)
    _close(view, buffer)
    return buffer, flat


def single(view: SliceView, index: int) -> Rgb32 | None:
    """Return one slice of the plane of a view; None where it has not come."""
    case, plane = view.case, view.plane
    assert case is not None
    assert plane is not None
    if plane.axis == 0 and not case.slices.has(index):
        return None
    buffer = _straight(view, index, view_values.of_copy(view, index))
    if plane.axis == 0 and view.reading.shown.graphics:
        mask = view.drawn.mask(index)
        if mask is not None:
            blend_fill(buffer, plane.orient(mask), (0, 0), theme.LETTER, 1.0)
    _close(view, buffer)
    return buffer


def _inverted(view: SliceView) -> bool:
    assert view.case is not None
    # MONOCHROME1 is stored inverted.
    return bool(view.reading.shown.invert != view.case.plan.inverted)


def _straight(view: SliceView, index: int, flat: npt.NDArray[Any] | None) -> Rgb32:
    assert view.case is not None
    assert view.plane is not None
    volume = view.case.volume
    empty = view.case.slices.empty(volume.shape_kji[0])
    return compose(
        volume,
        view.plane,
        index,
        view.reading.window,
        invert=_inverted(view),
        heat=view.overlay.flat_heat(view.plane, index),
        fills=view.overlay.flat_fills(view.plane, index),
        present_k=None if empty is None else ~empty,
        flat=flat,
    )


def _close(view: SliceView, buffer: Rgb32) -> None:
    """Make black what the file's shutter covers."""
    shutter, plane = view.reading.facts.shutter, view.plane
    assert view.case is not None
    assert plane is not None
    if shutter is not None and view.reading.shown.graphics and plane.axis == 0 and plane.straight:
        buffer[plane.orient(shutter.closed(*view.case.volume.shape_kji[1:]))] = _BLACK
