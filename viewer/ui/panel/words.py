"""Findings in words, as the list, the tooltips and the menus say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import resources
from resources.text import translate
from viewer.annotate.lesion import COMMENT
from viewer.impression import (
    agreement_percent,
    agreement_text,
    impression_text,
    malignancy_text,
    texture_text,
)
from viewer.whereabouts import place_in_words

if TYPE_CHECKING:
    from inference.findings import Detection
    from viewer.annotate.imported import Imported
    from viewer.annotate.lesion import Lesion
    from viewer.session import Case


def label_name(label: str) -> str:
    """Return the shown name of a label of the label table."""
    known = {
        "nodule": translate("labels", "Nodule"),
        "lung_right": translate("labels", "Lung, right"),
        "lung_left": translate("labels", "Lung, left"),
    }
    return known.get(label) or str(resources.table("labels")[label]["name"])


def title(lesion: Lesion) -> str:
    """Return number and name, such as ``"2 · Nodule"``."""
    return f"{lesion.number} · {label_name(lesion.label)}"


def millilitres(volume_ml: float) -> str:
    """Return a volume with as many digits as it deserves, and its unit."""
    if volume_ml >= 100:
        text = f"{volume_ml:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    elif volume_ml >= 1:
        text = f"{volume_ml:.1f}"
    else:
        text = f"{volume_ml:.2f}"
    return translate("findings", "{volume} mL").format(volume=text)


def size(lesion: Lesion) -> str:
    """Return long and short axis and volume, or what an empty lesion still needs."""
    if lesion.empty:
        return translate("findings", "a point so far · paint it with the brush")
    axes = translate("findings", "{long} × {short} mm").format(
        long=f"{lesion.diameter_mm:.1f}", short=f"{lesion.short_axis_mm:.1f}"
    )
    return f"{axes} · {millilitres(lesion.volume_ml)}"


def detail(case: Case, lesion: Lesion) -> str:
    """Return the second line of a row: place, size, what the model makes of it."""
    place = place_in_words(case, lesion)
    parts = [place[:1].upper() + place[1:]] if place else []
    parts.append(size(lesion))
    parts += short_opinion(case.document.detection(lesion.id))
    return " · ".join(parts)


def short_opinion(said: Detection | None) -> list[str]:
    """Return what the model says beyond place and size, as parts of a line."""
    parts = []
    if said is not None and said.impression is not None:
        parts.append(
            translate("findings", "impression {value}, {texture}").format(
                value=malignancy_text(said.impression), texture=texture_text(said.impression)
            )
        )
    if said is not None and said.uncertainty is not None:
        parts.append(
            translate("findings", "agree {percent} %").format(
                percent=agreement_percent(said.uncertainty)
            )
        )
    return parts


def reason(key: str) -> str:
    """Return why a finding was rejected, in words; ``key`` is one of the table of reasons."""
    known = {
        "vessel": translate("reasons", "Vessel"),
        "scar": translate("reasons", "Scar or atelectasis"),
        "hilar": translate("reasons", "Lymph node or hilum"),
        "motion": translate("reasons", "Motion or noise"),
        "other": translate("reasons", "Other"),
    }
    return known.get(key) or str(resources.table("rejection_reasons").get(key, {}).get("name", key))


def short_reason(key: str) -> str:
    """Return the same in one word, for a button."""
    known = {
        "vessel": translate("reasons", "Vessel"),
        "scar": translate("reasons", "Scar"),
        "hilar": translate("reasons", "Node"),
        "motion": translate("reasons", "Noise"),
        "other": translate("reasons", "Other"),
    }
    return known.get(key) or str(resources.table("rejection_reasons")[key]["short"])


def opinion(said: Detection | None) -> str:
    """Return what the model says beyond place and size, in sentences; empty when nothing."""
    if said is None:
        return ""
    parts = []
    if said.impression is not None:
        parts.append(
            translate("findings", "{impression}; radiologists' impression, not pathology.").format(
                impression=impression_text(said.impression)
            )
        )
    if said.uncertainty is not None:
        parts.append(f"{agreement_text(said.uncertainty)}.")
    return " ".join(parts)


def origin(lesion: Lesion, *, copied: bool = False, came: Imported | None = None) -> str:
    """Say where a lesion comes from; ``copied`` from another series, or as it ``came``."""
    if came is not None:
        return imported(came, edited=lesion.origin != "imported")
    if copied:
        return translate("findings", "copied from another series")
    if lesion.origin == "ai-pointed":
        if lesion.missed_by_ai:
            return translate("findings", "AI missed, outlined at a click")
        return translate("findings", "outlined by the AI at a click")
    if lesion.missed_by_ai:
        return translate("findings", "AI missed")
    if lesion.origin == "human":
        return translate("findings", "added by a reader")
    if lesion.origin == "ai-edited":
        return translate("findings", "AI, edited")
    return ""


def made_by(case: Case, lesion: Lesion) -> str:
    """Name the version of the model that drew a lesion first; empty when none did."""
    stamp = case.document.made_by(lesion)
    return "" if stamp is None else f"{stamp.id} {stamp.version}"


def other_version(case: Case, lesion: Lesion) -> str:
    """Name that version where it is not the one whose results are shown; else nothing."""
    shown = case.document.model
    return "" if case.document.made_by(lesion) == shown else made_by(case, lesion)


def imported(came: Imported, *, edited: bool) -> str:
    """Say from which system an outline of another file is."""
    if edited:
        return translate("findings", "imported from {system}, edited").format(system=came.said)
    return translate("findings", "imported from {system}").format(system=came.said)


def verdict(lesion: Lesion) -> str:
    """Say what was decided, by whom and when (local time); empty while pending."""
    word = {
        "accepted": translate("findings", "Accepted"),
        "rejected": translate("findings", "Rejected"),
        "unsure": translate("findings", "Unsure"),
    }.get(lesion.verdict or "", "")
    if not word:
        return ""
    parts = [word]
    if lesion.decision.reason:
        parts = [
            translate("findings", "{verdict}: {reason}").format(
                verdict=word, reason=reason(lesion.decision.reason).lower()
            )
        ]
    if lesion.reader:
        parts.append(lesion.reader)
    if lesion.decided_utc:
        parts.append(local_time(lesion.decided_utc)[:5])
    return " · ".join(parts)


def comment(case: Case, lesion_id: str) -> str:
    """Return what a reader wrote beside a finding; empty when nothing."""
    note = case.document.notes(COMMENT).get(lesion_id)
    return "" if note is None else str(note.get("text", ""))


def local_time(utc: str) -> str:
    """Return HH:MM:SS in local time of an ISO UTC time."""
    from datetime import datetime

    return datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone().strftime("%H:%M:%S")
