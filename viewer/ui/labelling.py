"""What findings are called, and what a reader says of them; the label schema of the site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from resources import labels
from resources.text import translate
from viewer import site_labels
from viewer.annotate import attributes
from viewer.ui.labels_dialog import LabelsDialog
from viewer.ui.panel import words
from viewer.ui.panel.attributes import AttributesLine

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow

_LABEL, _ATTRIBUTES, _SCHEMA = "label", "attributes", "labels"


class Labelling(QObject):
    """Reads the site's file at the start, offers labels, and tells of a case of another schema."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reading = window.reading
        self._problem = site_labels.load()
        self.line: AttributesLine | None = None
        window.reading.case_changed.connect(self._on_case)

    def attach(self) -> None:
        """Put the line of attributes under the comment; tell what is wrong with the file."""
        panel = self._window.panel
        self.line = AttributesLine(self._reading, self._window.corrections)
        column = panel.layout()
        assert column is not None
        at = column.indexOf(panel.comment) + 1
        column.insertWidget(at, self.line)  # type: ignore[attr-defined]
        self.line.label_asked.connect(self.choose)
        if self._problem is not None:
            self._window.message.show_problem(self._problem)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        return {_LABEL: self.choose, _ATTRIBUTES: self._begin, _SCHEMA: self.ask}

    def reasons(self) -> Mapping[str, str]:
        """Return why they cannot be used now."""
        case = self._reading.case
        if case is None:
            return {_SCHEMA: ""}
        why = str(case.read_only_problem) if case.read_only else ""
        if not why and self._reading.lesion is None:
            why = translate("window", "Select a finding first.")
        named = why
        if not named and len(labels.offered("lesion")) < 2:
            named = translate("labels", "There is one label for findings; the settings add others.")
        return {_LABEL: named, _ATTRIBUTES: why, _SCHEMA: ""}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    # ------------------------------------------------------------------ labels

    def menu(self) -> QMenu:
        """Return the labels that the selected finding may have."""
        lesion = self._reading.lesion
        menu = QMenu(self._window)
        for key in labels.offered("lesion"):
            action = menu.addAction(words.label_name(key))
            action.setCheckable(True)
            action.setChecked(lesion is not None and lesion.label == key)
            action.setData(key)
        menu.triggered.connect(lambda action: self.give(str(action.data())))
        return menu

    def choose(self) -> None:
        """Offer the labels for the selected finding."""
        if self.reasons().get(_LABEL):
            self._window.status.hint(self.reasons()[_LABEL])
            return
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        panel = self._window.panel.list
        menu.popup(panel.mapToGlobal(QPoint(24, 24)))

    def give(self, label: str) -> None:
        """Call the selected finding something else."""
        lesion = self._reading.lesion
        if lesion is not None:
            self._window.corrections.change(lambda case: case.set_label(lesion.id, label))

    def _begin(self) -> None:
        if self.line is not None:
            self.line.begin()

    # ------------------------------------------------------------------ schema

    def dialog(self) -> LabelsDialog:
        """Return the window of the schema."""
        dialog = LabelsDialog(self._problem, self._window)
        dialog.changed.connect(self._on_schema)
        return dialog

    def ask(self) -> None:
        """Show the schema."""
        dialog = self.dialog()
        dialog.exec()
        dialog.deleteLater()

    def _on_schema(self) -> None:
        self._problem = None
        self._remember()
        self._window.panel.refresh()
        if self.line is not None:
            self.line.refresh()
        self._reading.show()  # drawn in other colours
        self._window.follow()

    def _remember(self) -> tuple[str, ...]:
        case = self._reading.case
        return labels.remember({} if case is None else case.document.notes(attributes.TERMS))

    def _on_case(self) -> None:
        other = self._remember()
        case = self._reading.case
        if case is None or case.is_being_read:
            return
        unknown = labels.unknown(lesion.label for lesion in case.document.record)
        if other:
            names = ", ".join(words.label_name(key) for key in other)
            text = translate(
                "labels",
                "This case was written with another label schema: {names} had other codes.",
            ).format(names=names)
        elif unknown:
            names = ", ".join(words.label_name(key) for key in unknown)
            text = translate(
                "labels", "This case was written with another label schema: it also has {names}."
            ).format(names=names)
        else:
            return
        self._window.message.show_note(text)
