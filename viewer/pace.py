"""How long a model run still takes, told from earlier runs on the same device and its own pace.

No figure is made up: before a stage has shown its pace, and where no earlier run tells of the
stages that follow, nothing is said.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inference.protocol import STAGES, Progress
from inference.volume import Volume
from resources.text import translate

# The newest run counts for half: another program may have taken the cores last time.
_NEWEST = 0.5
_FACTOR = (0.25, 4.0)
_PACE_AFTER_S, _PACE_AFTER_SHARE = 3.0, 0.1
# Its time hangs on whether the process was already there, not on the images.
_NOT_LEARNED = frozenset(["start"])


class Learned:
    """Seconds a litre of image took, by device and stage. Holds nothing of a patient."""

    def __init__(self, text: str = "") -> None:
        self._seconds: dict[str, dict[str, float]] = {}
        try:
            found = json.loads(text) if text else {}
            for device, stages in found.items():
                self._seconds[str(device)] = {
                    str(stage): float(seconds)
                    for stage, seconds in stages.items()
                    if math.isfinite(float(seconds)) and float(seconds) >= 0
                }
        except (ValueError, TypeError, AttributeError):
            self._seconds = {}  # of another version, or damaged: it is learned anew

    def text(self) -> str:
        """Return it as text, for ``Learned(text)``."""
        return json.dumps(
            {
                device: {stage: round(seconds, 4) for stage, seconds in stages.items()}
                for device, stages in self._seconds.items()
            }
        )

    def of(self, device: str) -> dict[str, float]:
        """Return seconds per litre by stage; empty when no run on this device ended yet."""
        return dict(self._seconds.get(device, {}))

    def take(self, device: str, litres: float, seconds: Mapping[str, float]) -> None:
        """Learn from a run that came to its end."""
        if litres <= 0:
            return
        known = self._seconds.setdefault(device, {})
        for stage, spent in seconds.items():
            if stage not in _NOT_LEARNED:
                new = spent / litres
                old = known.get(stage, new)
                known[stage] = _NEWEST * new + (1 - _NEWEST) * old


@dataclass(frozen=True, slots=True)
class Left:
    """Seconds that are left: of the whole run, or only of the stage that is under way."""

    seconds: float
    whole: bool

    def text(self) -> str:
        """Return it in words, as exact as it deserves."""
        seconds = self.seconds
        if seconds < 5:
            amount = translate("stages", "a few seconds")
        elif seconds < 90:
            amount = translate("stages", "about {n} s").format(n=max(5, 5 * round(seconds / 5)))
        else:
            amount = translate("stages", "about {n} min").format(n=round(seconds / 60))
        if self.whole:
            return translate("stages", "{time} left").format(time=amount)
        return translate("stages", "{time} for this step").format(time=amount)


def litres(volume: Volume) -> float:
    """Return how much room the images take, in litres."""
    return float(abs(np.linalg.det(volume.affine[:3, :3])) * np.prod(volume.shape_kji) / 1e6)


class Pace:
    """The clock of one run.

    Parameters
    ----------
    learned
        From earlier runs.
    device
        Id of the device that it runs on.
    litres
        Size of the images.
    now
        When it began, in seconds of a clock that never goes back.
    """

    def __init__(self, learned: Learned, device: str, litres: float, now: float) -> None:
        self._expected = {s: per * litres for s, per in learned.of(device).items()}
        self._spent: dict[str, float] = {}
        self._stage = STAGES[0]
        self._since = now
        self._step: Progress | None = None

    def step(self, step: Progress, now: float) -> None:
        """Take note of how far it is."""
        if step.stage != self._stage:
            self._leave(now)
            self._stage, self._since = step.stage, now
        self._step = step

    def end(self, now: float) -> dict[str, float]:
        """Return the seconds that each stage took, now that all is done."""
        self._leave(now)
        return dict(self._spent)

    def left(self, now: float) -> Left | None:
        """Return how long it still takes; None as long as that is not known."""
        if self._step is None:
            return None
        spent = now - self._since
        measured = self._measured(spent)
        later = [s for s in STAGES[self._place(self._stage) + 1 :] if s not in self._spent]
        if not all(stage in self._expected for stage in later):
            return None if measured is None else Left(measured, whole=not later)
        factor = self._factor(spent, measured)
        expected = self._expected.get(self._stage)
        if expected is None and self._stage not in _NOT_LEARNED and measured is None:
            return None
        here = max(0.0, (expected or 0.0) * factor - spent)
        if measured is not None:
            here = measured
        return Left(here + factor * sum(self._expected[stage] for stage in later), whole=True)

    def _measured(self, spent: float) -> float | None:
        """Return the rest of this stage by its own steps, once they tell anything."""
        step = self._step
        if step is None or step.total <= 1 or step.stage != self._stage:
            return None
        share = step.done / step.total
        if share >= 1:
            return 0.0
        if share < _PACE_AFTER_SHARE or spent < _PACE_AFTER_S:
            return None
        return spent * (1 - share) / share

    def _factor(self, spent: float, measured: float | None) -> float:
        """Return how much slower this run goes than the earlier ones."""
        took = {s: t for s, t in self._spent.items() if s in self._expected}
        if measured is not None and self._stage in self._expected:
            took[self._stage] = spent + measured
        expected = sum(self._expected[stage] for stage in took)
        if expected < 1.0:
            return 1.0
        return min(max(sum(took.values()) / expected, _FACTOR[0]), _FACTOR[1])

    def _leave(self, now: float) -> None:
        self._spent[self._stage] = self._spent.get(self._stage, 0.0) + now - self._since
        self._since = now

    @staticmethod
    def _place(stage: str) -> int:
        return STAGES.index(stage) if stage in STAGES else len(STAGES)
