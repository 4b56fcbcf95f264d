"""Burned-in text made black in the voxels themselves, before any format is written from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from inference.volume import Volume
from viewer.deid.options import Box
from viewer.deid.pixels import blacken
from viewer.study.order import StackPlan


def redacted(volume: Volume, plan: StackPlan, boxes: Iterable[Box]) -> Volume:
    """Return a volume of which the boxes are black; the same one when there are none in it.

    Parameters
    ----------
    volume
        Read from ``plan``: slice ``k`` of it is ``plan.planes[k]``, rows and columns are those
        of the images.
    boxes
        In pixels of the images, by their original UIDs.

    Notes
    -----
    Black is the lowest value of the slice, of MONOCHROME1 images the highest, as in the copies
    that ``viewer.deid`` makes; their colours are 0. A frozen case that leaves holds this volume
    and no other, so whatever is made of it, an image, a crop or a picture, is black there too.
    """
    drawn = list(boxes)
    found = [
        (k, [box for box in drawn if box.is_in(*_names(plan, k), ref.frame)])
        for k, ref in enumerate(plan.planes)
    ]
    if not any(here for _, here in found):
        return volume
    voxels = volume.voxels.copy()
    colours = None if volume.colours is None else volume.colours.copy()
    for k, here in found:
        inverted = plan.planes[k].instance.photometric == "MONOCHROME1"
        blacken(voxels[k], here, inverted=inverted)
        if colours is not None:
            blacken(colours[k], here, grey=False)
    return replace(volume, voxels=voxels, colours=colours)


def _names(plan: StackPlan, k: int) -> tuple[str, str]:
    instance = plan.planes[k].instance
    return instance.series_uid, instance.sop_instance_uid
