"""Other lesions in a crop: lesions of the same patient are no examples of "no nodule"."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from inference.evaluation.folder import BROKEN, malformed, read_arrays
from inference.training.data import Nodule
from resources.text import translate

FILE = "other_findings.npz"
"""Beside the files of ``lidc-nodules``, which lack it: ``masks`` as ``reader_masks.npz`` has them,
not 0 where another finding is or may be a lesion."""

# As near as this a place may mean the lesion.
_AWAY_MM = 6.0

Places = npt.NDArray[np.intp]


def load(folder: Path, shape: tuple[int, ...]) -> npt.NDArray[np.bool_] | None:
    """Return where other lesions lie (slice, row, column); None where nobody said.

    Parameters
    ----------
    shape
        Of the crops.

    Raises
    ------
    Problem
        When the file is damaged or of other crops.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        masks = read_arrays(path, "masks")["masks"]
    except BROKEN as error:
        fault = translate("evaluation", "it is damaged or of another kind")
        raise malformed(folder, FILE, fault) from error
    if masks.shape != shape:
        raise malformed(folder, FILE, translate("evaluation", "it is of other crops"))
    return np.asarray(masks != 0)


def clear(
    places: Places, others: npt.NDArray[np.bool_] | None, nodules: tuple[Nodule, ...]
) -> Places:
    """Return those of some places (n, 3) slice, row, column that are not next to another lesion."""
    if others is None or not len(places):
        return places
    keep = np.full(len(places), True)
    for nodule in nodules:
        marked = others[nodule.start : nodule.stop].any(axis=0)
        own = (places[:, 0] >= nodule.start) & (places[:, 0] < nodule.stop)
        if not marked.any() or not own.any():
            continue
        away = ndimage.distance_transform_edt(~marked, sampling=nodule.pixel_mm)
        keep[own] &= away[places[own, 1], places[own, 2]] > _AWAY_MM
    return np.asarray(places[keep])
