"""The review panel on the right: findings first, then what changes how they are shown."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from inference.protocol import Progress
from resources.problem import Problem
from resources.text import translate
from viewer import logbook
from viewer.ui import theme
from viewer.ui.corrections import Corrections
from viewer.ui.panel import words
from viewer.ui.panel.comment import CommentLine
from viewer.ui.panel.controls import QueueControls
from viewer.ui.panel.findings_list import FindingsList
from viewer.ui.panel.heatmap import HeatmapSection
from viewer.ui.panel.reasons_strip import ReasonsStrip
from viewer.ui.panel.run_state import RunState
from viewer.ui.panel.section import Section
from viewer.ui.panel.sections import CorrectionsSection
from viewer.ui.panel.segments import SegmentsSection
from viewer.ui.panel.threshold import ThresholdSection
from viewer.ui.queue import Queue
from viewer.ui.reading import Reading
from viewer.ui.rejecting import Rejecting
from viewer.ui.widgets import CommandButton, head, note, rule

PANEL_PX = 348


class ReviewPanel(QWidget):
    """Lists the findings, takes verdicts, and shows threshold, heatmap and segments."""

    cancel_asked = Signal()

    def __init__(
        self,
        reading: Reading,
        actions: dict[str, QAction],
        queue: Queue,
        rejecting: Rejecting,
        corrections: Corrections,
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._reading = reading
        self._reasons: tuple[str, ...] = ()
        self._running = False
        self._problem: Problem | None = None
        self._was_hidden = False

        self._count = QLabel()
        self._count.setFont(theme.head_font())
        title = QHBoxLayout()
        title.setContentsMargins(14, 12, 14, 4)
        title.addWidget(head(translate("findings", "Findings")))
        title.addStretch(1)
        title.addWidget(self._count)
        self.run_state = RunState(actions["run"])
        self.run_state.cancel_asked.connect(self.cancel_asked)
        self.controls = QueueControls(reading, queue, actions)
        self.list = FindingsList(reading, queue)
        around = QHBoxLayout()
        around.setContentsMargins(6, 0, 6, 0)
        around.addWidget(self.list)
        self.opinion = note()
        self.opinion.setContentsMargins(14, 6, 14, 0)
        verdicts = QHBoxLayout()
        verdicts.setContentsMargins(12, 6, 12, 12)
        verdicts.setSpacing(6)
        for name, role in (
            ("accept", "accept"),
            ("reject", "verdict"),
            ("unsure", "verdict"),
            ("missed", "verdict"),
        ):
            verdicts.addWidget(CommandButton(actions[name], role=role), 1)

        self.reasons = ReasonsStrip(rejecting)
        self.comment = CommentLine(reading, corrections)
        self.threshold = ThresholdSection(reading)
        self.heatmap = HeatmapSection(reading, actions["heatmap"], actions["next_peak"])
        self.segments = SegmentsSection(reading, actions["masks"], actions["fill"])
        self.corrections = CorrectionsSection(reading)
        self._lower: list[Section] = []
        self._rules: list[QWidget] = []
        below = QWidget()
        self._below = column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addStretch(1)
        for section in (self.threshold, self.heatmap, self.segments, self.corrections):
            self.add_section(section, last=True)
        scroll = QScrollArea()
        scroll.setWidget(below)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

        self._lay_out(title, around, verdicts, scroll)
        self._queue = queue
        self._connect(reading, queue)
        self.refresh()

    def _lay_out(
        self, title: QHBoxLayout, around: QHBoxLayout, verdicts: QHBoxLayout, scroll: QWidget
    ) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(title)
        whole.addWidget(self.run_state)
        whole.addWidget(self.controls)
        whole.addLayout(around)
        whole.addWidget(self.opinion)
        whole.addLayout(verdicts)
        whole.addWidget(self.reasons)
        whole.addWidget(self.comment)
        whole.addWidget(scroll, 1)
        self.setMinimumWidth(300)

    def _connect(self, reading: Reading, queue: Queue) -> None:
        reading.case_changed.connect(self._on_case)
        reading.document_changed.connect(lambda _change: self.refresh())
        reading.threshold_changed.connect(self._on_threshold)
        self.threshold.released.connect(self._refresh_list)
        queue.changed.connect(self._refresh_list)
        reading.shown_changed.connect(self._on_shown)
        reading.selection_changed.connect(self.segments.refresh)
        reading.selection_changed.connect(self._refresh_opinion)
        reading.selection_changed.connect(self._on_selection)

    def add_section(self, section: Section, *, last: bool = False) -> None:
        """Take in a section below the verdicts, on top of the others or under them."""
        line = rule()
        at = len(self._lower) if last else 0
        self._lower.insert(at, section)
        self._rules.insert(at, line)
        self._below.insertWidget(2 * at, line)
        self._below.insertWidget(2 * at + 1, section)
        section.refresh()
        line.setVisible(not section.isHidden())

    # -------------------------------------------------------------- the run

    def set_eligibility(self, reasons: tuple[str, ...]) -> None:
        """Say why no model may run on the open series; empty when one may."""
        self._reasons = reasons
        self.refresh()

    def run_started(self) -> None:
        """Show that the model starts."""
        self._running, self._problem = True, None
        self.refresh()
        self.run_state.show_started()

    def run_progressed(self, step: Progress) -> None:
        """Show stage and share done."""
        self.run_state.show_progress(step)

    def run_ended(self, problem: Problem | None = None) -> None:
        """Show the result, or why there is none; the technical detail goes to the log once."""
        if problem is not None:
            logbook.note_problem(problem)
        self._running, self._problem = False, problem
        self.refresh()

    # -------------------------------------------------------------- refresh

    def _on_case(self) -> None:
        self._problem = None
        self._running = False
        self.refresh()

    def refresh(self) -> None:
        """Follow the document; at its end when a change is under way."""
        self._reading.settling.ask(self._refresh)

    def _refresh(self) -> None:
        self._was_hidden = self._reading.ai_hidden
        self._refresh_list()
        self._refresh_opinion()
        self._refresh_lower()

    def _refresh_list(self) -> None:
        self.list.fill()
        self.controls.refresh()
        lesions = self._reading.lesions
        done, total = sum(lesion.reviewed for lesion in lesions), len(lesions)
        text = translate("findings", "{done} of {total} reviewed") if total else ""
        self._count.setText(text.format(done=done, total=total))
        theme.set_tone(self._count, "pending" if done < total else "secondary")
        if self.threshold.held:
            return  # nothing moves under the hand; the list scrolls meanwhile
        self.controls.setVisible(total > 0)
        self._fit_list()
        self._refresh_state(total)

    def _on_threshold(self) -> None:
        """Follow the threshold: nothing but list and counts depends on it."""
        self._refresh_list()
        self.threshold.refresh()

    def _on_shown(self) -> None:
        if self._reading.ai_hidden != self._was_hidden:
            self.refresh()
        else:
            self._refresh_lower()

    def _on_selection(self) -> None:
        if self._queue.kind != "all":
            self._refresh_list()  # what was kept in sight only while it was selected goes

    def _refresh_opinion(self) -> None:
        """Say under the list what the model says of the selected finding, beyond its size."""
        case, selected = self._reading.case, self._reading.selected
        said = (
            ""
            if case is None or selected is None or self._reading.ai_hidden
            else words.opinion(case.document.detection(selected))
        )
        self.opinion.setText(said)
        self.opinion.setVisible(bool(said))

    def _fit_list(self) -> None:
        self.list.setVisible(self.list.count() > 0)
        limit = max(180, self.height() // 2)
        height = 4
        for row in range(self.list.count()):
            row_px = self.list.sizeHintForRow(row)
            if row and height + row_px > limit:
                break  # whole rows: a line cut in half above other text is read as a fault
            height += row_px
        self.list.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_list()

    def _refresh_state(self, rows: int) -> None:
        case = self._reading.case
        if self._running:
            return
        if self._reading.ai_hidden:
            self.run_state.show_nothing()
        elif self._problem is not None:
            self.run_state.show_failed(self._problem)
        elif case is None:
            self.run_state.show_no_case()
        elif case.document.findings is not None:
            if rows:
                self.run_state.show_nothing()
            else:
                below = len(case.document.lesions)
                self.run_state.show_none_found(below, case.threshold)
        elif self._reasons:
            viewing_only = case.viewing_only is not None
            self.run_state.show_refused(self._reasons, viewing_only=viewing_only)
        else:
            self.run_state.show_empty()

    def _refresh_lower(self) -> None:
        for section, line in zip(self._lower, self._rules, strict=True):
            section.refresh()
            line.setVisible(not section.isHidden())
