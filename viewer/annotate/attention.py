"""How long readers were at each finding: seconds in which something was done at it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

# Less is a finding that was passed on the way to another.
_LEAST_S = 0.5


class Attention:
    """The active seconds of one case, by reader and finding.

    They are entries of the journal, written before the next edit: a case that is only looked at
    keeps its file as it is.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, float] = {}
        self._seconds: dict[tuple[str, str], float] = {}

    def add(self, lesion_id: str, seconds: float) -> None:
        """Take in that a reader was at a finding."""
        self._waiting[lesion_id] = self._waiting.get(lesion_id, 0.0) + seconds

    def take(self) -> tuple[tuple[str, float], ...]:
        """Return what is to be written down now, finding and seconds, and forget it."""
        ready = {key: s for key, s in self._waiting.items() if s >= _LEAST_S}
        for key in ready:
            del self._waiting[key]
        return tuple((key, round(seconds, 1)) for key, seconds in ready.items())

    def note(self, reader: str, body: Mapping[str, Any]) -> None:
        """Count what an entry of the journal says; what it cannot mean counts for nothing."""
        seconds = body.get("seconds")
        if body.get("what") != "attended" or not isinstance(seconds, int | float):
            return
        if math.isfinite(seconds) and seconds > 0:
            key = (reader, str(body.get("lesion")))
            self._seconds[key] = self._seconds.get(key, 0.0) + seconds

    def seconds(self, lesion_id: str, reader: str | None = None) -> float:
        """Return how long a reader was at a finding; None: all of them together."""
        written = sum(
            seconds
            for (name, known), seconds in self._seconds.items()
            if known == lesion_id and reader in (None, name)
        )
        return written + self._waiting.get(lesion_id, 0.0)
