"""One open case: its volume, its document, its journal. No Qt."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from inference.volume import Volume
from resources import labels
from resources.problem import Problem
from viewer import folders, impressions, saved_work, second_reading
from viewer.annotate import attributes, edits, thresholds
from viewer.annotate.attention import Attention
from viewer.annotate.document import AnnotationDocument, Change
from viewer.annotate.events import EVENT, What
from viewer.annotate.freeze import notes_snapshot, record_snapshot, segment_snapshot
from viewer.annotate.history import History
from viewer.annotate.journal import Fingerprint, Journal, Record, open_journal, replace, utc_now
from viewer.annotate.lesion import Lesion, Reader
from viewer.annotate.lock import CaseLock
from viewer.annotate.place import LungMap, Place, Side
from viewer.annotate.store import Entry, OnProblem, OnSaved, Store
from viewer.editing import Editing
from viewer.export.snapshot import CaseSnapshot
from viewer.second_reading import Which
from viewer.slices import Slices
from viewer.stepping import Stepping
from viewer.study.order import StackPlan
from viewer.study.series import Series
from viewer.study.staged import StagedRead

__all__ = ["Case", "Reader"]

_LUNGS: dict[str, Side] = {"lung_right": "right", "lung_left": "left"}


class Case(Editing, Stepping):
    """A case that is open, made by ``Case.open`` or ``Case.being_read``. One thread uses it.

    Attributes
    ----------
    key
        Says nothing of the patient; fit for logs and file names.
    series, plan, volume
        What is shown.
    slices
        Which of its slices are there.
    document
        Lesions, segments and AI runs as they stand.
    read_only_problem
        Why nothing can be changed, or None.
    viewing_only
        Why the images can only be looked at, or None: no changes, no model, no measuring across
        slices, no export. Also that they are still being read.
    recovered
        Translated note when the journal was damaged, or None.
    taken_over
        Translated note when the program that had the case last ended without closing it, or None.
    saved_utc
        When the journal was last known to be on the disk, ISO 8601; None when never.
    threshold
        Score that a lesion of the AI must reach to be listed. A step of its own only when it is
        kept, see ``keep_threshold``.
    blind
        Whether the reader may not see the AI yet. State of the view, no edit.
    which
        Which reading of the case it is, see ``second_reading``.
    committed
        Whether that reading is, and so stays as it is.
    readers
        Who has worked on it.
    links
        Number and SHA-256 (hexadecimal) of the last record on each lesion, as the case was opened.
    attention
        How long they were at each finding.
    events
        How many entries the journal has that are no edits.
    """

    def __init__(
        self,
        series: Series,
        plan: StackPlan,
        volume: Volume,
        reader: Reader,
        key: str,
    ) -> None:
        self.series = series
        self.plan = plan
        self.volume = volume
        self.reader = reader
        self.key = key
        self.document = AnnotationDocument(volume.shape_kji, volume.affine, volume.voxels)
        self.read_only_problem: Problem | None = None
        self.viewing_only: Problem | None = None
        self.recovered: str | None = None
        self.saved_utc: str | None = None
        self.threshold = 0.0
        self.blind = False
        self.taken_over: str | None = None
        self.which: Which = "first"
        self.committed = False
        self.readers: set[str] = set()
        self.links: dict[str, tuple[int, str]] = {}
        self.attention = Attention()
        self.events = 0
        self._folder: Path | None = None
        self._history = History(self.document)
        self._changed_utc: dict[str, str] = {}
        self._lock: CaseLock | None = None
        self._store: Store | None = None
        self._lungs: LungMap | None = None
        self.slices = Slices()

    @classmethod
    def being_read(cls, staged: StagedRead, *, reader: Reader) -> Case:
        """Return a case to be looked at while its images are read; it has no journal.

        ``Case.open`` makes the one to work on, when all is read.

        Raises
        ------
        Problem
            When the data folder cannot be used.
        """
        plan = staged.plan
        case = cls(plan.series, plan, staged.volume, reader, saved_work.key_of(plan))
        case.slices = Slices(staged)
        case.viewing_only = case.read_only_problem = saved_work.still_coming()
        return case

    @classmethod
    def open(
        cls,
        series: Series,
        plan: StackPlan,
        volume: Volume,
        *,
        reader: Reader,
        on_saved: OnSaved | None = None,
        on_problem: OnProblem | None = None,
        folder: Path | None = None,
        failed: Mapping[int, Problem] | None = None,
        incomplete: Problem | None = None,
        which: Which | None = "first",
        own_reading: bool = False,
    ) -> Case:
        """Open a case and bring it to where it was left.

        One whose images make no regular volume, or are not all there, is for looking only: it
        gets no journal, and one that there is stays closed.

        Parameters
        ----------
        reader
            Who works on it from now on.
        on_saved
            Called in the store thread with number and time (ISO 8601, UTC) of the last record
            on the disk.
        on_problem
            Called in the store thread when saving begins to fail.
        folder
            Where the folders of all cases lie; by default in the data folder.
        failed, incomplete
            Of the ``StagedRead``: the slices that could not be read, and that they could not.
        which
            Which reading of the case to open; None: that of the reader, who gets an
            ``own_reading`` as ``second_reading.of_reader`` says.

        Raises
        ------
        Problem
            When the saved work is of a newer Overread, belongs to other images, or cannot be
            read. It is then left as it is.
        """
        key = saved_work.key_of(plan)
        case = cls(series, plan, volume, reader, key)
        case.slices = Slices(failed=failed)
        why_not = incomplete or plan.irregularity
        if why_not is not None or not volume.regular:
            case.viewing_only = case.read_only_problem = why_not or saved_work.no_volume()
            return case
        try:
            home = (folder or folders.data_dir() / "cases") / key
        except OSError as error:
            raise saved_work.no_folder(error) from error
        case.which = which or second_reading.of_reader(home, reader.name, own=own_reading)
        home = second_reading.folder_of(home, case.which)
        fingerprint = Fingerprint.of(
            series.series_uid, len(series.instances), volume.shape_kji, volume.affine
        )
        with contextlib.ExitStack() as undo:
            try:
                home.mkdir(parents=True, exist_ok=True, mode=0o700)
                case._lock = CaseLock(home)
                undo.callback(case._lock.release)
            except OSError as error:
                raise saved_work.no_folder(error) from error
            except Problem as problem:
                case.read_only_problem = problem
            case._folder = home
            journal = open_journal(home, fingerprint, read_only=case.read_only)
            journal = case.replay(journal)
            if not case.read_only:
                case._store = Store(journal, case._saved(on_saved), on_problem)
            undo.pop_all()
        case._note_opening(journal)
        if case.committed and not case.read_only:
            case.read_only_problem = second_reading.committed_problem()
        return case

    # ------------------------------------------------------------------ reading

    @property
    def second(self) -> bool:
        """Whether it is the second reading of the case."""
        return self.which == "second"

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed; ``read_only_problem`` says why."""
        return self.read_only_problem is not None

    @property
    def keeps_no_notes(self) -> bool:
        """Whether notes, though they can be made, are lost when the case is left.

        Of images that can only be looked at there is no journal; that of a case which another
        program has open is its own.
        """
        return self.read_only and not self.is_being_read

    @property
    def folder(self) -> Path | None:
        """Where the journal lies; None for a case without one."""
        return self._folder

    @property
    def is_being_read(self) -> bool:
        """Whether slices are still to come."""
        return self.slices.are_coming

    @property
    def unsaved(self) -> int:
        """Number of records that are not on the disk yet."""
        return self._store.unsaved if self._store is not None else 0

    @property
    def shown(self) -> tuple[Lesion, ...]:
        """The lesions to be listed, by number."""
        return self.document.shown(self.threshold)

    @property
    def progress(self) -> tuple[int, int]:
        """How many of the listed lesions are reviewed, and how many there are."""
        shown = self.shown
        return sum(lesion.reviewed for lesion in shown), len(shown)

    def place(self, lesion: Lesion) -> str:
        """Return where a lesion lies, such as ``"right, upper third"``; empty when unknown."""
        return self.where(lesion).text()

    def where(self, lesion: Lesion) -> Place:
        """Return side and level of a lesion."""
        lungs = {_LUNGS[s.label]: s.mask for s in self.document.segments if s.label in _LUNGS}
        self._lungs = LungMap(lungs, self.volume.affine, self._lungs)
        return self._lungs.place(lesion.centre_lps_mm)

    # ----------------------------------------------------------------- changing

    def set_reader(self, reader: Reader) -> None:
        """Let another reader work on the case from now on."""
        self.reader = reader

    def apply(self, edit: edits.Edit, tool: str = "") -> Change:
        """Apply an edit and hand it to the journal.

        Raises
        ------
        Problem
            When the case is open for reading only.
        ValueError
            When the document does not stand as the edit expects it.
        """
        if self.keeps_no_notes and isinstance(edit, edits.SetNote):
            return self._history.apply_unkept(edit)
        self._check_writable()
        # Before anything changes: an edit that cannot be written down must not be done.
        body = json.dumps(edit.body(), allow_nan=False)
        change = self._history.apply(edit)
        self._history.trim()
        self._append(edit.kind, body, edit.blob, tool or edit.tool, change)
        return change

    def note_event(self, what: What, **more: float | str) -> None:
        """Write down for the audit log what happened beside edits; nothing of it is undone."""
        if self._store is not None:
            who, body = self.reader, {"what": what, **more}
            text = json.dumps(body, allow_nan=False)
            self._store.append(Entry(who.name, who.role, "", EVENT, text, _nothing, utc_now()))
            self.attention.note(who.name, body)
            self.events += 1

    def commit(self) -> None:
        """Let this reading stay as it is from now on."""
        self.note_event("second-committed" if self.second else "first-committed")
        self.committed, self.read_only_problem = True, second_reading.committed_problem()

    def undo(self) -> Change | None:
        """Take the latest edit back; None when there is none."""
        if self._history.undoes_unkept:
            return self._history.undo()
        self._check_writable()
        change = self._history.undo()
        if change is not None:
            self._append("undo", "{}", _nothing, "undo", change)
        return change

    def redo(self) -> Change | None:
        """Apply again what was taken back last; None when there is nothing."""
        if self._history.redoes_unkept:
            return self._history.redo()
        self._check_writable()
        change = self._history.redo()
        if change is not None:
            self._append("redo", "{}", _nothing, "redo", change)
        return change

    # --------------------------------------------------------------- going away

    def snapshot(self) -> CaseSnapshot:
        """Return the case as it stands, frozen, for an export in another thread."""
        lesions, unlisted = record_snapshot(self.document, self.threshold, self._changed_utc)
        return CaseSnapshot(
            plan=self.plan,
            volume=self.volume,
            findings=self.document.findings,
            lesions=lesions,
            unlisted=unlisted,
            segments=tuple(segment_snapshot(self.document, s) for s in self.document.segments),
            reader=self.reader.name,
            readers=tuple(sorted(self.readers - {""})),
            edits=self._history.counts,
            first_impressions=impressions.exported(self.document),
            **notes_snapshot(self.document),
        )

    def flush(self, timeout_s: float = 10.0) -> int:
        """Try to save what is left, now; return the number of records not on the disk."""
        return self._store.flush(timeout_s) if self._store is not None else 0

    def close(self, timeout_s: float = 10.0) -> int:
        """Save what is left and give the case free; return the number of records NOT saved."""
        unsaved = 0
        if self._store is not None:
            unsaved = self._store.close(timeout_s)
            if self._lock is not None:
                # It may still write, on a slow disk.
                self._store.when_over(self._lock.release)
        elif self._lock is not None:
            self._lock.release()
        return unsaved

    # ------------------------------------------------------------------ inside

    def replay(self, journal: Journal) -> Journal:
        """Bring the document to the end of a journal; cut off what cannot be applied."""
        good = 0
        with self.document.deferred():
            for record in journal.records:
                try:
                    self._replay_one(record)
                except ValueError:
                    break
                good += 1
        damaged = journal.damaged
        if good < len(journal.records):
            journal = Journal(journal.file, journal.head, journal.records[:good], True)
            damaged = True
            if not self.read_only:
                replace(journal)
        if damaged:
            self.recovered = saved_work.recovered_text(journal, self.read_only)
        if saved := journal.records[: journal.written[0]]:
            self.saved_utc = saved[-1].utc
        self._history.trim()
        self._reset_threshold()
        labels.remember(self.document.notes(attributes.TERMS))
        return journal

    def _note_opening(self, journal: Journal) -> None:
        """Tell the log what the reader is told too: a mended journal, a case taken over."""
        if journal.damaged:
            self.note_event("recovered", entries=len(journal.records))
        if self._lock is not None and self._lock.stale is not None:
            self.note_event("taken-over", process=self._lock.stale.pid)
            self.taken_over = saved_work.taken_over_text(self._lock.stale)

    def _replay_one(self, record: Record) -> None:
        self.readers.add(record.reader)
        if record.kind == EVENT:
            self.events += 1
            self.attention.note(record.reader, json.loads(record.body))
            self.committed = second_reading.commits(record.body, self.committed)
            return
        if record.kind in ("undo", "redo"):
            change = self._history.undo() if record.kind == "undo" else self._history.redo()
            if change is None:
                raise ValueError(f"nothing to {record.kind}")
        else:
            edit = edits.decode(record.kind, json.loads(record.body), record.blob)
            change = self._history.apply(edit)
        self.links.update(dict.fromkeys(change.lesion_ids, (record.seq, record.chain.hex())))
        self._note(change, record.utc)

    def _append(
        self, kind: str, body: str, blob: Callable[[], bytes | None], tool: str, change: Change
    ) -> None:
        assert self._store is not None
        for lesion_id, seconds in self.attention.take():
            self.note_event("attended", lesion=lesion_id, seconds=seconds)
        utc = utc_now()
        self._store.append(Entry(self.reader.name, self.reader.role, tool, kind, body, blob, utc))
        self.readers.add(self.reader.name)
        self._note(change, utc)
        if change.kind == "findings" or change.note == thresholds.NOTE:
            # Also when a run is taken back: the list is that of the run which now is the latest.
            self._reset_threshold()

    def _note(self, change: Change, utc: str) -> None:
        if change.kind != "findings":
            self._changed_utc.update(dict.fromkeys(change.lesion_ids, utc))

    def _reset_threshold(self) -> None:
        self.threshold = thresholds.standing(self.document, self.threshold)

    def _saved(self, then: OnSaved | None) -> OnSaved:
        def saved(seq: int, utc: str) -> None:
            self.saved_utc = utc
            if then is not None:
                then(seq, utc)

        return saved


def _nothing() -> None:
    return None
