"""The findings queue in the real window: order, kind, steps, reasons, the counter."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

import resources
from viewer.ui.queue import KINDS, ORDERS

from .conftest import settle
from .queue_case import SHOWN, counter, listed, spoken
from .test_review import control, key

SHIFT = Qt.KeyboardModifier.ShiftModifier


# ------------------------------------------------------------------ the whole review


def test_twelve_findings_are_reviewed_by_keyboard_in_three_keys_each_at_most(full):
    case = full.reading.case
    said = [
        ["A", "J"],
        ["X", "1", "J"],
        ["U", "J"],
        ["X", "J"],
        ["X", "2", "J"],
        ["A", "J"],
        ["X", "3", "J"],
        ["A", "J"],
        ["X", "4", "J"],
        ["X", "5", "J"],
        ["U", "J"],
        ["A", "J"],
    ]
    assert counter(full) == "0 of 12 reviewed"
    for number, keys in enumerate(said, 1):
        assert len(keys) <= 3
        for name in keys:
            key(full, name)
        assert counter(full) == f"{number} of 12 reviewed"
    reasons = {row["key"]: name for name, row in resources.table("rejection_reasons").items()}
    verdicts = {"A": "accepted", "X": "rejected", "U": "unsure"}
    for lesion, keys in zip(case.shown, said, strict=True):
        assert lesion.verdict == verdicts[keys[0]]
        assert lesion.decision.reason == reasons.get(keys[1], "")
        assert lesion.reader == "Dr. A. Test"
        assert lesion.decided_utc.endswith("Z")
    rejected = spoken(full, 1)
    assert "Rejected: vessel · Dr. A. Test · " in rejected
    assert "not reviewed" not in rejected
    assert case.progress == (12, 12)


def test_with_going_on_a_verdict_is_one_key_and_leads_past_what_is_reviewed(full):
    case = full.reading.case
    full.actions_by_id["go_on"].trigger()
    ids = [lesion.id for lesion in case.shown]
    full.reading.select(ids[1])
    key(full, "A")
    assert full.reading.selected == ids[2]
    full.reading.select(ids[0])
    key(full, "X")
    assert full.reading.selected == ids[0]  # until the reason is given
    key(full, "2")
    assert full.reading.selected == ids[2]
    for _ in range(9):
        key(full, "U")
    assert full.reading.selected == ids[11]
    key(full, "A")
    assert counter(full) == "12 of 12 reviewed"
    assert full.reading.selected == ids[11]
    assert "All findings are reviewed" in full.status._text.text()
    # Taking a verdict back leads nowhere.
    key(full, "A")
    assert full.reading.lesion.verdict is None
    assert full.reading.selected == ids[11]


def test_everything_comes_back_when_the_case_is_opened_again(full, qtbot, phantom_folder):
    key(full, "X")
    key(full, "4")
    key(full, "J")
    key(full, "A")
    before = [(x.id, x.decision) for x in full.reading.case.document.lesions]
    with qtbot.waitSignal(full.opener.opened, timeout=20_000):
        full.open_paths([phantom_folder])
    settle(full)
    assert [(x.id, x.decision) for x in full.reading.case.document.lesions] == before
    assert before[0][1].reason == "motion"
    control(full, "Z")
    control(full, "Z")
    assert full.reading.case.document.lesion(before[0][0]).verdict is None


# ----------------------------------------------------------------------- the reasons


def test_a_reason_is_one_step_with_its_rejection(full):
    key(full, "X")
    assert full.panel.reasons.isVisible()
    key(full, "3")
    assert not full.panel.reasons.isVisible()
    lesion = full.reading.lesion
    assert (lesion.verdict, lesion.decision.reason) == ("rejected", "hilar")
    control(full, "Z")
    assert full.reading.lesion.verdict is None
    control(full, "Y")
    assert full.reading.lesion.decision.reason == "hilar"


def test_digits_give_a_reason_only_while_one_is_asked_for(full):
    window = full.reading.window
    key(full, "X")
    key(full, "2")
    assert full.reading.window == window
    assert full.reading.lesion.decision.reason == "scar"
    key(full, "2")
    assert (full.reading.window.centre, full.reading.window.width) == (-600, 1500)
    assert full.reading.lesion.decision.reason == "scar"


@pytest.mark.parametrize("name", ["Escape", "J", "0", "H", "W"])
def test_esc_and_every_other_command_leave_the_rejection_without_a_reason(full, name):
    lesion_id = full.reading.selected
    full.reading.set_tool("brush")
    key(full, "X")
    key(full, name)
    assert not full.panel.reasons.isVisible()
    assert full.reading.case.document.lesion(lesion_id).verdict == "rejected"
    assert full.reading.case.document.lesion(lesion_id).decision.reason == ""
    if name == "Escape":
        assert full.reading.tool == "brush"  # one Esc, one thing
    full.reading.set_window(full.reading.window.moved(40, 777))
    key(full, "1")
    assert full.reading.window.width == 400


def test_reasons_can_be_clicked_and_stay_off_the_image(full):
    key(full, "X")
    strip = full.panel.reasons
    one_line = strip.buttons["vessel"].mapTo(full, strip.buttons["vessel"].rect().center()).y()
    for button in strip.buttons.values():
        assert button.isVisible()
        assert button.mapTo(full, button.rect().center()).y() == one_line
        inside = button.mapTo(full.panel, button.rect().topLeft())
        assert full.panel.rect().contains(inside)
        assert inside.x() + button.width() <= full.panel.width()
    QTest.mouseClick(strip.buttons["other"], Qt.MouseButton.LeftButton)
    settle(full)
    assert full.reading.lesion.decision.reason == "other"


def test_choosing_another_finding_or_undo_ends_the_asking(full):
    key(full, "X")
    full.reading.select("d5")
    settle(full)
    assert not full.panel.reasons.isVisible()
    key(full, "X")
    control(full, "Z")
    assert not full.panel.reasons.isVisible()
    key(full, "1")
    assert full.reading.lesion.verdict is None


# ------------------------------------------------------------------- order and kind


def test_every_order_is_what_its_name_says(full, twelve):
    case, queue = full.reading.case, full.queue
    said = {d.id: d for d in twelve.detections}
    full.reading.select("d4")
    key(full, "A")
    for order in ORDERS:
        queue.set_order(order)
        settle(full)
        ids = listed(full)
        assert sorted(ids) == sorted(x.id for x in case.shown)
        assert ids == [x.id for x in queue.rows()]
        assert full.reading.selected == "d4"
        rows = full.panel.list
        assert listed(full)[rows.currentRow()] == "d4"
        values = {
            "number": [case.document.lesion(n).number for n in ids],
            "score": [-said[n].score for n in ids],
            "size": [-said[n].diameter_mm for n in ids],
            "volume": [-said[n].volume_ml for n in ids],
            "uncertainty": [-said[n].uncertainty for n in ids],
            "open": [case.document.lesion(n).reviewed for n in ids],
            "place": [case.place(case.document.lesion(n)).startswith("left") for n in ids],
        }[order]
        assert values == sorted(values), order
        for row, lesion_id in enumerate(ids):
            assert spoken(full, row).startswith(f"{case.document.lesion(lesion_id).number} · ")
    assert listed(full)[-1] == "d4"  # the last order: not reviewed first


def test_places_go_from_the_patients_right_to_his_left_and_from_the_head_down(full):
    full.queue.set_order("place")
    settle(full)
    case = full.reading.case
    lesions = [case.document.lesion(lesion_id) for lesion_id in listed(full)]
    words = ["right, upper", "right, middle", "right, lower", "left, upper", "left, middle"]
    ranks = [(*words, "left, lower").index(case.place(x).removesuffix(" third")) for x in lesions]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 2


def test_the_order_is_remembered_and_the_kind_is_not(full, qtbot, phantom_folder):
    full.queue.set_order("volume")
    full.queue.set_kind("open")
    with qtbot.waitSignal(full.opener.opened, timeout=20_000):
        full.open_paths([phantom_folder])
    settle(full)
    assert (full.queue.order, full.queue.kind) == ("volume", "all")
    assert full.settings.text("findings order") == "volume"


def test_every_kind_lists_its_own_and_the_selected_one(full):
    verdicts = {"A": "accepted", "X": "rejected", "U": "unsure"}
    for n, name in enumerate(verdicts):
        full.reading.select(f"d{n + 1}")
        key(full, name)
        key(full, "Escape")
    full.corrections.add_missed(full.reading.cursor_lps_mm)
    full.reading.select("d9")
    expected = {
        "all": {*(f"d{n}" for n in range(1, 13)), "h1"},
        "open": {f"d{n}" for n in range(4, 13)},
        "accepted": {"d1", "d9"},
        "rejected": {"d2", "d9"},
        "unsure": {"d3", "d9"},
        "human": {"h1", "d9"},
    }
    for kind in KINDS:
        full.queue.set_kind(kind)
        settle(full)
        assert set(listed(full)) == expected[kind], kind
        assert counter(full) == "4 of 13 reviewed"
        text = full.panel.controls._kind.text()
        assert ("of 13" in text) == (kind != "all")
    full.reading.select("h1")
    settle(full)
    assert listed(full) == ["h1"]  # what was kept in sight only while selected is gone


def test_a_verdict_leaves_its_row_in_sight_until_the_next_one_is_chosen(full):
    full.queue.set_kind("open")
    key(full, "A")
    assert listed(full)[0] == "d1"
    assert "Accepted" in spoken(full, 0)
    key(full, "J")
    assert full.reading.selected == "d2"
    assert listed(full)[0] == "d2"


def test_next_and_previous_follow_the_list_and_go_around(full):
    full.queue.set_order("volume")
    full.queue.set_kind("open")
    order = listed(full)
    full.reading.select(order[0])
    for wanted in [*order[1:], order[0]]:
        key(full, "J")
        assert full.reading.selected == wanted
    key(full, "K")
    assert full.reading.selected == order[-1]


def test_shift_steps_to_what_is_not_reviewed_whatever_is_listed(full):
    for n in (2, 3):
        full.reading.select(f"d{n}")
        key(full, "A")
    full.reading.select("d1")
    QTest.keyClick(full, Qt.Key.Key_J, SHIFT)
    assert full.reading.selected == "d4"
    QTest.keyClick(full, Qt.Key.Key_K, SHIFT)
    assert full.reading.selected == "d1"
    full.queue.set_kind("accepted")
    QTest.keyClick(full, Qt.Key.Key_K, SHIFT)
    settle(full)
    assert full.reading.selected == "d12"
    assert "d12" in listed(full)


def test_the_steps_say_when_nothing_is_left(full):
    for n in range(1, 13):
        full.reading.select(f"d{n}")
        key(full, "A")
    action = full.actions_by_id["next_open"]
    assert not action.isEnabled()
    assert "All findings are reviewed" in action.toolTip()


@pytest.mark.parametrize(
    ("name", "modifiers", "entries"),
    [
        ("S", SHIFT, ORDERS),
        ("F", Qt.KeyboardModifier.ControlModifier, KINDS),
    ],
)
@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_order_and_kind_are_chosen_with_the_keyboard(full, name, modifiers, entries):
    for round_ in range(2):  # and on the second time
        key(full, name, modifiers)
        menu = QApplication.activePopupWidget()
        assert menu is not None
        panel = full.panel.mapToGlobal(full.panel.rect().topLeft()).x()
        if full.screen().geometry().right() > panel + full.panel.width():  # room for it
            assert menu.geometry().left() >= panel
        QTest.keyClick(menu, Qt.Key.Key_Down)
        QTest.keyClick(menu, Qt.Key.Key_Return)
        settle(full)
        chosen = full.queue.order if entries is ORDERS else full.queue.kind
        assert chosen == entries[round_ + 1]


# ------------------------------------------------------------------------- the rows


def test_a_row_says_state_score_size_volume_place_impression_and_doubt(full, twelve):
    case = full.reading.case
    for row, lesion in enumerate(case.shown):
        text = spoken(full, row)
        said = next(d for d in twelve.detections if d.id == lesion.id)
        for part in (
            f"{lesion.number} · Nodule",
            f"score {said.score:.2f}",
            f"{said.diameter_mm:.1f} × {said.short_axis_mm:.1f} mm",
            "mL",
            case.place(lesion)[1:],
            f"impression {said.impression.malignancy:.1f} of 5",
            f"agree {round(100 * (1 - said.uncertainty))} %",
            "not reviewed",
        ):
            assert part in text, (part, text)


def read_out(widget):
    """Return everything that a screen reader finds under a widget, also what is hidden."""
    found, waiting = [], [QAccessible.queryAccessibleInterface(widget)]
    while waiting:
        one = waiting.pop()
        if one is None:
            continue
        found += [
            one.text(kind)
            for kind in (
                QAccessible.Text.Name,
                QAccessible.Text.Description,
                QAccessible.Text.Value,
                QAccessible.Text.Help,
            )
        ]
        waiting += [one.child(n) for n in range(one.childCount())]
    return " | ".join(filter(None, found))


def test_nothing_of_the_ai_is_in_the_panel_while_it_is_hidden(full, twelve):
    text = read_out(full.panel)
    assert "score 0.97" in text and "impression" in text and "12 shown" in text
    full.corrections.add_missed(full.reading.cursor_lps_mm)
    key(full, "W")
    full.reading.shown.ai_held_back = True
    full.reading.show()
    settle(full)
    assert listed(full) == ["h1"]
    assert counter(full) == "1 of 1 reviewed"
    assert not full.panel.threshold.isVisible()
    assert not full.panel.opinion.text()
    assert full.panel.threshold._note.text() == ""
    assert full.panel.corrections._text.text() == ""
    assert not full.panel.run_state.isVisible()
    assert full.panel.threshold._value.text() == ""
    assert not full.panel.segments.isVisible()
    text = read_out(full.panel)
    said = [" of 5", "agree", "shown ·", "of 12", "of 13", "vanish", "below"]
    said += [f"{d.score:.2f}" for d in twelve.detections if d.score not in (0.1, 0.25)]
    said += [f"{d.diameter_mm:.1f} ×" for d in twelve.detections]
    assert [part for part in said if part in text] == []
    full.reading.shown.ai_held_back = False
    full.reading.show()
    settle(full)
    assert len(listed(full)) == SHOWN + 1
