"""Read first: nothing of the AI is seen until its reader has told a first impression.

The lock is ``Reading.ai_locked``; whatever shows a result asks for it. Here is when it closes
and what opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QToolButton

from inference import registry
from resources.problem import Problem
from resources.text import translate
from viewer import impressions
from viewer.annotate.journal import utc_now
from viewer.impressions import Impression, Judgement
from viewer.ui import theme
from viewer.ui.impression_form import ImpressionForm

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.main_window import MainWindow

SETTING = "read_first"
_NOTICE = "read-first"
# Commands that would say something of the AI, or need it.
_LOCKED = (
    "heatmap", "next_peak", "hold_ai", "export", "outline", "refine", "refine_add", "refine_cut",
    "box_outline",
)  # fmt: skip


class ReadFirst(QObject):
    """Locks the AI layer of a case for a reader who has not said yet what he sees.

    It stays open once it was open: whoever has seen the AI of a case, with read-first off or
    by a verdict of his, is not locked out of it later, for that impression would be no first
    one.
    """

    told = Signal(str)
    failed = Signal(object)  # a Problem

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reading = window.reading
        self._seen: set[tuple[str, str]] = set()  # case and reader
        self.form: ImpressionForm | None = None
        self._reading.lock_rule = self._is_locked
        self._reading.preferences.changed.connect(self._on_setting)

    def attach(self) -> None:
        """Put the form into the panel and the switch into the status line."""
        window = self._window
        self.form = ImpressionForm(window.actions_by_id["commit"])
        column = window.panel.layout()
        assert column is not None
        column.insertWidget(1, self.form)  # type: ignore[attr-defined]
        self.button = QToolButton()
        self.button.clicked.connect(lambda _checked: window.actions_by_id["read_first"].trigger())
        self.button.setFont(theme.font(theme.CORNER_PX))
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        row = window.status.layout()
        assert row is not None
        row.insertWidget(row.count() - 1, self.button)  # type: ignore[attr-defined]
        self._reading.case_changed.connect(self.follow)
        self._reading.document_changed.connect(lambda _change: self.follow())
        self._reading.shown_changed.connect(self.follow)
        self.told.connect(window.status.hint)
        self.failed.connect(window.message.show_problem)
        self.follow()

    # ------------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what the keys of this room do."""
        return {"read_first": self.toggle, "commit": self.commit}

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now."""
        case = self._reading.case
        why = {"read_first": "", "commit": self._why_no_commit(case)}
        if case is None:
            return why
        if self._reading.ai_locked and not case.is_being_read:
            first = translate("impression", "Read first: commit your first impression, {key}.")
            first = first.format(key=self._reading.keys.name("commit"))
            why |= dict.fromkeys(_LOCKED, first)
            for name, edit in (("undo", case.undo_edit), ("redo", case.redo_edit)):
                if impressions.tells_of_the_ai(case.document, edit):
                    why[name] = first
        if case.undo_edit is None and impressions.all_of(case.document) and not case.read_only:
            why["undo"] = translate(
                "impression", "A first impression stands, and what came before it: edit instead."
            )
        return why

    def checked(self) -> Mapping[str, bool]:
        """Return whether read-first is on."""
        return {"read_first": self.on}

    @property
    def on(self) -> bool:
        """Whether read-first is on."""
        return self._reading.preferences.on(SETTING)

    def _why_no_commit(self, case: Case | None) -> str:
        if case is None:
            return translate("window", "Open a series first.")
        if not self._reading.ai_locked:
            if impressions.of_reader(case.document, case.reader.name) is not None:
                return translate("impression", "Your first impression is told.")
            return translate("impression", "Nothing is hidden from you here.")
        return str(case.read_only_problem) if case.read_only else ""

    # -------------------------------------------------------------------- the lock

    def _is_locked(self, case: Case | None) -> bool:
        """Tell whether the AI of a case stays hidden from its reader now."""
        if case is None or not self.on:
            return False
        if case.is_being_read:
            return True  # what was said of it is known when all of it is there
        locked = self._is_for_the_ai(case) and not self._knows(case)
        case.blind = locked
        return locked

    def _is_for_the_ai(self, case: Case) -> bool:
        if case.document.findings is not None:
            return True
        pack = self._window.ai.pack
        if case.viewing_only is not None or pack is None:
            return False
        return not registry.eligibility(pack, case.volume)

    def _knows(self, case: Case) -> bool:
        reader = case.reader.name
        return (case.key, reader) in self._seen or impressions.knows_the_ai(case.document, reader)

    def toggle(self) -> None:
        """Switch read-first on or off."""
        self._reading.preferences.put(SETTING, "off" if self.on else "on")

    def _on_setting(self, key: str) -> None:
        if key != SETTING:
            return
        if not self.on and self._reading.ai_locked:
            self._skip()
        self.judge_again()
        self.told.emit(
            translate("impression", "Read first is on: the AI shows after your first impression.")
            if self.on
            else translate("impression", "Read first is off: the AI shows at once.")
        )

    def judge_again(self) -> None:
        """Ask again whether the open case is locked: the setting or the reader is another."""
        reading, case = self._reading, self._reading.case
        reading.ai_locked = self._is_locked(case)
        if case is not None and not case.is_being_read:
            case.blind = reading.ai_locked
        if reading.ai_locked:
            reading.select(None)
        reading.shown_changed.emit()
        self._window.ai.changed.emit()  # the card of the series says it too

    def _skip(self) -> None:
        """Note that the AI is shown to a reader who has said nothing: he cannot unknow it."""
        case = self._reading.case
        if case is None or case.read_only or case.document.findings is None:
            return
        self._keep(case, "skipped")

    # ------------------------------------------------------------------ the commit

    def commit(self) -> None:
        """Keep what the form says as the first impression, and show the AI."""
        case, form = self._reading.case, self.form
        if form is None or case is None or self._why_no_commit(case):
            return
        judgement = form.judgement
        if judgement is None:
            form.ask_for_judgement()
            self.told.emit(translate("impression", "Say first: suspicious, not, or unsure."))
            return
        if not self._keep(case, judgement, form.lesions_seen, form.comment):
            return
        self._reading.ai_locked = case.blind = False
        self._reading.shown_changed.emit()
        self._window.ai.changed.emit()
        self._window.views.hold_focus()
        self.told.emit(
            translate("impression", "First impression kept. The AI shows.")
            if case.document.findings is not None
            else translate("impression", "First impression kept. The AI has not run yet.")
        )

    def _keep(
        self, case: Case, judgement: Judgement, seen: int | None = None, comment: str = ""
    ) -> bool:
        impression = Impression(
            reader=case.reader.name,
            utc=utc_now(),
            judgement=judgement,
            lesions_seen=seen,
            comment=comment,
            lesion_ids=impressions.marked_by_readers(case.document),
            ai_had_run=case.document.findings is not None,
        )
        try:
            change = case.set_note(
                impressions.TOPIC, case.reader.name, impression.note(), "read-first"
            )
        except Problem as problem:
            self.failed.emit(problem)
            return False
        if change is not None:
            self._reading.document_changed.emit(change)
        return True

    # --------------------------------------------------------------------- showing

    def follow(self) -> None:
        """Show form, switch and notice as the open case demands."""
        reading, case = self._reading, self._reading.case
        locked = reading.ai_locked and case is not None and not case.is_being_read
        if case is not None and case.document.findings is not None and not locked:
            self._seen.add((case.key, case.reader.name))
        assert self.form is not None
        if case is not None and locked:
            marked = len(impressions.marked_by_readers(case.document))
            frozen = str(case.read_only_problem) if case.read_only else ""
            self.form.show_asking((case.key, case.reader.name), marked, frozen)
        elif case is not None and not case.is_being_read:
            self.form.show_told(impressions.of_reader(case.document, case.reader.name))
        else:
            self.form.show_told(None)
        self.button.setVisible(self.on)
        theme.set_tone(
            self.button,
            "pending" if locked else "secondary",
            "color: {ink}; padding: 0 6px; border: none; background: transparent;",
        )
        self.button.setText(
            translate("impression", "AI locked")
            if locked
            else translate("impression", "Read first")
        )
        self.button.setToolTip(self._window.actions_by_id["read_first"].toolTip())
        words = (
            translate("impression", "AI locked"),
            translate("impression", "{key} after your first impression").format(
                key=reading.keys.name("commit")
            ),
        )
        for view in self._window.views.views:
            if locked:
                view.notices[_NOTICE] = ((words, True),)
            else:
                view.notices.pop(_NOTICE, None)
