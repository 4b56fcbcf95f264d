"""What a reader says of the selected finding: label, texture, malignancy. Under its comment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from resources import labels
from resources.text import translate
from viewer.annotate import attributes
from viewer.ui import theme
from viewer.ui.corrections import Corrections
from viewer.ui.panel import words
from viewer.ui.reading import Reading
from viewer.ui.widgets import note

_LABEL_PX = 78
_TEXTURE_KEYS = {
    Qt.Key.Key_G: "ground-glass",
    Qt.Key.Key_P: "part-solid",
    Qt.Key.Key_S: "solid",
}


class AttributesLine(QWidget):
    """Shown where the selected finding has attributes or needs them, and when it is asked for.

    While it has the keyboard, 1 to 5 give the malignancy and G, P, S the texture; Esc and Enter
    give the keyboard back. The same again takes it back.
    """

    label_asked = Signal()

    def __init__(self, reading: Reading, corrections: Corrections) -> None:
        super().__init__()
        self._reading = reading
        self._corrections = corrections
        self._called: str | None = None
        self.textures: dict[str, QPushButton] = {}
        self.malignancies: dict[int, QPushButton] = {}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(translate("attributes", "Texture and malignancy"))
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 12, 10)
        column.setSpacing(4)
        self._label = self._chip("", self.label_asked.emit)
        self._label.setCheckable(False)
        self._missing = note()
        self._missing.setWordWrap(False)
        column.addLayout(self._row(translate("attributes", "Label"), [self._label, self._missing]))
        for texture in labels.TEXTURES:
            text = attributes.texture_text(texture)
            self.textures[texture] = self._chip(
                text[:1].upper() + text[1:], partial(self.give, texture=texture)
            )
        column.addLayout(self._row(translate("attributes", "Texture"), [*self.textures.values()]))
        for value in labels.MALIGNANCIES:
            chip = self._chip(str(value), partial(self.give, malignancy=value))
            chip.setFixedWidth(34)
            chip.setToolTip(_malignancy_text(value))
            chip.setAccessibleName(_malignancy_text(value))
            self.malignancies[value] = chip
        column.addLayout(
            self._row(translate("attributes", "Malignancy"), [*self.malignancies.values()])
        )
        self._keys = note(translate("attributes", "Keys: 1 to 5 · G, P, S · Esc ends"))
        self._keys.setContentsMargins(_LABEL_PX + 4, 0, 0, 0)
        column.addWidget(self._keys)
        self.hide()
        reading.selection_changed.connect(self.refresh)
        reading.document_changed.connect(lambda _change: self.refresh())
        reading.shown_changed.connect(self.refresh)
        reading.case_changed.connect(self._on_case)

    @staticmethod
    def _chip(text: str, act: Callable[[], object]) -> QPushButton:
        chip = QPushButton(text)
        chip.setProperty("role", "verdict")
        chip.setCheckable(True)
        chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        chip.setFont(theme.font(theme.CORNER_PX))
        chip.setFixedSize(_chip_px(chip), 24)
        chip.clicked.connect(lambda _checked=False: act())
        return chip

    @staticmethod
    def _row(title: str, widgets: list[QWidget]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        name = note(title)
        name.setFixedWidth(_LABEL_PX)
        row.addWidget(name)
        for widget in widgets:
            row.addWidget(widget)
        row.addStretch(1)
        return row

    # ------------------------------------------------------------------ giving

    def begin(self) -> None:
        """Show it for the selected finding, and take the keyboard; again: give it back."""
        lesion = self._reading.lesion
        if lesion is None:
            return
        if self.hasFocus():
            self._give_back()
            return
        self._called = lesion.id
        self.refresh()
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def give(self, *, texture: str | None = None, malignancy: int | None = None) -> None:
        """Say it of the selected finding; the same again takes it back."""
        case, lesion = self._reading.case, self._reading.lesion
        if case is None or lesion is None or case.read_only:
            self.refresh()
            return
        stood = attributes.of(case.document, lesion.id)
        said = stood
        if texture is not None:
            said = replace(said, texture=None if stood.texture == texture else texture)
        if malignancy is not None:
            given = None if stood.malignancy == malignancy else malignancy
            said = replace(said, malignancy=given)
        self._called = lesion.id
        self._corrections.change(
            lambda case: case.set_note(attributes.TOPIC, lesion.id, said.note())
        )
        self.refresh()

    def _give_back(self) -> None:
        self._called = None
        self.clearFocus()
        self.refresh()

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self._does(event)
        ):
            event.accept()  # here its keys are not those of the window
            return True
        return super().event(event)

    @staticmethod
    def _does(event: QKeyEvent) -> bool:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        ends = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        return event.key() in (*_TEXTURE_KEYS, *ends) or event.text() in tuple("12345")

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._keys.show()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._keys.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._does(event):
            super().keyPressEvent(event)
        elif event.key() in _TEXTURE_KEYS:
            self.give(texture=_TEXTURE_KEYS[Qt.Key(event.key())])
        elif event.text() in tuple("12345"):
            self.give(malignancy=int(event.text()))
        else:
            self._give_back()

    # ----------------------------------------------------------------- showing

    def _on_case(self) -> None:
        self._called = None
        self.refresh()

    def refresh(self) -> None:
        """Follow the selected finding."""
        case, lesion = self._reading.case, self._reading.lesion
        if case is None or lesion is None or self._reading.ai_locked:
            self.hide()
            return
        said = attributes.of(case.document, lesion.id)
        needed = set(labels.required(lesion.label)) - {"comment"}
        wanted = bool(needed or said.note() or self._called == lesion.id)
        self.setVisible(wanted)
        if not wanted:
            return
        frozen = str(case.read_only_problem) if case.read_only else ""
        self._label.setText(words.label_name(lesion.label))
        self._label.setFixedWidth(_chip_px(self._label))
        self._keys.setVisible(self.hasFocus())
        self._label.setEnabled(not frozen)
        self._label.setToolTip(frozen or translate("attributes", "Call it something else"))
        theme.set_tone(self._missing, "pending")
        self._missing.setText(attributes.missing_text(attributes.missing(case.document, lesion)))
        for texture, chip in self.textures.items():
            _show_chip(chip, said.texture == texture, frozen, "")
        for value, chip in self.malignancies.items():
            _show_chip(chip, said.malignancy == value, frozen, _malignancy_text(value))


def _chip_px(chip: QPushButton) -> int:
    return chip.fontMetrics().horizontalAdvance(chip.text()) + 18


def _show_chip(chip: QPushButton, on: bool, frozen: str, tip: str) -> None:
    chip.setChecked(on)
    chip.setEnabled(not frozen)
    chip.setToolTip(frozen or tip)


def _malignancy_text(value: int) -> str:
    """Return a step of the scale of LIDC-IDRI in words."""
    return {
        1: translate("attributes", "Malignancy 1: highly unlikely"),
        2: translate("attributes", "Malignancy 2: moderately unlikely"),
        3: translate("attributes", "Malignancy 3: indeterminate"),
        4: translate("attributes", "Malignancy 4: moderately suspicious"),
        5: translate("attributes", "Malignancy 5: highly suspicious"),
    }[value]
