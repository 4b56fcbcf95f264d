"""Tells how far a run is, and takes the time of every stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from inference.protocol import Progress

Tell = Callable[[Progress], None]


@dataclass
class Clock:
    """Progress and seconds of the stages of one run.

    Attributes
    ----------
    tell
        Is told every step.
    seconds
        Of every stage that has ended, by its name.
    """

    tell: Tell
    stage: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = 0.0

    def enter(self, stage: str, total: int = 1) -> None:
        """End the stage and begin another one; an empty name begins none."""
        now = time.perf_counter()
        if self.stage:
            self.seconds[self.stage] = round(now - self._since, 3)
        self.stage, self._since = stage, now
        if stage:
            self.tell(Progress(stage, 0, total))

    def step(self, done: int, total: int) -> None:
        """Say how much of the stage is done."""
        self.tell(Progress(self.stage, done, total))

    def note(self, note: str) -> None:
        """Say what had to be given up, one of ``protocol.NOTES``."""
        self.tell(Progress(self.stage, 0, 0, note))
