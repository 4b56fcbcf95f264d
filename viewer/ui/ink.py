"""Pictures of words with a dark halo, kept: the same words come again at every paint.

A number that changes with every slice is put together from pictures of its figures: stroking
the outlines of its letters would take longer than windowing the slice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

PAD = 4
_DARK = QColor(0, 0, 0, 225)
_PHASES = 4
_KEPT = 1024
# Letters of numbers and their units: none joins with its neighbours or takes another shape.
_FIGURES = frozenset("0123456789 ./·±\N{MINUS SIGN}%LWZompyzHUV")


@dataclass(frozen=True, slots=True)
class Word:
    """A picture of words; the baseline is ``ascent`` under its padded top."""

    picture: QImage
    ascent: float


@dataclass(frozen=True, slots=True)
class _Style:
    key: str
    colour: str
    halo: float
    ratio: float


_words: dict[tuple[_Style, str], Word] = {}
_glyphs: dict[tuple[_Style, str, int], tuple[QImage, QImage]] = {}
_advances: dict[tuple[str, str], float] = {}
_pictures: dict[tuple[object, ...], QImage] = {}


def advance(text: str, font: QFont, key: str = "") -> float:
    """Return the width of words in logical pixels; ``key`` is that of the font, when known."""
    at = (key or font.key(), text)
    width = _advances.get(at)
    if width is None:
        if len(_advances) >= 4 * _KEPT:
            _advances.clear()
        width = _advances[at] = QFontMetricsF(font).horizontalAdvance(text)
    return width


def fitted(text: str, font: QFont, room_px: float) -> str:
    """Return words, shortened at the end where there is no room for them."""
    if advance(text, font) <= room_px:
        return text
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room_px)


def word(text: str, font: QFont, colour: str, halo: float, ratio: float) -> Word:
    """Return the picture of words in a colour, for so many pixels of the device a pixel."""
    style = _Style(font.key(), colour, halo, ratio)
    known = _words.get((style, text))
    if known is None:
        if len(_words) >= _KEPT:
            _words.clear()
        draw = _from_figures if _FIGURES.issuperset(text) else _stroked
        known = _words[style, text] = draw(text, font, style)
    return known


def block(
    lines: tuple[str, ...],
    font: QFont,
    colour: str,
    halo: float,
    ratio: float,
    line_px: int,
    room_px: float,
    *,
    right: bool,
) -> QImage:
    """Return lines of words as one picture, padded by ``PAD`` on all sides.

    Parameters
    ----------
    line_px
        From one baseline to the next; the first lies so far, and the padding, under the top.
    room_px
        Longer lines are shortened.
    right
        Whether the lines end, not begin, under each other.
    """
    key = ("block", lines, font.key(), colour, halo, ratio, line_px, round(room_px), right)
    known = _pictures.get(key)
    if known is not None:
        return known
    texts = [fitted(text, font, room_px) for text in lines]
    widths = [advance(text, font) for text in texts]
    across = max(map(math.ceil, widths))
    picture = blank(QSizeF(across + 2 * PAD, line_px * (len(texts) + 1) + 2 * PAD), ratio)
    painter = QPainter(picture)
    for number, (text, width) in enumerate(zip(texts, widths, strict=True)):
        made = word(text, font, colour, halo, ratio)
        x = round((across - width) * ratio) / ratio if right else 0
        y = round(line_px * (number + 1) - made.ascent)
        painter.drawImage(QPointF(x, y), made.picture)
    painter.end()
    return kept(key, lambda: picture)


def kept(key: tuple[object, ...], make: Callable[[], QImage]) -> QImage:
    """Return a picture that was made before, or make it."""
    known = _pictures.get(key)
    if known is None:
        if len(_pictures) >= _KEPT:
            _pictures.clear()
        known = _pictures[key] = make()
    return known


def blank(size: QSizeF, ratio: float) -> QImage:
    """Return a clear picture of so many logical pixels."""
    device = QSizeF(math.ceil(size.width() * ratio), math.ceil(size.height() * ratio))
    picture = QImage(device.toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    return picture


def _blank(width_px: float, metrics: QFontMetricsF, ratio: float) -> QImage:
    return blank(QSizeF(width_px + 2 * PAD, metrics.height() + 2 * PAD), ratio)


def _pen(halo: float) -> QPen:
    pen = QPen(QColor(0, 0, 0), halo)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _stroked(text: str, font: QFont, style: _Style) -> Word:
    metrics = QFontMetricsF(font)
    picture = _blank(metrics.horizontalAdvance(text), metrics, style.ratio)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath()
    path.addText(QPointF(PAD, PAD + metrics.ascent()), font, text)
    pen = _pen(style.halo)
    pen.setColor(_DARK)
    painter.strokePath(path, pen)
    painter.fillPath(path, QColor(style.colour))
    painter.end()
    return Word(picture, metrics.ascent())


def _from_figures(text: str, font: QFont, style: _Style) -> Word:
    metrics = QFontMetricsF(font)
    places, x = [], 0.0
    for number, letter in enumerate(text):
        if number:
            pair = text[number - 1 : number + 1]
            x += advance(pair, font, style.key) - advance(letter, font, style.key)
        places.append(x)
    picture = _blank(x + advance(text[-1:], font, style.key), metrics, style.ratio)
    parts = []
    for letter, place in zip(text, places, strict=True):
        if letter != " ":
            device = round(place * style.ratio * _PHASES)
            whole, phase = divmod(device, _PHASES)
            at = QPointF(whole / style.ratio, 0)
            parts.append((at, _figure(letter, phase, font, style)))
    painter = QPainter(picture)
    # All halos before all ink, and the halos as one: no letter darkens its neighbour.
    for at, (halo, _ink) in parts:
        painter.drawImage(at, halo)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.fillRect(picture.rect(), _DARK)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    for at, (_halo, ink) in parts:
        painter.drawImage(at, ink)
    painter.end()
    return Word(picture, metrics.ascent())


def _figure(letter: str, phase: int, font: QFont, style: _Style) -> tuple[QImage, QImage]:
    """Return halo and ink of one letter, a part of a pixel to the right."""
    known = _glyphs.get((style, letter, phase))
    if known is not None:
        return known
    if len(_glyphs) >= _KEPT:
        _glyphs.clear()
    metrics = QFontMetricsF(font)
    path = QPainterPath()
    right = phase / _PHASES / style.ratio
    path.addText(QPointF(PAD + right, PAD + metrics.ascent()), font, letter)
    pictures = []
    for halo in (True, False):
        picture = _blank(math.ceil(metrics.horizontalAdvance(letter)) + 1, metrics, style.ratio)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if halo:
            painter.strokePath(path, _pen(style.halo))
        else:
            painter.fillPath(path, QColor(style.colour))
        painter.end()
        pictures.append(picture)
    _glyphs[style, letter, phase] = (pictures[0], pictures[1])
    return pictures[0], pictures[1]
