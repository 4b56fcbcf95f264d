"""Stopping long work from another thread."""

from __future__ import annotations

from collections.abc import Callable

CancelCheck = Callable[[], bool]


class Cancelled(Exception):
    """The caller asked to stop; nothing is wrong."""


def stop_if(cancelled: CancelCheck | None) -> None:
    """Raise ``Cancelled`` when the check says so."""
    if cancelled is not None and cancelled():
        raise Cancelled
