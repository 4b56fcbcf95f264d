"""The queue in the background as a reader sees it: in the worklist, and in the status line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton

from resources.text import translate
from viewer.ui import batch_jobs, theme
from viewer.ui.batch_rows import Queued
from viewer.ui.opener import FoundStudy
from viewer.ui.places import ask_folder
from viewer.ui.widgets import Striped
from viewer.worklist import Study

if TYPE_CHECKING:
    from viewer.batch import Item
    from viewer.ui.batch_flow import BatchFlow
    from viewer.ui.main_window import MainWindow


class _Strip(Striped):
    """How far the queue is, above the list, and its buttons."""

    def __init__(self, window: MainWindow, batch: BatchFlow) -> None:
        super().__init__(least_px=40, edge_px=4)
        action = window.actions_by_id["batch_pause"]
        self.pause = QPushButton()
        self.pause.setProperty("role", "verdict")
        self.pause.setStyleSheet("padding: 4px 10px;")
        self.pause.clicked.connect(lambda _checked: action.trigger())
        self.clear = QPushButton(translate("batch", "Take out what is through"))
        self.clear.setProperty("role", "verdict")
        self.clear.setStyleSheet("padding: 4px 10px;")
        self.clear.clicked.connect(lambda _checked: batch.forget_ended())
        self._row.addWidget(self.clear)
        self._row.addWidget(self.pause)

    def say(self, text: str, tone: str) -> None:
        """Show a sentence; an empty one hides the strip."""
        if text:
            self._show(text, tone)
        else:
            self._text.clear()
            self.hide()

    @property
    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()


class BatchView(QObject):
    """Keeps lines, strip and status as the queue is."""

    def __init__(self, window: MainWindow, batch: BatchFlow) -> None:
        super().__init__(window)
        self._window, self._batch = window, batch
        self._page = window.worklist.page
        self._why: dict[str, object] = {}
        self.strip = _Strip(window, batch)
        self._page.above_list.addWidget(self.strip)
        self._page.menu_made.connect(self._fill_menu)
        self._page.add_folder_button(self._ask_folder)
        self.button = QToolButton()
        self.button.setFont(theme.font(theme.CORNER_PX))
        self.button.clicked.connect(lambda _checked: window.actions_by_id["worklist"].trigger())
        row = window.status.layout()
        assert row is not None
        row.insertWidget(row.count() - 1, self.button)  # type: ignore[attr-defined]
        window.opener.found.connect(self._on_found)
        batch.changed.connect(self.follow)
        window.reading.case_changed.connect(self.follow)
        self.follow()

    # ------------------------------------------------------------------------ asking

    def _ask_folder(self) -> None:
        title = translate("batch", "Analyse all studies in a folder")
        folder = ask_folder(self._window, title)
        if folder is not None:
            self._batch.add_folders([folder])

    @Slot(object)
    def _on_found(self, found: object) -> None:
        """Offer to analyse all studies where several were found at once."""
        assert isinstance(found, FoundStudy)
        pack = self._window.ai.pack
        given = self._window.worklist.keeper.given
        if pack is None or not given or self._window.worklist.opens_a_line:
            return
        count = batch_jobs.count_studies(found.plans)
        if count < 2:
            return
        self._window.message.show_offer(
            translate("batch", "{n} studies were found there; the best one opens.").format(n=count),
            translate("batch", "Analyse all in the background"),
            lambda: self._batch.add_folders([Path(path) for path in given]),
        )

    @Slot(object, object)
    def _fill_menu(self, menu: object, study: object) -> None:
        assert isinstance(menu, QMenu)
        assert isinstance(study, Study)
        batch, key = self._batch, study.case_key
        item = batch.item(key)
        menu.addSeparator()
        if item is None or item.state != "waiting":
            analysing = menu.addAction(translate("batch", "Analyse in the background"))
            analysing.triggered.connect(lambda: batch.add([key]))
        if item is None:
            return
        if item.state == "waiting":
            earlier = menu.addAction(translate("batch", "Earlier in the queue"))
            earlier.triggered.connect(lambda: batch.move(key, -1))
            later = menu.addAction(translate("batch", "Later in the queue"))
            later.triggered.connect(lambda: batch.move(key, 1))
        out = menu.addAction(translate("batch", "Take out of the queue"))
        out.triggered.connect(lambda: batch.remove([key]))

    # ------------------------------------------------------------------------ showing

    def follow(self) -> None:
        """Follow the queue."""
        batch = self._batch
        waiting = [item for item in batch.items if item.state == "waiting"]
        queued: dict[str, Queued] = {}
        place = 0
        for item in batch.items:
            passed_over = (batch.running, self._page.model.open_key, *batch.held)
            if item.state == "waiting" and item.case_key not in passed_over:
                place += 1
            said = self._queued(item, place)
            if said is not None:
                queued[item.case_key] = said
        model = self._page.model
        if queued != model.queued:
            model.queued = queued
            model.repaint()
        self._say(waiting)
        why = {**batch.reasons(), **self._window.next_case.reasons(), **batch.checked()}
        if why != self._why:  # not at every step of a run
            self._why = why
            self._window.follow()

    def _queued(self, item: Item, place: int) -> Queued | None:
        batch = self._batch
        if item.state == "done":
            return None  # the state of the study says it
        if item.state in ("refused", "failed"):
            text = {
                "refused": translate("batch", "AI refused"),
                "failed": translate("batch", "AI failed"),
            }[item.state]
            return Queued(item.state, text, item.reason)
        if item.case_key in batch.held:
            return Queued("held", translate("batch", "Kept when closed"))
        if item.case_key == batch.running:
            percent = batch.percent
            text = translate("batch", "Analysing")
            if percent is not None:
                text = translate("batch", "Analysing {n} %").format(n=percent)
            return Queued("running", text, share=None if percent is None else percent / 100)
        if item.case_key == self._page.model.open_key:
            return Queued("waiting", translate("batch", "When closed"))
        if batch.paused:
            return Queued("waiting", translate("batch", "Paused · {n}").format(n=place))
        return Queued("waiting", translate("batch", "Waiting · {n}").format(n=place))

    def _say(self, waiting: list[Item]) -> None:
        batch = self._batch
        total, left = len(batch.items), len(waiting)
        ended = total - left
        self.strip.clear.setVisible(ended > 0)
        self.strip.pause.setVisible(left > 0 or batch.paused)
        pause, go_on = translate("batch", "Pause"), translate("batch", "Go on")
        self.strip.pause.setText(go_on if batch.paused else pause)
        self.strip.pause.setToolTip(self._window.actions_by_id["batch_pause"].toolTip())
        self.button.setVisible(left > 0)
        if not total:
            self.strip.say("", "active")
            return
        if not left:
            text = translate("batch", "The queue is through: {done} of {total} analysed.").format(
                done=sum(item.state == "done" for item in batch.items), total=total
            )
            self.strip.say(text, "active")
            return
        done = translate("batch", "{done} of {total} through").format(done=ended, total=total)
        if batch.paused:
            head, tone = translate("batch", "The background is paused"), "pending"
        else:
            head, tone = translate("batch", "Analysing in the background"), "active"
        percent = batch.percent
        step = batch.step if percent is None else f"{batch.step} {percent} %"
        open_only = not batch.running and not batch.paused
        if open_only:
            step = translate("batch", "goes on when the open study is closed")
        parts = [head, done, step, batch.clock.text]
        self.strip.say(" · ".join(part for part in parts if part), tone)
        short = translate("batch", "AI queue {done}/{total}").format(done=ended, total=total)
        if batch.paused:
            short = translate("batch", "AI queue paused")
        elif percent is not None:
            short = f"{short} · {percent} %"
        self.button.setText(short)
        self.button.setToolTip(self.strip.text)
        tone = "pending" if batch.paused else "secondary"
        theme.set_tone(self.button, tone, "color: {ink}; padding: 0 6px; border: none;")
