"""Two readers: the second sees nothing of the first; committed, both are compared."""

import pytest
from PySide6.QtWidgets import QComboBox, QLineEdit

from viewer import second_reading
from viewer.annotate.audit import KnownNames, read_audit
from viewer.ui.dialogs import ReaderDialog

from .conftest import settle


def _name(window, name):
    window.set_reader(name)
    settle(window)


def wait_open(window, qtbot, *, which):
    def there():
        case = window.reading.case
        return case is not None and case.which == which and not window.opener.busy

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
    wait_open(first_read, qtbot, which="second")
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
    wait_open(second, qtbot, which="first")
    assert second.reading.case.document.record[0].verdict == "rejected"
    actions["second_reading"].trigger()
    wait_open(second, qtbot, which="second")
    assert second.reading.case.document.record[0].verdict == "accepted"


def test_its_reader_gets_no_other_reading_until_it_is_committed(second, qtbot, phantom_folder):
    with qtbot.waitSignal(second.opener.opened, timeout=20_000):
        second.open_paths([phantom_folder])
    wait_open(second, qtbot, which="second")
    # The first reader gets his own, and learns who is at it.
    second.settings.put("reader", "First Reader")
    with qtbot.waitSignal(second.opener.opened, timeout=20_000):
        second.open_paths([phantom_folder])
    wait_open(second, qtbot, which="first")
    action = second.actions_by_id["second_reading"]
    assert not action.isEnabled()
    assert "Second Reader" in action.toolTip()


def test_without_a_case_they_say_why(window):
    for name in ("second_reading", "agreement"):
        assert not window.actions_by_id[name].isEnabled()
        assert "Open a series" in window.actions_by_id[name].toolTip()


def test_a_committed_reading_takes_no_change_and_says_why(first_read):
    case, actions = first_read.reading.case, first_read.actions_by_id
    assert case.committed
    assert actions["commit_reading"].isChecked()
    for name in ("accept", "brush", "undo", "run"):
        assert not actions[name].isEnabled()
        assert "committed" in actions[name].toolTip()
    assert first_read.record.readers.line().endswith("committed")


def test_its_reader_takes_the_commit_back_while_there_is_no_other(first_read, qtbot):
    first_read.actions_by_id["commit_reading"].trigger()
    qtbot.waitUntil(lambda: bool(first_read.reading.case) and not first_read.reading.case.committed)
    wait_open(first_read, qtbot, which="first")
    assert first_read.actions_by_id["accept"].isEnabled()
    first_read.actions_by_id["commit_reading"].trigger()
    assert first_read.reading.case.committed


def test_a_commit_stays_when_another_reading_is_begun(second, qtbot):
    _name(second, "First Reader")
    wait_open(second, qtbot, which="first")
    action = second.actions_by_id["commit_reading"]
    assert not action.isEnabled()
    assert "another reading was begun" in action.toolTip()


def test_only_its_reader_commits_a_reading(reviewed):
    action = reviewed.actions_by_id["commit_reading"]
    assert "Name the reader" in action.toolTip()
    _name(reviewed, "First Reader")
    assert "are left" in action.toolTip()
    _judge_all(reviewed)
    assert action.isEnabled()
    _name(reviewed, "Somebody Else")
    assert not action.isEnabled()
    assert "First Reader" in action.toolTip()


@pytest.mark.parametrize("name", ["First Reader", "Somebody Else", ""])
def test_a_change_of_name_leaves_the_second_reading_under_way(second, qtbot, name):
    _judge_all(second, "unsure")
    _name(second, name)
    wait_open(second, qtbot, which="first")
    assert second.reading.case.reader.name == name
    assert all(lesion.verdict != "unsure" for lesion in second.reading.case.document.record)
    assert "is under way" in second.actions_by_id["second_reading"].toolTip()
    # Its own reader is led back to it.
    _name(second, "Second Reader")
    wait_open(second, qtbot, which="second")
    assert all(lesion.verdict == "unsure" for lesion in second.reading.case.shown)


def test_the_name_stays_where_the_reading_cannot_be_left(second, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(second, "everything_saved", lambda: False)
        _name(second, "First Reader")
    assert second.reading.case.second
    assert second.reading.case.reader.name == "Second Reader"
    assert second.settings.text("reader") == "Second Reader"


def test_whoever_has_seen_the_first_is_told_of_as_such(second):
    case = second.reading.case
    case.flush()
    assert second_reading.standing(second_reading.home_of(case.folder, "second")).seen
    assert case.events == 1


def test_each_reader_begins_blind_when_it_is_set_so(first_read, qtbot, phantom_folder):
    first_read.reading.preferences.put("own_readings", True)
    _name(first_read, "Second Reader")
    wait_open(first_read, qtbot, which="second")
    case = first_read.reading.case
    assert case.document.findings is not None
    assert all(lesion.verdict is None for lesion in case.document.record)
    case.flush()
    assert not second_reading.standing(second_reading.home_of(case.folder, "second")).seen
    # Also at the opening, and the first reader stays with his own.
    with qtbot.waitSignal(first_read.opener.opened):
        first_read.open_paths([phantom_folder])
    wait_open(first_read, qtbot, which="second")
    _name(first_read, "First Reader")
    wait_open(first_read, qtbot, which="first")


def test_who_is_named_while_the_images_are_read_is_the_reader(window, qtbot, phantom_folder):
    with qtbot.waitSignal(window.opener.opened):
        window.open_paths([phantom_folder])
        window.set_reader("Early Bird", "Resident")
    settle(window)
    assert window.reading.case.reader.name == "Early Bird"
    assert window.reading.case.reader.role == "Resident"


def test_name_and_role_are_asked_once_and_kept(window, qtbot):
    def dialogs():
        return [w for w in window.findChildren(ReaderDialog) if w.isVisible()]

    window.asking.reader_at_start()
    (dialog,) = dialogs()
    assert not dialog.isModal()
    dialog.findChild(QLineEdit).setText("  Dr.  A. Reader ")
    dialog.findChild(QComboBox).setCurrentText("Resident")
    dialog.accept()
    settle(window)
    assert window.settings.text("reader") == "Dr. A. Reader"
    assert window.record.readers.line() == "Dr. A. Reader, Resident"
    window.asking.reader_at_start()
    assert not dialogs()


def test_who_does_not_want_to_be_named_is_not_asked_again(window):
    window.asking.reader_at_start()
    for dialog in window.findChildren(ReaderDialog):
        dialog.reject()
    settle(window)
    window.asking.reader_at_start()
    assert not [w for w in window.findChildren(ReaderDialog) if w.isVisible()]


def test_the_role_stands_in_the_log(reviewed):
    reviewed.set_reader("Dr. A. Reader", "Resident")
    first = reviewed.reading.case.shown[0].id
    reviewed.corrections.change(lambda c: c.set_verdict(first, "accepted"))
    case = reviewed.reading.case
    case.flush()
    log = read_audit(case.folder, KnownNames(case.document))
    assert (log.rows[-1].reader, log.rows[-1].role) == ("Dr. A. Reader", "Resident")


def test_who_is_named_while_the_images_are_read_gets_his_own_reading(second, qtbot, phantom_folder):
    _name(second, "First Reader")
    wait_open(second, qtbot, which="first")
    with qtbot.waitSignal(second.opener.opened):
        second.open_paths([phantom_folder])
        second.settings.put("reader", "Second Reader")
    wait_open(second, qtbot, which="second")
    assert second.reading.case.reader.name == "Second Reader"
