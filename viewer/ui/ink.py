"""Pictures of words with a dark halo, kept: the same words come again at every paint.

A number that changes with every slice is put together from pictures of its figures: stroking
the outlines of its letters would take longer than windowing the slice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from viewer.ui import theme

PAD = 4
_DARK = QColor(0, 0, 0, 225)
_PHASES = 4
_KEPT = 1024
# Letters of numbers and their units: none joins with its neighbours or takes another shape.
_FIGURES = frozenset("0123456789 ./·±\N{MINUS SIGN}%LWZompyzHUV")
# Written left to right, and words do not change beside others.
_PLAIN = _FIGURES.union(map(chr, range(0x20, 0x250)))


@dataclass(frozen=True, slots=True)
class Word:
    """A picture of words; the baseline is ``ascent`` under its padded top."""

    picture: QImage
    ascent: float


class Face:
    """What was drawn in one font, colour and halo, for one density of pixels."""

    def __init__(self, font: QFont, colour: str, halo: float, ratio: float) -> None:
        self.font = QFont(font)
        self.metrics = QFontMetricsF(font)
        self.colour = QColor(colour)
        self.halo = halo
        self.ratio = ratio
        self.ascent = self.metrics.ascent()
        self.words: dict[str, Word] = {}
        self._advances: dict[str, float] = {}
        self._steps: dict[str, float] = {}
        self._figures: dict[tuple[str, int], tuple[QImage, QImage]] = {}

    def word(self, text: str) -> Word:
        """Return the picture of words, drawn at once unless it is a number."""
        return self._kept(text, self.from_figures if _FIGURES.issuperset(text) else self.stroked)

    def line(self, text: str) -> Word:
        """Return the picture of a line of which the numbers change from paint to paint."""
        if " " in text and not _FIGURES.issuperset(text) and _PLAIN.issuperset(text):
            return self._kept("\n" + text, lambda _: self.from_parts(text))
        return self.word(text)

    def _kept(self, key: str, draw: Callable[[str], Word]) -> Word:
        known = self.words.get(key)
        if known is None:
            if len(self.words) >= _KEPT:
                self.words.clear()
            known = self.words[key] = draw(key)
        return known

    def from_parts(self, text: str) -> Word:
        """Put a line together from its words: beside a number that changes most stay the same."""
        parts, x = [], 0.0
        for part in text.split(" "):
            if part:
                parts.append((QPointF(round(x * self.ratio) / self.ratio, 0), self.word(part)))
            x += self.advance(part) + self.advance(" ")
        picture = self._blank(x - self.advance(" "))
        painter = QPainter(picture)
        for at, made in parts:
            painter.drawImage(at, made.picture)
        painter.end()
        return Word(picture, self.ascent)

    def advance(self, text: str) -> float:
        """Return the width of words in logical pixels."""
        known = self._advances.get(text)
        if known is None:
            if len(self._advances) >= _KEPT:
                self._advances.clear()
            known = self._advances[text] = self.metrics.horizontalAdvance(text)
        return known

    def fitted(self, text: str, room_px: float) -> str:
        """Return words, shortened at the end where there is no room for them."""
        if self.advance(text) <= room_px:
            return text
        return self.metrics.elidedText(text, Qt.TextElideMode.ElideRight, room_px)

    def stroked(self, text: str) -> Word:
        """Draw words at once."""
        picture = self._blank(self.metrics.horizontalAdvance(text))
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addText(QPointF(PAD, PAD + self.ascent), self.font, text)
        painter.strokePath(path, self._pen(_DARK))
        painter.fillPath(path, self.colour)
        painter.end()
        return Word(picture, self.ascent)

    def from_figures(self, text: str) -> Word:
        """Put words together from pictures of their letters."""
        parts, x, before = [], 0.0, ""
        scale = self.ratio * _PHASES
        for letter in text:
            x += self._step(before, letter)
            before = letter
            if letter != " ":
                whole, phase = divmod(round(x * scale), _PHASES)
                parts.append((QPointF(whole / self.ratio, 0), self._figure(letter, phase)))
        picture = self._blank(x + self._step(before, ""))
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
        return Word(picture, self.ascent)

    def _step(self, before: str, letter: str) -> float:
        """Return how far a letter begins after the one before it began."""
        step = self._steps.get(before + letter if letter else before + "\0")
        if step is None:
            wide = self.metrics.horizontalAdvance
            step = (wide(before + letter) - wide(letter)) if before else 0.0
            self._steps[before + letter if letter else before + "\0"] = step
        return step

    def _figure(self, letter: str, phase: int) -> tuple[QImage, QImage]:
        """Return halo and ink of one letter, a part of a pixel to the right."""
        known = self._figures.get((letter, phase))
        if known is None:
            known = self._figures[letter, phase] = (
                self._drawn_figure(letter, phase, halo=True),
                self._drawn_figure(letter, phase, halo=False),
            )
        return known

    def _drawn_figure(self, letter: str, phase: int, *, halo: bool) -> QImage:
        path = QPainterPath()
        right = phase / _PHASES / self.ratio
        path.addText(QPointF(PAD + right, PAD + self.ascent), self.font, letter)
        picture = self._blank(math.ceil(self.metrics.horizontalAdvance(letter)) + 1)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if halo:
            painter.strokePath(path, self._pen(QColor(0, 0, 0)))
        else:
            painter.fillPath(path, self.colour)
        painter.end()
        return picture

    def _blank(self, width_px: float) -> QImage:
        return blank(QSizeF(width_px + 2 * PAD, self.metrics.height() + 2 * PAD), self.ratio)

    def _pen(self, colour: QColor) -> QPen:
        pen = QPen(colour, self.halo)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        return pen


_faces: dict[tuple[str, str, float, float], Face] = {}
_advances: dict[tuple[str, str], float] = {}
_pictures: dict[tuple[object, ...], QImage] = {}


def advance(text: str, font: QFont) -> float:
    """Return the width of words in logical pixels."""
    at = (font.key(), text)
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


@lru_cache(maxsize=64)
def face(
    size_px: int,
    colour: str,
    halo: float,
    ratio: float,
    weight: QFont.Weight = QFont.Weight.Normal,
) -> Face:
    """Return what is kept of the interface's face at a size: asked for at every paint."""
    return face_of(theme.font(size_px, weight), colour, halo, ratio)


def face_of(font: QFont, colour: str, halo: float, ratio: float) -> Face:
    """Return what is kept of any font."""
    key = (font.key(), colour, halo, ratio)
    face = _faces.get(key)
    if face is None:
        face = _faces[key] = Face(font, colour, halo, ratio)
    return face


def word(text: str, font: QFont, colour: str, halo: float, ratio: float) -> Word:
    """Return the picture of words in a colour, for so many pixels of the device a pixel."""
    return face_of(font, colour, halo, ratio).word(text)


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
    face = face_of(font, colour, halo, ratio)
    for number, (text, width) in enumerate(zip(texts, widths, strict=True)):
        made = face.word(text)
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
