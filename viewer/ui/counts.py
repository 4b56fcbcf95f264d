"""Numbers of things in words, one of them included."""

from __future__ import annotations

from resources.text import translate


def images(count: int) -> str:
    """Return how many images there are."""
    if count == 1:
        return translate("counts", "1 image")
    return translate("counts", "{count} images").format(count=count)


def left_out(count: int, reason: str) -> str:
    """Return how many files were left out, and why the first was."""
    if count == 1:
        return translate("counts", "1 file left out: {reason}").format(reason=reason)
    return translate("counts", "{count} files left out: {reason}").format(
        count=count, reason=reason
    )
