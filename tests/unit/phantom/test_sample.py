"""The sample study: cached, whole or made again, the same on every machine."""

from __future__ import annotations

import hashlib

import pydicom
import pytest

from resources.problem import Problem
from viewer.phantom import sample
from viewer.phantom.anatomy import PhantomSpec, make_phantom
from viewer.phantom.dicom import write_series
from viewer.study.cancel import Cancelled

TINY = PhantomSpec.small(shape_kji=(6, 64, 64), spacing_kji_mm=(40.0, 5.6, 5.6), twigs=20)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("OVERREAD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sample, "sample_spec", lambda: TINY)
    return tmp_path


def _hashes(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_is_made_once(home):
    told = []
    first = sample.sample_study(lambda done, total: told.append((done, total)))
    assert told[-1] == (12, 12)
    assert [a for a, _ in told if a] == list(range(1, 13)), "after some before the first slice"
    before = {p: p.stat().st_mtime_ns for p in first.iterdir()}
    told.clear()
    assert sample.sample_study(lambda *_: told.append(_)) == first
    assert told == []
    assert {p: p.stat().st_mtime_ns for p in first.iterdir()} == before


@pytest.mark.parametrize("damage", ["cut", "changed", "missing", "extra", "no list", "bad list"])
def test_a_damaged_one_is_made_again(home, damage):
    folder = sample.sample_study()
    good = _hashes(folder)
    victim = sorted(folder.iterdir())[2]
    listing = folder.parent / "sample-study.json"
    if damage == "cut":
        victim.write_bytes(victim.read_bytes()[:-100])
    elif damage == "changed":
        data = bytearray(victim.read_bytes())
        data[-1] ^= 1
        victim.write_bytes(data)
    elif damage == "missing":
        victim.unlink()
    elif damage == "extra":
        (folder / "other.dcm").write_bytes(b"x")
    elif damage == "no list":
        listing.unlink()
    else:
        listing.write_text("{")
    assert _hashes(sample.sample_study()) == good
    assert [p.name for p in folder.parent.parent.iterdir()] == [folder.parent.name], "left-overs"


def test_a_failure_leaves_nothing(home, monkeypatch):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sample, "write_series", full)
    with pytest.raises(Problem) as caught:
        sample.sample_study()
    assert "MB" in caught.value.remedy
    assert list(sample.sample_folder().parent.iterdir()) == []


def test_a_cache_folder_that_cannot_be_made_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("OVERREAD_HOME", str(tmp_path / "a file"))
    with pytest.raises(Problem, match="cannot be made"):
        sample.sample_study()


def test_the_files_say_that_they_are_synthetic(tmp_path):
    paths = write_series(make_phantom(TINY), tmp_path)
    for path in paths:
        ds = pydicom.dcmread(path)
        assert str(ds.PatientName) == "Synthetic^Chest phantom"
        assert ds.PatientID == "OVERREAD-PHANTOM"
        assert ds.BurnedInAnnotation == "NO"
        assert ds.ImageComments == "Synthetic, no patient"
        assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_the_same_phantom_gives_the_same_bytes(tmp_path):
    write_series(make_phantom(TINY), tmp_path / "a")
    write_series(make_phantom(TINY), tmp_path / "b")
    assert _hashes(tmp_path / "a") == _hashes(tmp_path / "b")


def test_other_phantoms_have_other_uids(tmp_path):
    from dataclasses import replace

    one = pydicom.dcmread(write_series(make_phantom(TINY), tmp_path / "a")[0])
    two = pydicom.dcmread(write_series(make_phantom(replace(TINY, seed=9)), tmp_path / "b")[0])
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"):
        assert one[name].value != two[name].value
        assert len(one[name].value) <= 64


def test_the_room_needs_neither_qt_nor_torch():
    import subprocess
    import sys

    code = (
        "import sys, viewer.phantom.sample\n"
        "bad = {'torch', 'PySide6', 'highdicom'} & set(sys.modules)\n"
        "raise SystemExit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("after", [0, 1, 5, 9])
def test_making_it_can_be_given_up_at_any_step_and_leaves_nothing(home, after):
    told = []

    def give_up(done, total):
        told.append((done, total))
        if done >= after:
            raise Cancelled

    with pytest.raises(Cancelled):
        sample.sample_study(give_up)
    assert max(done for done, _ in told) == after
    assert not [p for p in sample.sample_folder().parent.rglob("*") if p.is_file()]
