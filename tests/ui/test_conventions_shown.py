"""The checklist of conventions, second half: text, units, presets, colours, display, scales."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

import resources
from viewer.display import palettes
from viewer.display.grey import Window
from viewer.ui import theme
from viewer.ui.reading import FILL_MOST, TEXT_FULL, TEXT_NONE, TEXT_SHORT

from ..dicom_files import write_slice, write_stack
from .checklist import main_view, open_radiograph, radiograph, written
from .conftest import settle
from .test_geometry import open_folder
from .test_review import control, key
from .test_views import drag, wheel

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
    # Twice: to where the pointer is already it does not move.
    for at in (QPoint(5, 5), view.rect().center()):
        QTest.mouseMove(view, at)
        settle(window)
    assert view.value_text().endswith(" HU") == (unit == "HU")
    assert "Value " in view.value_text()


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
        opened.export_to(tmp_path, None)
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
