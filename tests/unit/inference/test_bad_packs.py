"""Packs that are damaged or hostile are refused, before anything in them is parsed."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch

import resources
from inference import registry
from inference.manifest import FILE, ModelPack, read_manifest
from inference.runtime import load
from inference.runtime.load import load_nets
from resources.problem import Problem


def _sealed(folder: Path, data: bytes) -> ModelPack:
    """Put weights into a pack, with the hash that makes them pass as its own."""
    manifest = json.loads((folder / FILE).read_text(encoding="utf-8"))
    (folder / manifest["weights"]["file"]).write_bytes(data)
    manifest["weights"]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / FILE).write_text(json.dumps(manifest), encoding="utf-8")
    return read_manifest(folder)


def _head(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x08",
        _head(b"{}"),
        _head(b'{"heatmap.x":', 4000),
        _head(b"{}", 2**63),
        _head(b"[" * 50_000),
        _head(b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}') + b"\0\0\0\0",
        _head(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4000]}}') + b"\0\0\0\0",
        _head(b'{"a":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}}'),
        b"PK\x03\x04" + b"\0" * 64,
        _head(b'{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}') + b"\0\0\0\0",
        _head(b'{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}') + b"\0\0\0\0",
    ],
    ids=[
        "empty",
        "a-byte",
        "no-tensors",
        "header-cut-short",
        "huge-header",
        "deep-header",
        "shape-and-bytes-differ",
        "offsets-beyond-the-end",
        "huge-shape",
        "a-zip",
        "unknown-dtype",
        "dtype-that-torch-lacks",
    ],
)
def test_what_is_no_safetensors_is_refused_in_a_sentence(pack_folder: Path, data: bytes):
    with pytest.raises(Problem, match="does not fit this program") as caught:
        load_nets(_sealed(pack_folder, data))
    assert caught.value.remedy


_WIDTH = "heatmap.down.0.conv1.weight"


@pytest.mark.parametrize(
    "changes",
    [
        {_WIDTH: None},
        {"outliner.up.0.norm2.weight": None},
        {"calibration.heat": None},
        {"heatmap.more": torch.zeros(1)},
        {"liver.weight": torch.zeros(1)},
        {_WIDTH: torch.zeros(100_000, 1)},
        {_WIDTH: torch.tensor(1.0)},
        {f"outliner.down.{n}.conv1.weight": torch.zeros(8, 1) for n in range(60)},
        {"calibration.outline": torch.tensor([float("nan")])},
        {"calibration.score": torch.tensor([1, 0, 0])},
        {"calibration.heat": torch.tensor([1.0, 0.0], dtype=torch.float64)},
    ],
    ids=[
        "weight-missing",
        "norm-missing",
        "calibration-missing",
        "one-too-many-in-a-net",
        "another-model's",
        "width-of-100000",
        "no-width",
        "60-levels",
        "no-number",
        "whole-numbers",
        "doubles",
    ],
)
def test_tensors_that_do_not_fit_are_refused_in_a_sentence(pack_folder: Path, changes):
    pack = read_manifest(pack_folder)
    tensors = safetensors.torch.load((pack_folder / pack.weights.file).read_bytes())
    tensors = {name: t for name, t in {**tensors, **changes}.items() if t is not None}
    with pytest.raises(Problem, match="does not fit this program") as caught:
        load_nets(_sealed(pack_folder, safetensors.torch.save(tensors)))
    assert caught.value.remedy


def test_weights_cut_short_are_refused(pack_folder: Path, bundled: ModelPack):
    data = (bundled.folder / bundled.weights.file).read_bytes()
    with pytest.raises(Problem, match="does not fit"):
        load_nets(_sealed(pack_folder, data[:-4]))


@pytest.mark.parametrize("at", [0, 7, 8, 500, -1])
def test_a_changed_byte_is_refused_before_the_parser_sees_it(pack_folder: Path, monkeypatch, at):
    pack = read_manifest(pack_folder)
    path = pack_folder / pack.weights.file
    data = bytearray(path.read_bytes())
    data[at] ^= 0x20
    path.write_bytes(data)
    monkeypatch.setattr(load, "load", lambda _: pytest.fail("parsed"))
    with pytest.raises(Problem, match="changed or damaged"):
        load_nets(pack)


def test_a_foreign_architecture_is_refused_before_the_parser_sees_it(pack_folder, monkeypatch):
    path = pack_folder / FILE
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["weights"]["architecture"] = "resnet-50"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    monkeypatch.setattr(load, "load", lambda _: pytest.fail("parsed"))
    with pytest.raises(Problem, match="does not fit"):
        load_nets(read_manifest(pack_folder))


def test_weights_that_are_a_link_out_of_the_pack_are_refused(pack_folder: Path, tmp_path: Path):
    pack = read_manifest(pack_folder)
    path = pack_folder / pack.weights.file
    elsewhere = tmp_path / path.name
    path.rename(elsewhere)
    try:
        path.symlink_to(elsewhere)
    except OSError:
        pytest.skip("this computer makes no links")
    with pytest.raises(Problem, match="cannot be read"):
        registry.check(pack)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name here")
def test_weights_that_are_a_pipe_are_refused_instead_of_waited_for(pack_folder: Path):
    pack = read_manifest(pack_folder)
    path = pack_folder / pack.weights.file
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Problem, match="cannot be read"):
        registry.check(pack)


def test_weights_that_are_a_folder_are_refused(pack_folder: Path):
    pack = read_manifest(pack_folder)
    path = pack_folder / pack.weights.file
    path.unlink()
    path.mkdir()
    with pytest.raises(Problem, match="cannot be read"):
        registry.check(pack)


@pytest.mark.parametrize("made", [False, True])
def test_without_models_none_are_listed_and_that_is_said(monkeypatch, tmp_path: Path, made: bool):
    folder = tmp_path / "models"
    if made:
        folder.mkdir()
    monkeypatch.setattr(resources, "path", lambda *_: folder)
    assert registry.available() == ()
    with pytest.raises(Problem, match="No model is installed"):
        registry.find("lung-nodule-ct")


def test_a_file_among_the_packs_is_no_pack(monkeypatch, tmp_path: Path, pack_folder: Path):
    (tmp_path / "README.txt").write_text("no pack", encoding="utf-8")
    monkeypatch.setattr(resources, "path", lambda *_: tmp_path)
    assert [pack.id for pack in registry.available()] == [pack_folder.name]
