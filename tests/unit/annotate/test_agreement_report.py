"""FROC of the AI against a reading, beside that of MONAI, and the report as a table."""

import csv
import io

import numpy as np
import pytest

from resources.problem import Problem
from tests.adjudication_cases import THIRD, parents, result, two_readings
from tests.annotate_cases import findings, open_case, paint, volume
from viewer.annotate import froc, pooled
from viewer.annotate.adjudication import settle_edit
from viewer.annotate.agreement import cohen_kappa
from viewer.annotate.agreement_csv import COLUMNS, as_csv, frocs
from viewer.session import Reader
from viewer.tools.brush import Brush


@pytest.fixture
def case(tmp_path):
    made = open_case(folder=tmp_path)
    made.add_findings(findings(volume()))
    yield made
    made.close()


def test_verdicts_say_what_is_found_and_what_is_false(case):
    case.set_verdict("d1", "accepted")
    case.set_verdict("d2", "rejected")
    found = froc.against(case.document)
    assert (found.hits, found.false, found.missed, found.left_out) == ((0.9,), (0.7,), 0, 1)
    assert found.at(0.8) == (1, 0)
    assert found.at(0.5) == (1, 1)
    assert [(p.threshold, p.sensitivity, p.false_a_scan) for p in found.points] == [
        (0.9, 1.0, 0.0),
        (0.7, 1.0, 1.0),
    ]


def test_a_readers_own_lesion_is_missed_or_found_below_the_threshold(case):
    own = case.add_missed((-20.0, 30.0, -26.0)).lesion_ids[0]
    paint(case, own, [(8, 18, 8)], Brush(4.0, "ball", 0, "add"))
    assert froc.against(case.document).missed == 1
    # d3 has a score of 0.2 and is not listed; here the reader draws what it shows.
    low = case.add_missed((-20.0, 22.0, -12.0)).lesion_ids[0]
    paint(case, low, [(3, 6, 22)], Brush(4.0, "ball", 0, "add"))
    found = froc.against(case.document)
    assert (found.hits, found.missed, found.lesions) == ((0.2,), 1, 2)
    assert found.at(0.5) == (0, 0)
    case.set_verdict(low, "rejected")
    assert froc.against(case.document).lesions == 1


def test_what_was_deleted_is_false_and_unsure_is_neither(case):
    case.delete("d1")
    case.set_verdict("d2", "unsure")
    found = froc.against(case.document)
    assert (found.hits, found.false, found.left_out) == ((), (0.9,), 2)
    assert found.points == ()


def test_there_is_no_curve_without_a_model(tmp_path):
    made = open_case(folder=tmp_path)
    assert froc.against(made.document) is None
    made.close()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(6))
def test_the_curve_is_that_of_monai(seed):
    metrics = pytest.importorskip("monai.metrics", reason="needs MONAI (extra train)")
    rng = np.random.default_rng(seed)
    hits, false = rng.random(rng.integers(1, 12)), rng.random(rng.integers(1, 20))
    lesions, scans = len(hits) + int(rng.integers(1, 5)), int(rng.integers(1, 6))
    # MONAI takes a score for each lesion, 0 where none was found, and leaves the lowest score out.
    each = np.concatenate([hits, np.zeros(lesions - len(hits))])
    rate, sensitivity = metrics.compute_froc_curve_data(false, each, lesions, scans)
    own = froc.curve(hits.tolist(), false.tolist(), lesions, scans)
    for point in own:
        theirs = np.max(sensitivity[rate <= point.false_a_scan + 1e-9], initial=0)
        best = max(p.sensitivity for p in own if p.false_a_scan <= point.false_a_scan + 1e-9)
        assert best == pytest.approx(theirs)
    # Each threshold beside a plain count.
    for point in own:
        assert point.sensitivity == pytest.approx((hits >= point.threshold).sum() / lesions)
        assert point.false_a_scan == pytest.approx((false >= point.threshold).sum() / scans)


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_table_holds_every_figure_finding_and_point(tmp_path):
    two_readings(tmp_path)
    both = parents(tmp_path)
    made = result(tmp_path)
    for pair, choice in zip(
        both.agreement.pairs, ("second", "first", "second", "own"), strict=True
    ):
        made.apply(settle_edit(made.document, both, pair, choice, THIRD.name, "2026-11-22"))
    rows = read(as_csv("abc123", both, made.document, 0.7))
    assert tuple(rows[0]) == COLUMNS
    assert {row["case"] for row in rows} == {"abc123"}
    figures = {row["name"]: row["value"] for row in rows if row["row"] == "figure"}
    assert float(figures["cohen_kappa"]) == pytest.approx(both.agreement.kappa, rel=1e-5)
    assert figures["readers_first"] == "First"
    assert float(figures["mean_dice"]) == pytest.approx(both.agreement.mean_dice, rel=1e-5)
    told = [row for row in rows if row["row"] == "finding"]
    assert len(told) == len(both.agreement.pairs)
    assert told[0]["first"] == "accepted"
    assert told[0]["second"] == told[0]["adjudicated"] == "rejected vessel"
    assert [row["choice"] for row in told] == ["second", "first", "second", "own"]
    assert told[0]["chosen_by"] == "Third"
    assert {row["differs"] for row in told} == {"one-only", "outline"}
    for name, one in frocs(both, made.document).items():
        points = [row for row in rows if row["name"] == name and row["row"] == "froc"]
        assert len(points) == len(one.points)
        counted = {row["name"]: row["value"] for row in rows if row["row"] == "froc"}
        assert counted[f"{name}_lesions"] == str(one.lesions)
    made.close()


def test_names_of_readers_are_no_formulas_and_numbers_stay_numbers(tmp_path):
    for name, which in (("=cmd()", "first"), ("@two, x", "second")):
        case = open_case(folder=tmp_path, reader=Reader(name), which=which)
        case.add_findings(findings(volume()))
        for lesion, verdict in zip(("d1", "d2"), ("accepted", "rejected"), strict=True):
            opposite = "rejected" if verdict == "accepted" else "accepted"
            case.set_verdict(lesion, verdict if which == "first" else opposite)
        case.commit()
        case.close()
    rows = read(as_csv("k", parents(tmp_path), None, 0.7))
    figures = {row["name"]: row["value"] for row in rows}
    assert "'=cmd()" in figures["readers_first"]
    assert figures["cohen_kappa"] == "-1"
    for cell in (cell for row in rows for cell in row.values()):
        assert not cell.startswith(("=", "@", "+", "\t"))


def table(home, first, second, key):
    """Two readings of a case by their verdicts on d1 and d2; return the table, and both."""
    home.mkdir()
    for which, verdicts in (("first", first), ("second", second)):
        case = open_case(folder=home, reader=Reader(which), which=which)
        case.add_findings(findings(volume()))
        for lesion, verdict in zip(("d1", "d2"), verdicts, strict=True):
            case.set_verdict(lesion, verdict)
        case.commit()
        case.close()
    both = parents(home)
    return as_csv(key, both, None, 0.7), both


def test_many_cases_are_pooled_by_findings_and_every_case_is_a_scan(tmp_path):
    yes, no = "accepted", "rejected"
    made = [
        table(tmp_path / "a", (yes, no), (yes, no), "a"),
        table(tmp_path / "b", (no, no), (yes, no), "b"),  # without a lesion in the first
        table(tmp_path / "c", (yes, yes), (no, yes), "c"),
    ]
    # A spreadsheet's mark at the beginning is none of the table.
    found = pooled.pool(["\ufeff" + made[0][0], *(text for text, _ in made[1:])])
    verdicts = [pair for _, both in made for pair in both.agreement.verdicts]
    assert (found.cases, found.judged, found.same_verdicts) == (3, 6, 4)
    assert found.kappa == pytest.approx(cohen_kappa(verdicts))
    dices = [p.dice for _, both in made for p in both.agreement.pairs if p.dice is not None]
    assert found.mean_dice == pytest.approx(np.mean(dices))
    assert found.both == sum(both.agreement.both for _, both in made)
    for name in ("first", "second"):
        each = [frocs(both, None)[name] for _, both in made]
        hits = [score for one in each for score in one.hits]
        false = [score for one in each for score in one.false]
        own = found.frocs[name]
        assert sorted(own.hits) == sorted(hits)
        assert sorted(own.false) == sorted(false), "those of a case without a lesion, too"
        assert (own.scans, own.lesions) == (3, sum(one.lesions for one in each))
        assert own.points == froc.curve(hits, false, own.lesions, 3)
        assert own.at(0.8).false_a_scan == pytest.approx(sum(s >= 0.8 for s in false) / 3)
    rows = read(pooled.as_csv(found))
    assert {row["case"] for row in rows} == {"pooled"}
    curve = [row for row in rows if row["row"] == "froc" and row["name"] == "first"]
    assert [float(row["sensitivity"]) for row in curve] == pytest.approx(
        [point.sensitivity for point in found.frocs["first"].points], rel=1e-5
    )


def test_what_is_no_table_is_refused_and_a_case_counts_once(tmp_path):
    text, _ = table(tmp_path / "a", ("accepted", "rejected"), ("accepted", "rejected"), "a")
    with pytest.raises(Problem, match="one case"):
        pooled.pool([text, text])
    with pytest.raises(Problem, match="no table"):
        pooled.pool([text, "a,b\r\n1,2\r\n"])
    older = "\r\n".join(line for line in text.split("\r\n") if "verdicts_counted" not in line)
    with pytest.raises(Problem, match="earlier"):
        pooled.pool([older])
    with pytest.raises(Problem, match="no table"):
        pooled.pool([])
