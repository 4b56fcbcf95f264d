"""The list of findings: one row each, state, name, score, place and size."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAccessible,
    QAccessibleTableModelChangeEvent,
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPen,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from resources.text import translate
from viewer.annotate import attributes, copied, locks
from viewer.annotate.lesion import IMPORTED
from viewer.ui import theme
from viewer.ui.commands import key_text
from viewer.ui.label_colours import label_colour
from viewer.ui.panel import words
from viewer.ui.panel.padlock import WIDE_PX, draw_padlock, lock_text
from viewer.ui.queue import Queue
from viewer.ui.reading import Reading

if TYPE_CHECKING:
    from viewer.annotate.lesion import Lesion, SegmentState
    from viewer.session import Case

_ID = int(Qt.ItemDataRole.UserRole)
_LESION = _ID + 1
_DETAIL = _ID + 2
_FOOT = _ID + 3
_LOCKED = _ID + 4
_TEXT_X = 32


@lru_cache(maxsize=1024)
def _wrapped(detail: str, foot: str, width: int) -> tuple[str, ...]:
    metrics = QFontMetrics(theme.font(theme.CORNER_PX))
    lines: list[str] = []
    for text in (detail, foot):
        line = ""
        for part in filter(None, text.split(" · ")):
            part = metrics.elidedText(part, Qt.TextElideMode.ElideRight, width)
            longer = f"{line} · {part}" if line else part
            if line and metrics.horizontalAdvance(longer) > width:
                lines.append(line + " ·")
                line = part
            else:
                line = longer
        if line:
            lines.append(line)
    return tuple(lines)


class _Row(QStyledItemDelegate):
    """Paints one finding; its second line wraps rather than being cut."""

    @staticmethod
    def _lines(index: QModelIndex | QPersistentModelIndex, width: int) -> tuple[str, ...]:
        return _wrapped(str(index.data(_DETAIL) or ""), str(index.data(_FOOT) or ""), width)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        view = self.parent()
        assert isinstance(view, QListWidget)
        width = view.viewport().width() - _TEXT_X - 14
        return QSize(80, 33 + 16 * max(1, len(self._lines(index, width))))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        lesion: Lesion = index.data(_LESION)
        rect = option.rect.adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(theme.ACTIVE), 1))
            painter.setBrush(QColor(theme.SELECTED))
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.RAISED))
            painter.drawRoundedRect(QRectF(rect), 6, 6)
        rejected = lesion.verdict == "rejected"
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        faint = QColor(theme.SECONDARY if selected else theme.DIM)  # 4.5:1 on either ground
        _glyph(painter, QPointF(rect.left() + 16, rect.top() + 18), lesion)

        name = theme.font(theme.BODY_PX, QFont.Weight.DemiBold)
        name.setStrikeOut(rejected)
        painter.setFont(name)
        painter.setPen(faint if rejected else QColor(theme.TEXT))
        top = QRect(rect.left() + _TEXT_X, rect.top() + 8, rect.width() - _TEXT_X - 10, 20)
        painter.drawText(top, int(Qt.AlignmentFlag.AlignVCenter), words.title(lesion))
        painter.setFont(theme.font(theme.BODY_PX, QFont.Weight.DemiBold))
        if lesion.score is not None:
            ink = QColor(theme.readable(label_colour(lesion.label)))
            painter.setPen(faint if rejected else ink)
            score = f"{lesion.score:.2f}"
        else:
            painter.setPen(QColor(theme.SECONDARY))
            painter.setFont(theme.font(theme.CORNER_PX))
            score = _whose(lesion)
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(top, right, score)
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if index.data(_LOCKED) or selected or over:
            ink = QColor(theme.TEXT) if index.data(_LOCKED) else faint
            at = QRectF(padlock_rect(option.rect)).center()
            draw_padlock(painter, at, ink, closed=bool(index.data(_LOCKED)))

        painter.setFont(theme.font(theme.CORNER_PX))
        painter.setPen(faint if rejected else QColor(theme.SECONDARY))
        y = rect.top() + 28
        for line in self._lines(index, rect.width() - _TEXT_X - 14):
            painter.drawText(
                QRect(rect.left() + _TEXT_X, y, rect.width() - _TEXT_X - 8, 16),
                int(Qt.AlignmentFlag.AlignVCenter),
                line,
            )
            y += 16
        painter.restore()


def _whose(lesion: Lesion) -> str:
    """Return whose a finding without a score is, in a word."""
    if lesion.origin in IMPORTED:
        return translate("findings", "imported")
    return translate("findings", "reader")


def _glyph(painter: QPainter, at: QPointF, lesion: Lesion) -> None:
    """Draw the state: shape and colour both tell it."""
    radius = 5.5
    state = lesion.verdict or ("human" if lesion.origin == "human" else "pending")
    if state in ("accepted", "human"):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.ACCEPTED if state == "accepted" else theme.SECONDARY))
        painter.drawEllipse(at, radius + 0.5, radius + 0.5)
        painter.setPen(QPen(QColor(theme.ON_PRIMARY if state == "accepted" else theme.PANEL), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if state == "accepted":
            ticks = [QPointF(-2.6, 0.2), QPointF(-0.7, 2.1), QPointF(2.8, -2.0)]
            painter.drawPolyline([at + tick for tick in ticks])
        else:
            painter.drawLine(at + QPointF(0, -2.8), at + QPointF(0, 2.8))
            painter.drawLine(at + QPointF(-2.8, 0), at + QPointF(2.8, 0))
        return
    colour = {"pending": theme.PENDING, "unsure": theme.PENDING}.get(state, theme.DIM)
    painter.setPen(QPen(QColor(colour), 1.6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(at, radius, radius)
    if state == "rejected":
        painter.drawLine(at + QPointF(-3.6, -3.6), at + QPointF(3.6, 3.6))
    elif state == "unsure":
        painter.setFont(theme.font(9, QFont.Weight.Bold))
        painter.drawText(
            QRectF(at.x() - 6, at.y() - 6, 12, 12), int(Qt.AlignmentFlag.AlignCenter), "?"
        )


def padlock_rect(row: QRect) -> QRect:
    """Return where the padlock of a row lies, given the row: beside the widest score."""
    return QRect(row.right() - 64 - WIDE_PX, row.top() + 8, WIDE_PX, 20)


class FindingsList(QListWidget):
    """Rows of the shown lesions; a click or J / K selects one and centres all views."""

    lock_asked = Signal(str)  # id of a lesion to be locked, or unlocked

    def __init__(self, reading: Reading, queue: Queue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading = reading
        self._queue = queue
        self._filling = False
        self._filled: tuple[Lesion, ...] = ()
        self._segments: tuple[SegmentState, ...] = ()
        self._details: dict[str, tuple[Lesion, tuple[SegmentState, ...], str]] = {}
        self._comments: dict[str, str] = {}
        self._locked: frozenset[str] = frozenset()
        self._laid_out = False  # whether rows lie elsewhere, or are higher, since they were filled
        self.setItemDelegate(_Row(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(translate("findings", "Findings"))
        self.currentItemChanged.connect(self._on_current)
        self.itemClicked.connect(self._on_click)
        reading.selection_changed.connect(self._on_selection)
        reading.case_changed.connect(self._details.clear)

    def fill(self) -> None:
        """Show the findings as they are now; the selection stays.

        Rows come, go and move one by one: what stays is neither made nor measured again.
        """
        case = self._reading.case
        shown = self._queue.rows()
        segments = case.document.segments if case is not None else ()
        moved = segments != self._segments  # the place of each lesion is measured by the lungs
        self._segments = segments
        before = {lesion.id: lesion for lesion in self._filled}
        said, self._comments = self._comments, self._said(case)
        held, self._locked = self._locked, self._held(case)
        self._filling = True
        self._laid_out = self._bring_in_order([lesion.id for lesion in shown])
        for row, lesion in enumerate(shown):
            same = said.get(lesion.id) == self._comments.get(lesion.id)
            same &= (lesion.id in held) == (lesion.id in self._locked)
            if moved or not same or before.get(lesion.id) is not lesion:
                assert case is not None
                self._write(self.item(row), case, lesion)
        self._filled = shown
        self._filling = False
        self._follow_selection(scroll=self._laid_out)

    @staticmethod
    def _said(case: Case | None) -> dict[str, str]:
        if case is None:
            return {}
        document = case.document
        found = {}
        for lesion in document.lesions:
            comment = words.comment(case, lesion.id)
            parts = [
                attributes.said_text(attributes.of(document, lesion.id)),
                f"“{comment}”" if comment else "",
                attributes.missing_text(attributes.missing(document, lesion)),
            ]
            found[lesion.id] = " · ".join(filter(None, parts))
        return found

    @staticmethod
    def _held(case: Case | None) -> frozenset[str]:
        return frozenset(case.document.notes(locks.TOPIC) if case is not None else ())

    def _bring_in_order(self, wanted: list[str]) -> bool:
        """Leave one row for each id, in their order; a new one has nothing but its id.

        Returns
        -------
        bool
            Whether a row came, went or moved.
        """
        if [self.item(row).data(_ID) for row in range(self.count())] == wanted:
            return False
        keep = set(wanted)
        for row in reversed(range(self.count())):
            if self.item(row).data(_ID) not in keep:
                self.takeItem(row)
        there = {self.item(row).data(_ID) for row in range(self.count())}
        for row, lesion_id in enumerate(wanted):
            if row < self.count() and self.item(row).data(_ID) == lesion_id:
                continue
            if lesion_id in there:
                at = next(n for n in range(self.count()) if self.item(n).data(_ID) == lesion_id)
                item = self.takeItem(at)
            else:
                item = QListWidgetItem()
                item.setData(_ID, lesion_id)
            self.insertItem(row, item)
        return True

    def _write(self, item: QListWidgetItem, case: Case, lesion: Lesion) -> None:
        known = self._details.get(lesion.id)
        if known is None or known[0] is not lesion or known[1] != self._segments:
            known = (lesion, self._segments, words.detail(case, lesion))
            self._details[lesion.id] = known
        detail = known[2]
        said = self._comments.get(lesion.id, "")
        parts = [
            words.verdict(lesion),
            words.origin(
                lesion,
                copied=copied.is_copied(case.document, lesion.id),
                came=case.document.imported(lesion.id),
            ),
            words.other_version(case, lesion),
            translate("findings", "locked") if lesion.id in self._locked else "",
            said,
        ]
        foot = " · ".join(filter(None, parts))
        score = "" if lesion.score is None else translate("findings", "score {score}")
        spoken = [words.title(lesion), score.format(score=f"{lesion.score or 0:.2f}"), detail, foot]
        if not lesion.reviewed:
            spoken.append(translate("findings", "not reviewed"))
        row: dict[int, object] = {
            _LESION: lesion,
            _DETAIL: detail,
            _FOOT: foot,
            _LOCKED: lesion.id in self._locked,
            int(Qt.ItemDataRole.AccessibleTextRole): ", ".join(filter(None, spoken)),
            int(Qt.ItemDataRole.ToolTipRole): words.made_by(case, lesion),
        }
        self._put(item, row)

    def _put(self, item: QListWidgetItem, said: dict[int, object]) -> None:
        """Change a row. The view would lay out and paint every row again: only this one is."""
        row, new = self.row(item), item.data(_LESION) is None
        height = 0 if new else self.sizeHintForRow(row)
        model = self.model()
        model.blockSignals(True)
        for role, value in said.items():
            item.setData(role, value)
        model.blockSignals(False)
        if new or self.sizeHintForRow(row) != height:
            self._laid_out = True
            self.scheduleDelayedItemsLayout()
        else:
            self.viewport().update(self.visualItemRect(item))
        if QAccessible.isActive():
            told = QAccessibleTableModelChangeEvent(
                self, QAccessibleTableModelChangeEvent.ModelChangeType.DataChanged
            )
            told.setFirstRow(row)
            told.setLastRow(row)
            QAccessible.updateAccessibility(told)

    def _on_selection(self) -> None:
        self._follow_selection(scroll=True)

    def _follow_selection(self, *, scroll: bool) -> None:
        self._filling = True
        for row in range(self.count()):
            if self.item(row).data(_ID) == self._reading.selected:
                if scroll or row != self.currentRow():
                    self.setCurrentRow(row)
                    self.scrollToItem(self.item(row))
                break
        else:
            self.setCurrentRow(-1)
            self.clearSelection()
        self._filling = False

    def _on_current(self, item: QListWidgetItem | None) -> None:
        if item is not None and not self._filling:
            self._reading.select(item.data(_ID))

    def _on_click(self, item: QListWidgetItem) -> None:
        # A second click on the same row brings the views back to it.
        self._reading.select(item.data(_ID))

    # ----------------------------------------------------------------- padlock

    def _padlock_at(self, place: QPoint) -> QListWidgetItem | None:
        """Return the row whose padlock lies there, or None."""
        item = self.itemAt(place)
        found = item is not None and padlock_rect(self.visualItemRect(item)).contains(place)
        return item if found else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        item = self._padlock_at(event.position().toPoint())
        if item is not None and event.button() == Qt.MouseButton.LeftButton:
            self.lock_asked.emit(item.data(_ID))
            return
        super().mousePressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            item = self._padlock_at(event.pos())
            if item is not None:
                QToolTip.showText(event.globalPos(), self.padlock_text(item), self)
                return True
        return super().viewportEvent(event)

    def padlock_text(self, item: QListWidgetItem) -> str:
        """Return what a click on the padlock of a row does, and why it cannot be done."""
        case = self._reading.case
        key = key_text(self._reading.keys.keys_of("lock")[:1])
        said = lock_text(words.title(item.data(_LESION)), key, locked=bool(item.data(_LOCKED)))
        return f"{said}\n{case.read_only_problem}" if case and case.read_only else said

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.scheduleDelayedItemsLayout()
