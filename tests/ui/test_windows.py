"""Windows by key, by region and from the values; what is remembered of them."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from viewer.display.grey import LINEAR, Window
from viewer.display.presets import between, presets, table_name

from .conftest import settle
from .test_review import key
from .test_views import drag

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.mark.parametrize(
    ("modality", "unit", "name"),
    [
        ("CT", "HU", "CT"),
        ("CT", "", "other"),
        ("PT", "SUVbw", "SUVbw"),
        ("PT", "Bq/mL", "emission"),
        ("MR", "", "MR"),
        ("DX", "", "projection"),
        ("MG", "", "projection"),
        ("US", "", "other"),
        ("", "HU", "CT"),
    ],
)
def test_windows_in_a_unit_need_the_unit(modality, unit, name):
    assert table_name(modality, unit) == name
    fixed = any(preset.fixed is not None for preset in presets(name))
    assert fixed == (unit in ("HU", "SUVbw"))


def test_shares_of_the_values_are_percentiles():
    values = np.arange(1001, dtype=np.int16)
    window = between(values, (10.0, 90.0), LINEAR)
    assert (window.centre, window.width) == (500.0, 800.0)
    flat = between(np.full(10, 7, np.int16), (1.0, 99.0), LINEAR)
    assert flat.width == 1.0
    nothing = between(np.array([np.nan, np.nan]), (1.0, 99.0), LINEAR)
    assert nothing.width == 1.0


def test_a_box_makes_the_window_of_what_is_in_it(opened, phantom):
    key(opened, "W", SHIFT)
    assert opened.reading.tool == "region"
    view = opened.views.views[0]
    lung = np.argwhere(phantom.lung("right").voxels).mean(axis=0) + phantom.lung("right").origin_kji
    at = view.px_of_mm(*view.plane.view_mm(lung)).toPoint()
    drag(view, at - QPoint(12, 12), QPoint(24, 24))
    inside = opened.reading.window
    assert -950 < inside.centre < -600
    assert opened.reading.tool == "window"
    assert view.rubber is None


def test_a_box_is_drawn_while_it_is_dragged_and_given_up_with_escape(opened):
    key(opened, "W", SHIFT)
    view = opened.views.views[0]
    before = opened.reading.window
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(view, QPoint(180, 160))
    assert view.rubber is not None
    key(opened, "Escape")
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(180, 160))
    assert view.rubber is None
    assert opened.reading.window == before


def test_a_click_with_the_box_says_what_to_do(opened):
    key(opened, "W", SHIFT)
    before = opened.reading.window
    view = opened.views.views[0]
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert opened.reading.window == before
    assert "box" in opened.status._text.text()


def test_nine_takes_the_window_from_the_values_shown(opened):
    key(opened, "9")
    view, case = opened.views.views[0], opened.reading.case
    values = view.plane.slice_of(case.volume.voxels, view.index)
    if case.volume.padding is not None:
        low, high = case.volume.padding
        values = values[(values < low) | (values > high)]
    low, high = np.percentile(values, (1, 99))
    window = opened.reading.window
    assert window.centre == pytest.approx((low + high) / 2, abs=30)
    assert window.width == pytest.approx(high - low, rel=0.05)


def test_a_preset_can_be_given_another_window_and_reset(opened):
    windows = opened.conventions.windows
    opened.reading.set_window(Window(123, 456))
    windows.give_preset("2")
    opened.reading.set_window(Window(0, 100))
    key(opened, "2")
    assert (opened.reading.window.centre, opened.reading.window.width) == (123, 456)
    assert opened.actions_by_id["presets_reset"].isEnabled()
    opened.actions_by_id["presets_reset"].trigger()
    settle(opened)
    key(opened, "2")
    assert (opened.reading.window.centre, opened.reading.window.width) == (-600, 1500)
    assert not opened.actions_by_id["presets_reset"].isEnabled()


def test_series_of_a_kind_begin_with_the_window_that_was_remembered(opened, qtbot, phantom_folder):
    opened.reading.set_window(Window(77, 333))
    opened.actions_by_id["first_window"].trigger()
    settle(opened)
    assert opened.actions_by_id["first_window"].isChecked()
    kept = opened.settings.text("first windows")
    assert "333" in kept
    description = opened.reading.case.series.description
    assert description and description not in kept
    opened.study._leave_case()
    with qtbot.waitSignal(opened.opener.opened, timeout=20_000):
        opened.open_paths([phantom_folder])
    settle(opened)
    assert (opened.reading.window.centre, opened.reading.window.width) == (77, 333)
    key(opened, "0")  # that of the file is a key away
    assert opened.reading.window.width != 333
    opened.actions_by_id["first_window"].trigger()
    assert opened.settings.text("first windows") == ""


def test_the_menu_of_windows_holds_all_of_them(opened):
    menu = opened.conventions.windows.menu(QMenu(opened), opened.actions_by_id)
    texts = [action.text() for action in menu.actions()]
    for name in ("Soft tissue", "Lung", "Window by region", "From the values shown"):
        assert name in texts


@pytest.mark.parametrize("text", ["[]", "x", '{"CT": 3}', '{"CT": {"1": [1, -2], "7": [1, 2]}}'])
def test_damaged_settings_leave_the_presets_as_they_came(qapp, window, text):
    from viewer.ui.windows import Windows

    window.settings.put("window presets", text)
    made = Windows(window.reading, window.settings, lambda: window.views.active, window)
    assert made._presets["1"].fixed == (40.0, 400.0)
    made.deleteLater()
