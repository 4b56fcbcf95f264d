"""What is written and drawn on the edges of a view: letters, corners, crosshair, scale bar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPixmapCache,
)

from resources.text import translate
from viewer.display import planes
from viewer.study.words import person
from viewer.ui import counts, theme
from viewer.ui.overlay_layer import Mark, label_colour
from viewer.ui.reading import TEXT_FULL, TEXT_NONE

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

_MARGIN = 10.0
_PAD = 4
_GAP_PX = 14.0
_HALO = 4.0
_SMALL_PX = 9.0
_BARS_MM = (1, 2, 5, 10, 20, 50, 100, 200)


def plane_name(name: str) -> str:
    """Return the shown name of a plane."""
    return {
        planes.AXIAL: translate("view", "Axial"),
        planes.CORONAL: translate("view", "Coronal"),
        planes.SAGITTAL: translate("view", "Sagittal"),
    }[name]


def paint(painter: QPainter, view: SliceView) -> None:
    """Draw everything that stays put while the image moves, in logical pixels."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    # Of one plane alone there is nothing to link.
    if view.reading.shown.crosshair and len(view.reading.planes) > 1:
        _crosshair(painter, view)
    for mark in view.overlay.marks:
        _mark(painter, view, mark)
    _letters(painter, view)
    _missing_slice(painter, view)
    y = _MARGIN
    if view.reading.shown.text != TEXT_NONE:
        y = _corners(painter, view)
    if view.main:
        # Whatever text is hidden: an AI result never stands there without its name and state.
        _notices(painter, view, y)
    _brush_cursor(painter, view)


def _haloed(
    painter: QPainter, at: QPointF, text: str, font: QFont, colour: str, halo: float = 3.0
) -> None:
    """Write text with its baseline at ``at`` and a dark halo, so that it reads on any tissue."""
    ratio = painter.device().devicePixelRatioF()
    key = f"{font.key()}|{colour}|{halo}|{ratio}|{text}"
    picture = QPixmap()
    if not QPixmapCache.find(key, picture):
        # Kept, for the same words come again at every paint.
        metrics = QFontMetricsF(font)
        size = QSizeF(
            metrics.horizontalAdvance(text) + 2 * _PAD, metrics.height() + 2 * _PAD
        ).toSize()
        picture = QPixmap(size * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        inner = QPainter(picture)
        inner.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addText(QPointF(_PAD, _PAD + metrics.ascent()), font, text)
        pen = QPen(QColor(0, 0, 0, 225), halo)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        inner.strokePath(path, pen)
        inner.fillPath(path, QColor(colour))
        inner.end()
        QPixmapCache.insert(key, picture)
    ascent = QFontMetricsF(font).ascent()
    # On whole pixels, or the letters would be smeared.
    painter.drawPixmap(round(at.x()) - _PAD, round(at.y() - ascent) - _PAD, picture)


# ----------------------------------------------------------------- on the image


def _crosshair(painter: QPainter, view: SliceView) -> None:
    at = view.cursor_px()
    pen = QPen(QColor(theme.ACTIVE), 1)
    colour = QColor(theme.ACTIVE)
    colour.setAlpha(150)
    pen.setColor(colour)
    # As many whole pixels of the device in every view, or some lines would look twice as thick.
    pen.setCosmetic(True)
    pen.setWidth(max(1, round(painter.device().devicePixelRatio())))
    painter.setPen(pen)
    # Upright lines on whole pixels need no smoothing, which would take ten times longer.
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    x, y = round(at.x()), round(at.y())
    width, height = view.width(), view.height()
    # The lines leave the point itself free: that is where the reader looks.
    for a, b in (
        ((0, y), (x - _GAP_PX, y)),
        ((x + _GAP_PX, y), (width, y)),
        ((x, 0), (x, y - _GAP_PX)),
        ((x, y + _GAP_PX), (x, height)),
    ):
        painter.drawLine(QPointF(*a), QPointF(*b))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def _mark(painter: QPainter, view: SliceView, mark: Mark) -> None:
    at = view.px_of_mm(*mark.centre_mm)
    radius = mark.radius_mm / view.mm_per_px
    colour = label_colour(mark.lesion.label)
    point = mark.radius_mm == 0
    if point or radius < _SMALL_PX:
        # A few pixels of outline are easily overlooked: a ring says where to look.
        radius = 7.0 if point else radius + 6.0
        line = QPen(QColor(colour), 2 if point else 1.2)
        if mark.lesion.origin == "ai":
            line.setDashPattern([3, 2])
        for pen in (QPen(QColor(0, 0, 0, 120), line.widthF() + 1.6), line):
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, radius, radius)
    font = theme.font(theme.CORNER_PX, QFont.Weight.DemiBold)
    offset = radius * 0.72 + 5
    where = at + QPointF(offset, -offset)
    _haloed(painter, where, str(mark.lesion.number), font, colour)


def _missing_slice(painter: QPainter, view: SliceView) -> None:
    """Say in the middle of a view why its slice is not there."""
    assert view.case is not None
    assert view.plane is not None
    text = view.case.slices.why_not(view.index) if view.plane.axis == 0 else None
    if text is None:
        return
    painter.setFont(theme.font(theme.BODY_PX))
    painter.setPen(QColor(theme.SECONDARY))
    # Beside the crosshair, which often lies in the middle.
    room = QRectF(_MARGIN, view.height() / 2 + _GAP_PX, view.width() - 2 * _MARGIN, 80)
    painter.drawText(
        room,
        int(Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap),
        text,
    )


def _brush_cursor(painter: QPainter, view: SliceView) -> None:
    reading = view.reading
    if view.pointer_px is None or reading.tool not in ("brush", "erase"):
        return
    radius = reading.brush_mm / 2 / view.mm_per_px
    erase = reading.tool == "erase"
    inner = QPen(QColor(theme.FAILED if erase else theme.TEXT), 1.2)
    if reading.brush_ball:
        inner.setDashPattern([3, 2])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 180), 3), inner):
        painter.setPen(pen)
        painter.drawEllipse(view.pointer_px, radius, radius)


# ------------------------------------------------------------------- on the edges


def _letters(painter: QPainter, view: SliceView) -> None:
    assert view.plane is not None
    assert view.case is not None
    if not view.case.volume.placed:
        return  # a letter would be a guess
    letters = view.plane.letters()
    font = theme.font(15, QFont.Weight.Bold)
    metrics = QFontMetricsF(font)
    width, height = view.width(), view.height()
    middle = height / 2 + metrics.capHeight() / 2
    for text, x, y in (
        (letters.left, _MARGIN, middle),
        (letters.right, width - _MARGIN - metrics.horizontalAdvance(letters.right), middle),
        (letters.top, width / 2 - metrics.horizontalAdvance(letters.top) / 2, _MARGIN + 12),
        (letters.bottom, width / 2 - metrics.horizontalAdvance(letters.bottom) / 2, height - 11),
    ):
        _haloed(painter, QPointF(x, y), text, font, theme.LETTER)


def _corners(painter: QPainter, view: SliceView) -> float:
    """Write the four corners; return where the text at the top left ends."""
    font = theme.font(theme.CORNER_PX)
    metrics = QFontMetricsF(font)
    line = math.ceil(metrics.height())
    big = view.main
    full = view.reading.shown.text == TEXT_FULL
    width, height = view.width(), view.height()
    # The letters stand in the middle of each edge; corner text must not reach them.
    room = width / 2 - 34

    def write(lines: list[str], *, right: bool, bottom: bool, colour: str = theme.TEXT) -> float:
        y = height - _MARGIN - line * (len(lines) - 1) - 3 if bottom else _MARGIN + line - 5
        for text in lines:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            x = width - _MARGIN - metrics.horizontalAdvance(text) if right else _MARGIN
            _haloed(painter, QPointF(x, y), text, font, colour, _HALO)
            y += line
        return y

    y = write(_patient_lines(view) if full and big else [], right=False, bottom=False)
    write(_plane_lines(view, big and full), right=True, bottom=False)
    write(_window_lines(view, big), right=False, bottom=True)
    numbers = _slice_lines(view, big and full)
    write(numbers, right=True, bottom=True)
    _scale_bar(painter, view, height - _MARGIN - line * len(numbers) - 8)
    return y - line + 9


def _patient_lines(view: SliceView) -> list[str]:
    assert view.case is not None
    series = view.case.series
    patient = series.patient
    age = patient.age.lstrip("0") if patient.age.strip("0DWMY") else ""
    who = "  ".join(text for text in (person(patient.name), patient.sex, age) if text)
    number = "" if patient.id in who else patient.id
    day = patient.study_date
    if len(day) == 8 and day.isdigit():
        day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    what = " · ".join(text for text in (series.study_description, day) if text)
    return [text for text in (who, number, what) if text]


def _plane_lines(view: SliceView, full: bool) -> list[str]:
    assert view.case is not None
    assert view.plane is not None
    volume = view.case.volume
    name = plane_name(view.plane.name)
    if not volume.placed:
        name = translate("view", "As stored")
    if not full:
        return [name]
    lines = [name]
    if volume.placed:
        lines = [translate("view", "{plane} · radiological").format(plane=name)]
    if not volume.regular:
        lines.append(counts.images(view.plane.count))
    elif view.plane.axis == 0:
        lines.append(
            translate("view", "{images} · {spacing} mm").format(
                images=counts.images(view.plane.count), spacing=f"{volume.spacing_kji_mm[0]:.4g}"
            )
        )
    else:
        lines.append(translate("view", "reformatted"))
    return lines + [text for text in (view.case.series.description, view.case.plan.name) if text]


def _window_lines(view: SliceView, big: bool) -> list[str]:
    window = view.reading.window
    text = translate("view", "W {width} L {level}").format(
        width=f"{window.width:.0f}", level=f"{window.centre:.0f}".replace("-", "\N{MINUS SIGN}")
    )
    if view.reading.shown.invert:
        text += translate("view", " · inverted")
    lines = [text]
    if big:
        assert view.plane is not None
        percent = min(view.plane.pixel_mm) / view.mm_per_px * 100
        lines.append(translate("view", "Zoom {percent} %").format(percent=f"{percent:.0f}"))
    lines.append(view.value_text() or " ")
    return lines


def _slice_lines(view: SliceView, full: bool) -> list[str]:
    assert view.plane is not None
    lines = [f"{view.plane.number(view.index)} / {view.plane.count}"]
    place_lps_mm = view.reading.place_lps_mm
    if full and place_lps_mm is not None:
        axis, letter = {planes.AXIAL: (2, "z"), planes.CORONAL: (1, "y")}.get(
            view.plane.name, (0, "x")
        )
        place = f"{place_lps_mm[axis]:.1f}".replace("-", "\N{MINUS SIGN}")
        lines.append(f"{letter} {place} mm")
    return lines


def _scale_bar(painter: QPainter, view: SliceView, y: float) -> None:
    assert view.case is not None
    if not view.case.volume.in_mm:
        text = translate("view", "no spacing")
        font = theme.font(theme.CORNER_PX)
        right = view.width() - _MARGIN - QFontMetricsF(font).horizontalAdvance(text)
        _haloed(painter, QPointF(right, y + 4), text, font, theme.PENDING, _HALO)
        return
    limit = view.width() * 0.22
    fitting = [mm for mm in _BARS_MM if mm / view.mm_per_px <= limit]
    if not fitting:
        return
    mm = fitting[-1]
    length = mm / view.mm_per_px
    right = view.width() - _MARGIN
    y = round(y) + 0.5
    ticks = QPainterPath()
    for x in (right - length, right):
        ticks.moveTo(x, y - 4)
        ticks.lineTo(x, y + 4)
    ticks.moveTo(right - length, y)
    ticks.lineTo(right, y)
    for pen in (QPen(QColor(0, 0, 0, 200), 3), QPen(QColor(theme.TEXT), 1)):
        painter.strokePath(ticks, pen)
    if mm >= 10:
        text = translate("view", "{length} cm").format(length=mm // 10)
    else:
        text = translate("view", "{length} mm").format(length=mm)
    font = theme.font(theme.CORNER_PX)
    advance = QFontMetricsF(font).horizontalAdvance(text)
    _haloed(painter, QPointF(right - length - advance - 7, y + 4), text, font, theme.TEXT, _HALO)


def _notices(painter: QPainter, view: SliceView, y: float) -> None:
    """Say what must not be overlooked: irregular slices, whose result this is, what is hidden."""
    assert view.case is not None
    volume = view.case.volume
    if not volume.regular:
        if volume.placed:
            parts = [
                translate("view", "irregular slices"),
                translate("view", "no measuring across slices, no AI"),
            ]
        else:
            parts = [translate("view", "no place in the patient"), translate("view", "no AI")]
        y = _chip(painter, view, y, parts, pending=volume.placed)
    if view.case.plan.resampled:
        words = [translate("view", "resampled copy"), translate("view", "interpolated")]
        y = _chip(painter, view, y, words, pending=True)
    findings = view.case.document.findings
    if findings is not None and view.overlay.shows_ai:
        done, total = view.case.progress
        pending = done < total or total == 0
        model = translate("view", "AI {model}").format(
            model=f"{findings.model.id} {findings.model.version}"
        )
        state = translate("view", "not reviewed") if pending else translate("view", "reviewed")
        y = _chip(painter, view, y, [model, state], pending=pending)
    if not view.reading.shown.masks and view.reading.lesions:
        hidden = translate("view", "{count} findings hidden").format(
            count=len(view.reading.lesions)
        )
        _chip(painter, view, y, [hidden, translate("view", "S shows them")], pending=True)


def _chip(
    painter: QPainter, view: SliceView, y: float, parts: list[str], *, pending: bool
) -> float:
    """Draw a small label; return where the next one begins. Never cut: it wraps."""
    font = theme.font(theme.HEAD_PX, QFont.Weight.Medium)
    metrics = QFontMetricsF(font)
    text = " · ".join(parts)
    if metrics.horizontalAdvance(text) + 14 > view.width() / 2 - 24:
        text = "\n".join(parts)
    lines = text.split("\n")
    width = max(metrics.horizontalAdvance(line) for line in lines) + 14
    box = QRectF(_MARGIN, y, width, metrics.height() * len(lines) + 6)
    colour = QColor(theme.PENDING if pending else theme.SECONDARY)
    edge = QColor(colour)
    edge.setAlpha(150)
    painter.setPen(QPen(edge, 1))
    painter.setBrush(QColor(20, 17, 6, 225) if pending else QColor(14, 16, 19, 225))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(colour)
    painter.setFont(font)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
    return box.bottom() + 4
