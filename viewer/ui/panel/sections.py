"""Heatmap, segments and corrections: the lower sections of the review panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.display.overlays import heat_colours
from viewer.ui import theme
from viewer.ui.overlay_layer import label_colour
from viewer.ui.panel import words
from viewer.ui.panel.section import Section, titled
from viewer.ui.reading import Reading
from viewer.ui.widgets import Slider, note

if TYPE_CHECKING:
    from viewer.annotate.lesion import SegmentState


class _ColourBar(QWidget):
    """The colours of the heatmap from its floor to 1; clear below the floor."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading
        self.setFixedHeight(8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gradient = QLinearGradient(0, 0, self.width(), 0)
        colours = heat_colours()
        for step in range(0, 256, 15):
            red, green, blue = (int(c) for c in colours[step])
            gradient.setColorAt(step / 255, QColor(red, green, blue))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
        clear = self.width() * min(1.0, self._reading.shown.heat_floor / self._reading.heat_top)
        painter.setBrush(QColor(theme.PANEL))
        painter.drawRect(QRectF(0, 0, clear, self.height()))
        painter.setPen(QPen(QColor(theme.EDGE), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)


class HeatmapSection(Section):
    """Switch, colour bar with its meaning, floor and opacity of the heatmap."""

    def __init__(self, reading: Reading, switch: QAction) -> None:
        super().__init__(reading)
        self._switch = QToolButton()
        self._switch.setCheckable(True)
        self._switch.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._switch.clicked.connect(switch.trigger)
        self._bar = _ColourBar(reading)
        self._meaning = note()
        self._meaning.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._low = note()
        self._low.setWordWrap(False)
        self._high = note("1")
        self._opacity = Slider(5, 100, translate("findings", "Heatmap opacity"))
        self._floor = Slider(1, 90, translate("findings", "Heatmap threshold"))
        self._opacity_text, self._floor_text = note(), note()
        self._which = QToolButton()
        self._which.setText(translate("findings", "Uncertainty"))
        self._which.setToolTip(
            translate("findings", "Show where the outlines differ instead of the heatmap")
        )
        self._which.setCheckable(True)
        self._which.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._which.clicked.connect(lambda: reading.show(uncertainty=self._which.isChecked()))
        self._column.addLayout(
            titled(
                translate("findings", "Heatmap"),
                self._which,
                self._switch,
                key=switch.shortcut().toString(),
            )
        )
        self._column.addWidget(self._bar)
        scale = QHBoxLayout()
        scale.addWidget(self._low)
        scale.addWidget(self._meaning, 1)
        scale.addWidget(self._high)
        self._column.addLayout(scale)
        for slider, text in ((self._opacity, self._opacity_text), (self._floor, self._floor_text)):
            row = QHBoxLayout()
            text.setFixedWidth(96)
            row.addWidget(text)
            row.addWidget(slider, 1)
            self._column.addLayout(row)
        self._opacity.valueChanged.connect(lambda value: reading.show(heat_opacity=value / 100))
        self._floor.valueChanged.connect(lambda value: reading.show(heat_floor=value / 100))

    def refresh(self) -> None:
        """Follow the case and the switches."""
        case, shown = self._reading.case, self._reading.shown
        findings = case.document.findings if case is not None else None
        heatmap = self._reading.chosen_map
        self.setVisible(heatmap is not None)
        if heatmap is None or findings is None:
            return
        # With one of the maps there is nothing to choose.
        self._which.setVisible(None not in (findings.heatmap, findings.uncertainty))
        self._which.setEnabled(shown.heatmap)
        self._which.setChecked(self._reading.shows_uncertainty)
        on, off = translate("findings", "On"), translate("findings", "Off")
        self._switch.setText(on if shown.heatmap else off)
        self._switch.setAccessibleName(translate("findings", "Heatmap"))
        self._switch.setToolTip(
            translate("findings", "Hide the heatmap")
            if shown.heatmap
            else translate("findings", "Show the heatmap")
        )
        self._switch.setChecked(shown.heatmap)
        self._meaning.setText(heat_meaning(heatmap.meaning))
        self._low.setText(f"{shown.heat_floor:.2f}")
        top = self._reading.heat_top
        self._high.setText("1" if top == 1 else f"\N{GREATER-THAN OR EQUAL TO}\u202f{top:.2f}")
        for slider, value in ((self._opacity, shown.heat_opacity), (self._floor, shown.heat_floor)):
            slider.blockSignals(True)
            slider.setValue(round(value * 100))
            slider.setEnabled(shown.heatmap)
            slider.blockSignals(False)
        percent = f"{round(shown.heat_opacity * 100)}"
        self._opacity_text.setText(
            translate("findings", "Opacity {percent} %").format(percent=percent)
        )
        self._floor_text.setText(
            translate("findings", "From {score}").format(score=f"{shown.heat_floor:.2f}")
        )
        self._bar.update()


def heat_meaning(meaning: str) -> str:
    """Return what the heatmap's probability is of, in the reader's language."""
    known = {
        "Share of radiologists who would outline this voxel as nodule": translate(
            "findings", "share of radiologists who outline it"
        ),
        "Share of the nodule's radiologists who would outline this voxel": translate(
            "findings", "share of radiologists who outline it"
        ),
        "How far the outlines of mirrored and rescaled images differ at this voxel": translate(
            "findings", "how far the outlines differ"
        ),
    }
    return known.get(meaning, meaning)


class _Eye(QToolButton):
    """Shows or hides one segment: a filled or a hollow dot."""

    def __init__(self, name: str, shown: bool) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setChecked(shown)
        self.setFixedSize(QSize(26, 24))
        self.setAccessibleName(name)
        self.setToolTip(
            translate("findings", "Hide {name}").format(name=name)
            if shown
            else translate("findings", "Show {name}").format(name=name)
        )
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(theme.TEXT if self.isChecked() else theme.SECONDARY)
        if self.underMouse() or self.hasFocus():
            colour = QColor(theme.ACTIVE)
        painter.setPen(QPen(colour, 1.4))
        painter.setBrush(colour if self.isChecked() else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(self.width() / 2 - 4.5, self.height() / 2 - 4.5, 9, 9))


class SegmentsSection(Section):
    """Anatomy that the model outlined: swatch, volume, visibility; a click selects it."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        hint = note(translate("findings", "AI dashed · human solid"), size_px=theme.HEAD_PX)
        hint.setWordWrap(False)
        self._column.addLayout(titled(translate("findings", "Segments"), hint))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._column.addLayout(self._rows)

    def refresh(self) -> None:
        """Follow the case."""
        case = self._reading.case
        segments = case.document.segments if case is not None else ()
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.setVisible(bool(segments))
        for segment in segments:
            self._rows.addWidget(self._row(segment))

    def _row(self, segment: SegmentState) -> QWidget:
        reading = self._reading
        name = words.label_name(segment.label)
        swatch = QLabel()
        swatch.setFixedSize(11, 11)
        swatch.setStyleSheet(f"background: {label_colour(segment.label)}; border-radius: 3px;")
        title = QToolButton()
        title.setText(name)
        title.setCheckable(True)
        title.setChecked(reading.selected == segment.id)
        title.setToolTip(
            translate("findings", "Choose {name} for brush and eraser").format(name=name)
        )
        title.clicked.connect(lambda: reading.select(segment.id, centre=False))
        volume = note(words.millilitres(segment.volume_ml))
        volume.setWordWrap(False)
        eye = _Eye(name, segment.id in reading.visible_segments)
        eye.clicked.connect(lambda: reading.toggle_segment(segment.id))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(swatch)
        line.addWidget(title)
        line.addStretch(1)
        line.addWidget(volume)
        line.addWidget(eye)
        return row


class CorrectionsSection(Section):
    """What was changed against the AI, and when it was last saved."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._saved = note(size_px=theme.HEAD_PX)
        self._saved.setWordWrap(False)
        self._text = note()
        self._column.addLayout(titled(translate("findings", "Corrections"), self._saved))
        self._column.addWidget(self._text)

    def refresh(self) -> None:
        """Follow the case."""
        case = self._reading.case
        self.setVisible(case is not None)
        if case is None:
            return
        if case.read_only:
            self._saved.setText(translate("findings", "Read only"))
        elif case.unsaved:
            self._saved.setText(translate("findings", "Saving…"))
        elif case.saved_utc:
            self._saved.setText(
                translate("findings", "Saved {time}").format(time=words.local_time(case.saved_utc))
            )
        else:
            self._saved.setText(translate("findings", "Nothing to save"))
        self._text.setText(self._summary())

    def _summary(self) -> str:
        case = self._reading.case
        assert case is not None
        record = case.document.record
        count = {
            "accepted": sum(x.verdict == "accepted" for x in record),
            "rejected": sum(x.verdict == "rejected" for x in record),
            "unsure": sum(x.verdict == "unsure" for x in record),
            "edited": sum(x.origin == "ai-edited" and not x.deleted for x in record),
            "added": sum(x.origin == "human" and not x.deleted for x in record),
            "deleted": sum(x.deleted for x in record),
        }
        names = {
            "accepted": translate("findings", "{n} accepted"),
            "rejected": translate("findings", "{n} rejected"),
            "unsure": translate("findings", "{n} unsure"),
            "edited": translate("findings", "{n} redrawn"),
            "added": translate("findings", "{n} added"),
            "deleted": translate("findings", "{n} deleted"),
        }
        parts = [names[key].format(n=n) for key, n in count.items() if n]
        if not parts and case.document.findings is not None:
            return translate("findings", "None yet. The AI result stays as it is.")
        return " · ".join(parts) or translate("findings", "None yet.")
