"""The style sheet of the window, made from the tokens of a theme."""

from __future__ import annotations

from viewer.ui.tokens import Tokens


def style_sheet(t: Tokens) -> str:
    """Return the Qt style sheet of a theme."""
    return _grounds(t) + _buttons(t) + _inputs(t)


def _grounds(t: Tokens) -> str:
    return f"""
* {{ outline: none; }}
QWidget {{ color: {t.text}; }}
QMainWindow, QDialog {{ background: {t.ground}; }}
QToolTip {{
  color: {t.text}; background: {t.raised}; border: 1px solid {t.edge}; padding: 4px 6px;
}}
#bar {{ background: {t.bar}; border-bottom: 1px solid {t.hairline}; }}
#name {{ font-weight: 700; }}
#rail, #panel {{ background: {t.panel}; }}
#rail {{ border-right: 1px solid {t.hairline}; }}
#panel {{ border-left: 1px solid {t.hairline}; }}
QScrollArea, QScrollArea > QWidget, QScrollArea > QWidget > QWidget {{ background: transparent; }}
#status {{ background: {t.bar}; border-top: 1px solid {t.hairline}; }}
#status QLabel {{ color: {t.secondary}; }}
#status #research {{ color: {t.pending}; }}
#rule {{ background: {t.hairline}; }}
QLabel[role="head"], QLabel[role="hint"] {{ color: {t.secondary}; }}
QLabel[role="dim"] {{ color: {t.dim}; }}
QLabel[role="pending"] {{ color: {t.pending}; }}
#worklist {{ background: {t.ground}; }}
#empty {{ background: {t.stage}; }}
"""


def _buttons(t: Tokens) -> str:
    return f"""
QToolButton, QPushButton {{
  background: transparent; border: 1px solid transparent; border-radius: 6px;
  padding: 4px 8px; min-height: 18px; color: {t.text};
}}
QToolButton:hover, QPushButton:hover {{ background: {t.raised}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {t.selected}; }}
QToolButton:checked, QPushButton:checked {{ background: {t.selected}; color: {t.active_text}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {t.dim}; }}
QToolButton:focus, QPushButton:focus {{ border-color: {t.active}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QPushButton[role="primary"] {{ background: {t.primary}; color: {t.on_primary}; padding: 4px 12px; }}
QPushButton[role="primary"]:hover {{ background: {t.primary_hover}; }}
QPushButton[role="primary"]:disabled {{ background: {t.raised}; color: {t.dim}; }}
QPushButton[role="verdict"] {{ border: 1px solid {t.edge}; padding: 4px 2px; }}
QPushButton[role="verdict"]:disabled {{ border-color: {t.hairline}; }}
QPushButton[role="accept"] {{
  border: 1px solid {t.accepted}; color: {t.accepted_text}; padding: 4px 2px;
}}
QPushButton[role="accept"]:disabled {{ border-color: {t.hairline}; color: {t.dim}; }}
"""


def _inputs(t: Tokens) -> str:
    return f"""
QListWidget {{ background: transparent; border: none; }}
QScrollArea {{ border: none; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {t.edge}; border-radius: 4px; min-height: 24px; }}
QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {t.edge}; border-radius: 4px; min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{
  background: {t.hairline}; border: none; border-radius: 2px; max-height: 4px; min-height: 4px;
}}
QProgressBar::chunk {{ background: {t.active}; border-radius: 2px; }}
QMenu {{ background: {t.raised}; border: 1px solid {t.edge}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 22px; border-radius: 4px; background: transparent; }}
QMenu::item:selected {{ background: {t.selected}; }}
QMenu::item:disabled {{ color: {t.dim}; }}
QMenu::separator {{ height: 1px; background: {t.edge}; margin: 4px 6px; }}
QPushButton[role="plain"] {{ border: 1px solid {t.edge}; padding: 4px 12px; }}
QComboBox {{
  background: {t.raised}; border: 1px solid {t.edge}; border-radius: 6px; padding: 4px 8px;
  min-height: 18px;
}}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: none; width: 0; height: 0; }}
QComboBox:focus {{ border-color: {t.active}; }}
QComboBox:disabled {{ color: {t.dim}; }}
QComboBox QAbstractItemView {{
  background: {t.raised}; border: 1px solid {t.edge}; padding: 4px;
  selection-background-color: {t.selected}; selection-color: {t.text};
}}
QCheckBox, QRadioButton {{ spacing: 8px; }}
#pages {{ background: transparent; }}
#pages::item {{ border-radius: 6px; padding: 0 10px; color: {t.text}; }}
#pages::item:hover {{ background: {t.raised}; }}
#pages::item:selected {{ background: {t.selected}; color: {t.active_text}; }}
#preview {{ background: {t.canvas}; border: 1px solid {t.hairline}; }}
QLineEdit, QPlainTextEdit, QTextBrowser {{
  background: {t.ground}; border: 1px solid {t.edge}; border-radius: 6px; padding: 4px 6px;
  selection-background-color: {t.primary};
}}
QLineEdit, QPlainTextEdit {{ placeholder-text-color: {t.dim}; }}
QLineEdit:focus, QPlainTextEdit:focus {{ border-color: {t.active}; }}
QToolButton[role="quiet"] {{ padding: 0 6px; color: {t.secondary}; border: none; }}
QToolButton[role="quiet"]:hover, QToolButton[role="quiet"]:focus {{ color: {t.text}; }}
QToolButton[role="quiet"]:checked {{ color: {t.active_text}; }}
QToolButton[role="bare"] {{ padding: 0; border: none; min-height: 0; }}
#message {{ background: {t.raised}; border-bottom: 1px solid {t.edge}; }}
QSplitter::handle {{ background: {t.hairline}; }}
"""
