"""A small plot under the measurements: values along a distance, or their spread in a region."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from resources.text import translate
from viewer.tools.measures.plots import histogram, profile
from viewer.tools.measures.regions import Region, voxels_in
from viewer.ui import theme

if TYPE_CHECKING:
    from inference.volume import Volume
    from viewer.annotate.measurements import Measurement

_HEIGHT_PX = 128


class ValuePlot(QWidget):
    """Plots the voxels of one measurement; hidden when there is nothing to be plotted."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Volume, Measurement] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 4, 0)
        self._column = column
        theme.changes().changed.connect(self._redraw)
        self.hide()

    @cached_property
    def _plot(self) -> Any:
        """The plot itself, made when the first one is drawn: half a second and 34 MB."""
        import pyqtgraph as pg

        plot = pg.PlotWidget(background=theme.PANEL)
        plot.setFixedHeight(_HEIGHT_PX)
        plot.setMouseEnabled(x=False, y=False)  # the panel scrolls over it
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.getAxis("bottom").setHeight(32)
        plot.getAxis("left").setWidth(54)
        plot.getPlotItem().layout.setContentsMargins(0, 8, 6, 0)  # for half a highest number
        plot.setFrameShape(plot.Shape.NoFrame)
        self._column.addWidget(plot)
        return plot

    def show_one(self, volume: Volume | None, one: Measurement | None) -> None:
        """Plot a measurement; None, or one without grey values, hides the plot."""
        wanted = None if volume is None or one is None else (volume, one)
        before = self._shown
        if wanted and before and wanted[0] is before[0] and wanted[1] == before[1]:
            return
        self._shown = wanted
        self._redraw()

    def _redraw(self) -> None:
        if "_plot" not in self.__dict__ and self._shown is None:
            return  # nothing was ever plotted
        self._plot.clear()
        self._plot.setBackground(theme.PANEL)
        said = self._draw(*self._shown) if self._shown is not None else ""
        self.setAccessibleName(said)
        self.setVisible(bool(said))

    def _draw(self, volume: Volume, one: Measurement) -> str:
        """Draw what there is and return what it is in words; empty when there is nothing."""
        if not volume.regular or volume.colours is not None:
            return ""
        unit = volume.unit or translate("measure", "value")
        try:
            match one.kind:
                case "distance" | "bidirectional":
                    return self._draw_profile(volume, one, unit)
                case "ellipse" | "rectangle" | "polygon" as kind:
                    points = np.array(one.points_lps_mm)
                    region = Region(kind, points, np.array(one.normal_lps))
                    return self._draw_histogram(volume, one, region, unit)
        except ValueError:
            pass  # no line, or no voxel with a value
        return ""

    def _draw_profile(self, volume: Volume, one: Measurement, unit: str) -> str:
        line = profile(volume, *one.points_lps_mm[:2])
        import pyqtgraph as pg

        pen = pg.mkPen(theme.ACTIVE, width=1.5)
        self._plot.plot(line.at_mm, line.values, pen=pen, connect="finite")
        self._name_axes("mm" if volume.in_mm else "px", unit)
        known = line.values[np.isfinite(line.values)]
        if not known.size:
            return ""
        return translate("measure", "Values along {number}: {low} to {high} {unit}").format(
            number=one.number, low=f"{known.min():.4g}", high=f"{known.max():.4g}", unit=unit
        )

    def _draw_histogram(self, volume: Volume, one: Measurement, region: Region, unit: str) -> str:
        indices = voxels_in(region, volume.affine, volume.shape_kji, one.slice_mm)
        counted = histogram(volume, indices, volume.padding)
        import pyqtgraph as pg

        fill = pg.mkColor(theme.ACTIVE)
        fill.setAlpha(120)
        self._plot.plot(
            counted.edges,
            counted.counts,
            stepMode="center",
            fillLevel=0,
            brush=fill,
            pen=pg.mkPen(theme.ACTIVE, width=1),
        )
        self._name_axes(unit, translate("measure", "voxels"))
        return translate("measure", "Values in {number}: {low} to {high} {unit}").format(
            number=one.number,
            low=f"{counted.edges[0]:.4g}",
            high=f"{counted.edges[-1]:.4g}",
            unit=unit,
        )

    def _name_axes(self, across: str, up: str) -> None:
        for name, label in (("bottom", across), ("left", up)):
            axis = self._plot.getAxis(name)
            axis.setPen(theme.EDGE)
            axis.setTextPen(theme.SECONDARY)
            axis.setTickFont(theme.font(theme.HEAD_PX))
            axis.enableAutoSIPrefix(False)  # HU are not kHU
            axis.setLabel(label, **{"color": theme.SECONDARY, "font-size": f"{theme.HEAD_PX}px"})
        self._plot.getPlotItem().getViewBox().autoRange(padding=0.03)
