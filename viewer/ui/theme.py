"""Type, style sheet and colours of the theme in use: ``theme.TEXT`` is its token ``text``."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from weakref import WeakSet

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from viewer.ui.style import style_sheet
from viewer.ui.tokens import DARK, THEMES, Tokens

_FACES: tuple[str, ...] = ("Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue")
_CJK_FACES: tuple[str, ...] = ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC")

BODY_PX = 13
CORNER_PX = 12
HEAD_PX = 11
# A button in a line of text.
QUIET = (
    "QToolButton {{ padding: 0 6px; border: none; color: {ink}; }}"
    "QToolButton:hover {{ color: {text}; }}"
)


class _Theme(QObject):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tokens = DARK


_now = _Theme()
_toned: WeakSet[QWidget] = WeakSet()
_INKS = {"active": "active_text", "accepted": "accepted_text"}


def __getattr__(name: str) -> str:
    """Return a token of the theme in use by its name in capitals."""
    if name.isupper() and not name.startswith("_"):
        return str(getattr(_now.tokens, name.lower()))
    raise AttributeError(name)


def tokens() -> Tokens:
    """Return the tokens of the theme in use."""
    return _now.tokens


def changes() -> _Theme:
    """Return what has the signal ``changed``, for what keeps a colour; most things only paint."""
    return _now


@cache
def _families() -> list[str]:
    installed = set(QFontDatabase.families())
    faces = [face for face in _FACES if face in installed]
    cjk = [face for face in _CJK_FACES if face in installed]
    return [*(faces or [QApplication.font().family()]), *cjk] if faces or cjk else []


def font(size_px: int = BODY_PX, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the interface face at a size, with tabular figures where the face has them."""
    return QFont(_font(size_px, weight))  # one's own, and the face need not be looked for again


@cache
def _font(size_px: int, weight: QFont.Weight) -> QFont:
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


def set_tone(widget: QWidget, tone: str, rule: str = "color: {ink};") -> None:
    """Give a widget a colour by its meaning, such as ``"pending"``; it follows the theme.

    No tone is that of its kind. ``rule`` is a style sheet in which ``{ink}`` stands for the
    colour, and tokens for theirs.
    """
    if (widget.property("tone"), widget.property("rule")) == (tone, rule):
        return
    widget.setProperty("tone", tone)
    widget.setProperty("rule", rule)
    _toned.add(widget)
    _dress(widget)


@cache
def _known(tokens: Tokens) -> dict[str, str]:
    return asdict(tokens)


def _dress(widget: QWidget) -> None:
    # Not by a selector of the application's sheet: a widget that is polished again needs its
    # style in Python's hands, and Qt deletes that with the next sheet.
    if not widget.property("tone"):
        widget.setStyleSheet("")
        return
    known = _known(_now.tokens)
    ink = known[_INKS.get(widget.property("tone"), widget.property("tone"))]
    widget.setStyleSheet(widget.property("rule").format(ink=ink, **known))


def luminance(colour: str) -> float:
    """Return the relative luminance of a ``#RRGGBB`` colour, 0 to 1 (WCAG 2.2)."""
    channels = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two ``#RRGGBB`` colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@cache
def _readable(colour: str, grounds: tuple[str, ...]) -> str:
    towards = 255 if luminance(grounds[0]) < 0.18 else 0
    for step in range(21):
        mixed = "#" + "".join(
            f"{round(int(colour[n : n + 2], 16) * (20 - step) / 20 + towards * step / 20):02X}"
            for n in (1, 3, 5)
        )
        if all(contrast(mixed, ground) >= 4.5 for ground in grounds):
            return mixed
    return _now.tokens.text


def readable(colour: str) -> str:
    """Return the shade of a label's colour that text in a panel needs to be read (4.5:1)."""
    now = _now.tokens
    return _readable(colour, (now.panel, now.raised, now.selected))


def apply_theme(app: QApplication, name: str = "") -> None:
    """Give the whole application a theme, by default the one in use; all is painted anew.

    Raises
    ------
    KeyError
        When there is no such theme.
    """
    changed = bool(name) and THEMES[name] is not _now.tokens
    if name:
        _now.tokens = THEMES[name]
    now = _now.tokens
    if not app.property("fusion"):  # once: all widgets are dressed anew by it, as by the sheet
        app.setStyle("Fusion")
        app.setProperty("fusion", True)
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, now.ground),
        (QPalette.ColorRole.WindowText, now.text),
        (QPalette.ColorRole.Base, now.panel),
        (QPalette.ColorRole.AlternateBase, now.raised),
        (QPalette.ColorRole.Text, now.text),
        (QPalette.ColorRole.Button, now.bar),
        (QPalette.ColorRole.ButtonText, now.text),
        (QPalette.ColorRole.ToolTipBase, now.raised),
        (QPalette.ColorRole.ToolTipText, now.text),
        (QPalette.ColorRole.PlaceholderText, now.dim),
        (QPalette.ColorRole.Highlight, now.primary),
        (QPalette.ColorRole.HighlightedText, now.on_primary),
    ):
        palette.setColor(role, QColor(colour))
    app.setPalette(palette)
    app.setFont(font())
    app.setStyleSheet(style_sheet(now))
    if changed:
        for widget in list(_toned):
            if isValid(widget):
                _dress(widget)
        _now.changed.emit()
        for widget in app.allWidgets():
            widget.update()
