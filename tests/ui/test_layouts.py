"""Layouts of the views: chosen by key, rearranged by dragging, remembered."""

import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from viewer.ui import layouts
from viewer.ui.carry import Grip
from viewer.ui.layouts import BESIDE, FOUR, LAYOUTS, LIST, ONE, THREE, Arranged
from viewer.ui.placing import LEAST_PX, Rect, place

from .conftest import settle

LEFT = Qt.MouseButton.LeftButton


def key(window, name, keys=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window, getattr(Qt.Key, f"Key_{name}"), keys)
    settle(window)


def shown(window):
    """Return the names of the panes that are seen, in reading order of where they stand."""
    views = window.views
    seen = [(pane.y(), pane.x(), name) for name, pane in views.panes.items() if pane.isVisible()]
    return [name for _, _, name in sorted(seen)]


def drag_grip(window, name, to, *, let_go=True):
    """Press the corner of a pane and drag it into the middle of another one."""
    pane, target = window.views.panes[name], window.views.panes[to]
    grip = pane.findChild(Grip)
    start = grip.rect().center()
    end = grip.mapFromGlobal(target.mapToGlobal(target.rect().center()))
    QTest.mousePress(grip, LEFT, pos=start)
    QTest.mouseMove(grip, start + QPoint(12, 12))
    QTest.mouseMove(grip, end)
    if let_go:
        QTest.mouseRelease(grip, LEFT, pos=end)
        settle(window)
    return grip, end


# --------------------------------------------------------------------------- data


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(("width", "height"), [(1144, 980), (700, 500), (331, 245), (90, 40)])
def test_every_pixel_belongs_to_one_cell_or_one_gap(layout, width, height):
    placed = place(layout.tree, layout.weights, Rect(0, 0, width, height))
    assert sorted(placed.cells) == list(range(layout.cells))
    owners = {}
    for name, rect in [
        *placed.cells.items(),
        *((f"s{n}", s.rect) for n, s in enumerate(placed.seams)),
    ]:
        for x in range(rect.x, rect.x + rect.width):
            for y in range(rect.y, rect.y + rect.height):
                assert (x, y) not in owners
                owners[x, y] = name
    if width > 300:
        assert len(owners) == width * height
        assert all(
            r.width >= LEAST_PX[0] and r.height >= LEAST_PX[1] for r in placed.cells.values()
        )


def test_a_seam_stops_where_a_view_would_be_too_small():
    layout = LAYOUTS[THREE]
    seam = next(
        s for s in place(layout.tree, layout.weights, Rect(0, 0, 1000, 800)).seams if s.across
    )
    for by in (-5000, -100, 0, 100, 5000):
        weights = {**layout.weights, seam.name: seam.moved(by)}
        cells = place(layout.tree, weights, Rect(0, 0, 1000, 800)).cells
        wanted = min(max(seam.sizes[0] + by, LEAST_PX[0]), 1000 - 2 - LEAST_PX[0])
        assert cells[0].width == wanted


def test_a_layout_survives_being_written_down():
    arranged = Arranged.of(FOUR).exchanged("first", "fourth").weighted("rows", (3.0, 1.0))
    back = layouts.from_json(json.loads(json.dumps(arranged.to_json())))
    assert back.order == ("fourth", "second", "third", "first")
    assert back.weights["rows"] == (0.75, 0.25)


@pytest.mark.parametrize(
    "damage",
    [
        None,
        3,
        [],
        {},
        {"layout": "nine"},
        {"layout": "three", "order": ["first", "first", "third"]},
        {"layout": "three", "order": ["first", "second"]},
        {"layout": "three", "order": 5},
        {"layout": "three", "order": ["first", "second", "third"], "weights": 3},
        {"layout": "three", "order": ["first", "second", "third"], "weights": {"whole": [1]}},
        {"layout": "three", "order": ["first", "second", "third"], "weights": {"whole": [1, -1]}},
        {"layout": "three", "order": ["first", "second", "third"], "weights": {"whole": ["a", 1]}},
        {"layout": "three", "order": ["first", "second", "third"], "weights": {"whole": [1, 1e-9]}},
        {
            "layout": "three",
            "order": ["first", "second", "third"],
            "weights": {"whole": [float("nan"), 1]},
        },
    ],
)
def test_a_damaged_layout_is_none(damage):
    assert layouts.from_json(damage) is None


def test_only_a_code_string_names_a_setting():
    assert layouts.setting_of("CT") == "layout.CT"
    for text in ("", "ct", "Doe^John", "CT ", "C" * 17, "CT\n"):
        assert layouts.setting_of(text) is None


# --------------------------------------------------------------------------- keys


def test_keys_choose_the_layout(opened):
    assert shown(opened) == ["first", "second", "third"]
    for name, keys, layout, panes in (
        ("F6", Qt.KeyboardModifier.NoModifier, FOUR, ["first", "second", "third", "fourth"]),
        ("F4", Qt.KeyboardModifier.NoModifier, ONE, ["first"]),
        ("F5", Qt.KeyboardModifier.NoModifier, THREE, ["first", "second", "third"]),
        ("F4", Qt.KeyboardModifier.ShiftModifier, LIST, ["first"]),
        ("F5", Qt.KeyboardModifier.NoModifier, THREE, ["first", "second", "third"]),
    ):
        key(opened, name, keys)
        assert opened.views.layout_id == layout
        assert shown(opened) == panes
        checked = {
            n for n, a in opened.actions_by_id.items() if n.startswith("layout_") and a.isChecked()
        }
        assert checked == {f"layout_{layout}"}
        assert opened.actions_by_id[f"layout_{layout}"].text() in opened.bar.layout_button.toolTip()


def test_one_view_has_the_whole_width_and_f4_goes_through_the_planes(opened):
    panel = opened.panel
    key(opened, "F4")
    assert not panel.isVisible()
    planes = []
    for _ in range(4):
        (name,) = shown(opened)
        view = opened.views.panes[name]
        planes.append(view.plane.name)
        assert view.main
        assert opened.views.active is view
        assert view.width() == opened.views.width()
        key(opened, "F4")
    assert planes == ["axial", "coronal", "sagittal", "axial"]
    key(opened, "F4", Qt.KeyboardModifier.ShiftModifier)
    assert panel.isVisible()
    key(opened, "F9")
    assert not panel.isVisible()
    key(opened, "F5")
    assert not panel.isVisible()  # the reader had shut it
    key(opened, "F9")
    key(opened, "F4")
    key(opened, "F6")
    assert panel.isVisible()


def test_a_double_click_in_one_view_brings_the_others_back(opened):
    key(opened, "F6")
    key(opened, "F4")
    view = opened.views.views[0]
    QTest.mouseDClick(view.viewport(), LEFT, pos=view.rect().center())
    settle(opened)
    assert opened.views.layout_id == FOUR


def test_a_double_click_enlarges_in_every_layout(opened):
    for name in ("F5", "F6"):
        key(opened, name)
        before = shown(opened)
        view = opened.views.views[2]
        QTest.mouseDClick(view.viewport(), LEFT, pos=view.rect().center())
        settle(opened)
        assert shown(opened) == ["third"]
        assert opened.views.enlarged == view.plane.name
        QTest.mouseDClick(view.viewport(), LEFT, pos=view.rect().center())
        settle(opened)
        assert shown(opened) == before


def test_the_fourth_cell_says_what_the_pictures_do_not(reviewed):
    key(reviewed, "F6")
    said = reviewed.views.fourth.accessibleDescription()
    volume = reviewed.reading.case.volume
    assert f"{volume.shape_kji[0]} images" in said
    assert f"{reviewed.reading.lesion.diameter_mm:.1f}" in said
    assert "scripted 0" in said
    before = said
    key(reviewed, "Down")
    assert reviewed.views.fourth.accessibleDescription() != before


def test_held_back_results_are_not_in_the_fourth_cell(reviewed):
    key(reviewed, "F6")
    size = f"{reviewed.reading.lesion.diameter_mm:.1f}"
    assert size in reviewed.views.fourth.accessibleDescription()
    reviewed.reading.ai_locked = True
    reviewed.reading.shown_changed.emit()
    settle(reviewed)
    said = reviewed.views.fourth.accessibleDescription()
    assert "scripted" not in said
    assert size not in said


def test_the_menu_of_the_bar_offers_all_layouts(opened):
    button = opened.bar.layout_button
    menu = button.menu()
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions() if not action.isSeparator()] == [
        opened.actions_by_id[name].text()
        for name in (*(f"layout_{layout}" for layout in LAYOUTS), "link")
    ]
    opened.actions_by_id["layout_four"].trigger()
    settle(opened)
    assert opened.views.layout_id == FOUR


def test_side_by_side_says_why_it_cannot_be(opened):
    action = opened.actions_by_id["layout_beside"]
    assert not action.isEnabled()
    assert "no other series" in action.toolTip()
    assert not opened.actions_by_id["link"].isEnabled()


# ----------------------------------------------------------------------- dragging


def test_dragging_a_corner_onto_a_view_exchanges_the_two(opened):
    views = opened.views
    places = {name: pane.geometry() for name, pane in views.panes.items()}
    drag_grip(opened, "second", "first")
    assert shown(opened)[0] == "second"
    assert views.panes["second"].geometry() == places["first"]
    assert views.panes["first"].geometry() == places["second"]
    assert [view.main for view in views.views] == [False, True, False]
    assert views.views[0].plane.name == "axial"
    drag_grip(opened, "second", "first")
    assert shown(opened) == ["first", "second", "third"]


def test_the_mark_says_what_a_drop_would_do_and_escape_gives_up(opened):
    views = opened.views
    before = views.arranged
    grip, end = drag_grip(opened, "third", "first", let_go=False)
    mark = views.carry.mark
    assert mark.isVisible()
    assert mark.geometry() == views.panes["first"].geometry()
    assert mark.text == "Exchange with Axial"
    assert QApplication.overrideCursor() is not None
    key(opened, "Escape")
    assert not mark.isVisible()
    assert QApplication.overrideCursor() is None
    QTest.mouseMove(grip, end - QPoint(30, 0))
    assert not mark.isVisible()
    QTest.mouseRelease(grip, LEFT, pos=end)
    assert views.arranged == before
    # Over itself and outside there is nothing to exchange.
    grip = views.panes["first"].findChild(Grip)
    QTest.mousePress(grip, LEFT, pos=QPoint(5, 5))
    for there in (QPoint(20, 20), QPoint(-4000, -4000)):
        QTest.mouseMove(grip, there)
        assert not mark.isVisible()
    QTest.mouseRelease(grip, LEFT, pos=QPoint(-4000, -4000))
    assert views.arranged == before


def test_a_seam_is_dragged_and_a_double_click_resets_it(opened):
    views = opened.views
    width = views.views[0].width()
    handle = next(
        h for h in views._handles if h.isVisible() and h.seam is not None and h.seam.across
    )
    middle = handle.rect().center()
    QTest.mousePress(handle, LEFT, pos=middle)
    QTest.mouseMove(handle, middle - QPoint(150, 0))
    # The handle goes along: movements are counted from where the press was on the screen.
    QTest.mouseRelease(handle, LEFT)
    settle(opened)
    assert views.views[0].width() == width - 150
    QTest.mouseDClick(handle, LEFT, pos=handle.rect().center())
    settle(opened)
    assert views.views[0].width() == width


# --------------------------------------------------------------------- remembered


def reopen(window, qtbot, folder):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([folder])
    settle(window)


def test_the_layout_is_remembered_for_the_modality(opened, qtbot, phantom_folder):
    key(opened, "F6")
    drag_grip(opened, "first", "fourth")
    arranged = opened.views.arranged
    stored = json.loads(opened.settings.text("layout.CT"))
    assert stored["chosen"] == FOUR
    from viewer.ui.main_window import MainWindow

    # Another program start, on a case that was never open: the worklist knows no view of it.
    second = MainWindow()
    try:
        room = second.layouts
        assert room._recall("CT").order == arranged.order
        assert room._recall("MR") == Arranged.of(THREE)
    finally:
        second.close()


def test_a_case_comes_back_in_its_own_layout(opened, qtbot, phantom_folder):
    key(opened, "F6")
    drag_grip(opened, "first", "third")
    arranged = opened.views.arranged
    reopen(opened, qtbot, phantom_folder)
    assert opened.views.arranged == arranged
    assert shown(opened)[0] == "third"
    opened.settings.put("layout.CT", "{damaged")
    reopen(opened, qtbot, phantom_folder)
    assert shown(opened)[0] == "third"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"chosen": 4}', '{"layouts": [3, {}]}'])
def test_damaged_settings_give_three_views(opened, text):
    opened.settings.put("layout.CT", text)
    assert opened.layouts._recall("CT") == Arranged.of(THREE)


def test_side_by_side_is_left_when_there_is_nothing_to_stand_beside(opened, qtbot, phantom_folder):
    opened.views.choose(Arranged.of(BESIDE))
    settle(opened)
    qtbot.waitUntil(lambda: opened.views.layout_id == THREE, timeout=2000)
    assert json.loads(opened.settings.text("layout.CT"))["chosen"] == BESIDE


def test_a_small_window_leaves_the_third_cell_out_whatever_stands_there(opened):
    drag_grip(opened, "first", "third")
    opened.resize(1040, 800)
    settle(opened)
    assert shown(opened) == ["third", "second"]
    key(opened, "F6")
    assert len(shown(opened)) == 4
