"""Looks, focus and economy of the window: what is drawn, how often, and who can reach it."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import (
    QFontMetrics,
    QImage,
    QPainter,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QSlider

from viewer.display import strokes
from viewer.session import Case
from viewer.ui import slice_view, theme
from viewer.ui.inked import Inked
from viewer.ui.look import Look
from viewer.ui.outline_lines import Line, Outline
from viewer.ui.overlay_layer import OverlayLayer
from viewer.ui.widgets import CommandButton

from .conftest import settle
from .test_review import key
from .test_views import drag


def test_space_presses_the_button_that_has_the_keyboard(opened):
    button = next(
        b
        for b in opened.bar.findChildren(CommandButton)
        if b.action is opened.actions_by_id["brush"]
    )
    opened.activateWindow()
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.qWait(20)
    before = opened.reading.shown.text
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert opened.reading.tool == "brush"
    assert opened.reading.shown.text == before
    opened.views.hold_focus()
    QTest.keyClick(opened.views.views[0], Qt.Key.Key_Space)
    assert opened.reading.shown.text != before


def test_dialogs_do_not_pile_up(opened, monkeypatch):
    monkeypatch.setattr(QDialog, "exec", lambda self: 0)
    for name in ("keys", "reader", "card"):
        opened.actions_by_id[name].trigger()
    QTest.qWait(20)
    assert not opened.findChildren(QDialog)


def test_markup_in_a_file_is_shown_as_text(opened):
    opened.message.show_note("<b>bold</b>")
    assert opened.message._text.textFormat() == Qt.TextFormat.PlainText
    assert opened.status._text.textFormat() == Qt.TextFormat.PlainText


def test_every_control_has_a_name_and_says_what_it_does(reviewed):
    reviewed.reading.set_tool("brush")
    settle(reviewed)
    controls = [*reviewed.findChildren(QAbstractButton), *reviewed.findChildren(QSlider)]
    for control_ in controls:
        if control_.isVisible():
            text = control_.text() if isinstance(control_, QAbstractButton) else ""
            assert control_.accessibleName() or text
            assert control_.toolTip(), text


def test_tab_goes_from_the_bar_to_the_panel_and_stops_at_nothing_nameless(reviewed):
    first = reviewed.bar.findChildren(QAbstractButton)[0]
    stops, widget = [first], first.nextInFocusChain()
    while widget is not first:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            stops.append(widget)
        widget = widget.nextInFocusChain()
    for stop in stops:
        assert stop.accessibleName() or stop.text(), stop
    inside = [reviewed.bar.isAncestorOf(stop) for stop in stops]
    assert inside == sorted(inside, reverse=True)


def test_no_tool_and_no_name_makes_the_window_wider(reviewed):
    reviewed.resize(1024, 700)
    settle(reviewed)
    assert reviewed.width() == 1024
    for tool in ("brush", "erase", "window"):
        reviewed.reading.set_tool(tool)
        key(reviewed, "A")
        reviewed.set_reader("Dr. Alexandria Long-Name the Third of Someplace and its Surrounds")
        settle(reviewed)
        assert reviewed.width() == 1024
        row = reviewed.bar.layout()
        assert row.minimumSize().width() <= reviewed.bar.width()
        right = reviewed.status._research.geometry().right()
        assert right <= reviewed.status.width()
    assert reviewed.actions_by_id["run"].text() == "Run AI"
    reviewed.resize(2300, 1000)
    reviewed.reading.set_tool("brush")
    settle(reviewed)
    assert reviewed.bar._undo_text.isVisible()
    assert reviewed.bar.device_button.text() == reviewed.bar._title
    assert not any(cap.isHidden() for cap in reviewed.bar._keys)


def test_the_second_view_takes_the_place_of_the_third(opened):
    opened.resize(1040, 800)
    settle(opened)
    main, second, third = opened.views.views
    assert not third.isVisible()
    assert second.height() == main.height()
    opened.resize(1500, 900)
    settle(opened)
    assert third.isVisible()
    assert abs(second.height() - third.height()) <= 1


def test_keys_act_on_a_view_that_is_seen(opened):
    opened.views.active = opened.views.views[2]
    opened.resize(1040, 800)
    settle(opened)
    assert opened.views.active is opened.views.views[0]


# ---------------------------------------------------------- only what changed


class Counts:
    """Counts the calls of a function that goes on doing its work."""

    def __init__(self, monkeypatch, owner, name):
        self.calls = 0
        whole = getattr(owner, name)

        def counted(*args, **kwargs):
            self.calls += 1
            return whole(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)


def test_a_verdict_and_a_dab_compose_no_image(reviewed, monkeypatch):
    composed = Counts(monkeypatch, slice_view.SliceView, "_compose")
    key(reviewed, "A")
    assert composed.calls == 0
    reviewed.reading.set_tool("brush")
    view = reviewed.views.views[0]
    drag(view, view.cursor_px().toPoint(), QPoint(30, 0))
    settle(reviewed)
    assert composed.calls == 0
    reviewed.reading.show(fill=True)
    settle(reviewed)
    assert composed.calls == 3
    drag(view, view.cursor_px().toPoint(), QPoint(-30, 0))
    settle(reviewed)
    assert composed.calls > 3


def test_the_outlines_are_not_drawn_again_for_a_dab_or_a_window(reviewed, monkeypatch):
    for segment in reviewed.reading.case.document.segments:
        reviewed.reading.toggle_segment(segment.id)
    reviewed.reading.set_tool("brush")
    settle(reviewed)
    view = reviewed.views.views[0]
    port, at = view.viewport(), view.cursor_px().toPoint()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=at)
    settle(reviewed)
    drawn = Counts(monkeypatch, OverlayLayer, "strokes")
    for step in range(1, 6):
        QTest.mouseMove(port, at + QPoint(8 * step, 0))
        settle(reviewed)
    assert drawn.calls == 0
    assert view.overlay.shows_apart
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at + QPoint(40, 0))
    settle(reviewed)
    reviewed.actions_by_id["undo"].trigger()
    settle(reviewed)
    assert drawn.calls == 0  # nor for a step back
    reviewed.reading.select(None)
    settle(reviewed)
    assert not view.overlay.shows_apart
    drawn.calls = 0
    reviewed.actions_by_id["preset_1"].trigger()
    settle(reviewed)
    assert drawn.calls == 0


def test_a_verdict_writes_one_row_of_the_list(reviewed, monkeypatch):
    written_rows = Counts(monkeypatch, type(reviewed.panel.list), "_write")
    placed = Counts(monkeypatch, Case, "place")
    key(reviewed, "A")
    assert written_rows.calls == 1
    assert placed.calls <= 1
    reviewed.panel.refresh()
    assert written_rows.calls == 1
    reviewed.reading.set_threshold(0.94)
    reviewed.reading.set_threshold(0.0)
    assert placed.calls <= len(reviewed.reading.case.document.lesions)
    texts = [
        reviewed.panel.list.item(row).data(Qt.ItemDataRole.AccessibleTextRole)
        for row in range(reviewed.panel.list.count())
    ]
    assert "Accepted" in texts[0]


def test_outlines_are_as_thick_on_a_dense_screen(opened):
    """Lines count device pixels: twice as many on a screen twice as dense."""
    outline = Outline.of([np.array([[0.0, 25.0], [50.0, 25.0]])])
    line = Line("d1", outline, "#FFFFFF", 4.0, dashed=False)
    covered = []
    for ratio in (1, 2):
        picture = QImage(50 * ratio, 50 * ratio, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(ratio)
        picture.fill(0)
        look = Look(QSize(50, 50), ratio, (0.0, 0.0), 1.0)
        inked = Inked()
        inked.draw([line.stroke(look, (0.0, 0.0))], look)
        with QPainter(picture) as painter:
            inked.paint(painter, look)
        column = [picture.pixelColor(25 * ratio, y).red() > 200 for y in range(50 * ratio)]
        covered.append(sum(column) / ratio)
        assert line.stroke(look, (0.0, 0.0)).width_px == 4 * ratio
    assert covered[0] == covered[1] == 4


def test_a_long_reader_name_is_shortened_visibly(reviewed):
    reviewed.set_reader("Dr. Alexandria Long-Name the Third of Someplace and its Surrounds")
    key(reviewed, "A")
    rows = reviewed.panel.list
    room = rows.viewport().width() - 46
    lines = rows.itemDelegate()._lines(rows.model().index(0, 0), room)
    assert all(
        QFontMetrics(theme.font(theme.CORNER_PX)).horizontalAdvance(x) <= room + 12 for x in lines
    )
    assert any("…" in line for line in lines)


def _luminance(colour):
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        (theme.TEXT, theme.SELECTED),
        (theme.SECONDARY, theme.SELECTED),
        (theme.SECONDARY, theme.RAISED),
        (theme.DIM, theme.PANEL),
        (theme.DIM, theme.BAR),
        (theme.PENDING, theme.BAR),
        (theme.ACTIVE, theme.SELECTED),
        (theme.FAILED, theme.RAISED),
        ("#FFFFFF", theme.PRIMARY),
        ("#FFFFFF", theme.PRIMARY_HOVER),
        ("#3CCB9C", theme.SELECTED),
        ("#E69F00", theme.SELECTED),
    ],
)
def test_text_stands_out_from_its_ground(ink, ground):
    light, dark = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_dashes_of_the_ai_leave_gaps_that_are_seen(reviewed):
    line = next(iter(reviewed.views.views[0].overlay._lines))
    assert line.dashed
    assert strokes.GAP >= 0.6 * strokes.DASH
