"""The key under which the work on a case is kept, and what is said when it cannot be."""

from __future__ import annotations

from resources.problem import Problem
from resources.text import translate
from viewer.annotate.journal import Journal
from viewer.annotate.lock import Owner
from viewer.study.case_key import case_key
from viewer.study.order import StackPlan


def key_of(plan: StackPlan) -> str:
    """Return the key of a volume; one that is alone has that of its series.

    Raises
    ------
    Problem
        When the data folder cannot be used.
    """
    uid = plan.series.series_uid
    try:
        return case_key(uid, plan.part)
    except OSError as error:
        raise no_folder(error) from error


def still_coming() -> Problem:
    """Return why a stack that is being read is for looking only."""
    return Problem(
        translate("session", "The images are still being read."),
        translate("session", "Wait a moment."),
    )


def no_volume() -> Problem:
    """Return why a stack that is no regular volume is for looking only."""
    return Problem(
        translate("session", "The images make no regular volume."),
        translate("session", "They can be looked at only."),
    )


def no_folder(error: OSError) -> Problem:
    """Return that the data folder cannot be used."""
    return Problem(
        translate("annotate", "The folder of saved work cannot be made."),
        translate("annotate", "Check the disk and the rights of the data folder."),
        repr(error),
    )


def recovered_text(journal: Journal, read_only: bool) -> str:
    """Return what to tell of a journal that was damaged."""
    if journal.restored:
        return translate(
            "annotate",
            "The saved work was damaged: all {n} steps were restored from its second copy."
            " The damaged file is kept in the data folder.",
        ).format(n=len(journal.records))
    note = translate(
        "annotate", "The saved work was damaged: its first {n} steps were recovered."
    ).format(n=len(journal.records))
    if read_only:
        return note
    return f"{note} {translate('annotate', 'The damaged file is kept in the data folder.')}"


def taken_over_text(owner: Owner) -> str:
    """Return what to tell of a case whose last program ended without closing it."""
    return translate(
        "annotate",
        "The program that had this case open (process {pid} on {host}) ended without closing it;"
        " what it saved is here.",
    ).format(pid=owner.pid, host=owner.host)
