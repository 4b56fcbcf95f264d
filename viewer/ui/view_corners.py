"""The four corners of a view: patient, plane, window, slice; and the scale bar."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSizeF
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from resources.text import translate
from viewer.annotate.key_images import TOPIC, marked
from viewer.annotate.measurement_words import calibration_words
from viewer.display import planes
from viewer.display.oblique import ObliquePlane
from viewer.study.words import person
from viewer.ui import counts, ink
from viewer.ui import on_image as theme
from viewer.ui.reading import TEXT_FULL
from viewer.ui.standing import Board, Sheet
from viewer.ui.view_ink import HALO, MARGIN, haloed

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

_BARS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_BAR_Y = 16  # of the bar in its picture
_LOWER_LINES = 5  # at most, with room for what calibration says over the scale bar
_LEFT_PX = MARGIN - ink.PAD


def plane_name(name: str) -> str:
    """Return the shown name of a plane."""
    return {
        planes.AXIAL: translate("view", "Axial"),
        planes.CORONAL: translate("view", "Coronal"),
        planes.SAGITTAL: translate("view", "Sagittal"),
    }[name]


def plane_title(view: SliceView) -> str:
    """Return the name of the plane of a view, and how far it is turned."""
    plane = view.plane
    assert plane is not None
    name = plane_name(plane.name)
    if not isinstance(plane, ObliquePlane):
        return name
    if plane.quick:  # the angle stands beside the crosshair that is dragged
        return translate("view", "{plane} · oblique").format(plane=name)
    angle = f"{plane.tilt_deg:.0f}"
    return translate("view", "{plane} · oblique {angle}°").format(plane=name, angle=angle)


def upper(painter: Board, view: SliceView) -> float:
    """Write who and which plane it is; return where the text at the top left ends."""
    line = _line_px(theme.CORNER_PX)
    full = view.main and view.reading.shown.text == TEXT_FULL
    ratio = painter.device().devicePixelRatioF()
    # The letters stand in the middle of each edge; corner text must not reach them.
    room = _room(view)

    def write(lines: list[str], *, right: bool) -> float:
        y = MARGIN + line - 5
        if lines:
            font = theme.font(theme.CORNER_PX)
            block = ink.block(tuple(lines), font, theme.TEXT, HALO, ratio, line, room, right=right)
            x = view.width() - MARGIN + ink.PAD - block.width() / ratio if right else _LEFT_PX
            painter.drawImage(QPoint(round(x), round(y) - line - ink.PAD), block)
        return y + line * len(lines)

    named = full and not view.reading.shown.patient_hidden
    y = write(_patient_lines(view) if named else [], right=False)
    write(_plane_lines(view, full), right=True)
    return y - line + 9


def lower(painter: QPainter, view: SliceView) -> None:
    """Write window, value and slice, which change at every movement, and the scale bar."""
    big = view.main
    numbers = _slice_lines(view, big and view.reading.shown.text == TEXT_FULL)
    _write_words(painter, view, _window_lines(view, big), right=False)
    _write_words(painter, view, numbers, right=True)
    line = _line_px(theme.CORNER_PX)
    y = view.height() - MARGIN - line * len(numbers) - 8
    made_of = (view.words, view.width(), y, view.mm_per_px, view.case, view.reading.facts)

    def scale(sheet: Sheet) -> float:
        _scale_bar(sheet, view, y)
        _calibration(sheet, view, y - line)
        return 0.0

    view.standing.paint("scale", painter, made_of, scale)


def lower_left(view: SliceView) -> QRect:
    """Return where window, zoom and value are written; to its right, slice and scale."""
    height = math.ceil(MARGIN) + _LOWER_LINES * _line_px(theme.CORNER_PX) + 2 * ink.PAD
    return QRect(0, view.height() - height, view.width() // 2, height)


def _room(view: SliceView) -> float:
    return view.width() / 2 - 34


def _write_words(painter: QPainter, view: SliceView, lines: list[str], *, right: bool) -> None:
    """Write lines at the bottom, each a picture of its own: most of them come only once."""
    ratio = painter.device().devicePixelRatioF()
    face = ink.face(theme.CORNER_PX, theme.TEXT, HALO, ratio)
    line, room = _line_px(theme.CORNER_PX), _room(view)
    texts = [face.fitted(text, room) for text in lines]
    widths = [face.advance(text) for text in texts]
    across = max(map(math.ceil, widths), default=0)
    left = round(_LEFT_PX)
    if right:
        left = round(
            view.width() - MARGIN + ink.PAD - math.ceil((across + 2 * ink.PAD) * ratio) / ratio
        )
    top = round(view.height() - MARGIN - line * (len(lines) - 1) - 3) - line - ink.PAD
    for number, (text, width) in enumerate(zip(texts, widths, strict=True)):
        if text == " ":
            continue
        made = face.line(text)
        x = left + (round((across - width) * ratio) / ratio if right else 0)
        y = top + round(line * (number + 1) - made.ascent)
        painter.drawImage(QPointF(x, y), made.picture)


@lru_cache(maxsize=8)
def _line_px(size_px: int) -> int:
    return math.ceil(QFontMetricsF(theme.font(size_px)).height())


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
    if ink.advance(what, theme.font(theme.CORNER_PX)) > _room(view):
        return [text for text in (who, number, series.study_description, day) if text]
    return [text for text in (who, number, what) if text]


def _plane_lines(view: SliceView, full: bool) -> list[str]:
    assert view.case is not None
    assert view.plane is not None
    volume = view.case.volume
    name = plane_title(view)
    if not volume.placed:
        name = translate("view", "As stored")
    if not full:
        return [name]
    lines = [" · ".join(part for part in (name, _convention(view)) if part)]
    if not volume.regular:
        lines.append(counts.images(view.plane.count))
    elif view.plane.axis == 0:
        lines.append(
            translate("view", "{images} · {spacing} mm").format(
                images=counts.images(view.plane.count), spacing=f"{volume.spacing_kji_mm[0]:.4g}"
            )
        )
    elif view.plane.straight or volume.colours is not None:
        lines.append(translate("view", "reformatted"))
    else:
        lines.append(translate("view", "reformatted, interpolated"))
    # Descriptions are typed by hand, and may say who it is.
    described = "" if view.reading.shown.patient_hidden else view.case.series.description
    facts = view.reading.facts
    made = _as_many((facts.view, *facts.technique), _room(view))
    # Of another time a chip tells, and which one the case is.
    volume_name = "" if view.notices.get("time") else view.case.plan.name
    return lines + [text for text in (described, volume_name, made) if text]


def _as_many(words: tuple[str, ...], room_px: float) -> str:
    """Return the first words that there is room for: none is cut but the very first."""
    font = theme.font(theme.CORNER_PX)
    line = ""
    for word in filter(None, words):
        longer = f"{line} · {word}" if line else word
        if line and ink.advance(longer, font) > room_px:
            break
        line = longer
    return line


def _convention(view: SliceView) -> str:
    """Say how the patient lies on the screen; nothing where that is not known."""
    assert view.case is not None
    assert view.plane is not None
    if view.case.volume.placed:
        return translate("view", "radiological") if view.plane.radiological else ""
    letters = view.reading.facts.letters
    edge = letters[0][0] if letters is not None else ""
    if edge == "L":
        return translate("view", "the patient's left is on the left")
    return translate("view", "radiological") if edge == "R" else ""


def _number(value: float, width: float) -> str:
    """Return a grey value to as many places as a window of that width needs."""
    places = 0 if width >= 100 else 1 if width >= 10 else 2 if width >= 1 else 4
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if places else text
    return ("0" if text in ("-0", "") else text).replace("-", "\N{MINUS SIGN}")


def _window_lines(view: SliceView, big: bool) -> list[str]:
    window = view.reading.window
    text = translate("view", "W {width} L {level}").format(
        width=_number(window.width, window.width), level=_number(window.centre, window.width)
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
    number = f"{view.plane.number(view.index)} / {view.plane.count}"
    marks = [view.tag, translate("view", "key image") if _is_marked(view) else ""]
    lines = [" · ".join(text for text in (*marks, number) if text)]
    place_lps_mm = view.reading.place_lps_mm
    if full and place_lps_mm is not None and view.plane.straight:
        axis, letter = {planes.AXIAL: (2, "z"), planes.CORONAL: (1, "y")}.get(
            view.plane.name, (0, "x")
        )
        place = f"{place_lps_mm[axis]:.1f}".replace("-", "\N{MINUS SIGN}")
        lines.append(f"{letter} {place} mm")
    return lines


def _is_marked(view: SliceView) -> bool:
    assert view.case is not None
    assert view.plane is not None
    if not view.plane.straight:
        return False
    return marked(view.case.document.notes(TOPIC), view.plane.name, view.index) is not None


def _scale_bar(painter: Board, view: SliceView, y: float) -> None:
    assert view.case is not None
    if not view.case.volume.in_mm:
        text = translate("view", "no spacing")
        font = theme.font(theme.CORNER_PX)
        right = view.width() - MARGIN - QFontMetricsF(font).horizontalAdvance(text)
        haloed(painter, QPointF(right, y + 4), text, font, theme.PENDING, HALO)
        return
    limit = view.width() * 0.22
    fitting = [mm for mm in _BARS_MM if mm / view.mm_per_px <= limit]
    if not fitting:
        return
    mm = fitting[-1]
    length = mm / view.mm_per_px
    ratio = painter.device().devicePixelRatioF()
    picture = ink.kept(("bar", mm, round(length, 2), ratio), lambda: _bar(mm, length, ratio))
    x = view.width() - MARGIN + ink.PAD - picture.width() / ratio
    painter.drawImage(QPointF(x, round(y) - _BAR_Y), picture)


def _bar(mm: int, length: float, ratio: float) -> QImage:
    """Draw a bar of so many logical pixels, what it stands for to its left."""
    if mm >= 10:
        text = translate("view", "{length} cm").format(length=mm // 10)
    else:
        text = translate("view", "{length} mm").format(length=mm)
    font = theme.font(theme.CORNER_PX)
    width = math.ceil(length + 7 + ink.advance(text, font)) + 2 * ink.PAD
    picture = ink.blank(QSizeF(width, 2 * _BAR_Y), ratio)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    right, y = width - ink.PAD, _BAR_Y + 0.5
    # Upright bars on whole pixels: no path has to be stroked.
    for grow, colour in ((1.0, QColor(0, 0, 0, 200)), (0.0, QColor(theme.TEXT))):
        for bar in (
            QRectF(right - length - 0.5, y - 4, 1, 8),
            QRectF(right - 0.5, y - 4, 1, 8),
            QRectF(right - length - 0.5, y - 0.5, length + 1, 1),
        ):
            painter.fillRect(bar.adjusted(-grow, -grow, grow, grow), colour)
    left = right - length - ink.advance(text, font) - 7
    haloed(painter, QPointF(left, y + 4), text, font, theme.TEXT, HALO)
    painter.end()
    return picture


def _calibration(painter: Board, view: SliceView, y: float) -> None:
    """Say above the scale bar what a millimetre on a projection is a millimetre of."""
    assert view.case is not None
    said = view.reading.facts.calibration
    if not said or not view.case.volume.in_mm:
        return
    text = translate("view", "mm {of_what}").format(of_what=calibration_words(said))
    font = theme.font(theme.CORNER_PX)
    text = ink.fitted(text, font, view.width() / 2 - 34)
    x = view.width() - MARGIN - ink.advance(text, font)
    proven = said in ("fiducial", "ultrasound")
    haloed(painter, QPointF(x, y), text, font, theme.TEXT if proven else theme.PENDING, HALO)
