"""What the model expects readers to say, and how sure it is of its outlines, kept with a case."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.findings import Heatmap, Impression
from tests.annotate_cases import findings, open_case, paint, series, state, volume
from viewer import folders
from viewer.study.case_key import case_key
from viewer.tools.brush import Brush

# Written by the program as of commit 9211362, before there were such fields: findings of
# ``tests.annotate_cases`` with a verdict on "d2", gzip, base64.
OLD = Path(__file__).with_name("journal_of_0_1_0.txt")
SAID = Impression(3.25, 4.5)


@pytest.fixture
def found():
    of = findings(volume())
    first, second, third = of.detections
    values = np.arange(120, dtype=np.uint8).reshape(4, 5, 6)
    return replace(
        of,
        detections=(
            replace(first, uncertainty=0.07, impression=SAID),
            replace(second, uncertainty=0.5),
            third,
        ),
        uncertainty=Heatmap((1, 2, 3), values, "spread"),
    )


def test_they_survive_reopening(found):
    case = open_case()
    case.add_findings(found)
    before = state(case.document)
    assert case.close() == 0
    case = open_case()
    try:
        assert state(case.document) == before
        first, second, third = (case.document.detection(f"d{n}") for n in (1, 2, 3))
        assert (first.uncertainty, first.impression) == (0.07, SAID)
        assert (second.uncertainty, second.impression) == (0.5, None)
        assert (third.uncertainty, third.impression) == (None, None)
        again = case.document.findings.uncertainty
        assert again.origin_kji == (1, 2, 3) and again.meaning == "spread"
        assert np.array_equal(again.values, found.uncertainty.values)
    finally:
        case.close()


def test_they_stay_with_a_lesion_that_a_reader_corrects_and_a_human_one_has_none(found):
    case = open_case()
    try:
        case.add_findings(found)
        paint(case, "d1", [(5, 8, 12)], Brush(4.0, "ball"))
        case.add_missed((-5.0, 25.0, -20.0))
        edited, *_, drawn = case.snapshot().lesions
        assert edited.origin == "ai-edited"
        assert (edited.uncertainty, edited.impression) == (0.07, SAID)
        assert drawn.origin == "human"
        assert (drawn.uncertainty, drawn.impression) == (None, None)
        assert case.document.detection(drawn.id) is None
    finally:
        case.close()


@pytest.mark.parametrize(
    "broken",
    [{"uncertainty": float("nan")}, {"impression": Impression(float("inf"), 3.0)}],
)
def test_a_figure_that_is_no_number_is_refused_before_it_reaches_the_journal(found, broken):
    first, *others = found.detections
    bad = replace(found, detections=(replace(first, **broken), *others))
    case = open_case()
    try:
        with pytest.raises(ValueError, match="no number"):
            case.add_findings(bad)
        assert case.document.findings is None
    finally:
        case.close()


def test_a_case_of_the_version_before_opens_and_goes_on(found):
    home = folders.data_dir() / "cases" / case_key(series().series_uid)
    home.mkdir(parents=True)
    (home / "journal.db").write_bytes(gzip.decompress(base64.b64decode(OLD.read_text("ascii"))))
    case = open_case()
    try:
        assert case.recovered is None and case.read_only_problem is None
        assert [lesion.verdict for lesion in case.document.lesions] == [None, "rejected", None]
        assert case.document.findings.uncertainty is None
        for name in ("d1", "d2", "d3"):
            said = case.document.detection(name)
            assert said.uncertainty is None and said.impression is None
        case.add_findings(found)
        assert case.document.findings.uncertainty is not None
    finally:
        assert case.close() == 0
    case = open_case()
    try:
        assert [run.number for run in case.document.runs] == [1, 2]
        assert case.document.detection("r2d1").impression == SAID
    finally:
        case.close()
