"""Lines of the worklist: what they say, and how they are painted."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from resources.text import translate
from viewer.study import words
from viewer.study.words import plain
from viewer.ui import counts, theme
from viewer.ui.batch_rows import Queued, draw_queued
from viewer.worklist import State, Study
from viewer.worth import Worth

ROW_PX = 72
_PICTURE_PX = 60
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_STATE_PX, _OPENED_PX, _DATE_PX = 118, 132, 96
_DATE_FROM_PX = 820
_GAP = 16

Index = QModelIndex | QPersistentModelIndex


def person(name: str) -> str:
    """Return a person name of the file as it is read; of any text, nothing but itself."""
    return plain(words.person(name))


def day(date: str) -> str:
    """Return a DA (PS3.5 6.2) with hyphens; other text as it is."""
    if len(date) == 8 and date.isdigit():
        return f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return plain(date)


def opened_text(utc: str, now: datetime | None = None) -> str:
    """Return when a study was opened last, in the reader's own time."""
    try:
        then = datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone()
    except ValueError:
        return ""
    today = (now or datetime.now().astimezone()).date()
    clock = f"{then:%H:%M}"
    if then.date() == today:
        return translate("worklist", "Today {time}").format(time=clock)
    if then.date() == today - timedelta(days=1):
        return translate("worklist", "Yesterday {time}").format(time=clock)
    return f"{then:%Y-%m-%d} {clock}"


def state_text(state: State) -> str:
    """Return the name of a state."""
    return {
        "new": translate("worklist", "New"),
        "ai": translate("worklist", "AI done"),
        "review": translate("worklist", "In review"),
        "done": translate("worklist", "Done"),
        "exported": translate("worklist", "Exported"),
    }[state]


def lines(study: Study) -> tuple[str, str, str, str]:
    """Return who, the number, what, and the details of a study; nothing is said twice."""
    number = plain(study.patient_id)
    who = person(study.patient_name) or number or translate("worklist", "No name")
    number = "" if number in who else number
    what = plain(study.description)
    count = counts.images(study.images)
    details = " · ".join(part for part in (plain(study.modality), count) if part)
    return (who, number, what, details) if what else (who, number, details, "")


class WorklistModel(QAbstractListModel):
    """The studies that match what is looked for; pictures come when they are painted first."""

    STUDY = int(Qt.ItemDataRole.UserRole)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: tuple[Study, ...] = ()
        self._shown: list[Study] = []
        self._wanted = ""
        self.missing: frozenset[str] = frozenset()
        self._anonymous = False
        self.open_key = ""
        self.pictures: dict[str, QImage | None] = {}
        self.queued: Mapping[str, Queued] = {}  # what the queue in the background says
        self.worths: Mapping[str, Worth] | None = None  # None: the list is not sorted by them

    def show(self, studies: tuple[Study, ...], wanted: str) -> None:
        """Show the studies that match; nothing happens when they are the same."""
        if studies == self._all and wanted == self._wanted:
            return
        self.beginResetModel()
        self._all, self._wanted = studies, wanted
        self._shown = [study for study in studies if study.matches(wanted)]
        self.endResetModel()

    def why(self, study: Study) -> str:
        """Return why a study is worth reading, where the list is sorted by that."""
        if self.worths is None:
            return ""
        worth = self.worths.get(study.case_key)
        return translate("worklist", "Not known yet") if worth is None else worth.why

    def set_anonymous(self, anonymous: bool) -> None:
        """Show nothing that says who the patients are, or all again."""
        self._anonymous = anonymous
        self.repaint()

    def lines(self, study: Study) -> tuple[str, str, str, str]:
        """Return who, the number, what, and the details of a study, as far as they are shown."""
        if not self._anonymous:
            return lines(study)
        who = translate("worklist", "Patient {n}").format(n=self._shown.index(study) + 1)
        parts = (plain(study.modality), counts.images(study.images))
        return who, "", " · ".join(part for part in parts if part), ""

    def name(self, study: Study) -> str:
        """Return what a sentence calls the patient of a study."""
        if self._anonymous:
            return translate("worklist", "a patient")
        return person(study.patient_name) or translate("worklist", "No name")

    def place(self, study: Study) -> str:
        """Return where the files of a study were, as far as it is shown: folders have names."""
        if self._anonymous:
            return translate("worklist", "their place")
        return study.paths[0] if study.paths else ""

    def day(self, study: Study) -> str:
        """Return the day of a study, as far as it is shown."""
        return "" if self._anonymous else day(study.study_date)

    def repaint(self) -> None:
        """Tell the view that marks or pictures changed."""
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def row_of(self, case_key: str) -> int | None:
        """Return the row of a study, None when it is not shown."""
        return next((n for n, s in enumerate(self._shown) if s.case_key == case_key), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        study = self._shown[index.row()]
        if role == self.STUDY:
            return study
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            texts = (*self.lines(study), self.why(study), self.day(study), self._state(study))
            return ", ".join(text for text in texts if text)
        if role == Qt.ItemDataRole.ToolTipRole and not self._anonymous:
            # Qt takes a tooltip for rich text when it looks so; a folder may be named anything.
            queued = self.queued.get(study.case_key)
            said = [queued.reason] if queued is not None and queued.reason else []
            said += [self.why(study)] if self.worths is not None else []
            return "<br>".join(html.escape(plain(text)) for text in (*said, *study.paths[:4]))
        return None

    def _state(self, study: Study) -> str:
        queued = self.queued.get(study.case_key)
        parts = [state_text(study.state)]
        if queued is not None:
            parts += [text for text in (queued.text, queued.reason) if text]
        if study.case_key in self.missing:
            parts.append(translate("worklist", "Files not found"))
        return ", ".join(parts)


class Columns:
    """Where the columns lie in a line of some width; the list and its heads share them."""

    def __init__(self, width: int) -> None:
        text = 10 + _PICTURE_PX + _GAP
        self.opened = QRect(width - _OPENED_PX - 8, 0, _OPENED_PX, ROW_PX)
        self.state = QRect(self.opened.left() - _STATE_PX - _GAP, 0, _STATE_PX, ROW_PX)
        room = self.state.left() - _GAP - text
        self.dated = width >= _DATE_FROM_PX
        who = int((room - (_DATE_PX + 2 * _GAP if self.dated else _GAP)) * 0.42)
        self.who = QRect(text, 0, who, ROW_PX)
        self.date = QRect(self.who.right() + _GAP, 0, _DATE_PX if self.dated else 0, ROW_PX)
        left = (self.date.right() if self.dated else self.who.right()) + _GAP
        self.what = QRect(left, 0, max(0, self.state.left() - _GAP - left), ROW_PX)


class StudyRow(QStyledItemDelegate):
    """Paints one study: picture, patient, date, what it is, state, when it was opened."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, WorklistModel)
        study: Study = index.data(WorklistModel.STUDY)
        missing = study.case_key in model.missing
        rect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._ground(painter, option, rect)
        painter.translate(rect.topLeft())
        columns = Columns(rect.width())
        picture = QRectF(10, (ROW_PX - _PICTURE_PX) / 2, _PICTURE_PX, _PICTURE_PX)
        image = model.pictures.get(study.case_key)
        _draw_picture(painter, picture, image, plain(study.modality), dimmed=missing)
        who, number, what, details = model.lines(study)
        bright, faint = QColor(theme.TEXT), QColor(theme.SECONDARY)
        if not columns.dated:
            details = " · ".join(text for text in (model.day(study), details) if text)
        _two_lines(painter, columns.who, who, number, bright, faint, bold=True)
        if columns.dated:
            _one_line(painter, columns.date, model.day(study), bright)
        queued = model.queued.get(study.case_key)
        if queued is not None and queued.reason:
            _two_lines(painter, columns.what, what, queued.reason, bright, QColor(theme.FAILED))
        elif model.worths is not None:
            worth = model.worths.get(study.case_key)
            telling = worth is not None and bool(worth.value)
            colour = QColor(theme.PENDING) if telling else faint
            _two_lines(painter, columns.what, what, model.why(study), bright, colour)
        else:
            _two_lines(painter, columns.what, what, details, bright, faint)
        if queued is not None:
            draw_queued(painter, columns.state, queued)
        else:
            _draw_state(painter, columns.state, study.state)
        second = plain(study.reader)
        colour = faint
        if missing:
            second, colour = translate("worklist", "Files not found"), QColor(theme.FAILED)
        elif study.case_key == model.open_key:
            second, colour = translate("worklist", "Open now"), QColor(theme.ACTIVE)
        when = opened_text(study.opened_utc)
        _two_lines(painter, columns.opened, when, second, bright, colour)
        painter.restore()

    @staticmethod
    def _ground(painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        inner = QRectF(rect).adjusted(0.5, 1.5, -0.5, -1.5)
        if option.state & QStyle.StateFlag.State_Selected:
            focused = option.state & QStyle.StateFlag.State_HasFocus
            painter.setPen(QPen(QColor(theme.ACTIVE if focused else theme.EDGE), 1))
            painter.setBrush(QColor(theme.SELECTED))
            painter.drawRoundedRect(inner, 6, 6)
            return
        if option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.RAISED))
            painter.drawRoundedRect(inner, 6, 6)
            return
        painter.setPen(QPen(QColor(theme.HAIRLINE), 1))
        y = rect.bottom() + 0.5
        painter.drawLine(QPointF(rect.left() + 10, y), QPointF(rect.right() - 8, y))


def _draw_picture(
    painter: QPainter, box: QRectF, image: QImage | None, instead: str, *, dimmed: bool
) -> None:
    painter.setPen(QPen(QColor(theme.HAIRLINE), 1))
    painter.setBrush(QColor(theme.CANVAS))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    if image is None or image.isNull():
        painter.setFont(theme.font(theme.CORNER_PX))
        painter.setPen(QColor(theme.DIM))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), instead[:4])
        return
    room = box.adjusted(2, 2, -2, -2)
    scale = min(room.width() / image.width(), room.height() / image.height())
    width, height = image.width() * scale, image.height() * scale
    centre = room.center()
    if dimmed:
        painter.setOpacity(0.35)
    painter.drawImage(QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height), image)
    painter.setOpacity(1.0)


def _write(painter: QPainter, box: QRect, text: str) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, _LEFT, shown)


def _one_line(painter: QPainter, column: QRect, text: str, colour: QColor) -> None:
    painter.setFont(theme.font(theme.BODY_PX))
    painter.setPen(colour)
    _write(painter, QRect(column.left(), 16, column.width(), 20), text)


def _two_lines(
    painter: QPainter,
    column: QRect,
    first: str,
    second: str,
    bright: QColor,
    faint: QColor,
    *,
    bold: bool = False,
) -> None:
    weight = QFont.Weight.DemiBold if bold else QFont.Weight.Normal
    painter.setFont(theme.font(theme.BODY_PX, weight))
    painter.setPen(bright)
    _write(painter, QRect(column.left(), 16, column.width(), 20), first)
    painter.setFont(theme.font(theme.CORNER_PX))
    painter.setPen(faint)
    _write(painter, QRect(column.left(), 36, column.width(), 18), second)


def _draw_state(painter: QPainter, column: QRect, state: State) -> None:
    """Draw the state as a chip: shape, colour and word all tell it."""
    text = state_text(state)
    painter.setFont(theme.font(theme.CORNER_PX))
    width = min(column.width(), painter.fontMetrics().horizontalAdvance(text) + 34)
    box = QRectF(column.left() + 0.5, (ROW_PX - 24) / 2 + 0.5, width, 23)
    colour = {
        "new": theme.SECONDARY,
        "ai": theme.PENDING,
        "review": theme.PENDING,
        "done": theme.ACCEPTED_TEXT,
        "exported": theme.ACCEPTED_TEXT,
    }[state]
    painter.setPen(QPen(QColor(theme.EDGE), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 11.5, 11.5)
    _draw_glyph(painter, QPointF(box.left() + 13, box.center().y()), state)
    painter.setPen(QColor(colour))
    painter.drawText(box.adjusted(24, 0, -6, 0), _LEFT, text)


def _draw_glyph(painter: QPainter, at: QPointF, state: State) -> None:
    radius = 4.5
    if state in ("new", "ai", "review"):
        colour = QColor(theme.SECONDARY if state == "new" else theme.PENDING)
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, radius, radius)
        if state == "review":  # half of it is done
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            half = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
            painter.drawPie(half, 90 * 16, 180 * 16)
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.ACCEPTED))
    painter.drawEllipse(at, radius + 1, radius + 1)
    painter.setPen(QPen(QColor("#FFFFFF"), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state == "done":
        tick = [QPointF(-2.3, 0.2), QPointF(-0.6, 1.9), QPointF(2.5, -1.8)]
    else:  # an arrow out
        painter.drawLine(at + QPointF(0, 2.6), at + QPointF(0, -2.2))
        tick = [QPointF(-2.2, -0.2), QPointF(0, -2.4), QPointF(2.2, -0.2)]
    painter.drawPolyline([at + point for point in tick])
