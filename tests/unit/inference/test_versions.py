"""Versions of a model: put in beside the bundled one, which of them leads, and the way back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from inference import registry, versions
from inference.manifest import read_manifest
from resources.problem import Problem


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(versions.FOLDER, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def bundled():
    return registry.bundled()[0]


def another(folder: Path, bundled, version: str, extra: bytes = b"1"):
    """A pack with other weights: never loaded here, only told apart."""
    import hashlib

    shutil.copytree(bundled.folder, folder)
    weights = folder / bundled.weights.file
    weights.write_bytes(extra)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["version"] = version
    manifest["weights"]["sha256"] = hashlib.sha256(extra).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return read_manifest(folder)


def test_the_bundled_model_leads_where_nothing_else_is_said(bundled, models, monkeypatch):
    assert registry.find(None) == bundled
    assert registry.every() == registry.bundled()
    assert not models.exists()
    monkeypatch.delenv(versions.FOLDER)
    assert registry.find(None) == bundled
    versions.lead(bundled)  # nowhere to write it, and nothing to change
    assert versions.history(bundled.id) == ()


def test_a_version_leads_and_the_way_back_is_the_very_same_weights(bundled, models, tmp_path):
    new = versions.put_in(another(tmp_path / "new", bundled, "9.0.0"), {"figures": 1})
    assert registry.find(None) == bundled  # put in is not yet used
    versions.lead(new)
    assert registry.find(None).weights.sha256 == new.weights.sha256
    assert registry.find(bundled.id).folder.parent == models / bundled.id
    assert [pack.version for pack in registry.every()] == [bundled.version, "9.0.0"]
    assert versions.comparison_of(new) == {"figures": 1}
    assert versions.comparison_of(bundled) is None
    before = registry.weights_of(bundled)
    versions.lead(bundled)
    assert registry.find(None).weights.sha256 == bundled.weights.sha256
    assert registry.weights_of(registry.find(None)) == before
    assert [step["version"] for step in versions.history(bundled.id)] == ["9.0.0", bundled.version]
    assert versions.installed(bundled.id) == (new,)  # and stays there


def test_what_was_put_in_is_never_changed(bundled, models, tmp_path):
    first = another(tmp_path / "a", bundled, "9.0.0")
    kept = versions.put_in(first, {"figures": 1})
    assert versions.put_in(first, {"figures": 2}) == kept
    assert versions.comparison_of(kept) == {"figures": 1}
    with pytest.raises(Problem, match=r"version 9\.0\.0 with other weights"):
        versions.put_in(another(tmp_path / "b", bundled, "9.0.0", b"2"), {})
    assert len(list((models / bundled.id).iterdir())) == 1


def test_versions_are_in_the_order_of_their_numbers(bundled, models, tmp_path):
    for n, version in enumerate(("9.10.0", "9.9.1", "9.9.0")):
        versions.put_in(another(tmp_path / str(n), bundled, version, b"%d" % n), {})
    found = [pack.version for pack in versions.installed(bundled.id)]
    assert found == ["9.9.0", "9.9.1", "9.10.0"]


def test_a_leader_that_is_gone_is_told_and_nothing_runs_in_its_place(bundled, models, tmp_path):
    new = versions.put_in(another(tmp_path / "new", bundled, "9.0.0"), {})
    versions.lead(new)
    shutil.rmtree(new.folder)
    with pytest.raises(Problem, match="not there any more"):
        registry.available()
    versions.lead(bundled)
    assert registry.find(None) == bundled


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"sha256": 1}'])
def test_a_damaged_note_of_who_leads_is_told(bundled, models, damage):
    (models / bundled.id).mkdir(parents=True)
    (models / bundled.id / "leading.json").write_text(damage)
    with pytest.raises(Problem, match="cannot be read which version"):
        registry.available()


def test_half_a_copy_is_no_version(bundled, models, tmp_path, monkeypatch):
    pack = another(tmp_path / "new", bundled, "9.0.0")

    def full(source, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(Problem, match="cannot be written to: No space left"):
            versions.put_in(pack, {})
    assert versions.installed(bundled.id) == ()
    assert not list((models / bundled.id).iterdir())
    left = models / bundled.id / "9.0.0-x.part"
    shutil.copytree(pack.folder, left)  # a kill in the middle
    assert versions.installed(bundled.id) == ()
    assert versions.put_in(pack, {}).version == "9.0.0"
