"""Exceptions that leave a Python override of a method of Qt end no program.

Before Python 3.12 an exception that the interpreter or a C function raises is no object yet while
no ``except`` or ``finally`` has met it: ``[][0]`` or ``None + 1`` travels as a type and a string.
PySide (6.11, ``sbkerrors.cpp``, ``prependToExceptionMessage``) takes the string for an exception
when the override was called from Python through Qt, as in ``processEvents``, ``repaint`` or
``grab``, and the program ends with a segmentation fault instead of a line in the log.
"""

from __future__ import annotations

import functools
import sys
from types import FunctionType
from typing import Any

from shiboken6 import Shiboken


def guard() -> None:
    """Have every class of Qt's that is made from now on raise whole exceptions."""
    if sys.version_info < (3, 12):
        setattr(Shiboken.Object, "__init_subclass__", classmethod(_made))  # noqa: B010


def _made(cls: Any, /, **arguments: Any) -> None:
    super(Shiboken.Object, cls).__init_subclass__(**arguments)
    for name, value in list(vars(cls).items()):
        if isinstance(value, FunctionType) and _is_qts(cls, name):
            setattr(cls, name, _whole(value))


def _is_qts(cls: type, name: str) -> bool:
    """Tell whether a method may be called by Qt: it stands in a class of C++ too."""
    return not name.startswith("__") and any(
        name in vars(base) and not isinstance(vars(base)[name], FunctionType)
        for base in cls.__mro__[1:]
    )


def _whole(method: FunctionType) -> Any:
    @functools.wraps(method)
    def override(*args: Any, **named: Any) -> Any:
        try:
            return method(*args, **named)
        except BaseException:
            raise  # to have met it is all: that makes it an object

    return override
