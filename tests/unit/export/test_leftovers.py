"""What killed exports left is cleared away; what is not surely that stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from resources.problem import Problem
from tests.export_cases import ai_case
from viewer.export import export_case, nifti

DAY_S = 86400


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return ai_case(tmp_path_factory.mktemp("study"))


def _left(parent: Path, name: str, *files: str, age_s: float = 2 * DAY_S) -> Path:
    folder = parent / name
    folder.mkdir()
    for file in files:
        (folder / file).write_text("half")
    when = time.time() - age_s
    for path in (*folder.iterdir(), folder):
        os.utime(path, (when, when))
    return folder


def test_an_export_clears_what_a_killed_one_left(case, tmp_path):
    _left(tmp_path, ".other case.0123456789ab.part", "image.nii.gz", "seg.dcm")
    _left(tmp_path, ".out.ffffffffffff.part")
    export_case(case, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_what_may_be_of_others_or_at_work_stays(case, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    parent = tmp_path / "exports"
    parent.mkdir()
    _left(parent, ".young.0123456789ab.part", "image.nii.gz", age_s=60)
    _left(parent, ".notes.0123456789ab.part", "image.nii.gz", "notes.txt")
    _left(parent, "seen.0123456789ab.part", "image.nii.gz")
    _left(parent, ".download.part", "image.nii.gz")
    (parent / ".link.0123456789ab.part").symlink_to(_left(tmp_path, "held", "image.nii.gz"))
    (parent / ".file.0123456789ab.part").write_text("")
    os.utime(parent / ".file.0123456789ab.part", (1, 1))
    before = {p.name for p in parent.iterdir()}
    export_case(case, parent / "out")
    assert {p.name for p in parent.iterdir()} == before | {"out"}
    assert (tmp_path / "held" / "image.nii.gz").exists()


def test_one_being_written_stays_though_its_folder_is_old(case, tmp_path):
    part = _left(tmp_path, ".slow.0123456789ab.part", "image.nii.gz")
    (part / "image.nii.gz").write_text("more")
    os.utime(part, (1, 1))
    export_case(case, tmp_path / "out")
    assert part.exists()


def test_too_little_memory_is_a_sentence_and_leaves_nothing(case, tmp_path, monkeypatch):
    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(nifti, "write", none_left)
    with pytest.raises(Problem, match="memory"):
        export_case(case, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_folder_is_a_sentence(case, tmp_path):
    with pytest.raises(Problem):
        export_case(case, tmp_path / ("n" * 300))
    assert list(tmp_path.iterdir()) == []
