"""Agreement over many cases in the window: tables in, one table and a sentence out."""

import csv
import io

import pytest

from tests.adjudication_cases import parents
from tests.annotate_cases import findings, open_case, volume
from viewer.annotate.agreement_csv import as_csv
from viewer.session import Reader
from viewer.ui import pooling

from .conftest import settle


@pytest.fixture
def tables(tmp_path):
    """Two saved tables: one case on which both readers agree, one on which they do not."""
    files = []
    for key, second in (("case-a", ("accepted", "rejected")), ("case-b", ("rejected", "rejected"))):
        home = tmp_path / key
        home.mkdir()
        for which, verdicts in (("first", ("accepted", "rejected")), ("second", second)):
            case = open_case(folder=home, reader=Reader(which), which=which)
            case.add_findings(findings(volume()))
            for lesion, verdict in zip(("d1", "d2"), verdicts, strict=True):
                case.set_verdict(lesion, verdict)
            case.commit()
            case.close()
        file = tmp_path / f"{key}.csv"
        file.write_text(as_csv(key, parents(home), None, 0.7), encoding="utf-8-sig", newline="")
        files.append(file)
    return files


def test_tables_are_put_together_by_a_command_without_a_case(window, tables, tmp_path, monkeypatch):
    out = tmp_path / "pooled.csv"
    monkeypatch.setattr(pooling, "ask_files", lambda *_: tables)
    monkeypatch.setattr(pooling, "ask_save", lambda *_: out)
    action = window.actions_by_id["pool_agreement"]
    assert action.isEnabled()
    assert action.shortcut().toString() == "Ctrl+Alt+P"
    action.trigger()
    settle(window)
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"), newline="")))
    figures = {row["name"]: row["value"] for row in rows if row["row"] == "figure"}
    assert (figures["cases"], figures["verdicts_judged_by_both"]) == ("2", "4")
    assert figures["verdicts_the_same"] == "3"
    assert "2 cases" in window.message.text
    assert "3 of 4" in window.message.text
    assert "Against the first readings: 100 % of 2 lesions found" in window.message.text


def test_what_is_no_table_is_told_in_a_sentence(window, tables, tmp_path, monkeypatch):
    other = tmp_path / "list.csv"
    other.write_text("name,value\r\n1,2\r\n")
    monkeypatch.setattr(pooling, "ask_files", lambda *_: [*tables, other])
    monkeypatch.setattr(pooling, "ask_save", lambda *_: pytest.fail("nothing to save"))
    window.actions_by_id["pool_agreement"].trigger()
    settle(window)
    assert "no table of an agreement" in window.message.text
    monkeypatch.setattr(pooling, "ask_files", lambda *_: [tmp_path / "gone.csv"])
    window.actions_by_id["pool_agreement"].trigger()
    settle(window)
    assert "could not be read" in window.message.text
