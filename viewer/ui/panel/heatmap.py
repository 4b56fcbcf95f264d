"""The heatmap's section of the review panel: switch, colour bar, peaks, floor and opacity."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QAction, QColor, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from resources.text import translate
from viewer.display.overlays import heat_colours
from viewer.ui import theme
from viewer.ui.panel.section import Section, titled
from viewer.ui.reading import Reading
from viewer.ui.widgets import CommandButton, Slider, note


class _ColourBar(QWidget):
    """The colours of the heatmap from its floor to 1; clear below the floor."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading
        self._shown: tuple[object, ...] = ()
        self.setFixedHeight(10)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def follow(self) -> None:
        """Paint it again if it looks different: asked at every step."""
        shown = (self._reading.shown.heat_floor, self._reading.heat_top)
        if shown != self._shown:
            self._shown = shown
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self._reading.preferences.choice("heat_palette")
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_gradient(palette, self.width()))
        painter.drawRoundedRect(frame, 2, 2)
        clear = self.width() * min(1.0, self._reading.shown.heat_floor / self._reading.heat_top)
        painter.setBrush(QColor(theme.PANEL))
        painter.drawRect(QRectF(0, 0, clear, self.height()))
        painter.setPen(QPen(QColor(theme.EDGE), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame, 2, 2)


@lru_cache(maxsize=4)
def _gradient(palette: str, width_px: int) -> QLinearGradient:
    """Return each step of a palette: some have edges, which must not be smoothed away."""
    gradient = QLinearGradient(0, 0, width_px, 0)
    colours = heat_colours(palette)
    for step in range(256):
        red, green, blue = (int(c) for c in colours[step])
        gradient.setColorAt(step / 255, QColor(red, green, blue))
    return gradient


class HeatmapSection(Section):
    """Switch, colour bar with its meaning, floor and opacity of the heatmap."""

    def __init__(self, reading: Reading, switch: QAction, peak: QAction | None = None) -> None:
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
        key = switch.shortcut().toString()
        title = translate("findings", "Heatmap")
        self._column.addLayout(titled(title, self._which, self._switch, key=key))
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
        if peak is not None:
            row = QHBoxLayout()
            self._peak = note()
            row.addWidget(self._peak, 1)
            words = translate("findings", "Next peak")
            row.addWidget(CommandButton(peak, role="verdict", text=words))
            self._column.addLayout(row)
        self._opacity.valueChanged.connect(lambda value: reading.show(heat_opacity=value / 100))
        self._floor.valueChanged.connect(lambda value: reading.show(heat_floor=value / 100))
        reading.preferences.changed.connect(self._bar.update)

    def tell_peak(self, text: str) -> None:
        """Say at which peak the views stand."""
        self._peak.setText(text)

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
        self._bar.follow()


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
