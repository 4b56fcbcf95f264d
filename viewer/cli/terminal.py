"""Writing to the terminal: tables and JSON to stdout, progress and notes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Step = Callable[[int, int], None]


def print_json(value: Any) -> None:
    """Print JSON that any terminal and any program can take: ASCII, no NaN."""
    print(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False))


def print_line(text: str) -> None:
    """Print a line to stdout."""
    print(_harmless(text))


def print_table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table to stdout; cells are plain text, whatever a file put into them."""
    console = Console(file=sys.stdout, highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(Text(title), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_harmless(str(cell))) for cell in row))
    # Measured on a wide terminal: on its own no table is wider than it.
    wide = console.options.update(max_width=10_000)
    if console.measure(table, options=wide).maximum > console.width:
        table.padding = (0, 1, 0, 0)  # rather closer columns than broken cells
    console.print(table)


def note(text: str) -> None:
    """Print a line to stderr."""
    print(_harmless(text), file=sys.stderr)


class Stages:
    """Progress of one piece of work after the other on stderr; silent when that is no terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def show(self, name: str, done: int, total: int) -> None:
        """Say how far the stage ``name`` is; ``total`` 0 when that is not known."""
        if name not in self._tasks:
            self._finish()
            self._tasks[name] = self._progress.add_task(name, total=None)
        self._progress.update(self._tasks[name], completed=done, total=total or None)

    def _finish(self) -> None:
        """Fill the bars of the stages before: one stage follows the other."""
        for task in self._progress.tasks:
            whole = task.total or 1
            self._progress.update(task.id, completed=whole, total=whole)

    def step(self, name: str) -> Step:
        """Return a callback (done, total) for one stage."""
        return lambda done, total: self.show(name, done, total)


@contextmanager
def stages() -> Iterator[Stages]:
    """Show progress while the block runs."""
    console = Console(stderr=True, highlight=False)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield Stages(progress)


def _harmless(text: str) -> str:
    """Drop control characters: a header must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
