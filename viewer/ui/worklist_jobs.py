"""What the keeper of the worklist has done off the GUI thread: rows, files, small pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QImage, QImageWriter

from viewer import worklist_case
from viewer.ui.jobs import Report
from viewer.worklist import State, Study, Worklist

if TYPE_CHECKING:
    from viewer.session import Case

_THUMBNAIL_PX = 160


def run(work: Callable[[], Any], _report: Report, _cancelled: Callable[[], bool]) -> Any:
    """Do a piece of work that is over too soon to tell how far it is."""
    return work()


def list_case(
    worklist: Worklist, case: Case, state: State, plans: Sequence[Any], given: Sequence[Path]
) -> tuple[Study, ...]:
    """Put a case that was opened on top of the list; return the whole list."""
    worklist.opened(worklist_case.study_of(case, state, plans, given))
    return worklist.studies()


def missing(
    studies: Sequence[Study], _report: Report, cancelled: Callable[[], bool]
) -> frozenset[str]:
    """Return the case keys of the studies of which nothing is where it was."""
    gone = set()
    for study in studies:
        if cancelled():
            break
        if not any(_exists(path) for path in study.paths):
            gone.add(study.case_key)
    return frozenset(gone)


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def small(picture: np.ndarray[Any, Any]) -> QImage:
    """Return a copy of a picture, (row, column) grey or (row, column, 3) colour, made small."""
    pixels = np.ascontiguousarray(picture, dtype=np.uint8)
    rows, columns = pixels.shape[:2]
    colour = pixels.ndim == 3
    kind = QImage.Format.Format_RGB888 if colour else QImage.Format.Format_Grayscale8
    image = QImage(pixels.data, columns, rows, columns * (3 if colour else 1), kind)
    return image.scaled(
        _THUMBNAIL_PX,
        _THUMBNAIL_PX,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    ).copy()


def png(image: QImage) -> bytes:
    """Return a picture as PNG."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def decoded(pictures: dict[str, bytes]) -> dict[str, QImage]:
    """Return the pictures that can be decoded."""
    images = {key: QImage.fromData(data) for key, data in pictures.items()}
    return {key: image for key, image in images.items() if not image.isNull()}
