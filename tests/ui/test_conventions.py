"""What any radiologist expects of a viewer: each line of the checklist a test of its name.

The checklist is section 3 of the survey of features (mouse, keys, orientation and safety, corner
text, units, window presets, colours, display). Rooms have closer tests of their own.
"""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QMenu

import resources
from viewer.display.grey import Window
from viewer.study.display_facts import DisplayFacts
from viewer.ui import crosshair
from viewer.ui.key_sheet import KeySheet
from viewer.ui.widgets import KeyCap

from ..dicom_files import write_stack
from .checklist import (
    CONTROL,
    LEFT,
    MIDDLE,
    NONE,
    RIGHT,
    SHIFT,
    main_view,
    modified_drag,
    open_radiograph,
    written,
)
from .conftest import settle
from .test_geometry import open_folder
from .test_review import control, key, stroke_at
from .test_views import drag, wheel

# ------------------------------------------------------------------------- mouse


def test_left_drag_windows_in_view_mode_and_is_the_active_tool_in_edit_mode(reviewed):
    before, undo = reviewed.reading.window, reviewed.reading.case.undo_name
    drag(main_view(reviewed), QPoint(200, 300), QPoint(60, 0))
    assert reviewed.reading.window.width > before.width
    assert reviewed.reading.case.undo_name == undo
    key(reviewed, "B")
    before = reviewed.reading.window
    stroke_at(reviewed, reviewed.reading.lesion.centre_lps_mm)
    assert reviewed.reading.window == before
    assert "Brush" in reviewed.reading.case.undo_name


def test_wheel_scrolls_always_also_while_drawing_control_zooms_shift_sizes_the_brush(reviewed):
    view = main_view(reviewed)
    key(reviewed, "B")
    reviewed.reading.move_cursor(reviewed.reading.lesion.centre_lps_mm)
    at = view.cursor_px().toPoint()
    QTest.mousePress(view, LEFT, pos=at)
    QTest.mouseMove(view, at + QPoint(8, 0))
    before = view.index
    wheel(view, -1)
    assert view.index != before
    QTest.mouseRelease(view, LEFT, pos=at + QPoint(8, 0))
    scale, size, index = view.mm_per_px, reviewed.reading.brush_mm, view.index
    wheel(view, 1, CONTROL)
    assert view.mm_per_px < scale
    wheel(view, 1, SHIFT)
    assert reviewed.reading.brush_mm == size + 1
    assert view.index == index
    for tool in ("window", "pan", "distance", "move"):
        reviewed.reading.set_tool(tool)
        before = view.index
        wheel(view, -1)
        assert view.index != before, tool


def test_middle_drag_pans_right_drag_zooms_right_click_opens_the_menu(opened, monkeypatch):
    view = main_view(opened)
    look = view.look
    drag(view, QPoint(200, 200), QPoint(40, 20), MIDDLE)
    assert view.look != look
    scale = view.mm_per_px
    asked = []
    monkeypatch.setattr(QMenu, "popup", lambda self, where: asked.append(self))
    drag(view, QPoint(200, 300), QPoint(0, -60), RIGHT)
    assert view.mm_per_px < scale
    assert not asked
    QTest.mouseClick(view, RIGHT, pos=view.rect().center())
    assert len(asked) == 1
    asked[0].aboutToHide.emit()


def test_double_click_enlarges_and_back_shift_move_leads_the_crosshair(opened):
    view = opened.views.views[1]
    QTest.mouseDClick(view, LEFT, pos=QPoint(60, 60))
    assert [v.isVisible() for v in opened.views.views] == [False, True, False]
    QTest.mouseDClick(view, LEFT, pos=QPoint(60, 60))
    assert all(v.isVisible() for v in opened.views.views)
    before = np.array(opened.reading.cursor_lps_mm)
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    at = QPointF(view.width() * 0.4, view.height() * 0.6)
    no_button = Qt.MouseButton.NoButton
    where = QPointF(view.mapToGlobal(at.toPoint()))
    event = QMouseEvent(QEvent.Type.MouseMove, at, where, no_button, no_button, SHIFT)
    QApplication.sendEvent(view, event)
    assert not np.allclose(opened.reading.cursor_lps_mm, before)
    cursor = view.cursor_px()
    assert (cursor - at).manhattanLength() < 3


def test_window_direction_right_widens_up_is_brighter_can_be_inverted_control_accelerates(opened):
    view, reading = main_view(opened), opened.reading
    first = Window(-600, 1500)

    def after(by, keys=NONE):
        reading.set_window(first)
        modified_drag(view, QPoint(200, 300), by, keys)
        return reading.window

    assert after(QPoint(40, 0)).width > first.width
    up = after(QPoint(0, -40))
    assert up.centre < first.centre
    plain, fast, faster = (
        first.centre - after(QPoint(0, -40), keys).centre
        for keys in (NONE, CONTROL, CONTROL | SHIFT)
    )
    assert plain * 2 < fast < faster / 2
    reading.preferences.put("invert_window_drag", True)
    assert after(QPoint(0, -40)).centre == pytest.approx(2 * first.centre - up.centre)
    assert after(QPoint(40, 0)).width > first.width


# -------------------------------------------------------------------------- keys


def test_arrows_home_end_page_and_shift_arrows_move_through_the_images(opened):
    view = main_view(opened)

    def number():
        return view.plane.number(view.index)

    key(opened, "Home")
    assert number() == 1
    key(opened, "Down")
    assert number() == 2
    key(opened, "Down", SHIFT)
    assert number() == 12
    key(opened, "Up", SHIFT)
    key(opened, "Up")
    assert number() == 1
    key(opened, "End")
    assert number() == view.plane.count
    keys = opened.reading.keys
    assert (keys.keys_of("series_before"), keys.keys_of("series_after")) == (("PgUp",), ("PgDown",))


def test_digits_are_window_presets_and_never_paint(reviewed):
    key(reviewed, "B")
    reviewed.reading.move_cursor(reviewed.reading.lesion.centre_lps_mm)
    undo, seen = reviewed.reading.case.undo_name, []
    for digit in "1234567890":
        key(reviewed, digit)
        seen.append((reviewed.reading.window.centre, reviewed.reading.window.width))
    assert len({*seen[:6]}) == 6
    assert reviewed.reading.case.undo_name == undo
    assert reviewed.reading.tool == "brush"


def test_one_map_holds_invert_overlay_text_key_image_cine_reset_distance_and_angle(opened):
    keys = opened.reading.keys
    assert {name: keys.keys_of(name)[0] for name in (
        "invert", "text", "key_image", "cine", "fit", "abort", "distance", "angle",
    )} == {
        "invert": "I", "text": "Space", "key_image": ".", "cine": "C", "fit": "R",
        "abort": "Esc", "distance": "D", "angle": "Shift+A",
    }  # fmt: skip
    key(opened, "I")
    assert opened.reading.shown.invert
    key(opened, "D")
    assert opened.reading.tool == "distance"
    key(opened, "Escape")
    assert opened.reading.tool == "window"


def test_edit_keys_brush_eraser_size_undo_redo_hide(reviewed):
    for name, tool in (("B", "brush"), ("E", "erase")):
        key(reviewed, name)
        assert reviewed.reading.tool == tool
    size = reviewed.reading.brush_mm
    key(reviewed, "BracketRight")
    assert reviewed.reading.brush_mm == size + 1
    key(reviewed, "BracketLeft")
    assert reviewed.reading.brush_mm == size
    key(reviewed, "A")
    control(reviewed, "Z")
    assert reviewed.reading.lesion.decision.verdict is None
    control(reviewed, "Y")
    assert reviewed.reading.lesion.decision.verdict == "accepted"
    key(reviewed, "S")
    assert not reviewed.reading.shown.masks
    key(reviewed, "S")
    QTest.keyPress(reviewed, Qt.Key.Key_Q)
    assert reviewed.reading.ai_hidden
    QTest.keyRelease(reviewed, Qt.Key.Key_Q)
    assert not reviewed.reading.ai_hidden


def test_review_is_on_single_keys_and_a_sheet_shows_them_all(reviewed, monkeypatch):
    first = reviewed.reading.selected
    key(reviewed, "J")
    assert reviewed.reading.selected != first
    key(reviewed, "K")
    assert reviewed.reading.selected == first
    for name, verdict in (("A", "accepted"), ("X", "rejected"), ("U", "unsure")):
        key(reviewed, name)
        assert reviewed.reading.lesion.decision.verdict == verdict
    key(reviewed, "Escape")
    caps = set()

    def look(sheet):
        assert isinstance(sheet, KeySheet)
        caps.update(cap._key for cap in sheet.findChildren(KeyCap))
        return 0

    monkeypatch.setattr(QDialog, "exec", look)
    key(reviewed, "Question")
    assert {"A", "X", "U", "M", "J", "K", "?"} <= caps


# ------------------------------------------------------- orientation and safety


def test_radiological_convention_is_the_default_and_stated_letters_stand_on_the_edges(
    opened, monkeypatch
):
    letters = {view.plane.name: view.plane.letters() for view in opened.views.views}
    assert letters["axial"] == type(letters["axial"])("R", "L", "A", "P")
    assert letters["coronal"] == type(letters["axial"])("R", "L", "H", "F")
    assert letters["sagittal"] == type(letters["axial"])("A", "P", "H", "F")
    assert "Axial · radiological" in written(opened, main_view(opened), monkeypatch)


def test_oblique_views_have_secondary_letters(qtbot, window, tmp_path):
    turn = np.deg2rad(30)
    affine = np.eye(4)
    affine[:3, 2] = (np.cos(turn), np.sin(turn), 0)
    affine[:3, 1] = (-np.sin(turn), np.cos(turn), 0)
    affine[:3, 0] = (0, 0, 3)
    voxels = np.random.default_rng(0).integers(0, 2000, (6, 40, 40)).astype(np.int16)
    write_stack(tmp_path, voxels, affine=affine)
    open_folder(window, tmp_path)
    letters = main_view(window).plane.letters()
    assert (letters.left, letters.top) == ("RA", "AL")


def test_letters_of_a_radiograph_are_its_patient_orientation_and_it_cannot_be_turned(
    window, qtbot, tmp_path, monkeypatch
):
    from viewer.ui import orientation

    open_radiograph(window, qtbot, tmp_path, PatientOrientation=["L", "FP"])
    edges = orientation.edges(main_view(window))
    assert edges == (("R",), ("L",), ("H", "A"), ("F", "P"))
    assert not window.actions_by_id["rotate"].isEnabled()
    assert "As stored · radiological" in written(window, main_view(window), monkeypatch)


def test_a_mirrored_radiograph_is_not_called_radiological(window, qtbot, tmp_path, monkeypatch):
    open_radiograph(window, qtbot, tmp_path, PatientOrientation=["R", "F"])
    said = written(window, main_view(window), monkeypatch)
    assert "As stored · the patient's left is on the left" in said


def test_plane_colours_are_red_green_and_blue_and_none_of_them_is_a_colour_of_the_ai():
    colours = {name: QColor(text) for name, text in crosshair.PLANE_COLOURS.items()}
    strongest = {
        name: "rgb"[int(np.argmax([c.red(), c.green(), c.blue()]))] for name, c in colours.items()
    }
    assert strongest == {"coronal": "r", "axial": "g", "sagittal": "b"}
    labels = {row["colour"].upper() for row in resources.table("labels").values()
              if isinstance(row, dict) and "colour" in row}  # fmt: skip
    assert not labels & {colour.name().upper() for colour in colours.values()}


def test_basic_image_review_any_modality_thumbnails_side_by_side_demographics_technique(
    window, qtbot, tmp_path, monkeypatch
):
    """IHE Basic Image Review: what is not tested by other lines here."""
    voxels = np.random.default_rng(0).integers(0, 900, (5, 48, 40)).astype(np.int16)
    for number, name in enumerate(("first", "second")):
        write_stack(
            tmp_path / name,
            voxels,
            series_uid=f"1.2.3.{number}",
            modality="MR",
            SeriesDescription=name,
            RepetitionTime="500",
            EchoTime="12",
            PatientSex="F",
        )
    open_folder(window, tmp_path)
    qtbot.waitUntil(lambda: window.reading.facts != DisplayFacts(), timeout=10_000)
    assert len(window.opener.study.plans) == 2
    qtbot.waitUntil(
        lambda: all(window.rail.card(n).thumbnail is not None for n in range(2)), timeout=10_000
    )
    said = written(window, main_view(window), monkeypatch)
    assert any("Canary" in text for text in said)
    assert "TR 500 ms · TE 12 ms" in said
    key(window, "F7")
    beside = window.layouts.beside
    qtbot.waitUntil(lambda: beside.state in ("shown", "empty"), timeout=10_000)
    if beside.state == "empty":
        other = 1 - window.study.current
        window.layouts.show_beside(other)
        qtbot.waitUntil(lambda: beside.state == "shown", timeout=10_000)
    settle(window)
    wheel(main_view(window), -1)
    settle(window)
    assert np.allclose(beside.reading.cursor_lps_mm[2], window.reading.cursor_lps_mm[2])
