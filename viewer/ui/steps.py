"""Steps by name: a list to go back or forward in, and what else a reader sets as steps of undo.

The score threshold becomes a step when the hand lets go of it, a label's colour when it is
chosen: undo takes both back as it does strokes and verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from resources.text import translate
from viewer.annotate.edits import SetNote
from viewer.ui import label_colours

if TYPE_CHECKING:
    from viewer.annotate.document import Change
    from viewer.ui.main_window import MainWindow

_COMMAND = "steps"
COLOURS = "colours"
_LABELS = "labels"
_LISTED = 25


class Steps(QObject):
    """Lists the steps of the open case; keeps thresholds and colours as steps."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reading = window.reading
        self._colours = label_colours.kept()
        window.reading.document_changed.connect(self._on_change)

    def attach(self) -> None:
        """Join the parts of the window, which are there now."""
        panel = self._window.panel
        panel.threshold.settled.connect(self.keep_threshold)
        self._colours = label_colours.kept()
        panel.segments.coloured.connect(self.keep_colours)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {_COMMAND: self.show}

    def reasons(self) -> Mapping[str, str]:
        """Return why there are no steps to list."""
        return {_COMMAND: self.why_not()}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def why_not(self) -> str:
        """Return why there are no steps to list, in a sentence; empty when there are."""
        case = self._reading.case
        if case is None:
            return translate("window", "Open a series first.")
        if self._reading.ai_locked:
            return translate("steps", "The names of the steps would tell of the AI.")
        if not (case.can_undo or case.can_redo):
            return translate("window", "Nothing to undo.")
        return ""

    # ------------------------------------------------------------------ list

    def show(self) -> None:
        """Open the list under the bar."""
        if self.why_not():
            return
        menu, bar = self.menu(), self._window.bar
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(bar.mapToGlobal(QPoint(bar.width() // 2, bar.height())))

    def menu(self) -> QMenu:
        """Return the list; a step that is chosen there is the last one to go, or to return."""
        case = self._reading.case
        menu = QMenu(self._window)
        menu.setAccessibleName(translate("steps", "Steps"))
        done, undone = case.steps if case is not None else ((), ())
        for n in range(min(len(undone), _LISTED), 0, -1):
            text = translate("steps", "Redo up to “{step}”").format(step=_plain(undone[n - 1]))
            menu.addAction(text).triggered.connect(partial(self.go, n))
        menu.addSeparator()
        menu.addAction(translate("steps", "Now")).setEnabled(False)
        for n, step in enumerate(done[:_LISTED], 1):
            text = translate("steps", "Undo “{step}”").format(step=_plain(step))
            if n > 1:
                text = translate("steps", "Undo “{step}” and the {n} after it").format(
                    step=_plain(step), n=n - 1
                )
            menu.addAction(text).triggered.connect(partial(self.go, -n))
        if len(done) > _LISTED:
            more = translate("steps", "{n} earlier steps").format(n=len(done) - _LISTED)
            menu.addAction(more).setEnabled(False)
        return menu

    def go(self, steps: int, _checked: bool = False) -> None:
        """Undo so many steps (negative), or redo them."""
        act = self._window.corrections.undo if steps < 0 else self._window.corrections.redo
        for _ in range(abs(steps)):
            act()

    # ------------------------------------------------------------- threshold

    def keep_threshold(self) -> None:
        """Make the threshold a step when it is another than the last one kept."""
        case = self._reading.case
        if case is not None and not case.read_only and case.document.findings is not None:
            self._window.corrections.change(lambda one: one.keep_threshold())

    # --------------------------------------------------------------- colours

    def keep_colours(self) -> None:
        """Make the colours that a reader has just chosen a step."""
        before, self._colours = self._colours, label_colours.kept()
        case = self._reading.case
        if before == self._colours or case is None or case.read_only:
            return
        note = {"now": self._colours, "was": before}
        self._window.corrections.change(lambda one: one.set_note(COLOURS, _LABELS, note))

    def _on_change(self, change: Change | Any) -> None:
        case = self._reading.case
        note = getattr(change, "note", None)
        if case is None or note is None:
            return
        if note[0] == "threshold":
            self._reading.threshold_changed.emit()
        elif note[0] == COLOURS:
            last, taken_back = case.undo_edit, case.redo_edit
            if _colours(taken_back) and not self._stands(last):
                self._show_colours(_colours(taken_back)["was"])
            elif _colours(last):
                self._show_colours(_colours(last)["now"])

    def _stands(self, edit: object) -> bool:
        """Tell whether an edit of colours is what the screen shows already."""
        return bool(_colours(edit)) and _colours(edit)["now"] == self._colours

    def _show_colours(self, kept: str) -> None:
        if kept == label_colours.kept():
            return
        label_colours.restore(kept)
        self._colours = label_colours.kept()
        self._window.panel.segments.coloured.emit()


def _colours(edit: object) -> Mapping[str, str]:
    """Return what an edit of colours holds; nothing for another."""
    if isinstance(edit, SetNote) and edit.topic == COLOURS and edit.after is not None:
        return {key: str(edit.after.get(key, "")) for key in ("now", "was")}
    return {}


def _plain(step: str) -> str:
    return step.replace("&", "&&")
