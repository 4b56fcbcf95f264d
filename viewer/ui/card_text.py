"""How a text that came as Markdown is set: headings stand apart from what is before them."""

from __future__ import annotations

from PySide6.QtGui import (
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)

from viewer.ui import theme

_MARGIN_PX = 14
_BEFORE_PX, _AFTER_PX = 18, 6
_LARGER_PX = {1: 9, 2: 4}  # than the body, by level


def set_apart(document: QTextDocument) -> None:
    """Give headings and paragraphs room; read from Markdown they touch each other."""
    document.setDocumentMargin(_MARGIN_PX)
    option = document.defaultTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    document.setDefaultTextOption(option)
    block = document.begin()
    while block.isValid():
        cursor = QTextCursor(block)
        level = block.blockFormat().headingLevel()
        room = QTextBlockFormat()
        room.setNonBreakableLines(False)  # commands are broken rather than scrolled sideways
        if level:
            room.setTopMargin(_BEFORE_PX if block.blockNumber() else 0)
            room.setBottomMargin(_AFTER_PX)
            letters = QTextCharFormat()
            size = theme.BODY_PX + _LARGER_PX.get(level, 1)
            letters.setFont(theme.font(size, QFont.Weight.DemiBold))
            letters.clearProperty(QTextCharFormat.Property.FontSizeAdjustment)
            cursor.movePosition(
                QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor
            )
            cursor.setCharFormat(letters)
        elif block.textList() is None and cursor.currentTable() is None:
            room.setBottomMargin(_AFTER_PX)
        cursor.mergeBlockFormat(room)
        block = block.next()
