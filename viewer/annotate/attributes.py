"""What a reader says of a finding beside its outline: texture and malignancy. A note; no Qt.

Which of them, and a comment, a reader must give is in the label schema (``resources.labels``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resources import labels
from resources.text import translate
from viewer.annotate.document_state import DocumentState
from viewer.annotate.lesion import COMMENT, Lesion

TOPIC = "attributes"
# Topic of the terms that labels of a site had when they were given: {key: term}.
TERMS = "labels"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a reader said of one finding; None where he said nothing.

    Attributes
    ----------
    texture
        One of ``labels.TEXTURES``.
    malignancy
        1 (highly unlikely) to 5 (highly suspicious), as the readers of LIDC-IDRI rated it
        (Armato and others, Med Phys 2011).
    """

    texture: str | None = None
    malignancy: int | None = None

    def note(self) -> Mapping[str, Any] | None:
        """Return it as a note of the document; None when nothing is said."""
        said = {"texture": self.texture, "malignancy": self.malignancy}
        found = {name: value for name, value in said.items() if value is not None}
        return found or None


def of(document: DocumentState, lesion_id: str) -> Attributes:
    """Return what readers said of a finding; what is of another version is left out."""
    note = document.notes(TOPIC).get(lesion_id) or {}
    texture, malignancy = note.get("texture"), note.get("malignancy")
    return Attributes(
        texture if texture in labels.TEXTURES else None,
        malignancy if malignancy in labels.MALIGNANCIES else None,
    )


def missing(document: DocumentState, lesion: Lesion) -> tuple[str, ...]:
    """Return what a reader must still say of a finding; of one that is rejected nothing."""
    stands = lesion.verdict == "accepted" or (lesion.origin == "human" and lesion.verdict is None)
    if not stands:
        return ()
    said = of(document, lesion.id)
    given = {
        "texture": said.texture is not None,
        "malignancy": said.malignancy is not None,
        "comment": bool((document.notes(COMMENT).get(lesion.id) or {}).get("text")),
    }
    return tuple(name for name in labels.required(lesion.label) if not given[name])


def name_text(name: str) -> str:
    """Return an attribute as it stands in a sentence."""
    return {
        "texture": translate("attributes", "texture"),
        "malignancy": translate("attributes", "malignancy"),
        "comment": translate("attributes", "comment"),
    }[name]


def texture_text(texture: str) -> str:
    """Return a texture as radiologists call it."""
    return {
        "ground-glass": translate("impression", "ground-glass"),
        "part-solid": translate("impression", "part-solid"),
        "solid": translate("impression", "solid"),
    }[texture]


def said_text(said: Attributes) -> str:
    """Return what a reader said, such as ``"solid, malignancy 4 of 5"``; empty when nothing."""
    parts = [texture_text(said.texture)] if said.texture is not None else []
    if said.malignancy is not None:
        parts.append(
            translate("attributes", "malignancy {value} of 5").format(value=said.malignancy)
        )
    return ", ".join(parts)


def missing_text(names: tuple[str, ...]) -> str:
    """Return what is missing, such as ``"texture, comment missing"``; empty when nothing is."""
    if not names:
        return ""
    said = ", ".join(map(name_text, names))
    return translate("attributes", "{what} missing").format(what=said)
