"""What befell attributes and files, in words: alike in the window and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from resources.text import translate

if TYPE_CHECKING:
    from viewer.deid.report import LeftOut


def action(done: str) -> str:
    """Return what was done with an attribute, as a report has it."""
    return {
        "removed": translate("deid", "removed"),
        "emptied": translate("deid", "emptied"),
        "replaced": translate("deid", "replaced"),
        "pseudonym": translate("deid", "pseudonym"),
        "UID replaced": translate("deid", "UID replaced"),
        "cleaned inside": translate("deid", "cleaned inside"),
        "kept": translate("deid", "kept"),
        "shifted": translate("deid", "shifted"),
        "known words kept": translate("deid", "known words kept"),
        "capped": translate("deid", "capped"),
    }.get(done, done)


def reason(why: str) -> str:
    """Return why, as a report has it."""
    return {
        "profile": translate("deid", "Basic Profile"),
        "option": translate("deid", "option chosen"),
        "private": translate("deid", "private element"),
        "unknown": translate("deid", "not in the standard"),
        "free-text": translate("deid", "free text"),
        "other": translate("deid", "nothing against it"),
        "unreadable": translate("deid", "unreadable"),
        "no code": translate("deid", "no code as the standard has it"),
        "identity found": translate("deid", "it named the patient or staff"),
    }.get(why, why)


def left_out(why: LeftOut) -> str:
    """Return why a file is not among those that leave."""
    return {
        "not-dicom": translate("deid", "This is no DICOM file."),
        "directory": translate("deid", "This is the directory of a medium."),
        "damaged": translate("deid", "The file is damaged."),
        "deflated": translate("deid", "The file is deflated, and too large to be trusted."),
        "pixels-not-seen": translate("deid", "Text may be burned into it, and nobody vouched."),
        "cannot-black-out": translate("deid", "Its pixels cannot be blacked out."),
        "report": translate("deid", "A report: it goes only when the content of reports stays."),
        "document": translate("deid", "A document that cannot be looked into."),
        "copy": translate("deid", "Another file has the same SOP Instance UID."),
        "check-failed": translate("deid", "The check found identity in the copy."),
    }[why]


def doubt(doubts: Mapping[Any, int]) -> str:
    """Return why a person must look at the pixels, a sentence."""
    if doubts.get("burned-in"):
        return translate("deid", "The images say that text is burned into them.")
    if doubts.get("modality"):
        return translate("deid", "Machines write names and dates into images of this kind.")
    return translate("deid", "Nothing says that no text is burned into these images.")


def summary(document: Mapping[str, Any]) -> list[str]:
    """Return the sentences that stand above a report."""
    pixels, patients = document["pixels"], document["patients"]
    lines = [
        translate("deid", "{files} images; the patient is now called {name}.").format(
            files=document["files"], name=patients[0]
        )
        if len(patients) == 1
        else translate("deid", "{files} images of {patients} patients.").format(
            files=document["files"], patients=len(patients)
        ),
        translate("deid", "DICOM PS3.15: {options}.").format(
            options="; ".join(meaning for _, meaning in document["codes"])
        ),
    ]
    if pixels["seen_by_a_person"]:
        lines.append(
            translate(
                "deid",
                "A person looked at the pixels. Black boxes: {boxes}; files with one: {files}.",
            ).format(
                boxes=len(pixels["boxes_column_row_width_height_px"]),
                files=pixels["files_with_boxes"],
            )
        )
    if document["warnings"]:
        lines.append(
            translate(
                "deid", "{count} series may show the head: the face can be made visible from them."
            ).format(count=len(document["warnings"]))
        )
    if "check" in document:
        lines.append(
            translate("deid", "Every file was read again: no name, no old UID, nothing private.")
        )
    return lines
