"""Colours as DICOM files recommend them: CIELab, PCS-Values of 16 bit (PS3.3 C.10.7.1.1).

L* of 0 to 100 and a*, b* of -128 to 127 each fill 0 to 65535. By the standard their white is D50,
that of the profile connection space. highdicom, by which our own segmentations are written, takes
D65, the white of sRGB; so does this reader, or blue would come back 53 steps off in red.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
_RGB_OF_XYZ = np.array(  # IEC 61966-2-1
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
_EDGE = 6 / 29


def lab_of_pcs(values: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return (L*, a*, b*) of the three 16-bit values of a CIELab attribute."""
    lightness, a, b = (int(value) for value in values)
    return np.array([lightness / 65535 * 100, a / 65535 * 255 - 128, b / 65535 * 255 - 128])


def rgb_of_lab(lab: npt.ArrayLike) -> str:
    """Return the ``#RRGGBB`` nearest to a CIELab colour; clipped to the screen's."""
    lightness, a, b = np.asarray(lab, dtype=np.float64)
    middle = (lightness + 16) / 116
    curve = np.array([middle + a / 500, middle, middle - b / 200])
    xyz = _WHITE * np.where(curve > _EDGE, curve**3, 3 * _EDGE**2 * (curve - 4 / 29))
    linear = np.clip(_RGB_OF_XYZ @ xyz, 0.0, 1.0)
    bent = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(float(part) * 255):02X}" for part in bent)


def recommended_colour(segment: Dataset) -> str | None:
    """Return the colour that a file recommends for one segment, ``#RRGGBB``.

    Parameters
    ----------
    segment
        Item of the Segment Sequence (0062,0002).

    Returns
    -------
    str or None
        From Recommended Display CIELab Value (0062,000D); without a usable one, the grey of
        Recommended Display Grayscale Value (0062,000C); else None.
    """
    lab = _numbers(segment.get("RecommendedDisplayCIELabValue"))
    if len(lab) == 3 and all(0 <= value <= 65535 for value in lab):
        return rgb_of_lab(lab_of_pcs(lab))
    grey = _numbers(segment.get("RecommendedDisplayGrayscaleValue"))
    if len(grey) == 1 and 0 <= grey[0] <= 65535:
        return rgb_of_lab((grey[0] / 65535 * 100, 0.0, 0.0))  # a P-Value is even in lightness
    return None


def _numbers(value: object) -> list[int]:
    """Return what a file gave, when it is whole numbers: files hold anything."""
    if value is None or isinstance(value, (str, bytes)):
        return []
    try:
        parts = list(value)  # type: ignore[call-overload]
    except TypeError:
        parts = [value]
    return [part for part in parts if isinstance(part, int)] if parts else []
