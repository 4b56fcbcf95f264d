"""In the bar: the menu of tools that change a whole outline, and the value of the one proposed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QWidget

from resources.text import translate
from viewer.ui.reshaping import Reshaping
from viewer.ui.widgets import KeyCap, Slider

# As they stand in the menu; None is a rule between two groups.
_MENU = (
    "fill_between", "grow", "walk", None,
    "largest_piece", "small_pieces", "fill_holes", None,
    "smooth", "median", "margin", "hollow", None,
    "union", "subtract", "intersect", None,
    "split", "merge", "copy_beside", "import", None,
    "refine", "box", "box_fit", "box_outline", "box_keep", "box_remove", None,
    "lock",
)  # fmt: skip
# What needs no outline that is chosen.
_WITHOUT_OUTLINE = ("lock", "box", "copy_beside", "import")
_SLIDER_PX = 130


class ReshapeButton(QToolButton):
    """A menu of the tools; its tooltip says why none can be used."""

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._actions = actions
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setText(translate("bar", "Shape"))
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for name in _MENU:
            if name is None:
                menu.addSeparator()
            else:
                menu.addAction(actions[name])
        self.setMenu(menu)
        for name in ("margin", *_WITHOUT_OUTLINE):
            actions[name].changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        # A margin can be given to every outline: why it cannot is why no outline can be changed.
        first = self._actions["margin"]
        others = (self._actions[name] for name in _WITHOUT_OUTLINE)
        self.setEnabled(first.isEnabled() or any(action.isEnabled() for action in others))
        why = first.toolTip().partition("\n")[2]
        said = translate("bar", "Change the whole outline: fill, grow, smooth, margin, split")
        self.setToolTip(f"{said}\n{why}" if why else said)


class ReshapeBox(QWidget):
    """The value of the tool that is proposed, and whether it is applied."""

    def __init__(self, reshaping: Reshaping, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._reshaping = reshaping
        self._actions = actions
        self._name = QLabel()
        self._slider = Slider(0, 1, translate("reshape", "What the tool is set to"))
        self._slider.setFixedWidth(_SLIDER_PX)
        self._value = QLabel()
        self._value.setFixedWidth(62)
        self._apply = QPushButton(translate("reshape", "Apply"))
        self._apply.setProperty("role", "plain")
        self._apply.setToolTip(translate("reshape", "Apply what is shown: Enter"))
        self._apply.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._cancel = QPushButton("✕")
        self._cancel.setToolTip(translate("reshape", "Give it up: Esc"))
        self._cancel.setAccessibleName(translate("reshape", "Give it up"))
        self._cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self._name, self._slider, self._value, self._apply, KeyCap("⏎")):
            row.addWidget(widget)
        row.addWidget(self._cancel)
        self._slider.valueChanged.connect(self._on_slid)
        self._apply.clicked.connect(reshaping.apply)
        self._cancel.clicked.connect(reshaping.give_up)
        reshaping.changed.connect(self._follow)
        self._follow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._reshaping.apply()
        else:
            event.ignore()

    def _on_slid(self, step: int) -> None:
        proposal = self._reshaping.proposal
        if proposal is not None and proposal.op.setting is not None:
            setting = proposal.op.setting
            self._reshaping.set_value(setting.low + step * setting.step)

    def _follow(self) -> None:
        proposal = self._reshaping.proposal
        setting = None if proposal is None else proposal.op.setting
        if proposal is None or setting is None:
            self.setVisible(False)
            return
        self._name.setText(self._actions[proposal.op.id].text().rstrip("…"))
        self._slider.blockSignals(True)
        self._slider.setRange(0, round((setting.high - setting.low) / setting.step))
        self._slider.setValue(round((proposal.value - setting.low) / setting.step))
        self._slider.blockSignals(False)
        self._slider.update()
        self._value.setText(setting.text(proposal.value))
        if self.isHidden():
            self.setVisible(True)
            self._slider.setFocus(Qt.FocusReason.OtherFocusReason)
