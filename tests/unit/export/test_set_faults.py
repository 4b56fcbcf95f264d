"""What goes wrong while a set grows leaves no half file, and the versions before as they were."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time

import nibabel
import numpy as np
import pytest

from resources.problem import Problem
from tests.set_cases import judged, set_case, tree
from tests.small_disks import small_disk
from viewer.deid.keyed import Keys
from viewer.export import apart, nifti
from viewer.export.leaving import Leave
from viewer.export.problems import FileProblem
from viewer.export.sets import case_files, lists
from viewer.export.sets.grow import Wish, grow
from viewer.study.cancel import Cancelled

SITE = Leave(Keys(bytes(range(32))), lambda patients: None)
WISH = Wish(("pairs", "nnunet", "crops"), 0, SITE)
ON = Wish(site=SITE)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return set_case(tmp_path_factory.mktemp("case") / "study")


@pytest.fixture
def begun(case, tmp_path):
    """A set with a version, and its files before anything goes wrong."""
    folder = grow(tmp_path / "set", [case], WISH).folder
    return folder, tree(folder)


def _as_before(begun):
    folder, before = begun
    assert tree(folder) == before
    assert {entry.name for entry in folder.iterdir()} == {"overread-set.json", "v0001"}


def test_a_flipped_label_map_never_gets_a_name(case, begun, monkeypatch):
    """nnU-Net's own check lets a flip pass; ours reads what the header says of each place."""
    real = nifti.write

    def mirrored(path, voxels, affine, **more):
        real(path, voxels[:, :, ::-1] if "labels" in path.parts[-2] else voxels, affine, **more)

    monkeypatch.setattr(nifti, "write", mirrored)
    with pytest.raises(FileProblem, match="did not read back"):
        grow(begun[0], [judged(case, 2, "rejected")], ON)
    _as_before(begun)


def test_a_mirrored_header_never_gets_a_name(case, begun, monkeypatch):
    real = nifti.ras_affine
    monkeypatch.setattr(nifti, "ras_affine", lambda a: real(a) @ np.diag([-1, 1, 1, 1]))
    with pytest.raises(FileProblem, match="did not read back"):
        grow(begun[0], [judged(case, 2, "rejected")], ON)
    _as_before(begun)


def test_a_finding_out_of_its_place_is_found_by_its_own_figures(case, tmp_path, monkeypatch):
    """Even where image and label map agree with each other and both are wrong."""
    from viewer.export.sets import pairs
    from viewer.export.sets.truth import findings, label_array

    found, volume = findings(case, ("nodule",)), case.volume
    labels = label_array(found, ("nodule",), volume.shape_kji, volume.affine)
    moved = volume.affine.copy()
    moved[:3, 3] += [0, 0, 2.0]
    nifti.write(tmp_path / "a.nii.gz", labels, moved)
    assert "place of finding 2" in pairs.findings_differ(tmp_path / "a.nii.gz", found, ["nodule"])
    nifti.write(tmp_path / "b.nii.gz", labels, volume.affine)
    assert pairs.findings_differ(tmp_path / "b.nii.gz", found, ["nodule"]) == ""
    scaled = volume.affine @ np.diag([1.01, 1, 1, 1])
    nifti.write(tmp_path / "c.nii.gz", labels, scaled)
    assert "volume of finding 2" in pairs.findings_differ(tmp_path / "c.nii.gz", found, ["nodule"])
    assert nibabel.load(tmp_path / "b.nii.gz").shape == labels.shape[::-1]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("where", ["case", "lists"])
def test_a_disk_that_fails_leaves_nothing(case, begun, monkeypatch, number, where):
    def fail(*_args, **_more):
        raise OSError(number, "made up")

    monkeypatch.setattr(*((nifti, "write") if where == "case" else (lists, "write_all")), fail)
    with pytest.raises(Problem) as told:
        grow(begun[0], [judged(case, 2, "rejected")], ON)
    if number == errno.ENOSPC:
        assert "MB" in told.value.remedy
    _as_before(begun)
    monkeypatch.undo()
    assert grow(begun[0], [judged(case, 2, "rejected")], ON).version == 2


def test_a_full_disk_leaves_nothing_and_the_next_try_works(case, tmp_path):
    with small_disk(tmp_path / "disk", 2) as why:
        if why:
            pytest.skip(why)
        filler = tmp_path / "disk" / "filler"
        filler.write_bytes(bytes(1_950_000))
        with pytest.raises(Problem, match="disk is full") as told:
            grow(tmp_path / "disk" / "set", [case], WISH)
        assert "Free at least" in told.value.remedy
        assert [entry.name for entry in (tmp_path / "disk").iterdir()] == ["filler"]
        filler.unlink()
        assert grow(tmp_path / "disk" / "set", [case], WISH).version == 1


def test_a_cancel_leaves_nothing(case, begun):
    asked = iter(range(100))
    with pytest.raises(Cancelled):
        grow(begun[0], [judged(case, 2, "rejected")], ON, cancelled=lambda: next(asked) > 2)
    _as_before(begun)


def test_a_killed_process_leaves_nothing(case, begun, monkeypatch):
    monkeypatch.setattr(apart, "command", lambda: [sys.executable, "-c", "import os; os._exit(9)"])
    with pytest.raises(FileProblem, match="ended before"):
        grow(begun[0], [judged(case, 2, "rejected")], ON, write_case=apart.write_case)
    _as_before(begun)


def test_what_a_killed_program_left_goes_after_a_day(case, begun, tmp_path):
    folder, _ = begun
    old, young, foreign = (
        (folder / f".v0002.{digit * 12}.part" for digit in "ab"),
        folder / ".v0002.zz.part",
        tmp_path / f".set.{'c' * 12}.part",
    )
    first, second = old
    for part in (first, second, foreign):
        (part / "v0001" / "pairs").mkdir(parents=True)
    (foreign / "thesis.txt").write_text("not ours")
    young.mkdir()
    day_ago = time.time() - 25 * 3600
    for part in (first, foreign):
        for path in (*part.rglob("*"), part):
            os.utime(path, (day_ago, day_ago))
    grow(folder, [judged(case, 2, "rejected")], ON)
    assert not first.exists()
    assert second.exists() and young.exists() and foreign.exists()


def test_a_damaged_version_is_told_and_not_carried_on(case, begun, tmp_path):
    folder, _ = begun
    other = set_case(tmp_path / "other", "P2")
    image = next((folder / "v0001" / "pairs" / "images").iterdir())
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 1
    image.write_bytes(data)
    with pytest.raises(FileProblem, match="did not read back"):
        grow(folder, [other], ON)
    assert not (folder / "v0002").exists()


def test_two_programs_at_once_make_one_version_and_one_refusal(case, begun, monkeypatch):
    real = case_files.write_case

    def slow(snapshot, folder, task, progress=None, cancelled=None):
        done = real(snapshot, folder, task, progress, cancelled)
        if not (begun[0] / "v0002").exists():
            grow(begun[0], [judged(case, 3, "rejected")], ON, write_case=real)
        return done

    with pytest.raises(Problem, match="Another program"):
        grow(begun[0], [judged(case, 2, "rejected")], ON, write_case=slow)
    assert sorted(entry.name for entry in begun[0].iterdir()) == [
        "overread-set.json", "v0001", "v0002",
    ]  # fmt: skip
    assert grow(begun[0], [judged(case, 2, "rejected")], ON).version == 3


@pytest.mark.parametrize("name", ["notes.txt", "overread-set.json"])
def test_a_folder_of_something_else_is_left_alone(case, tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("{}")
    with pytest.raises(Problem):
        grow(tmp_path / "mine", [case], WISH)
    assert tree(tmp_path / "mine") != {}
    assert [entry.name for entry in (tmp_path / "mine").iterdir()] == [name]


def test_where_the_disk_has_no_links_files_are_copied(case, begun, tmp_path, monkeypatch):
    def no_links(*_args, **_more):
        raise OSError(errno.EPERM, "made up")

    monkeypatch.setattr(os, "link", no_links)
    two = grow(begun[0], [set_case(tmp_path / "other", "P2")], ON)
    assert two.items == 2
    name = next(name for name in begun[1] if name.startswith("v0001/pairs/images"))
    copy = begun[0] / name.replace("v0001", "v0002")
    assert tree(begun[0])[name.replace("v0001", "v0002")] == begun[1][name]
    assert copy.stat().st_ino != (begun[0] / name).stat().st_ino


def test_killed_in_the_middle_no_half_version(begun, tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests.set_cases import set_case, judged;"
        "from tests.unit.export.test_set_faults import ON;"
        "from viewer.export.sets.grow import grow;"
        "case = set_case(Path(sys.argv[2])); print('go', flush=True);"
        "grow(Path(sys.argv[1]), [judged(case, 2, 'rejected')], ON)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(begun[0]), str(tmp_path / "study")],
        stdout=subprocess.PIPE,
    )
    with child:
        child.stdout.readline()
        deadline = time.monotonic() + 30
        while not list(begun[0].glob(".v0002.*")) and time.monotonic() < deadline:
            time.sleep(0.001)
        child.kill()
    whole = {name for name in tree(begun[0]) if not name.startswith(".")}
    assert whole == set(begun[1])
