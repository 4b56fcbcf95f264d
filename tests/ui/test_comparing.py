"""AI against corrected: colours on the image, mL and Dice in the panel, whose each finding is."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from viewer.tools.brush import Brush
from viewer.ui import change_layer

from .conftest import settle


def _paint(window, target, at_kji, mode, size_mm=6.0):
    stroke = window.reading.case.start_stroke(target, Brush(size_mm, "ball", 0, mode))
    stroke.move_to(at_kji)
    return window.corrections.change(lambda case: case.commit_stroke(stroke))


def _edge_kji(mask):
    """Return a voxel of a mask that lies on its border."""
    k, j, i = np.argwhere(mask.voxels)[-1] + mask.origin_kji
    return float(k), float(j), float(i)


@pytest.fixture
def corrected(reviewed):
    """A case in which one finding was redrawn, one rejected, one deleted, one added."""
    case = reviewed.reading.case
    first, second, third = case.document.lesions[:3]
    _paint(reviewed, first.id, _edge_kji(first.mask), "add")
    _paint(reviewed, first.id, np.array(first.mask.origin_kji, float), "erase")
    reviewed.corrections.change(lambda c: c.set_verdict(second.id, "rejected", "vessel"))
    reviewed.corrections.change(lambda c: c.delete(third.id))
    change = reviewed.corrections.change(lambda c: c.add_missed(second.centre_lps_mm))
    _paint(reviewed, change.lesion_ids[0], _edge_kji(second.mask), "add", 9.0)
    reviewed.reading.select(first.id)
    settle(reviewed)
    return reviewed


def _press(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    settle(window)


def _section(window):
    from viewer.ui.panel.changes import ChangesSection

    return window.panel.findChild(ChangesSection)


def test_the_key_shows_it_and_takes_it_away(corrected, qtbot):
    section = _section(corrected)
    assert not section.isVisible()
    assert corrected.record.comparing.compared() == ()
    _press(corrected, qtbot)
    assert section.isVisible()
    assert corrected.actions_by_id["changes"].isChecked()
    _press(corrected, qtbot)
    assert not section.isVisible()
    assert not corrected.actions_by_id["changes"].isChecked()


def test_every_finding_says_whose_it_is(corrected, qtbot):
    _press(corrected, qtbot)
    case = corrected.reading.case
    found = {one.number: one for one in corrected.record.comparing.compared()}
    first, second, third = (case.document.record[n] for n in range(3))
    assert found[first.number].outcome == "ai-edited"
    assert found[second.number].outcome == "rejected"
    assert found[second.number].reason == "vessel"
    assert found[third.number].outcome == "deleted"
    assert [one.outcome for one in found.values()].count("missed") == 1
    texts = [row.accessibleName() for row in _section(corrected).rows if row.isVisible()]
    assert len(texts) == len(found)
    assert any("rejected: vessel" in text and "Dice 0.000" in text for text in texts)


def test_the_figures_are_those_of_the_voxels(corrected, qtbot):
    _press(corrected, qtbot)
    case = corrected.reading.case
    ml = abs(np.linalg.det(case.volume.affine[:3, :3])) / 1000
    for one in corrected.record.comparing.compared():
        lesion = case.document.lesion(one.target_id)
        gone = one.outcome in ("rejected", "deleted")
        shape = case.volume.shape_kji
        now = np.zeros(shape, bool) if gone else lesion.mask.to_array(shape)
        drawn = case.document.ai_mask(lesion.id) if lesion.run else None
        was = np.zeros(shape, bool) if drawn is None else drawn.to_array(shape)
        assert one.added_ml == pytest.approx((now & ~was).sum() * ml)
        assert one.removed_ml == pytest.approx((was & ~now).sum() * ml)
        assert one.kept_ml == pytest.approx((was & now).sum() * ml)
        assert one.dice == pytest.approx(2 * (was & now).sum() / (was.sum() + now.sum()))


def test_the_image_has_the_colours(corrected, qtbot):
    view = corrected.views.views[0]
    _press(corrected, qtbot)
    fills = view.overlay.fills()
    assert {fill.colour for fill in fills} == {
        change_layer.ADDED,
        change_layer.REMOVED,
        change_layer.KEPT,
    }
    shown = corrected.grab().toImage()
    _press(corrected, qtbot)
    assert view.overlay.fills() == []
    assert corrected.grab().toImage() != shown


def test_it_follows_undo_and_threshold(corrected, qtbot):
    _press(corrected, qtbot)
    comparing = corrected.record.comparing
    before = len(comparing.compared())
    while corrected.reading.case.undo_name not in (None, "AI run"):
        corrected.corrections.undo()
    assert all(one.outcome == "ai" and one.same for one in comparing.compared())
    corrected.reading.set_threshold(1.0)
    assert len(comparing.compared()) < before
    assert "Nothing is listed" in _section(corrected)._note.text()


def test_a_row_goes_to_its_finding(corrected, qtbot):
    _press(corrected, qtbot)
    section = _section(corrected)
    compared = corrected.record.comparing.compared()
    for row, one in zip(section.rows, compared, strict=False):
        for _ in range(2):
            row.click()
            at = corrected.reading.case.document.lesion(one.target_id).centre_lps_mm
            assert np.allclose(corrected.reading.cursor_lps_mm, at, atol=10)


def test_it_says_why_it_cannot_be_shown(window, qtbot, phantom_folder):
    action = window.actions_by_id["changes"]
    assert not action.isEnabled()
    assert "Open a series" in action.toolTip()
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([phantom_folder])
    qtbot.waitUntil(lambda: "Run the model" in action.toolTip(), timeout=20_000)
    with qtbot.waitSignal(window.ai.ended, timeout=20_000):
        window.ai.run()
    qtbot.waitUntil(action.isEnabled, timeout=20_000)


def test_nothing_of_it_is_left_in_the_next_case(corrected, qtbot):
    _press(corrected, qtbot)
    case = corrected.reading.case
    corrected.reading.set_case(None)
    assert case.close() == 0
    assert corrected.record.comparing.compared() == ()
    assert not _section(corrected).isVisible()
    assert not corrected.reading.shown.changes


def test_nothing_of_it_shows_while_the_ai_is_held_back(corrected, qtbot):
    _press(corrected, qtbot)
    corrected.reading.show(ai_held_back=True)
    assert corrected.views.views[0].overlay.fills() == []
    assert not _section(corrected).isVisible()
    corrected.reading.show(ai_held_back=False)
    assert _section(corrected).isVisible()
