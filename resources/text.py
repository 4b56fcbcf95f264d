"""Translation of every sentence that a user sees, with or without Qt.

The source language is English. ``viewer.ui`` installs Qt's translator here, so the
headless commands and the window share one catalogue (``pyside6-lupdate`` collects
calls named ``translate``).
"""

from __future__ import annotations

from collections.abc import Callable

Translator = Callable[[str, str, int], str]


def _source(context: str, source: str, n: int) -> str:
    return source


_translator: Translator = _source


def install_translator(translator: Translator | None) -> None:
    """Use ``translator(context, source, n)`` from now on; None restores the English source."""
    global _translator
    _translator = translator or _source


def translate(context: str, source: str, n: int = -1) -> str:
    """Return ``source`` in the reader's language.

    Parameters
    ----------
    context
        Room of the sentence, such as ``"study"``; a literal, for lupdate.
    source
        English sentence; a literal. Placeholders in braces are filled by the caller
        with ``str.format`` after translation.
    n
        Count that chooses the plural form; -1 when there is none.
    """
    return _translator(context, source, n)
