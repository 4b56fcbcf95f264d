"""Active seconds: of the finding that is selected, while something is done."""

import pytest

from viewer.ui import attending


@pytest.fixture
def clock(reviewed, monkeypatch):
    """A clock that the test moves, and a window that has the keyboard."""

    class Clock:
        now = 1.0e9  # behind no real one

        @classmethod
        def monotonic(cls):
            return cls.now

    monkeypatch.setattr(attending, "time", Clock)
    room = reviewed.record.attending
    room._timer.setInterval(10_000_000)
    monkeypatch.setattr(room, "in_front", lambda: True)
    reviewed.reading.select(None)
    reviewed.reading.case.attention._waiting.clear()
    return Clock


def test_the_selected_finding_gets_the_time(reviewed, clock):
    room, case = reviewed.record.attending, reviewed.reading.case
    first, second = case.document.lesions[:2]
    reviewed.reading.select(first.id)
    for _ in range(5):
        clock.now += 1
        room.tick()
    clock.now += 0.5
    reviewed.reading.select(second.id)
    clock.now += 1
    room.tick()
    assert case.attention.seconds(first.id) == 5.5
    assert case.attention.seconds(second.id) == 1


def test_nothing_done_counts_for_nothing(reviewed, clock):
    room, case = reviewed.record.attending, reviewed.reading.case
    lesion = case.document.lesions[0]
    reviewed.reading.select(lesion.id)
    for _ in range(60):
        clock.now += 1
        room.tick()
    assert case.attention.seconds(lesion.id) == attending.IDLE_S
    reviewed.reading.show(crosshair=False)
    clock.now += 1
    room.tick()
    assert case.attention.seconds(lesion.id) == attending.IDLE_S + 1


def test_a_sleep_of_the_computer_is_no_reading(reviewed, clock):
    room, case = reviewed.record.attending, reviewed.reading.case
    lesion = case.document.lesions[0]
    reviewed.reading.select(lesion.id)
    clock.now += 15
    room.tick()
    assert case.attention.seconds(lesion.id) == 2


def test_a_window_behind_others_is_not_read(reviewed, clock, monkeypatch):
    room, case = reviewed.record.attending, reviewed.reading.case
    lesion = case.document.lesions[0]
    monkeypatch.setattr(room, "in_front", lambda: False)
    reviewed.reading.select(lesion.id)
    clock.now += 1
    room.tick()
    assert case.attention.seconds(lesion.id) == 0
