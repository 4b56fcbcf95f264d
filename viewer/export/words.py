"""Formats, and what became of an export, in words: alike in the window and in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from resources.text import translate
from viewer.export.formats import Format, LeftOut
from viewer.export.report import ExportReport
from viewer.export.snapshot import CaseSnapshot


def name(one: Format) -> str:
    """Return what a format is called."""
    return {
        "seg": translate("export", "Outlines: DICOM segmentation (SEG)"),
        "sr": translate("export", "Findings and measurements: DICOM report (SR)"),
        "pm": translate("export", "Heatmap: DICOM parametric map"),
        "kos": translate("export", "Key images: DICOM key objects (KOS)"),
        "rtstruct": translate("export", "Contours: DICOM structure set (RTSTRUCT)"),
        "nifti": translate("export", "Images and labels for training: NIfTI"),
    }[one]


def reason(why: LeftOut) -> str:
    """Return why a case gives no file of a format, as a sentence."""
    return {
        "not-dicom": translate("export", "The images are no DICOM files."),
        "no-outline": translate("export", "The case has no outline."),
        "no-heatmap": translate("export", "The case has no heatmap: no model has run."),
        "no-key-image": translate("export", "No slice is marked as a key image."),
        "nothing-to-report": translate("export", "There is nothing to report."),
    }[why]


def review(snapshot: CaseSnapshot) -> str:
    """Return what every file of an export will say of the review, and why."""
    if snapshot.reviewed:
        return translate("export", "Every finding has a verdict: the files say “reviewed”.")
    lesions = snapshot.lesions
    judged = sum(x.verdict is not None or x.origin == "human" for x in lesions)
    return translate(
        "export",
        "{judged} of {total} findings have a verdict: the files say “AI, not reviewed”.",
    ).format(judged=judged, total=len(lesions))


def checked(report: ExportReport) -> str:
    """Return how the files were read again before the folder got its name."""
    readers = sorted({check.reader for check in report.checks})
    return translate(
        "export", "{count} files, each read back by {readers} and found equal to the case."
    ).format(count=len(report.checks), readers=_joined(readers))


def left_out(report: ExportReport) -> str:
    """Return which formats gave no file and why; empty when all did."""
    return " ".join(
        translate("export", "Not written: {format}. {reason}").format(
            format=name(one), reason=reason(why)
        )
        for one, why in report.left_out
    )


def told(report: ExportReport) -> str:
    """Return all that is to be said of an export that is done."""
    parts = (
        translate("export", "Exported to {folder}: {checks}").format(
            folder=report.folder, checks=checked(report)
        ),
        left_out(report),
    )
    return " ".join(part for part in parts if part)


def _joined(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return translate("export", "{first} and {last}").format(
        first=", ".join(words[:-1]), last=words[-1]
    )
