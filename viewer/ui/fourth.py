"""The fourth cell of 2 x 2: series, crosshair, finding and model in words, or a preview."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from resources.text import translate
from viewer.ui import counts
from viewer.ui import on_image as theme
from viewer.ui.panel import words
from viewer.ui.reading import Reading
from viewer.whereabouts import place_in_words

_EDGE_PX, _TOP_PX = 18, 30
_LABEL_SHARE, _LABEL_MOST_PX = 0.34, 132
_MINUS = "\N{MINUS SIGN}"

# Head of a group, and its rows: label and value.
Group = tuple[str, list[tuple[str, str]]]


class FourthPane(QWidget):
    """Says what no picture shows; a preview takes its place when there is one."""

    def __init__(self, reading: Reading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading = reading
        self._preview: QWidget | None = None
        self.setAccessibleName(translate("facts", "Facts"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        for signal in (
            reading.case_changed,
            reading.cursor_moved,
            reading.selection_changed,
            reading.threshold_changed,
            reading.document_changed,
            reading.shown_changed,
        ):
            signal.connect(self._follow)

    def set_preview(self, widget: QWidget | None) -> None:
        """Show a widget in the place of the facts; None brings them back."""
        if self._preview is not None and self._preview is not widget:
            self._preview.setParent(None)
        self._preview = widget
        if widget is not None:
            widget.setParent(self)
            widget.setGeometry(self.rect())
            widget.lower()
            widget.show()
            self.setAccessibleName(widget.accessibleName())
        else:
            self.setAccessibleName(translate("facts", "Facts"))
        self.update()

    def _follow(self, *_anything: object) -> None:
        if self.isVisible():
            self.update()

    def groups(self) -> list[Group]:
        """Return what is said."""
        if self._reading.case is None:
            return []
        return [
            (translate("facts", "Series"), self._series()),
            (translate("facts", "Crosshair"), self._crosshair()),
            (translate("facts", "Finding"), self._finding()),
            (translate("facts", "Model"), self._model()),
        ]

    # ------------------------------------------------------------------ facts

    def _series(self) -> list[tuple[str, str]]:
        case = self._reading.case
        assert case is not None
        volume = case.volume
        k, j, i = volume.shape_kji
        rows = [
            (
                translate("facts", "Images"),
                translate("facts", "{images} · {columns} × {rows}").format(
                    images=counts.images(k), columns=i, rows=j
                ),
            )
        ]
        if volume.regular:
            spacing = volume.spacing_kji_mm
            sizes = [f"{spacing[axis]:.3g}" for axis in (2, 1, 0)]
            covers = [f"{spacing[axis] * volume.shape_kji[axis]:.0f}" for axis in (2, 1, 0)]
            rows += [
                (translate("facts", "Voxel"), f"{' × '.join(sizes)} mm"),
                (translate("facts", "Covers"), f"{' × '.join(covers)} mm"),
            ]
        unit = volume.unit or translate("facts", "as stored, no unit proven")
        rows.append((translate("facts", "Values"), unit))
        if case.plan.resampled:
            grid = translate("facts", "resampled copy, interpolated")
        else:
            grid = translate("facts", "one grid places every voxel")
        rows.append((translate("facts", "Geometry"), grid))
        return rows

    def _crosshair(self) -> list[tuple[str, str]]:
        reading = self._reading
        case, place = reading.case, reading.place_lps_mm
        assert case is not None
        rows = []
        if place is not None:
            parts = [
                f"{positive if value >= 0 else negative} {abs(value):.1f}"
                for value, positive, negative in zip(place, "LPH", "RAF", strict=True)
            ]
            rows.append((translate("facts", "Place"), f"{'  '.join(parts)} mm"))
        k, j, i = (round(value) for value in reading.cursor_kji())
        if case.slices.has(k) and case.volume.colours is None:
            value = f"{float(case.volume.voxels[k, j, i]):.4g} {case.volume.unit}".strip()
            rows.append((translate("facts", "Value"), value.replace("-", _MINUS)))
        return rows

    def _finding(self) -> list[tuple[str, str]]:
        reading = self._reading
        lesion = next((one for one in reading.lesions if one.id == reading.selected), None)
        if reading.case is None or not reading.lesions:
            return [("", translate("facts", "None is listed."))]
        if lesion is None:
            said = translate("facts", "None is selected: {key} takes the next.")
            return [("", said.format(key=reading.keys.name("next")))]
        rows = [(translate("facts", "Name"), words.title(lesion))]
        if place := place_in_words(reading.case, lesion):
            rows.append((translate("facts", "Where"), place))
        rows.append((translate("facts", "Size"), words.size(lesion)))
        if lesion.score is not None and lesion.origin != "human":
            rows.append((translate("facts", "Score"), f"{lesion.score:.2f}"))
        return rows

    def _model(self) -> list[tuple[str, str]]:
        reading = self._reading
        case = reading.case
        assert case is not None
        if reading.ai_hidden:
            return [("", translate("facts", "Its results are held back now."))]
        findings = case.document.findings
        if findings is None:
            return [("", translate("facts", "No model has read this series."))]
        done, total = case.progress
        model = f"{findings.model.id} {findings.model.version}"
        return [
            (translate("facts", "Name"), model),
            (translate("facts", "Ran on"), findings.device),
            (translate("facts", "Lists from"), f"{case.threshold:.2f}"),
            (
                translate("facts", "Reviewed"),
                translate("facts", "{done} of {total}").format(done=done, total=total),
            ),
        ]

    # ------------------------------------------------------------------ paint

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._preview is not None:
            self._preview.setGeometry(self.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.CANVAS))
        if self._preview is not None:
            return
        body, head = theme.font(theme.BODY_PX), theme.head_font()
        line = QFontMetricsF(body).height() + 3
        label_px = min(self.width() * _LABEL_SHARE, _LABEL_MOST_PX)
        y = float(_TOP_PX)
        said = []
        for title, rows in self.groups():
            if not rows or y + 2 * line > self.height():
                continue
            painter.setFont(head)
            painter.setPen(QColor(theme.DIM))
            painter.drawText(QRectF(_EDGE_PX, y, self.width() - 2 * _EDGE_PX, line), title)
            y += line + 2
            for label, value in rows:
                if y + line > self.height() - 6:
                    break
                self._row(painter, y, line, label_px, label, value)
                said.append(f"{label} {value}".strip())
                y += line
            y += line * 0.7
        if self.accessibleDescription() != (text := ". ".join(said)):
            self.setAccessibleDescription(text)

    def _row(
        self, painter: QPainter, y: float, line: float, label_px: float, label: str, value: str
    ) -> None:
        painter.setFont(theme.font(theme.BODY_PX))
        left = _EDGE_PX + (label_px if label else 0)
        if label:
            painter.setPen(QColor(theme.SECONDARY))
            painter.drawText(QRectF(_EDGE_PX, y, label_px, line), label)
        painter.setPen(QColor(theme.TEXT if label else theme.SECONDARY))
        room = self.width() - left - _EDGE_PX
        text = painter.fontMetrics().elidedText(value, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(QRectF(left, y, room, line), text)
