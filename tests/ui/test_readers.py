"""Two readers: the second sees nothing of the first; committed, both are compared."""

import pytest

from .conftest import settle


def _name(window, name):
    window.set_reader(name)
    settle(window)


def _wait_open(window, qtbot, *, second):
    def there():
        case = window.reading.case
        return case is not None and case.second == second and not window.opener.busy

    qtbot.waitUntil(there, timeout=20_000)
    settle(window)


@pytest.fixture
def first_read(reviewed):
    """The window with a case that a first reader has read."""
    _name(reviewed, "First Reader")
    lesions = reviewed.reading.case.document.lesions
    for n, lesion in enumerate(reviewed.reading.case.shown):
        verdict = "accepted" if n else "rejected"
        reviewed.corrections.change(lambda c, i=lesion.id, v=verdict: c.set_verdict(i, v))
    assert lesions
    reviewed.actions_by_id["commit_reading"].trigger()
    settle(reviewed)
    return reviewed


@pytest.fixture
def second(first_read, qtbot):
    """The same with the second reading begun by somebody else."""
    _name(first_read, "Second Reader")
    first_read.actions_by_id["second_reading"].trigger()
    _wait_open(first_read, qtbot, second=True)
    return first_read


def _judge_all(window, verdict="accepted"):
    for lesion in window.reading.case.shown:
        window.corrections.change(lambda c, i=lesion.id: c.set_verdict(i, verdict))


def test_it_is_by_somebody_else(first_read):
    action = first_read.actions_by_id["second_reading"]
    assert not action.isEnabled()
    assert "somebody else" in action.toolTip()
    _name(first_read, "Second Reader")
    assert action.isEnabled()


def test_the_second_reader_sees_the_ai_and_nothing_of_the_first(second):
    case = second.reading.case
    assert second.actions_by_id["second_reading"].isChecked()
    assert case.document.findings is not None
    assert all(lesion.verdict is None for lesion in case.document.record)
    assert case.readers == {"Second Reader"}
    assert case.steps[0] == ("AI run",)
    assert "is not shown" in second.message.text


def test_it_is_committed_when_all_is_judged_and_compared_then(second, qtbot):
    actions = second.actions_by_id
    assert not actions["second_reading"].isEnabled()
    assert "are left" in actions["second_reading"].toolTip()
    assert "not committed" in actions["agreement"].toolTip()
    _judge_all(second)
    assert actions["second_reading"].isEnabled()
    actions["second_reading"].trigger()
    settle(second)
    assert actions["agreement"].isEnabled()
    with qtbot.waitSignal(second.record.readers.compared, timeout=20_000):
        actions["agreement"].trigger()
    dialog = second.record.readers.dialog
    n = len(second.reading.case.shown)
    assert dialog.table.rowCount() == n
    assert f"the same on {n - 1} of {n}" in dialog.summary.text()
    assert dialog.table.item(0, 5).text().startswith("▲")
    assert dialog.table.item(1, 5).text().startswith("✓")
    dialog.table.cellClicked.emit(1, 0)
    dialog.close()
    settle(second)
    assert second.record.readers.dialog is None
    # Now both may be looked at.
    actions["second_reading"].trigger()
    _wait_open(second, qtbot, second=False)
    assert second.reading.case.document.record[0].verdict == "rejected"
    actions["second_reading"].trigger()
    _wait_open(second, qtbot, second=True)
    assert second.reading.case.document.record[0].verdict == "accepted"


def test_its_reader_gets_no_other_reading_until_it_is_committed(second, qtbot, phantom_folder):
    with qtbot.waitSignal(second.opener.opened, timeout=20_000):
        second.open_paths([phantom_folder])
    _wait_open(second, qtbot, second=True)
    # The first reader gets his own, and learns who is at it.
    second.settings.put("reader", "First Reader")
    with qtbot.waitSignal(second.opener.opened, timeout=20_000):
        second.open_paths([phantom_folder])
    _wait_open(second, qtbot, second=False)
    action = second.actions_by_id["second_reading"]
    assert not action.isEnabled()
    assert "Second Reader" in action.toolTip()


def test_without_a_case_they_say_why(window):
    for name in ("second_reading", "agreement"):
        assert not window.actions_by_id[name].isEnabled()
        assert "Open a series" in window.actions_by_id[name].toolTip()
