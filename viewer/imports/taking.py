"""One edit out of what a reader chose of files: ids, numbers, labels, decisions."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference import geometry
from resources import bundled_table, labels, table
from resources.problem import Problem
from resources.text import translate
from viewer.annotate.attributes import TERMS
from viewer.annotate.document_state import DocumentState
from viewer.annotate.imported import AddImported, ImportedOutline
from viewer.annotate.lesion import VERDICTS, Decision, Point
from viewer.imports.held import Coded, HeldFile, HeldOutline

_STRUCTURE: Coded = ("123037004", "SCT", "Anatomical Structure")
_ABNORMAL: Coded = ("49755003", "SCT", "Morphologically Abnormal Structure")
# Of outlines that come without a colour: Okabe and Ito's, but that of the nodule.
_COLOURS = ("#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
_NUMBERED = re.compile(r"(.+) ([1-9][0-9]{0,2})")


def read_blind() -> Problem:
    """Return why nothing is taken in while a case is read blind."""
    return Problem(
        translate("imports", "What others have outlined is hidden while this case is read blind."),
        translate("imports", "Commit your reading first."),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Outlines of one file that a reader ticked."""

    file: HeldFile
    outlines: tuple[HeldOutline, ...]


def import_edit(
    document: DocumentState, chosen: Sequence[Chosen], tracked: Mapping[str, str]
) -> AddImported | None:
    """Return the edit that takes outlines in, all in one step; None when nothing can be.

    Parameters
    ----------
    tracked
        Id in the case by Tracking UID, of what is there: no two of a case share one.
    """
    making = _Making(document, dict(tracked))
    making.reserve(one for each in chosen for one in each.outlines)
    sources = []
    for each in chosen:
        ids = [making.take(one) for one in each.outlines if one.usable]
        if ids:
            file = each.file
            sources.append(
                {
                    "kind": file.kind,
                    "system": file.system,
                    "description": file.description,
                    "uid": file.uid,
                    "outlines": ids,
                }
            )
    if not sources:
        return None
    known = document.notes(TERMS)
    terms = {key: term for key, term in making.terms.items() if key not in known}
    return AddImported(tuple(sources), tuple(making.outlines), terms)


class _Making:
    def __init__(self, document: DocumentState, tracked: dict[str, str]) -> None:
        self._document = document
        self._tracked = tracked
        taken = {lesion.id for lesion in document.record} | document.segment_ids
        used = [int(name[1:]) for name in taken if name[:1] == "i" and name[1:].isdecimal()]
        self._next_id = 1 + max(used, default=0)
        self._numbers = {lesion.number for lesion in document.record}
        self._reserved: set[int] = set()
        self.terms: dict[str, Mapping[str, Any]] = {}
        self.outlines: list[ImportedOutline] = []

    def reserve(self, outlines: Iterable[HeldOutline]) -> None:
        """Keep the numbers that findings have in their files for them."""
        self._reserved = {_told(one) for one in outlines if not one.anatomy}

    def take(self, one: HeldOutline) -> str:
        """Add one outline; return its id in the case."""
        new = f"i{self._next_id}"
        self._next_id += 1
        anatomy = one.anatomy and bool(one.mask.voxels.size)
        label = self._label(one, anatomy)
        about: dict[str, Any] = {
            "name": one.name,
            "number": one.number,
            "tracking_uid": one.tracking_uid,
            "tracking_id": one.tracking_id,
            "algorithm_type": one.algorithm_type,
            "algorithm": one.algorithm,
            "origin": one.origin,
        }
        if one.tracking_uid in self._tracked:
            about["tracking_uid"] = about["tracking_id"] = ""
        elif one.tracking_uid:
            self._tracked[one.tracking_uid] = new
        number = 0 if anatomy else self._number(one)
        self.outlines.append(
            ImportedOutline(
                new,
                number,
                label,
                anatomy,
                one.mask,
                self._point(one),
                Decision() if anatomy else _decision(one),
                {key: value for key, value in about.items() if value},
            )
        )
        return new

    def _number(self, one: HeldOutline) -> int:
        """Return the number that a finding had, else the next that is free."""
        number = _told(one)
        if number < 1 or number in self._numbers:
            number = max([self._document.next_number - 1, *self._numbers, *self._reserved]) + 1
        self._numbers.add(number)
        return number

    def _point(self, one: HeldOutline) -> Point:
        if one.point_lps_mm is not None:
            return one.point_lps_mm
        middle = np.argwhere(one.mask.voxels).mean(axis=0) + one.mask.origin_kji
        x, y, z = (float(v) for v in geometry.kji_to_lps_mm(self._document.affine, middle))
        return x, y, z

    def _label(self, one: HeldOutline, anatomy: bool) -> str:
        """Return the label that means the same; one of its own where there is none."""
        kind = "anatomy" if anatomy else "lesion"
        name = one.name
        if not anatomy and (told := _NUMBERED.fullmatch(name)):
            name = told.group(1)
        for key in labels.offered(kind):
            term = table("labels")[key]
            same = one.type is not None and list(one.type[:2]) == list(term["type"][:2])
            there = one.region is None or "region" not in term
            if same and (there or list(one.region or ())[:2] == list(term["region"][:2])):
                return key
            if one.type is None and name.casefold() == str(term["name"]).casefold():
                return key
        category = one.category or (_STRUCTURE if anatomy else _ABNORMAL)
        told_type = one.type or category
        digest = hashlib.sha256(
            json.dumps([kind, name, category, told_type, one.region]).encode()
        ).hexdigest()
        key = f"x_{digest[:16]}"
        if key not in self.terms:
            term = {
                "name": name or told_type[2] or str(one.number),
                "kind": kind,
                "colour": one.colour or _COLOURS[len(self.terms) % len(_COLOURS)],
                "category": list(category),
                "type": list(told_type),
            }
            if one.region is not None:
                term["region"] = list(one.region)
            self.terms[key] = term
        return key


def _told(one: HeldOutline) -> int:
    """Return the number in the name of a finding, such as of "Nodule 3"; 0 without one."""
    told = _NUMBERED.fullmatch(one.name)
    return int(told.group(2)) if told else 0


def _decision(one: HeldOutline) -> Decision:
    verdict: Any = one.verdict
    if verdict not in VERDICTS:
        return Decision()
    known = verdict == "rejected" and one.reason in bundled_table("rejection_reasons")
    return Decision(verdict, one.reader or None, one.utc or None, one.reason if known else "")
