"""Which slices of an open case are there to be seen, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from resources.problem import Problem
from resources.text import translate
from viewer.study.staged import StagedRead


class Slices:
    """The slices of one stack, while it is read and after.

    Parameters
    ----------
    staged
        What still reads them; None when that has ended.
    failed
        Those that could not be read, with the reason; of ``staged`` it is asked.
    """

    def __init__(
        self, staged: StagedRead | None = None, failed: Mapping[int, Problem] | None = None
    ) -> None:
        self._staged = staged
        self._read_failed = failed or {}

    @property
    def are_coming(self) -> bool:
        """Whether some are still to come."""
        return self._staged is not None

    @property
    def _failed(self) -> Mapping[int, Problem]:
        return self._read_failed if self._staged is None else self._staged.failed

    def has(self, k: int) -> bool:
        """Return whether slice ``k`` is there to be seen."""
        return self.why_not(k) is None

    def why_not(self, k: int) -> str | None:
        """Return why slice ``k`` is empty, translated, or None when it is not."""
        failed = self._failed
        if k in failed:
            return failed[k].sentence
        if self._staged is not None and not self._staged.ready[k]:
            return translate("session", "Loading…")
        return None

    def empty(self, count: int) -> npt.NDArray[np.bool_] | None:
        """Return, for each of ``count`` slices, whether it is empty; None when none is."""
        if self._staged is None and not self._read_failed:
            return None
        empty = np.zeros(count, dtype=np.bool_)
        if self._staged is not None:
            empty |= ~self._staged.ready
        empty[list(self._failed)] = True
        return empty if empty.any() else None
