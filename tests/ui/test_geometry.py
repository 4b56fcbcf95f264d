"""What the window shows of slices that make no regular volume, and of several volumes."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import SecondaryCaptureImageStorage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from inference.volume import Volume
from viewer.display.grey import Window
from viewer.display.layers import compose
from viewer.display.planes import make_planes
from viewer.ui import theme
from viewer.ui.trust import TrustDialog, rows_of

from ..dicom_files import write_slice
from .conftest import settle
from .test_states import written


def wait(window, until):
    """Let the window work until something holds."""
    for _ in range(2000):
        if until():
            settle(window)
            return
        QTest.qWait(10)
    raise AssertionError("it never came")


def open_folder(window, folder: Path) -> None:
    window.open_paths([folder])
    wait(window, lambda: window.reading.case is not None and not window.opener.busy)
    settle(window)


@pytest.fixture
def tilted(tmp_path: Path) -> Path:
    """Eight slices tilted by 14 degrees, a bright block in the same place of the patient."""
    for k in range(8):
        pixels = np.full((40, 48), 1024, dtype=np.int16)
        pixels[10:20, 12:24] += 500
        y = k * 4 * np.tan(np.radians(14))
        write_slice(tmp_path / f"{k}", pixels, position=(0, y, 4 * k), number=k + 1)
    return tmp_path


def test_a_tilted_stack_is_shown_slice_by_slice_in_its_true_places(window, tilted, monkeypatch):
    open_folder(window, tilted)
    case = window.reading.case
    assert [view.isVisible() for view in window.views.views] == [True, False, False]
    assert written(window.views.views[0], monkeypatch) == [
        "irregular slices · no measuring across slices, no AI"
    ]
    for k in (0, 5):
        plane = window.views.views[0].plane
        window.reading.show_slice(plane, k)
        place_lps_mm = window.reading.place_lps_mm
        truly = case.plan.places[k] @ (0, *window.reading.cursor_kji()[1:], 1)
        assert place_lps_mm == pytest.approx(truly[:3])
        assert place_lps_mm[2] == pytest.approx(4 * k)
    for name in ("run", "export", "brush", "missed"):
        assert not window.actions_by_id[name].isEnabled()
        assert "tilted by 14.0 degrees" in window.actions_by_id[name].toolTip()


def test_a_regular_copy_is_one_click_away_and_says_what_it_is(window, tilted, monkeypatch):
    open_folder(window, tilted)
    rows = rows_of(window.reading.case, (), window.ai.reasons)
    dialog = TrustDialog(rows, "x", window, resample=True)
    dialog.resample_asked.connect(window.study.open_copy)
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "14.0 degrees" in said and "May the AI run?" in said
    next(b for b in dialog.findChildren(QPushButton) if "copy" in b.text()).click()
    dialog.deleteLater()
    wait(window, lambda: window.reading.case is not None and window.reading.case.plan.resampled)
    settle(window)
    case = window.reading.case
    assert case.volume.regular and case.viewing_only is None
    assert written(window.views.views[0], monkeypatch)[0] == "resampled copy · interpolated"
    assert "resampled copy" in window.message.text
    assert window.actions_by_id["brush"].isEnabled()
    assert not window.actions_by_id["export"].isEnabled()
    # The slices as they are come back by their card.
    window.rail.chosen.emit(0)
    wait(window, lambda: not window.opener.busy and not window.reading.case.plan.resampled)
    assert window.reading.case.plan.irregularity is not None


def test_a_series_of_two_echoes_has_two_cards_and_can_be_shown_in_one(window, tmp_path):
    for n, echo in enumerate((4.9, 9.8)):
        for k in range(3):
            pixels = np.full((20, 20), 100 * (n + 1) + k, dtype=np.int16)
            write_slice(
                tmp_path / f"{n}{k}", pixels, position=(0, 0, 5 * k), modality="MR",
                number=3 * n + k + 1, EchoTime=str(echo), EchoNumbers=str(n + 1),
            )  # fmt: skip
    open_folder(window, tmp_path)
    details = [window.rail.card(n).detail for n in range(2)]
    assert len(window.opener.study.plans) == 2 and details[0] != details[1]

    def choose(text: str) -> None:
        menu = window.study.menu_of(0)
        next(action for action in menu.actions() if text in action.text()).trigger()
        menu.deleteLater()
        wait(window, lambda: window.reading.case is not None and not window.opener.busy)

    choose("in one")
    assert len(window.opener.study.plans) == 1
    assert window.reading.case.volume.shape_kji == (6, 20, 20)
    choose("Split")
    assert len(window.opener.study.plans) == 2
    assert window.reading.case.volume.shape_kji == (3, 20, 20)


def test_a_colour_picture_has_its_colours_and_no_letters(window, tmp_path, monkeypatch):
    pixels = np.zeros((30, 40, 3), dtype=np.uint8)
    pixels[:, :20] = (200, 30, 10)
    write_slice(
        tmp_path / "a", np.zeros((30, 40), dtype=np.uint8), position=None, orientation=None,
        spacing=None, modality="OT", SOPClassUID=SecondaryCaptureImageStorage, SamplesPerPixel=3,
        PhotometricInterpretation="RGB", PlanarConfiguration=0,
        PixelData=pixels.tobytes(),
    )  # fmt: skip
    open_folder(window, tmp_path)
    case, view = window.reading.case, window.views.views[0]
    assert not case.volume.placed and not case.volume.in_mm
    assert written(view, monkeypatch) == ["no place in the patient · no AI"]
    buffer = compose(case.volume, view.plane, 0, window.reading.window)
    assert hex(buffer[5, 5]) == "0xffc81e0a" and hex(buffer[5, 30]) == "0xff000000"
    view.pointer_px = view.px_of_mm(5.5, 5.5)
    assert view.value_text() == "R 200  G 30  B 10"


def test_colours_follow_the_plane_that_they_are_seen_in():
    colours = np.zeros((2, 3, 4, 3), dtype=np.uint8)
    colours[1, 2, 3] = (1, 2, 3)
    volume = Volume(
        np.zeros((2, 3, 4), dtype=np.uint8), np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]], "OT",
        colours=colours,
    )  # fmt: skip
    for plane in make_planes(volume.shape_kji, volume.affine).values():
        index = (1, 2, 3)[plane.axis]
        marked = np.zeros((2, 3, 4), dtype=np.int16)
        marked[1, 2, 3] = 1
        found = compose(volume, plane, index, Window(128, 256)) == 0xFF010203
        assert np.array_equal(found, plane.slice_of(marked, index) == 1)


def test_what_is_drawn_on_an_image_is_seen_and_can_be_hidden(window, tmp_path):
    drawn = np.zeros((20, 24), dtype=np.uint8)
    drawn[3:6, 4:9] = 1
    packed = np.packbits(drawn.ravel(), bitorder="little").tobytes()
    for k in range(3):
        path = write_slice(
            tmp_path / f"{k}", np.full((20, 24), 500, dtype=np.int16), position=(0, 0, 2 * k)
        )
        if k == 1:
            data = pydicom.dcmread(path)
            data.add_new(0x60000010, "US", 20)
            data.add_new(0x60000011, "US", 24)
            data.add_new(0x60000040, "CS", "G")
            data.add_new(0x60000050, "SS", [1, 1])
            data.add_new(0x60000100, "US", 1)
            data.add_new(0x60000102, "US", 0)
            data.add_new(0x60003000, "OW", packed)
            data.save_as(path)
    open_folder(window, tmp_path)
    view = window.views.views[0]
    assert view.index == 1
    yellow = 0xFF000000 | int(theme.LETTER[1:], 16)
    wait(window, lambda: window.views.drawn.mask(1) is not None)
    assert np.array_equal(view._slice._buffer == yellow, drawn == 1)
    window.actions_by_id["graphics"].trigger()
    settle(window)
    assert not (view._slice._buffer == yellow).any()
    view.scroll_slices(1)
    window.actions_by_id["graphics"].trigger()
    settle(window)
    assert not (view._slice._buffer == yellow).any()


def test_the_windows_of_the_file_follow_each_other_by_one_key(window, tmp_path):
    for k in range(3):
        write_slice(
            tmp_path / f"{k}", np.arange(480, dtype=np.int16).reshape(20, 24),
            position=(0, 0, 2 * k), WindowCenter=[-800, -600], WindowWidth=[100, 300],
            WindowCenterWidthExplanation=["NARROW", "WIDE"],
        )  # fmt: skip
    open_folder(window, tmp_path)
    seen = []
    for _ in range(3):
        seen.append((window.reading.window.centre, window.reading.window.width))
        window.actions_by_id["preset_0"].trigger()
    assert seen == [(-800, 100), (-600, 300), (-800, 100)]
