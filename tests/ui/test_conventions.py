"""What any radiologist expects of a viewer: each line of the checklist a test of its name.

The checklist is section 3 of the survey of features (mouse, keys, orientation and safety, corner
text, units, window presets, colours, display). Rooms have closer tests of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QMenu

import resources
from viewer.display import palettes
from viewer.display.grey import Window
from viewer.study.display_facts import DisplayFacts
from viewer.ui import crosshair, ink, theme, view_corners, view_text
from viewer.ui.key_sheet import KeySheet
from viewer.ui.reading import FILL_MOST, TEXT_FULL, TEXT_NONE, TEXT_SHORT
from viewer.ui.widgets import KeyCap

from ..dicom_files import write_slice, write_stack
from .conftest import settle
from .test_geometry import open_folder
from .test_review import control, key, stroke_at
from .test_views import drag, wheel

LEFT, MIDDLE, RIGHT = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.MiddleButton,
    Qt.MouseButton.RightButton,
)
NONE, SHIFT, CONTROL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


def main_view(window):
    return window.views.views[0]


def written(window, view, monkeypatch):
    """Return the words that stand in the corners of a view now."""
    said = []
    haloed, block = view_corners.haloed, ink.block

    def listen(painter, at, text, *rest, **named):
        said.append(text)
        return haloed(painter, at, text, *rest, **named)

    def listen_to_block(lines, *rest, **named):
        said.extend(lines)
        return block(lines, *rest, **named)

    picture = QImage(view.size(), QImage.Format.Format_RGB32)
    with monkeypatch.context() as patch, QPainter(picture) as painter:
        patch.setattr(view_corners, "haloed", listen)
        patch.setattr(ink, "block", listen_to_block)
        view_text.paint(painter, view)
    return [text for text in said if text.strip()]


def modified_drag(view, start, by, keys):
    """Drag with keys held, as QTest's moves hold none."""
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    def send(kind, at, button, buttons):
        where = QPointF(view.mapToGlobal(at))
        event = QMouseEvent(kind, QPointF(at), where, button, buttons, keys)
        QApplication.sendEvent(view, event)

    send(QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for share in (0.25, 0.5, 0.75, 1.0):
        at = start + QPoint(round(by.x() * share), round(by.y() * share))
        send(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, LEFT)
    send(QEvent.Type.MouseButtonRelease, start + by, LEFT, Qt.MouseButton.NoButton)


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


def radiograph(folder, **tags):
    values = np.linspace(0, 3000, 120 * 100).reshape(120, 100).astype(np.uint16)
    tags = {"modality": "DX", "position": None, "orientation": None, "spacing": None, **tags}
    return write_slice(folder / "dx.dcm", values, **tags)


def open_radiograph(window, qtbot, folder, **tags):
    radiograph(folder, **tags)
    open_folder(window, folder)
    qtbot.waitUntil(lambda: window.reading.facts != DisplayFacts(), timeout=10_000)
    settle(window)


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


# ------------------------------------------------------------------- corner text


def test_corner_text_has_three_states_and_the_patient_can_be_hidden(opened, monkeypatch):
    view = main_view(opened)
    full = written(opened, view, monkeypatch)
    assert any("phantom" in text.casefold() for text in full)
    numbers = f"{view.plane.number(view.index)} / {view.plane.count}"
    short_words = ("W 1500", "Zoom", numbers)
    assert all(any(word in text for text in full) for word in short_words)
    key(opened, "Space")
    assert opened.reading.shown.text == TEXT_SHORT
    short = written(opened, view, monkeypatch)
    assert all(any(word in text for text in short) for word in short_words)
    assert len(short) < len(full)
    assert not any("phantom" in text.casefold() for text in short)
    key(opened, "Space")
    assert opened.reading.shown.text == TEXT_NONE
    assert written(opened, view, monkeypatch) == []
    key(opened, "Space")
    assert opened.reading.shown.text == TEXT_FULL
    control(opened, "H")
    hidden = written(opened, view, monkeypatch)
    assert not any("phantom" in text.casefold() for text in hidden)
    assert all(any(word in text for text in hidden) for word in short_words)


def test_the_value_under_the_cursor_has_its_unit(opened, monkeypatch):
    view = main_view(opened)
    QTest.mouseMove(view, view.rect().center())
    said = written(opened, view, monkeypatch)
    value = next(text for text in said if text.startswith("Value"))
    assert "HU" in value


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"spacing": None, "ImagerPixelSpacing": ["0.2", "0.2"]}, "mm at the detector"),
        (
            {"spacing": (0.2, 0.2), "PixelSpacingCalibrationType": "FIDUCIAL"},
            "mm calibrated by an object",
        ),
        ({"spacing": None}, "no spacing"),
    ],
)
def test_a_projection_says_what_its_scale_is_calibrated_to(
    window, qtbot, tmp_path, monkeypatch, tags, words
):
    open_radiograph(window, qtbot, tmp_path, KVP="60", **tags)
    said = written(window, main_view(window), monkeypatch)
    assert any(text.startswith(words) for text in said)
    bar = any(text in ("5 mm", "1 cm", "2 cm") for text in said)
    assert bar == (words != "no spacing")


# ------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("tags", "unit"),
    [
        ({}, "HU"),
        ({"RescaleIntercept": None, "RescaleSlope": None}, ""),
        ({"RescaleType": "US"}, ""),
        ({"modality": "MR"}, ""),
    ],
)
def test_hounsfield_units_are_only_named_for_ct_after_rescale(window, qtbot, tmp_path, tags, unit):
    voxels = np.random.default_rng(0).integers(0, 2000, (4, 40, 40)).astype(np.int16)
    write_stack(tmp_path, voxels, **tags)
    open_folder(window, tmp_path)
    assert window.reading.case.volume.unit == unit
    view = main_view(window)
    QTest.mouseMove(view, view.rect().center())
    assert view.value_text().endswith(" HU") == (unit == "HU")


def test_lengths_are_in_mm_where_the_spacing_is_known_and_in_pixels_otherwise(
    window, qtbot, tmp_path
):
    units = []
    for number, spacing in enumerate([(0.5, 0.5), None]):
        folder = tmp_path / str(number)
        radiograph(folder, spacing=spacing, series_uid=f"1.2.{number}")
        open_folder(window, folder)
        key(window, "D")
        drag(main_view(window), QPoint(200, 200), QPoint(60, 40))
        settle(window)
        (one,) = window.measuring.listed.values()
        units.append({value.unit for value in one.values})
    assert units == [{"mm"}, {"px"}]


# -------------------------------------------------------------- window presets


@pytest.mark.parametrize(
    ("digit", "width", "level"),
    [
        ("1", (350, 400), (40, 50)),
        ("2", (1500, 1600), (-600, -400)),
        ("3", (1500, 2000), (300, 500)),
        ("4", (80, 80), (40, 40)),
        ("5", (600, 600), (300, 300)),
        ("6", (150, 150), (60, 70)),
    ],
)
def test_presets_are_in_the_usual_ranges(opened, digit, width, level):
    key(opened, digit)
    window = opened.reading.window
    assert width[0] <= window.width <= width[1]
    assert level[0] <= window.centre <= level[1]


# ----------------------------------------------------------------------- colours


def test_dicom_palettes_are_offered_and_a_perceptual_one_is_the_default(opened):
    assert {"hot_iron", "pet", "hot_metal_blue", "pet_20_step"} <= set(palettes.NAMES)
    assert opened.reading.preferences.choice("heat_palette") == "cividis"
    steps = palettes.colours("cividis").astype(float) @ (0.2126, 0.7152, 0.0722)
    assert np.all(np.diff(steps) > -0.6), "a probability that rises never looks darker"


def test_recommended_colours_of_a_segmentation_are_read_as_they_are_written():
    from highdicom.color import CIELabColor
    from pydicom.dataset import Dataset

    from viewer.display.cielab import recommended_colour

    item = Dataset()
    item.RecommendedDisplayCIELabValue = list(CIELabColor.from_rgb(0xE6, 0x9F, 0).value)
    found = QColor(recommended_colour(item))
    assert abs(found.red() - 0xE6) <= 2
    assert abs(found.green() - 0x9F) <= 2
    assert found.blue() <= 6


def test_labels_are_okabe_ito_and_ai_is_dashed_human_solid(reviewed):
    okabe_ito = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
    colours = {row["colour"].upper() for row in resources.table("labels").values()
               if isinstance(row, dict) and "colour" in row}  # fmt: skip
    assert colours
    assert colours <= okabe_ito
    from viewer.annotate.lesion import AI_DRAWN

    assert reviewed.reading.lesion.origin in AI_DRAWN
    assert "human" not in AI_DRAWN


def test_outline_is_the_default_fill_is_at_most_30_percent_and_one_key_hides_all(reviewed):
    assert not reviewed.reading.shown.fill
    assert FILL_MOST <= 0.30
    view = main_view(reviewed)
    reviewed.reading.show(text=TEXT_NONE, crosshair=False)
    settle(reviewed)
    lesions = view.grab().toImage()
    key(reviewed, "S")
    bare = view.grab().toImage()
    assert lesions != bare
    assert not view.overlay.marks


# ----------------------------------------------------------------------- display


@pytest.mark.parametrize("look", ["dark", "light"])
def test_the_canvas_is_true_black_and_nothing_near_it_moves(opened, look):
    if look == "light":
        opened.actions_by_id["light"].trigger()
    try:
        view = main_view(opened)
        opened.reading.show(text=TEXT_NONE, crosshair=False)
        opened.reading.set_window(Window(-600, 1500))
        view.look_at((-500.0, -500.0), view.mm_per_px)
        settle(opened)
        first = view.grab().toImage()
        middle = first.pixelColor(first.width() // 2, first.height() // 2)
        assert middle.name() == "#000000"
        QTest.qWait(300)
        assert view.grab().toImage() == first
    finally:
        if look == "light":
            opened.actions_by_id["light"].trigger()
        settle(opened)


def test_no_popup_stands_over_the_image_and_text_is_legible(opened):
    assert min(theme.BODY_PX, theme.CORNER_PX) >= 12
    opened.message.show_note("Something happened.")
    settle(opened)
    bar = opened.message
    assert bar.isVisible()
    below = bar.mapTo(opened, QPoint(0, bar.height())).y()
    for view in opened.views.views:
        assert view.mapTo(opened, QPoint(0, 0)).y() >= below
    assert not [dialog for dialog in opened.findChildren(QDialog) if dialog.isVisible()]


def test_modality_then_voi_then_presentation_padding_and_shutter_are_black(window, qtbot, tmp_path):
    """Rescale, window and MONOCHROME1 in that order; padding and shutter stay black."""
    values = np.full((60, 60), 100, np.uint16)
    values[:, 30:] = 200
    values[40:] = 4000
    write_slice(
        tmp_path / "a.dcm",
        values,
        modality="DX",
        position=None,
        orientation=None,
        RescaleSlope="2",
        RescaleIntercept="-100",
        WindowCenter="200",
        WindowWidth="401",
        PhotometricInterpretation="MONOCHROME1",
        PixelPaddingValue=4000,
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge="11",
        ShutterRightVerticalEdge="60",
        ShutterUpperHorizontalEdge="1",
        ShutterLowerHorizontalEdge="60",
    )
    open_folder(window, tmp_path)
    qtbot.waitUntil(lambda: window.reading.facts.shutter is not None, timeout=10_000)
    window.reading.show(text=TEXT_NONE, crosshair=False)
    settle(window)
    view = main_view(window)
    picture = view.grab().toImage()
    ratio = picture.devicePixelRatio()

    def grey(row, column):
        at = view.px_of_mm(*view.plane.view_mm((0, row, column))) * ratio
        return picture.pixelColor(at.toPoint()).red()

    # 100 -> 100 of -0.5..399.5 -> a quarter, inverted; 200 -> 300 -> three quarters, inverted.
    assert grey(10, 20) == pytest.approx(255 * 0.75, abs=2)
    assert grey(10, 45) == pytest.approx(255 * 0.25, abs=2)
    assert grey(50, 45) == 0, "padding"
    assert grey(10, 4) == 0, "shutter"
    key(window, "G")
    picture = view.grab().toImage()
    assert grey(10, 4) == pytest.approx(255 * 0.75, abs=2), "the reader may lift it"


def test_key_images_are_on_one_key_listed_and_exported(opened, qtbot, tmp_path, monkeypatch):
    key(opened, "Period")
    assert len(opened.conventions.key_images.listed) == 1
    said = written(opened, main_view(opened), monkeypatch)
    assert any(text.startswith("key image · ") for text in said)
    with qtbot.waitSignal(opened.exporter.ended, timeout=60_000) as ended:
        opened.export_to(tmp_path)
    folder, problem = ended.args
    assert problem is None
    findings = json.loads((Path(folder) / "findings.json").read_text(encoding="utf-8"))
    (one,) = findings["key_images"]
    assert one["plane"] == "axial"


def test_every_command_that_is_off_says_why(window, qtbot, tmp_path):
    def silent():
        return [
            name
            for name, action in window.actions_by_id.items()
            if not action.isEnabled() and "\n" not in action.toolTip()
        ]

    assert silent() == []
    radiograph(tmp_path)
    open_folder(window, tmp_path)
    assert silent() == []


def test_the_share_of_slices_seen_is_told_and_drawn(opened):
    view = main_view(opened)
    before = int(opened.reading.seen.sum())
    for _ in range(5):
        wheel(view, -1)
        settle(opened)
    assert int(opened.reading.seen.sum()) >= before + 5
    assert "Slices seen" in opened.status._seen.text()
    picture = view.grab().toImage()
    ratio = picture.devicePixelRatio()
    x = round((view.width() - 4) * ratio)
    greys = {picture.pixelColor(x, y).name() for y in range(0, picture.height(), 3)}
    assert len(greys) >= 3, "not seen, seen, and where the slice lies"


# ------------------------------------------------------------------------- scales


@pytest.mark.parametrize(
    ("factor", "size"),
    [("1", (1280, 800)), ("1.5", (1280, 720)), ("2", (1280, 720)), ("2.5", (1536, 864))],
)
def test_no_text_is_cut_at_any_scale(factor, size, phantom_folder, tmp_path):
    """Bar, panel, status, sheet and dialogs, in a process of its own for each factor."""
    root = Path(__file__).parents[2]
    environment = os.environ | {
        "QT_SCALE_FACTOR": factor,
        "QT_QPA_PLATFORM": "offscreen",
        "OVERREAD_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(root),
    }
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.ui.scaled_window",
            str(phantom_folder),
            *(str(side) for side in size),
            str(tmp_path),
        ],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    told = json.loads(ended.stdout)
    assert told["ratio"] == float(factor)
    assert len(told["cut"]) >= 10
    assert {name: cut for name, cut in told["cut"].items() if cut} == {}
