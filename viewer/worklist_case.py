"""What the worklist keeps of a case: who and what it is, how far it is, where its files lie."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from viewer import saved_work
from viewer.annotate.journal import utc_now
from viewer.study import order, scan
from viewer.study.cancel import stop_if
from viewer.study.case_key import case_key
from viewer.study.order import StackPlan
from viewer.worklist import State, Study, state_of

if TYPE_CHECKING:
    from viewer.annotate.document import AnnotationDocument
    from viewer.session import Case

# A study in more folders than this is opened again through what its reader had named.
_MAX_FOLDERS = 64
_MAX_FILES = 4096
_COPY = "/resampled"  # as in viewer.study.resample.plan_of_copy


def volumes_of(
    study: Study, cancelled: Callable[[], bool]
) -> tuple[scan.ScanResult, list[StackPlan]]:
    """Look for the images of a line where they were; return what is there, and its volumes.

    Raises
    ------
    Problem
        When there are no images.
    Cancelled
        When ``cancelled`` says so.
    """
    paths = tuple(Path(path) for path in study.paths)
    result = scan.scan(paths, cancelled=cancelled)
    scan.require_images(result, paths)
    plans: list[StackPlan] = []
    for series in result.series:
        stop_if(cancelled)
        plans += order.volumes(series)
    return result, plans


def study_of(case: Case, state: State, plans: Sequence[StackPlan], given: Sequence[Path]) -> Study:
    """Return the line of the worklist for a case that has just been opened.

    Parameters
    ----------
    state
        As ``progress_of`` says.
    plans
        All volumes that were found beside it.
    given
        The paths that the reader opened; none for the sample study.
    """
    series, plan = case.series, case.plan
    parts: list[str] = []
    for text in (series.study_description, series.description, plan.name):
        if text and text not in parts:
            parts.append(text)
    return Study(
        case_key=case.key,
        part=plan.part,
        paths=paths_of(plan, plans, given),
        patient_name=series.patient.name,
        patient_id=series.patient.id,
        study_date=series.patient.study_date or series.series_date,
        description=" · ".join(parts),
        modality=series.modality,
        images=plan.shape_kji[0],
        state=state,
        opened_utc=utc_now(),
        reader=case.reader.name,
    )


def unopened(plan: StackPlan, plans: Sequence[StackPlan], given: Sequence[Path]) -> Study:
    """Return the line of the worklist for a volume that was found and not opened yet.

    Raises
    ------
    Problem
        When the data folder cannot be used.
    """
    series = plan.series
    texts = (series.study_description, series.description, plan.name)
    return Study(
        case_key=saved_work.key_of(plan),
        part=plan.part,
        paths=paths_of(plan, plans, given),
        patient_name=series.patient.name,
        patient_id=series.patient.id,
        study_date=series.patient.study_date or series.series_date,
        description=" · ".join(dict.fromkeys(text for text in texts if text)),
        modality=series.modality,
        images=plan.shape_kji[0],
    )


def paths_of(plan: StackPlan, plans: Sequence[StackPlan], given: Sequence[Path]) -> tuple[str, ...]:
    """Return what to scan to open a volume again with the other series of its study.

    The folders of the study's own files are best: a reader may have dropped a folder of a
    thousand studies. Files outside what he named were unpacked by the program, into a folder
    that goes away: then what he named is all there is.
    """
    study_uid = plan.series.study_uid
    same = [p for p in plans if study_uid and p.series.study_uid == study_uid] or [plan]
    paths = {ref.instance.path for p in (*same, plan) for ref in p.planes}
    roots = [Path(os.path.abspath(path)) for path in given]  # noqa: PTH100 (no disk is asked)
    # As text: a thousand paths are taken apart while the window draws its first slices.
    files = {os.path.abspath(path) for path in paths}  # noqa: PTH100
    named = {str(root) for root in roots}
    homes = {Path(home) for home in {os.path.dirname(file) for file in files - named}}  # noqa: PTH120
    if roots and not all(_below(home, roots) for home in homes):
        return tuple(str(root) for root in roots)
    if roots and len(files) <= _MAX_FILES and files <= named:
        return tuple(sorted(files))
    homes |= {Path(file).parent for file in files & named}
    tops = sorted(home for home in homes if not any(up in homes for up in home.parents))
    if len(tops) > _MAX_FOLDERS and roots:
        return tuple(str(root) for root in roots)
    return tuple(str(top) for top in tops)


def _below(file: Path, roots: Sequence[Path]) -> bool:
    return any(file == root or root in file.parents for root in roots)


def find(study: Study, plans: Sequence[StackPlan]) -> int | None:
    """Return which of some volumes a line of the worklist is of; None when it is none."""
    for number, plan in enumerate(plans):
        if case_key(plan.series.series_uid, plan.part) == study.case_key:
            return number
    return None


def find_source(study: Study, plans: Sequence[StackPlan]) -> int | None:
    """Return a volume of the series from which the one of a line was made; None when none.

    For a regular copy it is the irregular one; for a series shown in one, its first volume.
    """
    of_series = [
        number
        for number, plan in enumerate(plans)
        if case_key(plan.series.series_uid, study.part) == study.case_key
    ]
    if is_copy(study):
        part = study.part.removesuffix(_COPY)
        of_series = [number for number in of_series if plans[number].part == part]
    return next(iter(of_series), None)


def is_copy(study: Study) -> bool:
    """Tell whether a line is of a regular copy of irregular slices."""
    return study.part.endswith(_COPY)


def progress_of(case: Case, exported_mark: str) -> tuple[State, str]:
    """Return how far the reading of a case is, and the mark of its corrections as they stand.

    Parameters
    ----------
    exported_mark
        The mark that it had when it was exported last; empty when never.
    """
    document = case.document
    mark = mark_of(document)
    deleted = sum(lesion.deleted and not lesion.superseded for lesion in document.record)
    judged, total = case.progress
    work = bool(deleted or judged) or any(s.origin != "ai" for s in document.segments)
    work = work or any(lesion.origin != "ai" for lesion in document.lesions)
    state = state_of(
        ai=document.findings is not None,
        judged=judged + deleted,
        total=total + deleted,
        work=work,
        exported=bool(exported_mark) and mark == exported_mark,
    )
    return state, mark


def mark_of(document: AnnotationDocument) -> str:
    """Return a digest of the corrections: taking a change back brings the old one back."""
    lesions = [
        (
            lesion.id,
            lesion.label,
            lesion.origin,
            # As before there were reasons, wherever there is none.
            lesion.decision.reason or lesion.verdict,
            lesion.deleted,
            lesion.superseded,
            lesion.volume_ml,
            [round(float(x), 3) for x in lesion.centre_lps_mm],
        )
        for lesion in document.record
    ]
    segments = [(s.id, s.origin, s.count) for s in document.segments]
    body = json.dumps([len(document.runs), lesions, segments])
    return hashlib.sha256(body.encode()).hexdigest()[:32]
