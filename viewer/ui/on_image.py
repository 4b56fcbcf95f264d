"""Type and colours of what is painted on an image: the dark tokens, whatever the theme is.

``from viewer.ui import on_image as theme`` in a module that paints on views: the canvas stays
true black, so text and lines there never follow the light theme.
"""

from __future__ import annotations

from viewer.ui.theme import BODY_PX, CORNER_PX, HEAD_PX, font, head_font
from viewer.ui.tokens import DARK

__all__ = [
    "ACCEPTED",
    "ACTIVE",
    "BODY_PX",
    "CANVAS",
    "CORNER_PX",
    "DIM",
    "EDGE",
    "FAILED",
    "GROUND",
    "HAIRLINE",
    "HEAD_PX",
    "LETTER",
    "MEASURE",
    "PANEL",
    "PENDING",
    "RAISED",
    "SECONDARY",
    "TEXT",
    "font",
    "head_font",
]

CANVAS, GROUND, PANEL, RAISED = DARK.canvas, DARK.ground, DARK.panel, DARK.raised
HAIRLINE, EDGE = DARK.hairline, DARK.edge
TEXT, SECONDARY, DIM = DARK.text, DARK.secondary, DARK.dim
ACTIVE, PENDING, ACCEPTED, FAILED = DARK.active, DARK.pending, DARK.accepted, DARK.failed
LETTER, MEASURE = DARK.letter, DARK.measure
