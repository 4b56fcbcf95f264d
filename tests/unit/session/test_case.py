"""A case from opening to reopening."""

import json
import sqlite3
import time
from dataclasses import replace

import numpy as np
import pytest

import viewer.folders
from inference.findings import ModelStamp
from inference.measure import measure
from resources.problem import Problem
from tests.annotate_cases import (
    READER,
    SHAPE,
    ball,
    findings,
    findings_sha,
    open_case,
    paint,
    plan,
    series,
    state,
    volume,
)
from viewer.annotate import edits
from viewer.session import Case, Reader
from viewer.study import case_key as case_key_module
from viewer.tools.brush import Brush

BALL = Brush(4.0, "ball")


@pytest.fixture
def case():
    out = open_case()
    yield out
    out.close()


@pytest.fixture
def found():
    return findings(volume())


@pytest.fixture
def read(case, found):
    case.add_findings(found)
    return case


def _reopened(case, **options):
    assert case.close() == 0
    return open_case(**options)


def test_an_empty_case(case):
    assert not case.read_only
    assert case.read_only_problem is None
    assert case.recovered is None
    assert case.saved_utc is None
    assert case.shown == ()
    assert case.progress == (0, 0)
    assert case.undo() is None
    assert case.redo() is None
    assert (case.undo_name, case.redo_name) == (None, None)
    assert case.document.findings is None


def test_findings_are_listed_above_the_packs_threshold(read):
    assert read.threshold == 0.5
    assert [lesion.id for lesion in read.shown] == ["d1", "d2"]
    assert read.progress == (0, 2)
    read.threshold = 0.1
    assert read.progress == (0, 3)


def test_a_whole_reading_survives_reopening(read, found):
    sha = findings_sha(found)
    read.set_verdict("d1", "accepted")
    read.set_reader(Reader("Reader Two"))
    read.set_verdict("d2", "rejected")
    paint(read, "d1", [(5, 8, 6), (6, 10, 9)], BALL)
    paint(read, "lung_left", [(2, 5, 17)], Brush(5.0, "disc", 1, "erase"))
    new = read.add_missed((1.0, 25.0, -20.0)).lesion_ids[0]
    paint(read, new, [(9, 15, 15)], BALL)
    read.move("d2", (0.8, 0.7, 2.0))
    read.delete("d3")
    read.set_label(new, "nodule")
    read.undo()
    before = state(read.document)
    assert read.progress == (3, 3)
    again = _reopened(read)
    assert state(again.document) == before
    assert again.recovered is None
    assert again.saved_utc is not None
    assert again.progress == (3, 3)
    lesion = again.document.lesion("d2")
    assert (lesion.verdict, lesion.reader) == ("rejected", "Reader Two")
    assert again.document.lesion("d1").reader == READER.name
    assert again.document.lesion(new).missed_by_ai
    assert findings_sha(again.document.findings) == sha == findings_sha(found)
    again.close()


def test_undo_and_redo_work_after_reopening_down_to_the_bare_volume(read, found):
    read.set_verdict("d1", "accepted")
    paint(read, "d2", [(7, 12, 20), (8, 14, 22)], BALL)
    paint(read, "d2", [(7, 13, 21)], Brush(3.0, "disc", 2, "erase"))
    states = [state(read.document)]
    read.undo()
    assert (read.undo_name, read.redo_name) == ("3-D brush on nodule 2", "Eraser on nodule 2")
    again = _reopened(read)
    assert (again.undo_name, again.redo_name) == ("3-D brush on nodule 2", "Eraser on nodule 2")
    again.redo()
    assert state(again.document) == states[0]
    assert again.redo_name is None
    for _ in range(3):
        again.undo()
    third = _reopened(again)
    assert findings_sha(third.document.findings) == findings_sha(found)
    for lesion, detection in zip(third.document.record, found.detections, strict=True):
        assert np.array_equal(lesion.mask.voxels, detection.mask.voxels)
        assert lesion.origin == "ai"
        assert lesion.decision.verdict is None
    assert third.undo_name == "AI run"
    third.undo()
    assert third.document.findings is None
    assert third.undo() is None
    for _ in range(4):
        assert third.redo() is not None
    assert third.redo() is None
    assert state(third.document) == states[0]
    third.close()


def test_a_new_edit_ends_the_redo(read):
    read.set_verdict("d1", "accepted")
    read.undo()
    read.set_verdict("d1", "rejected")
    assert read.redo_name is None
    assert read.redo() is None


def test_every_record_says_who_when_with_what(read):
    paint(read, "d1", [(6, 12, 12)], BALL)
    read.set_reader(Reader("Reader Two", "resident"))
    read.undo()
    folder = viewer.folders.data_dir() / "cases" / read.key
    assert read.close() == 0
    with sqlite3.connect(folder / "journal.db") as connection:
        rows = connection.execute(
            "SELECT seq, reader, role, tool, kind, utc FROM record ORDER BY seq"
        ).fetchall()
    connection.close()
    assert [row[:5] for row in rows] == [
        (1, READER.name, READER.role, "lung-nodule-ct", "add-findings"),
        (2, READER.name, READER.role, "brush-ball", "paint"),
        (3, "Reader Two", "resident", "undo", "undo"),
    ]
    assert all(row[5].endswith("Z") and row[5].startswith("20") for row in rows)


def test_nothing_of_the_patient_stands_in_the_folder(read):
    paint(read, "d1", [(6, 12, 12)], BALL)
    read.set_verdict("d1", "accepted")
    folder = viewer.folders.data_dir() / "cases"
    uid = read.series.series_uid
    assert read.close() == 0
    names = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    data = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for secret in ("CANARY", "19310203", uid):
        assert secret.encode() not in data
        assert not any(secret in name for name in names)


def test_two_cases_at_once_keep_apart(found):
    one, two = open_case("1.2.3.1"), open_case("1.2.3.2")
    assert one.key != two.key
    one.add_findings(found)
    one.set_verdict("d1", "accepted")
    two.add_missed((0.0, 0.0, 0.0))
    assert one.close() == two.close() == 0
    one, two = open_case("1.2.3.1"), open_case("1.2.3.2")
    assert [x.id for x in one.document.record] == ["d1", "d2", "d3"]
    assert [x.id for x in two.document.record] == ["h1"]
    assert not two.document.lesion("h1").missed_by_ai
    one.close()
    two.close()


def test_an_empty_lesion_survives(read):
    new = read.add_missed((1.0, 25.0, -20.0)).lesion_ids[0]
    assert read.document.lesion(new).empty
    assert read.progress == (1, 3)
    again = _reopened(read)
    lesion = again.document.lesion(new)
    assert lesion.empty
    assert lesion.centre_lps_mm == (1.0, 25.0, -20.0)
    assert (lesion.number, lesion.origin) == (4, "human")
    assert again.undo_name == "Add nodule 4"
    again.close()


def test_painting_across_the_edge_of_the_volume(read):
    shape = read.volume.shape_kji
    new = read.add_missed((0.0, 0.0, 0.0)).lesion_ids[0]
    corner = [(-1.0, -1.0, -1.0), (shape[0], shape[1], shape[2])]
    assert paint(read, new, corner, Brush(8.0, "ball")) is not None
    mask = read.document.lesion(new).mask
    assert mask.origin_kji == (0, 0, 0)
    assert mask.voxels.shape == shape
    assert mask.voxels[0, 0, 0]
    assert mask.voxels[-1, -1, -1]
    before = state(read.document)
    again = _reopened(read)
    assert state(again.document) == before
    again.close()


def test_a_move_stops_at_the_edge(read):
    read.move("d1", (-1000.0, 0.0, 0.0))
    lesion = read.document.lesion("d1")
    assert lesion.mask.box[2].start == 0
    assert lesion.mask.count == read.document.ai_mask("d1").count
    assert read.move("d1", (-5.0, 0.0, 0.0)) is None
    assert read.move("d1", (0.1, 0.1, 0.1)) is None
    read.undo()
    assert read.document.lesion("d1").origin == "ai"
    new = read.add_missed((-10.0, 20.0, -30.0)).lesion_ids[0]
    assert read.move(new, (-50.0, -50.0, -50.0)) is None
    read.move(new, (1000.0, 1000.0, 1000.0))
    assert read.document.lesion(new).centre_lps_mm == pytest.approx((11.6, 36.1, -8.0))


def test_what_changes_nothing_is_no_step(read):
    assert read.set_verdict("d1", None) is None
    assert read.set_label("d1", "nodule") is None
    read.delete("d1")
    assert read.delete("d1") is None
    assert paint(read, "d2", [(-20, -20, -20)], BALL) is None
    assert paint(read, "d2", [(0, 0, 0)], Brush(1.0, "ball", 0, "erase")) is None
    assert read.undo_name == "Delete nodule 1"


def test_a_stroke_is_drawn_on_the_target_as_it_is_now(read):
    stroke = read.start_stroke("d1", Brush(3.0, "ball", 0, "erase"))
    stroke.move_to((5, 8, 6))
    paint(read, "d1", [(6, 12, 12)], BALL)
    now = read.document.lesion("d1").mask.to_array(SHAPE)
    read.commit_stroke(stroke)
    near = ball((5, 8, 6), 1.5)
    assert (now & near).any()
    assert np.array_equal(read.document.lesion("d1").mask.to_array(SHAPE), now & ~near)


def test_a_stroke_on_what_left_the_list_is_refused(read):
    stroke = read.start_stroke("d1", BALL)
    stroke.move_to((6, 12, 12))
    read.add_findings(findings(volume(), "2.0"))
    before = state(read.document)
    with pytest.raises(Problem, match="no longer in the list"):
        read.commit_stroke(stroke)
    assert state(read.document) == before
    read.undo()
    read.undo()
    with pytest.raises(Problem, match="no longer in the list"):
        read.commit_stroke(stroke)


def test_an_aborted_stroke_leaves_nothing(read):
    before = state(read.document)
    stroke = read.start_stroke("d1", BALL)
    stroke.move_to((6, 12, 12))
    del stroke
    assert state(read.document) == before
    assert read.undo_name == "AI run"


def test_places_follow_the_lungs(read):
    lesion = read.document.lesion("d1")
    assert read.place(lesion).startswith("right, ")
    assert read.place(read.document.lesion("d2")).startswith("left, ")
    first = read.place(lesion)
    paint(read, "lung_right", [(1, 3, 2)], Brush(3.0, "disc", 0, "erase"))
    assert read.place(lesion) == first


def test_without_lungs_there_is_no_place(case):
    new = case.add_missed((0.0, 0.0, 0.0)).lesion_ids[0]
    assert case.place(case.document.lesion(new)) == ""


def test_saving_is_said(found):
    said = []
    case = open_case(on_saved=lambda seq, utc: said.append((seq, utc)))
    case.add_findings(found)
    assert case.flush() == 0
    case.set_verdict("d1", "accepted")
    assert case.flush() == 0
    end = time.monotonic() + 60
    while len(said) < 2 and time.monotonic() < end:
        time.sleep(0.005)
    assert [seq for seq, _ in said] == [1, 2]
    assert case.saved_utc == said[-1][1]
    assert case.unsaved == 0
    case.close()


def test_a_second_window_reads_and_cannot_change(read):
    read.set_verdict("d1", "accepted")
    assert read.flush() == 0
    second = open_case()
    assert second.read_only
    assert "another Overread" in second.read_only_problem.sentence
    assert state(second.document) == state(read.document)
    before = state(second.document)
    for change in (
        lambda: second.set_verdict("d2", "accepted"),
        lambda: second.set_verdict("d1", "accepted"),
        lambda: second.add_missed((0.0, 0.0, 0.0)),
        lambda: second.move("d1", (5.0, 0.0, 0.0)),
        lambda: second.delete("d1"),
        lambda: second.start_stroke("d1", BALL),
        lambda: second.add_findings(findings(volume())),
        second.undo,
        second.redo,
    ):
        with pytest.raises(Problem, match="another Overread"):
            change()
    assert state(second.document) == before
    assert second.close() == 0
    read.set_verdict("d2", "unsure")
    third = _reopened(read)
    assert not third.read_only
    assert third.document.lesion("d2").verdict == "unsure"
    third.close()


def test_the_snapshot_says_what_the_document_says(read, found):
    read.set_verdict("d1", "accepted")
    paint(read, "d1", [(5, 8, 6), (6, 10, 9)], BALL)
    paint(read, "d1", [(5, 8, 9)], BALL)
    new = read.add_missed((1.0, 25.0, -20.0)).lesion_ids[0]
    snapshot = read.snapshot()
    assert snapshot.findings is found
    assert [x.id for x in snapshot.lesions] == ["d1", "d2", new]
    first, second, third = snapshot.lesions
    assert (first.origin, first.verdict, first.reader) == ("ai-edited", "accepted", READER.name)
    expected = measure(first.mask, read.volume.affine, read.volume.voxels)
    assert first.measurement.centre_lps_mm == pytest.approx(expected.centre_lps_mm)
    assert first.measurement.diameter_mm == expected.diameter_mm
    assert first.measurement.short_axis_mm == expected.short_axis_mm
    assert first.measurement.volume_ml == expected.volume_ml
    assert first.measurement.mean_value == expected.mean_value
    assert first.detection_id == "d1"
    assert first.changed_utc >= first.verdict_utc
    assert (second.origin, second.verdict, second.changed_utc) == ("ai", None, None)
    assert second.measurement == measure(second.mask, read.volume.affine, read.volume.voxels)
    assert (third.measurement, third.mask.count, third.score) == (None, 0, None)
    assert third.detection_id is None
    assert [s.id for s in snapshot.segments] == ["lung_right", "lung_left"]
    assert dict(snapshot.edits) == {
        "add-findings": 1, "set-verdict": 1, "paint": 2, "add-lesion": 1,
    }  # fmt: skip
    assert snapshot.reader == READER.name
    count = first.mask.count
    paint(read, "d1", [(9, 20, 20)], BALL)
    assert first.mask.count == count


def test_an_edit_that_cannot_be_written_down_is_not_done(read):
    before = state(read.document)
    nan = edits.AddLesion("h1", 4, "nodule", (float("nan"), 0.0, 0.0), True)
    with pytest.raises(ValueError, match="JSON"):
        read.apply(nan)
    assert state(read.document) == before
    assert read.unsaved == 0 or read.flush() == 0


def test_the_journal_of_another_volume_is_not_replayed(read):
    assert read.close() == 0
    other = series()
    for shape, n in (((12, 24, 27), 12), ((12, 24, 28), 11)):
        which = series(n=n)
        with pytest.raises(Problem, match="other images"):
            Case.open(which, plan(other), volume(shape), reader=READER)
    # The refusal holds no lock.
    again = open_case()
    assert not again.read_only
    assert len(again.document.record) == 3
    again.close()


def test_a_record_that_does_not_fit_is_cut_off_and_said(read, monkeypatch):
    read.set_verdict("d1", "accepted")
    # A defect: an edit is written down that the document never took.
    stray = edits.DeleteLesion("d77")
    read._append(
        stray.kind, json.dumps(stray.body()), stray.blob, "", read.set_verdict("d2", "unsure")
    )
    read.set_verdict("d3", "unsure")
    again = _reopened(read)
    assert "first 3 steps" in again.recovered
    assert again.document.lesion("d2").verdict == "unsure"
    assert again.document.lesion("d3").verdict is None
    again.set_verdict("d3", "rejected")
    third = _reopened(again)
    assert third.recovered is None
    assert third.document.lesion("d3").verdict == "rejected"
    third.close()


def test_a_second_run_survives_reopening(read):
    read.set_verdict("d2", "accepted")
    read.add_findings(findings(volume(), "2.0"))
    before = state(read.document)
    assert [x.id for x in read.shown] == ["d2", "r2d1"]
    again = _reopened(read)
    assert state(again.document) == before
    again.undo()
    assert [x.id for x in again.shown] == ["d1", "d2"]
    again.close()


def test_a_label_is_one_of_the_table(read):
    with pytest.raises(ValueError, match="label"):
        read.set_label("d1", "spaceship")


def test_a_name_that_cannot_be_saved_is_mended(read):
    read.set_reader(Reader("Half \ud800 pair"))
    read.set_verdict("d1", "accepted")
    assert read.flush() == 0
    assert read.document.lesion("d1").reader == "Half ? pair"


def test_taking_a_run_back_takes_its_threshold_back(read, found):
    read.add_findings(replace(found, threshold=0.8))
    assert read.threshold == 0.8
    read.undo()
    assert read.threshold == 0.5
    assert [lesion.id for lesion in read.shown] == ["d1", "d2"]
    read.redo()
    assert read.threshold == 0.8


def test_a_data_folder_that_cannot_be_made_is_a_problem(tmp_path, monkeypatch):
    taken = tmp_path / "a file"
    taken.write_text("")
    monkeypatch.setenv("OVERREAD_HOME", str(taken))
    # The salt of an earlier test would spare the look into the folder.
    case_key_module._salt.cache_clear()
    with pytest.raises(Problem, match="cannot be made"):
        Case.open(series(), plan(series()), volume(), reader=READER)


def test_a_snapshot_names_the_model_of_each_lesion(read, found):
    read.set_verdict("d1", "accepted")
    later = ModelStamp("another", "2", "cd" * 32)
    read.add_findings(replace(found, model=later))
    lesions = {lesion.id: lesion for lesion in read.snapshot().lesions}
    assert lesions["d1"].model == found.model, "proposed by the first, and kept"
    assert lesions["r2d2"].model == later


def test_a_snapshot_keeps_what_is_not_listed_and_says_why(read, found):
    read.delete("d1")
    read.set_verdict("d2", "accepted")
    assert read.snapshot().reviewed
    assert [(why, x.id) for why, x in read.snapshot().unlisted] == [
        ("deleted", "d1"),
        ("below-threshold", "d3"),
    ]
    read.add_findings(found)
    assert ("superseded", "d3") in [(why, x.id) for why, x in read.snapshot().unlisted]


def test_hiding_by_the_threshold_is_no_review(read):
    read.set_verdict("d1", "accepted")
    read.threshold = 0.99
    assert [lesion.id for lesion in read.snapshot().lesions] == ["d1"]
    assert not read.snapshot().reviewed
    read.set_verdict("d2", "rejected")
    assert read.snapshot().reviewed
