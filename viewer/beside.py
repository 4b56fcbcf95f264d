"""Which other series belongs beside the one that is read, and what it is to it. No Qt.

Nothing here says of two series that they are of one patient unless their files do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer import saved_work
from viewer.session import Case, Reader
from viewer.slices import Slices
from viewer.study.order import StackPlan
from viewer.study.series import Series
from viewer.worklist import Study

Kind = Literal["same", "prior", "later", "undated", "unproven", "other"]


@dataclass(frozen=True, slots=True)
class Relation:
    """What one series is to the one that is read.

    Attributes
    ----------
    kind
        ``"same"`` study or day, ``"prior"`` or ``"later"`` study, ``"undated"`` study of the same
        patient, ``"unproven"`` when a file does not say whose it is, ``"other"`` patient.
    days
        Between the two studies; 0 when that is not known.
    day
        Of the study, such as ``"2001-02-03"``; empty when not known.
    """

    kind: Kind
    days: int = 0
    day: str = ""

    @property
    def heeded(self) -> bool:
        """Whether nobody may overlook it: it may be another person."""
        return self.kind in ("unproven", "other")

    def words(self, *, dated: bool = True) -> tuple[str, ...]:
        """Return it in the reader's language, in parts; a day says something of the patient."""
        day = (self.day,) if self.day and dated else ()
        if self.kind == "other":
            return (translate("beside", "ANOTHER PATIENT"), *day)
        if self.kind == "unproven":
            return (translate("beside", "not proven to be the same patient"), *day)
        if self.kind == "same":
            return (translate("beside", "same study"), *day)
        if self.kind == "undated":
            return (translate("beside", "another study, date not known"),)
        days = translate("beside", "{count} day") if self.days == 1 else ""
        days = (days or translate("beside", "{count} days")).format(count=self.days)
        if self.kind == "prior":
            earlier = translate("beside", "{days} earlier").format(days=days)
            return (translate("beside", "PRIOR"), *day, earlier)
        later = translate("beside", "{days} later").format(days=days)
        return (translate("beside", "LATER STUDY"), *day, later)


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """A series that can be shown beside.

    Attributes
    ----------
    number
        In the series list; None for one of the worklist.
    study
        The line of the worklist, or None.
    """

    relation: Relation
    title: str
    modality: str
    number: int | None = None
    study: Study | None = None
    rank: tuple[int, ...] = ()


def day_of(text: str) -> date | None:
    """Return the day of a DA (PS3.5 6.2); None when it is none."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None


def relation(current: Series, other: Series) -> Relation:
    """Return what one series is to the one that is read."""
    same = _is_same_patient(current, other)
    day = _day(other)
    if same is not True:
        return Relation("unproven" if same is None else "other", 0, _iso(day))
    one_study = bool(other.study_uid) and other.study_uid == current.study_uid
    return _by_day(_day(current), day, one_study)


def relation_of_study(current: Series, study: Study) -> Relation:
    """Return what a line of the worklist is to the series that is read."""
    patient = current.patient
    day = day_of(study.study_date)
    if not patient.id or not study.patient_id:
        return Relation("unproven", 0, _iso(day))
    if (patient.id, patient.name) != (study.patient_id, study.patient_name):
        return Relation("other", 0, _iso(day))
    return _by_day(_day(current), day, False)


def _by_day(current: date | None, other: date | None, one_study: bool) -> Relation:
    if one_study:
        return Relation("same", 0, _iso(other))
    if current is None or other is None:
        return Relation("undated")
    days = (other - current).days
    if days == 0:
        return Relation("same", 0, _iso(other))
    return Relation("prior" if days < 0 else "later", abs(days), _iso(other))


def _day(series: Series) -> date | None:
    return day_of(series.patient.study_date) or day_of(series.series_date)


def day_text(series: Series) -> str:
    """Return the day of a series' study, such as ``"2001-02-03"``; empty when not known."""
    return _iso(_day(series))


def _iso(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def _is_same_patient(one: Series, other: Series) -> bool | None:
    """Return whether two series are of one patient; None when the files do not say."""
    if one is other:
        return True
    if one.study_uid and one.study_uid == other.study_uid:
        return True
    if not one.patient.id or not other.patient.id:
        return None
    keys = {instance.patient_key for series in (one, other) for instance in series.instances}
    return len(keys) == 1


def candidates(
    current: StackPlan, plans: Sequence[StackPlan], studies: Sequence[Study] = ()
) -> list[Candidate]:
    """Return what may be shown beside a volume, the best first.

    A prior of the same modality comes first, then the other series of the study; among priors
    the latest. Series of another patient are never offered.

    Parameters
    ----------
    plans
        The series list.
    studies
        The worklist; of it only studies of the same patient that are not in the series list.
    """
    found = [
        _of_plan(current, plan, number)
        for number, plan in enumerate(plans)
        if plan is not current and plan.refusal is None and not _is_made_of(current, plan)
    ]
    listed = {saved_work.key_of(plan) for plan in (current, *plans)} if studies else set()
    found += [_of_study(current, study) for study in studies if study.case_key not in listed]
    offered = [each for each in found if not each.relation.heeded]
    return sorted(offered, key=lambda each: each.rank, reverse=True)


def _is_made_of(current: StackPlan, plan: StackPlan) -> bool:
    """Tell whether a plan is the one of which the open copy was made."""
    return current.series is plan.series and current.part.removesuffix("/resampled") == plan.part


def _of_plan(current: StackPlan, plan: StackPlan, number: int) -> Candidate:
    series = plan.series
    what = relation(current.series, series)
    title = " · ".join(text for text in (series.description or series.modality, plan.name) if text)
    rank = (
        *_rank(what, series.modality == current.series.modality),
        int(shares_frame(current, plan)),
        plan.shape_kji[0],
    )
    return Candidate(what, title, series.modality, number, None, rank)


def _of_study(current: StackPlan, study: Study) -> Candidate:
    what = relation_of_study(current.series, study)
    rank = (*_rank(what, study.modality == current.series.modality), 0, study.images)
    title = study.description or study.modality
    return Candidate(what, title, study.modality, None, study, rank)


def _rank(what: Relation, same_modality: bool) -> tuple[int, int, int]:
    by_kind = {"prior": 3, "same": 2, "later": 1}.get(what.kind, 0)
    return int(same_modality), by_kind, -what.days


def shares_frame(one: StackPlan, other: StackPlan) -> bool:
    """Tell whether two volumes lie in one frame of reference (0020,0052): positions agree."""
    first = one.planes[0].instance.frame_of_reference_uid
    return bool(first) and first == other.planes[0].instance.frame_of_reference_uid


def case_to_look_at(
    plan: StackPlan, volume: Volume, reader: Reader, failed: Mapping[int, Problem] | None = None
) -> Case:
    """Return a case that can only be looked at: no journal, no lock, no result of the AI.

    Raises
    ------
    Problem
        When the data folder cannot be used.
    """
    case = Case(plan.series, plan, volume, reader, saved_work.key_of(plan))
    case.slices = Slices(failed=failed)
    case.viewing_only = case.read_only_problem = Problem(
        translate("beside", "The series beside is for looking only."),
        translate("beside", "Open it from the series list to work on it."),
    )
    return case
