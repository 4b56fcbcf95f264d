"""Both themes: contrast of every pair that is used, and that all follows at once."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel

import resources
from viewer.ui import label_colours, on_image, theme
from viewer.ui.tokens import DARK, LIGHT, THEMES

from .conftest import settle

# Text and the grounds that it is written on, by token.
_PAIRS = [
    (ink, ground)
    for ground in ("ground", "panel", "bar", "raised", "selected", "stage")
    for ink in ("text", "secondary")
]
_PAIRS += [("dim", ground) for ground in ("ground", "panel", "bar", "raised")]
_PAIRS += [
    (ink, ground)
    for ground in ("ground", "panel", "bar", "raised", "selected")
    for ink in ("active_text", "pending", "accepted_text", "failed")
]
_PAIRS += [("on_primary", "primary"), ("on_primary", "primary_hover"), ("active", "selected")]
_ON_IMAGE = ["text", "secondary", "dim", "pending", "failed", "active", "letter", "measure"]


@pytest.fixture(autouse=True)
def dark_again(qapp):
    yield
    theme.apply_theme(qapp, "dark")
    label_colours.restore("")


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("ink", "ground"), sorted(set(_PAIRS)))
def test_text_stands_out(name, ink, ground):
    tokens = THEMES[name]
    assert theme.contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 4.5


@pytest.mark.parametrize("name", THEMES)
def test_marks_and_edges_stand_out(name):
    """WCAG 2.2, 1.4.11: 3:1 for what is no text but has to be seen."""
    tokens = THEMES[name]
    assert theme.contrast(tokens.accepted, tokens.panel) >= 3
    assert theme.contrast(tokens.on_primary, tokens.accepted) >= 3
    assert theme.contrast(tokens.active, tokens.panel) >= 3
    assert theme.contrast(tokens.active, tokens.ground) >= 3


def test_contrast_is_that_of_the_recommendation():
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert theme.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_the_canvas_is_black_in_every_theme():
    for tokens in THEMES.values():
        assert tokens.canvas == "#000000"
    for ink in _ON_IMAGE:
        assert theme.contrast(getattr(DARK, ink), DARK.canvas) >= 4.5
    assert DARK.text == on_image.TEXT


@pytest.mark.parametrize("name", THEMES)
def test_the_colours_of_labels_are_read_in_the_panel(qapp, name):
    theme.apply_theme(qapp, name)
    tokens = THEMES[name]
    for colour in label_colours.OKABE_ITO:
        ink = theme.readable(colour)
        for ground in (tokens.panel, tokens.raised, tokens.selected):
            assert theme.contrast(ink, ground) >= 4.5


def pixels(widget):
    """Return what a widget shows as an array of (row, column, 4)."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows, columns = image.height(), image.width()
    return np.frombuffer(image.constBits(), np.uint8).reshape(rows, columns, 4).copy()


def share(image, colour):
    """Return the share of pixels that have a colour."""
    wanted = QColor(colour)
    bgr = (wanted.blue(), wanted.green(), wanted.red())
    return float((image[..., :3] == bgr).all(axis=-1).mean())


def test_the_theme_changes_at_once_in_everything_but_the_images(reviewed):
    reviewed.reading.show(heatmap=True)
    settle(reviewed)
    views = [pixels(view) for view in reviewed.views.views]
    reviewed.actions_by_id["light"].trigger()
    settle(reviewed)
    assert reviewed.actions_by_id["light"].isChecked()
    for part, ground in (
        (reviewed.bar, LIGHT.bar),
        (reviewed.rail, LIGHT.panel),
        (reviewed.panel, LIGHT.panel),
        (reviewed.status, LIGHT.bar),
    ):
        light = pixels(part)
        assert share(light, ground) > 0.3, part.objectName()
        for tokens in (DARK.bar, DARK.panel, DARK.selected, DARK.raised):
            assert share(light, tokens) == 0, (part.objectName(), tokens)
    for view, before in zip(reviewed.views.views, views, strict=True):
        assert np.array_equal(pixels(view), before)
    reviewed.actions_by_id["light"].trigger()
    settle(reviewed)
    assert share(pixels(reviewed.bar), DARK.bar) > 0.3
    assert reviewed.settings.text("theme") == "dark"


def test_words_with_a_meaning_follow_the_theme(reviewed):
    label = reviewed.panel.findChild(QLabel)
    theme.set_tone(label, "pending")
    assert DARK.pending in label.styleSheet()
    reviewed.reading.preferences.put("theme", "light")
    assert LIGHT.pending in label.styleSheet()
    theme.set_tone(label, "")
    assert label.styleSheet() == ""


def test_the_theme_is_that_of_the_last_time(reviewed, qapp):
    from viewer.ui.main_window import MainWindow

    reviewed.reading.preferences.put("theme", "light")
    theme.apply_theme(qapp, "dark")
    again = MainWindow()
    assert theme.tokens() is LIGHT
    again.close()
    again.deleteLater()


def test_a_chosen_colour_is_drawn_kept_and_refused_when_too_like(reviewed):
    section = reviewed.panel.segments
    swatch = section._findings.swatch
    offered = {a.data(): a for a in swatch.menu_of_colours().actions()}
    assert list(offered) == list(label_colours.OKABE_ITO)
    assert offered["#E69F00"].isChecked()
    assert not offered["#56B4E9"].isEnabled()  # the right lung has it
    assert "Lung, right" in offered["#56B4E9"].toolTip()
    offered["#F0E442"].trigger()
    settle(reviewed)
    lines = reviewed.views.views[0].overlay._lines
    assert {line.colour.upper() for line in lines} == {"#F0E442"}
    assert reviewed.settings.text("label_colours") == '{"nodule": "#F0E442"}'
    assert resources.table("labels")["nodule"]["colour"] == "#E69F00"
