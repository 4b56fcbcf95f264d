"""Adjudication: every difference settled one by one; both parents named and untouched."""

import pytest

from resources.problem import Problem
from tests.adjudication_cases import THIRD, parents, result, two_readings
from tests.annotate_cases import state
from viewer.annotate import adjudication, mask
from viewer.annotate.adjudication import (
    agreed_edit,
    is_open,
    key_of,
    kinds_of,
    settle_edit,
    settlement,
)
from viewer.annotate.audit import KnownNames, read_audit

UTC = "2026-11-22T03:00:00.000Z"


@pytest.fixture
def folder(tmp_path):
    two_readings(tmp_path)
    return tmp_path


@pytest.fixture
def both(folder):
    return parents(folder)


@pytest.fixture
def case(folder):
    made = result(folder)
    yield made
    made.close()


def pair_of(both, first=None, second=None):
    for pair in both.agreement.pairs:
        ids = tuple(None if one is None else one.id for one in (pair.first, pair.second))
        if ids == (first, second):
            return pair
    raise KeyError((first, second))


def settle(case, both, pair, choice):
    edit = settle_edit(case.document, both, pair, choice, THIRD.name, UTC)
    return case.apply(edit) if edit is not None else None


def test_what_differs_is_named(both):
    kinds = {key_of(pair): kinds_of(pair) for pair in both.agreement.pairs}
    assert kinds == {
        "d1|d1": ("one-only",),
        "d2|d2": ("outline",),
        "h1|": ("one-only",),
        "|h1": ("one-only",),
    }
    assert kinds_of(pair_of(both, "d2", "d2"), limit=0.1) == ()


def test_a_committed_reading_takes_no_change(folder):
    from tests.annotate_cases import open_case

    first = open_case(folder=folder)
    assert first.committed
    with pytest.raises(Problem, match="committed"):
        first.set_verdict("d1", "unsure")
    assert not first.can_undo
    first.close()


@pytest.mark.parametrize("choice", ["first", "second"])
def test_each_finding_becomes_as_the_chosen_reading_has_it(case, both, choice):
    for pair in both.agreement.pairs:
        settle(case, both, pair, choice)
        wanted = getattr(pair, choice)
        made = settlement(case.document, pair)
        assert made.choice == choice
        assert (made.reader, made.utc) == (THIRD.name, UTC)
        if wanted is None:
            assert made.lesion_id is None
            continue
        lesion = case.document.lesion(made.lesion_id)
        assert lesion.verdict == wanted.verdict
        assert lesion.decision.reason == wanted.decision.reason
        assert lesion.reader == (THIRD.name if wanted.verdict else None)
        assert mask.difference(lesion.mask, wanted.mask) is None
        assert not is_open(case.document, pair)
    standing = {x.id for x in case.document.lesions if x.verdict != "rejected" and x.touched}
    assert len(standing) == {"first": 3, "second": 2}[choice]


def test_the_note_keeps_both_parents(case, both):
    pair = pair_of(both, "d1", "d1")
    settle(case, both, pair, "second")
    kept = case.document.notes(adjudication.TOPIC)["d1|d1"]["parents"]
    for which in ("first", "second"):
        parent = getattr(both, which)
        assert kept[which]["lesion"] == "d1"
        assert kept[which]["readers"] == list(parent.readers)
        assert (kept[which]["record"], kept[which]["sha256"]) == parent.links["d1"]
        assert len(kept[which]["sha256"]) == 64
    only = pair_of(both, "h1", None)
    settle(case, both, only, "second")
    kept = case.document.notes(adjudication.TOPIC)["h1|"]["parents"]
    assert kept["first"]["lesion"] == "h1"
    assert kept["second"] == {"readers": ["Second"], "lesion": None, "record": 0, "sha256": ""}


def test_each_choice_is_one_step_and_its_undo_leads_back(case, both):
    states = [state(case.document)]
    for pair in both.agreement.pairs:
        for choice in ("first", "second", "own"):
            before = len(case.steps[0])
            settle(case, both, pair, choice)
            assert len(case.steps[0]) == before + 1
            states.append(state(case.document))
    assert settle(case, both, pair, "own") is None
    for wanted in reversed(states[:-1]):
        case.undo()
        assert state(case.document) == wanted
    for wanted in states[1:]:
        case.redo()
        assert state(case.document) == wanted


def test_it_outlives_the_session_and_stands_in_the_log(folder, case, both):
    chosen = ("second", "first", "own", "second")
    for pair, choice in zip(
        both.agreement.pairs, ("second", "first", "own", "second"), strict=True
    ):
        settle(case, both, pair, choice)
    before, folder_of_case = state(case.document), case.folder
    names = KnownNames(case.document)
    assert case.close() == 0
    log = read_audit(folder_of_case, names)
    assert log.broken_at is None
    steps = [row.step for row in log.rows]
    assert "Settle nodule 1 as in the second reading" in steps
    assert sum(step.startswith("Settle") for step in steps) == 4
    again = result(folder)
    assert state(again.document) == before
    fresh = parents(folder)
    told = [settlement(again.document, pair) for pair in fresh.agreement.pairs]
    assert [one.choice for one in told] == list(chosen)
    again.close()


def test_what_is_changed_after_the_choice_is_the_adjudicators_own(case, both):
    pair = pair_of(both, "d1", "d1")
    settle(case, both, pair, "first")
    case.set_verdict("d1", "unsure")
    assert settlement(case.document, pair).choice == "own"
    assert not is_open(case.document, pair)
    case.undo()
    assert settlement(case.document, pair).choice == "first"


def test_an_own_choice_waits_for_a_verdict(case, both):
    pair = pair_of(both, "d1", "d1")
    settle(case, both, pair, "own")
    assert is_open(case.document, pair)
    case.set_verdict("d1", "unsure")
    assert not is_open(case.document, pair)
    settle(case, both, pair, "second")
    assert case.document.lesion("d1").verdict == "rejected"


def test_an_own_choice_of_what_is_not_there_begins_with_the_reading_that_has_it(case, both):
    pair = pair_of(both, None, "h1")
    settle(case, both, pair, "own")
    made = case.document.lesion(settlement(case.document, pair).lesion_id)
    assert mask.difference(made.mask, pair.second.mask) is None
    assert case.document.notes("comment")[made.id] == {"text": "hilar"}
    settle(case, both, pair, "first")
    assert case.document.lesion(made.id).deleted
    settle(case, both, pair, "second")
    assert case.document.lesion(made.id).live


def test_what_both_agree_on_is_taken_over_in_one_step(case, both):
    start = state(case.document)
    edit = agreed_edit(case.document, both, 0.1, THIRD.name, UTC)
    case.apply(edit)
    assert case.document.lesion("d2").verdict == "accepted"
    assert settlement(case.document, pair_of(both, "d2", "d2")).choice == "both"
    assert settlement(case.document, pair_of(both, "d1", "d1")) is None
    assert agreed_edit(case.document, both, 0.1, THIRD.name, UTC) is None
    assert case.undo_name == "Take over what both readings agree on"
    case.undo()
    assert state(case.document) == start


def test_a_lock_holds_against_a_choice(case, both):
    case.set_lock("d2", True)
    with pytest.raises(Problem, match="locked"):
        settle(case, both, pair_of(both, "d2", "d2"), "second")


def test_neither_parent_is_changed(folder, case, both):
    before = [state(one.document) for one in (both.first, both.second)]
    for pair in both.agreement.pairs:
        settle(case, both, pair, "second")
    fresh = parents(folder)
    assert [state(one.document) for one in (fresh.first, fresh.second)] == before
