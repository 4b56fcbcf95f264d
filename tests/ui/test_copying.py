"""Findings of the series beside, copied through the frame of reference, or why they are not."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from inference import geometry
from inference.findings import Mask
from viewer.annotate.edits import Reshape, Together
from viewer.tools.carry_over import carried_over

from .beside_cases import AXIAL, OTHER_FRAME, THIN, beside, number_of, open_in, write
from .conftest import settle
from .test_outlining import hint
from .test_review import control, key

MIDDLE = (-5.0, 2.0, -3.0)  # LPS mm, in both grids


def body(volume, radius_mm=6.0):
    grid = np.moveaxis(np.indices(volume.shape_kji), 0, -1)
    away = geometry.kji_to_lps_mm(volume.affine, grid) - np.array(MIDDLE)
    return np.linalg.norm(away, axis=-1) <= radius_mm


def drawn(window, radius_mm=6.0):
    """Put a finding with a body into the open case."""
    case = window.reading.case
    window.corrections.add_missed(MIDDLE)
    lesion = window.reading.lesion
    mask = Mask.from_array(body(case.volume, radius_mm))
    window.corrections.change(
        lambda case: case.reshape(lesion.id, lesion.mask, mask, "lasso-add", {})
    )
    settle(window)
    return window.reading.lesion


@pytest.fixture
def two(window, qtbot, tmp_path):
    """A thin series with a finding beside an open thick one without any."""
    window.set_reader("Dr. A. Test")

    def make(**tags):
        write(tmp_path, "thick", AXIAL, 34)
        write(tmp_path, "thin", THIN, 30, **tags)
        open_in(window, qtbot, tmp_path)
        for name in ("thin", "thick"):
            if window.reading.case.series.description != name:
                with qtbot.waitSignal(window.opener.opened):
                    window.study.open_series(number_of(window, name))
                settle(window)
            if name == "thin":
                drawn(window)
        assert window.reading.case.series.description == "thick"
        assert not window.reading.lesions
        return window

    return make


def offered(window, qtbot, monkeypatch):
    """Press the key and return what is offered, with no menu standing open."""
    room, found = window.tools.copying, []
    monkeypatch.setattr(type(room), "menu", lambda _self, *given: found.append(given) or _NoMenu())
    window.actions_by_id["copy_beside"].trigger()
    qtbot.waitUntil(lambda: room._job is None and bool(found))
    return found[0]


class _NoMenu:
    def popup(self, _where):
        pass


def copied(window, qtbot, monkeypatch):
    given = offered(window, qtbot, monkeypatch)
    window.tools.copying.take(*given)
    qtbot.waitUntil(lambda: window.tools.copying._job is None)
    settle(window)
    return given


def test_a_finding_is_copied_to_its_place_in_one_step_with_its_origin(two, qtbot, monkeypatch):
    window = two()
    other = beside(window, qtbot, "thin")
    case = window.reading.case
    copied(window, qtbot, monkeypatch)
    lesion = window.reading.lesion
    there = Mask.from_array(body(other.case.volume))
    wanted, _ = carried_over(
        there, other.case.volume.affine, case.volume.affine, case.volume.shape_kji
    )
    shape = case.volume.shape_kji
    np.testing.assert_array_equal(lesion.mask.to_array(shape), wanted.to_array(shape))
    np.testing.assert_allclose(lesion.centre_lps_mm, MIDDLE, atol=0.5)
    assert lesion.origin == "human" and not lesion.missed_by_ai
    assert case.undo_name == "Copy nodule 1 from another series"
    edit = case.undo_edit
    assert isinstance(edit, Together)
    (shape_edit,) = (part for part in edit.parts if isinstance(part, Reshape))
    assert shape_edit.settings["from_case"] == other.case.key
    assert shape_edit.settings["from_finding"] == "h1"
    assert "Copied: 1" in hint(window)
    said = window.panel.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "copied from another series" in said
    control(window, "Z")
    assert not window.reading.lesions
    control(window, "Y")
    assert len(window.reading.lesions) == 1


def test_what_lies_there_already_is_shown_instead(two, qtbot, monkeypatch):
    window = two()
    beside(window, qtbot, "thin")
    copied(window, qtbot, monkeypatch)
    name = window.reading.case.undo_name
    window.reading.select(None)
    copied(window, qtbot, monkeypatch)
    assert "lies there already" in hint(window)
    assert window.reading.lesion is not None
    assert window.reading.case.undo_name == name


def test_the_work_of_the_other_series_is_not_touched(two, qtbot, monkeypatch, tmp_path):
    window = two()
    other = beside(window, qtbot, "thin")
    from viewer import folders

    files = sorted((folders.data_dir() / "cases" / other.case.key).glob("*"))
    before = {file.name: file.read_bytes() for file in files if file.is_file()}
    copied(window, qtbot, monkeypatch)
    after = {name: (files[0].parent / name).read_bytes() for name in before}
    assert after == before


def test_another_frame_of_reference_is_refused_with_the_reason(two, qtbot):
    window = two(FrameOfReferenceUID=OTHER_FRAME)
    beside(window, qtbot, "thin")
    action = window.actions_by_id["copy_beside"]
    assert not action.isEnabled()
    assert "different frames of reference" in action.toolTip()
    window.tools.copying.offer()
    assert "different frames of reference" in hint(window)


def test_without_a_series_beside_or_work_on_it_that_is_said(window, qtbot, tmp_path):
    write(tmp_path, "thick", AXIAL, 34)
    write(tmp_path, "thin", THIN, 30)
    open_in(window, qtbot, tmp_path)
    action = window.actions_by_id["copy_beside"]
    assert "Show the other series beside" in action.toolTip()
    beside(window, qtbot, "thin")
    assert action.isEnabled()
    action.trigger()
    qtbot.waitUntil(lambda: window.tools.copying._job is None)
    settle(window)
    assert "Nothing was saved" in window.message.text


def test_only_what_a_person_stands_for_is_offered(two, qtbot, monkeypatch):
    window = two()
    with qtbot.waitSignal(window.opener.opened):
        window.study.open_series(number_of(window, "thin"))
    settle(window)
    key(window, "J")
    key(window, "X")
    with qtbot.waitSignal(window.opener.opened):
        window.study.open_series(number_of(window, "thick"))
    settle(window)
    beside(window, qtbot, "thin")
    window.actions_by_id["copy_beside"].trigger()
    qtbot.waitUntil(lambda: window.tools.copying._job is None)
    settle(window)
    assert "has no finding with an outline" in hint(window)


def test_the_menu_offers_each_and_all(two, qtbot):
    window = two()
    beside(window, qtbot, "thin")
    from viewer.ui.copying import Offer

    mask = Mask((3, 3, 3), np.ones((2, 2, 2), dtype=bool))
    offers = [Offer(name, "nodule", mask, False, {}) for name in ("one", "two")]
    menu = window.tools.copying.menu(window.reading.case, THIN, offers)
    assert [action.text() for action in menu.actions() if action.text()] == [
        "All 2 findings",
        "one",
        "two",
    ]
    menu.deleteLater()
