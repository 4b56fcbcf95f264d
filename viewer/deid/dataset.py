"""Taking the identity out of one data set, element by element, and keeping a record of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydicom.datadict import dictionary_description
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from viewer.deid import rules
from viewer.deid.dummies import TEXT, of_standard, set_dummy, uids
from viewer.deid.keyed import Keys, shifted
from viewer.deid.options import Options
from viewer.deid.words import Identity, cleaned

METHOD = "Overread: PS3.15 Annex E, table of 2026c"
_PATIENT = frozenset({0x00100010, 0x00100020})
_SWEPT = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "CS"})
# Enumerated by the standard: a person's name that equals one of their words is no reason.
_FIXED = frozenset(
    {
        0x00080005,
        0x00080008,
        0x00080060,
        0x00280004,
        0x00185100,
        0x00100040,
        0x0040A010,
        0x0040A040,
        0x0040A050,
    }
)
# Wider than PS3.5 6.2 has it: "SE/IR" is common.
_CS = re.compile(r"[A-Za-z0-9_ ./+-]{0,16}")
_UID = re.compile(r"\d+(?:\.\d+)+")
_AGE = re.compile(r"(\d{3})([DWMY])")
_OLDEST_YEARS = 90

Entry = tuple[str, str, str]
"""Tag such as ``"(0010,0010)"``, what was done, and why."""


@dataclass(slots=True)
class Record:
    """What befalls the elements of a data set: how often each entry came up."""

    entries: Counter[Entry] = field(default_factory=Counter)

    def note(self, tag: BaseTag, action: str, why: str) -> None:
        """Count an element. Private tags are counted by their group: numbers are the maker's."""
        name = f"({tag.group:04X},gggg)" if tag.is_private else str(tag).upper()
        self.entries[(name, action, why)] += 1


def name_of(tag: str) -> str:
    """Return the standard's name of a tag as an entry has it; empty for a private one."""
    try:
        return dictionary_description(int(tag[1:5] + tag[6:10], 16))
    except (ValueError, KeyError):
        return ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A data set that was changed.

    Attributes
    ----------
    patient
        What the patient was known by: identifier, or what stood for it.
    pseudonym
        What he is called now.
    identity
        Words that must not be found in it any more.
    uids
        The UIDs that must not, either; empty when they were to stay.
    record
        What befell its elements.
    """

    patient: str = field(repr=False)
    pseudonym: str
    identity: Identity = field(repr=False)
    uids: frozenset[str] = field(repr=False)
    record: Record


class Deidentifier:
    """Applies the profile; one for all data sets that are to fit each other."""

    def __init__(self, keys: Keys, options: Options) -> None:
        self.keys = keys
        self.options = options

    def apply(self, dataset: Dataset, *, pixels: bool = False) -> Outcome:
        """Take the identity out of a data set, in place; its pixels stay as they are.

        Parameters
        ----------
        dataset
            As read from a file; its file meta information is made anew by who writes it.
        pixels
            Whether a person vouches for its pixels.
        """
        patient = patient_of(dataset)
        identity = Identity(dataset)
        found = frozenset() if "uids" in self.options.keep else frozenset(original_uids(dataset))
        walk = _Walk(self, identity, self.keys.patient(patient), self.keys.shift_days(patient))
        walk.uids = found
        walk.level(dataset, str(dataset.get("SOPClassUID", "")).strip() or "?")
        dataset.PatientName = dataset.PatientID = walk.pseudonym
        self._say(dataset, pixels)
        return Outcome(patient, walk.pseudonym, identity, found, walk.record)

    def _say(self, dataset: Dataset, pixels: bool) -> None:
        """Say what was done (PS3.15 E.1.1; PS3.3 C.7.1.1, C.7.6.1, C.12.1)."""
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = METHOD
        items = []
        for value, meaning in self.options.codes(pixels=pixels):
            item = Dataset()
            item.CodeValue, item.CodingSchemeDesignator = value, "DCM"
            item.CodeMeaning = meaning
            items.append(item)
        dataset.DeidentificationMethodCodeSequence = items
        shift = "dates" in self.options.keep
        dataset.LongitudinalTemporalInformationModified = "MODIFIED" if shift else "REMOVED"
        if pixels and "PixelData" in dataset:
            dataset.BurnedInAnnotation = "NO"


def patient_of(dataset: Dataset) -> str:
    """Return what a patient is known by: identifier, else name and birth date, else the study."""
    for keywords in (("PatientID",), ("PatientName", "PatientBirthDate"), ("StudyInstanceUID",)):
        text = "/".join(str(dataset.get(keyword) or "").strip() for keyword in keywords)
        if text.strip("/"):
            return text
    return str(dataset.get("SOPInstanceUID", ""))


def original_uids(dataset: Dataset) -> Iterable[str]:
    """Yield the UIDs of a data set and all that is in it, but for those of the standard."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:
            continue
        if element.VR == "SQ":
            for item in element.value or ():
                yield from original_uids(item)
        elif element.VR == "UI" and element.value and not rules.is_class(tag):
            several = [element.value] if isinstance(element.value, str) else element.value
            texts = (str(one).strip() for one in several)
            # One component is no UID, though some files have a 0 there.
            yield from (text for text in texts if "." in text and not of_standard(text))


class _Walk:
    """One way through a data set."""

    def __init__(
        self, by: Deidentifier, identity: Identity, pseudonym: str, shift_days: int
    ) -> None:
        self.keys, self.options = by.keys, by.options
        self.identity = identity
        self.pseudonym = pseudonym
        self.shift_days = shift_days
        self.record = Record()
        self.uids: frozenset[str] = frozenset()

    def level(self, dataset: Dataset, sop_class: str) -> None:
        """Treat every element of a data set; ``sop_class`` is empty inside of sequences."""
        for tag in list(dataset.keys()):
            try:
                element = dataset[tag]
            except Exception:  # pydicom raises nearly anything of a malformed value
                del dataset[tag]
                self.record.note(tag, "removed", "unreadable")
                continue
            rule = rules.rule(element.tag, element.VR, self.options, sop_class)
            if int(tag) in _PATIENT and rule.action != "remove":
                element.value = self.pseudonym
                self.record.note(tag, "pseudonym", rule.why)
            elif rule.action == "remove":
                del dataset[tag]
                self.record.note(tag, "removed", rule.why)
            else:
                self._change(dataset, element, rule)

    def _change(self, dataset: Dataset, element: DataElement, rule: rules.Rule) -> None:
        try:
            done = getattr(self, f"_{rule.action}")(element)
            why: str = rule.why
            if element.VR == "CS" and not all(map(_CS.fullmatch, _texts(element))):
                done, why = self._dummy(element), "no code"
            elif element.VR in _SWEPT and element.tag not in _FIXED and self._tells(element):
                done, why = self._dummy(element), "identity found"
        except Exception:  # such as a number out of the range of its VR
            done, why = "removed", "unreadable"
        if done == "removed":
            del dataset[element.tag]
        self.record.note(element.tag, done, why)

    def _empty(self, element: DataElement) -> str:
        element.value = [] if element.VR == "SQ" else None
        return "emptied"

    def _dummy(self, element: DataElement) -> str:
        set_dummy(element, self.keys)
        return "replaced"

    def _uid(self, element: DataElement) -> str:
        element.value = uids(element.value, self.keys)
        return "UID replaced"

    def _inside(self, element: DataElement) -> str:
        for item in element.value or ():
            self.level(item, "")
        return "cleaned inside"

    def _keep(self, element: DataElement) -> str:
        return "kept"

    def _shift(self, element: DataElement) -> str:
        moved = [shifted(text, self.shift_days) for text in _texts(element)]
        if not all(moved):
            return "removed"
        element.value = moved if len(moved) > 1 else moved[0] if moved else None
        return "shifted"

    def _words(self, element: DataElement) -> str:
        # The table leaves no text of a report without one: its value is required.
        rest = "" if rules.listed(element.tag) else TEXT
        texts = [cleaned(text) or rest for text in _texts(element)]
        element.value = texts if len(texts) > 1 else (texts[0] if texts else None)
        return "known words kept"

    def _age(self, element: DataElement) -> str:
        found = _AGE.fullmatch(str(element.value or ""))
        if found is None:
            return "removed"
        if found.group(2) == "Y" and int(found.group(1)) > _OLDEST_YEARS:
            element.value = f"{_OLDEST_YEARS:03d}Y"  # the few who are older can be told
            return "capped"
        return "kept"

    def _tells(self, element: DataElement) -> bool:
        """Return whether a text that stays names the patient."""
        own = (TEXT, self.pseudonym)
        texts = [text for text in _texts(element) if text not in own]
        if any(self.identity.in_text(text) for text in texts):
            return True
        return any(uid in self.uids for text in texts for uid in _UID.findall(text))


def _texts(element: DataElement) -> list[str]:
    value: Any = element.value
    if value is None or value == "":
        return []
    return [str(value)] if isinstance(value, str) else [str(one) for one in value]
