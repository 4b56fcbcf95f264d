"""Outlines of other files in a case: one step, kept by the journal, nobody's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.findings import Mask
from resources import labels, table
from resources.problem import Problem
from tests.annotate_cases import SHAPE, ball, findings, open_case, paint, state
from viewer.annotate import edits
from viewer.annotate.comparison import Comparison
from viewer.annotate.names import edit_text
from viewer.imports.held import HeldFile, HeldOutline
from viewer.imports.taking import Chosen
from viewer.tools.brush import Brush

LIVER = ("10200004", "SCT", "Liver")


def outline(number, name, centre, radius=3.0, **more) -> HeldOutline:
    return HeldOutline(number, name, mask=Mask.from_array(ball(centre, radius)), **more)


def chosen() -> list[Chosen]:
    nodule = ("27925004", "SCT", "Nodule")
    category = ("49755003", "SCT", "Morphologically Abnormal Structure")
    outlines = (
        outline(1, "Liver", (6, 12, 14), 5.0, type=LIVER, anatomy=True, colour="#DD8265"),
        outline(
            2, "Nodule 7", (5, 8, 6), type=nodule, category=category, tracking_uid="1.2.3",
            tracking_id="t", algorithm_type="AUTOMATIC", algorithm="net 1", verdict="rejected",
            reason="vessel", reader="Reader Two", utc="2026-11-21T07:31:05.123Z",
        ),
        HeldOutline(3, "Nodule", type=nodule, category=category, point_lps_mm=(1.0, 25.0, -20.0)),
    )  # fmt: skip
    file = HeldFile("a.dcm", "SEG", "Other System 2", "Their series", outlines=outlines, uid="9.9")
    return [Chosen(file, outlines)]


@pytest.fixture
def case(tmp_path):
    one = open_case(folder=tmp_path)
    yield one
    one.close()
    labels.forget()


def test_it_is_one_step_and_undo_takes_it_back(case):
    case.add_findings(findings(case.volume))
    before = state(case.document)
    change = case.take_in(chosen(), case.series.series_uid)
    assert (change.lesion_ids, change.segment_ids) == (("i2", "i3"), ("i1",))
    assert case.undo_name == "Import 3 outlines"
    after = state(case.document)
    case.undo()
    assert state(case.document) == before
    assert case.document.imported("i1") is None
    case.redo()
    assert state(case.document) == after


def test_it_says_whose_it_is(case):
    case.take_in(chosen(), case.series.series_uid)
    liver = case.document.segment("i1")
    drawn, point = (case.document.lesion(each) for each in ("i2", "i3"))
    assert (liver.origin, drawn.origin, point.origin) == ("imported",) * 3
    assert case.document.imported("i2").said == "Other System 2, Their series"
    assert (drawn.number, drawn.label, drawn.missed_by_ai) == (7, "nodule", False)
    said = drawn.decision
    assert (said.verdict, said.reason, said.reader) == ("rejected", "vessel", "Reader Two")
    assert not point.reviewed and point.empty and point.number == 8
    assert case.document.ai_mask("i1") is None and case.document.ai_mask("i2") is None
    term = table("labels")[liver.label]
    assert (term["name"], term["colour"], term["type"]) == ("Liver", "#DD8265", list(LIVER))
    outcomes = {one.target_id: one.outcome for one in Comparison().of(case.document, 0.0)}
    assert outcomes == {"i1": "imported", "i2": "rejected", "i3": "imported"}


def test_an_edit_makes_it_corrected_and_back(case):
    case.take_in(chosen(), case.series.series_uid)
    for target, at in (("i1", (6.0, 12.0, 14.0)), ("i2", (5.0, 8.0, 6.0))):
        paint(case, target, [np.array(at)], Brush(3.0, "disc", mode="erase"))
        assert case.document.target(target).origin == "imported-edited"
        case.undo()
        assert case.document.target(target).origin == "imported"


def test_the_journal_brings_it_back(tmp_path):
    one = open_case(folder=tmp_path)
    one.take_in(chosen(), one.series.series_uid)
    paint(one, "i2", [np.array((5.0, 8.0, 6.0))], Brush(3.0, "disc", mode="erase"))
    one.set_verdict("i2", "accepted")
    meant = state(one.document)
    assert one.close() == 0
    labels.forget()
    again = open_case(folder=tmp_path)
    try:
        assert state(again.document) == meant
        assert again.document.imported("i1").source["uid"] == "9.9"
        assert table("labels")[again.document.segment("i1").label]["name"] == "Liver"
        for _ in range(3):
            again.undo()
        assert not again.document.record and not again.document.segments
    finally:
        again.close()
        labels.forget()


def test_a_model_that_runs_later_neither_takes_nor_hides_it(case):
    case.take_in(chosen(), case.series.series_uid)
    case.add_findings(findings(case.volume))
    assert {s.id for s in case.document.segments} == {"i1", "lung_right", "lung_left"}
    assert case.document.lesion("i2").live
    # The same finding of the model does not enter the list a second time.
    assert [x.id for x in case.document.lesions] == ["i2", "i3", "d2", "d3"]


def test_a_second_import_of_the_same_keeps_no_tracking_twice(case):
    for _ in range(2):
        case.take_in(chosen(), case.series.series_uid)
    snapshot = case.snapshot()
    told = [one.tracking_uid for one in snapshot.imported_by_id.values()]
    assert sorted(told)[-1:] == ["1.2.3"] and told.count("1.2.3") == 1
    assert len({s.label for s in case.document.segments}) == 1
    case.undo()
    assert [s.id for s in case.document.segments] == ["i1"]


def test_nothing_is_taken_in_while_a_case_is_read_blind(case):
    case.blind = True
    with pytest.raises(Problem, match="read blind"):
        case.take_in(chosen(), case.series.series_uid)
    case.blind, case.which = False, "second"
    with pytest.raises(Problem, match="read blind"):
        case.take_in(chosen(), case.series.series_uid)
    assert not case.document.record


def test_what_is_locked_does_not_go(case):
    case.take_in(chosen(), case.series.series_uid)
    case.set_lock("i1", True)
    edit = edits.AddImported.read(*_journal_form(case))
    with pytest.raises(ValueError, match="locked"):
        case.document.apply(edit.inverse())
    with pytest.raises(Problem):
        paint(case, "i1", [np.array((6.0, 12.0, 14.0))], Brush(3.0, "disc"))


def _journal_form(case):
    made = next(edit for edit in case._history.done if edit.kind == "add-imported")
    return made.body(), made.blob()


def test_an_import_that_does_not_fit_changes_nothing(case):
    case.take_in(chosen(), case.series.series_uid)
    made = next(edit for edit in case._history.done if edit.kind == "add-imported")
    before = state(case.document)
    beyond = Mask((SHAPE[0] - 1, 0, 0), np.ones((2, 2, 2), bool))
    for wrong in (
        made,  # the ids are taken
        edits.AddImported(
            made.sources, (replace(made.outlines[0], target_id="x", mask=beyond),), {}
        ),
        edits.AddImported(
            made.sources, (replace(made.outlines[2], target_id="x", anatomy=True),), {}
        ),
    ):
        with pytest.raises(ValueError):
            case.document.apply(wrong)
        assert state(case.document) == before
    with pytest.raises(ValueError):
        edits.decode("add-imported", made.body(), made.blob()[:-1])
    assert edit_text(case.document, made) == "Import 3 outlines"
