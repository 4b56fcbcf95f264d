"""Files are read in another process: what a file does to it costs a sentence and nothing else."""

from __future__ import annotations

import random
import sys
import threading
from dataclasses import fields

import numpy as np
import pytest

from resources.problem import Problem
from tests.export_cases import whole_case
from viewer.annotate.mask import equal
from viewer.export import export_case
from viewer.imports import apart, reading, together
from viewer.imports.target import Target
from viewer.study.cancel import Cancelled


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    case = whole_case(folder / "study", (14.0, -8.0, 21.0))
    formats = ("seg", "sr", "rtstruct", "nifti")
    target = Target.of(case.plan, case.volume.shape_kji, case.volume.affine)
    return target, export_case(case, folder / "out", formats=formats).folder


def test_the_answer_is_the_same_as_here(exported):
    target, folder = exported
    paths = [folder / name for name in ("sr.dcm", "rtstruct.dcm", "labels.nii.gz", "image.nii.gz")]
    told = []
    there = apart.read(paths, target, progress=lambda *step: told.append(step))
    here = together.read_all(paths, target)
    assert len(there) == len(here) == 5 and told
    for a, b in zip(there, here, strict=True):
        for field in fields(a):
            if field.name != "outlines":
                assert getattr(a, field.name) == getattr(b, field.name)
        assert len(a.outlines) == len(b.outlines)
        for one, other in zip(a.outlines, b.outlines, strict=True):
            assert equal(one.mask, other.mask)
            for field in fields(one):
                if field.name != "mask":
                    assert getattr(one, field.name) == getattr(other, field.name)


@pytest.mark.parametrize(
    "script, said",
    [
        ("import os; os.abort()", "damaged or too large"),
        ("import sys; sys.stdout.buffer.write(bytes([255] * 64))", "damaged or too large"),
        ("import time; time.sleep(60)", "too long"),
        ("print('{}')", "damaged or too large"),
    ],
)
def test_a_process_that_ends_or_hangs_is_told_in_a_sentence(exported, monkeypatch, script, said):
    target, folder = exported
    monkeypatch.setattr(apart, "command", lambda: [sys.executable, "-c", script])
    with pytest.raises(Problem, match=said):
        apart.read([folder / "seg.dcm"], target, limit_s=1.5)


def test_a_cancel_ends_it(exported, monkeypatch):
    target, folder = exported
    monkeypatch.setattr(
        apart, "command", lambda: [sys.executable, "-c", "import time; time.sleep(60)"]
    )
    stop = threading.Event()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    with pytest.raises(Cancelled):
        apart.read([folder / "seg.dcm"], target, cancelled=stop.is_set)
    timer.join()


@pytest.mark.parametrize("name", ["seg.dcm", "rtstruct.dcm", "sr.dcm", "labels.nii.gz"])
def test_a_damaged_file_never_does_more_than_be_refused(exported, tmp_path, name):
    target, folder = exported
    whole = (folder / name).read_bytes()
    rng = random.Random(name)
    refused = 0
    for turn in range(24):
        data = bytearray(whole)
        if turn % 2:
            data = data[: rng.randrange(200, len(data))]
        else:
            for _ in range(rng.choice((1, 8, 64))):
                data[rng.randrange(132, len(data))] = rng.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(data)
        held = reading.read(path, target)
        refused += bool(held.refusal)
        shape = np.array(target.shape_kji)
        for one in held.outlines:
            if one.mask.voxels.size:
                assert (np.add(one.mask.origin_kji, one.mask.voxels.shape) <= shape).all()
    assert refused >= 6, "half of them are cut short"


def test_what_is_no_file_is_refused_too(exported, tmp_path):
    target, _ = exported
    assert reading.read(tmp_path / "gone", target).refusal == ("unreadable",)
    (tmp_path / "text").write_text("nothing of this kind")
    assert reading.read(tmp_path / "text", target).refusal == ("not-known",)
