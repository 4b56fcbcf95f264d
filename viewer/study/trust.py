"""What the geometry and the values of a volume rest on: one row for each question.

Made for the trust panel and for ``overread inspect --trust``; nearly everything is taken from
the plan, so that both tell what the program goes by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from resources.text import translate
from viewer.study import trust_geometry, trust_values
from viewer.study.order import StackPlan
from viewer.study.resample import can_resample
from viewer.study.scan import Skipped
from viewer.study.trust_row import Row, State, format_name, is_dicom
from viewer.study.volumes import UNSPLIT

__all__ = ["Row", "State", "trust"]

# What is told in a row of its own; other problems follow at the end.
_TOLD = frozenset(
    {"gantry-tilt", "shifted-slices", "missing-slices", "uneven-spacing", "duplicate-positions"}
    | {"missing-geometry", "missing-spacing", "mixed-orientation", "file-order", "single-slice"}
)
# A reason may name a file: of many copies each has its own.
_MOST_REASONS = 8


def trust(plan: StackPlan, skipped: Sequence[Skipped] = ()) -> tuple[Row, ...]:
    """Say what is known of a volume, from what, and what is not.

    Parameters
    ----------
    plan
        Of ``order.volumes``.
    skipped
        The files of the same opening that were not taken.

    Returns
    -------
    tuple of Row
        In a fixed order; the AI's row is not among them. Holds no text of the patient.
    """
    rows = [
        _whole(plan),
        *trust_geometry.rows(plan),
        *trust_values.rows(plan),
        _files(plan),
        *_skipped(skipped),
        _split(plan),
        _copy(plan),
    ]
    # What the reader of another format says of its file is to be known, and no fault.
    notes = {text for ref in plan.planes for _, text in ref.instance.notes}
    told = {row.answer for row in rows}
    rows += [
        Row(
            translate("trust", "Also"),
            problem.text,
            "note" if problem.text in notes else "bad",
        )
        for problem in plan.problems
        if problem.kind not in _TOLD and problem.text not in told
    ]
    return tuple(rows)


def _whole(plan: StackPlan) -> Row:
    question = translate("trust", "Regular volume")
    if plan.refusal is not None:
        return Row(question, plan.refusal.sentence, "bad")
    if plan.irregularity is not None:
        return Row(question, plan.irregularity.sentence, "bad")
    if plan.resampled:
        # What its problem says: that it is a copy, and of what.
        said = " ".join(problem.text for problem in plan.problems)
        return Row(question, said, "note")
    return Row(
        question,
        translate("trust", "Yes: one grid places every voxel."),
        "good",
        trust_geometry.PLACED_BY if is_dicom(plan) else format_name(plan),
    )


def _files(plan: StackPlan) -> Row:
    files = len({ref.instance.path for ref in plan.planes})
    said = translate("trust", "images: {images}, files: {files}").format(
        images=len(plan.planes), files=files
    )
    return Row(translate("trust", "Files"), said, "good")


def _skipped(skipped: Sequence[Skipped]) -> list[Row]:
    question = translate("trust", "Skipped files")
    if not skipped:
        return [Row(question, translate("trust", "None."), "good")]
    counted = Counter(each.reason for each in skipped).most_common()
    shown, rest = counted[:_MOST_REASONS], sum(count for _, count in counted[_MOST_REASONS:])
    said = translate("trust", "{count}: {reason}")
    rows = [Row(question, said.format(count=n, reason=text), "note") for text, n in shown]
    if rest:
        more = translate("trust", "{count} more, for other reasons").format(count=rest)
        rows.append(Row(question, more, "note"))
    return rows


def _split(plan: StackPlan) -> Row:
    question = translate("trust", "Part of its series")
    if not plan.part:
        return Row(question, translate("trust", "The whole series."), "good")
    if plan.part.startswith(UNSPLIT):
        said = translate("trust", "All its images; the splitting was undone.")
        return Row(question, said, "note")
    said = translate("trust", "One of its volumes: {name}. {count} of {all} images.").format(
        name=plan.name,
        count=len(plan.planes),
        all=sum(len(instance.planes) for instance in plan.series.instances),
    )
    return Row(question, said, "note")


def _copy(plan: StackPlan) -> Row:
    question = translate("trust", "Resampled copy")
    if plan.resampled:
        return Row(question, translate("trust", "This is one."), "note")
    if can_resample(plan):
        said = translate("trust", "Can be made; it shows no more than the slices do.")
        return Row(question, said, "note")
    if plan.regular and plan.refusal is None:
        return Row(question, translate("trust", "Not needed."), "good")
    return Row(question, translate("trust", "Cannot be made of these images."), "note")
