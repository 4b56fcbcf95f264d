"""What a case is worth for training: facts of its journal, their weight, and who may know them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inference.findings import Impression
from tests.annotate_cases import findings, open_case, volume
from viewer import impressions
from viewer.annotate.journal import FILE, utc_now
from viewer.impressions import Impression as FirstImpression
from viewer.saved_facts import Facts, Proposed, read_facts, state_of
from viewer.second_reading import folder_of
from viewer.session import Reader
from viewer.worth import Readings, Who, Worth, rated

FIRST, SECOND = Reader("First"), Reader("Second")
OPEN = Who("First", False)


def opinionated(of):
    """Findings with what the model thinks of each."""
    said = findings(of)
    first, *rest = said.detections
    return replace(said, detections=(
        replace(first, uncertainty=0.8, impression=Impression(2.0, 1.5)), *rest
    ))  # fmt: skip


def facts(folder, which="first"):
    return read_facts(folder_of(next(folder.iterdir()), which))


# --------------------------------------------------------------------------- facts


def test_a_journal_says_what_the_case_does_without_its_images(tmp_path):
    case = open_case(folder=tmp_path, reader=FIRST)
    case.add_findings(opinionated(volume()))
    case.set_verdict("d1", "rejected")
    case.set_verdict("d2", "accepted")
    case.add_missed((0.0, 0.0, 0.0))
    case.set_verdict("d2", "unsure")
    case.undo()
    assert case.flush() == 0
    found = facts(tmp_path)
    document = case.document
    assert found.verdicts == (("d1", "rejected"), ("d2", "accepted"))
    assert {one.id: one.score for one in found.proposed} == {
        lesion.id: lesion.score for lesion in document.record if lesion.origin == "ai"
    }
    assert found.proposed[0].uncertainty == 0.8 and found.proposed[0].texture == 1.5
    assert found.proposed[1].uncertainty is None
    assert found.threshold == 0.5
    assert found.missed == 1
    assert found.readers == found.knows_the_ai == {"First"}
    assert not found.committed
    case.undo()
    case.delete("d2")
    case.commit()
    assert case.close() == 0
    found = facts(tmp_path)
    assert (found.missed, found.committed) == (0, True)
    assert dict(found.verdicts)["d2"] == "rejected"


def test_a_second_run_counts_and_what_a_reader_worked_on_keeps_its_name(tmp_path):
    case = open_case(folder=tmp_path, reader=FIRST)
    case.add_findings(findings(volume()))
    case.set_verdict("d1", "accepted")
    case.add_findings(opinionated(volume()))
    assert case.close() == 0
    found = facts(tmp_path)
    assert [one.id for one in found.proposed] == ["d1", "r2d2", "r2d3"]
    assert dict(found.verdicts) == {"d1": "accepted"}


def test_reading_a_journal_changes_nothing_and_damage_says_nothing(tmp_path):
    case = open_case(folder=tmp_path, reader=FIRST)
    case.add_findings(findings(volume()))
    assert case.close() == 0
    home = next(tmp_path.iterdir())
    before = (home / FILE).read_bytes()
    state = state_of(home)
    assert read_facts(home) is not None
    assert (home / FILE).read_bytes() == before
    assert state_of(home) == state
    (home / FILE).write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert state_of(home) != state
    assert read_facts(home) is None
    assert read_facts(tmp_path / "nowhere") is None
    assert state_of(tmp_path / "nowhere") == ()


# -------------------------------------------------------------------------- weights


def seen(*scores, texture=5.0, mm=8.0, uncertainty=None):
    return tuple(
        Proposed(f"d{n}", score, mm, uncertainty, texture)
        for n, score in enumerate(scores, start=1)
    )


def one(facts_, who=OPEN, state="ai", second=None, others=()):
    cases = {"own": Readings(facts_, second)}
    cases |= {f"other{n}": Readings(other) for n, other in enumerate(others)}
    return rated(cases, {"own": state}, who)["own"]


def test_what_the_ai_is_unsure_of_is_worth_more():
    sure, near = one(Facts(seen(0.95))), one(Facts(seen(0.55)))
    vague = one(Facts(seen(0.95, uncertainty=0.7)))
    assert near.value > sure.value == 0
    assert vague.value > 0
    assert near.why == vague.why == "The AI is unsure of 1"
    assert one(Facts(seen(0.55, 0.45, 0.9))).why == "The AI is unsure of 2"
    assert one(Facts(seen(0.55, 0.45))).value > near.value
    assert sure.why == "Nothing unusual"


def test_what_readers_said_otherwise_is_worth_more():
    proposed = seen(0.95, 0.9)
    found = one(
        Facts(
            proposed, verdicts=(("d1", "rejected"),), redrawn=frozenset(["d2"]), missed=2,
            readers=frozenset(["First"]),
        )
    )  # fmt: skip
    assert found.why == "2 missed by the AI, 1 of the AI rejected, 1 redrawn"
    assert found.value == pytest.approx(0.9 * (1 - 0.6**4), abs=1e-4)
    first = Facts(proposed, verdicts=(("d1", "accepted"), ("d2", "accepted")))
    second = Facts(proposed, verdicts=(("d1", "rejected"), ("d2", "accepted")), committed=True)
    assert one(first, second=second).why == "Two readers differ on 1"


def test_a_rare_kind_is_worth_more_where_there_are_enough_to_tell():
    rare = Facts(seen(0.95, texture=1.0, mm=4.0))
    common = Facts(seen(*[0.95] * 20))
    assert one(rare).why == "Nothing unusual"
    found = one(rare, others=[common])
    assert found.why == "A rare kind: ground-glass under 6 mm (1 of 21 findings)"
    assert 0 < found.value < 0.4


def test_exported_ones_come_last_and_what_was_not_analysed_has_no_value():
    doubtful = Facts(seen(0.55))
    assert one(doubtful, state="exported") == Worth(0.0, "Exported already")
    assert one(Facts()) == one(None) == Worth(None, "The AI has not run")


# -------------------------------------------------------------------------- secrets


def test_who_reads_first_learns_nothing_before_the_first_impression(tmp_path):
    case = open_case(folder=tmp_path, reader=FIRST)
    case.add_findings(opinionated(volume()))
    case.add_missed((0.0, 0.0, 0.0))  # what he marks himself tells him nothing of the AI
    assert case.flush() == 0
    who = Who("First", True)
    hidden = one(facts(tmp_path), who)
    assert hidden == Worth(None, "Read first: told after your first impression")
    # Nor through the counts of what is rare elsewhere.
    many = Facts(seen(*[0.95] * 30), knows_the_ai=frozenset(["First"]))
    other = rated({"own": Readings(facts(tmp_path)), "many": Readings(many)}, {}, who)["many"]
    assert other == rated({"many": Readings(many)}, {}, who)["many"]
    told = FirstImpression("First", utc_now(), "suspicious")
    case.set_note(impressions.TOPIC, "First", told.note())
    assert case.close() == 0
    assert one(facts(tmp_path), who).value > 0
    assert one(facts(tmp_path), Who("Second", True)).value is None


def test_a_second_reading_under_way_keeps_both_secret():
    proposed = seen(0.95)
    first = Facts(proposed, verdicts=(("d1", "rejected"),), readers=frozenset(["First"]))
    second = Facts(proposed, verdicts=(("d1", "accepted"),), readers=frozenset(["Second"]))
    nothing = "Nothing unusual"
    for reader in ("First", "Second", "Third"):
        assert one(first, Who(reader, False), second=second).why == nothing
    done = replace(second, committed=True)
    for reader in ("First", "Second", "Third"):
        assert "Two readers differ on 1" in one(first, Who(reader, False), second=done).why
    # Whoever had no part in the first reading may be its second reader.
    assert "rejected" in one(first, Who("First", False)).why
    assert one(first, Who("Second", False)).why == nothing


def test_the_second_reading_of_a_case_is_read_from_its_own_folder(tmp_path):
    for reader, which, verdict in ((FIRST, "first", "rejected"), (SECOND, "second", "accepted")):
        case = open_case(folder=tmp_path, reader=reader, which=which)
        case.add_findings(findings(volume()))
        case.set_verdict("d1", verdict)
        if which == "second":
            case.note_event("second-committed")
        assert case.close() == 0
    found = one(facts(tmp_path), second=facts(tmp_path, "second"))
    assert "two readers differ on 1" in found.why.lower()
