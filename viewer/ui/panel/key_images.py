"""The key images of the open case in the review panel: one row each, a click goes there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from resources.text import translate
from viewer.ui import theme
from viewer.ui.commands import key_text
from viewer.ui.key_images import where
from viewer.ui.panel.section import Section
from viewer.ui.widgets import KeyCap, head, note

if TYPE_CHECKING:
    from viewer.annotate.key_images import KeyImage
    from viewer.ui.key_images import KeyImages
    from viewer.ui.reading import Reading


class KeyImagesSection(Section):
    """Lists the marked images; hidden while there are none."""

    def __init__(self, reading: Reading, marks: KeyImages) -> None:
        super().__init__(reading)
        self._marks = marks
        self._shown: tuple[KeyImage, ...] = ()
        self._cap = KeyCap("")
        self._count = note()
        self._count.setWordWrap(False)
        top = QHBoxLayout()
        top.setContentsMargins(8, 0, 6, 0)
        top.setSpacing(8)
        top.addWidget(head(translate("key images", "Key images")))
        top.addWidget(self._cap)
        top.addStretch(1)
        top.addWidget(self._count)
        self._list = QVBoxLayout()
        self._list.setSpacing(1)
        self._column.setContentsMargins(6, 10, 8, 10)
        self._column.setSpacing(4)
        self._column.addLayout(top)
        self._column.addLayout(self._list)
        self._lost = note()
        self._lost.setContentsMargins(8, 0, 0, 0)
        self._column.addWidget(self._lost)
        marks.changed.connect(self.refresh)
        reading.keys.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Follow the case."""
        found = self._marks.listed
        self.setVisible(bool(found))
        self._cap.set_key(key_text(self._reading.keys.keys_of("key_image")[:1]))
        self._count.setText(str(len(found)))
        if found != self._shown:
            self._shown = found
            self._fill()
        case = self._reading.case
        lost = case is not None and case.keeps_no_notes and bool(found)
        problem = case.read_only_problem if case is not None else None
        self._lost.setVisible(lost)
        if lost and problem is not None:
            self._lost.setText(
                translate("key images", "Not kept: {why}").format(why=problem.sentence)
            )

    def _fill(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for one in self._shown:
            self._list.addWidget(self._row(one))

    def _row(self, one: KeyImage) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        go = QToolButton()
        go.setText(where(one, self._reading))
        go.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        by = translate("key images", "Go there. Marked by {reader}.").format(reader=one.reader)
        go.setToolTip(by if one.reader else translate("key images", "Go there."))
        go.clicked.connect(partial(self._marks.go_to, one))
        line.addWidget(go)
        line.addStretch(1)
        window = note(
            translate("key images", "W {width} L {level}").format(
                width=f"{one.window[1]:.0f}",
                level=f"{one.window[0]:.0f}".replace("-", "\N{MINUS SIGN}"),
            ),
            size_px=theme.CORNER_PX,
        )
        window.setWordWrap(False)
        line.addWidget(window)
        gone = QToolButton()
        gone.setText("✕")
        gone.setAccessibleName(
            translate("key images", "Take the mark from {image}").format(
                image=where(one, self._reading)
            )
        )
        gone.setToolTip(translate("key images", "Take the mark away; undo brings it back"))
        gone.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        gone.clicked.connect(partial(self._marks.remove, one))
        line.addWidget(gone)
        return row
