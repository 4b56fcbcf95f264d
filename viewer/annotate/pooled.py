"""The agreement of two readings over many cases, from the tables that were saved of each.

The figures are those of all findings together, not means of the cases' figures: a case with one
finding counts as one. The FROC has every case as a scan, also one without a lesion.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from resources.problem import Problem
from resources.text import translate
from viewer.annotate.agreement import cohen_kappa
from viewer.annotate.agreement_csv import COLUMNS, READINGS, froc_rows, number
from viewer.annotate.audit import safe_value
from viewer.annotate.froc import Point, curve

_Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PooledFroc:
    """How the AI stands to one reading of all cases.

    Attributes
    ----------
    hits, false
        Scores of the findings that are lesions, and of those that are none.
    lesions, left_out, scans
        How many lesions the readings have, how many findings they say nothing certain of, and how
        many cases there are.
    """

    hits: tuple[float, ...]
    false: tuple[float, ...]
    lesions: int
    left_out: int
    scans: int

    @property
    def points(self) -> tuple[Point, ...]:
        """The curve over all cases."""
        return curve(self.hits, self.false, self.lesions, self.scans)

    def at(self, threshold: float) -> Point:
        """Return what stands at a threshold; with no lesion the sensitivity is 0."""
        found = sum(score >= threshold for score in self.hits)
        false = sum(score >= threshold for score in self.false)
        return Point(threshold, found / max(1, self.lesions), false / self.scans)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Two readings of many cases; figures as in ``Agreement``, over all of their findings."""

    cases: int
    kappa: float | None
    judged: int
    same_verdicts: int
    both: int
    only_first: int
    only_second: int
    mean_dice: float | None
    mean_hd95_mm: float | None
    frocs: Mapping[str, PooledFroc]


def pool(tables: Iterable[str]) -> Pooled:
    """Put the tables of several cases together.

    Parameters
    ----------
    tables
        CSV of ``agreement_csv.as_csv``, one a case.

    Raises
    ------
    Problem
        When one is no such table, an earlier version saved it, or a case comes twice.
    """
    cases = [_rows(text) for text in tables]
    if not cases:
        raise Problem(
            translate("readers", "There is no table to put together."),
            translate("readers", "Save the agreement of each case first."),
        )
    keys = Counter(rows[0]["case"] for rows in cases)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise Problem(
            translate("readers", "Two of the tables are of one case ({case}).").format(
                case=twice[0][:8]
            ),
            translate("readers", "Leave one of them out."),
        )
    rows = [row for case in cases for row in case]
    verdicts: list[tuple[object, object]] = []
    for row in rows:
        if row["row"] == "verdicts":
            verdicts += [(row["first"], row["second"])] * int(row["value"])
    figures = Counter[str]()
    for row in rows:
        if row["row"] == "figure" and row["name"].startswith("findings_in_"):
            figures[row["name"]] += int(row["value"])
    findings = [row for row in rows if row["row"] == "finding"]
    return Pooled(
        cases=len(cases),
        kappa=cohen_kappa(verdicts),
        judged=len(verdicts),
        same_verdicts=sum(a == b for a, b in verdicts),
        both=figures["findings_in_both"],
        only_first=figures["findings_in_first_only"],
        only_second=figures["findings_in_second_only"],
        mean_dice=_mean(findings, "dice"),
        mean_hd95_mm=_mean(findings, "hd95_mm"),
        frocs=_frocs(cases),
    )


def _rows(text: str) -> list[_Row]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\N{BYTE ORDER MARK}"), newline=""))
    known = tuple(reader.fieldnames or ()) == COLUMNS
    rows: list[_Row] = list(reader) if known else []
    if not rows or any(None in row.values() for row in rows) or not rows[0]["case"]:
        raise Problem(
            translate("readers", "One of the files is no table of an agreement."),
            translate("readers", "Choose files that “Save as CSV…” of the agreement wrote."),
        )
    if not any(row["name"] == "verdicts_counted" for row in rows):
        raise Problem(
            translate("readers", "An earlier Overread saved one of the tables."),
            translate("readers", "Save the agreement of that case again."),
        )
    return rows


def _mean(rows: Sequence[_Row], column: str) -> float | None:
    known = [float(row[column]) for row in rows if row[column]]
    return sum(known) / len(known) if known else None


def _frocs(cases: Sequence[Sequence[_Row]]) -> dict[str, PooledFroc]:
    """Return the FROC against each reading that every case with a model's run has."""
    found = {}
    for name in READINGS:
        of = [[row for row in rows if row["row"] == "froc"] for rows in cases]
        of = [rows for rows in of if any(row["name"] == f"{name}_lesions" for row in rows)]
        if not of:
            continue
        flat = [row for rows in of for row in rows]
        counts = Counter[str]()
        for row in flat:
            if row["value"] and row["name"].startswith(f"{name}_"):
                counts[row["name"].removeprefix(f"{name}_")] += int(row["value"])
        scores: dict[str, list[float]] = {"hit": [], "false": []}
        for row in (row for rows in cases for row in rows):
            if row["row"] == "score" and row["name"] == name:
                scores[row["value"]].append(float(row["threshold"]))
        found[name] = PooledFroc(
            tuple(sorted(scores["hit"], reverse=True)),
            tuple(sorted(scores["false"], reverse=True)),
            counts["lesions"],
            counts["left_out"],
            len(of),
        )
    return found


def as_csv(found: Pooled) -> str:
    """Return the pooled figures and curves as a table of the same columns."""
    figures: Sequence[tuple[str, object]] = (
        ("cases", found.cases),
        ("cohen_kappa", number(found.kappa)),
        ("verdicts_judged_by_both", found.judged),
        ("verdicts_the_same", found.same_verdicts),
        ("findings_in_both", found.both),
        ("findings_in_first_only", found.only_first),
        ("findings_in_second_only", found.only_second),
        ("mean_dice", number(found.mean_dice)),
        ("mean_hd95_mm", number(found.mean_hd95_mm)),
    )
    rows: list[dict[str, object]] = [
        {"row": "figure", "name": name, "value": value} for name, value in figures
    ]
    for name, one in found.frocs.items():
        counts = (("lesions", one.lesions), ("left_out", one.left_out), ("scans", one.scans))
        rows += froc_rows(name, counts, one.points)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: safe_value(value) for name, value in ({"case": "pooled"} | row).items()}
        )
    return out.getvalue()
