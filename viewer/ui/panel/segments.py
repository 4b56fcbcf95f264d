"""How outlines are shown: which, in which colour, and how far they are filled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

import resources
from resources.text import translate
from viewer.annotate import locks
from viewer.ui import label_colours, theme
from viewer.ui.commands import key_text
from viewer.ui.panel import words
from viewer.ui.panel.padlock import PadlockButton
from viewer.ui.panel.section import Section, titled
from viewer.ui.reading import FILL_MOST, Reading
from viewer.ui.widgets import KeyCap, Slider, note

if TYPE_CHECKING:
    from viewer.annotate.lesion import SegmentState

_LESION = "nodule"
_ROW_PX = 28


class _Eye(QToolButton):
    """Shows or hides one outline: a filled or a hollow dot."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._followed: bool | None = None
        self.setCheckable(True)
        self.setProperty("role", "bare")
        self.setFixedSize(QSize(26, 24))
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.follow(False)

    def follow(self, shown: bool) -> None:
        if shown == self._followed == self.isChecked():
            return  # asked at every step
        self._followed = shown
        self.setChecked(shown)
        self.setToolTip(
            translate("findings", "Hide {name}").format(name=self._name)
            if shown
            else translate("findings", "Show {name}").format(name=self._name)
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(theme.TEXT if self.isChecked() else theme.SECONDARY)
        if self.underMouse() or self.hasFocus():
            colour = QColor(theme.ACTIVE)
        painter.setPen(QPen(colour, 1.4))
        painter.setBrush(colour if self.isChecked() else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(self.width() / 2 - 4.5, self.height() / 2 - 4.5, 9, 9))


class _Swatch(QToolButton):
    """The colour of a label; a click offers the others."""

    chosen = Signal(str)

    def __init__(self, label: str, name: str, in_use: Callable[[], list[str]]) -> None:
        super().__init__()
        self._label, self._in_use = label, in_use
        self.setProperty("role", "bare")
        self.setFixedSize(QSize(14, 24))
        self.setAccessibleName(translate("findings", "Colour of {name}").format(name=name))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self._offer)
        self.follow()

    def sizeHint(self) -> QSize:
        return QSize(14, 24)  # no text, no icon: it is painted

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def follow(self) -> None:
        colour = label_colours.colour_name(label_colours.label_colour(self._label))
        text = translate("findings", "{colour}; choose another colour").format(colour=colour)
        if text != self.toolTip():
            self.setToolTip(text)
            self.update()

    def menu_of_colours(self) -> QMenu:
        """Return the colours to choose from; one too like another in use says so."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        now = label_colours.label_colour(self._label)
        for colour in label_colours.OKABE_ITO:
            action = menu.addAction(_icon(colour), label_colours.colour_name(colour))
            action.setCheckable(True)
            action.setChecked(colour == now)
            action.setData(colour)
            other = label_colours.too_like(self._label, colour, self._in_use())
            if other is not None and colour != now:
                action.setEnabled(False)
                action.setToolTip(
                    translate("findings", "Too like the colour of {name}.").format(
                        name=words.label_name(other)
                    )
                )
        menu.triggered.connect(self._take)
        return menu

    def _offer(self) -> None:
        menu = self.menu_of_colours()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _take(self, action: QAction) -> None:
        label_colours.choose(self._label, action.data())
        self.chosen.emit(self._label)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(1, self.height() / 2 - 5.5, 11, 11)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(label_colours.label_colour(self._label)))
        painter.drawRoundedRect(box, 3, 3)
        if self.underMouse() or self.hasFocus():
            painter.setPen(QPen(QColor(theme.ACTIVE), 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(-0.3, -0.3, 0.3, 0.3), 3, 3)


def _icon(colour: str) -> QIcon:
    picture = QPixmap(28, 28)
    picture.setDevicePixelRatio(2)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(QRectF(1, 1, 12, 12), 3, 3)
    return QIcon(picture)


class _Row(QWidget):
    """One outline or group of them: colour, name, volume, whether it is locked, and shown."""

    def __init__(
        self, swatch: _Swatch, title: QWidget, eye: _Eye, padlock: PadlockButton | None = None
    ) -> None:
        super().__init__()
        self.swatch, self.title, self.eye, self.padlock = swatch, title, eye, padlock
        self.volume = note()
        self.volume.setWordWrap(False)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(1)
        self.setFixedHeight(_ROW_PX)
        line.addWidget(swatch)
        line.addWidget(title)
        line.addStretch(1)
        line.addWidget(self.volume)
        line.addSpacing(2)
        if padlock is not None:
            line.addWidget(padlock)
        line.addWidget(eye)


class SegmentsSection(Section):
    """Findings together, and each segment of anatomy: colour, volume, visibility; and the fill."""

    coloured = Signal()  # a label has another colour
    lock_asked = Signal(str)  # id of a structure to be locked, or unlocked

    def __init__(self, reading: Reading, masks: QAction, fill: QAction) -> None:
        super().__init__(reading)
        hint = note(
            translate("findings", "AI dashed · human solid · imported dotted"),
            size_px=theme.HEAD_PX,
        )
        hint.setWordWrap(False)
        self._column.addLayout(titled(translate("findings", "Outlines"), hint))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._column.addLayout(self._rows)
        self._findings = self._findings_row(masks)
        self._rows.addWidget(self._findings)
        self._by_id: dict[str, _Row] = {}
        self._built: tuple[tuple[str, str], ...] = ()
        self._fill = Slider(0, round(FILL_MOST * 100), translate("findings", "Fill of outlines"))
        self._fill.valueChanged.connect(self._on_fill)
        self._fill_text = note()
        self._fill_text.setFixedWidth(96)
        row = QHBoxLayout()
        row.addWidget(self._fill_text)
        row.addWidget(self._fill, 1)
        row.addWidget(KeyCap(fill.shortcut().toString()))
        self._column.addSpacing(2)
        self._column.addLayout(row)

    def _findings_row(self, masks: QAction) -> _Row:
        name = translate("findings", "Findings")
        title = QWidget()
        inner = QHBoxLayout(title)
        inner.setContentsMargins(15, 0, 0, 0)
        inner.setSpacing(8)
        label = note(name, role="", size_px=theme.BODY_PX)
        label.setWordWrap(False)
        inner.addWidget(label)
        inner.addWidget(KeyCap(masks.shortcut().toString()))
        eye = _Eye(name)
        eye.clicked.connect(masks.trigger)
        swatch = self._swatch(_LESION, name)
        return _Row(swatch, title, eye)

    def _swatch(self, label: str, name: str) -> _Swatch:
        swatch = _Swatch(label, name, self._labels_in_use)
        swatch.chosen.connect(self._on_colour)
        return swatch

    def _labels_in_use(self) -> list[str]:
        case = self._reading.case
        segments = case.document.segments if case is not None else ()
        known = resources.table("labels")
        return [_LESION, *(s.label for s in segments if s.label in known)]

    def _on_colour(self) -> None:
        self.refresh()
        self.coloured.emit()

    def _on_fill(self, percent: int) -> None:
        if percent:
            self._reading.show(fill=True, fill_opacity=percent / 100)
        else:
            self._reading.show(fill=False)

    def refresh(self) -> None:
        """Follow the case."""
        reading = self._reading
        case = reading.case
        segments = case.document.segments if case is not None and not reading.ai_hidden else ()
        self.setVisible(not reading.ai_hidden and bool(segments or reading.lesions))
        built = tuple((segment.id, segment.label) for segment in segments)
        if built != self._built:
            self._build(segments)
            self._built = built
        for segment in segments:
            row = self._by_id[segment.id]
            row.swatch.follow()
            row.volume.setText(words.millilitres(segment.volume_ml))
            row.eye.follow(segment.id in reading.visible_segments)
            self._follow_lock(row, segment.id)
            assert isinstance(row.title, QToolButton)
            row.title.setChecked(reading.selected == segment.id)
        self._findings.swatch.follow()
        self._findings.eye.follow(reading.shown.masks)
        percent = round(reading.shown.fill_opacity * 100) if reading.shown.fill else 0
        self._fill.blockSignals(True)
        self._fill.setValue(percent)
        self._fill.blockSignals(False)
        self._fill_text.setText(
            translate("findings", "Fill {percent} %").format(percent=percent)
            if percent
            else translate("findings", "Not filled")
        )

    def _follow_lock(self, row: _Row, segment_id: str) -> None:
        case = self._reading.case
        assert case is not None
        assert row.padlock is not None
        key = key_text(self._reading.keys.keys_of("lock")[:1])
        why = str(case.read_only_problem) if case.read_only else ""
        row.padlock.follow(locks.is_locked(case.document, segment_id), key, why)

    def _build(self, segments: tuple[SegmentState, ...]) -> None:
        for row in self._by_id.values():
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._by_id = {segment.id: self._segment_row(segment) for segment in segments}
        for row in self._by_id.values():
            self._rows.addWidget(row)

    def _segment_row(self, segment: SegmentState) -> _Row:
        reading, segment_id = self._reading, segment.id
        name = words.label_name(segment.label)
        title = QToolButton()
        title.setText(name)
        title.setCheckable(True)
        said = translate("findings", "Choose {name} for brush and eraser").format(name=name)
        case = reading.case
        came = None if case is None else case.document.imported(segment_id)
        if came is not None:
            title.setText(translate("findings", "{name} · imported").format(name=name))
            said = f"{said}\n{words.imported(came, edited=segment.origin != 'imported')}"
        title.setToolTip(said)
        title.clicked.connect(lambda: reading.select(segment_id, centre=False))
        eye = _Eye(name)
        eye.clicked.connect(lambda: reading.toggle_segment(segment_id))
        padlock = PadlockButton(name)
        padlock.clicked.connect(lambda: self.lock_asked.emit(segment_id))
        return _Row(self._swatch(segment.label, name), title, eye, padlock)
