"""Running the bundled model on the open case: which pack, whether it may, on which device."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from inference import registry, versions
from inference.findings import Findings
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate
from viewer.session import Case
from viewer.ui.engine import Engine
from viewer.ui.reading import Reading
from viewer.ui.run_clock import RunClock
from viewer.ui.settings import Settings

AUTO = "auto"


class AiRunner(QObject):
    """Connects the engine with the case; results of a case that is closed are dropped."""

    started = Signal()
    ended = Signal(object)  # a Problem, or None
    found = Signal()  # new findings are in the case
    changed = Signal()

    def __init__(self, reading: Reading, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._settings = settings
        self.engine = Engine(self)
        self.clock = RunClock(settings, self)
        self.pack: ModelPack | None = None
        self.pack_problem: Problem | None = None
        self.reasons: tuple[str, ...] = ()
        self.device = settings.text("device", AUTO)
        self._case: Case | None = None
        self._waiting = False
        try:
            packs = registry.available()
            self.pack = packs[0] if packs else None
        except Problem as problem:
            self.pack_problem = problem
        self.engine.succeeded.connect(self._on_success)
        self.engine.failed.connect(self._on_failure)
        self.engine.cancelled.connect(self._on_cancelled)
        self.engine.devices_known.connect(self._on_devices)
        reading.case_changed.connect(self._on_case)

    # ---------------------------------------------------------------- choice

    def _on_case(self) -> None:
        self.cancel()
        self._ask_whether_it_may()

    def _ask_whether_it_may(self) -> None:
        """Find out why the model cannot run on the open case, if it cannot."""
        case = self._reading.case
        if case is None:
            self.reasons = ()
        elif case.viewing_only is not None:
            self.reasons = (str(case.viewing_only),)
        elif self.pack is None:
            problem = self.pack_problem or Problem(
                translate("engine", "No model is installed."),
                translate("engine", "Install Overread again."),
            )
            self.reasons = (str(problem),)
        else:
            self.reasons = tuple(registry.eligibility(self.pack, case.volume))
            if not self.reasons and case.document.findings is None:
                # Loading takes seconds: begin while the reader looks at the first slice.
                self.engine.warm_up()
        self.changed.emit()

    @property
    def is_installed(self) -> bool:
        """Whether there is a model, though the version that should lead may be gone."""
        return self.pack is not None or self.pack_problem is not None

    def versions(self) -> tuple[ModelPack, ...]:
        """Return all versions of the model; none when their manifests cannot be read."""
        try:
            return registry.every(self.pack.id if self.pack is not None else None)
        except Problem:
            return (self.pack,) if self.pack is not None else registry.bundled()[:1]

    def why_not_use(self) -> str:
        """Return why no other version can be chosen now; empty when one can."""
        if self.engine.running or self._waiting:
            return translate("engine", "The model is running.")
        return ""

    def use(self, pack: ModelPack) -> None:
        """Use another version from the next run on, also after a restart.

        Raises
        ------
        Problem
            When its weights were changed, or the choice cannot be kept.
        """
        registry.check(pack)
        versions.lead(pack)
        self.pack, self.pack_problem = pack, None
        # A run that is under way ends with the version that it began with.
        self._ask_whether_it_may()

    def devices(self) -> tuple[tuple[str, str], ...]:
        """Return (id, shown name) of the devices to choose from."""
        known = tuple((device.id, device.name) for device in self.engine.devices)
        best = known[0][1] if known else translate("engine", "GPU when there is one, else CPU")
        return ((AUTO, translate("engine", "Automatic · {name}").format(name=best)), *known)

    def device_name(self) -> str:
        """Return the name of the device that a run would use, as far as it is known."""
        known = {device.id: device.name for device in self.engine.devices}
        if self.device in known:
            return str(known[self.device])
        if self.engine.devices:
            return str(self.engine.devices[0].name)
        return translate("engine", "automatic")

    def choose_device(self, device: str) -> None:
        """Use another device from the next run on."""
        self.device = device
        self._settings.put("device", device)
        self.changed.emit()

    @Slot(object)
    def _on_devices(self, devices: object) -> None:
        if self.device not in (AUTO, *(device.id for device in self.engine.devices)):
            self.device = AUTO  # a GPU that was there last time
        self.changed.emit()

    def why_not(self) -> str:
        """Return why the model cannot be started now; empty when it can."""
        case = self._reading.case
        if case is None:
            return translate("engine", "Open a series first.")
        if case.read_only:
            return str(case.read_only_problem)
        if self.reasons:
            return " ".join(self.reasons)
        if self.engine.running or self._waiting:
            return translate("engine", "The model is running.")
        return ""

    # ------------------------------------------------------------------- run

    def run(self) -> None:
        """Start the model on the open case."""
        case = self._reading.case
        if case is None or self.pack is None or self.why_not():
            return
        self._case = case
        self.started.emit()
        self.engine.analyze(case.volume, self.pack, self.device)
        if self.engine.run is not None:
            self.clock.begin(self.engine.run, self.device_name(), case.volume)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop the run; what was there before stays."""
        if self._waiting:
            self._waiting = False
            self._on_cancelled()
        self.engine.cancel()

    @Slot(object)
    def _on_success(self, findings: object) -> None:
        if self._reading.stroke is not None:
            # A stroke under way keeps its target: the findings come in when it ends.
            self._waiting = True
            QTimer.singleShot(50, self, lambda: self._waiting and self._on_success(findings))
            return
        self._waiting = False
        case, self._case = self._case, None
        if case is None or case is not self._reading.case or not isinstance(findings, Findings):
            return
        try:
            change = case.add_findings(findings)
        except Problem as problem:
            self._on_failure(problem)
            return
        case.threshold = findings.threshold
        with self._reading.settling.held():
            self._reading.document_changed.emit(change)
            self.ended.emit(None)
            self.changed.emit()
            self.found.emit()

    @Slot(object)
    def _on_failure(self, problem: object) -> None:
        self._case = None
        self.ended.emit(problem)
        self.changed.emit()

    @Slot()
    def _on_cancelled(self) -> None:
        self._case = None
        self.ended.emit(None)
        self.changed.emit()

    def close(self) -> None:
        """End the model process."""
        self.engine.close()
