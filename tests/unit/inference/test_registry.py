from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import inference
from inference import registry
from inference.manifest import ModelPack, read_manifest
from inference.volume import Volume
from resources.problem import Problem


def _volume(
    shape=(60, 32, 32), spacing=(2.5, 0.7, 0.7), modality="CT", unit="HU", turn=None
) -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = np.fliplr(np.eye(3)) * spacing
    if turn is not None:
        affine[:3, :3] = turn @ affine[:3, :3]
    return Volume(np.zeros(shape, dtype=np.int16), affine, modality, unit)


def _about_x(degrees: float):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def test_the_bundled_model_is_listed_found_and_whole(bundled: ModelPack):
    assert bundled.id in [pack.id for pack in registry.available()]
    assert registry.find(bundled.id) == bundled
    registry.check(bundled)


def test_an_unknown_model_is_told_with_the_known_ones():
    with pytest.raises(Problem) as caught:
        registry.find("lung-nodule-mr")
    assert "lung-nodule-mr" in caught.value.sentence
    assert "lung-nodule-ct" in caught.value.remedy


@pytest.mark.parametrize("at", [0, 7, 1000, -1])
def test_one_changed_byte_is_refused_before_parsing(pack_folder: Path, at: int):
    pack = read_manifest(pack_folder)
    path = pack_folder / pack.weights.file
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(Problem) as caught:
        registry.check(pack)
    assert "changed or damaged" in caught.value.sentence
    assert "again" in caught.value.remedy
    assert pack.weights.sha256 in caught.value.detail


def test_missing_weights_are_a_problem(pack_folder: Path):
    pack = read_manifest(pack_folder)
    (pack_folder / pack.weights.file).unlink()
    with pytest.raises(Problem, match="cannot be read"):
        registry.check(pack)


@pytest.mark.parametrize(
    "volume",
    [
        _volume(),
        _volume(spacing=(0.5, 0.4, 0.4), shape=(200, 8, 8)),
        _volume(spacing=(5.0, 0.98, 0.98), shape=(60, 8, 8)),
        _volume(turn=_about_x(25)),
        _volume(turn=np.diag([-1, -1, 1])),
    ],
    ids=["usual", "thin", "thick", "tilted", "prone"],
)
def test_a_chest_ct_may_be_read(bundled: ModelPack, volume: Volume):
    assert registry.eligibility(bundled, volume) == ()


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        (_volume(modality="MR", unit=""), "reads CT; this series is MR."),
        (_volume(modality="PT"), "this series is PT."),
        (_volume(modality=""), "of no stated modality"),
        (_volume(unit=""), "needs voxels in HU"),
        (_volume(shape=(10, 8, 8)), "reads 20 to 3000 slices; this series has 10."),
        (_volume(spacing=(12.0, 0.7, 0.7)), "these are 12.00 mm."),
        (_volume(spacing=(2.5, 0.7, 3.0)), "0.70 x 3.00 mm"),
        (_volume(turn=_about_x(90)), "tilted by 90 degrees"),
        (_volume(shape=(22, 8, 8), spacing=(1.0, 0.7, 0.7)), "covers 22 mm"),
    ],
)
def test_the_rule_that_refuses_is_named(bundled: ModelPack, volume: Volume, reason: str):
    reasons = registry.eligibility(bundled, volume)
    assert len(reasons) == 1
    assert reason in reasons[0]
    assert reasons[0].startswith("The lung nodule model")


def test_several_reasons_are_all_told(bundled: ModelPack):
    found = registry.eligibility(bundled, _volume(shape=(5, 8, 8), spacing=(12, 3, 3), unit=""))
    assert len(found) == 4


def test_a_pack_elsewhere_is_checked_in_its_own_folder(bundled: ModelPack, tmp_path: Path):
    with pytest.raises(Problem):
        registry.check(replace(bundled, folder=tmp_path))


def test_client_and_registry_import_no_torch():
    code = (
        "import sys; import inference.client, inference.registry, inference.worker; "
        "inference.registry.check(inference.registry.find('lung-nodule-ct')); "
        "sys.exit('torch' in sys.modules)"
    )
    root = Path(inference.__path__[0]).parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_whole_weights_are_hashed_once_and_changed_ones_again(pack_folder, monkeypatch):
    pack = read_manifest(pack_folder)
    read: list[str] = []
    weights_of = registry.weights_of

    def counted(pack):
        read.append(pack.id)
        return weights_of(pack)

    monkeypatch.setattr(registry, "weights_of", counted)
    for _ in range(3):
        registry.check(pack)
    assert len(read) == 1
    path = pack_folder / pack.weights.file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for _ in range(2):
        with pytest.raises(Problem, match="changed or damaged"):
            registry.check(pack)
    assert len(read) == 3
