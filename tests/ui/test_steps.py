"""Steps by name; the threshold and the colours of labels are steps like all else."""

import pytest

from viewer.ui import label_colours


@pytest.fixture
def stepped(reviewed):
    case = reviewed.reading.case
    for verdict in ("accepted", "rejected", "unsure"):
        lesion = case.document.lesions[0]
        reviewed.corrections.change(lambda c, i=lesion.id, v=verdict: c.set_verdict(i, v))
    return reviewed


@pytest.fixture(autouse=True)
def own_colours():
    yield
    label_colours.restore("")


def _texts(menu):
    return [action.text() for action in menu.actions() if action.text()]


def test_the_list_names_every_step(stepped):
    stepped.corrections.undo()
    menu = stepped.record.steps.menu()
    assert _texts(menu) == [
        "Redo up to “Mark nodule 1 unsure”",
        "Now",
        "Undo “Reject nodule 1”",
        "Undo “Accept nodule 1” and the 1 after it",
        "Undo “AI run” and the 2 after it",
    ]
    assert stepped.actions_by_id["steps"].isEnabled()
    menu.deleteLater()


def test_a_step_that_is_chosen_is_gone_to(stepped):
    case = stepped.reading.case
    for choose, stands in (("Reject", "accepted"), ("unsure", "unsure")):
        menu = stepped.record.steps.menu()
        next(a for a in menu.actions() if choose in a.text()).trigger()
        assert case.document.lesions[0].verdict == stands
        menu.deleteLater()


def test_a_long_history_is_cut_and_says_so(stepped):
    for n in range(40):
        stepped.corrections.change(lambda c, n=n: c.set_note("comment", "d1", {"text": str(n)}))
    menu = stepped.record.steps.menu()
    assert _texts(menu)[-1] == "19 earlier steps"
    menu.deleteLater()


def test_a_threshold_that_was_let_go_of_is_undone(stepped):
    case, slider = stepped.reading.case, stepped.panel.threshold.slider
    own, shown = case.threshold, len(case.shown)
    slider.setSliderDown(True)
    slider.setValue(99)
    assert case.undo_name != "Score threshold"
    slider.setSliderDown(False)
    slider.released.emit()
    assert case.undo_name == "Score threshold"
    assert len(case.shown) < shown
    stepped.corrections.undo()
    assert case.threshold == own
    assert slider.value() == round(own * 100)
    assert len(case.shown) == shown
    stepped.corrections.redo()
    assert case.threshold == 0.99


def test_a_threshold_moved_by_keys_is_a_step_when_the_move_is_over(stepped, qtbot):
    case, slider = stepped.reading.case, stepped.panel.threshold.slider
    for value in (60, 61, 62):
        slider.setValue(value)
    qtbot.waitUntil(lambda: case.undo_name == "Score threshold", timeout=20_000)
    assert case.steps[0].count("Score threshold") == 1


def test_a_colour_is_undone_and_done_again(stepped):
    before = label_colours.label_colour("nodule")
    first, second = [c for c in label_colours.OKABE_ITO if c != before][:2]
    for colour in (first, second):
        label_colours.choose("nodule", colour)
        stepped.panel.segments.coloured.emit()
    case = stepped.reading.case
    assert case.undo_name == "Colour of a label"
    for wanted in (first, before):
        stepped.corrections.undo()
        assert label_colours.label_colour("nodule") == wanted
    for wanted in (first, second):
        stepped.corrections.redo()
        assert label_colours.label_colour("nodule") == wanted
    assert stepped.settings.text("label_colours") == label_colours.kept()
    assert case.steps[0].count("Colour of a label") == 2


def test_without_steps_it_says_why(opened):
    action = opened.actions_by_id["steps"]
    assert not action.isEnabled()
    assert "Nothing to undo" in action.toolTip()
