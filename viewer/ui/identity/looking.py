"""A look at the pixels before they leave: a person says that no text tells who it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from resources.problem import Problem
from resources.text import translate
from viewer.deid.drawing import SCOPES, Drawing, Scope, scope_of
from viewer.deid.options import Box
from viewer.deid.pages import Pages, Pixels
from viewer.ui import theme
from viewer.ui.identity.canvas import Canvas
from viewer.ui.identity.frames import Frames, image_of
from viewer.ui.inputs import Choice, Tick
from viewer.ui.widgets import Slider, head, note, rule

_WIDE, _HIGH, _SIDE_PX, _LIST_PX = 1120, 760, 300, 190
_PLAY_MS = 40
_ALL = -1


@dataclass(frozen=True)
class PixelWord:
    """What a person said: which boxes are black, and the series that he vouches for."""

    boxes: tuple[Box, ...]
    seen: frozenset[str]


class PixelDialog(QDialog):
    """Shows all images of some series; boxes are drawn over what must not leave.

    Parameters
    ----------
    found
        The series, at least one, each with an image.
    boxes
        Drawn before.
    why
        Why a person must look, a sentence.
    """

    def __init__(
        self, found: Sequence[Pages], boxes: tuple[Box, ...], why: str, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("deid", "Is there text in the images?"))
        self.resize(_WIDE, _HIGH)
        self.found = tuple(found)
        self._at, self._number = 0, 0
        self._pixels: Pixels | None = None
        self._shown: list[set[int]] = [set() for _ in self.found]
        self.left_out: set[int] = set()
        self.drawing = Drawing(boxes)
        self.canvas = Canvas(self.drawing)
        self.frames = Frames(self)
        self._play = QTimer(self)
        self._play.setInterval(_PLAY_MS)
        self._build(why)
        self._bind()
        self.show_series(0)
        self.canvas.setFocus()

    # ------------------------------------------------------------------ build

    def _build(self, why: str) -> None:
        self.list = QListWidget()
        self.list.setObjectName("pages")
        self.list.setFixedWidth(_LIST_PX)
        self.list.setAccessibleName(translate("deid", "Series to look at"))
        self.list.addItems([""] * len(self.found))
        for row in range(self.list.count()):
            self.list.item(row).setSizeHint(QSize(_LIST_PX - 16, 30))
        self.list.setVisible(len(self.found) > 1)
        self.slider = Slider(0, 0, translate("deid", "Image of the series"))
        self._where = note()
        self._where.setWordWrap(False)
        foot = QHBoxLayout()
        foot.addWidget(self.slider, 1)
        foot.addWidget(self._where)
        middle = QVBoxLayout()
        middle.addWidget(self.canvas, 1)
        middle.addLayout(foot)
        columns = QHBoxLayout(self)
        columns.setContentsMargins(12, 12, 16, 12)
        columns.setSpacing(14)
        columns.addWidget(self.list)
        columns.addLayout(middle, 1)
        side = QWidget()
        side.setFixedWidth(_SIDE_PX)
        side.setLayout(self._side(why))
        columns.addWidget(side)

    def _side(self, why: str) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(8)
        column.addWidget(head(translate("deid", "Why you are asked")))
        column.addWidget(note(why))
        self._face = note(
            translate(
                "deid",
                "A head may be in these images: the face can be made visible from them. "
                "Overread does not take faces away.",
            ),
            "pending",
        )
        column.addWidget(self._face)
        column.addWidget(rule())
        column.addWidget(head(translate("deid", "Black out")))
        column.addWidget(
            note(
                translate(
                    "deid",
                    "Drag over names, dates and numbers. Drag a box to move it, its corners to "
                    "resize it. What is black is black in everything that is written.",
                )
            )
        )
        self.scope = Choice()
        self.scope.setAccessibleName(translate("deid", "Where the box is"))
        for one in SCOPES:
            if one != "all" or len(self.found) > 1:
                self.scope.addItem(_scope_text(one), one)
        self.scope.setCurrentIndex(self.scope.findData("series"))
        column.addWidget(self.scope)
        column.addLayout(self._box_buttons())
        column.addWidget(rule())
        column.addWidget(head(translate("deid", "See more")))
        self.all = Tick(translate("deid", "Brightest of all images  A"))
        self.all.setToolTip(
            translate("deid", "All images of the series in one: bright text of any of them")
        )
        self.spread = Tick(translate("deid", "Spread the greys  W"))
        self.spread.setToolTip(translate("deid", "Shows text that hardly differs from its ground"))
        self.black = Tick(translate("deid", "Boxes as they will be  P"))
        self.black.setChecked(True)
        self.playing = Tick(translate("deid", "Play  Space"))
        for tick in (self.all, self.spread, self.black, self.playing):
            tick.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            column.addWidget(tick)
        column.addStretch(1)
        self.problem = note("", "pending")
        self.problem.hide()
        column.addWidget(self.problem)
        self.leave_out = Tick(translate("deid", "Leave this series out"))
        self.leave_out.setVisible(len(self.found) > 1)
        column.addWidget(self.leave_out)
        self._state = note()
        column.addWidget(self._state)
        self.go = _button(
            translate("deid", "Seen: no text tells who it is"), "primary", self.accept
        )
        column.addWidget(self.go)
        column.addWidget(_button(translate("deid", "Cancel"), "plain", self.reject))
        return column

    def _box_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        self.remove = _button(translate("deid", "Delete"), "plain", self.canvas.remove_chosen)
        self.undo = _button(translate("deid", "Undo"), "plain", lambda: self._step(back=True))
        self.redo = _button(translate("deid", "Redo"), "plain", lambda: self._step(back=False))
        for button, key in ((self.remove, "Del"), (self.undo, "Ctrl+Z"), (self.redo, "Ctrl+Y")):
            button.setToolTip(f"{button.text()}  {key}")
            row.addWidget(button)
        return row

    def _bind(self) -> None:
        keys: tuple[tuple[str, Callable[[], object]], ...] = (
            ("A", self.all.toggle),
            ("W", self.spread.toggle),
            ("P", self.black.toggle),
            ("Space", self.playing.toggle),
            ("R", self.canvas.fit),
            ("N", self.canvas.choose_next),
            ("Del", self.canvas.remove_chosen),
            ("Backspace", self.canvas.remove_chosen),
            ("Ctrl+Z", lambda: self._step(back=True)),
            ("Ctrl+Y", lambda: self._step(back=False)),
            ("Ctrl+Shift+Z", lambda: self._step(back=False)),
            ("PgUp", lambda: self.go_on(-1)),
            ("PgDown", lambda: self.go_on(1)),
            ("Home", lambda: self.go_to(0)),
            ("End", lambda: self.go_to(len(self._pages) - 1)),
            ("Ctrl+Return", self.go.click),
            *((str(n + 1), lambda n=n: self._put_scope(n)) for n in range(self.scope.count())),
        )
        for key, act in keys:
            QShortcut(QKeySequence(key), self).activated.connect(act)
        self._play.timeout.connect(self._on_play)
        self.canvas.scrolled.connect(self.go_on)
        self.canvas.changed.connect(self._follow)
        self.frames.came.connect(self._on_came)
        self.frames.failed.connect(self._on_failed)
        self.frames.progressed.connect(self._on_progress)
        self.slider.valueChanged.connect(self.go_to)
        self.list.currentRowChanged.connect(self.show_series)
        self.scope.activated.connect(self._put_scope)
        self.all.toggled.connect(lambda _on: self._ask())
        self.spread.toggled.connect(lambda _on: self._draw())
        self.black.toggled.connect(self._on_black)
        self.playing.toggled.connect(self._on_playing)
        self.leave_out.toggled.connect(self._on_leave_out)

    # ---------------------------------------------------------------- moving

    @property
    def _pages(self) -> Pages:
        return self.found[self._at]

    def show_series(self, at: int) -> None:
        """Show the first image of a series."""
        self._at, self._number = at, 0
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(self._pages) - 1)
        self.slider.setValue(0)
        self.slider.blockSignals(False)
        self.list.blockSignals(True)
        self.list.setCurrentRow(at)
        self.list.blockSignals(False)
        self.leave_out.blockSignals(True)
        self.leave_out.setChecked(at in self.left_out)
        self.leave_out.blockSignals(False)
        self._face.setVisible(self._pages.face)
        self.canvas.choose(None)
        self._ask()

    def go_on(self, by: int) -> None:
        """Go some images on."""
        self.go_to(self._number + by)

    def go_to(self, number: int) -> None:
        """Show an image of the series."""
        self._number = min(max(number, 0), len(self._pages) - 1)
        self.slider.blockSignals(True)
        self.slider.setValue(self._number)
        self.slider.blockSignals(False)
        if self.all.isChecked():
            self.all.setChecked(False)  # which asks
        else:
            self._ask()

    def _ask(self) -> None:
        self.frames.ask(self._pages, _ALL if self.all.isChecked() else self._number)
        self._follow()

    def _on_play(self) -> None:
        if self.frames.busy:
            return
        if self._number + 1 < len(self._pages):
            self.go_on(1)
        else:
            self.playing.setChecked(False)

    def _on_playing(self, on: bool) -> None:
        if not on:
            self._play.stop()
            return
        if self._number + 1 >= len(self._pages):
            self.go_to(0)
        self._play.start()

    # --------------------------------------------------------------- showing

    def _on_came(self, pages: object, number: int, pixels: Pixels) -> None:
        if pages is not self._pages:
            return
        self.problem.hide()
        self._pixels = pixels
        count = len(self._pages)
        self._shown[self._at].update(range(count) if number == _ALL else (number,))
        self._draw()
        self._follow()

    def _on_failed(self, problem: Problem) -> None:
        self.problem.setText(str(problem))
        self.problem.show()

    def _on_progress(self, done: int, total: int) -> None:
        self._where.setText(f"{done} / {total}")

    def _draw(self) -> None:
        if self._pixels is not None:
            image = image_of(self._pixels, spread=self.spread.isChecked())
            self.canvas.show_image(image, self._pages.place(self._number))

    def _on_black(self, on: bool) -> None:
        self.canvas.black = on
        self.canvas.update()

    # ----------------------------------------------------------------- boxes

    def _put_scope(self, at: int) -> None:
        self.scope.setCurrentIndex(at)
        self.canvas.put_scope(self.scope.itemData(at))

    def _step(self, *, back: bool) -> None:
        self.canvas.step(back=back)

    # ------------------------------------------------------------- the answer

    def _on_leave_out(self, on: bool) -> None:
        (self.left_out.add if on else self.left_out.discard)(self._at)
        self._follow()

    def _looked(self, at: int) -> bool:
        return len(self._shown[at]) >= len(self.found[at])

    def open_ones(self) -> list[int]:
        """Return the series that were neither looked through nor left out."""
        every = range(len(self.found))
        return [at for at in every if at not in self.left_out and not self._looked(at)]

    @property
    def word(self) -> PixelWord:
        """What was said."""
        seen = {p.series_uid for at, p in enumerate(self.found) if at not in self.left_out}
        return PixelWord(self.drawing.boxes, frozenset(seen))

    def _follow(self) -> None:
        """Say how far it is, and enable what can be done."""
        count = len(self._pages)
        if self.all.isChecked():
            self._where.setText(translate("deid", "all {count}").format(count=count))
        else:
            self._where.setText(f"{self._number + 1} / {count}")
        for at in range(self.list.count()):
            self.list.item(at).setText(self._line(at))
        chosen = self.canvas.chosen
        self.remove.setEnabled(chosen is not None)
        self.undo.setEnabled(self.drawing.can_undo)
        self.redo.setEnabled(self.drawing.can_redo)
        if chosen is not None:
            where = self.scope.findData(scope_of(self.drawing.boxes[chosen]))
            self.scope.setCurrentIndex(max(where, 0))
        else:
            self.scope.setCurrentIndex(self.scope.findData(self.canvas.scope))
        self._say()

    def _say(self) -> None:
        waiting = self.open_ones()
        self.go.setEnabled(not waiting and len(self.left_out) < len(self.found))
        if waiting == [self._at] or (waiting and len(self.found) == 1):
            text = translate("deid", "{shown} of {count} images looked at.").format(
                shown=len(self._shown[self._at]), count=len(self._pages)
            )
        elif waiting:
            text = translate("deid", "{count} series are still to be looked at.").format(
                count=len(waiting)
            )
        else:
            text = translate("deid", "All images were looked at. Boxes: {count}.").format(
                count=len(self.drawing.boxes)
            )
        self._state.setText(text)
        theme.set_tone(self._state, "pending" if waiting else "secondary")
        self.go.setToolTip(text if waiting else translate("deid", "Go on  Ctrl+Return"))

    def _line(self, at: int) -> str:
        pages = self.found[at]
        state = (
            translate("deid", "left out")
            if at in self.left_out
            else "✓"
            if self._looked(at)
            else translate("deid", "to look at")
        )
        return translate("deid", "{modality}, {count} images: {state}").format(
            modality=pages.modality or "?", count=len(pages), state=state
        )

    def done(self, result: int) -> None:
        self._play.stop()
        self.frames.close()
        super().done(result)


def _scope_text(one: Scope) -> str:
    return {
        "image": translate("deid", "In this image"),
        "series": translate("deid", "In all images of the series"),
        "all": translate("deid", "In all series"),
    }[one]


def _button(text: str, role: str, do: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", role)
    button.setAutoDefault(False)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(lambda: do())
    return button
