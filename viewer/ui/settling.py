"""One change of the state says many things at once; who follows them all does so once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Follow = Callable[[], object]


class Settling:
    """Puts off what is asked for while a change is under way, until it is whole."""

    def __init__(self) -> None:
        self._depth = 0
        self._asked: dict[Follow, None] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put off what is asked for, each once, to the end of the outermost such block."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                asked, self._asked = self._asked, {}
                for follow in asked:
                    follow()

    def ask(self, follow: Follow) -> None:
        """Call it now, or once at the end of the change that is under way."""
        if self._depth:
            self._asked[follow] = None
        else:
            follow()
