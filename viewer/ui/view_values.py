"""The values that a view shows, of a slice or a slab, and the one under the pointer in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resources.text import translate
from viewer.display.reorder import Reordered
from viewer.display.slab import Span, project

if TYPE_CHECKING:
    import numpy.typing as npt

    from viewer.ui.slice_view import SliceView


def of_slab(view: SliceView, span: Span | None) -> npt.NDArray[Any] | None:
    """Return the values of a view's slab over its two axes in ascending order; None without."""
    if span is None or view.slab is None or view.plane is None or view.case is None:
        return None
    voxels = _voxels(view) or Reordered(view.case.volume.voxels)
    return project(voxels.block(view.plane.axis, span), view.slab.mode)


def of_copy(view: SliceView, index: int) -> npt.NDArray[Any] | None:
    """Return a slice from the re-ordered copy, where it is quicker than the volume."""
    voxels = _voxels(view)
    if voxels is None or not voxels.has_copy or view.plane is None or view.plane.axis != 2:
        return None
    return voxels.block(2, (index, index + 1))[0]


def _voxels(view: SliceView) -> Reordered | None:
    """Return the open volume as it is quick to look at, if what there is belongs to it."""
    voxels, case = view.reading.voxels, view.case
    return voxels if voxels and case and voxels.voxels is case.volume.voxels else None


def text(view: SliceView, flat: npt.NDArray[Any] | None) -> str:
    """Return the value under the pointer with its unit, and the heatmap's, or ''.

    Parameters
    ----------
    flat
        Values of the slab that is shown, or None.
    """
    if view.pointer_px is None or view.case is None or view.plane is None:
        return ""
    voxel = view.voxel_at(view.pointer_px)
    if voxel is None or not view.case.slices.has(voxel[0]):
        return ""
    volume = view.case.volume
    if volume.colours is not None:
        red, green, blue = (int(part) for part in volume.colours[voxel])
        return translate("view", "R {red}  G {green}  B {blue}").format(
            red=red, green=green, blue=blue
        )
    value, at_px = volume.voxels[voxel], None
    if flat is not None and not view.plane.straight:
        x_mm, y_mm = view.mm_of_px(view.pointer_px)
        pixel = view.plane.pixel_mm[0]
        row, column = int(y_mm / pixel), int(x_mm / pixel)
        at_px = min(row, flat.shape[0] - 1), min(column, flat.shape[1] - 1)
        value = flat[at_px]
    elif flat is not None:
        # What is seen is the slab's, not the slice's.
        row, column = (voxel[axis] for axis in range(3) if axis != view.plane.axis)
        value = flat[row, column]
    if volume.voxels.dtype.kind != "f":
        number = str(int(value))
    else:
        number = f"{float(value):.4g}" if abs(value) < 1000 else f"{float(value):.0f}"
    said = translate("view", "Value {value}").format(value=f"{number} {volume.unit}".strip())
    heatmap = view.overlay.heatmap_value(voxel, at_px)
    if heatmap is not None and view.reading.shows_uncertainty:
        said += translate("view", " · ± {spread}").format(spread=f"{heatmap:.2f}")
    elif heatmap is not None:
        said += translate("view", " · p {probability}").format(probability=f"{heatmap:.2f}")
    return said.replace("-", "\N{MINUS SIGN}")
