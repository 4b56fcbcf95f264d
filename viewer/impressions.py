"""What a reader says of a case before he may see the AI: his first impression, a note. No Qt.

One a reader and case. It is never changed: undo ends at it (``edits.SEALED_TOPICS``), for what
was known once cannot be unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from resources.text import translate
from viewer.annotate import edits
from viewer.annotate.document import AnnotationDocument
from viewer.export.snapshot import FirstImpression

TOPIC = "first-impression"

# "skipped": the reader had the AI shown without having said anything.
Judgement = Literal["suspicious", "not-suspicious", "unsure", "skipped"]
_JUDGEMENTS: tuple[Judgement, ...] = get_args(Judgement)


@dataclass(frozen=True, slots=True)
class Impression:
    """What one reader said before he saw the AI.

    Attributes
    ----------
    reader
        Name of the reader; empty when he gave none.
    utc
        When he said it, ISO 8601.
    judgement
        Of the whole case.
    lesions_seen
        How many he saw, marked or not; None when he did not say.
    comment
        In his own words.
    lesion_ids
        Lesions that readers had marked by then.
    ai_had_run
        Whether a result of a model lay hidden in the case by then.
    """

    reader: str
    utc: str
    judgement: Judgement
    lesions_seen: int | None = None
    comment: str = ""
    lesion_ids: tuple[str, ...] = ()
    ai_had_run: bool = False

    def note(self) -> dict[str, Any]:
        """Return it as a note of the document."""
        return {
            "reader": self.reader,
            "utc": self.utc,
            "judgement": self.judgement,
            "lesions_seen": self.lesions_seen,
            "comment": self.comment,
            "lesions": list(self.lesion_ids),
            "ai_had_run": self.ai_had_run,
        }

    def text(self) -> str:
        """Return it in a line, such as ``"suspicious · 2 lesions seen"``."""
        parts = [judgement_text(self.judgement)]
        if self.lesions_seen is not None:
            parts.append(translate("impression", "lesions seen: {n}").format(n=self.lesions_seen))
        return " · ".join(parts)


def judgement_text(judgement: Judgement) -> str:
    """Return a judgement as it stands in a sentence."""
    return {
        "suspicious": translate("impression", "suspicious"),
        "not-suspicious": translate("impression", "not suspicious"),
        "unsure": translate("impression", "unsure"),
        "skipped": translate("impression", "AI shown before an impression was told"),
    }[judgement]


def of_reader(document: AnnotationDocument, reader: str) -> Impression | None:
    """Return what a reader said of a case before he saw the AI; None when he said nothing yet."""
    return next((one for one in all_of(document) if one.reader == reader), None)


def all_of(document: AnnotationDocument) -> tuple[Impression, ...]:
    """Return the first impressions of all readers, the earliest first."""
    found = (_read(note) for note in document.notes(TOPIC).values())
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.utc))


def exported(document: AnnotationDocument) -> tuple[FirstImpression, ...]:
    """Return the first impressions as an export takes them, without words of readers."""
    return tuple(
        FirstImpression(
            one.reader, one.utc, one.judgement, one.lesions_seen, one.lesion_ids, one.ai_had_run
        )
        for one in all_of(document)
    )


def _read(note: Mapping[str, Any] | None) -> Impression | None:
    if note is None or note.get("judgement") not in _JUDGEMENTS:
        return None  # of another version
    seen = note.get("lesions_seen")
    return Impression(
        reader=str(note.get("reader", "")),
        utc=str(note.get("utc", "")),
        judgement=note["judgement"],
        lesions_seen=seen if isinstance(seen, int) else None,
        comment=str(note.get("comment", "")),
        lesion_ids=tuple(str(one) for one in note.get("lesions", ())),
        ai_had_run=note.get("ai_had_run") is True,
    )


def knows_the_ai(document: AnnotationDocument, reader: str) -> bool:
    """Tell whether a reader has seen what the AI says of a case, as far as the case tells."""
    if of_reader(document, reader) is not None:
        return True
    judged = (lesion for lesion in document.record if lesion.origin != "human")
    return any(lesion.verdict is not None and lesion.reader == reader for lesion in judged)


def marked_by_readers(document: AnnotationDocument) -> tuple[str, ...]:
    """Return the ids of the lesions that people marked themselves, by number."""
    return tuple(lesion.id for lesion in document.lesions if lesion.origin == "human")


def tells_of_the_ai(document: AnnotationDocument, edit: edits.Edit | None) -> bool:
    """Tell whether taking an edit back, or only its name, would say something of the AI."""
    if edit is None or isinstance(edit, (edits.SetNote, edits.AddLesion, edits.RemoveLesion)):
        return False
    target = getattr(edit, "lesion_id", None) or getattr(edit, "target_id", None)
    human = {lesion.id for lesion in document.record if lesion.origin == "human"}
    return target not in human
