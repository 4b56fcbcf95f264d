"""The queue in the background: order, refusal, failure, pause, restart, open and next case."""

import json
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from inference import registry
from inference.findings import Detection, Findings, Mask, ModelStamp
from resources.problem import Problem
from tests.dicom_files import stored, write_stack
from viewer import folders, impressions, worklist_case
from viewer.annotate.lock import CaseLock
from viewer.session import Case, Reader
from viewer.study import order, scan
from viewer.study.read import read
from viewer.worklist import Worklist

from .conftest import settle
from .test_review import control
from .test_worklist import again, listed, on_list, show_list

UID = "1.2.826.0.1.3680043.8.498"


def small_findings():
    """One finding that lies in any volume of six slices."""
    mask = Mask((1, 2, 2), np.ones((1, 2, 2), dtype=np.bool_))
    found = Detection("d1", "nodule", 0.9, (0.0, 0.0, 0.0), 4.0, 3.0, 0.1, 0.0, mask)
    return Findings(ModelStamp("scripted", "0", "0" * 64), "CPU", (found,), (), None, 0.4, {})


@pytest.fixture
def process(process):
    process.findings = small_findings()
    return process


@pytest.fixture
def three(tmp_path):
    """Three studies of three patients in one folder."""
    for number in (1, 2, 3):
        write_stack(
            tmp_path / "secret-folder" / f"study{number}",
            stored(6),
            PatientName=f"Canary^{number}",
            SeriesInstanceUID=f"{UID}.{number}1",
            StudyInstanceUID=f"{UID}.{number}0",
        )
    return tmp_path / "secret-folder"


def keys_of(three):
    result = scan.scan([three])
    plans = [plan for series in result.series for plan in order.volumes(series)]
    return {plan.series.patient.name[-1]: worklist_case.unopened(plan, plans, [three]).case_key
            for plan in plans}  # fmt: skip


def wait_for(qtbot, window, **states):
    """Wait until the items of the queue have these states, by case key."""

    def there():
        found = {item.case_key: item.state for item in window.batch.items}
        return all(found.get(key) == state for key, state in states.items())

    qtbot.waitUntil(there, timeout=20_000)
    window.batch._files.waitForDone()
    settle(window)


def states(window):
    return {item.case_key: item.state for item in window.batch.items}


def reopened(three, key):
    """Open the case of a study from the disk, as another program start does."""
    result = scan.scan([three])
    for series in result.series:
        for plan in order.volumes(series):
            if worklist_case.unopened(plan, (), [three]).case_key == key:
                return Case.open(series, plan, read(plan), reader=Reader("test"))
    raise AssertionError(key)


# --------------------------------------------------------------------------- analysing


def test_all_studies_of_a_folder_are_analysed_and_kept_in_their_own_journals(
    window, qtbot, process, three
):
    window.batch.add_folders([three])
    keys = keys_of(three)
    wait_for(qtbot, window, **dict.fromkeys(keys.values(), "done"))
    assert process.runs == 3
    qtbot.waitUntil(lambda: {s.state for s in window.worklist.keeper.studies} == {"ai"})
    for case_key in keys.values():
        case = reopened(three, case_key)
        assert [lesion.score for lesion in case.document.lesions] == [0.9]
        case.close()


def test_ctrl_b_takes_the_chosen_lines_and_their_rows_say_where_they_stand(
    window, qtbot, process, three
):
    process.hold.clear()
    window.batch.toggle_pause()  # so that all three are listed before the first begins
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: len(window.batch.items) == 3)
    window.batch.forget_ended()
    window.batch.remove([item.case_key for item in window.batch.items])
    show_list(window, qtbot, 3)
    page = window.worklist.page
    page.list.selectAll()
    assert len(page.chosen) == 3
    assert window.actions_by_id["batch"].isEnabled()
    control(window, "B")
    qtbot.waitUntil(lambda: len(window.batch.items) == 3)
    assert {queued.text for queued in page.model.queued.values()} == {
        "Paused · 1", "Paused · 2", "Paused · 3",
    }  # fmt: skip
    assert "paused" in window.batch_view.strip.text
    window.batch.toggle_pause()
    qtbot.waitUntil(lambda: process.runs == 1)
    qtbot.waitUntil(lambda: window.batch.percent == 25)
    texts = sorted(queued.text for queued in page.model.queued.values())
    assert texts == ["Analysing 25 %", "Waiting · 1", "Waiting · 2"]
    assert "Looking for nodules 25 %" in window.batch_view.strip.text
    assert window.batch_view.button.text() == "AI queue 0/3 · 25 %"
    # The words reach an assistive program too.
    index = page.model.index(0)
    spoken = index.data(int(Qt.ItemDataRole.AccessibleTextRole))
    assert any(text in spoken for text in texts)
    process.hold.set()
    qtbot.waitUntil(lambda: set(states(window).values()) == {"done"}, timeout=20_000)
    assert not page.model.queued


def test_a_refused_study_names_its_rule_and_the_others_go_on(
    window, qtbot, process, three, monkeypatch
):
    keys = keys_of(three)
    rule = "reads slices 0.5 to 3 mm apart; these are 9.00 mm."

    def eligible(pack, volume):
        return (rule,) if process.runs == 1 else ()

    monkeypatch.setattr(registry, "eligibility", eligible)
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: "refused" in states(window).values(), timeout=20_000)
    qtbot.waitUntil(
        lambda: sorted(states(window).values()) in (["done", "refused", "refused"],), timeout=20_000
    )
    assert process.runs == 1
    for item in window.batch.items:
        if item.state == "refused":
            assert item.reason == rule
            queued = window.worklist.page.model.queued[item.case_key]
            assert (queued.text, queued.reason) == ("AI refused", rule)
    assert set(states(window)) == set(keys.values())


def test_a_failed_study_says_why_and_can_be_asked_again(window, qtbot, process, three):
    process.problem = Problem("The model process stopped.", "Run it again.", "exit code 3")
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: set(states(window).values()) == {"failed"}, timeout=20_000)
    assert window.batch.items[0].reason == "The model process stopped. Run it again."
    process.problem = None
    first = window.batch.items[0].case_key
    window.batch.add([first])
    wait_for(qtbot, window, **{first: "done"})


def test_files_that_are_gone_are_told(window, qtbot, process, three):
    window.batch.toggle_pause()
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: len(window.batch.items) == 3)
    gone = keys_of(three)["2"]
    for file in (three / "study2").iterdir():
        file.unlink()
    window.batch.toggle_pause()
    wait_for(qtbot, window, **{gone: "failed"})
    qtbot.waitUntil(lambda: sorted(states(window).values()) == ["done", "done", "failed"])


# ------------------------------------------------------------------ order, pause, restart


def test_order_can_be_changed_and_one_can_be_taken_out(window, qtbot, process, three):
    process.hold.clear()
    window.batch.toggle_pause()
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: len(window.batch.items) == 3)
    one, two, last = (item.case_key for item in window.batch.items)
    window.batch.move(last, -1)
    qtbot.waitUntil(lambda: [i.case_key for i in window.batch.items] == [one, last, two])
    window.batch.toggle_pause()
    qtbot.waitUntil(lambda: process.runs == 1)
    assert window.batch.running == one
    window.batch.remove([one])  # at work: it is stopped
    qtbot.waitUntil(lambda: window.batch.running == last, timeout=10_000)
    process.hold.set()
    wait_for(qtbot, window, **{last: "done", two: "done"})
    assert one not in states(window)
    case = reopened(three, one)
    assert case.document.findings is None
    case.close()


def test_a_pause_stops_the_run_at_once_and_it_is_begun_again(window, qtbot, process, three):
    process.hold.clear()
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: process.runs == 1, timeout=10_000)
    window.batch.toggle_pause()
    assert window.batch.running == ""
    qtbot.waitUntil(process.killed.is_set)
    assert set(states(window).values()) == {"waiting"}
    process.hold.set()
    window.batch.toggle_pause()
    qtbot.waitUntil(lambda: set(states(window).values()) == {"done"}, timeout=20_000)
    assert process.runs == 4


def test_what_waited_when_the_program_ended_goes_on_at_the_next_start(
    window, qtbot, process, three
):
    process.hold.clear()
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: process.runs == 1, timeout=10_000)
    process.hold.set()
    qtbot.waitUntil(lambda: "done" in states(window).values(), timeout=10_000)
    process.hold.clear()
    made = again(window, qtbot)
    try:
        process.hold.set()
        qtbot.waitUntil(lambda: len(made.batch.items) == 3, timeout=10_000)
        qtbot.waitUntil(lambda: set(states(made).values()) == {"done"}, timeout=20_000)
        for case_key in keys_of(three).values():
            case = reopened(three, case_key)
            assert len(case.document.runs) == 1  # none twice, none lost
            case.close()
    finally:
        made.close()
        made.deleteLater()


def test_killed_at_work_the_next_start_goes_on_and_nothing_is_done_twice(
    qapp, qtbot, process, three
):
    from viewer.ui.main_window import MainWindow

    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.ui.analyse_until_killed", str(three)],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert victim.stdout.readline().strip() == "at work"
    finally:
        victim.kill()
        victim.wait()
        victim.stdout.close()
    made = MainWindow()
    made.show()
    try:
        qtbot.waitUntil(lambda: len(made.batch.items) == 3, timeout=10_000)
        qtbot.waitUntil(lambda: set(states(made).values()) == {"done"}, timeout=30_000)
        for case_key in keys_of(three).values():
            case = reopened(three, case_key)
            assert len(case.document.runs) == 1
            case.close()
    finally:
        made.close()
        made.deleteLater()


# ---------------------------------------------------------------------- the reader first


def test_a_readers_run_goes_before_and_the_queue_goes_on_behind_it(
    window, qtbot, process, three, phantom_folder
):
    process.hold.clear()
    window.batch.add_folders([three / "study1"])
    qtbot.waitUntil(lambda: process.runs == 1, timeout=10_000)
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([phantom_folder])
    settle(window)
    window.ai.run()
    qtbot.waitUntil(lambda: process.runs == 2)  # the first one was stopped
    assert window.ai.engine.running
    assert window.batch.running
    process.hold.set()
    qtbot.waitUntil(lambda: not window.ai.engine.running, timeout=10_000)
    qtbot.waitUntil(lambda: set(states(window).values()) == {"done"}, timeout=20_000)
    assert process.runs == 3
    assert window.reading.case.document.findings is not None


def test_an_open_case_waits_and_loses_nothing(window, qtbot, process, three, phantom_folder):
    """Opened while the model is at it: the result is laid in when its reader has left."""
    process.hold.clear()
    window.batch.add_folders([three / "study1"])
    qtbot.waitUntil(lambda: process.runs == 1, timeout=10_000)
    case_key = window.batch.running
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([three / "study1"])
    settle(window)
    assert window.reading.case.key == case_key
    window.corrections.add_missed(window.reading.cursor_lps_mm)
    process.hold.set()
    qtbot.waitUntil(lambda: case_key in window.batch.held, timeout=10_000)
    QTest.qWait(50)
    assert window.reading.case.document.findings is None
    assert window.worklist.page.model.queued[case_key].text == "Kept when closed"
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([phantom_folder])
    wait_for(qtbot, window, **{case_key: "done"})
    case = reopened(three, case_key)
    assert case.document.findings is not None
    assert [x.origin for x in case.document.lesions] == ["human", "ai"]
    case.close()


def test_a_case_that_is_open_is_passed_over_until_it_is_left(window, qtbot, process, three):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([three / "study1"])
    settle(window)
    open_key = window.reading.case.key
    window.batch.add([open_key])
    window.batch.add_folders([three / "study2"])
    other = keys_of(three)["2"]
    wait_for(qtbot, window, **{other: "done"})
    assert states(window)[open_key] == "waiting"
    assert window.worklist.page.model.queued[open_key].text == "When closed"
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([three / "study3"])
    wait_for(qtbot, window, **{open_key: "done"})


def test_a_case_that_another_overread_has_open_waits_for_it(window, qtbot, process, three):
    case_key = keys_of(three)["1"]
    home = folders.data_dir() / "cases" / case_key
    home.mkdir(parents=True)
    lock = CaseLock(home)
    try:
        window.batch.add_folders([three / "study1"])
        qtbot.waitUntil(lambda: case_key in window.batch.held, timeout=10_000)
        QTest.qWait(100)
        assert states(window)[case_key] == "waiting"
    finally:
        lock.release()
    wait_for(qtbot, window, **{case_key: "done"})


def test_a_study_that_its_reader_had_analysed_himself_is_struck_off(window, qtbot, process, three):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([three / "study1"])
    settle(window)
    open_key = window.reading.case.key
    window.batch.add([open_key])
    qtbot.waitUntil(lambda: states(window).get(open_key) == "waiting")
    with qtbot.waitSignal(window.ai.ended, timeout=10_000):
        window.ai.run()
    wait_for(qtbot, window, **{open_key: "done"})
    assert process.runs == 1


def test_several_studies_found_at_once_are_offered_to_be_analysed(window, qtbot, process, three):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([three])
    settle(window)
    assert "3 studies were found there" in window.message.text
    assert window.message._offer.isVisible()
    window.message._offer.click()
    qtbot.waitUntil(lambda: len(window.batch.items) == 3, timeout=10_000)


# ------------------------------------------------------------------------ the next case


def test_ctrl_j_opens_the_next_case_whose_images_are_there_already(
    window, qtbot, process, three, monkeypatch
):
    monkeypatch.setattr("viewer.ui.next_case._BEGIN_MS", 0)
    window.next_case._timer.setInterval(0)
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: set(states(window).values()) == {"done"}, timeout=20_000)
    qtbot.waitUntil(lambda: {s.state for s in window.worklist.keeper.studies} == {"ai"})
    order_of = [item.case_key for item in window.batch.items]
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        control(window, "J")
    settle(window)
    assert window.reading.case.key == order_of[0]
    qtbot.waitUntil(lambda: window.next_case.ready is not None, timeout=10_000)
    ready = window.next_case.ready
    assert ready.study.case_key == order_of[1]
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        control(window, "J")
    settle(window)
    case = window.reading.case
    assert case.key == order_of[1]
    assert case.volume is ready.slices.volume  # not read a second time
    assert case.document.findings is not None
    assert not case.read_only
    # Round to the first again: it was not reviewed.
    control(window, "J")
    qtbot.waitUntil(lambda: window.reading.case and window.reading.case.key == order_of[2],
                    timeout=10_000)  # fmt: skip


def test_without_memory_nothing_is_read_ahead_and_ctrl_j_opens_all_the_same(
    window, qtbot, process, three, monkeypatch
):
    monkeypatch.setattr("viewer.memory.free_bytes", lambda: 100)
    window.next_case._timer.setInterval(0)
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: set(states(window).values()) == {"done"}, timeout=20_000)
    qtbot.waitUntil(lambda: {s.state for s in window.worklist.keeper.studies} == {"ai"})
    control(window, "J")
    qtbot.waitUntil(lambda: window.reading.case is not None, timeout=10_000)
    settle(window)
    qtbot.waitUntil(lambda: window.next_case._of != "" and window.next_case._job is None)
    assert window.next_case.ready is None
    first = window.reading.case.key
    control(window, "J")
    qtbot.waitUntil(
        lambda: window.reading.case is not None and window.reading.case.key != first,
        timeout=10_000,
    )


def test_without_a_queue_the_keys_say_why_they_do_nothing(opened):
    tip = opened.actions_by_id["next_case"].toolTip()
    assert "No other study of the queue" in tip
    assert "worklist" in opened.actions_by_id["batch"].toolTip()
    assert not opened.batch_view.button.isVisible()


# ------------------------------------------------------------------- read first, privacy


def test_with_read_first_a_result_of_the_background_is_locked(window, qtbot, process, three):
    window.reading.preferences.put("read_first", "on")
    window.batch.add_folders([three / "study1"])
    qtbot.waitUntil(lambda: set(states(window).values()) == {"done"}, timeout=20_000)
    show_list(window, qtbot, 1)
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        on_list(window, "Return")
    settle(window)
    assert window.reading.case.document.findings is not None
    assert window.reading.ai_locked
    assert window.panel.list.count() == 0
    assert impressions.all_of(window.reading.case.document) == ()


def test_nothing_of_a_patient_is_in_settings_or_log(window, qtbot, process, three, caplog):
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: set(states(window).values()) == {"done"}, timeout=20_000)
    window.worklist.keeper._pool.waitForDone()
    listed(window, qtbot, 3)
    settings = window.settings._file
    if settings.exists():
        text = settings.read_text()
        json.loads(text)
        assert "Canary" not in text and "secret" not in text and UID not in text
    assert "Canary" not in caplog.text and "secret" not in caplog.text


def test_a_study_that_is_forgotten_leaves_the_queue(window, qtbot, process, three):
    window.batch.toggle_pause()
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: len(window.batch.items) == 3)
    show_list(window, qtbot, 3)
    # Until all that reads and writes the list is done, the list may be laid out anew.
    for pool in (window.worklist.keeper._pool, window.worklist.keeper._looks, window.batch._files):
        qtbot.waitUntil(lambda pool=pool: not pool.activeThreadCount())
    settle(window)
    qtbot.waitUntil(lambda: window.worklist.page.list.currentIndex().isValid())
    on_list(window, "Delete")
    qtbot.waitUntil(lambda: len(window.worklist.keeper.studies) == 2)
    qtbot.waitUntil(lambda: len(window.batch.items) == 2)
    for pool in (window.worklist.keeper._pool, window.batch._files):
        pool.waitForDone()
    with sqlite3.connect(folders.data_dir() / "worklist.sqlite") as connection:
        (count,) = connection.execute("SELECT count(*) FROM batch").fetchone()
    connection.close()
    assert count == 2
    assert len(Worklist().studies()) == 2


def test_the_queue_forgets_also_when_the_list_is_written_late(
    window, qtbot, process, three, monkeypatch
):
    window.batch.toggle_pause()
    window.batch.add_folders([three])
    qtbot.waitUntil(lambda: len(window.batch.items) == 3)
    show_list(window, qtbot, 3)
    worklist, gate = window.worklist.keeper._worklist, threading.Event()
    forget = worklist.forget
    monkeypatch.setattr(worklist, "forget", lambda key: gate.wait(60) and forget(key))
    window.worklist.keeper.forget(window.worklist.keeper.studies[0].case_key)
    window.batch._files.waitForDone()  # the queue has looked: the row is still there
    settle(window)
    gate.set()
    qtbot.waitUntil(lambda: len(window.batch.items) == 2)
