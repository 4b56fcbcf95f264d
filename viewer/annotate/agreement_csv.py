"""The agreement of two readings as a table: every figure, every finding, every point of the FROC.

One kind of row below the other under one heading, so that the files of many cases can be put
together: the first cell is the key of the case, which says nothing of the patient.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from viewer.annotate.adjudication import Parents, kinds_of, settlement
from viewer.annotate.agreement import Pair, said
from viewer.annotate.audit import safe_value
from viewer.annotate.document_state import DocumentState
from viewer.annotate.froc import Froc, Point, against
from viewer.annotate.lesion import Lesion

COLUMNS = (
    "case", "row", "name", "value",
    "first", "second", "adjudicated", "label", "differs", "choice", "chosen_by", "chosen_utc",
    "dice", "hd95_mm", "threshold", "sensitivity", "false_findings",
)  # fmt: skip

# Against which the AI is held.
READINGS = ("first", "second", "adjudicated")


def frocs(parents: Parents, adjudicated: DocumentState | None) -> dict[str, Froc]:
    """Return the FROC of the AI against each reading that there is."""
    readings = {"first": parents.first.document, "second": parents.second.document}
    if adjudicated is not None:
        readings["adjudicated"] = adjudicated
    found = {name: against(document) for name, document in readings.items()}
    return {name: one for name, one in found.items() if one is not None}


def as_csv(case_key: str, parents: Parents, adjudicated: DocumentState | None, limit: float) -> str:
    """Return the whole report as CSV (RFC 4180) that no spreadsheet takes for formulas.

    Parameters
    ----------
    case_key
        Says nothing of the patient.
    adjudicated
        The adjudicated reading, as far as it is, or None.
    limit
        Dice below which two outlines differ.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    rows = [*_figures(parents, limit), *_findings(parents, adjudicated, limit)]
    rows += _verdicts(parents)
    for name, one in frocs(parents, adjudicated).items():
        rows += _froc(name, one)
    for row in rows:
        writer.writerow(
            {name: safe_value(value) for name, value in ({"case": case_key} | row).items()}
        )
    return out.getvalue()


def _figures(parents: Parents, limit: float) -> Iterable[dict[str, object]]:
    found = parents.agreement
    figures: Sequence[tuple[str, object]] = (
        ("readers_first", ", ".join(parents.first.readers)),
        ("readers_second", ", ".join(parents.second.readers)),
        ("cohen_kappa", number(found.kappa)),
        ("verdicts_judged_by_both", found.judged),
        ("verdicts_the_same", found.same_verdicts),
        ("findings_in_both", found.both),
        ("findings_in_first_only", found.only_first),
        ("findings_in_second_only", found.only_second),
        ("mean_dice", number(found.mean_dice)),
        ("mean_hd95_mm", number(found.mean_hd95_mm)),
        ("dice_limit", limit),
    )
    return [{"row": "figure", "name": name, "value": value} for name, value in figures]


def _findings(
    parents: Parents, adjudicated: DocumentState | None, limit: float
) -> Iterable[dict[str, object]]:
    return [_finding(pair, adjudicated, limit) for pair in parents.agreement.pairs]


def _finding(pair: Pair, adjudicated: DocumentState | None, limit: float) -> dict[str, object]:
    row: dict[str, object] = {
        "row": "finding",
        "name": pair.either.number,
        "first": _verdict(pair.first),
        "second": _verdict(pair.second),
        "label": pair.either.label,
        "differs": " ".join(kinds_of(pair, limit)),
        "dice": number(pair.dice),
        "hd95_mm": number(pair.hd95_mm),
    }
    chosen = None if adjudicated is None else settlement(adjudicated, pair)
    if adjudicated is not None and chosen is not None:
        lesion = None if chosen.lesion_id is None else adjudicated.lesion(chosen.lesion_id)
        row |= {
            "adjudicated": _verdict(lesion),
            "choice": chosen.choice,
            "chosen_by": chosen.reader,
            "chosen_utc": chosen.utc,
        }
    return row


def _verdicts(parents: Parents) -> Iterable[dict[str, object]]:
    """Return how often which two verdicts stand on one finding of the AI, for many cases."""
    counted = Counter(parents.agreement.verdicts)
    rows: list[dict[str, object]] = [
        {"row": "figure", "name": "verdicts_counted", "value": len(parents.agreement.verdicts)}
    ]
    rows += [
        {"row": "verdicts", "first": first, "second": second, "value": count}
        for (first, second), count in sorted(counted.items())
    ]
    return rows


def _froc(name: str, one: Froc) -> Iterable[dict[str, object]]:
    counts = (("lesions", one.lesions), ("missed", one.missed), ("left_out", one.left_out))
    rows = froc_rows(name, counts, one.points)
    # A case without a lesion has no curve; among many cases its false findings count.
    rows += [
        {"row": "score", "name": name, "value": what, "threshold": number(score)}
        for what, scores in (("hit", one.hits), ("false", one.false))
        for score in scores
    ]
    return rows


def _verdict(lesion: Lesion | None) -> str:
    if lesion is None:
        return "absent"
    return " ".join(filter(None, (said(lesion) or "not-judged", lesion.decision.reason)))


def froc_rows(
    name: str, counts: Sequence[tuple[str, int]], points: Sequence[Point]
) -> list[dict[str, object]]:
    """Return the rows of a curve: what it rests on, and its points."""
    rows: list[dict[str, object]] = [
        {"row": "froc", "name": f"{name}_{what}", "value": count} for what, count in counts
    ]
    rows += [
        {
            "row": "froc",
            "name": name,
            "threshold": number(point.threshold),
            "sensitivity": number(point.sensitivity),
            "false_findings": number(point.false_a_scan),
        }
        for point in points
    ]
    return rows


def number(value: float | None) -> str:
    """Return a figure as it stands in the table; empty where it has no value."""
    return "" if value is None else f"{value:.6g}"
