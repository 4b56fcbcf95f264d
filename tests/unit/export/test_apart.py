"""An export by another process is the same export, and whatever ends it leaves nothing."""

from __future__ import annotations

import io
import subprocess
import sys
import typing
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from resources.problem import Problem
from tests.export_cases import ai_case, reviewed_case
from viewer.export import apart, export_case, wire
from viewer.export.problems import KINDS, FileProblem
from viewer.export.snapshot import CaseSnapshot
from viewer.study.cancel import Cancelled


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return ai_case(tmp_path_factory.mktemp("study"))


def sent(value):
    stream = io.BytesIO()
    wire.send(value, stream.write)
    return stream.getvalue()


def same(one, two):
    """Tell whether two values are alike, arrays bit by bit."""
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and np.array_equal(one, two)
    if is_dataclass(one):
        names = [each.name for each in fields(one) if each.name != "keeper"]
        return type(one) is type(two) and all(
            same(getattr(one, name), getattr(two, name)) for name in names
        )
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, Problem):
        return str(one) == str(two) and one.detail == two.detail
    return one == two


def test_a_case_comes_as_it_was_sent(tmp_path):
    case = reviewed_case(tmp_path / "study")
    refused = replace(case.plan, irregularity=Problem("Odd.", "Turn it.", "why"))
    case = replace(case, plan=refused, taken_utc=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    came = wire.receive(io.BytesIO(sent((case, tmp_path))))
    assert same(came, (case, tmp_path))
    plan = came[0].plan
    assert plan.planes[0].instance in plan.series.instances, "what is shared is sent once"
    assert not came[0].volume.voxels.flags.writeable


@pytest.mark.parametrize("value", [object(), {1, 2}, np.zeros(2, complex), io.BytesIO()])
def test_what_is_not_of_the_closed_set_is_not_sent(value):
    with pytest.raises(ValueError):
        sent((value,))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_half_a_case_is_none(case, share):
    data = sent(case)
    with pytest.raises(ValueError):
        wire.receive(io.BytesIO(data[: int(len(data) * share)]))


def test_whatever_a_snapshot_may_hold_can_be_sent():
    met, waiting = set(), [CaseSnapshot]
    while waiting:
        kind = waiting.pop()
        waiting += typing.get_args(kind)
        if is_dataclass(kind) and kind not in met:
            met.add(kind)
            hints = typing.get_type_hints(kind)
            waiting += [hints[each.name] for each in fields(kind)]
    assert met == set(wire.CLASSES)


def test_the_export_is_the_same(case, tmp_path):
    told = []
    here = export_case(case, tmp_path / "here")
    there = export_case(
        case, tmp_path / "there", progress=lambda *step: told.append(step), apart=True
    )
    assert told == [(n, 6) for n in range(1, 7)]
    assert (there.folder, there.segments, there.reviewed) == (tmp_path / "there", 4, False)
    differ = {a.name for a, b in zip(here.files, there.files, strict=True) if a != b}
    assert differ <= {"seg.dcm"}, "of which the identifiers are new"
    assert {p.name for p in (tmp_path / "there").iterdir()} == {
        p.name for p in (tmp_path / "here").iterdir()
    }


def test_the_libraries_that_write_are_loaded_by_the_process_alone(case, tmp_path):
    data = sent(case)
    (tmp_path / "case").write_bytes(data)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from viewer.export import export_case, wire\n"
        f"at = Path({str(tmp_path)!r})\n"
        "export_case(wire.receive((at / 'case').open('rb')), at / 'out', apart=True)\n"
        "print([n for n in ('highdicom', 'nibabel', 'pydicom') if n in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
    assert (tmp_path / "out" / "seg.dcm").is_file()


def test_a_source_that_is_gone_is_told_as_ever(tmp_path):
    case = ai_case(tmp_path / "study")
    for path in (tmp_path / "study").iterdir():
        path.unlink()
    with pytest.raises(FileProblem) as caught:
        export_case(case, tmp_path / "out", apart=True)
    assert caught.value.kind == "unreadable"
    assert caught.value.remedy
    assert [p.name for p in tmp_path.iterdir()] == ["study"]


def test_an_error_of_the_system_is_one_here(case, tmp_path):
    with pytest.raises(FileNotFoundError):
        apart.write_all(case, tmp_path / "out", tmp_path / "not there")


def test_a_cancel_ends_it_and_leaves_nothing(case, tmp_path):
    def once_something_is_written():
        return any(any(part.iterdir()) for part in tmp_path.glob(".out.*.part"))

    with pytest.raises(Cancelled):
        export_case(case, tmp_path / "out", apart=True, cancelled=once_something_is_written)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(9)",
        "import sys; sys.stdin.buffer.read(10); sys.stdout.write('{\"do')",
        "print([1])",
    ],
)
def test_a_process_that_dies_is_told_and_leaves_nothing(case, tmp_path, monkeypatch, code):
    monkeypatch.setattr(apart, "command", lambda: [sys.executable, "-c", code])
    with pytest.raises(FileProblem) as caught:
        export_case(case, tmp_path / "out", apart=True)
    assert caught.value.kind == "ended"
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_cannot_be_started_is_told(case, tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "command", lambda: [str(tmp_path / "no such program")])
    with pytest.raises(FileProblem) as caught:
        export_case(case, tmp_path / "out", apart=True)
    assert caught.value.kind == "unstartable"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [({"memory": True}, MemoryError), ({"defect": "KeyError at seg.py:1"}, apart.ExportDefect)],
)
def test_other_answers_are_raised_here(answer, kind):
    with pytest.raises(kind):
        apart._well(answer)


def test_it_ends_with_its_parent(case, tmp_path):
    process = subprocess.Popen(apart.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    data = sent((case, tmp_path / "out", tmp_path))
    with process:
        process.stdin.write(data[:-100])
        process.stdin.close()
        assert process.wait(60) == 0
        assert b"defect" in process.stdout.read()
    assert list(tmp_path.iterdir()) == []


def test_the_frozen_program_becomes_the_process(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert apart.command() == [sys.executable, apart.ARGUMENT]
    monkeypatch.setattr("viewer.export.apart_child.main", lambda: 7)
    from viewer.__main__ import main

    assert main([apart.ARGUMENT]) == 7


@pytest.mark.parametrize("kind", KINDS)
def test_every_problem_has_words(kind):
    problem = FileProblem(kind, "detail", name="seg.dcm")
    assert problem.sentence.endswith(".")
    assert problem.remedy.endswith(".")


def test_a_defect_says_where_and_nothing_of_the_patient():
    from viewer.export.apart_child import _where

    def fails():
        raise ValueError("Doe^John")

    try:
        fails()
    except ValueError as error:
        said = _where(error)
    assert said.startswith("ValueError at test_apart.py:")
    assert "Doe" not in said
