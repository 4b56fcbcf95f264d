"""Identity in text: the words of one patient, looked for, and words known to be harmless."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from pydicom.dataset import Dataset

import resources

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
# Sizes, kernels' strengths, phases: "1.25", "5mm", "120kV", "70%"; never a date or a number
# of three digits and more without a unit.
_UNITS = "mm|cm|s|sec|kv|kvp|ma|mas|ml|hu|%"
_FIGURE = re.compile(rf"\d{{1,2}}(?:[.,]\d{{1,3}})?|\d{{1,4}}(?:[.,]\d+)?(?:{_UNITS})")
_PIECE = re.compile(r"[^\s_/\\^,;:()\[\]+&-]+")
# Patient ID, other IDs, accession, issuer, birth date, study ID, admission: what tells of one.
_IDENTIFIERS = (
    0x00080050, 0x00080080, 0x00100020, 0x00100030, 0x00101000, 0x00101040, 0x00101090,
    0x00102154, 0x00102155, 0x00380010, 0x00200010,
)  # fmt: skip
_PARTS = frozenset({0x00100020, 0x00101000})
_SHORTEST, _INSIDE = 3, 5
# Stands in place of a name already, also where this program put it; and the program itself.
_NOBODY = frozenset({
    "anonymous", "anonymised", "anonymized", "deidentified", "default", "hidden", "masked", "name",
    "noname", "none", "null", "overread", "patient", "removed", "research", "subject", "test",
    "unknown", "unnamed",
})  # fmt: skip


@cache
def harmless() -> frozenset[str]:
    """Return words, in lower case, that a description may keep: anatomy, technique, direction."""
    words: list[str] = resources.table("harmless_words")["words"]
    return frozenset(words)


def cleaned(text: str) -> str:
    """Return of a description the words and figures that are known to be harmless, in order."""
    kept = []
    for piece in _PIECE.findall(text):
        word = piece.strip(".'\"").lower()
        if word in harmless() or _FIGURE.fullmatch(word):
            kept.append(piece.strip("'\""))
    return " ".join(kept)


class Identity:
    """What of one data set tells who the patient and the staff are.

    Attributes
    ----------
    words
        In lower case, longest first.
    """

    def __init__(self, dataset: Dataset) -> None:
        found: set[str] = set()
        self._collect(dataset, found)
        self.words = tuple(sorted(found, key=len, reverse=True))
        patterns = [_pattern(word) for word in self.words]
        self._pattern = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def in_text(self, text: str) -> bool:
        """Return whether a text holds one of the words."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def long_words(self) -> tuple[str, ...]:
        """Return the words that stand for nothing else: five letters or digits and more."""
        return tuple(word for word in self.words if len(word) >= _INSIDE)

    def _collect(self, dataset: Dataset, found: set[str]) -> None:
        for tag in list(dataset.keys()):
            try:
                element = dataset[tag]
            except Exception:  # what cannot be read is removed later
                continue
            if element.VR == "SQ":
                for item in element.value or ():
                    self._collect(item, found)
            elif element.VR == "PN" or int(tag) in _PARTS:
                for value in _texts(element.value):
                    _add(found, _WORD.findall(value))
                    _add(found, [value.strip()])
            elif int(tag) in _IDENTIFIERS:
                _add(found, [value.strip() for value in _texts(element.value)])


def _pattern(word: str) -> str:
    if word.isdigit():  # not as a part of another number or UID
        return rf"(?<![\d.]){word}(?![\d.])"
    if len(word) < _INSIDE:  # a short name may begin another word
        return rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"
    return re.escape(word)  # a long one hides in "DOEJANE_CHEST"


def _add(found: set[str], words: Iterable[str]) -> None:
    for word in words:
        lower = word.lower()
        nobody = all(part in _NOBODY or part in harmless() for part in _WORD.findall(lower))
        if len(lower) >= _SHORTEST and not nobody:
            found.add(lower)


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    several = value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]
    return [str(one) for one in several]  # type: ignore[attr-defined]
