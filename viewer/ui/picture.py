"""Pictures of the views to be shown elsewhere: with banner, and without the patient."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QWidget

import resources
from resources.text import translate
from viewer.ui import on_image as theme

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.reading import Reading

_LINE_PX = 20
_MARGIN_PX = 10


def research_notice() -> str:
    """Return the sentence that stands on everything that leaves the program."""
    return translate("picture", "Research use. Not for diagnosis.")


def ai_state(case: Case, *, hidden: bool) -> tuple[str, bool]:
    """Return model, version and how far it was reviewed; and whether anything is left."""
    stamp = case.document.model
    if stamp is None:
        return translate("picture", "No AI result"), False
    model = f"{stamp.id} {stamp.version}"
    if hidden:
        return translate("picture", "AI {model} hidden").format(model=model), False
    done, total = case.progress
    if total == 0:
        return translate("picture", "AI {model} · not reviewed").format(model=model), True
    words = (
        translate("picture", "AI {model} · not reviewed · {done} of {total}")
        if done < total
        else translate("picture", "AI {model} · reviewed by a person · {done} of {total}")
    )
    return words.format(model=model, done=done, total=total), done < total


def take(view: QWidget, reading: Reading, *, patient: bool) -> QImage:
    """Return a view, or all of them, as on the screen, with the banner under it.

    Parameters
    ----------
    view
        What to take; painted anew, in the pixels of its screen.
    patient
        Whether the text on the patient stays. What is part of the image itself always does.

    Returns
    -------
    QImage
        Without any text of its own in the file but what is seen.
    """
    assert reading.case is not None
    before = reading.shown.patient_hidden
    reading.show(patient_hidden=before or not patient)
    try:
        image = view.grab().toImage()
    finally:
        reading.show(patient_hidden=before)
    return _with_banner(image, reading)


def _with_banner(image: QImage, reading: Reading) -> QImage:
    assert reading.case is not None
    ratio = image.devicePixelRatioF()
    width = image.width() / ratio
    words, pending = ai_state(reading.case, hidden=reading.ai_hidden)
    program = f"Overread {resources.VERSION} · {date.today().isoformat()}"
    font = theme.font(theme.CORNER_PX, QFont.Weight.Medium)
    metrics = QFontMetricsF(font)
    parts = (
        (words, theme.PENDING if pending else theme.TEXT, Qt.AlignmentFlag.AlignLeft),
        (program, theme.SECONDARY, Qt.AlignmentFlag.AlignHCenter),
        (research_notice(), theme.PENDING, Qt.AlignmentFlag.AlignRight),
    )
    needed = sum(metrics.horizontalAdvance(text) + 3 * _MARGIN_PX for text, _, _ in parts)
    stacked = needed > width
    lines = len(parts) if stacked else 1
    high = lines * _LINE_PX + _MARGIN_PX
    wide = max(
        width,
        max(metrics.horizontalAdvance(text) for text, _, _ in parts) + 2 * _MARGIN_PX
        if stacked
        else 0,
    )
    out = QImage(
        QSize(round(wide * ratio), image.height() + round(high * ratio)),
        QImage.Format.Format_RGB32,
    )
    out.setDevicePixelRatio(ratio)
    out.fill(QColor(theme.CANVAS))
    with QPainter(out) as painter:
        painter.drawImage(0, 0, image)
        top = image.height() / ratio
        painter.fillRect(QRectF(0, top, wide, high), QColor(theme.PANEL))
        painter.setFont(font)
        for number, (text, colour, side) in enumerate(parts):
            y = top + _MARGIN_PX / 2 + (number * _LINE_PX if stacked else 0)
            row = QRectF(_MARGIN_PX, y, wide - 2 * _MARGIN_PX, _LINE_PX)
            where = Qt.AlignmentFlag.AlignLeft if stacked else side
            painter.setPen(QColor(colour))
            painter.drawText(row, int(where | Qt.AlignmentFlag.AlignVCenter), text)
    return out
