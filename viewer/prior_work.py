"""The saved work on another series, read for looking: nothing of it is locked or changed."""

from __future__ import annotations

from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer import folders, saved_work
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.journal import FILE, Fingerprint, open_journal
from viewer.annotate.lesion import Reader
from viewer.session import Case
from viewer.study.order import StackPlan


def read_work(plan: StackPlan, volume: Volume) -> AnnotationDocument:
    """Return the document of a series as its readers left it.

    Parameters
    ----------
    plan, volume
        The series, all of it read.

    Raises
    ------
    Problem
        When nothing was saved of it, or what was saved cannot be read.
    """
    key = saved_work.key_of(plan)
    try:
        home = folders.data_dir() / "cases" / key
    except OSError as error:
        raise saved_work.no_folder(error) from error
    if not (home / FILE).exists():
        raise Problem(
            translate("copy", "Nothing was saved of the series beside: it has no findings."),
            translate("copy", "Open it, run the model or draw, and come back."),
        )
    case = Case(plan.series, plan, volume, Reader(""), key)
    case.read_only_problem = Problem(translate("copy", "It is read only."), "")
    uid, count = plan.series.series_uid, len(plan.series.instances)
    fingerprint = Fingerprint.of(uid, count, volume.shape_kji, volume.affine)
    case.replay(open_journal(home, fingerprint, read_only=True))
    return case.document
