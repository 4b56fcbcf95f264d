"""``overread import``: what files hold, taken into a case without a window."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.export_cases import on_disk, whole_case
from viewer import cli
from viewer.export import export_case
from viewer.session import Case, Reader


def run(capsys, *arguments):
    code = cli.main(["import", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    case = whole_case(folder / "study")
    out = export_case(case, folder / "out", formats=("seg", "sr")).folder
    return case, folder / "study", out


def test_it_takes_a_report_and_its_segmentation_in(exported, capsys):
    case, study, out = exported
    code, text, error = run(capsys, study, out / "sr.dcm", "--json")
    assert code == 0, error
    told = json.loads(text)
    assert [file["kind"] for file in told["files"]] == ["SR", "SEG"]
    opened = Case.open(case.plan.series, case.plan, case.volume, reader=Reader("A"))
    try:
        document = opened.document
        assert told["taken"] == len(document.lesions) + len(document.segments)
        by_number = {lesion.number: lesion for lesion in document.lesions}
        for lesion in case.shown_lesions:
            mine = by_number[lesion.number]
            assert mine.verdict == lesion.verdict and mine.origin == "imported"
            assert np.array_equal(
                mine.mask.to_array(case.volume.shape_kji),
                lesion.mask.to_array(case.volume.shape_kji),
            )
    finally:
        assert opened.close() == 0


def test_a_list_changes_nothing(exported, capsys, private_home):
    _, study, out = exported
    code, text, _ = run(capsys, study, out / "seg.dcm", "--list")
    assert code == 0 and "Nodule (27925004, SCT)" in " ".join(text.split())
    assert not list(private_home.rglob("*.sqlite"))


def test_what_does_not_belong_is_refused(exported, capsys, tmp_path):
    _, _, out = exported
    on_disk(tmp_path / "other", (5.0, 0.0, 0.0))
    code, text, error = run(capsys, tmp_path / "other", out / "seg.dcm")
    assert code == 2 and "0 outlines" in text
    assert "another study" in error or "another patient" in error
    code, _, error = run(capsys, tmp_path / "other", tmp_path / "gone.dcm")
    assert code == 2 and "no file" in error
