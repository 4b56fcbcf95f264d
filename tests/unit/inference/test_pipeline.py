from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from inference import packing
from inference.geometry import lps_mm_to_kji
from inference.manifest import FILE, ModelPack, read_manifest
from inference.protocol import Device
from inference.runtime.engine import Engine
from inference.runtime.load import devices, load_nets
from inference.runtime.pipeline import NoLungs, analyze
from inference.volume import Volume
from resources.problem import Problem


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait by spinning starve each other where tests run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def nets(bundled: ModelPack):
    return load_nets(bundled)


@pytest.fixture(scope="module")
def findings(chest, bundled: ModelPack, nets):
    return analyze(chest.volume, bundled, partial(Engine.of, nets, "cpu"), lambda _: None)


def test_the_nodule_is_found_where_it_is_and_as_large_as_it_is(chest, findings, bundled):
    near = [
        one
        for one in findings.detections
        if np.linalg.norm(np.subtract(one.centre_lps_mm, chest.nodule_lps_mm)) < 4
    ]
    assert near and near[0].score >= bundled.threshold
    assert near[0].diameter_mm == pytest.approx(chest.nodule_mm, abs=3.5)
    assert near[0].mean_value > -400


def test_findings_are_consistent(chest, findings, bundled: ModelPack):
    shape = chest.volume.shape_kji
    scores = [one.score for one in findings.detections]
    assert scores == sorted(scores, reverse=True)
    assert len({one.id for one in findings.detections}) == len(scores)
    assert [one.label for one in findings.segments] == ["lung_right", "lung_left"]
    lungs = sum(one.mask.to_array(shape).astype(int) for one in findings.segments)
    assert lungs.max() == 1
    heat = np.zeros(shape, dtype=np.uint8)
    heat[findings.heatmap.box] = findings.heatmap.values
    # Confined: no heat in the corner of the body that is far from both lungs.
    assert heat[:, :20, :20].max() == 0
    for one in findings.detections:
        inside = one.mask.to_array(shape)
        assert inside.sum() == one.mask.count > 0
        assert heat[inside].max() > 0
    assert findings.threshold == bundled.threshold


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_number_are_no_lung(chest, bundled, nets, value):
    voxels = np.full(chest.volume.shape_kji, value, dtype=np.float32)
    with pytest.raises(NoLungs):
        analyze(
            Volume(voxels, chest.volume.affine, "CT", "HU"),
            bundled,
            partial(Engine.of, nets, "cpu"),
            print,
        )


def test_a_voxel_that_is_no_number_in_a_nodule_leaves_findings_that_can_be_sent(
    chest, bundled, nets
):
    voxels = chest.volume.voxels.astype(np.float32)
    k, j, i = np.round(lps_mm_to_kji(chest.volume.affine, chest.nodule_lps_mm)).astype(int)
    voxels[k, j, i] = np.nan
    broken = Volume(voxels, chest.volume.affine, "CT", "HU")
    found = analyze(broken, bundled, partial(Engine.of, nets, "cpu"), lambda _: None)
    assert any(one.mask.to_array(broken.shape_kji)[k, j, i] for one in found.detections)
    assert packing.pack(*packing.findings_parts(found))


@pytest.mark.parametrize("value", [0, -1024, -3024])
def test_a_volume_of_padding_has_no_lungs(chest, bundled, nets, value):
    voxels = np.full(chest.volume.shape_kji, value, dtype=np.int16)
    with pytest.raises(NoLungs):
        analyze(
            Volume(voxels, chest.volume.affine, "CT", "HU"),
            bundled,
            partial(Engine.of, nets, "cpu"),
            print,
        )


def test_the_cpu_is_always_a_device():
    assert devices()[-1] == Device("cpu", "CPU")


def _repack(folder, tensors) -> ModelPack:
    import hashlib

    data = save(tensors)
    manifest = json.loads((folder / FILE).read_text(encoding="utf-8"))
    (folder / manifest["weights"]["file"]).write_bytes(data)
    manifest["weights"]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / FILE).write_text(json.dumps(manifest), encoding="utf-8")
    return read_manifest(folder)


def _tensors(bundled: ModelPack):
    return load((bundled.folder / bundled.weights.file).read_bytes())


def test_weights_that_do_not_fit_are_refused(pack_folder, bundled):
    tensors = _tensors(bundled)
    tensors.pop("heatmap.head.weight")
    with pytest.raises(Problem, match="does not fit"):
        load_nets(_repack(pack_folder, tensors))


def test_weights_with_more_in_them_are_refused(pack_folder, bundled):
    tensors = {**_tensors(bundled), "extra": torch.zeros(1)}
    with pytest.raises(Problem, match="does not fit"):
        load_nets(_repack(pack_folder, tensors))


def test_a_foreign_architecture_is_refused(pack_folder):
    path = pack_folder / FILE
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["weights"]["architecture"] = "resnet-50"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(Problem, match="does not fit"):
        load_nets(read_manifest(pack_folder))


def test_a_pickle_named_safetensors_is_not_opened(pack_folder, tmp_path):
    import hashlib
    import pickle

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    data = pickle.dumps(Trap())
    path = pack_folder / FILE
    manifest = json.loads(path.read_text(encoding="utf-8"))
    (pack_folder / manifest["weights"]["file"]).write_bytes(data)
    manifest["weights"]["sha256"] = hashlib.sha256(data).hexdigest()
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(Problem, match="does not fit"):
        load_nets(read_manifest(pack_folder))
    assert not (tmp_path / "sprung").exists()
