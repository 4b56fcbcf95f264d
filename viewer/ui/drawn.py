"""Overlay planes of the open images (60xx): read off the GUI thread, slice by slice."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from viewer.study.overlay import overlays
from viewer.study.series import FrameRef
from viewer.ui.jobs import Job
from viewer.ui.reading import Reading

Mask = npt.NDArray[np.bool_]
# A mask of 512 x 512 takes 256 kB: enough of them for scrolling to and fro.
_KEPT = 200


class Drawn(QObject):
    """What the scanner or another reader drew on the images, as masks.

    ``changed`` tells that ``mask`` may know of one more slice.
    """

    changed = Signal()

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._masks: dict[int, Mask | None] = {}
        self._job: Job | None = None
        self._planes: object = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        reading.case_changed.connect(self._on_case)

    def mask(self, k: int) -> Mask | None:
        """Return what is drawn on slice ``k``, (row, column); None when nothing, or not yet."""
        case = self._reading.case
        if case is None or case.plan.resampled or k >= len(case.plan.planes):
            return None
        if k not in self._masks and self._job is None:
            ref = case.plan.planes[k]
            if not ref.instance.overlay_groups:
                return None
            self._job = Job(partial(_read, k, ref), self)
            self._job.succeeded.connect(self._on_read)
            self._job.ended.connect(self._on_end)
            self._job.start(self._pool)
        return self._masks.get(k)

    @Slot()
    def _on_case(self) -> None:
        case = self._reading.case
        planes = case.plan.planes if case is not None else None
        if planes is self._planes:
            return  # the same images, of which all are there now
        self._planes = planes
        self._masks = {}
        if self._job is not None:
            self._job.cancel()

    @Slot(object)
    def _on_read(self, found: object) -> None:
        assert isinstance(found, tuple)
        k, mask = found
        while len(self._masks) >= _KEPT:
            del self._masks[next(iter(self._masks))]
        self._masks[k] = mask

    @Slot()
    def _on_end(self) -> None:
        self._job = None
        # Also when it was of another case: the slice that is shown now has yet to be read.
        self.changed.emit()

    def close(self) -> None:
        """Wait for the thread."""
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(3000)


def _read(k: int, ref: FrameRef, _report: Any, _cancelled: Any) -> tuple[int, Mask | None]:
    whole: Mask | None = None
    for overlay in overlays(ref):
        mask = overlay.on_image(ref.instance.rows, ref.instance.columns)
        whole = mask if whole is None else whole | mask
    return k, whole
