"""Outlines of other files, taken into the open case: asked for, dropped, or of the study itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThreadPool, Signal

from inference import geometry
from resources.text import translate
from viewer.export.tracking import tracking_uid
from viewer.imports import apart, likely
from viewer.imports.held import HeldFile
from viewer.imports.taking import Chosen
from viewer.imports.target import Target
from viewer.study.header import OtherObject
from viewer.ui.import_dialog import ImportDialog
from viewer.ui.jobs import Job
from viewer.ui.places import ask_files

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.main_window import MainWindow

# More files than this are a study, not outlines.
_MOST_FILES = 32
# More structures than this are not all shown at once: nobody could tell their outlines apart.
_MOST_SHOWN = 24


class Importing(QObject):
    """The command that imports; a ``Part`` of the window. Files are read in another process."""

    told = Signal(str)
    failed = Signal(object)  # a Problem

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        window.reading.case_changed.connect(self.escape)
        window.reading.case_changed.connect(self._offer)
        window.reading.shown_changed.connect(self._offer)

    # ------------------------------------------------------------------ part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {"import": self.ask}

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be imported now."""
        return {"import": self.why_not()}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def why_not(self) -> str:
        """Return why nothing can be imported now; empty when it can."""
        reading = self._window.reading
        case = reading.case
        if case is None:
            return translate("imports", "Open a series first.")
        if case.read_only:
            return str(case.read_only_problem)
        if self._blind:
            return translate(
                "imports", "What others have outlined is hidden while this case is read blind."
            )
        return ""

    @property
    def _blind(self) -> bool:
        reading = self._window.reading
        return reading.ai_hidden or (reading.case is not None and reading.case.second)

    # ------------------------------------------------------------------- ask

    def ask(self) -> None:
        """Ask for files and read them."""
        if why := self.why_not():
            self.told.emit(why)
            return
        title = translate("imports", "Import outlines: SEG, SR, RTSTRUCT, NIfTI, NRRD, MetaImage")
        files = ask_files(self._window, title)
        if files:
            self.read(files)

    def dropped(self, paths: Sequence[Path]) -> None:
        """Take what is dropped on the window: outlines for the open case, else a study to open."""
        open_them = partial(self._window.open_paths, list(paths))
        if self._window.reading.case is None or len(paths) > _MOST_FILES:
            open_them()
            return

        def work(_report: Any, _cancelled: Any) -> object:
            return likely.are_outlines(paths)

        def then(found: object) -> None:
            if found == likely.NO:
                open_them()
            elif why := self.why_not():
                self.told.emit(why)
            else:
                self.read(paths, instead=open_them if found == likely.MAYBE else None)

        self._start(work, then)

    def read(self, paths: Sequence[Path], *, instead: Callable[[], None] | None = None) -> None:
        """Read files and show what they hold.

        Parameters
        ----------
        instead
            What is done when none of them fits: they may be images.
        """
        case = self._window.reading.case
        if case is None:
            return
        target = Target.of(case.plan, case.volume.shape_kji, case.volume.affine)

        def work(report: Any, cancelled: Callable[[], bool]) -> object:
            return apart.read(paths, target, progress=report, cancelled=cancelled)

        def then(found: object) -> None:
            assert isinstance(found, list)
            if self._window.reading.case is not case:
                return
            if instead is not None and all(file.refusal for file in found):
                instead()
            else:
                self.told.emit("")
                self.show(case, found)

        self._start(work, then)
        self.told.emit(
            translate("imports", "Reading outlines… {key} stops it.").format(
                key=self._window.reading.keys.name("abort")
            )
        )

    def attach(self) -> None:
        """Connect with the rail, once it is there."""
        self._window.rail.outlines.chosen.connect(self._read_of_study)

    def _offer(self) -> None:
        """Offer the outlines that lie beside the images of the open study; nothing is read."""
        window, case = self._window, self._window.reading.case
        found: tuple[OtherObject, ...] = ()
        if case is not None and case.viewing_only is None and not self._blind:
            found = tuple(
                each.other
                for each in window.opener.study.skipped
                if each.other is not None
                and likely.is_outline(each.other)
                and each.other.study_uid == case.series.study_uid
            )
        window.rail.outlines.show_objects(found, self.why_not())

    def _read_of_study(self, other: object) -> None:
        assert isinstance(other, OtherObject)
        if why := self.why_not():
            self.told.emit(why)
        else:
            self.read([other.path])

    # ------------------------------------------------------------------ show

    def show(self, case: Case, files: Sequence[HeldFile]) -> None:
        """Let the reader choose of what files hold."""
        voxel_ml = geometry.voxel_volume_mm3(case.volume.affine) / 1000.0
        dialog = ImportDialog(files, voxel_ml, self._here(case), self._window)
        accepted = bool(dialog.exec())
        chosen = dialog.chosen
        dialog.deleteLater()
        if accepted and self._window.reading.case is case:
            self.take(chosen)

    def take(self, chosen: Sequence[Chosen]) -> None:
        """Take outlines in, as one step."""
        window = self._window
        if why := self.why_not():
            self.told.emit(why)
            return
        change = window.corrections.change(
            lambda case: case.take_in(chosen, case.plan.series.series_uid)
        )
        if change is None:
            return
        if len(change.segment_ids) <= _MOST_SHOWN:
            window.reading.show_segments(change.segment_ids)
        if change.lesion_ids:
            window.reading.reveal(change.lesion_ids[0])
            window.reading.select(change.lesion_ids[0])
        self.told.emit(
            translate("imports", "Taken in: {count}. {key} takes it back.").format(
                count=len(change.lesion_ids) + len(change.segment_ids),
                key=window.reading.keys.name("undo"),
            )
        )

    @staticmethod
    def _here(case: Case) -> frozenset[str]:
        """Return the Tracking UIDs of what the case holds."""
        found = set()
        document = case.document
        for key in (*(x.id for x in document.lesions), *(s.id for s in document.segments)):
            came = document.imported(key)
            told = "" if came is None else str(came.outline.about.get("tracking_uid", ""))
            found.add(told or tracking_uid(case.plan.series.series_uid, key))
        return frozenset(found)

    # ------------------------------------------------------------------ inside

    def escape(self) -> bool:
        """Stop reading; tell whether there was anything."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        return job is not None

    def _start(self, work: Callable[..., object], then: Callable[[object], None]) -> None:
        self.escape()
        self._job = job = Job(work, self)
        job.succeeded.connect(then)
        job.failed.connect(self.failed)
        job.ended.connect(partial(self._on_end, job))
        job.start(self._pool)

    def _on_end(self, job: Job) -> None:
        if job is self._job:
            self._job = None
