"""A box round a finding: drawn, its faces dragged in every plane, by keys, and what it limits."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from inference.findings import Mask
from inference.geometry import lps_mm_to_kji
from viewer.annotate import boxes
from viewer.annotate.boxes import NEW, Bounds
from viewer.annotate.edits import SetNote, Together
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.ui import pointer
from viewer.ui.box_layer import rectangle_of, sides_of
from viewer.ui.reshape_box import ReshapeBox
from viewer.ui.tool_boxes import BoxTools

from .conftest import ball_there, nothing_there, settle
from .test_outlining import free_place, hint
from .test_reshaping import worked_out
from .test_review import control, key
from .test_views import drag

ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def boxed(reviewed):
    """The window with the box of the best finding, and its tool."""
    reviewed.set_reader("Dr. A. Test")
    key(reviewed, "B", ALT | SHIFT)
    assert reviewed.reading.tool == "box"
    return reviewed


def bounds_of(window, box_id=None):
    return boxes.standing(window.reading.case.document, box_id or window.reading.selected)


def mask_of(window):
    return window.reading.lesion.mask.to_array(window.reading.case.volume.shape_kji)


def pull(window, view, across, down, by):
    """Drag what lies at a side or corner of the box (-1, 0, 1 across and down) by pixels."""
    box = rectangle_of(view, bounds_of(window))
    at = box.center()
    at.setX(at.x() + across * box.width() / 2)
    at.setY(at.y() + down * box.height() / 2)
    drag(view, at.toPoint(), by)
    settle(window)


def test_a_key_puts_it_round_the_finding_with_its_size(boxed):
    mask, made = boxed.reading.lesion.mask, bounds_of(boxed)
    for inner, outer in zip(mask.box, made.box, strict=True):
        assert outer.start < inner.start and outer.stop > inner.stop
    affine = boxed.reading.case.volume.affine
    assert hint(boxed) == boxed.tools.boxing.size_text(made)
    assert hint(boxed).endswith("mm")
    k, j, i = made.size_mm(affine)
    assert f"{i:.1f}" in hint(boxed) and f"{j:.1f}" in hint(boxed) and f"{k:.1f}" in hint(boxed)
    assert boxed.reading.case.undo_name == "Box"
    assert boxed.bar.findChild(BoxTools).isVisible()
    control(boxed, "Z")
    assert bounds_of(boxed) is None


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("side", [(-1, 0), (1, 0), (0, -1), (0, 1)])
def test_each_face_is_dragged_in_each_plane_by_whole_voxels(boxed, number, side):
    view = boxed.views.views[number]
    plane, before = view.plane, bounds_of(boxed)
    steps = boxed.reading.case.undo_edit
    by = QPoint(*(round(40 * s) for s in side))
    pull(boxed, view, *side, by)
    after = bounds_of(boxed)
    axis = plane.across if side[0] else plane.down
    flipped = plane.flip_across if side[0] else plane.flip_down
    far = ((side[0] or side[1]) > 0) != flipped
    for other in range(3):
        for ends in ("low_kji", "high_kji"):
            moved = getattr(after, ends)[other] - getattr(before, ends)[other]
            if (other, ends) != (axis, "high_kji" if far else "low_kji"):
                assert moved == 0
            else:
                voxels = 40 * view.mm_per_px / plane.pixel_mm[0 if side[0] else 1]
                assert abs(abs(moved) - voxels) <= 0.5 + 1e-6
                assert (moved > 0) == far  # outwards
    edit = boxed.reading.case.undo_edit
    assert edit is not steps and isinstance(edit, SetNote)
    control(boxed, "Z")
    assert bounds_of(boxed) == before


def test_a_corner_moves_two_faces_and_the_inside_all(boxed):
    view = boxed.views.views[0]
    before = bounds_of(boxed)
    pull(boxed, view, 1, 1, QPoint(30, 30))
    corner = bounds_of(boxed)
    assert (
        sum(a != b for a, b in zip(before.low_kji, corner.low_kji, strict=True))
        + sum(a != b for a, b in zip(before.high_kji, corner.high_kji, strict=True))
        == 2
    )
    affine = boxed.reading.case.volume.affine
    pull(boxed, view, 0, 0, QPoint(-25, 10))
    moved = bounds_of(boxed)
    assert moved != corner
    assert moved.size_mm(affine) == corner.size_mm(affine)


def test_the_pointer_says_what_a_press_would_take(reviewed, qtbot):
    # By its action: a key with Shift would be held for the mouse, too.
    reviewed.actions_by_id["box_fit"].trigger()
    settle(reviewed)
    view = reviewed.views.views[0]
    box, shape = rectangle_of(view, bounds_of(reviewed)), Qt.CursorShape
    places = {
        shape.SizeFDiagCursor: box.topLeft(),
        shape.SizeBDiagCursor: box.topRight(),
        shape.SizeHorCursor: QPointF(box.left(), box.center().y()),
        shape.SizeVerCursor: QPointF(box.center().x(), box.bottom()),
        shape.SizeAllCursor: box.center(),
        shape.CrossCursor: box.topLeft() - QPointF(30, 30),
    }
    for wanted, at in places.items():
        view.pointer_px = at
        assert pointer.shape_of(view) == wanted
    at = box.center().toPoint()
    QTest.mouseMove(view.viewport(), at + QPoint(9, 9))
    QTest.mouseMove(view.viewport(), at)
    qtbot.waitUntil(lambda: view.cursor().shape() == shape.SizeAllCursor)


def test_esc_gives_up_a_drag(boxed):
    view, before = boxed.views.views[0], bounds_of(boxed)
    at = rectangle_of(view, before).topLeft().toPoint()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(view.viewport(), at - QPoint(20, 20))
    assert boxed.tools.boxing.shown != before
    key(boxed, "Escape")
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at - QPoint(20, 20))
    settle(boxed)
    assert boxed.tools.boxing.shown == bounds_of(boxed) == before
    assert boxed.reading.tool == "box"


def test_keys_move_the_box_and_each_of_its_faces(boxed):
    before, plane = bounds_of(boxed), boxed.views.active.plane
    key(boxed, "Right", CONTROL)
    moved = bounds_of(boxed)
    step = -1 if plane.flip_across else 1
    assert moved.low_kji[plane.across] == before.low_kji[plane.across] + step
    assert moved.high_kji[plane.across] == before.high_kji[plane.across] + step
    control(boxed, "Z")
    seen = set()
    for _ in range(6):
        key(boxed, "H", ALT)
        axis, far = boxed.tools.boxing.handle
        seen.add((axis, far))
        name = {plane.across: "Right", plane.down: "Down", plane.axis: "PageDown"}[axis]
        start = bounds_of(boxed)
        key(boxed, name, CONTROL)
        end = bounds_of(boxed)
        changed = [
            (a, f)
            for a in range(3)
            for f, ends in ((False, "low_kji"), (True, "high_kji"))
            if getattr(start, ends)[a] != getattr(end, ends)[a]
        ]
        assert changed == [(axis, far)]
        control(boxed, "Z")
        assert bounds_of(boxed) == start
    assert len(seen) == 6
    key(boxed, "H", ALT)
    assert boxed.tools.boxing.handle is None


def test_the_box_is_drawn_and_the_marked_face_too(boxed):
    view = boxed.views.views[0]
    with_box = view.grab().toImage()
    key(boxed, "H", ALT)
    assert view.grab().toImage() != with_box
    boxed.tools.boxing.remove()
    settle(boxed)
    assert view.grab().toImage() != with_box
    assert "The box is gone" in hint(boxed)
    assert bounds_of(boxed) is None


def test_tools_change_nothing_outside_it(boxed, qtbot):
    case, lesion = boxed.reading.case, boxed.reading.lesion
    whole = bounds_of(boxed)
    high = (*whole.high_kji[:2], (whole.low_kji[2] + whole.high_kji[2]) // 2)
    half = Bounds(whole.low_kji, high)
    boxed.tools.boxing.keep(half, lesion.id)
    before = mask_of(boxed)
    boxed.actions_by_id["margin"].trigger()
    worked_out(boxed, qtbot)
    boxed.tools.reshaping.set_value(3.0)
    qtbot.waitUntil(lambda: boxed.tools.reshaping.proposal.made_for == 3.0)
    boxed.bar.findChild(ReshapeBox)._apply.click()
    qtbot.waitUntil(lambda: boxed.tools.reshaping.proposal is None)
    after = mask_of(boxed)
    outside = np.ones(before.shape, dtype=bool)
    outside[half.box] = False
    assert np.array_equal(after & outside, before & outside)
    assert after.sum() > before.sum()
    assert case.undo_edit.settings["box_kji"][2] == [half.low_kji[2], half.high_kji[2]]
    boxed.actions_by_id["box_keep"].trigger()
    qtbot.waitUntil(lambda: boxed.tools.reshaping._job is None)
    settle(boxed)
    assert not (mask_of(boxed) & outside).any()
    assert case.undo_name == "Keep of nodule 1 what the box holds"


def test_enter_outlines_in_the_box_of_a_finding(boxed, process, qtbot):
    case, lesion, made = boxed.reading.case, boxed.reading.lesion, bounds_of(boxed)
    middle = made.centre_lps_mm(case.volume.affine)
    process.outline_at = lambda volume, point: ball_there(volume, point, 60.0)
    view = boxed.views.views[0]
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: case.undo_name == "Outline nodule 1 in its box")
    settle(boxed)
    inside = np.zeros(case.volume.shape_kji, dtype=bool)
    inside[made.box] = True
    others = sum(
        x.mask.to_array(case.volume.shape_kji) for x in case.shown if x.id != lesion.id
    ).astype(bool)
    assert np.array_equal(mask_of(boxed), inside & ~others)
    np.testing.assert_allclose(process.outlined[-1], middle)
    assert process.boxes[-1] == made.box
    control(boxed, "Z")
    assert case.document.lesion(lesion.id).mask is lesion.mask


def test_a_box_drawn_elsewhere_is_a_new_finding_in_one_step(reviewed, process, qtbot):
    key(reviewed, "B", ALT)
    view, at = free_place(reviewed)
    case = reviewed.reading.case
    before = [x.id for x in case.document.record]
    drag(view, at - QPoint(25, 25), QPoint(50, 50))
    settle(reviewed)
    assert reviewed.reading.selected is None
    made = bounds_of(reviewed, NEW)
    assert made is not None
    i = made.size_mm(case.volume.affine)[2]
    assert abs(i - 50 * view.mm_per_px) <= 2 * view.plane.pixel_mm[0]
    assert "Box for a new finding" in hint(reviewed)
    process.outline_at = lambda volume, point: ball_there(volume, point, 4.0)
    reviewed.actions_by_id["box_outline"].trigger()
    qtbot.waitUntil(lambda: len(case.document.record) > len(before))
    settle(reviewed)
    lesion = reviewed.reading.lesion
    assert lesion.origin == "ai-pointed" and lesion.missed_by_ai
    assert isinstance(case.undo_edit, Together)
    assert case.undo_name == f"Outline nodule {lesion.number} in a box"
    assert bounds_of(reviewed) == made and bounds_of(reviewed, NEW) is None
    control(reviewed, "Z")
    assert [x.id for x in case.document.record] == before
    assert bounds_of(reviewed, NEW) == made


def test_a_model_that_sees_nothing_is_said_and_esc_stops_it(boxed, process, qtbot):
    process.outline_at = nothing_there
    name = boxed.reading.case.undo_name
    boxed.actions_by_id["box_outline"].trigger()
    qtbot.waitUntil(lambda: "sees nothing in the box" in hint(boxed))
    process.hold.clear()
    boxed.actions_by_id["box_outline"].trigger()
    qtbot.waitUntil(lambda: len(process.outlined) == 2)
    key(boxed, "Escape")
    assert not boxed.tools.boxing.outlining
    process.hold.set()
    settle(boxed)
    assert boxed.reading.case.undo_name == name


def test_it_outlives_the_session_and_follows_the_selection(boxed, qtbot, phantom_folder):
    made, lesion_id = bounds_of(boxed), boxed.reading.selected
    with qtbot.waitSignal(boxed.opener.opened):
        boxed.open_paths([phantom_folder])
    settle(boxed)
    boxed.reading.select(lesion_id)
    settle(boxed)
    assert boxed.tools.boxing.current == (lesion_id, made)
    key(boxed, "J")
    assert boxed.tools.boxing.current is None
    assert "There is no box" in boxed.actions_by_id["box_outline"].toolTip()


def turn(window, degrees=20):
    """Turn the first view's plane about the crosshair; return that view."""
    reading, view = window.reading, window.views.views[0]
    frame = turned(frame_of(view.plane), (-1, 0.4, 0), np.radians(degrees))
    plane = cut_plane(view.plane, frame, reading.cursor_lps_mm)
    reading.turn({**reading.planes, view.plane.name: plane})
    settle(window)
    return view


def test_in_a_turned_plane_each_face_follows_the_pointer(boxed):
    view = turn(boxed)
    assert not view.plane.straight
    cut = sides_of(view, bounds_of(boxed))
    assert len(cut) >= 4
    faces = {side.face for side in cut}
    for face in faces:
        before = bounds_of(boxed)
        side = next(s for s in sides_of(view, before) if s.face == face)
        start = view.px_of_mm(*side.middle)
        middle = np.mean([s.start for s in cut], axis=0)
        away = start - view.px_of_mm(*middle)
        by = away / max(abs(away.x()), abs(away.y())) * 24
        view.pointer_px = start
        assert pointer.shape_of(view) != Qt.CursorShape.CrossCursor
        drag(view, start.toPoint(), by.toPoint())
        settle(boxed)
        after = bounds_of(boxed)
        axis, _far = face
        changed = [
            (a, end)
            for end, name in ((False, "low_kji"), (True, "high_kji"))
            for a in range(3)
            if getattr(before, name)[a] != getattr(after, name)[a]
        ]
        assert changed == [face], "the face that was dragged, and no other"
        # The face goes on lying under the pointer, to the nearest voxel.
        now = next(s for s in sides_of(view, after) if s.face == face)
        end = view.mm_of_px(start + QPointF(by.toPoint()))
        step = boxed.reading.case.volume.spacing_kji_mm[axis]
        slant = np.linalg.norm(np.cross(boxed_axis(boxed, axis), view.plane.normal_lps))
        assert now.away_mm(end) <= (0.75 * step + view.mm_per_px) / slant


def boxed_axis(window, axis):
    column = window.reading.case.volume.affine[:3, axis]
    return column / np.linalg.norm(column)


def test_in_a_turned_plane_a_box_is_moved_drawn_and_nudged(boxed):
    view = turn(boxed)
    before = bounds_of(boxed)
    middle = np.mean([side.start for side in sides_of(view, before)], axis=0)
    inside = view.px_of_mm(*middle).toPoint()
    drag(view, inside, QPoint(18, 30))
    settle(boxed)
    affine = boxed.reading.case.volume.affine
    moved = bounds_of(boxed)
    assert moved.size_mm(affine) == before.size_mm(affine)
    way = np.subtract(moved.centre_lps_mm(affine), before.centre_lps_mm(affine))
    wanted = (18 * view.plane.across_lps + 30 * view.plane.down_lps) * view.mm_per_px
    spacing = np.array(boxed.reading.case.volume.spacing_kji_mm)
    assert np.linalg.norm(way - wanted) <= np.linalg.norm(spacing) / 2 + 1e-6
    boxed.views._activate(view)
    ways = []
    for name in ("Right", "Down", "PageDown"):
        last = np.array(bounds_of(boxed).centre_lps_mm(affine))
        key(boxed, name, CONTROL)
        ways.append(np.array(bounds_of(boxed).centre_lps_mm(affine)) - last)
    assert ways[0] @ view.plane.across_lps > 0.5 * np.linalg.norm(ways[0]) > 0
    assert ways[1] @ view.plane.down_lps > 0.5 * np.linalg.norm(ways[1]) > 0
    assert abs(ways[2] @ view.plane.normal_lps) > 0.5 * np.linalg.norm(ways[2]) > 0
    first, last = inside + QPoint(-90, -90), inside + QPoint(-10, -20)
    drag(view, first, last - first)
    settle(boxed)
    drawn = boxed.tools.boxing.current[1]
    for at in (first, last):
        kji = lps_mm_to_kji(affine, view.lps_at(QPointF(at)))
        assert (kji >= np.array(drawn.low_kji) - 1).all()
        assert (kji <= np.array(drawn.high_kji)).all()


def test_the_marker_is_moved_by_keys_and_says_how_far(reviewed):
    reading, case = reviewed.reading, reviewed.reading.case
    lesion = reading.lesion
    key(reviewed, "Right", CONTROL)
    assert case.document.lesion(lesion.id).mask is lesion.mask, "no tool, no way"
    key(reviewed, "V")
    plane = reviewed.views.active.plane
    key(reviewed, "Right", CONTROL)
    moved = case.document.lesion(lesion.id)
    step = -1 if plane.flip_across else 1
    wanted = list(lesion.mask.origin_kji)
    wanted[plane.across] += step
    assert moved.mask.origin_kji == tuple(wanted)
    assert f"{plane.pixel_mm[0]:.2f} mm" in hint(reviewed)
    control(reviewed, "Z")
    assert case.document.lesion(lesion.id).mask.origin_kji == lesion.mask.origin_kji


def test_the_marker_is_a_handle_by_whole_voxels_with_mm(reviewed):
    reading, case = reviewed.reading, reviewed.reading.case
    reviewed.corrections.add_missed(reading.cursor_lps_mm)
    settle(reviewed)
    lesion = reading.lesion
    key(reviewed, "V")
    view = reviewed.views.views[0]
    at = view.px_of_mm(*view.plane.view_of_lps(lesion.centre_lps_mm)).toPoint()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(view.viewport(), at + QPoint(31, 0))
    assert "Moved by" in hint(reviewed) and "mm" in hint(reviewed)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at + QPoint(31, 0))
    settle(reviewed)
    moved = case.document.lesion(lesion.id)
    way = np.subtract(moved.anchor_lps_mm, lesion.anchor_lps_mm)
    steps = np.linalg.inv(case.volume.affine[:3, :3]) @ way
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
    assert abs(np.linalg.norm(way) - 31 * view.mm_per_px) <= view.plane.pixel_mm[0]


def test_a_case_that_is_only_looked_at_has_none(reviewed):
    mask = reviewed.reading.lesion.mask
    assert isinstance(mask, Mask)
    reviewed.reading.case.read_only_problem = RuntimeError("It is open elsewhere.")
    reviewed.follow()
    settle(reviewed)
    for name in ("box", "box_fit", "nudge_left", "refine", "copy_beside"):
        assert "open elsewhere" in reviewed.actions_by_id[name].toolTip()
    reviewed.reading.case.read_only_problem = None
