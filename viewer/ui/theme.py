"""Colours, type and style sheet of the reading-room theme (tokens of the look, dark)."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

CANVAS = "#000000"
GROUND = "#0E1013"
PANEL = "#121519"
BAR = "#16191E"
RAISED = "#1B1F25"
HAIRLINE = "#23272E"
EDGE = "#333942"
TEXT = "#D7DBE0"
SECONDARY = "#8F97A1"
DIM = "#7D858F"
ACTIVE = "#4B97E6"
SELECTED = "#1C2631"
PENDING = "#F0C04A"
ACCEPTED = "#009E73"
PRIMARY = "#2F6FB3"
PRIMARY_HOVER = "#3474BA"
LETTER = "#F0D264"
FAILED = "#E8825A"

_FACES: tuple[str, ...] = ("Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue")
_CJK_FACES: tuple[str, ...] = ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC")

BODY_PX = 13
CORNER_PX = 12
HEAD_PX = 11


@cache
def _families() -> list[str]:
    installed = set(QFontDatabase.families())
    faces = [face for face in _FACES if face in installed]
    cjk = [face for face in _CJK_FACES if face in installed]
    return [*(faces or [QApplication.font().family()]), *cjk] if faces or cjk else []


def font(size_px: int = BODY_PX, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the interface face at a size, with tabular figures where the face has them."""
    out = QFont()
    families = _families()
    if families:
        out.setFamilies(families)
    out.setPixelSize(size_px)
    out.setWeight(weight)
    if hasattr(QFont, "Tag"):
        out.setFeature(QFont.Tag("tnum"), 1)
    return out


def head_font() -> QFont:
    """Return the face of section heads: small spaced capitals."""
    out = font(HEAD_PX)
    out.setCapitalization(QFont.Capitalization.AllUppercase)
    out.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.8)
    return out


STYLE = f"""
* {{ outline: none; }}
QWidget {{ color: {TEXT}; }}
QMainWindow, QDialog {{ background: {GROUND}; }}
QToolTip {{ color: {TEXT}; background: {RAISED}; border: 1px solid {EDGE}; padding: 4px 6px; }}
#bar {{ background: {BAR}; border-bottom: 1px solid {HAIRLINE}; }}
#name {{ font-weight: 700; }}
#rail, #panel {{ background: {PANEL}; }}
#rail {{ border-right: 1px solid {HAIRLINE}; }}
#panel {{ border-left: 1px solid {HAIRLINE}; }}
QScrollArea, QScrollArea > QWidget, QScrollArea > QWidget > QWidget {{ background: transparent; }}
#status {{ background: {BAR}; border-top: 1px solid {HAIRLINE}; }}
#status QLabel {{ color: {SECONDARY}; }}
#status #research {{ color: {PENDING}; }}
#rule {{ background: {HAIRLINE}; }}
#views {{ background: {HAIRLINE}; }}
QLabel[role="head"], QLabel[role="hint"] {{ color: {SECONDARY}; }}
QLabel[role="dim"] {{ color: {DIM}; }}
QLabel[role="pending"] {{ color: {PENDING}; }}

QToolButton, QPushButton {{
  background: transparent; border: 1px solid transparent; border-radius: 6px;
  padding: 4px 8px; min-height: 18px; color: {TEXT};
}}
QToolButton:hover, QPushButton:hover {{ background: {RAISED}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {SELECTED}; }}
QToolButton:checked, QPushButton:checked {{ background: {SELECTED}; color: {ACTIVE}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {DIM}; }}
QToolButton:focus, QPushButton:focus {{ border-color: {ACTIVE}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QPushButton[role="primary"] {{ background: {PRIMARY}; color: #FFFFFF; padding: 4px 12px; }}
QPushButton[role="primary"]:hover {{ background: {PRIMARY_HOVER}; }}
QPushButton[role="primary"]:disabled {{ background: {RAISED}; color: {DIM}; }}
QPushButton[role="verdict"] {{ border: 1px solid {EDGE}; padding: 4px 2px; }}
QPushButton[role="verdict"]:disabled {{ border-color: {HAIRLINE}; }}
QPushButton[role="accept"] {{ border: 1px solid {ACCEPTED}; color: #3CCB9C; padding: 4px 2px; }}
QPushButton[role="accept"]:disabled {{ border-color: {HAIRLINE}; color: {DIM}; }}

QListWidget {{ background: transparent; border: none; }}
QScrollArea {{ border: none; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {EDGE}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{
  background: {HAIRLINE}; border: none; border-radius: 2px; max-height: 4px; min-height: 4px;
}}
QProgressBar::chunk {{ background: {ACTIVE}; border-radius: 2px; }}
QMenu {{ background: {RAISED}; border: 1px solid {EDGE}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 22px; border-radius: 4px; background: transparent; }}
QMenu::item:selected {{ background: {SELECTED}; }}
QMenu::item:disabled {{ color: {DIM}; }}
QMenu::separator {{ height: 1px; background: {EDGE}; margin: 4px 6px; }}
QLineEdit, QPlainTextEdit, QTextBrowser {{
  background: {GROUND}; border: 1px solid {EDGE}; border-radius: 6px; padding: 4px 6px;
  selection-background-color: {PRIMARY};
}}
QLineEdit:focus, QPlainTextEdit:focus {{ border-color: {ACTIVE}; }}
#message {{ background: {RAISED}; border-bottom: 1px solid {EDGE}; }}
QSplitter::handle {{ background: {HAIRLINE}; }}
"""


def apply_theme(app: QApplication) -> None:
    """Give the whole application the dark reading-room theme."""
    app.setStyle("Fusion")
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, GROUND),
        (QPalette.ColorRole.WindowText, TEXT),
        (QPalette.ColorRole.Base, PANEL),
        (QPalette.ColorRole.AlternateBase, RAISED),
        (QPalette.ColorRole.Text, TEXT),
        (QPalette.ColorRole.Button, BAR),
        (QPalette.ColorRole.ButtonText, TEXT),
        (QPalette.ColorRole.ToolTipBase, RAISED),
        (QPalette.ColorRole.ToolTipText, TEXT),
        (QPalette.ColorRole.PlaceholderText, DIM),
        (QPalette.ColorRole.Highlight, PRIMARY),
        (QPalette.ColorRole.HighlightedText, "#FFFFFF"),
    ):
        palette.setColor(role, QColor(colour))
    app.setPalette(palette)
    app.setFont(font())
    app.setStyleSheet(STYLE)
