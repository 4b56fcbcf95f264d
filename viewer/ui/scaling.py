"""How large everything is drawn: the size of the settings on top of the screen's own scaling.

Qt scales every length alike when ``QT_SCALE_FACTOR`` is set before the application is made:
fonts, lines, panels and pictures stay in proportion, and the image uses all pixels of the screen.
That is why a new size counts from the next start on.
"""

from __future__ import annotations

import os

from PySide6.QtGui import QScreen

_VARIABLE = "QT_SCALE_FACTOR"
# The least room in which bar, one view and panel can be worked with, logical pixels.
_LEAST = (900, 560)

_ours = 100


def take_up(percent: str) -> None:
    """Use a size from now on; before the application is made. What the system sets, holds."""
    global _ours
    if _VARIABLE in os.environ or not percent.isdigit() or percent == "100":
        return
    os.environ[_VARIABLE] = f"{int(percent) / 100:g}"
    _ours = int(percent)


def fits(percent: int, screen: QScreen) -> bool:
    """Tell whether the window would have room enough on a screen at a size."""
    room = screen.availableSize()
    share = _ours / percent
    return percent <= 100 or (
        room.width() * share >= _LEAST[0] and room.height() * share >= _LEAST[1]
    )
