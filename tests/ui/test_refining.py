"""Click to refine in the real window: points taken in and cut off, one step each."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from inference.geometry import kji_to_lps_mm
from inference.refine import APART
from resources.problem import Problem
from viewer.annotate import boxes, refined
from viewer.annotate.edits import Reshape, SetNote, Together

from .conftest import nothing_there, settle
from .test_outlining import hint
from .test_review import control, key, stroke_at

ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def refining(reviewed):
    """The window with findings in, the best one selected and the refine tool held."""
    reviewed.set_reader("Dr. A. Test")
    key(reviewed, "O", ALT)
    assert reviewed.reading.tool == "refine"
    return reviewed


def voxel_off(window, steps_i):
    """Return a voxel of the selected finding's middle slice, so many columns off its edge."""
    mask = window.reading.lesion.mask
    k = mask.origin_kji[0] + mask.voxels.shape[0] // 2
    plane = mask.voxels[k - mask.origin_kji[0]]
    row = int(np.argmax(plane.sum(axis=1)))
    last = int(np.flatnonzero(plane[row])[-1])
    return k, mask.origin_kji[1] + row, mask.origin_kji[2] + last + steps_i


def click(window, voxel, keys=NONE, view=None):
    """Click on a voxel in a view."""
    case = window.reading.case
    point = kji_to_lps_mm(case.volume.affine, voxel)
    window.reading.move_cursor(point)
    settle(window)
    view = view or window.views.views[0]
    at = view.px_of_mm(*view.plane.view_of_lps(point)).toPoint()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, keys, at)
    return point


def ended(window, qtbot):
    qtbot.waitUntil(lambda: not window.tools.refining.under_way)
    settle(window)


def mask_of(window, lesion_id):
    case = window.reading.case
    return case.document.lesion(lesion_id).mask.to_array(case.volume.shape_kji)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_click_takes_in_what_belongs_in_every_plane(refining, process, qtbot, number):
    reading, case = refining.reading, refining.reading.case
    lesion, view = reading.lesion, refining.views.views[number]
    before = mask_of(refining, lesion.id)
    voxel = voxel_off(refining, 2)
    click(refining, voxel, view=view)
    ended(refining, qtbot)
    after = mask_of(refining, lesion.id)
    assert after[voxel] and not before[voxel]
    assert not (before & ~after).any()
    (clicks,) = process.refined
    assert [(one.at_kji, one.belongs) for one in clicks] == [(voxel, True)]
    now = case.document.lesion(lesion.id)
    assert now.origin == "ai-edited"
    assert now.volume_ml > lesion.volume_ml
    assert case.undo_name == "Take a point into nodule 1"
    edit = case.undo_edit
    assert isinstance(edit, Together)
    note, shape = edit.parts
    assert isinstance(note, SetNote) and isinstance(shape, Reshape)
    assert shape.settings["model"][0] == refining.ai.pack.id
    assert "taken in" in hint(refining)
    control(refining, "Z")
    assert np.array_equal(mask_of(refining, lesion.id), before)
    assert case.document.lesion(lesion.id).origin == "ai"
    assert refined.points(case.document, lesion.id) == ()


def test_control_and_click_cut_off_and_the_model_keeps_its_own(refining, qtbot):
    case, lesion = refining.reading.case, refining.reading.lesion
    ai = case.document.ai_mask(lesion.id)
    count, voxel = ai.count, voxel_off(refining, -1)
    click(refining, voxel, CONTROL)
    ended(refining, qtbot)
    after = mask_of(refining, lesion.id)
    assert not after[voxel]
    assert 0 < after.sum() < count
    assert case.document.ai_mask(lesion.id) is ai
    assert case.undo_name == "Cut a point from nodule 1"
    assert "cut off" in hint(refining)


def test_keys_do_it_at_the_pointer_without_the_tool(reviewed, process, qtbot):
    voxel = voxel_off(reviewed, 2)
    point = kji_to_lps_mm(reviewed.reading.case.volume.affine, voxel)
    lesion = reviewed.reading.lesion
    reviewed.tools.refining._pointer = lambda: point
    key(reviewed, "Plus")
    ended(reviewed, qtbot)
    assert mask_of(reviewed, lesion.id)[voxel]
    assert reviewed.reading.tool == "window"
    key(reviewed, "Minus")
    ended(reviewed, qtbot)
    assert not mask_of(reviewed, lesion.id)[voxel]
    # The first point is against the second one: it is no longer told to the model.
    assert [one.belongs for one in process.refined[-1]] == [True, False]
    points = refined.points(reviewed.reading.case.document, lesion.id)
    assert [one.belongs for one in points] == [False]


def test_earlier_points_are_told_again_and_outlive_the_session(
    refining, process, qtbot, phantom_folder
):
    lesion = refining.reading.lesion
    first = voxel_off(refining, 2)
    click(refining, first)
    ended(refining, qtbot)
    with qtbot.waitSignal(refining.opener.opened):
        refining.open_paths([phantom_folder])
    settle(refining)
    refining.reading.select(lesion.id)
    settle(refining)
    assert [one.belongs for one in refining.tools.refining.points] == [True]
    key(refining, "O", ALT)
    second = voxel_off(refining, -6)
    click(refining, second, CONTROL)
    ended(refining, qtbot)
    told = [(one.at_kji, one.belongs) for one in process.refined[-1]]
    assert told == [(first, True), (second, False)]


def test_points_are_marked_while_the_tool_is_held(refining, qtbot):
    view = refining.views.views[0]
    click(refining, voxel_off(refining, 2))
    ended(refining, qtbot)
    shown = view.grab().toImage()
    key(refining, "W")
    assert view.grab().toImage() != shown


def test_several_points_wait_for_their_turn(refining, process, qtbot):
    process.hold.clear()
    lesion = refining.reading.lesion
    first, second = voxel_off(refining, 2), voxel_off(refining, -4)
    assert mask_of(refining, lesion.id)[second]
    click(refining, first)
    click(refining, first)  # the same place twice is once
    click(refining, second, CONTROL)
    qtbot.waitUntil(lambda: len(process.refined) == 1)
    assert len(refining.tools.refining.under_way) == 2
    process.hold.set()
    ended(refining, qtbot)
    after = mask_of(refining, lesion.id)
    assert after[first] and not after[second]
    control(refining, "Z")
    assert mask_of(refining, lesion.id)[second]
    control(refining, "Z")
    assert not mask_of(refining, lesion.id)[first]


def test_escape_stops_it_and_the_outline_stays(refining, process, qtbot):
    process.hold.clear()
    lesion = refining.reading.lesion
    before, voxel = mask_of(refining, lesion.id), voxel_off(refining, 2)
    click(refining, voxel)
    qtbot.waitUntil(lambda: len(process.refined) == 1)
    key(refining, "Escape")
    assert not refining.tools.refining.under_way
    assert refining.reading.tool == "refine"  # one Esc, one thing
    process.hold.set()
    settle(refining)
    assert np.array_equal(mask_of(refining, lesion.id), before)
    click(refining, voxel)
    ended(refining, qtbot)
    assert mask_of(refining, lesion.id)[voxel]


def test_what_changes_nothing_is_said(refining, process, qtbot):
    case, lesion = refining.reading.case, refining.reading.lesion
    before = case.undo_name
    click(refining, voxel_off(refining, -1))
    assert "in the outline already" in hint(refining)
    click(refining, voxel_off(refining, 3), CONTROL)
    assert "not in the outline" in hint(refining)
    assert process.refined == []
    process.refine_with = lambda volume, mask, clicks: nothing_there(volume, None, APART)
    click(refining, voxel_off(refining, 6))
    ended(refining, qtbot)
    assert "does not hang together" in hint(refining)
    assert case.undo_name == before
    assert case.document.lesion(lesion.id).origin == "ai"


def test_another_finding_is_not_taken_in(refining, process, qtbot):
    case = refining.reading.case
    other = next(x for x in case.shown if x.id != refining.reading.selected)
    k, j, i = (int(n) for n in np.argwhere(other.mask.voxels)[0] + other.mask.origin_kji)
    click(refining, (k, j, i))
    assert "lies here" in hint(refining)
    assert process.refined == []


def test_a_box_limits_points_too(refining, process, qtbot):
    lesion, case = refining.reading.lesion, refining.reading.case
    inside, beyond = voxel_off(refining, 1), voxel_off(refining, 3)
    made = boxes.round_of(lesion.mask, 0.0, case.volume.affine, case.volume.shape_kji)
    bounds = made.with_face(2, far=True, at=inside[2] + 1, shape_kji=case.volume.shape_kji)
    refining.tools.boxing.keep(bounds, lesion.id)
    click(refining, beyond)
    assert "outside the box" in hint(refining)
    assert process.refined == []
    before = mask_of(refining, lesion.id)
    click(refining, inside)
    ended(refining, qtbot)
    after = mask_of(refining, lesion.id)
    assert after[inside]
    outside = np.ones(after.shape, dtype=bool)
    outside[bounds.box] = False
    assert np.array_equal(after & outside, before & outside)


def test_a_lesion_outlined_at_a_click_can_be_refined(reviewed, process, qtbot):
    from .conftest import ball_there
    from .test_outlining import free_place, outline_here

    process.outline_at = ball_there
    key(reviewed, "O")
    lesion = outline_here(reviewed, qtbot, *free_place(reviewed))
    assert lesion.origin == "ai-pointed"
    key(reviewed, "O", ALT)
    voxel = voxel_off(reviewed, 1)
    click(reviewed, voxel)
    ended(reviewed, qtbot)
    assert mask_of(reviewed, lesion.id)[voxel]
    assert reviewed.reading.case.document.lesion(lesion.id).missed_by_ai


def test_an_outline_changed_meanwhile_is_left_and_said(refining, process, qtbot):
    process.hold.clear()
    lesion = refining.reading.lesion
    click(refining, voxel_off(refining, 2))
    qtbot.waitUntil(lambda: len(process.refined) == 1)
    key(refining, "B")
    stroke_at(refining, lesion.centre_lps_mm, QPoint(40, 0))
    drawn = mask_of(refining, lesion.id)
    process.hold.set()
    ended(refining, qtbot)
    assert np.array_equal(mask_of(refining, lesion.id), drawn)
    assert "changed meanwhile" in refining.message.text


def test_why_it_cannot_be_used_is_said_on_its_command(reviewed, process, qtbot):
    action, reading = reviewed.actions_by_id["refine"], reviewed.reading
    assert action.isEnabled()
    lesion = reading.selected
    reading.select(None)
    settle(reviewed)
    assert "Select the finding" in action.toolTip() and not action.isEnabled()
    reading.select(lesion)
    control(reviewed, "K")
    assert "locked" in action.toolTip() and not action.isEnabled()
    control(reviewed, "K")
    reviewed.ai.reasons = ("This series is MR.",)
    reviewed.follow()
    settle(reviewed)
    assert "This series is MR." in action.toolTip()
    reviewed.ai.reasons = ()
    reviewed.corrections.add_missed(reading.cursor_lps_mm)
    settle(reviewed)
    assert "no outline yet" in action.toolTip()


def test_a_model_that_fails_is_told_and_the_next_click_works(refining, process, qtbot):
    lesion, voxel = refining.reading.lesion, voxel_off(refining, 2)
    process.problem = Problem("The model stopped.", "Try again.")
    click(refining, voxel)
    ended(refining, qtbot)
    assert "The model stopped." in refining.message.text
    process.problem = None
    click(refining, voxel)
    ended(refining, qtbot)
    assert mask_of(refining, lesion.id)[voxel]


def test_another_case_ends_what_is_under_way(refining, process, qtbot):
    process.hold.clear()
    case = refining.reading.case
    click(refining, voxel_off(refining, 2))
    qtbot.waitUntil(lambda: len(process.refined) == 1)
    refining.reading.set_case(None)
    assert not refining.tools.refining.under_way
    process.hold.set()
    settle(refining)
    case.close()
