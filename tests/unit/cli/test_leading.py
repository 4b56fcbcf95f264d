"""``overread promote`` and ``models --lead``: the gate, and the way back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference import registry, versions
from resources import table
from tests.unit.inference.test_versions import another
from viewer import cli


@pytest.fixture
def old(tmp_path, monkeypatch):
    monkeypatch.setenv(versions.FOLDER, str(tmp_path / "models"))
    return registry.bundled()[0]


@pytest.fixture
def new(tmp_path, old):
    return another(tmp_path / "new", old, "9.0.0")


def compared(path: Path, old, new, patients=20, **worse) -> Path:
    """Figures as ``overread compare`` writes them; ``worse`` are intervals."""
    names = [row["figure"] for row in table("promotion")["figures"]]
    document = {
        "data": {"patients": patients},
        "old": {"model": {"sha256": old.weights.sha256}},
        "new": {"model": {"sha256": new.weights.sha256}},
        "new_minus_old": {
            name: {"mean": 0.0, "ci95": worse.get(name, [0.0, 0.0])} for name in names
        },
        # What the file says itself is not believed.
        "promotion": {"may_lead": True, "checks": []},
    }
    path.write_text(json.dumps(document))
    return path


def promote(new, figures) -> int:
    return cli.main(["promote", str(new.folder), "--figures", str(figures)])


def test_a_model_that_loses_nothing_leads_and_one_command_brings_the_old_back(
    tmp_path, old, new, capsys
):
    assert promote(new, compared(tmp_path / "f.json", old, new)) == 0
    assert f"overread models --lead {old.version}" in capsys.readouterr().out
    assert registry.find(None).version == "9.0.0"
    assert cli.main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["models"]
    assert [(one["version"], one["leads"]) for one in listed] == [
        (old.version, False), ("9.0.0", True),
    ]  # fmt: skip
    assert cli.main(["models", "--lead", old.version]) == 0
    assert old.weights.sha256 in capsys.readouterr().out
    assert registry.find(None).weights.sha256 == old.weights.sha256


def test_one_that_may_be_worse_stays_out(tmp_path, old, new, capsys):
    figures = compared(tmp_path / "f.json", old, new, dice=[-0.02, 0.03])
    assert promote(new, figures) == 2
    assert "9.0.0 may be worse than" in capsys.readouterr().err
    assert registry.find(None) == old
    assert versions.installed(old.id) == ()


def test_a_handful_of_patients_lets_nobody_lead(tmp_path, old, new, capsys):
    assert promote(new, compared(tmp_path / "f.json", old, new, patients=9)) == 2
    assert "is of 9 patients; 10 are needed" in capsys.readouterr().err
    assert registry.find(None) == old


def test_a_comparison_of_others_is_refused(tmp_path, old, new, capsys):
    assert promote(new, compared(tmp_path / "f.json", new, old)) == 2
    assert "compares other models" in capsys.readouterr().err
    (tmp_path / "g.json").write_text("{}")
    assert promote(new, tmp_path / "g.json") == 2
    assert promote(new, tmp_path / "nothing.json") == 2
    assert "no comparison of two models" in capsys.readouterr().err


def test_changed_weights_never_lead(tmp_path, old, new, capsys):
    figures = compared(tmp_path / "f.json", old, new)
    (new.folder / new.weights.file).write_bytes(b"2")
    assert promote(new, figures) == 2
    assert "changed or damaged" in capsys.readouterr().err
    assert registry.find(None) == old


def test_a_version_that_is_not_there_is_named(old, capsys):
    assert cli.main(["models", "--lead", "8.8.8"]) == 2
    said = capsys.readouterr().err
    assert "There is no version 8.8.8." in said
    assert old.version in said


def test_the_program_looks_into_its_own_data_folder(tmp_path):
    """Versions lie with the data of the installation; only to look makes no folder."""
    home = tmp_path / "home"
    environment = {**os.environ, "OVERREAD_HOME": str(home)}
    environment.pop(versions.FOLDER, None)
    code = (
        "import os, sys; from viewer.__main__ import main\n"
        "code = main(['models', '--json'])\n"
        f"print(os.environ[{versions.FOLDER!r}], file=sys.stderr); sys.exit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.strip() == str(home / "data" / "models")
    assert json.loads(ended.stdout)["models"][0]["leads"]
    assert not home.exists()
