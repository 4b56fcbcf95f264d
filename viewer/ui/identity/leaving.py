"""Sees an export through: passphrase, a look at the pixels where need be, writing, the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThreadPool, Slot

from resources.problem import Problem
from resources.text import translate
from viewer.deid import said
from viewer.deid.options import Box, Options, options
from viewer.deid.pages import VolumePages
from viewer.export.leaving import Leave, Survey, survey
from viewer.export.place import DEIDENTIFICATION
from viewer.ui.identity import profile, report_view
from viewer.ui.identity.looking import PixelDialog, PixelWord
from viewer.ui.identity.passphrase import Opened, SiteKey, once
from viewer.ui.jobs import Job

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.identity.files import FilesDialog
    from viewer.ui.main_window import MainWindow

_CLOSE_MS = 5000


class Leaving(QObject):
    """The way out of the window, of the open case and of whole folders.

    Attributes
    ----------
    key
        The site's pseudonyms.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.key = SiteKey(self)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._job: Job | None = None
        self._surveyed: Callable[[], None] | None = None
        self._files: FilesDialog | None = None
        # Of each case what was drawn on it before, until the program ends.
        self._drawn: dict[str, tuple[Box, ...]] = {}

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        return {"deidentify": self.ask_files, "forget_passphrase": self.forget}

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now."""
        none = translate("deid", "No passphrase was typed since the start.")
        return {"deidentify": "", "forget_passphrase": "" if self.key.is_open else none}

    def checked(self) -> Mapping[str, bool]:
        """Return nothing: there are no switches here."""
        return {}

    def forget(self) -> None:
        """Have the passphrase asked for again."""
        self.key.forget()
        self._window.status.hint(
            translate("deid", "The passphrase is asked for at the next export.")
        )
        self._window.follow()

    def ask_files(self) -> None:
        """Open the window that copies files without identity; work goes on beside it."""
        from viewer.ui.identity.files import FilesDialog

        if self._files is None:
            window = self._window
            given = tuple(Path(path) for path in window.worklist.keeper.given)
            self._files = FilesDialog(given, window.settings, self.pseudonyms, window)
            self._files.closed.connect(self._on_files_closed)
            self._files.show()
        self._files.activateWindow()

    @Slot()
    def _on_files_closed(self) -> None:
        if self._files is not None:
            self._files.deleteLater()
        self._files = None
        self._window.follow()

    def close(self) -> None:
        """Stop what is under way."""
        if self._files is not None:
            self._files.close()
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(_CLOSE_MS)

    # ------------------------------------------------------------- the export

    def pseudonyms(self, parent: Any) -> Opened | None:
        """Return those that the site has chosen; None when the passphrase is not given."""
        if profile.is_once(self._window.settings):
            return once()
        return self.key.get(parent)

    def export(self, case: Case, folder: Path) -> None:
        """Export the open case into a new folder inside ``folder``, without identity."""
        opened = self.pseudonyms(self._window)
        if opened is None:
            return

        def go_on(said: Options) -> None:
            self._window.export_to(folder, Leave(opened.keys, opened.remember, said))

        self.vouch(case, go_on)

    def vouch(self, case: Case, then: Callable[[Options], None]) -> None:
        """Have a person look at the pixels of a case where text may be burned in, and go on.

        ``then`` is called with what stays and what he said; never, when he gave up.
        """
        if self._job is not None:
            return
        self._window.status.say(translate("deid", "Looking whether text is burned in…"))
        job = self._job = Job(partial(_survey, case.plan), self)
        job.progressed.connect(self._window.status.show_progress)
        job.succeeded.connect(partial(self._on_survey, case, then))
        job.failed.connect(self._on_failed)
        job.ended.connect(self._on_end)
        job.start(self._pool)

    def _on_survey(self, case: Case, then: Callable[[Options], None], found: object) -> None:
        assert isinstance(found, Survey)
        # Once the job is over: what follows may ask, and that takes its time.
        self._surveyed = partial(self._go_on, case, then, found)

    def _go_on(self, case: Case, then: Callable[[Options], None], found: Survey) -> None:
        window = self._window
        window.status.end_progress()
        if window.reading.case is not case or window.exporter.why_not():
            window.status.say(translate("window", "Nothing was exported"))
            return
        word = PixelWord(self._drawn.get(case.key, ()), frozenset())
        if found.doubts:
            looked = self._look(case, found, word.boxes)
            if looked is None:
                window.status.say(translate("window", "Nothing was exported"))
                return
            word = looked
            self._drawn[case.key] = word.boxes
        kept = profile.remembered(window.settings)
        then(options(kept, pixels_seen=bool(word.seen), boxes=word.boxes))

    def _look(self, case: Case, found: Survey, boxes: tuple[Box, ...]) -> PixelWord | None:
        pages = VolumePages(case.plan, case.volume, found.face)
        dialog = PixelDialog([pages], boxes, said.doubt(found.doubts), self._window)
        accepted = bool(dialog.exec())
        word = dialog.word
        dialog.deleteLater()
        return word if accepted else None

    @Slot(object)
    def _on_failed(self, problem: object) -> None:
        assert isinstance(problem, Problem)
        self._window.status.end_progress()
        self._window.message.show_problem(problem)

    @Slot()
    def _on_end(self) -> None:
        go_on, self._job, self._surveyed = self._surveyed, None, None
        if go_on is not None:
            go_on()
        self._window.follow()

    # ------------------------------------------------------------- the report

    def tell(self, folder: Path, text: str) -> None:
        """Tell of an export that is done; the report of what went is a button away."""
        document = report_view.read(folder, DEIDENTIFICATION)
        if document is None:
            self._window.message.show_note(text)
            return
        if document["warnings"]:
            text = f"{text} {translate('deid', 'The face can be made visible from the images.')}"
        self._window.message.show_offer(
            text,
            translate("deid", "What was taken out…"),
            lambda: self._show(document, folder),
        )

    def _show(self, document: Mapping[str, Any], folder: Path) -> None:
        dialog = report_view.ReportDialog(document, folder, self._window)
        dialog.exec()
        dialog.deleteLater()


def _survey(plan: Any, report: Any, cancelled: Any) -> Survey:
    return survey(plan, report, cancelled)
