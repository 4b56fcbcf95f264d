"""The tables of the standard that highdicom checks files by, read without holding up a window.

They are one JSON file of 23 MB. Decoded at once, as highdicom does, no other thread of Python
runs for half a second.
"""

from __future__ import annotations

import gc
import json
import re
from types import SimpleNamespace
from typing import Any

_WHITE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def prepare() -> None:
    """Read the tables piece by piece into highdicom's own cache, if they are not there yet."""
    from highdicom import _standard_utils as theirs

    cached = getattr(theirs, "get_module_attribute_map", None)
    if cached is None or not hasattr(cached, "cache_info") or cached.cache_info().currsize:
        return  # read before, or another highdicom, which reads them itself
    collecting = gc.isenabled()
    gc.disable()  # two million objects that all stay: no need to walk them again and again
    names = vars(theirs)
    kept = names["json"]
    names["json"] = SimpleNamespace(loads=loads_in_pieces)
    try:
        cached()
    finally:
        names["json"] = kept
        gc.freeze()
        if collecting:
            gc.enable()


def loads_in_pieces(text: str) -> Any:
    """Decode JSON as ``json.loads`` does: the members of an object, and of lists in it, one by one.

    Raises
    ------
    ValueError
        When it is no JSON.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        return json.loads(text)
    out: dict[str, Any] = {}
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if not isinstance(key, str) or text[at : at + 1] != ":":
            raise ValueError("no member of an object")
        out[key], at = _value(text, _skip(text, at + 1))
        at = _next(text, at, "}")
    if _skip(text, at + 1) != len(text):
        raise ValueError("more than an object")
    return out


def _value(text: str, at: int) -> tuple[Any, int]:
    """Decode one value; a list by its members, for one of them alone took 70 ms."""
    if text[at : at + 1] != "[":
        return _DECODER.raw_decode(text, at)
    out = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        member, at = _DECODER.raw_decode(text, at)
        out.append(member)
        at = _next(text, at, "]")
    return out, at + 1


def _next(text: str, at: int, end: str) -> int:
    """Go on behind a member: to the next one, or to the end of what holds it."""
    at = _skip(text, at)
    if text[at : at + 1] == end:
        return at
    if text[at : at + 1] != ",":
        raise ValueError("no end of an object or a list")
    at = _skip(text, at + 1)
    if text[at : at + 1] == end:
        raise ValueError("a member is missing")
    return at


def _skip(text: str, at: int) -> int:
    found = _WHITE.match(text, at)
    return found.end() if found is not None else at
