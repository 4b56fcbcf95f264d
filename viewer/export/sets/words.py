"""Training sets in words: alike in the window and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resources.text import translate
from viewer.export.sets.folder import name_of
from viewer.export.sets.formats import CROPS_TRAINING, SetFormat, WhyNot
from viewer.export.sets.report import SetReport
from viewer.export.sets.truth import findings, open_reasons
from viewer.export.snapshot import CaseSnapshot


def name(one: SetFormat) -> str:
    """Return what a format is called."""
    return {
        "pairs": translate("export", "Images and label maps: NIfTI pairs"),
        "nnunet": translate("export", "nnU-Net v2 folder"),
        "monai": translate("export", "MONAI data list"),
        "coco": translate("export", "COCO: pictures, boxes and masks of each slice"),
        "table": translate("export", "Table of findings: CSV"),
        "hard": translate("export", "What the AI got wrong: false positives and missed lesions"),
        "crops": translate("export", "Crops to retrain the bundled model on"),
    }[one]


def reason(why: WhyNot) -> str:
    """Return why a case adds nothing to a set, as a sentence."""
    return {
        "nothing-judged": translate("export", "No finding of it has a verdict."),
        "not-dicom": translate(
            "export", "It is no DICOM, so nobody can tell whose it is and split by patient."
        ),
        "no-place": translate("export", "Its images do not say where in the patient they lie."),
        "resampled": translate("export", "It is a resampled copy: no scanner made it."),
        "other-modality": translate("export", "It is of another modality than the set."),
        "unchanged": translate("export", "It stands in the set as it is now."),
    }[why]


def side(one: str) -> str:
    """Return what a side is called."""
    return {
        "training": translate("export", "training"),
        "validation": translate("export", "validation"),
        "test": translate("export", "test"),
    }[one]


def still_open(reasons: Mapping[str, int]) -> str:
    """Return how many findings are no truth and why; empty when there are none."""
    if not reasons:
        return ""
    said = {
        "no-verdict": translate("export", "without a verdict: {n}"),
        "unsure": translate("export", "reader unsure: {n}"),
        "hidden": translate("export", "hidden by the threshold: {n}"),
        "no-outline": translate("export", "without an outline: {n}"),
        "other-label": translate("export", "of a label that the set has no class for: {n}"),
    }
    return translate(
        "export", "Left out as nobody knows them ({reasons}); training is told to look away there."
    ).format(reasons=", ".join(said[why].format(n=n) for why, n in reasons.items()))


def _no_crop(reasons: Mapping[str, int]) -> str:
    said = {
        "not-ct": translate("export", "no CT: {n}"),
        "not-axial": translate("export", "not axial: {n}"),
        "not-square": translate("export", "pixels not square: {n}"),
        "too-large": translate("export", "too large: {n}"),
        "beside-a-nodule": translate("export", "rejected right beside a lesion: {n}"),
    }
    if not reasons:
        return ""
    return translate("export", "Findings without a crop ({reasons}).").format(
        reasons=", ".join(said[why].format(n=n) for why, n in reasons.items())
    )


def of_case(snapshot: CaseSnapshot, classes: Sequence[str]) -> str:
    """Return what of a case will be truth, before it goes into a set."""
    found = findings(snapshot, tuple(classes))
    said = translate("export", "Of this case: true {truth}, rejected {rejected}.").format(
        truth=sum(one.kind == "truth" for one in found),
        rejected=sum(one.kind == "rejected" for one in found),
    )
    return " ".join(part for part in (said, still_open(open_reasons(found))) if part)


def told(report: SetReport, *, command: bool = True) -> list[str]:
    """Return all that is to be said of a set that was grown, a sentence or two a line.

    ``command``: also the one that retrains a model on it.
    """
    left_out = [
        translate("export", "Not added: {count}. {reason}").format(count=count, reason=reason(why))
        for why, count in report.left_out.items()
    ]
    if report.version is None:
        nothing = translate("export", "No version was added to the training set in {folder}.")
        return [nothing.format(folder=report.folder), *left_out]
    counts: Mapping[str, Any] = report.counts
    done = translate(
        "export",
        "Version {version} of the training set in {folder}. Cases added or corrected: {added}; "
        "in all: {cases}, of patients: {patients}.",
    ).format(
        version=report.version,
        folder=report.folder,
        added=len(report.added),
        cases=counts["cases"],
        patients=counts["patients"],
    )
    taken = translate(
        "export",
        "Findings: {truth} true, of which the AI had missed {missed}; {rejected} rejected.",
    ).format(truth=counts["truth"], missed=counts["missed"], rejected=counts["rejected"])
    sides = translate(
        "export", "Patients: training {training}, validation {validation}, test {test}."
    ).format(**counts["patients_by_side"])
    checked = translate(
        "export", "Files: {count}, each read back and found equal to the cases."
    ).format(count=len(report.checks))
    lines = [done, taken, still_open(counts["open"]), _no_crop(counts["findings_without_crop"])]
    lines += [sides, checked, _retrain(report) if command else "", *left_out]
    return [line for line in lines if line]


def _retrain(report: SetReport) -> str:
    """Return the command that makes a better model of it, where the set has crops for it."""
    assert report.version is not None
    crops = report.folder / name_of(report.version) / CROPS_TRAINING
    if not crops.is_dir():
        return ""
    models = [model["id"] for one in report.added for model in one["models"]]
    return translate(
        "export", "To retrain: overread retrain --data {crops} --base {model} --out DIR"
    ).format(crops=crops, model=models[-1] if models else "MODEL")
