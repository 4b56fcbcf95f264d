"""Which attribute goes how: PS3.15 Table E.1-1 as data, its options, and what it leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydicom.datadict import dictionary_has_tag
from pydicom.tag import BaseTag

import resources
from viewer.deid.options import Options

Action = Literal["remove", "empty", "dummy", "uid", "inside", "keep", "shift", "words", "age"]
"""``inside``: a sequence stays, and what is in it goes by its own rules. ``words``: of a text the
words that are known to be harmless stay."""
Why = Literal["profile", "option", "private", "unknown", "free-text", "other"]
"""``profile``: Table E.1-1. ``unknown``: not in the standard's dictionary. ``free-text``: a person
may have written anything. ``other``: the table is silent and nothing speaks against it."""

_DATES = frozenset({"DA", "DT"})
_TEXT = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "CS"})
_FREE = frozenset({"LT", "ST", "UT", "UC", "UR", "PN", "AE", "AS", "UN"})
_BYTES = frozenset({"OB", "OW", "OF", "OD", "OL", "OV"})
# Pixels and their tables, surfaces, presentation, waveforms.
_BYTE_GROUPS = frozenset({0x0028, 0x0066, 0x0070, 0x5400, 0x7FE0})
_AGE = 0x00101010
_OFFSET_FROM_UTC = 0x00080201
# What kind of object it is, or refers to: also where a maker defined the class.
_CLASSES = frozenset({0x00080016, 0x0008001A, 0x0008001B, 0x00081150})
# Said anew of every data set.
_SAID = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})


@dataclass(frozen=True, slots=True)
class Rule:
    """What befalls one element, and why."""

    action: Action
    why: Why


@cache
def _table() -> tuple[dict[int, str], dict[str, frozenset[int]]]:
    table = resources.table("deidentification")
    actions = {int(tag, 16): code for code, tags in table["actions"].items() for tag in tags}
    options = {
        f"{name}:{how}": frozenset(int(tag, 16) for tag in tags)
        for name, column in table["options"].items()
        for how, tags in column.items()
    }
    return actions, options


@cache
def _types(sop_class: str) -> dict[int, str] | None:
    table = resources.table("deidentification")
    iod = table["iods"].get(sop_class)
    if iod is None:
        return None
    return {int(tag, 16): kind for kind, tags in table["types"][iod].items() for tag in tags}


def listed(tag: int) -> bool:
    """Return whether Table E.1-1 has a row for an attribute."""
    return tag in _table()[0]


def is_class(tag: int) -> bool:
    """Return whether an attribute says what kind of object it is, or is referred to."""
    return tag in _CLASSES


def rule(tag: BaseTag, vr: str, options: Options, sop_class: str = "") -> Rule:
    """Return what befalls an element.

    Parameters
    ----------
    sop_class
        SOP Class UID of the data set at its top level; empty inside of sequences, where
        nothing is known of types and the milder of two actions keeps the object whole.
    """
    if tag.is_private:
        return Rule("remove", "private")
    if 0x5000 <= tag.group <= 0x50FF or 0x6000 <= tag.group <= 0x60FF or tag in _SAID:
        return Rule("remove", "profile")  # curves and overlays whole, their labels too
    if tag.element == 0:  # lengths of groups, retired
        return Rule("remove", "other")
    if not dictionary_has_tag(tag):
        return Rule("remove", "unknown")
    kept = _kept(tag, vr, options)
    if kept is not None:
        return Rule(kept, "option")
    code = _table()[0].get(int(tag))
    if code is not None:
        return Rule(_basic(code, int(tag), sop_class), "profile")
    return _unlisted(tag, vr, options)


def _kept(tag: int, vr: str, options: Options) -> Action | None:
    """Return what an option has instead of the Basic Profile; None where none speaks."""
    columns, keep = _table()[1], options.keep
    if tag in columns["dates:clean"] and vr in (*_DATES, "TM"):
        if "dates" in keep:
            return "shift" if vr in _DATES else "keep"
        return None  # also where the device's own dates might stay
    if "dates" in keep and tag == _OFFSET_FROM_UTC:
        return "keep"
    if "uids" in keep and tag in columns["uids:keep"]:
        return "inside" if vr == "SQ" else "keep"
    if "device" in keep and tag in columns["device:keep"]:
        return "inside" if vr == "SQ" else "keep"
    if "characteristics" in keep and tag in columns["characteristics:keep"]:
        return "age" if vr == "AS" or tag == _AGE else "keep"
    if "structure" in keep and tag in columns["structure:clean"]:
        return "inside"
    described = ("descriptions", "characteristics")
    if vr in _TEXT and any(o in keep and tag in columns[f"{o}:clean"] for o in described):
        return "words"
    return None


def _basic(code: str, tag: int, sop_class: str) -> Action:
    """Resolve a compound action by the type that the IOD gives the attribute (PS3.15 E.1)."""
    if code == "X/Z/U":
        return "inside"
    choices = code.split("/")
    wanted: dict[str, Action] = {"X": "remove", "Z": "empty", "D": "dummy", "U": "uid"}
    if len(choices) == 1:
        return wanted[code]
    types = _types(sop_class)
    if types is None:
        return wanted[choices[-1]]
    kind = types.get(tag, "3")
    if kind == "1":
        return wanted[choices[-1]]
    return "empty" if kind == "2" and "Z" in choices else wanted[choices[0]]


def _unlisted(tag: BaseTag, vr: str, options: Options) -> Rule:
    if vr == "SQ":
        return Rule("inside", "other")
    if vr == "UI":
        if tag in _CLASSES:
            return Rule("keep", "other")
        return Rule("keep" if "uids" in options.keep else "uid", "other")
    if vr in _FREE:
        # The words of reports stay, as far as they are known.
        structured = "structure" in options.keep and vr in _TEXT
        return Rule("words" if structured else "remove", "free-text")
    if vr in _DATES:
        return Rule("shift" if "dates" in options.keep else "remove", "other")
    if vr == "TM":
        return Rule("keep" if "dates" in options.keep else "remove", "other")
    if vr in _BYTES and tag.group not in _BYTE_GROUPS:
        return Rule("remove", "unknown")
    return Rule("keep", "other")
