"""Words on an image look the same, however their pictures are made."""

import numpy as np
import pytest
from PySide6.QtGui import QFontMetricsF, QImage

from viewer.ui import ink, theme

NUMBERS = ["101 / 500", "z \N{MINUS SIGN}123.4 mm", "W 1500 L \N{MINUS SIGN}600", "17 / 48", "7"]


def pixels(picture):
    image = picture.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    view = np.frombuffer(image.constBits(), dtype=np.uint8)
    rows = view.reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width()].astype(int)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_made_of_figures_looks_as_if_it_were_drawn_at_once(qapp, text, ratio):
    font = theme.font(theme.CORNER_PX)
    face = ink.Face(font, "#E6EAF0", 4.0, ratio)
    made, drawn = face.from_figures(text), face.stroked(text)
    assert made.picture.size() == drawn.picture.size()
    assert made.ascent == drawn.ascent
    away = np.abs(pixels(made.picture) - pixels(drawn.picture))
    # A quarter of a pixel at most: edges may differ a little, no letter is elsewhere.
    assert away.mean() < 3
    assert np.quantile(away, 0.99) < 64


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
@pytest.mark.parametrize("text", ["Value \N{MINUS SIGN}851 HU · p 0.27", "Zoom 195 %", " 7  mm "])
def test_a_line_made_of_its_words_looks_as_if_it_were_drawn_at_once(qapp, text, ratio):
    face = ink.Face(theme.font(theme.CORNER_PX), "#E6EAF0", 4.0, ratio)
    made, drawn = face.from_parts(text), face.stroked(text)
    assert abs(made.picture.width() - drawn.picture.width()) <= 1
    assert made.picture.height() == drawn.picture.height()
    width = min(made.picture.width(), drawn.picture.width())
    away = np.abs(pixels(made.picture)[:, :width] - pixels(drawn.picture)[:, :width])
    # Half a pixel at most: no word is elsewhere.
    assert away.mean() < 6
    assert np.quantile(away, 0.98) < 128


def test_lines_from_right_to_left_are_drawn_at_once(qapp, monkeypatch):
    monkeypatch.setattr(ink.Face, "from_parts", None)
    face = ink.Face(theme.font(theme.CORNER_PX), "#E6EAF0", 4.0, 1.0)
    text = "\u05d3\u05e7 7 \u05de\u05d5\u05ea"
    assert face.line(text) is face.word(text)


def test_words_that_may_join_are_drawn_at_once(qapp, monkeypatch):
    monkeypatch.setattr(ink.Face, "from_figures", None)
    ink._faces.clear()
    words, font = "Axial · radiological", theme.font(theme.CORNER_PX)
    made = ink.word(words, font, "#FFFFFF", 4.0, 1.0)
    assert ink.word(words, font, "#FFFFFF", 4.0, 1.0) is made


def test_another_colour_size_or_screen_is_another_picture(qapp):
    font = theme.font(theme.CORNER_PX)
    first = ink.word("1 / 2", font, "#FFFFFF", 4.0, 1.0)
    assert ink.word("1 / 2", font, "#FFFFFF", 4.0, 1.0) is first
    assert ink.word("1 / 2", font, "#FF0000", 4.0, 1.0) is not first
    assert ink.word("1 / 2", font, "#FFFFFF", 4.0, 2.0) is not first
    assert ink.word("1 / 2", theme.font(15), "#FFFFFF", 4.0, 1.0) is not first


def test_nothing_is_a_word_too(qapp):
    assert not ink.word("", theme.font(), "#FFFFFF", 3.0, 1.0).picture.isNull()


def test_words_are_shortened_only_where_there_is_no_room(qapp):
    font = theme.font(theme.CORNER_PX)
    text = "Thorax 1.0 mm lung kernel"
    width = QFontMetricsF(font).horizontalAdvance(text)
    assert ink.fitted(text, font, width) == text
    short = ink.fitted(text, font, width / 2)
    assert short.endswith("…")
    assert QFontMetricsF(font).horizontalAdvance(short) <= width / 2
