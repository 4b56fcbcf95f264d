"""Where a reader says what he sees before the AI shows, and what he has said."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.impressions import Impression, Judgement
from viewer.ui.panel import words
from viewer.ui.widgets import CommandButton, head, note

_MOST_LESIONS = 99
_COMMENT_PX = 66


class ImpressionForm(QWidget):
    """Judgement, number of lesions and a comment; afterwards one line of what was said."""

    def __init__(self, commit: QAction) -> None:
        super().__init__()
        self._of: tuple[str, str] | None = None
        self._title = head(translate("impression", "First impression"))
        self._hint = note(
            translate(
                "impression",
                "The AI is hidden until you have said what you see. Scroll, mark (M) and measure "
                "as you like; then commit. It cannot be taken back.",
            )
        )
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[Judgement, QPushButton] = {}
        choices = QHBoxLayout()
        choices.setSpacing(6)
        texts: dict[Judgement, str] = {
            "suspicious": translate("impression", "Suspicious"),
            "not-suspicious": translate("impression", "Not suspicious"),
            "unsure": translate("impression", "Unsure"),
        }
        for judgement, text in texts.items():
            button = QPushButton(text)
            button.setProperty("role", "verdict")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(button)
            self._buttons[judgement] = button
            choices.addWidget(button, len(text) + 4)  # the longest text needs the most room
        self._count = QSpinBox()
        self._count.setRange(0, _MOST_LESIONS)
        self._count.setAccessibleName(translate("impression", "Lesions seen"))
        self._count.setFixedWidth(64)
        self._count.valueChanged.connect(self._on_count)
        self._counted = False
        seen = QHBoxLayout()
        label = QLabel(translate("impression", "Lesions seen"))
        label.setBuddy(self._count)
        seen.addWidget(label)
        seen.addStretch(1)
        self._marked = note()
        self._marked.setWordWrap(False)
        seen.addWidget(self._marked)
        seen.addWidget(self._count)
        self._comment = QPlainTextEdit()
        self._comment.setPlaceholderText(translate("impression", "Comment, if any"))
        self._comment.setAccessibleName(translate("impression", "Comment"))
        self._comment.setFixedHeight(_COMMENT_PX)
        self._comment.setTabChangesFocus(True)
        self._commit = CommandButton(commit, role="primary")
        self._asking = QWidget()
        column = QVBoxLayout(self._asking)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._hint)
        column.addLayout(choices)
        column.addLayout(seen)
        column.addWidget(self._comment)
        column.addWidget(self._commit)
        self._told = note()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(14, 6, 14, 10)
        whole.setSpacing(6)
        whole.addWidget(self._title)
        whole.addWidget(self._told)
        whole.addWidget(self._asking)
        self.hide()

    # ------------------------------------------------------------------- what it says

    @property
    def judgement(self) -> Judgement | None:
        """The judgement chosen; None as long as there is none."""
        return next((name for name, b in self._buttons.items() if b.isChecked()), None)

    @property
    def lesions_seen(self) -> int:
        """How many lesions the reader says that he sees."""
        return self._count.value()

    @property
    def comment(self) -> str:
        """What the reader wrote."""
        return self._comment.toPlainText().strip()

    # ------------------------------------------------------------------------ showing

    def show_asking(self, of: tuple[str, str], marked: int, frozen: str) -> None:
        """Ask for an impression.

        Parameters
        ----------
        of
            Case and reader: another one begins with an empty form.
        marked
            How many lesions are marked; the number seen follows until it is set by hand.
        frozen
            Why nothing can be kept of the case, or empty.
        """
        if of != self._of:
            self._of = of
            self._clear()
        if not self._counted:
            self._set_count(marked)
        self._marked.setText(translate("impression", "{n} marked").format(n=marked))
        self._told.setText(frozen)
        self._told.setVisible(bool(frozen))
        self._asking.setEnabled(not frozen)
        self._asking.show()
        self.show()

    def show_told(self, impression: Impression | None) -> None:
        """Show what was said; nothing when nothing was."""
        self._asking.hide()
        if self._of is not None:
            self._of = None
            self._clear()
        text = ""
        if impression is not None:
            text = f"{impression.text()} · {words.local_time(impression.utc)}"
            if impression.comment:
                text += f"\n{impression.comment}"
        self._told.setText(text)
        self._told.setVisible(bool(text))
        self.setVisible(bool(text))

    def ask_for_judgement(self) -> None:
        """Bring the keyboard to the first choice."""
        self._buttons["suspicious"].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_count(self, _value: int) -> None:
        self._counted = True

    def _set_count(self, count: int) -> None:
        self._count.blockSignals(True)
        self._count.setValue(count)
        self._count.blockSignals(False)

    def _clear(self) -> None:
        self._counted = False
        self._set_count(0)
        self._comment.clear()
        self._group.setExclusive(False)
        for button in self._buttons.values():
            button.setChecked(False)
        self._group.setExclusive(True)
