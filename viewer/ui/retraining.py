"""The room of retraining: a process behind the window, what it says, and what is made of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from inference import registry, versions
from inference.child import environment
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate
from viewer import promoting, retraining
from viewer.cli import child
from viewer.cli.train import NEEDS
from viewer.retraining import Run, Wish
from viewer.ui.retrain_dialog import RetrainDialog

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow

_COMMAND = "retrain"
_REFUSED, _STOPPED = 2, 130
_KILL_MS, _CLOSE_MS = 8000, 2000


class Retraining(QObject):
    """At most one process, which retrains or compares; it ends with the window and goes on later.

    Attributes
    ----------
    run
        The retraining that was begun last, None when there was none.
    phase
        ``"retrain"``, ``"compare"``, or empty while nothing runs.
    step
        What the process told last of its progress: ``stage``, ``done``, ``total``, ``left_s``.
    problem
        Why the last one failed, None when it did not.
    """

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._why_not = child.why_not(NEEDS)
        self._process: QProcess | None = None
        self._cancelled = False
        self._read = False
        self.run: Run | None = None
        self.phase = ""
        self.step: Mapping[str, object] = {}
        self.problem: Problem | None = None
        self.dialog: RetrainDialog | None = None

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {_COMMAND: self.open}

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be retrained here."""
        if self._why_not is not None:
            return {_COMMAND: str(self._why_not)}
        if not self._window.ai.is_installed:
            return {_COMMAND: translate("window", "No model is installed.")}
        return {_COMMAND: ""}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def open(self) -> None:
        """Show the window of retraining, or bring it to the front."""
        if not self._read:
            self._read = True
            self.run = retraining.latest()
        if self.dialog is None:
            self.dialog = RetrainDialog(self, self._window)
            self.dialog.finished.connect(self._on_closed)
            self.dialog.show()
        else:
            self.dialog.activateWindow()

    @Slot()
    def _on_closed(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()

    # ---------------------------------------------------------------- models

    @property
    def packs(self) -> tuple[ModelPack, ...]:
        """All versions of the model, the one that leads first."""
        leads = self._window.ai.pack
        every = self._window.ai.versions()
        return tuple(sorted(every, key=lambda pack: pack != leads))

    @property
    def leads(self) -> ModelPack | None:
        """The version that is used."""
        return self._window.ai.pack

    @property
    def before(self) -> ModelPack | None:
        """The version that led before the one that does; None when none did."""
        leads = self.leads
        if leads is None:
            return None
        led = [step["sha256"] for step in versions.history(leads.id)]
        known = {pack.weights.sha256: pack for pack in self._window.ai.versions()}
        past = [digest for digest in led if digest != leads.weights.sha256 and digest in known]
        if past:
            return known[past[-1]]
        bundled = registry.bundled()[0]
        return bundled if bundled != leads else None

    # ----------------------------------------------------------------- doing

    def start(self, wish: Wish) -> None:
        """Begin a retraining anew.

        Raises
        ------
        Problem
            When it cannot be kept.
        """
        self.run = retraining.begin(wish)
        self.go_on()

    def go_on(self) -> None:
        """Retrain from where the run was left; compare when that is done."""
        assert self.run is not None
        if self.run.pack is None:
            self._begin("retrain", self.run.training())
        elif self.run.wish.test and self.leads is not None:
            self._begin("compare", self.run.comparing(self.leads))

    def compare(self, test: str) -> None:
        """Compare the new model with the one that leads, on the nodules of a folder.

        Raises
        ------
        Problem
            When what was compared before cannot be removed.
        """
        assert self.run is not None
        self.run = self.run.with_test(test)
        self.go_on()

    def cancel(self) -> None:
        """Stop what runs; what was learnt up to the last minute stays."""
        process = self._process
        if process is None:
            return
        self._cancelled = True
        process.closeWriteChannel()  # as if this program had ended: it stops by itself
        QTimer.singleShot(_KILL_MS, process, process.kill)
        self.changed.emit()

    @property
    def cancelling(self) -> bool:
        """Whether a stop was asked for and has not come yet."""
        return self._cancelled and self._process is not None

    def why_not_promote(self) -> str:
        """Return why the new model may not lead; empty when it may."""
        run, leads = self.run, self.leads
        new = None if run is None else run.pack
        if run is None or new is None:
            return translate("retrain", "There is no new model yet.")
        if leads is not None and leads.weights.sha256 == new.weights.sha256:
            return translate("retrain", "It is in use.")
        found = run.comparison
        if found is None:
            return translate("retrain", "It was not compared yet.")
        try:
            compared = [found[side]["model"]["sha256"] for side in ("old", "new")]
        except (KeyError, TypeError):
            compared = []
        wanted = [leads.weights.sha256 if leads is not None else "", new.weights.sha256]
        if compared != wanted:
            return translate("retrain", "It was compared with another version than the one in use.")
        if not found["promotion"]["may_lead"]:
            return translate("retrain", "The comparison does not allow it.")
        return self._window.ai.why_not_use()

    def promote(self) -> None:
        """Use the new model from the next run on.

        Raises
        ------
        Problem
            When its comparison does not allow it, or it cannot be kept.
        """
        assert self.run is not None and self.run.pack is not None
        _old, new = promoting.let_in(self.run.pack.folder, self.run.figures)
        self._window.ai.use(new)
        self.changed.emit()

    def back(self) -> None:
        """Use the version that led before, its weights checked.

        Raises
        ------
        Problem
            When its weights were changed.
        """
        before = self.before
        if before is not None:
            self._window.ai.use(before)
            self.changed.emit()

    def why_not_back(self) -> str:
        """Return why the version before cannot be used now; empty when it can."""
        if self.before is None:
            return translate("retrain", "No other version was used before.")
        return self._window.ai.why_not_use()

    # --------------------------------------------------------------- process

    def _begin(self, phase: str, arguments: list[str]) -> None:
        if self._process is not None:
            return
        self.phase, self.step, self.problem, self._cancelled = phase, {}, None, False
        variables = QProcessEnvironment()
        for name, value in {**environment(), "OVERREAD_PARENT": "stdin"}.items():
            variables.insert(name, value)
        self._process = process = QProcess(self)
        process.setProcessEnvironment(variables)
        process.setProgram(sys.executable)
        process.setArguments(arguments)
        process.readyReadStandardOutput.connect(self._on_told)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start()
        self.changed.emit()

    @Slot()
    def _on_told(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            line = bytes(process.readLine().data()).decode("utf-8", "replace")
            try:
                step = json.loads(line)
            except ValueError:
                continue  # a library spoke
            if isinstance(step, dict) and {"stage", "done", "total"} <= step.keys():
                self.step = step
        self.changed.emit()

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(_problem())

    @Slot(int, QProcess.ExitStatus)
    def _on_finished(self, code: int, _status: QProcess.ExitStatus) -> None:
        process = self._process
        if process is None:
            return
        said = bytes(process.readAllStandardError().data()).decode("utf-8", "replace")
        last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
        if self._cancelled or code == _STOPPED:
            self._end(None)
        elif code == _REFUSED:
            self._end(Problem(last))
        elif code:
            self._end(_problem())
        else:
            was = self.phase
            self._end(None)
            if was == "retrain" and self.run is not None and self.run.wish.test:
                self.go_on()
            else:
                self._window.status.say(translate("retrain", "The retraining has ended"))

    def _end(self, problem: Problem | None) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        self.phase, self.step, self._cancelled, self.problem = "", {}, False, problem
        self.changed.emit()

    def close(self) -> None:
        """End the process, at most a minute of whose work is done again when it goes on."""
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._on_finished)
            process.kill()
            process.waitForFinished(_CLOSE_MS)
        if self.dialog is not None:
            self.dialog.close()


def _problem() -> Problem:
    return Problem(
        translate("retrain", "The retraining ended before it was done."),
        translate("retrain", "Go on with it; if that fails again, begin anew with other data."),
    )
