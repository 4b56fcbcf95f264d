"""What is said of files and outlines before they are taken in, translated."""

from __future__ import annotations

from collections.abc import Sequence

from resources.text import translate
from viewer.imports.held import HeldFile, HeldOutline, Said


def refusal(said: Said) -> str:
    """Return why nothing of a file can be taken, as a sentence."""
    word = str(said[0])
    known = {
        "series-not-dicom": translate(
            "imports", "The open series is no DICOM series: the file cannot belong to it."
        ),
        "other-patient": translate("imports", "It is of another patient."),
        "other-study": translate("imports", "It is of another study."),
        "other-frame": translate(
            "imports",
            "It lies in another frame of reference: no file says which places of the two are the "
            "same.",
        ),
        "several-frames": translate("imports", "It lies in several frames of reference."),
        "no-frame": translate(
            "imports", "It names another series, and no frame of reference that the two share."
        ),
        "no-place": translate("imports", "It does not say where in the patient it lies."),
        "uneven": translate("imports", "Its slices are tilted or unevenly spaced."),
        "tilted": translate("imports", "Its contours do not lie in the slices of this series."),
        "elsewhere": translate("imports", "Its voxels lie outside of the open series."),
        "not-labels": translate(
            "imports", "Its voxels are no labels: whole numbers from 0 to 65535, few different."
        ),
        "nothing": translate("imports", "It holds no outlines and no findings."),
        "too-large": translate("imports", "It holds more than can be taken in."),
        "kind": translate("imports", "It is of a kind of segmentation that is not read."),
        "compression": translate("imports", "Its compression is not read."),
        "damaged": translate("imports", "It is damaged or cut short."),
        "unreadable": translate("imports", "It cannot be read."),
        "other-object": translate(
            "imports", "It is a DICOM object that holds neither outlines nor findings."
        ),
        "not-known": translate(
            "imports", "It is no segmentation, report, structure set or label map that is known."
        ),
    }
    return known.get(word, word)


def caution(said: Said) -> str:
    """Return what a reader must know before he takes anything of a file."""
    return {
        "other-series": translate(
            "imports",
            "It was drawn on another series of this study, in the same frame of reference.",
        ),
        "no-series": translate("imports", "It does not say on which series it was drawn."),
        "other-grid": translate(
            "imports", "It lies on other voxels: the outlines are carried over onto these."
        ),
        "no-frame-file": translate(
            "imports", "It names no frame of reference: see on the images that it lies right."
        ),
    }.get(str(said[0]), str(said[0]))


def note(said: Said) -> str:
    """Return what must be told of one outline."""
    return {
        "fractional": translate("imports", "fractions: all from one half on"),
        "empty": translate("imports", "empty"),
        "outside": translate("imports", "outside of the open series"),
        "cut-off": translate("imports", "cut off at the edge of the series"),
        "gaps": translate("imports", "slices without a contour in between"),
        "between-slices": translate("imports", "contours between slices, put to the nearest"),
        "not-closed": translate("imports", "contours that are not closed are left out"),
        "one-slice": translate("imports", "on one slice"),
        "segment-elsewhere": translate("imports", "its outline is in a file that is not here"),
        "measurement": translate("imports", "a measurement, which is not taken in"),
        "no-outline": translate("imports", "no place in the images"),
    }.get(str(said[0]), str(said[0]))


def notes(one: HeldOutline) -> str:
    """Return all that must be told of one outline; empty when there is nothing."""
    return ", ".join(note(said) for said in one.notes)


def source(file: HeldFile) -> str:
    """Return whose a file is, such as ``"SEG · QIICR dcmqi · Liver Segmentation"``."""
    return " · ".join(part for part in (file.kind, file.system, file.description) if part)


def made_by(one: HeldOutline) -> str:
    """Return how an outline was made, as its file says; empty when it does not."""
    how = {
        "AUTOMATIC": translate("imports", "automatic"),
        "SEMIAUTOMATIC": translate("imports", "semi-automatic"),
        "MANUAL": translate("imports", "by hand"),
    }.get(one.algorithm_type, "")
    return ", ".join(part for part in (how, one.algorithm) if part)


def decided(one: HeldOutline) -> str:
    """Return what a report says was decided, and by whom; empty when nothing was."""
    word = {
        "accepted": translate("imports", "accepted"),
        "rejected": translate("imports", "rejected"),
        "unsure": translate("imports", "unsure"),
    }.get(one.verdict, "")
    return f"{word} ({one.reader})" if word and one.reader else word


def cautions(file: HeldFile) -> Sequence[str]:
    """Return what a reader must know of a file, as sentences."""
    return [caution(said) for said in file.cautions]
