"""What two readings say otherwise, settled finding by finding; both parents stay as they are.

The result is a reading of its own. Each choice is one step of it: what makes the finding as the
choice says, and a note that names the choice, who made it, and of either reading the finding with
the number and SHA-256 of the last record on it. Two committed readings never change, so a pair is
known by the ids of its findings for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from inference.findings import Mask
from viewer.annotate import attributes, locks
from viewer.annotate.agreement import Agreement, Pair, said, stands
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.document_state import DocumentState
from viewer.annotate.edits import (
    AddLesion,
    DeleteLesion,
    Edit,
    Note,
    Reshape,
    SetLabel,
    SetNote,
    SetVerdict,
    Together,
)
from viewer.annotate.lesion import COMMENT, Decision, Lesion
from viewer.annotate.mask import difference, empty_mask

TOPIC = "adjudication"
LIMIT = 0.7  # Dice from which two outlines count as the same

# "both": where they agree, the outline being that of the first.
Choice = Literal["first", "second", "own", "both"]
Kind = Literal["one-only", "verdict", "label", "outline"]
_LIMIT_NOTE = "limit"
# Notes on a finding that go with it into the result.
_CARRIED = (COMMENT, attributes.TOPIC)


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """One of the two readings.

    Attributes
    ----------
    readers
        Who it is by.
    document
        How it was committed.
    links
        Number and SHA-256 of the last record on each of its lesions.
    """

    readers: tuple[str, ...]
    document: DocumentState
    links: Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Parents:
    """Both readings, and how far they agree."""

    first: Parent
    second: Parent
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Settlement:
    """What was chosen for one finding.

    Attributes
    ----------
    choice
        As it stands: what was changed since the choice is the adjudicator's own.
    lesion_id
        What it is in the result; None where it is not there.
    """

    choice: Choice
    reader: str
    utc: str
    lesion_id: str | None


def key_of(pair: Pair) -> str:
    """Return the id of a pair, the same in every session."""
    return "|".join("" if one is None else one.id for one in (pair.first, pair.second))


def kinds_of(pair: Pair, limit: float = LIMIT) -> tuple[Kind, ...]:
    """Return in what both readings differ; nothing where they agree.

    Parameters
    ----------
    limit
        Dice below which two outlines differ.
    """
    if stands(pair.first) != stands(pair.second):
        return ("one-only",)
    found: list[Kind] = []
    if said(pair.first) != said(pair.second):
        found.append("verdict")
    if pair.first is not None and pair.second is not None and stands(pair.first):
        if pair.first.label != pair.second.label:
            found.append("label")
        drawn = pair.first.empty == pair.second.empty
        if not drawn or (pair.dice is not None and pair.dice < limit):
            found.append("outline")
    return tuple(found)


def settlement(document: DocumentState, pair: Pair) -> Settlement | None:
    """Return what was chosen for a pair; None where nothing was."""
    note = document.notes(TOPIC).get(key_of(pair))
    return None if note is None else _read(document, note)


def choices_by_lesion(document: DocumentState) -> dict[str, Choice]:
    """Return what was chosen for each lesion of an adjudicated reading."""
    read = (_read(document, note) for note in document.notes(TOPIC).values())
    return {
        one.lesion_id: one.choice for one in read if one is not None and one.lesion_id is not None
    }


def is_open(document: DocumentState, pair: Pair) -> bool:
    """Tell whether a pair is still to be settled: no choice, or an own one without a verdict."""
    found = settlement(document, pair)
    if found is None:
        return True
    if found.choice != "own" or found.lesion_id is None:
        return False
    lesion = _lesion(document, found.lesion_id)
    return lesion is not None and lesion.live and not lesion.reviewed


def limit_of(document: DocumentState, otherwise: float = LIMIT) -> float:
    """Return the Dice below which outlines differ: that of the adjudication when it began."""
    value = document.notes(TOPIC).get(_LIMIT_NOTE, {}).get("dice")
    return float(value) if isinstance(value, int | float) else otherwise


def agreed_edit(
    document: AnnotationDocument, parents: Parents, limit: float, reader: str, utc: str
) -> Together | None:
    """Take over what both readings agree on, as one step that keeps the limit too.

    Returns
    -------
    Together or None
        None when there is nothing to take over any more.
    """
    parts: list[Edit] = []
    if _LIMIT_NOTE not in document.notes(TOPIC):
        parts.append(SetNote(TOPIC, _LIMIT_NOTE, None, {"dice": limit}))
    taken = _taken(document)
    for pair in parents.agreement.pairs:
        if not kinds_of(pair, limit) and settlement(document, pair) is None:
            parts += _parts(document, parents, pair, "both", reader, utc, taken)
    return Together("adjudicate-agreed", tuple(parts)) if parts else None


def settle_edit(
    document: AnnotationDocument,
    parents: Parents,
    pair: Pair,
    choice: Choice,
    reader: str,
    utc: str,
) -> Together | None:
    """Make a finding as one reading has it, or as the adjudicator himself makes it.

    An own one stays as it stands; where it is not in the list yet it begins as in the reading
    that has it.

    Returns
    -------
    Together or None
        None when that is how it is.

    Raises
    ------
    Problem
        When its outline is locked.
    """
    found = settlement(document, pair)
    if found is not None and found.choice == choice:
        return None
    parts = _parts(document, parents, pair, choice, reader, utc, _taken(document))
    for part in parts:
        for target_id in locks.changes(part):
            if locks.is_locked(document, target_id):
                raise locks.refusal(target_id)
    return Together(f"adjudicate-{choice}", tuple(parts))


# ---------------------------------------------------------------------- inside


def _parts(
    document: AnnotationDocument,
    parents: Parents,
    pair: Pair,
    choice: Choice,
    reader: str,
    utc: str,
    taken: set[str],
) -> list[Edit]:
    now = _standing(document, pair)
    parent = parents.second if choice == "second" else parents.first
    wanted = pair.second if choice == "second" else pair.first
    if choice == "own":
        made: list[Edit] = []
        lesion_id = now.id if now is not None and now.live else None
        if lesion_id is None:
            parent = parents.first if pair.first is not None else parents.second
            lesion_id, made = _like(document, parent, pair.either, now, None, taken)
            made = [part for part in made if not isinstance(part, SetVerdict)]
    elif wanted is None:
        lesion_id = now.id if now is not None else None
        made = [DeleteLesion(now.id)] if now is not None and not now.deleted else []
    else:
        decision = Decision()
        if wanted.verdict is not None:
            decision = Decision(wanted.verdict, reader, utc, wanted.decision.reason)
        lesion_id, made = _like(document, parent, wanted, now, decision, taken)
    if lesion_id is not None:
        taken.add(lesion_id)
    key = key_of(pair)
    digest = _digest(wanted) if choice != "own" else ""
    note = {
        "choice": choice,
        "reader": reader,
        "utc": utc,
        "lesion": lesion_id,
        "result": digest,
        "parents": {
            "first": _origin(parents.first, pair.first, pair),
            "second": _origin(parents.second, pair.second, pair),
        },
    }
    return [SetNote(TOPIC, key, document.notes(TOPIC).get(key), note), *made]


def _like(
    document: AnnotationDocument,
    parent: Parent,
    wanted: Lesion,
    now: Lesion | None,
    decision: Decision | None,
    taken: set[str],
) -> tuple[str, list[Edit]]:
    """Return the edits that make a finding as a parent has it, and its id in the result."""
    made: list[Edit] = []
    before, mask, label = Decision(), empty_mask(), wanted.label
    if now is not None:
        lesion_id, before, mask, label = now.id, now.decision, now.mask, now.label
        if now.deleted:
            made.append(DeleteLesion(lesion_id, False))
    else:
        outlined = parent.document.outlined(wanted.id)
        lesion_id = _free("h" if outlined is None else "p", taken)
        number = document.next_number + len(taken) - len(document.record)
        if outlined is None:
            anchor, missed = wanted.anchor_lps_mm, wanted.missed_by_ai
            made.append(AddLesion(lesion_id, number, label, anchor, missed))
        else:
            made.append(replace(outlined, lesion_id=lesion_id, number=number))
            mask, label = outlined.outlined.mask, outlined.outlined.label
    if label != wanted.label:
        made.append(SetLabel(lesion_id, label, wanted.label))
    delta = difference(mask, wanted.mask)
    if delta is not None:
        made.append(Reshape(lesion_id, delta, TOPIC))
    if decision is not None and decision != before:
        made.append(SetVerdict(lesion_id, before, decision))
    for topic in _CARRIED:
        stood: Note = document.notes(topic).get(lesion_id)
        note: Note = parent.document.notes(topic).get(wanted.id)
        if stood != note:
            made.append(SetNote(topic, lesion_id, stood, note))
    return lesion_id, made


def _standing(document: AnnotationDocument, pair: Pair) -> Lesion | None:
    """Return the finding of the result that a pair became, deleted or not; None when none."""
    note = document.notes(TOPIC).get(key_of(pair))
    ids = [] if note is None or note.get("lesion") is None else [str(note["lesion"])]
    ids += [one.id for one in (pair.first, pair.second) if one is not None and one.run]
    known = [lesion for each in ids if (lesion := _lesion(document, each)) is not None]
    return next((one for one in known if not one.superseded), known[0] if known else None)


def _lesion(document: DocumentState, lesion_id: str) -> Lesion | None:
    try:
        return document.lesion(lesion_id)
    except KeyError:
        return None


def _taken(document: AnnotationDocument) -> set[str]:
    return {lesion.id for lesion in document.record}


def _free(letter: str, taken: set[str]) -> str:
    number = 1
    while f"{letter}{number}" in taken:
        number += 1
    return f"{letter}{number}"


def _origin(parent: Parent, lesion: Lesion | None, pair: Pair) -> dict[str, Any]:
    """Say what a parent has, and in which record it was written last."""
    known = pair.either.id if lesion is None and pair.either.run else None
    lesion_id = lesion.id if lesion is not None else known
    record, link = parent.links.get(lesion_id or "", (0, ""))
    return {
        "readers": list(parent.readers),
        "lesion": None if lesion is None else lesion.id,
        "record": record,
        "sha256": link,
    }


def _digest(lesion: Lesion | None) -> str:
    """Return what tells whether a finding is as it was chosen: verdict, label and voxels."""
    if lesion is None or not lesion.live:
        return ""
    told = repr((said(lesion), lesion.decision.reason, lesion.label))
    digest = hashlib.sha256(told.encode())
    if not lesion.empty:
        mask = Mask.from_array(lesion.mask.voxels, lesion.mask.origin_kji)
        digest.update(repr((mask.origin_kji, mask.voxels.shape)).encode() + mask.voxels.tobytes())
    return digest.hexdigest()[:16]


def _read(document: DocumentState, note: Mapping[str, Any]) -> Settlement | None:
    choice = note.get("choice")
    if choice not in get_args(Choice):
        return None  # of another version
    known = note.get("lesion")
    lesion = None if known is None else _lesion(document, str(known))
    if choice != "own" and _digest(lesion) != note.get("result", ""):
        choice = "own"
    live = lesion is not None and lesion.live
    return Settlement(
        cast(Choice, choice),
        str(note.get("reader", "")),
        str(note.get("utc", "")),
        lesion.id if lesion is not None and live else None,
    )
