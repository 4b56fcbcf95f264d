"""Looking for identity in a written file, by reading it again: nothing is taken from the writer."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Literal

import pydicom
from pydicom.dataset import Dataset

from viewer.deid.dataset import Outcome, original_uids

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
    Words are looked for in every byte before the pixels, the file meta information and what the
    reader makes nothing of included; UIDs and private elements in every element.
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
    return "private" if _private(dataset) else ""


def _private(dataset: Dataset) -> bool:
    for element in dataset:
        if element.tag.is_private:
            return True
        if element.VR == "SQ" and any(_private(item) for item in element.value or ()):
            return True
    return False


def _in_bytes(start: bytes, outcome: Outcome) -> Found:
    lower = start.lower()
    # The pseudonym is random letters, and may hold a short name by chance.
    lower = lower.replace(outcome.pseudonym.lower().encode(), b"")
    if any(uid.encode() in start for uid in outcome.uids if len(uid) >= 16):
        return "uid"
    for word in outcome.identity.long_words():
        # Of bytes, only the letters of ASCII have a lower case.
        for form, encoding in product({word, word.upper(), word.title()}, _ENCODINGS):
            try:
                coded = form.encode(encoding).lower()
            except UnicodeEncodeError:
                continue
            # A number counts when it stands alone: UIDs are full of numbers.
            pattern = rb"(?<![\d.])%s(?![\d.])" % coded if word.isdigit() else re.escape(coded)
            if re.search(pattern, lower):
                return "identity"
    return ""
