"""Palettes: 256 colours for 256 values, of heatmaps and of nuclear medicine.

cividis (Nuñez and others, 2018) and viridis rise evenly in lightness. The others are well-known
palettes of DICOM (PS3.6 Annex B), value by value as the standard prints them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

import resources

Colours = npt.NDArray[np.uint8]

_STOPS = ("cividis", "viridis")
NAMES = (*_STOPS, "hot_iron", "pet", "hot_metal_blue", "pet_20_step")


@cache
def colours(name: str) -> Colours:
    """Return the (256, 3) RGB steps of a palette, not writeable.

    Raises
    ------
    KeyError
        When there is no such palette.
    """
    found = resources.table("cividis" if name == "cividis" else "palettes")
    rows = found if name == "cividis" else found[name]
    parts = "".join(row.lstrip("#") for row in rows)
    stops = np.frombuffer(bytes.fromhex(parts), dtype=np.uint8).reshape(-1, 3)
    if name in _STOPS:
        at = np.linspace(0, len(stops) - 1, 256)
        places = np.arange(len(stops))
        columns = [np.interp(at, places, stops[:, c].astype(np.float64)) for c in range(3)]
        stops = np.rint(np.stack(columns, axis=1)).astype(np.uint8)
    stops.flags.writeable = False
    return stops
