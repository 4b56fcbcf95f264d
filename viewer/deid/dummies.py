"""Values that stand for others and tell nothing (action D of PS3.15 E.1), valid for their VR."""

from __future__ import annotations

import re
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from viewer.deid.keyed import Keys

TEXT = "REMOVED"
_NUMBERS = frozenset({"FD", "FL", "SS", "US", "SL", "UL", "SV", "UV"})
_VALUES = {
    "AS": "000Y",
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "DS": "0",
    "IS": "0",
    "UR": "http://removed.invalid",  # RFC 2606
    "AT": 0,
}
_BYTES = b"\0\0"
_OF_THE_STANDARD = re.compile(r"1\.2\.840\.10008(\.\d+)+")


def set_dummy(element: DataElement, keys: Keys) -> None:
    """Put a value that tells nothing in place of an element's own."""
    if element.VR == "SQ":
        for item in element.value or ():
            _dummy_item(item, keys)
        return
    element.value = _value(element, keys)


def _dummy_item(item: Dataset, keys: Keys) -> None:
    for tag in list(item.keys()):
        try:
            element = item[tag]
        except Exception:
            del item[tag]
            continue
        if element.tag.is_private:
            del item[tag]
        else:
            set_dummy(element, keys)


def _value(element: DataElement, keys: Keys) -> Any:
    vr = element.VR
    if vr == "UI":
        return uids(element.value, keys)
    if vr in _NUMBERS:
        return 0
    if vr in _VALUES:
        return _VALUES[vr]
    return _BYTES if vr.startswith("O") or vr == "UN" else TEXT


def uids(value: Any, keys: Keys) -> Any:
    """Return the UIDs in place of one or several; those of the standard itself stay."""
    if value is None or value == "":
        return value
    if isinstance(value, str):
        text = value.strip()
        return text if of_standard(text) else keys.uid(text)
    return [uids(one, keys) for one in value]


def of_standard(uid: str) -> bool:
    """Return whether a UID is one that the standard itself gave, such as of a SOP Class."""
    return _OF_THE_STANDARD.fullmatch(uid) is not None
