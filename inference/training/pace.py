"""How long a run still takes, over all of its stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# A pace taken over less is noise: the first steps are slow.
_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Work:
    """Units of a stage, such as steps, and the seconds that one was expected to take."""

    units: int
    seconds: float


class Pace:
    """Tell the time left from the pace so far; stages that have not begun are scaled by it.

    Parameters
    ----------
    plan
        Every stage by name, in order.
    clock
        Seconds, from anywhere.
    """

    def __init__(
        self, plan: Mapping[str, Work], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan = dict(plan)
        self._clock = clock
        self._done = dict.fromkeys(plan, 0)
        self._stage, self._first, self._since = "", 0, clock()
        # What was done by this process, in seconds that were expected and that it took.
        self._expected = self._taken = 0.0

    def enter(self, stage: str, done: int = 0) -> None:
        """Begin or resume a stage of which some units are done; those before it are through."""
        self._close()
        for name, work in self._plan.items():
            if name == stage:
                break
            self._done[name] = work.units
        self._done[stage] = done
        self._stage, self._first, self._since = stage, done, self._clock()

    def tick(self, done: int) -> None:
        """Say how many units of the stage are done."""
        self._done[self._stage] = done

    def _close(self) -> None:
        if self._stage:
            units = self._done[self._stage] - self._first
            self._expected += units * self._plan[self._stage].seconds
            self._taken += self._clock() - self._since if units else 0.0

    @property
    def left_s(self) -> float:
        """Seconds left."""
        units = self._done.get(self._stage, 0) - self._first
        elapsed = self._clock() - self._since
        expected, taken = self._expected, self._taken
        if units >= _ENOUGH:
            expected += units * self._plan[self._stage].seconds
            taken += elapsed
        factor = taken / expected if expected else 1.0
        left = 0.0
        for name, work in self._plan.items():
            each = work.seconds * factor
            if name == self._stage and units >= _ENOUGH:
                each = elapsed / units
            left += max(work.units - self._done[name], 0) * each
        return left

    def __str__(self) -> str:
        """Return the time left in words."""
        minutes = round(self.left_s / 60)
        if minutes < 1:
            return "less than a minute left"
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes:02d} min left" if hours else f"{minutes} min left"
