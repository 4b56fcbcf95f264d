"""Letters of the patient's directions at the edges of a view, and the same in words.

The first letter names the patient's axis that an edge lies nearest to. A smaller one follows for
every further axis that the direction leans to by 15 degrees or more
(``inference.geometry.direction_letters``). Where no file says how the patient lay there is none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontMetricsF

from resources.text import translate
from viewer.ui import on_image as theme
from viewer.ui.standing import Board
from viewer.ui.view_ink import MARGIN, haloed

if TYPE_CHECKING:
    from viewer.display.planes import Plane
    from viewer.ui.slice_view import SliceView

_LETTER_PX, _SMALLER_PX = 15, 11
_LOWER_PX = 3.0
_GAP_PX = 1.0
# Of animals on four legs (PS3.3 C.7.6.2.1.1 and C.7.6.1.1.1): y to dorsal, z to cranial.
_QUADRUPED = {"L": "LE", "R": "RT", "P": "D", "A": "V", "H": "CR", "F": "CD"}

Parts = tuple[str, ...]


class Edges(NamedTuple):
    """Letters at the four edges, the nearest axis first."""

    left: Parts
    right: Parts
    top: Parts
    bottom: Parts


def edges(view: SliceView) -> Edges | None:
    """Return the letters of a view; None where they would be a guess."""
    case, plane = view.case, view.plane
    if case is None or plane is None:
        return None
    if not case.volume.placed:
        # A radiograph says its directions in words, of the image as it is stored.
        letters = view.reading.facts.letters
        return Edges(*letters) if letters is not None and plane.axis == 0 else None
    return _edges(plane, view.reading.facts.quadruped)


@lru_cache(maxsize=64)
def _edges(plane: Plane, quadruped: bool) -> Edges:
    """Return the letters of a plane; asked at every paint, so they are kept."""
    letters = plane.letters()
    names = _QUADRUPED if quadruped else {}
    left, right, top, bottom = (
        tuple(names.get(letter, letter) for letter in text)
        for text in (letters.left, letters.right, letters.top, letters.bottom)
    )
    return Edges(left, right, top, bottom)


def in_words(view: SliceView) -> str:
    """Return what lies at which edge, for readers who hear it; empty where it is not known."""
    found = edges(view)
    if found is None:
        return ""
    left, right, top, bottom = (" ".join(_word(part) for part in parts) for parts in found)
    return translate(
        "view", "At the left edge: {left}; right: {right}; top: {top}; bottom: {bottom}."
    ).format(left=left, right=right, top=top, bottom=bottom)


def _word(letter: str) -> str:
    return {
        "L": translate("view", "left"),
        "R": translate("view", "right"),
        "A": translate("view", "anterior"),
        "P": translate("view", "posterior"),
        "H": translate("view", "head"),
        "F": translate("view", "feet"),
        "LE": translate("view", "left"),
        "RT": translate("view", "right"),
        "V": translate("view", "ventral"),
        "D": translate("view", "dorsal"),
        "CR": translate("view", "cranial"),
        "CD": translate("view", "caudal"),
        "M": translate("view", "medial"),
        "PR": translate("view", "proximal"),
        "DI": translate("view", "distal"),
        "PA": translate("view", "palmar"),
        "PL": translate("view", "plantar"),
    }.get(letter, letter)


def paint(painter: Board, view: SliceView) -> None:
    """Write the letters at the edges."""
    found = edges(view)
    if found is None:
        return
    for at_x, at_y, text, size_px in _placed(found, view.width(), view.height()):
        font = theme.font(size_px, QFont.Weight.Bold)
        haloed(painter, QPointF(at_x, at_y), text, font, theme.LETTER)


@lru_cache(maxsize=64)
def _placed(found: Edges, width: int, height: int) -> tuple[tuple[float, float, str, int], ...]:
    """Return the letters with x and y of their baselines and sizes, all in logical pixels."""
    metrics = QFontMetricsF(theme.font(_LETTER_PX, QFont.Weight.Bold))
    middle = height / 2 + metrics.capHeight() / 2
    return (
        *_laid(found.left, MARGIN, middle, 0.0),
        *_laid(found.right, width - MARGIN, middle, 1.0),
        *_laid(found.top, width / 2, MARGIN + 12, 0.5),
        *_laid(found.bottom, width / 2, height - 11, 0.5),
    )


def _laid(parts: Parts, x: float, y: float, share: float) -> list[tuple[float, float, str, int]]:
    """Lay letters out with a share of their width to the left of ``x``."""
    first = theme.font(_LETTER_PX, QFont.Weight.Bold)
    smaller = theme.font(_SMALLER_PX, QFont.Weight.Bold)
    large, small = QFontMetricsF(first), QFontMetricsF(smaller)
    rest = "".join(parts[1:])
    whole = large.horizontalAdvance(parts[0])
    if rest:
        whole += _GAP_PX + small.horizontalAdvance(rest)
    left = x - whole * share
    out = [(left, y, parts[0], _LETTER_PX)]
    if rest:
        left += large.horizontalAdvance(parts[0]) + _GAP_PX
        out.append((left, y + _LOWER_PX, rest, _SMALLER_PX))
    return out
