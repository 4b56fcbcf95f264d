"""Garbage is collected in the GUI thread alone."""

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from viewer.ui.collecting import Collector

ROOT = Path(__file__).parents[2]


class Knot:
    """Garbage that only the collector finds; notes in which thread it does."""

    def __init__(self, died_in):
        self._died_in, self.me = died_in, self

    def __del__(self):
        self._died_in.append(threading.current_thread())


@pytest.fixture
def collector(qapp):
    made = Collector()
    yield made
    made.close()


def test_what_a_thread_leaves_is_collected_in_the_gui_thread(collector, qtbot):
    died_in = []

    def work():
        for _ in range(20_000):
            Knot(died_in)

    thread = threading.Thread(target=work)
    thread.start()
    qtbot.waitUntil(lambda: len(died_in) == 20_000, timeout=20_000)
    thread.join()
    assert set(died_in) == {threading.main_thread()}


def test_old_garbage_is_found_too(collector, qtbot):
    died_in = []
    knot = Knot(died_in)
    gc.collect()
    del knot  # old by now
    kept = []

    def found():
        kept.extend([] for _ in range(1000))  # time goes by in objects that are made
        return bool(died_in)

    qtbot.waitUntil(found, timeout=60_000)


def test_the_window_has_one():
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import gc; from viewer.ui.app import make_app; before = gc.isenabled();"
            "make_app(); make_app(); print(before, gc.isenabled())",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.stdout.split() == ["True", "False"], told.stderr


# What such a window does all day: it connects while a thread reads and makes garbage.
CONNECTING = """
import sys, threading, time
from PySide6.QtCore import QCoreApplication, QObject, Signal
from viewer.ui.collecting import Collector

class Room(QObject):
    told = Signal(int)
    def __init__(self):
        super().__init__()
        self.other = [Hearer() for _ in range(20)]
        for other in self.other:
            self.told.connect(other.hear)
        self.me = self  # garbage that only the collector finds

class Hearer(QObject):
    def hear(self, number):
        pass

app = QCoreApplication([])
collector = Collector() if sys.argv[1] == "here" else None
going = True

def read():
    while going:
        [[] for _ in range(100)]
        time.sleep(0)

threads = [threading.Thread(target=read) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(int(sys.argv[2])):
    Room().told.emit(1)
    if collector is not None:
        app.processEvents()
going = False
for thread in threads:
    thread.join()
print("alive")
"""


def test_connecting_while_a_thread_makes_garbage_is_survived():
    """With Python's own collector ("there" for "here") it ends in a segmentation fault."""
    told = subprocess.run(
        [sys.executable, "-c", CONNECTING, "here", "3000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.stdout.split() == ["alive"], (told.returncode, told.stderr)
