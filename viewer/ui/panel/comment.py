"""A reader's own words on the selected finding: one line under the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from resources.text import translate
from viewer.annotate.lesion import COMMENT
from viewer.ui import theme
from viewer.ui.corrections import Corrections
from viewer.ui.panel import words
from viewer.ui.reading import Reading

_LONGEST = 500


class _Line(QLineEdit):
    """Enter keeps what was typed, Esc does not; both give the keyboard back to the window."""

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()  # it ends the typing, and gives up nothing else
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.undo_all()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        self.clearFocus()  # which keeps the text

    def undo_all(self) -> None:
        """Bring back what stood there."""
        self.setText(str(self.property("kept") or ""))


class CommentLine(QWidget):
    """Shown while a comment is typed, and where the selected finding has one.

    Comments are notes of the document: undoable, kept in the case, in no exported file.
    """

    def __init__(self, reading: Reading, corrections: Corrections) -> None:
        super().__init__()
        self._reading = reading
        self._corrections = corrections
        self._lesion_id: str | None = None
        self.line = _Line()
        self.line.setMaxLength(_LONGEST)
        self.line.setFont(theme.font(theme.CORNER_PX))
        self.line.setPlaceholderText(translate("comment", "Comment on this finding"))
        self.line.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.line.editingFinished.connect(self._keep)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 0)
        row.addWidget(self.line)
        self.hide()
        reading.selection_changed.connect(self.refresh)
        reading.document_changed.connect(lambda _change: self.refresh())
        reading.shown_changed.connect(self.refresh)
        reading.case_changed.connect(self.refresh)

    # ------------------------------------------------------------------ the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its key does."""
        return {"comment": self.begin}

    def begin(self) -> None:
        """Take the keyboard for a comment on the selected finding."""
        if self._reading.lesion is None:
            return
        self.show()
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()

    def refresh(self) -> None:
        """Follow the selection; what is being typed belongs to the finding that it was begun on."""
        case, lesion = self._reading.case, self._reading.lesion
        lesion_id = lesion.id if lesion is not None else None
        if lesion_id != self._lesion_id and self.line.hasFocus():
            self._keep()
        text = words.comment(case, lesion_id) if case is not None and lesion_id else ""
        changed = lesion_id != self._lesion_id or text != self.line.property("kept")
        self._lesion_id = lesion_id
        if changed:
            self.line.setProperty("kept", text)
            self.line.setText(text)
        title = words.title(lesion) if lesion is not None else ""
        self.line.setAccessibleName(
            translate("comment", "Comment on {finding}").format(finding=title)
        )
        self.line.setReadOnly(case is None or case.read_only)
        self.setVisible(bool(lesion_id and (text or self.line.hasFocus())))

    def _keep(self) -> None:
        case, lesion_id, text = self._reading.case, self._lesion_id, self.line.text().strip()
        if case is None or lesion_id is None or text == (self.line.property("kept") or ""):
            self.setVisible(bool(text))
            return
        self.line.setProperty("kept", text)
        note = {"text": text} if text else None
        self._corrections.change(lambda case: case.set_note(COMMENT, lesion_id, note))
