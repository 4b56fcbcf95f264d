"""Exceptions in a Python override of a method of Qt are told at once, and end no program.

PySide 6.11 keeps such an exception where Python called Qt (``processEvents``, ``repaint``,
``grab``, ``show``) until something of Qt's returns to Python. That is not always whom it is meant
for: while Qt goes on and paints the next widget, the next ``QPainter(self)`` there is told of it,
and gives itself back twice. Memory of some other object is freed, often a function, and the
program ends in a segmentation fault that tells nothing of the exception. And before Python 3.12
an exception that the interpreter or a C function raised (``[][0]``, ``None + 1``) is no object
yet but a type and a string, and the string is taken for an exception.

So none leaves an override: it goes to ``sys.excepthook``, and Qt is answered with nothing.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from shiboken6 import Shiboken


def guard() -> None:
    """Have the overrides of every class of Qt's that is made from now on tell and not raise."""
    setattr(Shiboken.Object, "__init_subclass__", classmethod(_made))  # noqa: B010


def _made(cls: Any, /, **arguments: Any) -> None:
    super(Shiboken.Object, cls).__init_subclass__(**arguments)
    for name, value in list(vars(cls).items()):
        if isinstance(value, FunctionType) and _is_qts(cls, name):
            setattr(cls, name, _guarded(value, _nothing(name, value)))


def _is_qts(cls: type, name: str) -> bool:
    """Tell whether a method may be called by Qt: it stands in a class of C++ too."""
    return not name.startswith("__") and any(
        name in vars(base) and not isinstance(vars(base)[name], FunctionType)
        for base in cls.__mro__[1:]
    )


def _guarded(method: FunctionType, nothing: Callable[[], Any] | None) -> Any:
    @functools.wraps(method)
    def override(*args: Any, **named: Any) -> Any:
        try:
            return method(*args, **named)
        except Exception as error:  # to be met makes it an object
            if nothing is None:
                raise
            sys.excepthook(type(error), error, error.__traceback__)
            return nothing()

    return override


def _no_size() -> Any:
    from PySide6.QtCore import QSize

    return QSize()


def _none() -> None:
    return None


# By what a method says that it returns; those of libraries say nothing, but events have names.
_BY_TYPE: dict[str, Callable[[], Any]] = {
    "None": _none,
    "Any": _none,
    "object": _none,
    "bool": bool,
    "int": int,
    "QSize": _no_size,
}
_BOOLEAN = frozenset(["event", "eventFilter", "nativeEvent", "sceneEvent", "viewportEvent"])


def _nothing(name: str, method: FunctionType) -> Callable[[], Any] | None:
    """Return what makes the answer of a method that failed; None where there is none."""
    said = method.__annotations__.get("return", "")
    said = said if isinstance(said, str) else getattr(said, "__name__", str(said))
    if said in _BY_TYPE:
        return _BY_TYPE[said]
    if name in _BOOLEAN:
        return bool
    return _none if name.endswith("Event") or name == "paint" else None
