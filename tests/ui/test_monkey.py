"""A reader with ten thumbs: random keys, drags, buttons and openings must not break anything."""

import os
import random

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QMenu

from viewer.ui.commands import commands
from viewer.ui.reading import TOOLS
from viewer.ui.widgets import Slider

from .test_views import drag, wheel

_ACTIONS = int(os.environ.get("OVERREAD_MONKEY_ACTIONS", "250"))
_BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton)
_KEYS = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class Monkey:
    """Does one thing after another; the same seed does the same things."""

    def __init__(self, window, process, folder, seed):
        self.window, self.process, self.folder = window, process, folder
        self.dice = random.Random(seed)
        self.done = []
        self.names = [command.id for command in commands() if command.id != "quit"]

    def view(self):
        seen = [view for view in self.window.views.views if view.isVisible()]
        return self.dice.choice(seen) if seen else None

    def somewhere(self, widget, margin=40):
        # Also beyond the edges.
        return QPoint(
            self.dice.randint(-margin, widget.width() + margin),
            self.dice.randint(-margin, widget.height() + margin),
        )

    def command(self):
        name = self.dice.choice(self.names)
        self.done[-1] += f" {name}"
        self.window.actions_by_id[name].trigger()

    def drag(self):
        if (view := self.view()) is not None:
            by = QPoint(self.dice.randint(-300, 300), self.dice.randint(-300, 300))
            drag(view, self.somewhere(view), by, self.dice.choice(_BUTTONS))

    def broken_drag(self):
        """Something else happens while the button is down."""
        if (view := self.view()) is None:
            return
        at = self.somewhere(view)
        QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseMove(view.viewport(), at + QPoint(30, 12))
        self.dice.choice((self.command, self.wheel, self.open, self.run, self.resize))()
        if view.isVisible():
            QTest.mouseMove(view.viewport(), at + QPoint(60, -12))
        QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at)

    def click(self):
        if (view := self.view()) is not None:
            how = self.dice.choice((QTest.mouseClick, QTest.mouseDClick))
            how(view.viewport(), self.dice.choice(_BUTTONS), pos=self.somewhere(view))

    def hover(self):
        if (view := self.view()) is not None:
            QTest.mouseMove(view.viewport(), self.somewhere(view))

    def wheel(self):
        if (view := self.view()) is not None:
            wheel(view, self.dice.choice((-9, -1, 1, 9)), self.dice.choice(_KEYS))

    def button(self):
        buttons = [
            b
            for b in self.window.findChildren(QAbstractButton)
            if b.isVisible() and b.isEnabled() and not getattr(b, "menu", lambda: None)()
        ]
        QTest.mouseClick(self.dice.choice(buttons), Qt.MouseButton.LeftButton)

    def slider(self):
        sliders = [s for s in self.window.findChildren(Slider) if s.isVisible()]
        if sliders:
            slider = self.dice.choice(sliders)
            slider.setValue(self.dice.randint(slider.minimum(), slider.maximum()))

    def row(self):
        rows = self.window.panel.list
        if rows.count():
            rect = rows.visualItemRect(rows.item(self.dice.randrange(rows.count())))
            QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())

    def tool(self):
        self.window.reading.set_tool(self.dice.choice(TOOLS))
        self.window.reading.set_brush(self.dice.choice((0.1, 1, 5, 20, 60, 1000)))

    def menu(self):
        if (view := self.view()) is not None:
            QTest.mouseClick(view.viewport(), Qt.MouseButton.RightButton, pos=self.somewhere(view))
            for menu in self.window.findChildren(QMenu):
                if menu.isVisible():
                    actions = [a for a in menu.actions() if a.isEnabled()]
                    if actions and self.dice.random() < 0.7:
                        self.dice.choice(actions).trigger()
                    menu.close()

    def resize(self):
        self.window.resize(*self.dice.choice(((1024, 700), (1280, 800), (1500, 900), (2000, 1200))))

    def run(self):
        self.process.hold.set() if self.dice.random() < 0.7 else self.process.hold.clear()
        self.window.ai.run()
        if self.dice.random() < 0.3:
            self.window.ai.cancel()

    def open(self):
        nowhere = self.folder / "nowhere"
        self.window.open_paths([self.dice.choice((self.folder, self.folder, nowhere))])

    def name(self):
        self.window.set_reader(self.dice.choice(("", "Dr. A. Test", "名" * 40, "<b>x</b>")))

    def act(self):
        often = (self.command, self.drag, self.broken_drag, self.click, self.button, self.tool)
        seldom = (self.hover, self.wheel, self.slider, self.row, self.menu, self.name)
        rare = (self.resize, self.run, self.open)
        act = self.dice.choice(self.dice.choices((often, seldom, rare), (6, 4, 1))[0])
        self.done.append(act.__name__)
        assert self.window.isVisible(), self.done[-5:]
        act()
        for _ in range(self.dice.choice((1, 1, 5))):
            QApplication.processEvents()


# Said by the offscreen plugin when a menu opens.
@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
@pytest.mark.parametrize("seed", [int(n) for n in os.environ.get("OVERREAD_SEEDS", "1 2").split()])
def test_nothing_that_a_hand_can_do_breaks_the_window(
    window, process, qtbot, phantom_folder, tmp_path, monkeypatch, seed
):
    monkeypatch.setattr(QDialog, "exec", lambda self: 1)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: ("", ""))
    answers = random.Random(seed)
    places = ("", str(tmp_path), str(tmp_path / "missing" / "place"))
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda *a: answers.choice(places) if a[2:] else ""
    )
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a: ([], ""))
    monkeypatch.setattr("viewer.phantom.sample.sample_study", lambda progress=None: phantom_folder)
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([phantom_folder])
    monkey = Monkey(window, process, phantom_folder, seed)
    for _ in range(_ACTIONS):
        with qtbot.capture_exceptions() as caught:
            monkey.act()
        assert not caught, (monkey.done[-12:], caught)
    process.hold.set()
    with qtbot.capture_exceptions() as caught:
        QTest.qWait(100)
        qtbot.waitUntil(lambda: not window.opener.busy, timeout=20_000)
    assert not caught, (monkey.done[-12:], caught)
    # What is left can still be read, judged and taken back.
    if window.reading.case is None:
        with qtbot.waitSignal(window.opener.opened, timeout=20_000):
            window.open_paths([phantom_folder])
    QTest.qWait(50)
    case = window.reading.case
    window.views.abort_gesture()
    assert window.stage.currentWidget() is window.views
    window.queue.set_kind("all")
    assert window.panel.list.count() == len(window.reading.lesions)
    while case.undo_name:
        window.corrections.undo()
    QTest.qWait(50)
    assert not case.document.lesions
    assert window.panel.list.count() == 0
    assert window.isVisible()
