"""The bar on top: open, tools, undo, model and device, export."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QColor,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from resources.text import translate
from viewer.ui import theme
from viewer.ui.bar_menus import OpenButton, ProgramButton
from viewer.ui.layout_button import LayoutButton
from viewer.ui.measure_button import MeasureButton
from viewer.ui.reading import Reading
from viewer.ui.reshape_box import ReshapeBox, ReshapeButton
from viewer.ui.reshaping import Reshaping
from viewer.ui.tool_boxes import BoxTools, LassoBox, RuleBox
from viewer.ui.widgets import CommandButton, KeyCap, Slider, upright

BAR_PX = 44
_NARROWEST_PX = 760
_GAP_PX, _NARROW_GAP_PX = 17, 5


class _ArcButton(CommandButton):
    """Undo or redo: a bent arrow; its tooltip names the step."""

    def __init__(self, action: QAction, *, mirrored: bool) -> None:
        super().__init__(action, key=False)
        self._mirrored = mirrored
        self._label.hide()
        self.setFixedSize(QSize(32, 28))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._mirrored:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        pen = QPen(QColor(theme.TEXT if self.isEnabled() else theme.EDGE), 1.7)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        x, y = self.width() / 2, self.height() / 2
        painter.drawArc(QRectF(x - 6, y - 4, 12, 10), -70 * 16, 200 * 16)
        painter.drawLine(int(x - 6), int(y - 3), int(x), int(y - 4))
        painter.drawLine(int(x - 6), int(y - 4), int(x - 3), int(y - 8))
        painter.drawLine(int(x - 6), int(y - 4), int(x - 2), int(y))


class BrushBox(QWidget):
    """Size of the brush in mm and its shape; shown while brush or eraser is chosen."""

    def __init__(self, reading: Reading, ball: QAction) -> None:
        super().__init__()
        self._reading = reading
        self._size = QLabel()
        self._size.setFixedWidth(52)
        self._slider = Slider(2, 120, translate("bar", "Brush size in millimetres"))
        self._slider.setFixedWidth(110)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._slider)
        row.addWidget(self._size)
        row.addWidget(CommandButton(ball, text=translate("bar", "3-D")))
        self._slider.valueChanged.connect(lambda half: reading.set_brush(size_mm=half / 2))
        reading.tool_changed.connect(self._follow)
        self._follow()

    def show_slider(self, shown: bool) -> None:
        """Leave the slider out where there is no room; [ and ] do the same."""
        self._slider.setVisible(shown)

    def _follow(self) -> None:
        self.setVisible(self._reading.tool in ("brush", "erase"))
        size = self._reading.brush_mm
        keys = self._reading.keys
        self._slider.setToolTip(
            translate("bar", "Brush size: {smaller} and {larger}, or Shift and the wheel").format(
                smaller=keys.name("smaller"), larger=keys.name("larger")
            )
        )
        self._slider.blockSignals(True)
        self._slider.setValue(round(size * 2))
        self._slider.blockSignals(False)
        self._size.setText(translate("bar", "{size} mm").format(size=f"{size:g}"))


class TopBar(QFrame):
    """Everything that is not about one finding.

    It never makes the window wider: where room is short it leaves out, in this order, the name
    of the last step, that of the layout, its own, the keys, model and device in words, the slider
    of the brush, the room around its rules, the buttons of the worklist and of panning, the tools
    for whole outlines and those that are not held. All of these stand in tooltips or have their
    keys.
    """

    device_chosen = Signal(str)

    def __init__(self, reading: Reading, actions: dict[str, QAction], reshaping: Reshaping) -> None:
        super().__init__()
        self._reshaping = reshaping
        self.setObjectName("bar")
        self.setFixedHeight(BAR_PX)
        self._program = ProgramButton(actions)
        self._title = ""
        self._gaps: list[QWidget] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 10, 0)
        row.setSpacing(4)
        row.addWidget(self._program)
        row.addWidget(OpenButton(actions))
        self._seldom = [CommandButton(actions["worklist"], key=False)]
        row.addWidget(self._seldom[0])
        self._add_rule(row)
        self._seldom.append(CommandButton(actions["pan"]))
        row.addWidget(CommandButton(actions["window"]))
        row.addWidget(self._seldom[1])
        self._add_rule(row)
        self.measure_button = MeasureButton(reading, actions)
        row.addWidget(self.measure_button)
        self._add_rule(row)
        self._tools = [
            CommandButton(actions[tool]) for tool in ("brush", "erase", "lasso", "outline", "move")
        ]
        for button in self._tools:
            row.addWidget(button)
        # From the menu beside them; here they show which tool is held.
        self._held = [CommandButton(actions[tool]) for tool in ("refine", "box")]
        for button in self._held:
            row.addWidget(button)
            button.action.toggled.connect(lambda _on: self.fit())
        self._shape = ReshapeButton(actions)
        row.addWidget(self._shape)
        row.addWidget(ReshapeBox(reshaping, actions))
        self._brush = BrushBox(reading, actions["ball"])
        row.addWidget(self._brush)
        self._rules = RuleBox(reading, actions)
        row.addWidget(self._rules)
        row.addWidget(LassoBox(reading, actions))
        row.addWidget(BoxTools(reading, actions))
        self._add_rule(row)
        row.addWidget(_ArcButton(actions["undo"], mirrored=False))
        row.addWidget(_ArcButton(actions["redo"], mirrored=True))
        self._undo_text = QLabel()
        theme.set_tone(self._undo_text, "secondary")
        self._undo_text.setFont(theme.font(theme.CORNER_PX))
        row.addWidget(self._undo_text)
        row.addStretch(1)
        self.layout_button = LayoutButton(actions)
        row.addWidget(self.layout_button)
        row.addSpacing(4)
        self._devices: QActionGroup | None = None
        self.device_button = QToolButton()
        self.device_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.device_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.device_button.setMenu(QMenu(self.device_button))
        row.addWidget(self.device_button)
        row.addSpacing(4)
        self.run_button = CommandButton(actions["run"], role="verdict", key=False)
        row.addWidget(self.run_button)
        export = translate("bar", "Export")
        row.addWidget(CommandButton(actions["export"], role="primary", key=False, text=export))
        self._keys = self.findChildren(KeyCap)
        self._left_out = 0  # how much of the bar has no room, see ``fit``
        reading.tool_changed.connect(self.fit)
        self.layout_button.renamed.connect(self.fit)
        reshaping.changed.connect(self.fit)

    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROWEST_PX, BAR_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Show as much as there is room for."""
        row = self.layout()
        assert row is not None
        for left_out in range(11):
            for gap in self._gaps:
                gap.setFixedWidth(_GAP_PX if left_out < 7 else _NARROW_GAP_PX)
            self._undo_text.setVisible(left_out < 1)
            self.device_button.setText(self._title if left_out < 5 else translate("bar", "AI"))
            self.layout_button.show_text(left_out < 2)
            for key in self._keys:
                key.setVisible(left_out < 4)
            self._program.show_text(left_out < 3)
            self._brush.show_slider(left_out < 6)
            proposed = self._reshaping.proposal is not None
            for button in self._tools:  # none is held while an outline is proposed
                kept = left_out < 10 or button.isChecked()
                button.setVisible(kept and (left_out < 6 or not proposed))
            for button in self._held:
                button.setVisible(button.isChecked())
            self._rules.show_fields(left_out < 10)
            self._shape.setVisible(left_out < 9)
            for button in self._seldom:
                button.setVisible(left_out < 8 or button.isChecked())
            for widget in (self._brush, self._rules, *self.findChildren(CommandButton)):
                inner = widget.layout()
                if inner is not None:
                    inner.invalidate()
                widget.updateGeometry()
            row.invalidate()
            self._left_out = left_out
            if row.minimumSize().width() <= self.width():
                break

    def _add_rule(self, row: QHBoxLayout) -> None:
        gap = QWidget()
        inner = QHBoxLayout(gap)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(upright())
        self._gaps.append(gap)
        row.addWidget(gap)

    def show_undo(self, name: str | None) -> None:
        """Name the step that undo would take back."""
        text = translate("bar", "Undo “{step}”").format(step=name) if name else ""
        metrics = self._undo_text.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, 230)
        if shown != self._undo_text.text():
            self._undo_text.setText(shown)
            # Where more than this text had no room, it has none whatever it says.
            if self._left_out < 2:
                self.fit()

    def show_devices(self, devices: tuple[tuple[str, str], ...], chosen: str, title: str) -> None:
        """Offer (id, name) devices; ``title`` stands on the button."""
        menu = self.device_button.menu()
        menu.clear()
        if self._devices is not None:
            self._devices.deleteLater()
        self._devices = group = QActionGroup(menu)
        for key, name in devices:
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(key == chosen)
            action.setData(key)
            group.addAction(action)
        group.triggered.connect(self._on_device)
        self._title = title
        self.device_button.setToolTip(f"{title}\n{translate('bar', 'Where the model runs')}")
        self.fit()

    def _on_device(self, action: QAction) -> None:
        self.device_chosen.emit(action.data())
