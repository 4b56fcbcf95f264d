"""A widget that looks at a plane in millimetres: where its middle lies, and at what scale."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QWidget

from viewer.display.planes import Plane


class PlaneView(QWidget):
    """Keeps its own centre (mm in the plane) and scale (mm a logical pixel).

    Attributes
    ----------
    plane, index
        What is shown, and which slice of it; no plane while nothing is.
    mm_per_px
        Scale, mm a logical pixel.
    """

    looked = Signal()  # the reader moved, scaled or fitted the image

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plane: Plane | None = None
        self.index = 0
        self.mm_per_px = 1.0
        self._centre_mm = (0.0, 0.0)
        self._fitted = True

    def fit(self) -> None:
        """Show the whole plane."""
        self._fitted = True
        if self.plane is None or self.width() < 2 or self.height() < 2:
            return
        width, height = self.plane.size_mm
        scale = max(width / self.width(), height / self.height())
        self._set_view((width / 2, height / 2), scale)
        self.looked.emit()

    @property
    def look(self) -> tuple[float, float, float] | None:
        """Middle of the view in mm of the plane, and mm per pixel; None when it is fitted."""
        return None if self._fitted else (*self._centre_mm, self.mm_per_px)

    def look_at(self, centre_mm: tuple[float, float], mm_per_px: float) -> None:
        """Put a point of the plane into the middle of the view at a scale."""
        self._fitted = False
        self._set_view(centre_mm, mm_per_px)
        self.looked.emit()

    @property
    def centre_mm(self) -> tuple[float, float]:
        """Point of the plane in the middle of the view, mm."""
        return self._centre_mm

    def _set_view(self, centre_mm: tuple[float, float], mm_per_px: float) -> None:
        if self.plane is None:
            return
        pixel = min(self.plane.pixel_mm)
        self.mm_per_px = min(max(mm_per_px, pixel / 64), 4 * max(self.plane.size_mm) / 100)
        self._centre_mm = centre_mm
        self.update()

    def zoom(self, factor: float, anchor_px: QPointF) -> None:
        """Scale by ``factor`` (> 1 enlarges) and keep the point under ``anchor_px``."""
        x, y = self.mm_of_px(anchor_px)
        self.look_at(self._centre_mm, self.mm_per_px / factor)
        x2, y2 = self.mm_of_px(anchor_px)
        self.look_at((self._centre_mm[0] + x - x2, self._centre_mm[1] + y - y2), self.mm_per_px)

    def pan(self, delta_px: QPointF) -> None:
        """Move the image with the pointer."""
        x, y = self._centre_mm
        self.look_at(
            (x - delta_px.x() * self.mm_per_px, y - delta_px.y() * self.mm_per_px), self.mm_per_px
        )

    def mm_of_px(self, point_px: QPointF) -> tuple[float, float]:
        """Map a logical pixel of the view to mm in the plane."""
        return (
            self._centre_mm[0] + (point_px.x() - self.width() / 2) * self.mm_per_px,
            self._centre_mm[1] + (point_px.y() - self.height() / 2) * self.mm_per_px,
        )

    def px_of_mm(self, x_mm: float, y_mm: float) -> QPointF:
        """Map mm in the plane to a logical pixel of the view."""
        return QPointF(
            (x_mm - self._centre_mm[0]) / self.mm_per_px + self.width() / 2,
            (y_mm - self._centre_mm[1]) / self.mm_per_px + self.height() / 2,
        )

    def lps_at(self, point_px: QPointF) -> object:
        """Return the point in LPS mm under a logical pixel, on the shown slice."""
        assert self.plane is not None
        return self.plane.lps_at(*self.mm_of_px(point_px), self.index)

    def voxel_at(self, point_px: QPointF) -> tuple[int, int, int] | None:
        """Return the (k, j, i) under a logical pixel, or None outside the volume."""
        if self.plane is None:
            return None
        kji = self.plane.kji_at(*self.mm_of_px(point_px), self.index)
        k, j, i = (round(float(v)) for v in kji)
        inside = all(0 <= v < n for v, n in zip((k, j, i), self.plane.shape_kji, strict=True))
        return (k, j, i) if inside else None
