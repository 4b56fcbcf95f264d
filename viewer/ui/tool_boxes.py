"""What a tool can be set to, in the bar beside it; shown while the tool is held."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QWidget

from resources.text import translate
from viewer.tools.lasso import MODES
from viewer.tools.rules import Range
from viewer.ui.brush_rules import KINDS, kind_of, range_text
from viewer.ui.lasso_layer import SIGNS
from viewer.ui.reading import Reading
from viewer.ui.widgets import CommandButton

_FIELD_PX = 50


class LassoBox(QWidget):
    """What the lasso does: add, cut off, keep."""

    def __init__(self, reading: Reading, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._reading = reading
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(2)
        for mode in MODES:
            row.addWidget(CommandButton(actions[f"lasso_{mode}"], key=False, text=SIGNS[mode]))
        reading.tool_changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        self.setVisible(self._reading.tool == "lasso")


class BoxTools(QWidget):
    """What is done with the box: put round the finding, outlined in, kept alone, taken away."""

    def __init__(self, reading: Reading, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._reading = reading
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(2)
        words = {
            "box_fit": translate("box", "Fit"),
            "box_outline": translate("box", "Outline ⏎"),
            "box_keep": translate("box", "Keep inside"),
            "box_remove": "✕",
        }
        for name, text in words.items():
            row.addWidget(CommandButton(actions[name], key=False, text=text))
        reading.tool_changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        self.setVisible(self._reading.tool == "box")


class RuleBox(QWidget):
    """What of the voxels under the brush is changed, and the two ends of a range of values."""

    def __init__(self, reading: Reading, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._reading = reading
        self._actions = actions
        self._has_room = True
        self._button = QToolButton()
        self._button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(self._button)
        menu.setToolTipsVisible(True)
        for kind in KINDS:
            menu.addAction(actions[f"brush_{kind}"])
        menu.addSeparator()
        menu.addAction(actions["brush_values"])
        self._button.setMenu(menu)
        self._low = self._field(translate("brush", "Lowest value that the brush changes"))
        self._high = self._field(translate("brush", "Highest value that the brush changes"))
        self._dash = QLabel("–")
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 0, 0)
        row.setSpacing(3)
        for widget in (self._button, self._low, self._dash, self._high):
            row.addWidget(widget)
        reading.tool_changed.connect(self._follow)
        actions["brush_edge"].changed.connect(self._follow)
        self._follow()

    def show_fields(self, shown: bool) -> None:
        """Leave the two ends of the range out where there is no room; the tooltip has them."""
        self._has_room = shown
        for widget in (self._low, self._dash, self._high):
            widget.setVisible(shown and isinstance(self._reading.brush_rule, Range))

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setFixedWidth(_FIELD_PX)
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.setAccessibleName(name)
        field.setToolTip(name)
        field.editingFinished.connect(self._on_typed)
        field.returnPressed.connect(field.clearFocus)
        return field

    def _on_typed(self) -> None:
        rule = self._reading.brush_rule
        if not isinstance(rule, Range):
            return
        low, high = _number(self._low.text()), _number(self._high.text())
        if low is not None and high is not None:
            wanted = Range(min(low, high), max(low, high))
            if wanted != rule:
                self._reading.brush_rule = wanted
                self._reading.tool_changed.emit()
        self._follow()  # what is no number goes back to what it was

    def _follow(self) -> None:
        self.setVisible(self._reading.tool in ("brush", "erase"))
        rule = self._reading.brush_rule
        action = self._actions[f"brush_{kind_of(rule)}"]
        self._button.setText(
            {
                "all": translate("brush", "All"),
                "range": translate("brush", "Values"),
                "edge": translate("brush", "Edge"),
            }[kind_of(rule)]
        )
        self._button.setMinimumWidth(self._button.sizeHint().width())  # its word is never cut
        self._button.setAccessibleName(action.text())
        keys = self._reading.keys.name("brush_rule")
        said = translate("brush", "What brush and eraser change: {key} for the next way")
        unit = self._reading.case.volume.unit if self._reading.case is not None else ""
        values = f"\n{range_text(rule, unit)}" if isinstance(rule, Range) else ""
        self._button.setToolTip(said.format(key=keys) + values)
        self.show_fields(self._has_room)
        if isinstance(rule, Range):
            for field, value in ((self._low, rule.low), (self._high, rule.high)):
                text = f"{value:g}".replace("-", "\N{MINUS SIGN}")
                if field.text() != text:
                    field.setText(text)


def _number(text: str) -> float | None:
    """Return the number that was typed, or None."""
    try:
        value = float(text.replace("\N{MINUS SIGN}", "-").replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
