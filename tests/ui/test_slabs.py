"""Slabs in the real window: what is seen, said and refused."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from tests.dicom_files import write_slice
from viewer.display.grey import Window, grey_of
from viewer.display.slab import Slab, project
from viewer.ui.reading import TEXT_NONE

from .conftest import settle


def shown_block(view):
    first, last = view.slab_span
    axis = view.plane.axis
    voxels = view.reading.case.volume.voxels
    return np.moveaxis(voxels[(slice(None),) * axis + (slice(first, last),)], axis, 0)


def buffer_of(view):
    return view._slice._buffer & 0xFF


@pytest.mark.parametrize("mode", ["mip", "minip", "mean"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_view_shows_the_slab_that_numpy_makes(opened, number, mode):
    view = opened.views.views[number]
    opened.reading.show(heatmap=False, masks=False)
    opened.reading.set_window(Window(-300, 1400))
    view.set_slab(Slab(mode, 40.0))
    settle(opened)
    block = shown_block(view)
    assert block.shape[0] > 3
    wanted = grey_of(view.plane.orient(project(block, mode)), opened.reading.window)
    np.testing.assert_array_equal(buffer_of(view), wanted)
    view.set_slab(None)
    settle(opened)
    single = view.plane.slice_of(opened.reading.case.volume.voxels, view.index)
    np.testing.assert_array_equal(buffer_of(view), grey_of(single, opened.reading.window))


def test_the_copy_changes_no_pixel(opened, qtbot, monkeypatch):
    from viewer.display import reorder

    view = opened.views.views[2]
    assert view.plane.axis == 2
    before, slabs = [], []
    for index in (3, 20, 33):
        opened.reading.show_slice(view.plane, index)
        settle(opened)
        before.append(buffer_of(view).copy())
        view.set_slab(Slab("mip", 30.0))
        settle(opened)
        slabs.append(buffer_of(view).copy())
        view.set_slab(None)
    assert not opened.reading.voxels.has_copy  # the phantom is too small to need one
    monkeypatch.setattr(reorder, "is_worth_it", lambda voxels, free: True)
    opened.reordering._start()
    qtbot.waitUntil(lambda: opened.reading.voxels.has_copy, timeout=5000)
    for index, wanted, slab in zip((3, 20, 33), before, slabs, strict=True):
        opened.reading.show_slice(view.plane, index)
        opened.reading.window_changed.emit()
        settle(opened)
        np.testing.assert_array_equal(buffer_of(view), wanted)
        view.set_slab(Slab("mip", 30.0))
        settle(opened)
        np.testing.assert_array_equal(buffer_of(view), slab)
        view.set_slab(None)


def test_the_copy_goes_with_its_case(opened, qtbot, monkeypatch):
    from viewer.display import reorder

    monkeypatch.setattr(reorder, "is_worth_it", lambda voxels, free: True)
    opened.reordering._start()
    qtbot.waitUntil(lambda: opened.reading.voxels.has_copy, timeout=5000)
    case = opened.reading.case
    opened.reading.set_case(None)
    assert opened.reading.voxels is None
    case.close()


def test_a_copy_for_a_case_that_has_gone_is_dropped(opened, qtbot, monkeypatch):
    import threading

    from viewer.display import reorder

    go = threading.Event()
    real = reorder.reordered

    def slow(voxels, cancelled):
        go.wait(60)
        return real(voxels, lambda: False)

    monkeypatch.setattr(reorder, "is_worth_it", lambda voxels, free: True)
    monkeypatch.setattr(reorder, "reordered", slow)
    opened.reordering._start()
    case = opened.reading.case
    opened.reading.set_case(None)
    go.set()
    qtbot.waitUntil(lambda: not opened.reordering.busy, timeout=5000)
    assert opened.reading.voxels is None
    case.close()


def test_memory_that_is_short_costs_speed_alone(opened, qtbot, monkeypatch):
    from viewer.display import reorder

    def short(voxels, cancelled):
        raise MemoryError

    monkeypatch.setattr(reorder, "is_worth_it", lambda voxels, free: True)
    monkeypatch.setattr(reorder, "reordered", short)
    opened.reordering._start()
    qtbot.waitUntil(lambda: not opened.reordering.busy, timeout=5000)
    assert not opened.reading.voxels.has_copy


def test_y_goes_through_the_modes_and_back(opened):
    view = opened.views.views[0]
    opened.views.active = view
    seen = []
    for _ in range(5):
        QTest.keyClick(opened, Qt.Key.Key_Y)
        settle(opened)
        seen.append(view.slab.mode if view.slab is not None else None)
    assert seen == ["mip", "minip", "mean", None, "mip"]
    assert all(other.slab is None for other in opened.views.views[1:])


def test_keys_change_the_thickness_and_it_is_kept(opened):
    view = opened.views.views[0]
    opened.views.active = view
    told = []
    view.told.connect(told.append)
    control = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(opened, Qt.Key.Key_BracketRight, control)
    assert view.slab is None
    assert "Y" in told[-1]
    QTest.keyClick(opened, Qt.Key.Key_Y)
    assert view.slab.thickness_mm == 10
    QTest.keyClick(opened, Qt.Key.Key_BracketRight, control)
    assert view.slab.thickness_mm == 15
    for _ in range(20):
        QTest.keyClick(opened, Qt.Key.Key_BracketLeft, control)
    assert view.slab.thickness_mm == 2
    for _ in range(20):
        QTest.keyClick(opened, Qt.Key.Key_BracketRight, control)
    assert view.slab.thickness_mm == 100
    QTest.keyClick(opened, Qt.Key.Key_Y)
    assert view.slab == Slab("minip", 100)
    opened.views.active = opened.views.views[1]
    QTest.keyClick(opened, Qt.Key.Key_Y)
    assert opened.views.views[1].slab == Slab("mip", 100)


def test_a_slab_is_named_on_the_image_even_without_text(opened, monkeypatch):
    from viewer.ui import slabs

    said = []
    monkeypatch.setattr(
        slabs, "chip", lambda painter, width, y, parts, *, pending: said.append(parts) or y
    )
    opened.reading.show(text=TEXT_NONE)
    for view in opened.views.views:
        view.set_slab(Slab("minip", 40.0))
    settle(opened)
    assert {parts[0] for parts in said} == {"MinIP 40 mm"}
    assert len({tuple(parts) for parts in said}) >= 2  # their slices differ in number
    said.clear()
    for view in opened.views.views:
        view.set_slab(None)
    settle(opened)
    assert not said


def test_findings_of_the_whole_slab_are_outlined(reviewed):
    view = reviewed.views.views[0]
    lesion = reviewed.reading.lesions[0]
    reviewed.reading.move_cursor(lesion.centre_lps_mm)
    settle(reviewed)
    k = view.index
    above = k + lesion.mask.voxels.shape[0] + 1
    reviewed.reading.show_slice(view.plane, above)
    settle(reviewed)
    assert lesion.id not in {mark.lesion.id for mark in view.overlay.marks}
    view.set_slab(Slab("mip", 2 * view.plane.step_mm * (above - k)))
    settle(reviewed)
    marks = {mark.lesion.id: mark for mark in view.overlay.marks}
    assert lesion.id in marks
    # The outline is that of the shadow of the whole lesion.
    rows = np.flatnonzero(lesion.mask.voxels.any(axis=(0, 2)))
    columns = np.flatnonzero(lesion.mask.voxels.any(axis=(0, 1)))
    across, down = view.plane.pixel_mm
    widest = max((np.ptp(columns) + 1) * across, (np.ptp(rows) + 1) * down)
    assert 2 * marks[lesion.id].radius_mm == pytest.approx(widest, abs=max(across, down))


def test_the_heatmap_of_a_slab_is_its_highest(reviewed):
    view = reviewed.views.views[0]
    reviewed.reading.show(heatmap=True, masks=False)
    view.set_slab(Slab("mip", 60.0))
    settle(reviewed)
    heat = view.overlay.flat_heat(view.plane, view.index)
    values = reviewed.reading.chosen_map.values
    first, last = view.slab_span
    np.testing.assert_array_equal(heat.heatmap.values[0], values[first:last].max(axis=0))


def test_the_value_under_the_pointer_is_that_of_the_slab(opened):
    view = opened.views.views[0]
    view.set_slab(Slab("mip", 60.0))
    settle(opened)
    middle = QPointF(view.width() / 2, view.height() / 2)
    view.pointer_px = middle
    _k, j, i = view.voxel_at(middle)
    value = int(shown_block(view)[:, j, i].max())
    assert view.value_text().startswith(f"Value {value}".replace("-", "\N{MINUS SIGN}"))


def test_nothing_is_painted_on_a_slab(reviewed):
    view = reviewed.views.views[0]
    told = []
    view.told.connect(told.append)
    reviewed.reading.set_tool("brush")
    view.set_slab(Slab("mip", 40.0))
    settle(reviewed)
    before = reviewed.reading.case.undo_name
    at = QPoint(view.width() // 2, view.height() // 2)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(view.viewport(), at + QPoint(20, 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at + QPoint(20, 0))
    settle(reviewed)
    assert reviewed.reading.case.undo_name == before
    assert reviewed.reading.stroke is None
    assert "slab" in told[-1]
    view.set_slab(None)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert reviewed.reading.stroke is not None
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_a_slab_counts_no_slice_as_seen(opened):
    view = opened.views.views[0]
    seen = opened.reading.seen_share
    view.set_slab(Slab("mip", 60.0))
    for _ in range(4):
        view.scroll_slices(1)
        settle(opened)
    assert opened.reading.seen_share == seen


def test_another_case_begins_with_single_slices(opened, phantom_folder, qtbot):
    view = opened.views.views[0]
    view.set_slab(Slab("mip", 40.0))
    case = opened.reading.case
    opened.reading.set_case(None)
    assert view.slab is None
    case.close()


def refused(window, folder):
    window.open_paths([folder])
    for _ in range(1000):
        if window.reading.case is not None and not window.opener.busy:
            break
        QTest.qWait(10)
    settle(window)
    assert not window.actions_by_id["slab"].isEnabled()
    reason = window.actions_by_id["slab"].toolTip()
    assert "\n" in reason
    view = window.views.views[0]
    window.slabs.cycle()  # as if it were asked for all the same
    assert view.slab is None
    return reason


def test_one_image_has_no_slab(window, tmp_path: Path):
    write_slice(tmp_path / "1", np.full((40, 48), 1024, dtype=np.int16))
    assert "One image" in refused(window, tmp_path)


def test_irregular_slices_have_no_slab(window, tmp_path: Path):
    for number, z in enumerate((0.0, 4.0, 8.0, 19.0, 23.0)):
        pixels = np.full((40, 48), 1024, dtype=np.int16)
        write_slice(tmp_path / f"{number}", pixels, position=(0, 0, z), number=number + 1)
    assert "irregular" in refused(window, tmp_path)
