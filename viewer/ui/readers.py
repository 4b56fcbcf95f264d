"""Who reads, and the readings of a case: the second is kept apart from the first, then compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from resources.text import translate
from viewer import second_reading
from viewer.annotate import agreement_csv, attributes
from viewer.session import Case, Reader
from viewer.ui import who
from viewer.ui.agreement_view import AgreementDialog
from viewer.ui.availability import why_no_journal
from viewer.ui.both_readings import Both, BothReadings
from viewer.ui.panel import words
from viewer.ui.places import ask_save
from viewer.ui.preferences import OWN_READINGS
from viewer.ui.saving import save_text

if TYPE_CHECKING:
    from pathlib import Path

    from viewer.annotate.document_state import DocumentState
    from viewer.second_reading import SecondReading, Which
    from viewer.ui.main_window import MainWindow

_SECOND, _COMMIT, _AGREEMENT = "second_reading", "commit_reading", "agreement"
_FLUSH_S = 1.0


class Readers(QObject):
    """Knows who reads; begins, commits and shows the readings of the open case.

    A change of the reader's name is as if he had opened the case himself: what is not his to see
    is left, what is not his to change cannot be changed.
    """

    compared = Signal()  # the agreement is shown

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reading = window.reading
        self._second: SecondReading | None = None
        self._first_committed = False
        self._saw_first: set[tuple[str, str]] = set()  # case and reader
        self._last: Both | None = None
        self.both = BothReadings(window.reading, window.opener, self)
        self.dialog: AgreementDialog | None = None
        self.both.ready.connect(self._on_compared)
        self.both.failed.connect(lambda problem: window.message.show_problem(problem))
        window.opener.own_readings = self.own_readings
        window.reading.case_changed.connect(self._on_case)

    @property
    def adjudicated(self) -> DocumentState | None:
        """What was adjudicated of the readings that were compared last; None while nothing was."""
        return None if self._last is None else self._last.adjudicated

    def own_readings(self) -> bool:
        """Tell whether who has no part in a case gets a reading of his own."""
        return self._reading.preferences.on(OWN_READINGS)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        return {_SECOND: self.go_on, _COMMIT: self.commit, _AGREEMENT: self.compare}

    def reasons(self) -> Mapping[str, str]:
        """Return why they cannot be used now."""
        case, general = self._reading.case, self.why_no_case()
        if general or case is None:
            return dict.fromkeys((_SECOND, _COMMIT, _AGREEMENT), general)
        return {
            _SECOND: self._why_not_second(case),
            _COMMIT: self._why_no_commit(case),
            _AGREEMENT: self.why_not_compared(),
        }

    def checked(self) -> Mapping[str, bool]:
        """Return whether the second reading is open, and whether what is open is committed."""
        case = self._reading.case
        return {
            _SECOND: case is not None and case.second,
            _COMMIT: case is not None and case.committed,
        }

    def why_no_case(self) -> str:
        """Return why no reading can be dealt with, in a sentence; empty when one can."""
        why = why_no_journal(self._reading.case)
        if not why and self._reading.ai_locked:
            why = translate("comparing", "The AI is locked until the first impression.")
        return why

    def _why_not_second(self, case: Case) -> str:
        if case.which == "adjudicated":
            return ""  # it leads back to the first
        if case.second:
            return "" if case.committed else self._why_unfinished(case)
        if self._second is not None and self._second.committed:
            if case.committed or case.reader.name not in case.readers:
                return ""
            return translate(
                "readers", "Commit your own reading first ({key}): then the other one shows."
            ).format(key=self._reading.keys.name(_COMMIT))
        if self._second is not None:
            return translate("readers", "A second reading by {reader} is under way.").format(
                reader=", ".join(self._second.readers) or "?"
            )
        if case.read_only and not case.committed:
            return str(case.read_only_problem)
        if not case.document.runs:
            return translate("window", "Run the model first.")
        name = case.reader.name
        if not name or name in case.readers:
            return translate(
                "readers", "The second reading is by somebody else: name that reader first ({key})."
            ).format(key=self._reading.keys.name("reader"))
        return ""

    def _why_unfinished(self, case: Case) -> str:
        done, total = case.progress
        if done < total:
            return translate(
                "readers", "To commit a reading, judge all findings: {n} are left."
            ).format(n=total - done)
        document = case.document
        lacking = [x for x in case.shown if attributes.missing(document, x)]
        if lacking:
            what = attributes.missing_text(attributes.missing(document, lacking[0]))
            return translate("readers", "To commit a reading, say all: {finding}, {what}.").format(
                finding=words.title(lacking[0]), what=what
            )
        return ""

    def _why_no_commit(self, case: Case) -> str:
        if case.which == "adjudicated":
            return translate("readers", "Each choice of an adjudication counts at once.")
        if case.committed:
            if case.second or self._second is not None:
                return translate("readers", "Committed, and another reading was begun: it stays.")
            return ""
        if case.read_only:
            return str(case.read_only_problem)
        if not case.document.runs:
            return translate("window", "Run the model first.")
        named = case.readers - {""}
        if not case.reader.name:
            return translate("readers", "Name the reader first ({key}).").format(
                key=self._reading.keys.name("reader")
            )
        if named and case.reader.name not in named:
            return translate("readers", "This is the reading of {reader}: it is not yours.").format(
                reader=", ".join(sorted(named))
            )
        return self._why_unfinished(case)

    def why_not_compared(self) -> str:
        """Return why both readings cannot be compared, in a sentence; empty when they can."""
        if self._second is None:
            return translate("readers", "There is no second reading of this case.")
        if not self._second.committed:
            return translate("readers", "The second reading is not committed yet.")
        if not self._first_committed:
            return translate(
                "readers", "The first reading is not committed yet: its reader does that ({key})."
            ).format(key=self._reading.keys.name(_COMMIT))
        return ""

    # ---------------------------------------------------------------- who reads

    def be(self, reader: Reader) -> bool:
        """Let somebody else read from now on.

        Returns
        -------
        bool
            False when the open case must be left for it and is not on the disk yet: all stays.
        """
        window, case = self._window, self._reading.case
        which = None if case is None else self._which_for(case, reader)
        if case is not None and which != case.which and not window.everything_saved():
            return False
        who.keep(window.settings, reader)
        if case is None or which is None:
            return True
        if which != case.which:
            window.study.open_reading(which)
            return True
        case.set_reader(reader)
        self._note_seen(case)
        window.read_first.judge_again()
        return True

    def _which_for(self, case: Case, reader: Reader) -> Which:
        """Return which reading of the open case somebody gets: that which is open, if he may."""
        home = self._home()
        if home is None:
            return case.which
        case.flush(_FLUSH_S)  # who reads stands in the file
        found = second_reading.of_reader(home, reader.name, own=self.own_readings())
        if case.second and not case.committed:
            return "second" if found == "second" else "first"
        return "second" if found == "second" else case.which

    def line(self) -> str:
        """Return who reads, and what, for the status line; empty without a name."""
        case, reader = self._reading.case, who.reader_of(self._window.settings)
        parts = [who.text_of(reader)] if reader.name else []
        if parts and case is not None and case.which != "first":
            parts.append(
                translate("readers", "second reading")
                if case.second
                else translate("readers", "adjudication")
            )
        if parts and case is not None and case.committed:
            parts.append(translate("readers", "committed"))
        return " · ".join(parts)

    def _note_seen(self, case: Case) -> None:
        """Remember who had the work of others on the screen: he is not blind to it any more."""
        if case.which == "first" and case.readers - {"", case.reader.name}:
            self._saw_first.add((case.key, case.reader.name))

    # ------------------------------------------------------------ the readings

    def go_on(self) -> None:
        """Begin the second reading, commit it, or show the other one, as it stands."""
        case = self._reading.case
        if case is None or self.reasons()[_SECOND]:
            self._window.follow()
            return
        if case.second and not case.committed:
            self.commit()
            return
        self._window.study.open_reading("second" if case.which == "first" else "first")

    def commit(self) -> None:
        """Let the open reading stay as it is; again takes it back while there is no other."""
        case = self._reading.case
        if case is None or self.reasons()[_COMMIT]:
            self._window.follow()
            return
        if case.committed:
            case.note_event("first-reopened")
            self._window.study.open_reading("first")
            return
        case.commit()
        case.flush(_FLUSH_S)
        self._stand()
        self._window.status.hint(self._committed_text(case))
        self._reading.shown_changed.emit()
        self._window.follow()

    def _committed_text(self, case: Case) -> str:
        if not self.why_not_compared():
            return translate("readers", "Reading committed. {key} compares both.").format(
                key=self._reading.keys.name(_AGREEMENT)
            )
        if case.second:
            return translate("readers", "Second reading committed. The first is not yet.")
        return translate("readers", "First reading committed: it stays as it is.")

    def _stand(self) -> None:
        home, case = self._home(), self._reading.case
        self._second = second_reading.standing(home) if home is not None else None
        self._first_committed = False
        if case is None or home is None:
            return
        if self._second is None and case.second:
            # Begun, and nothing of it has reached the disk yet.
            self._second = second_reading.SecondReading(tuple(case.readers), False)
        if case.which == "first":
            self._first_committed = case.committed
        elif (first := second_reading.standing(home, "first")) is not None:
            self._first_committed = first.committed

    def _home(self) -> Path | None:
        case = self._reading.case
        if case is None or case.folder is None:
            return None
        return second_reading.home_of(case.folder, case.which)

    def _on_case(self) -> None:
        self.close()
        case = self._reading.case
        self._stand()
        if case is None or case.is_being_read:
            return
        reader = who.reader_of(self._window.settings)
        if case.reader != reader and case.folder is not None:
            # Named while the images were read. Another reading is opened when all follow this one.
            if self._which_for(case, reader) == case.which:
                self.be(reader)
            else:
                QTimer.singleShot(0, self, lambda: self.be(who.reader_of(self._window.settings)))
            return
        self._note_seen(case)
        if case.second and not case.events and not case.read_only:
            saw = (case.key, case.reader.name) in self._saw_first
            case.note_event("second-begun", **({"seen": 1.0} if saw else {}))
        if case.second:
            self._window.message.show_note(self._second_text(case))

    def _second_text(self, case: Case) -> str:
        if case.committed:
            return translate("readers", "Second reading, committed.")
        return translate(
            "readers",
            "Second reading: what the first reader did is not shown."
            " {key} commits it when every finding is judged.",
        ).format(key=self._reading.keys.name(_COMMIT))

    # ---------------------------------------------------------- the agreement

    def compare(self) -> None:
        """Read both readings from the disk and compare them, off this thread."""
        if self._reading.case is not None and not self.reasons()[_AGREEMENT]:
            self.both.read()

    def _on_compared(self, found: object) -> None:
        case = self._reading.case
        if not isinstance(found, Both) or case is None:
            return
        self._last = found
        if self.dialog is None:
            self.dialog = AgreementDialog(self._window, self._window.actions_by_id["adjudicate"])
            self.dialog.finished.connect(self._on_closed)
            self.dialog.chosen.connect(self._window.record.adjudicating.go_to)
            self.dialog.save_asked.connect(self.ask_save)
        self.dialog.show_both(found, self._window.record.adjudicating.limit)
        self.dialog.show()
        self.compared.emit()

    def ask_save(self) -> None:
        """Ask where the report is to be saved; its name says nothing of the patient."""
        case = self._reading.case
        if case is None or self._last is None:
            return
        file = ask_save(
            self.dialog or self._window,
            translate("readers", "Save the agreement"),
            f"overread-agreement-{case.key[:8]}.csv",
            translate("audit", "Table (*.csv)"),
        )
        if file is not None:
            self.save(file)

    def save(self, file: Path) -> None:
        """Save the report as CSV; the log of the case tells that it was."""
        case, found = self._reading.case, self._last
        if case is None or found is None:
            return
        limit = self._window.record.adjudicating.limit
        text = agreement_csv.as_csv(found.case_key, found.parents, found.adjudicated, limit)
        problem = save_text(file, text)
        if problem is not None:
            self._window.message.show_problem(problem)
            return
        case.note_event("agreement-saved")
        self._window.status.hint(translate("readers", "The agreement is saved as a table."))

    def _on_closed(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()

    def close(self) -> None:
        """Close the window of the agreement; what is being compared comes to nothing."""
        self._last = None
        self.both.cancel()
        if self.dialog is not None:
            self.dialog.close()
