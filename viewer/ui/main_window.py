"""The main window: lays out bar, rail, views, panel and status, and connects them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

import resources
from resources.problem import Problem
from resources.text import translate
from viewer.display.grey import Window
from viewer.session import Case, Reader
from viewer.ui.ai_runner import AiRunner
from viewer.ui.bar import TopBar
from viewer.ui.commands import make_actions
from viewer.ui.corrections import Corrections
from viewer.ui.dialogs import CardDialog, KeysDialog, ReaderDialog
from viewer.ui.empty import EmptyView
from viewer.ui.exporter import Exporter
from viewer.ui.mpr import MprViews
from viewer.ui.opener import FoundStudy, OpenedCase, Opener
from viewer.ui.panel.review_panel import PANEL_PX, ReviewPanel
from viewer.ui.rail import SeriesCard, SeriesRail
from viewer.ui.reading import TEXT_NONE, TOOLS, Reading
from viewer.ui.settings import Settings
from viewer.ui.status import MessageBar, StatusLine

_RAIL_FROM_PX = 1360
_THREE_VIEWS_FROM_PX = 1120


class MainWindow(QMainWindow):
    """One open study, one open case."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Overread")
        self.setAcceptDrops(True)
        self.resize(QSize(1680, 1050))
        self.settings = Settings()
        self.reading = Reading(self)
        self.corrections = Corrections(self.reading, self)
        self.opener = Opener(self)
        self.ai = AiRunner(self.reading, self.settings, self)
        self.exporter = Exporter(self.reading, self)
        self._current: int | None = None
        self._rail_wanted: bool | None = None
        self._closing = False
        self.actions_by_id = make_actions(self, self._handlers())
        self._build()
        self._connect()
        self._on_case()
        self._follow_devices()
        self.stage.setFocus(Qt.FocusReason.OtherFocusReason)

    # ----------------------------------------------------------------- build

    def _build(self) -> None:
        actions = self.actions_by_id
        self.bar = TopBar(self.reading, actions)
        self.message = MessageBar()
        self.rail = SeriesRail()
        self.views = MprViews(self.reading)
        self.empty = EmptyView(actions)
        self.stage = QStackedWidget()
        self.stage.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.stage.addWidget(self.empty)
        self.stage.addWidget(self.views)
        self.panel = ReviewPanel(self.reading, actions)
        self.status = StatusLine(self.reading, actions["reader"])

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

    def _handlers(self) -> dict[str, Callable[[], object]]:
        corrections, reading = self.corrections, self.reading
        handlers: dict[str, Callable[[], object]] = {
            "accept": partial(corrections.judge, "accepted"),
            "reject": partial(corrections.judge, "rejected"),
            "unsure": partial(corrections.judge, "unsure"),
            "missed": lambda: corrections.add_missed(self.views.point_for_new_lesion()),
            "next": lambda: self.panel.list.step(1),
            "previous": lambda: self.panel.list.step(-1),
            "smaller": lambda: reading.set_brush(size_mm=reading.brush_mm - 1),
            "larger": lambda: reading.set_brush(size_mm=reading.brush_mm + 1),
            "ball": lambda: reading.set_brush(ball=not reading.brush_ball),
            "delete": corrections.delete,
            "undo": corrections.undo,
            "redo": corrections.redo,
            "abort": self._abort,
            "text": lambda: reading.show(text=(reading.shown.text + 1) % (TEXT_NONE + 1)),
            "fit": lambda: self.views.fit_all(),
            "rail": self._toggle_rail,
            "panel": lambda: self.panel.setVisible(not self.panel.isVisible()),
            "slice_up": lambda: self.views.active.scroll_slices(-1),
            "slice_down": lambda: self.views.active.scroll_slices(1),
            "slice_up_10": lambda: self.views.active.scroll_slices(-10),
            "slice_down_10": lambda: self.views.active.scroll_slices(10),
            "slice_first": lambda: self.views.active.scroll_slices(-1_000_000),
            "slice_last": lambda: self.views.active.scroll_slices(1_000_000),
            "series_before": partial(self._step_series, -1),
            "series_after": partial(self._step_series, 1),
            "open": self._ask_folder,
            "open_file": self._ask_file,
            "sample": self.open_sample,
            "run": self.ai.run,
            "export": self._ask_export,
            "reader": self._ask_reader,
            "card": self._show_card,
            "keys": lambda: KeysDialog(self).exec(),
            "quit": self.close,
            "preset_0": lambda: reading.set_window(reading.first_window),
        }
        for tool in TOOLS:
            handlers[tool] = partial(reading.set_tool, tool)
        for switch in ("heatmap", "masks", "fill", "crosshair", "invert"):
            handlers[switch] = partial(self._toggle, switch)
        for preset in resources.table("window_presets")["CT"]:
            window = Window(preset["centre"], preset["width"])
            handlers[f"preset_{preset['key']}"] = partial(reading.set_window, window)
        return handlers

    def _connect(self) -> None:
        reading, opener, ai = self.reading, self.opener, self.ai
        self.rail.chosen.connect(self.open_series)
        self.views.told.connect(self.status.hint)
        self.views.menu_asked.connect(self._show_menu)
        self.corrections.told.connect(self.status.hint)
        self.corrections.failed.connect(self.message.show_problem)
        self.panel.cancel_asked.connect(ai.cancel)
        self.bar.device_chosen.connect(ai.choose_device)
        opener.found.connect(self._on_found)
        opener.thumbnail_ready.connect(self._on_thumbnail)
        opener.reading.connect(self._on_reading)
        opener.progressed.connect(self.empty.show_progress)
        opener.opened.connect(self._on_opened)
        opener.failed.connect(self._on_open_failed)
        opener.saved.connect(self._on_saved)
        opener.store_failed.connect(self.message.show_problem)
        ai.started.connect(self.panel.run_started)
        ai.started.connect(self.follow)
        ai.engine.progressed.connect(self.panel.run_progressed)
        ai.ended.connect(self._on_run_ended)
        ai.changed.connect(self._on_ai_changed)
        self.exporter.progressed.connect(self.status.show_progress)
        self.exporter.started.connect(self.follow)
        self.exporter.ended.connect(self._on_exported)
        reading.case_changed.connect(self._on_case)
        reading.document_changed.connect(lambda _change: self.follow())
        reading.selection_changed.connect(self.follow)
        reading.shown_changed.connect(self.follow)
        reading.tool_changed.connect(self.follow)

    # ------------------------------------------------------------------ open

    def open_paths(self, paths: list[Path]) -> None:
        """Look for series in files and folders and open the best one."""
        self.message.hide()
        self.stage.setCurrentWidget(self.empty)
        self.empty.show_loading(translate("window", "Looking for images…"))
        self.opener.scan(paths)

    def open_sample(self) -> None:
        """Open the synthetic chest CT, made on first use."""
        from viewer.phantom.sample import sample_study

        self.message.hide()
        self.stage.setCurrentWidget(self.empty)
        self.empty.show_loading(translate("window", "Making the synthetic sample study…"))
        self.opener.scan_sample(lambda report: sample_study(progress=report))

    def open_series(self, number: int) -> None:
        """Read one series of the rail."""
        if number == self._current and self.reading.case is not None:
            return
        if self.opener.study.plans[number].refusal is not None:
            refusal = self.opener.study.plans[number].refusal
            assert refusal is not None
            self.message.show_problem(refusal)
            return
        self.message.hide()
        previous = self.reading.case
        self._current = number
        self.reading.set_case(None)
        self.opener.open(number, Reader(self.settings.text("reader")), previous)

    def _on_found(self, study: FoundStudy) -> None:
        previous = self.reading.case
        self.reading.set_case(None)
        if previous is not None:
            self.exporter.close_case(previous)
        self._current = None
        self.rail.set_cards([_card(plan) for plan in study.plans])
        usable = [n for n, plan in enumerate(study.plans) if plan.refusal is None]
        if not usable:
            self.empty.show_idle()
            refusal = study.plans[0].refusal if study.plans else None
            if refusal is not None:
                self.message.show_problem(refusal)
            return
        wanted = self.ai.pack.input.modality if self.ai.pack is not None else "CT"
        best = max(
            usable,
            key=lambda n: (study.plans[n].series.modality == wanted, study.plans[n].shape_kji[0]),
        )
        self.open_series(best)
        if study.skipped:
            self.status.say(
                translate("window", "{count} files were left out: {reason}").format(
                    count=len(study.skipped), reason=study.skipped[0].reason
                )
            )

    def _on_thumbnail(self, number: int, picture: object) -> None:
        self.rail.card(number).thumbnail = picture  # type: ignore[assignment]
        self.rail.follow(number)

    def _on_reading(self, number: int) -> None:
        self.rail.set_current(number)
        self.stage.setCurrentWidget(self.empty)
        self.empty.show_loading(translate("window", "Reading the images…"))

    def _on_opened(self, opened: OpenedCase) -> None:
        case = opened.case
        self._current = opened.number
        self.stage.setCurrentWidget(self.views)
        self.reading.set_case(case, opened.window)
        self.views.hold_focus()
        problems = [problem.text for problem in opened.case.plan.problems]
        if case.read_only_problem is not None:
            self.message.show_problem(case.read_only_problem)
        elif case.recovered:
            self.message.show_note(case.recovered)
        elif problems:
            self.message.show_note(" ".join(problems))
        edits = translate("window", "Ready · your earlier work on this series is back")
        ready = translate("window", "Ready")
        self.status.say(edits if case.undo_name else ready)

    def _on_open_failed(self, problem: Problem) -> None:
        self.rail.set_current(None)
        self._current = None
        if self.reading.case is None:
            self.stage.setCurrentWidget(self.empty)
            self.empty.show_idle()
        else:
            self.stage.setCurrentWidget(self.views)
        self.message.show_problem(problem)

    def _step_series(self, by: int) -> None:
        count = len(self.opener.study.plans)
        if count and self._current is not None and 0 <= self._current + by < count:
            self.open_series(self._current + by)

    def _on_case(self) -> None:
        if self.reading.case is None and not self.opener.busy:
            self.stage.setCurrentWidget(self.empty)
        self.panel.set_eligibility(self.ai.reasons)
        self.follow()

    # -------------------------------------------------------------------- ai

    def _on_ai_changed(self) -> None:
        self.panel.set_eligibility(self.ai.reasons)
        if self._current is not None and self.reading.case is not None:
            card = self.rail.card(self._current)
            if self.reading.case.document.findings is not None:
                card.state = translate("window", "AI done")
            elif self.ai.reasons:
                card.state = translate("window", "AI: not eligible")
            else:
                card.state = ""
            self.rail.follow(self._current)
        self._follow_devices()
        self.follow()

    def _follow_devices(self) -> None:
        pack = self.ai.pack
        if pack is None:
            title = translate("window", "AI: none")
        else:
            title = translate("window", "AI: {model} {version} · {device}").format(
                model=pack.id, version=pack.version, device=self.ai.device_name()
            )
        self.bar.show_devices(self.ai.devices(), self.ai.device, title)

    def _on_run_ended(self, problem: Problem | None) -> None:
        self.panel.run_ended(problem)
        case = self.reading.case
        findings = case.document.findings if case is not None else None
        if problem is not None or findings is None:
            self.follow()
            return
        self.status.say(
            translate("window", "Ready · model run {seconds} s on {device}").format(
                seconds=f"{sum(findings.seconds.values()):.1f}", device=findings.device
            )
        )
        if case is not None and case.shown:
            best = max(case.shown, key=lambda lesion: lesion.score or 0.0)
            # Deferred: the views learn of the new findings first.
            QTimer.singleShot(0, self, partial(self.reading.select, best.id))

    # ---------------------------------------------------------------- export

    def _ask_export(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, translate("window", "Export into a folder"), self.settings.text("export")
        )
        if folder:
            self.settings.put("export", folder)
            self.export_to(Path(folder))

    def export_to(self, folder: Path) -> None:
        """Export the open case into a new folder inside ``folder``."""
        self.status.say(translate("window", "Exporting…"))
        self.exporter.start(folder)

    def _on_exported(self, folder: Path | None, problem: Problem | None) -> None:
        self.status.end_progress()
        if problem is not None:
            self.status.say(translate("window", "Nothing was exported"))
            self.message.show_problem(problem)
        elif folder is not None:
            self.status.say(translate("window", "Exported and checked"))
            self.message.show_note(
                translate(
                    "window", "Exported to {folder}; every file was read back and compared."
                ).format(folder=folder)
            )
        self.follow()

    # ----------------------------------------------------------------- looks

    def _toggle(self, switch: str) -> None:
        self.reading.show(**{switch: not getattr(self.reading.shown, switch)})

    def _toggle_rail(self) -> None:
        self._rail_wanted = not self.rail.isVisible()
        self.rail.setVisible(self._rail_wanted)
        self.follow()

    def _abort(self) -> None:
        if not self.views.abort_gesture() and self.reading.tool != "window":
            self.reading.set_tool("window")

    def follow(self) -> None:
        """Enable, check and name every action as the state demands; say why one is off."""
        actions, case, shown = self.actions_by_id, self.reading.case, self.reading.shown
        no_case = translate("window", "Open a series first.")
        frozen = str(case.read_only_problem) if case is not None and case.read_only else ""
        lesion = self.reading.lesion
        findings = case.document.findings if case is not None else None
        none = translate("window", "Select a finding first.")
        why = dict.fromkeys(actions, "" if case is not None else no_case)
        for name in ("open", "open_file", "sample", "reader", "keys", "quit", "rail", "panel"):
            why[name] = ""
        why["card"] = "" if self.ai.pack is not None else translate("window", "No model.")
        for name in ("accept", "reject", "unsure", "delete"):
            why[name] = why[name] or frozen or ("" if lesion is not None else none)
        for name in ("missed", "brush", "erase", "move"):
            why[name] = why[name] or frozen
        if case is not None and case.volume.unit != "HU":
            for name in actions:
                if name.startswith("preset_") and name != "preset_0":
                    why[name] = translate("window", "These presets are in HU, for CT.")
        why["run"] = self.ai.why_not()
        why["export"] = why["export"] or self.exporter.why_not()
        if findings is None or findings.heatmap is None:
            why["heatmap"] = why["heatmap"] or translate("window", "Run the model first.")
        undo = case.undo_name if case is not None else None
        redo = case.redo_name if case is not None else None
        why["undo"] = "" if undo else translate("window", "Nothing to undo.")
        why["redo"] = "" if redo else translate("window", "Nothing to redo.")
        for name, action in actions.items():
            action.setEnabled(not why[name])
            keys = "  ".join(key.toString() for key in action.shortcuts())
            action.setToolTip(f"{action.text()}  {keys}" + (f"\n{why[name]}" if why[name] else ""))
        if undo:
            actions["undo"].setToolTip(translate("window", "Undo “{step}”").format(step=undo))
        if redo:
            actions["redo"].setToolTip(translate("window", "Redo “{step}”").format(step=redo))
        for switch in ("heatmap", "masks", "fill", "crosshair", "invert"):
            actions[switch].setChecked(getattr(shown, switch))
        actions["rail"].setChecked(self.rail.isVisible())
        actions["panel"].setChecked(self.panel.isVisible())
        actions["ball"].setChecked(self.reading.brush_ball)
        actions[self.reading.tool].setChecked(True)
        self.bar.show_undo(undo)
        self.status.show_reader(self.settings.text("reader"))
        self.panel.corrections.refresh()

    def _show_menu(self, point_lps_mm: object, where: QPoint) -> None:
        menu = QMenu(self)
        actions = self.actions_by_id
        if self.reading.lesion is not None:
            for name in ("accept", "reject", "unsure", "delete"):
                menu.addAction(actions[name])
            menu.addSeparator()
        missed = menu.addAction(translate("window", "Add a missed lesion here"))
        missed.setEnabled(actions["missed"].isEnabled())
        missed.triggered.connect(lambda: self.corrections.add_missed(point_lps_mm))
        here = menu.addAction(translate("window", "Centre all views here"))
        here.triggered.connect(lambda: self.reading.move_cursor(point_lps_mm))
        menu.addSeparator()
        for name in ("heatmap", "masks", "fill", "crosshair", "invert", "fit"):
            menu.addAction(actions[name])
        menu.popup(where)
        menu.aboutToHide.connect(menu.deleteLater)

    # --------------------------------------------------------------- dialogs

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, translate("window", "Open a study folder"))
        if folder:
            self.open_paths([Path(folder)])

    def _ask_file(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, translate("window", "Open DICOM files"))
        if files:
            self.open_paths([Path(file) for file in files])

    def _ask_reader(self) -> None:
        dialog = ReaderDialog(self.settings.text("reader"), self)
        if dialog.exec():
            self.set_reader(dialog.name)

    def set_reader(self, name: str) -> None:
        """Remember who reads; the next edits carry the name."""
        self.settings.put("reader", name)
        if self.reading.case is not None:
            self.reading.case.set_reader(Reader(name))
        self.follow()

    def _show_card(self) -> None:
        if self.ai.pack is not None:
            text = (self.ai.pack.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
            title = f"{self.ai.pack.id} {self.ai.pack.version}"
            CardDialog(title, text, self).exec()

    def _on_saved(self, _seq: int, _utc: str) -> None:
        self.panel.corrections.refresh()

    # ---------------------------------------------------------------- events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.open_paths(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not hasattr(self, "rail"):
            return
        # A small window gives up the rail first, then the third view.
        if self._rail_wanted is None:
            self.rail.setVisible(self.width() >= _RAIL_FROM_PX)
        self.views.set_two_only(self.width() < _THREE_VIEWS_FROM_PX)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._closing:
            event.accept()
            return
        self._closing = True
        self.views.abort_gesture()
        self.ai.close()
        self.opener.close()
        self.exporter.close()
        case: Case | None = self.reading.case
        if case is not None:
            self.reading.set_case(None)
            case.close(timeout_s=5.0)
        event.accept()


def _card(plan: object) -> SeriesCard:
    from viewer.study.order import StackPlan

    assert isinstance(plan, StackPlan)
    series = plan.series
    title = series.description or translate("window", "Series {number}").format(
        number=series.series_number if series.series_number is not None else "?"
    )
    count = plan.shape_kji[0]
    detail = translate("window", "{modality} · {count} images").format(
        modality=series.modality, count=count
    )
    if plan.refusal is not None:
        return SeriesCard(title, detail, translate("window", "Cannot be shown"), failed=True)
    return SeriesCard(title, detail)
