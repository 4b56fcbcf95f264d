"""Looking for identity in a written file, by reading it again: nothing is taken from the writer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from viewer.deid.dataset import METHOD, Outcome, original_uids
from viewer.deid.dummies import TEXT
from viewer.deid.options import MEANINGS

_TEXTS = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UN", "UR", "UT"})
# What the program itself writes into every file.
_OWN = (METHOD, TEXT, *MEANINGS)
_ENCODINGS = ("utf-8", "latin-1", "gb18030", "shift_jis", "euc_kr")

Found = Literal["", "identity", "uid", "private", "unreadable"]
"""What a check found: a word of the patient or staff, an original UID, a private element."""


def look(path: Path, outcome: Outcome) -> Found:
    """Return what is left in a file that must not be; empty when nothing is.

    Parameters
    ----------
    outcome
        What is known of the data set before it was changed.

    Notes
    -----
    Words of letters are looked for in every byte before the pixels, the file meta information
    included; numbers and short names in every text; UIDs and private elements everywhere.
    """
    try:
        with path.open("rb") as stream:
            dataset = pydicom.dcmread(stream, stop_before_pixels=True)
            end = stream.tell()
            stream.seek(0)
            start = stream.read(end)
        if any(start[:128]):
            return "unreadable"
        return _of(dataset, outcome) or _in_bytes(start, outcome)
    except Exception:  # of a malformed file pydicom raises nearly anything
        return "unreadable"


def _of(dataset: Dataset, outcome: Outcome) -> Found:
    if outcome.uids & {*original_uids(dataset), *original_uids(dataset.file_meta)}:
        return "uid"
    elements = [*_elements(dataset), *_elements(dataset.file_meta)]
    if any(element.tag.is_private for element in elements):
        return "private"
    # Short names and numbers, which the bytes may hold by chance.
    texts = (str(element.value) for element in elements if element.VR in _TEXTS)
    own = (*_OWN, outcome.pseudonym)
    if any(text not in own and outcome.identity.in_text(text) for text in texts):
        return "identity"
    return ""


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _elements(item)


def _in_bytes(start: bytes, outcome: Outcome) -> Found:
    lower = start.lower()
    # Some patient is called Table or Basic, and the pseudonym is letters by chance.
    for own in (outcome.pseudonym, *_OWN):
        lower = lower.replace(own.lower().encode(), b"")
    # A UID may be the root of another.
    for uid in outcome.uids:
        if re.search(rb"(?<![\d.])%s(?![\d.])" % re.escape(uid.encode()), start):
            return "uid"
    for word in outcome.identity.long_words():
        if word.isdigit():
            continue
        # Of bytes, only the letters of ASCII have a lower case.
        for form, encoding in product({word, word.upper(), word.title()}, _ENCODINGS):
            try:
                if form.encode(encoding).lower() in lower:
                    return "identity"
            except UnicodeEncodeError:
                continue
    return ""
