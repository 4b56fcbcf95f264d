"""Going from peak to peak of the heatmap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from resources.text import translate
from viewer.display.peaks import Peak, peaks
from viewer.ui.jobs import Job

if TYPE_CHECKING:
    from viewer.ui.reading import Reading

_COMMAND = "next_peak"


class HeatPeaks(QObject):
    """Brings all views to the next peak of the map that is shown, the highest first.

    The peaks are looked for in a thread, once for a map and its threshold.
    """

    told = Signal(str)

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._of: tuple[Any, ...] | None = None  # what the peaks are of: map and floor
        self._peaks: tuple[Peak, ...] = ()
        self._at = -1
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        reading.case_changed.connect(self._forget)
        reading.shown_changed.connect(self._on_shown)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {_COMMAND: self.next}

    def reasons(self) -> Mapping[str, str]:
        """Return why there is no peak to go to."""
        reading = self._reading
        if reading.case is None:
            why = translate("window", "Open a series first.")
        elif reading.chosen_map is not None:
            why = ""
        elif reading.ai_hidden and reading.case.document.findings is not None:
            why = translate("window", "The AI is hidden now.")
        else:
            why = translate("window", "Run the model first.")
        return {_COMMAND: why}

    def checked(self) -> Mapping[str, bool]:
        """Return nothing: it is no switch."""
        return {}

    # -------------------------------------------------------------- going on

    @property
    def text(self) -> str:
        """Which peak the views stand at; empty when at none."""
        if not 0 <= self._at < len(self._peaks):
            return ""
        value = f"{self._peaks[self._at].value:.2f}"
        words = (
            translate("peaks", "Peak {n} of {count} · ± {value}")
            if self._reading.shows_uncertainty
            else translate("peaks", "Peak {n} of {count} · p {value}")
        )
        return words.format(n=self._at + 1, count=len(self._peaks), value=value)

    def next(self) -> None:
        """Show the map and go to its next peak; after the last one comes the first."""
        reading = self._reading
        if reading.case is None or reading.chosen_map is None:
            return
        if not reading.shown.heatmap:
            reading.show(heatmap=True)
        if self._of is not None and _same(self._of, self._wanted()):
            self._go()
        elif self._job is None:
            self._look()

    def _wanted(self) -> tuple[Any, ...] | None:
        case, chosen = self._reading.case, self._reading.chosen_map
        if case is None or chosen is None:
            return None
        # The map itself, not only its id: another one may be made where it was.
        return chosen, max(1, round(self._reading.shown.heat_floor * 255)), case.key

    def _look(self) -> None:
        wanted = self._wanted()
        case = self._reading.case
        if wanted is None or case is None:
            return
        heatmap, floor, _ = wanted
        self._job = Job(partial(_find, wanted, heatmap, case.volume.affine, floor), self)
        self._job.succeeded.connect(self._on_found)
        self._job.ended.connect(self._on_end)
        self._job.start(self._pool)

    @Slot(object)
    def _on_found(self, found: object) -> None:
        assert isinstance(found, tuple)
        self._job = None
        if not _same(found[0], self._wanted()):
            self._look()  # the threshold moved meanwhile
            return
        self._of, self._peaks, self._at = found[0], found[1], -1
        self._go()

    @Slot()
    def _on_end(self) -> None:
        if self.sender() is self._job:
            self._job = None

    def _go(self) -> None:
        if not self._peaks:
            self.told.emit(translate("peaks", "Nothing of the heatmap reaches its threshold."))
            return
        self._at = (self._at + 1) % len(self._peaks)
        self._reading.move_cursor(self._peaks[self._at].centre_lps_mm)
        self.told.emit(self.text)

    def _forget(self) -> None:
        if not _same(self._of, self._wanted()):
            self._of, self._peaks, self._at = None, (), -1
            self.told.emit("")

    def _on_shown(self) -> None:
        if self._of is not None and not self._reading.ai_hidden:
            self._forget()

    def close(self) -> None:
        """Wait for the thread."""
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(3000)


def _same(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> bool:
    if one is None or other is None:
        return one is other
    return one[0] is other[0] and one[1:] == other[1:]


def _find(
    wanted: tuple[Any, ...], heatmap: Any, affine: Any, floor: int, _report: Any, _cancelled: Any
) -> tuple[tuple[Any, ...], tuple[Peak, ...]]:
    return wanted, peaks(heatmap, affine, floor)
