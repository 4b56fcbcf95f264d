"""Two committed readings of one case that differ in every way, for the tests of adjudication."""

from __future__ import annotations

from tests.annotate_cases import findings, open_case, paint, volume
from viewer.annotate.adjudication import Parent, Parents
from viewer.annotate.agreement import compare
from viewer.session import Case, Reader
from viewer.tools.brush import Brush

FIRST, SECOND, THIRD = Reader("First"), Reader("Second"), Reader("Third", "adjudicator")


def two_readings(folder) -> None:
    """Write them: verdicts differ on d1, outlines on d2, and each has a finding of its own."""
    for reader, which in ((FIRST, "first"), (SECOND, "second")):
        case = open_case(folder=folder, reader=reader, which=which)
        case.add_findings(findings(volume()))
        if which == "first":
            case.set_verdict("d1", "accepted")
            case.set_verdict("d2", "accepted")
            own = case.add_missed((-20.0, 30.0, -26.0)).lesion_ids[0]
            paint(case, own, [(8, 18, 8)], Brush(4.0, "ball", 0, "add"))
        else:
            case.set_verdict("d1", "rejected", "vessel")
            case.set_verdict("d2", "accepted")
            paint(case, "d2", [(7, 12, 20)], Brush(5.0, "ball", 0, "erase"))
            own = case.add_missed((-20.0, 22.0, -12.0)).lesion_ids[0]
            paint(case, own, [(2, 20, 22)], Brush(4.0, "ball", 0, "add"))
            case.set_note("comment", own, {"text": "hilar"})
        case.commit()
        assert case.close() == 0


def parents(folder) -> Parents:
    """Read both."""
    both: list[Case] = []
    for which in ("first", "second"):
        both.append(open_case(folder=folder, reader=THIRD, which=which))
        assert both[-1].close() == 0
    found = [Parent(tuple(sorted(one.readers)), one.document, one.links) for one in both]
    first, second = both
    agreement = compare(first.document, second.document, first.threshold, second.threshold)
    return Parents(found[0], found[1], agreement)


def result(folder) -> Case:
    """Open the adjudicated reading, begun when it is not yet there."""
    case = open_case(folder=folder, reader=THIRD, which="adjudicated")
    if not case.document.runs:
        case.add_findings(findings(volume()))
    return case
