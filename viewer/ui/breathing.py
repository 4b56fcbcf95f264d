"""Loading of large modules in a thread without holding up the window.

Python changes threads between two steps of its own only at calls and at the ends of loops. A
module that is one dictionary of thousands of lines has neither: while ``pydicom.sr``'s tables of
codes are loaded, and the collector of garbage walks all that is made again and again, no other
thread runs for a tenth of a second.
"""

from __future__ import annotations

import gc
import importlib
import sys
from types import FrameType
from typing import Any

# Bytes of code of a module from which on it is worth it.
_LARGE = 50_000


def load(*names: str) -> None:
    """Import modules; other threads of Python may run at every line of large ones.

    Off the GUI thread. What is loaded stays: the collector need not look at it again.
    """
    if all(name in sys.modules for name in names):
        return
    before, collecting = sys.gettrace(), gc.isenabled()
    gc.disable()
    if before is None:  # a debugger or a measure of coverage comes first
        sys.settrace(_at_call)
    try:
        for name in names:
            importlib.import_module(name)
    finally:
        sys.settrace(before)
        gc.freeze()
        if collecting:
            gc.enable()


def _at_call(frame: FrameType, _event: str, _argument: Any) -> Any:
    code = frame.f_code
    large = code.co_name == "<module>" and len(code.co_code) > _LARGE
    return _at_line if large else None


def _at_line(_frame: FrameType, _event: str, _argument: Any) -> Any:
    # To be called is all: that is where Python lets another thread go on.
    return _at_line
