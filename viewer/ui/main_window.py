"""The main window: lays out bar, rail, views, panel and status, and connects them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from resources.problem import Problem
from resources.text import translate
from viewer.export import words
from viewer.export.leaving import Leave
from viewer.session import Case, Reader
from viewer.ui import availability
from viewer.ui.ai_news import AiNews
from viewer.ui.ai_runner import AiRunner
from viewer.ui.asking import Asking
from viewer.ui.bar import TopBar
from viewer.ui.batch_flow import BatchFlow
from viewer.ui.batch_view import BatchView
from viewer.ui.commands import make_actions
from viewer.ui.conventions import Conventions
from viewer.ui.corrections import Corrections
from viewer.ui.empty import EmptyView
from viewer.ui.exporter import Exporter
from viewer.ui.identity.leaving import Leaving
from viewer.ui.jobs import finish_pools
from viewer.ui.keymap import KeyMap
from viewer.ui.layout_room import LayoutRoom
from viewer.ui.looks import Looks
from viewer.ui.measuring import Measuring
from viewer.ui.mpr import MprViews
from viewer.ui.next_case import NextCase
from viewer.ui.opener import Opener
from viewer.ui.outliner import Outliner
from viewer.ui.panel.key_images import KeyImagesSection
from viewer.ui.panel.measurements import MeasurementsSection
from viewer.ui.panel.review_panel import PANEL_PX, ReviewPanel
from viewer.ui.part import Part
from viewer.ui.preferences import Preferences
from viewer.ui.preview import Previewing
from viewer.ui.queue import Queue
from viewer.ui.rail import SeriesRail
from viewer.ui.read_first import ReadFirst
from viewer.ui.reading import Reading
from viewer.ui.record import Record
from viewer.ui.rejecting import Rejecting
from viewer.ui.reordering import Reordering
from viewer.ui.retraining import Retraining
from viewer.ui.rotating import Rotating
from viewer.ui.settings import Settings
from viewer.ui.slabs import Slabs
from viewer.ui.status import MessageBar, StatusLine
from viewer.ui.study_flow import StudyFlow
from viewer.ui.time_points import TimePoints
from viewer.ui.tool_rooms import ToolRooms
from viewer.ui.training_sets import TrainingSets
from viewer.ui.window_commands import handlers_of
from viewer.ui.worklist_flow import WorklistFlow
from viewer.ui.worth_order import WorthOrder
from viewer.worklist import Worklist

_RAIL_FROM_PX = 1360
_THREE_VIEWS_FROM_PX = 1120
_FLUSH_S = 1.0


class MainWindow(QMainWindow):
    """One open study, one open case."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Overread")
        self.resize(QSize(1680, 1050))
        self.settings = Settings()
        self.reading = Reading(self)
        self.reading.keys = KeyMap(self.settings, self)
        self.reading.preferences = Preferences(self.settings, self)
        self.corrections = Corrections(self.reading, self)
        self.opener = Opener(self)
        self.ai = AiRunner(self.reading, self.settings, self)
        self.exporter = Exporter(self.reading, self)
        self.leaving = Leaving(self)
        self.asking = Asking(self)
        self.news = AiNews(self)
        self._rail_wanted: bool | None = None
        self._closing = self._warned = False
        self.layouts = LayoutRoom(self)
        self.measuring = Measuring(self.reading, self.corrections.delete, self)
        self.tools = ToolRooms(self)
        # Rooms that bring their own commands, see ``Part``.
        self.rejecting = Rejecting(self.reading, self.corrections, self)
        self.queue = Queue(self.reading, self.corrections, self.rejecting, self.settings, self)
        self.outliner = Outliner(self.reading, self.ai, self.corrections, self)
        self.rotating = Rotating(self.reading, lambda: self.views.fit_all(), self)
        self.conventions = Conventions(self.reading, self.settings, lambda: self.views.active, self)
        self.previewing = Previewing(self.reading, lambda: self.views, self)
        self.slabs = Slabs(self.reading, lambda: self.views.active, self)
        self.time_points = TimePoints(self)
        self.reordering = Reordering(self.reading, self)
        self.looks = Looks(self)
        self.record = Record(self)
        self.read_first = ReadFirst(self)
        # One for the window: what one room mends, another tells.
        listed = Worklist()
        self.batch = BatchFlow(self, listed)
        self.next_case = NextCase(self, self.batch)
        self.retraining = Retraining(self)
        self.training_sets = TrainingSets(self)
        self.worth_order = WorthOrder(self)
        self.parts: tuple[Part, ...] = (
            self.looks,
            self.record,
            self.conventions,
            self.rotating,
            self.previewing,
            self.slabs,
            self.time_points,
            self.rejecting,
            self.queue,
            self.outliner,
            self.layouts,
            self.measuring,
            *self.tools.parts,
            self.batch,
            self.next_case,
            self.retraining,
            self.worth_order,
            self.leaving,
            self.training_sets,
            self.read_first,  # last: what it locks no other room opens
        )
        self.actions_by_id = make_actions(self, handlers_of(self))
        self.reading.keys.attach(self.actions_by_id)
        self.conventions.attach(self.actions_by_id)
        self._build()
        self.study = StudyFlow(self, self.opener)
        self._connect()
        for room in (self.layouts, self.time_points, self.read_first):
            room.attach()
        self._order_tabs()
        self._on_case()
        # Last: it shows a case as it was when all follow it.
        self.worklist = WorklistFlow(self, listed)
        for late in (self.batch, self.next_case, self.worth_order):
            late.attach()
        self.batch_view = BatchView(self, self.batch)
        self.news.follow_devices()
        self.fit_parts()
        self.stage.setFocus(Qt.FocusReason.OtherFocusReason)

    # ----------------------------------------------------------------- build

    def _build(self) -> None:
        self.setAcceptDrops(True)
        actions = self.actions_by_id
        self.bar = TopBar(self.reading, actions, self.tools.reshaping)
        self.message = MessageBar()
        self.rail = SeriesRail()
        self.views = MprViews(self.reading)
        self.empty = EmptyView(actions)
        self.stage = QStackedWidget()
        self.stage.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.stage.addWidget(self.empty)
        self.stage.addWidget(self.views)
        self.panel = ReviewPanel(
            self.reading, actions, self.queue, self.rejecting, self.corrections
        )
        self.status = StatusLine(self.reading, actions["reader"], actions["trust"])

        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.addWidget(self.stage)
        self._split.addWidget(self.panel)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 0)
        self._split.setCollapsible(0, False)
        self._split.setCollapsible(1, False)
        self._split.setSizes([self.width() - PANEL_PX, PANEL_PX])
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addWidget(self._split, 1)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.message)
        column.addLayout(middle, 1)
        column.addWidget(self.status)
        whole = QWidget()
        whole.setLayout(column)
        self.setCentralWidget(whole)
        for name in ("masks", "crosshair", "rail", "panel"):
            actions[name].setChecked(True)
        actions["window"].setChecked(True)

    def _order_tabs(self) -> None:
        """Let Tab go as the eye does: bar, series, views, panel, status."""
        last: QWidget | None = None
        for part in (self.bar, self.message, self.rail, self.stage, self.panel, self.status):
            for widget in part.findChildren(QWidget):
                if isinstance(widget, QScrollArea):
                    widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # nothing to press there
                elif widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                    if last is not None:
                        QWidget.setTabOrder(last, widget)
                    last = widget

    def _connect(self) -> None:
        reading, ai = self.reading, self.ai
        self.rail.chosen.connect(self.study.open_series)
        self.views.told.connect(self.status.hint)
        self.views.menu_asked.connect(self.asking.menu)
        self.conventions.follow_views(self.views)
        self.corrections.told.connect(self.status.hint)
        self.looks.attach()
        self.record.attach()
        self.measuring.told.connect(self.status.hint)
        self.measuring.failed.connect(self.message.show_problem)
        self.measuring.changed.connect(self.follow)
        self.panel.add_section(MeasurementsSection(reading, self.measuring))
        self.panel.add_section(KeyImagesSection(reading, self.conventions.key_images))
        for view in self.views.views:
            self.measuring.attach(view)
        self.corrections.failed.connect(self.message.show_problem)
        self.tools.attach()
        for room in (self.queue, self.outliner, self.conventions):
            room.told.connect(self.status.hint)
        self.outliner.failed.connect(self.message.show_problem)
        self.outliner.pointer = self.views.point_for_new_lesion
        self.rejecting.watch(self.actions_by_id)
        for following in (self.rejecting, self.queue, self.conventions):
            following.changed.connect(self.follow)
        for rows in (self.panel.list, self.panel.segments):
            rows.lock_asked.connect(self.tools.locking.toggle_of)
        self.panel.cancel_asked.connect(ai.cancel)
        self.bar.device_chosen.connect(ai.choose_device)
        ai.started.connect(self.panel.run_started)
        ai.started.connect(self.follow)
        ai.engine.progressed.connect(self.panel.run_progressed)
        ai.clock.told.connect(self.panel.run_state.show_left)
        ai.ended.connect(self.news.on_ended)
        ai.changed.connect(self.news.on_changed)
        ai.found.connect(self.news.on_found)
        self.exporter.progressed.connect(self.status.show_progress)
        self.exporter.started.connect(self.follow)
        self.exporter.ended.connect(self._on_exported)
        reading.case_changed.connect(self._on_case)
        reading.document_changed.connect(lambda _change: self.follow())
        reading.selection_changed.connect(self.follow)
        reading.shown_changed.connect(self.follow)
        reading.tool_changed.connect(self.follow)
        self.rotating.changed.connect(self.follow)
        self.previewing.changed.connect(self.follow)
        self.time_points.changed.connect(self.follow)
        self.time_points.told.connect(self.status.hint)
        reading.keys.changed.connect(self.follow)

    # ------------------------------------------------------------------ open

    def open_paths(self, paths: list[Path]) -> None:
        """Look for series in files and folders and open the best one."""
        self.worklist.asked(paths)
        self.study.open_paths(paths)

    def open_sample(self) -> None:
        """Open the synthetic chest CT, made on first use."""
        self.worklist.asked(())
        self.study.open_sample()

    def _on_case(self) -> None:
        if self.reading.case is None and not self.opener.busy:
            self.stage.setCurrentWidget(self.empty)
        self.panel.set_eligibility(self.ai.reasons)
        self.follow()

    # ---------------------------------------------------------------- export

    def export_to(self, folder: Path, leave: Leave | None) -> None:
        """Export the open case into a new folder inside ``folder``; see ``Exporter.start``."""
        case = self.reading.case
        if case is None or case.viewing_only is not None:
            return
        # The key says nothing of the patient; the time keeps exports of one case apart.
        key = case.key if leave is None else leave.key_of(case.plan)
        now = datetime.now().strftime("%Y%m%d-%H%M%S")
        self.status.say(translate("window", "Exporting…"))
        self.exporter.start(folder / f"overread-{key[:8]}-{now}", leave=leave)

    def _on_exported(self, folder: Path | None, problem: Problem | None) -> None:
        self.status.end_progress()
        if problem is not None:
            self.status.say(translate("window", "Nothing was exported"))
            self.message.show_problem(problem)
        elif folder is not None:
            self.status.say(translate("window", "Exported and checked"))
            assert self.exporter.report is not None
            self.leaving.tell(folder, words.told(self.exporter.report))
        self.follow()

    # ----------------------------------------------------------------- looks

    def toggle_rail(self) -> None:
        """Show or hide the series list, whatever the size of the window."""
        self._rail_wanted = not self.rail.isVisible()
        self.rail.setVisible(self._rail_wanted)
        self.follow()

    def abort(self) -> None:
        """Leave what is going on: a gesture, a wait, a list, a tool, in this order."""
        if self.rejecting.escape() or self.views.abort_gesture() or self.measuring.give_up():
            return
        if self.tools.give_up() or self.outliner.escape():
            return
        if self.study.give_up() or self.worklist.escape():
            return
        if self.reading.tool != "window":
            self.reading.set_tool("window")

    def follow(self) -> None:
        """Make actions, bar and status say what is; at its end when a change is under way."""
        self.reading.settling.ask(self._follow)

    def _follow(self) -> None:
        availability.follow(self.actions_by_id, self.reading, self.ai, self.exporter, self.parts)
        if hasattr(self, "worklist"):
            self.worklist.follow_actions(self.actions_by_id)
        self.actions_by_id["rail"].setChecked(self.rail.isVisible())
        self.actions_by_id["panel"].setChecked(self.panel.isVisible())
        case = self.reading.case
        undo = self.actions_by_id["undo"].isEnabled()  # a name may tell of the AI
        self.bar.show_undo(case.undo_name if case is not None and undo else None)
        self.status.show_reader(self.record.readers.line())

    # ---------------------------------------------------------------- reader

    def set_reader(self, name: str, role: str = "") -> None:
        """Remember who reads; the next edits carry the name."""
        self.record.readers.be(Reader(name, role))
        self.worth_order.forget()
        self.follow()

    # ---------------------------------------------------------------- events

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DeferredDelete:
            finish_pools(self)  # what began after the window was closed
        # Space presses the button that has the keyboard; only else is it a command.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Space
            and isinstance(QApplication.focusWidget(), QAbstractButton)
        ):
            event.accept()
            return True
        return super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.tools.importing.dropped(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "rail"):
            self.fit_parts()

    def fit_parts(self) -> None:
        """Give up the rail first where the window is small, then the third view."""
        listing = hasattr(self, "worklist") and self.worklist.listing
        if self._rail_wanted is None and not listing:
            self.rail.setVisible(self.width() >= _RAIL_FROM_PX)
        self.views.set_two_only(self.width() < _THREE_VIEWS_FROM_PX)

    def everything_saved(self) -> bool:
        """Tell whether the open case may be left; say what to do when edits are not on disk."""
        case = self.reading.case
        left = case.flush(_FLUSH_S) if case is not None else 0
        if left:
            self.message.show_problem(
                Problem(
                    translate("window", "{count} changes are not on the disk yet.").format(
                        count=left
                    ),
                    translate("window", "Free some space, then try again."),
                )
            )
        return not left

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._closing:
            event.accept()
            return
        if not self.everything_saved() and not self._warned:
            # Once: a disk that stays full must not hold the program for ever.
            self._warned = True
            event.ignore()
            return
        self._closing = True
        self.views.abort_gesture()
        self.hide()  # at once; what is under way is ended behind it
        self.next_case.close()
        self.batch.close()
        self.retraining.close()
        self.training_sets.close()
        self.worth_order.close()
        self.ai.close()
        self.opener.close()
        self.exporter.close()
        self.leaving.close()
        self.looks.close()
        self.record.close()
        self.conventions.close()
        self.time_points.close()
        self.layouts.close()
        self.previewing.close()
        self.views.drawn.close()
        self.reordering.close()
        case: Case | None = self.reading.case
        if case is not None:
            self.reading.set_case(None)
            case.close(timeout_s=5.0)
        self.worklist.close()
        finish_pools(self)
        event.accept()
