"""Who follows every change does so once for all that one change says."""

import pytest

from viewer.ui.settling import Settling

from .conftest import settle


def test_what_is_asked_for_within_a_change_is_done_once_and_at_its_end():
    done = []
    settling = Settling()

    def one():
        done.append("one")

    def other():
        done.append("other")

    settling.ask(one)
    assert done == ["one"]
    with settling.held():
        settling.ask(other)
        with settling.held():
            settling.ask(one)
            settling.ask(other)
        assert done == ["one"]
    assert done == ["one", "other", "one"]
    settling.ask(one)
    assert done[3:] == ["one"]


def test_a_change_that_fails_is_followed_too():
    done = []
    settling = Settling()

    def follow():
        done.append(1)

    with pytest.raises(KeyError), settling.held():
        settling.ask(follow)
        raise KeyError
    assert done == [1]


def test_the_window_follows_a_case_and_a_result_once_each(opened, qtbot, monkeypatch):
    from viewer.ui import availability

    followed = []
    follow = availability.follow

    def counted(*args):
        followed.append(1)
        follow(*args)

    monkeypatch.setattr(availability, "follow", counted)
    opened.reading.set_case(opened.reading.case, opened.reading.window)
    assert len(followed) == 1
    assert opened.actions_by_id["export"].isEnabled()
    assert not opened.actions_by_id["accept"].isEnabled()
    with qtbot.waitSignal(opened.ai.found):
        opened.ai.run()
    settle(opened)
    assert opened.actions_by_id["accept"].isEnabled()
    assert opened.panel.list.count() == len(opened.reading.lesions)
    rows = opened.panel.list
    assert rows.currentRow() == 0, "what is selected while the list was not yet filled is chosen"
