"""The two menus at the left of the bar: what is done with files, and all of the program itself."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QToolButton

from resources.text import translate
from viewer.ui import theme

Groups = tuple[tuple[str, ...], ...]

_FILES: Groups = (
    ("open", "open_file", "sample", "worklist"),
    ("import",),
    ("save_picture", "copy_picture"),
    ("deidentify", "forget_passphrase"),
)
_PROGRAM: Groups = (
    ("reader", "second_reading", "commit_reading", "agreement", "adjudicate", "pool_agreement"),
    ("trust", "audit"),
    ("card", "training_set", "retrain"),
    ("light", "hide_patient", "labels", "settings"),
    ("keys", "edit_keys"),
    ("quit",),
)
_NAME = "Overread"  # the same in every language
_ICON = QSize(14, 12)


class _MenuButton(QToolButton):
    def __init__(self, groups: Groups, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for number, group in enumerate(groups):
            if number:
                menu.addSeparator()
            for name in group:
                menu.addAction(actions[name])
        self.setMenu(menu)


class OpenButton(_MenuButton):
    """What comes in from files, and goes out as pictures."""

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__(_FILES, actions)
        self.setText(translate("bar", "Open…"))
        self.setToolTip(translate("bar", "Open a study, import outlines, de-identify"))


class ProgramButton(_MenuButton):
    """Readers, model, settings, keys: three lines, and the program's name where there is room."""

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__(_PROGRAM, actions)
        self.setObjectName("name")
        self.setText(f" {_NAME}")
        self.setIconSize(_ICON)
        self.setToolTip(translate("bar", "Readers, model, settings, keys"))
        self.setAccessibleName(self.toolTip())
        theme.changes().changed.connect(self._renew)
        self._renew()
        self.show_text(True)

    def show_text(self, shown: bool) -> None:
        """Leave the name out where there is no room."""
        style = Qt.ToolButtonStyle
        self.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if shown else style.ToolButtonIconOnly
        )

    def _renew(self) -> None:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(_ICON * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        pen = QPen(QColor(theme.SECONDARY), 1.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for y in (1.5, 6.0, 10.5):
            painter.drawLine(QLineF(1, y, _ICON.width() - 1, y))
        painter.end()
        self.setIcon(QIcon(picture))
