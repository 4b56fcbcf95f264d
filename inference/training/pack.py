"""Write a model pack from the checkpoints of a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from inference.manifest import FILE as MANIFEST
from inference.manifest import ModelPack, read_manifest
from inference.registry import weights_of
from inference.runtime.grid import PIXEL_MM
from inference.runtime.intensity import HU_HIGH, HU_LOW
from inference.runtime.nets.calibration import Calibration
from inference.training import heatmap, outliner
from inference.training.checkpoint import average, place
from inference.training.recipe import FILE as RECIPE
from inference.training.recipe import Recipe
from resources.problem import Problem

ID = "lung-nodule-ct"
ARCHITECTURE = "lung-nodule-3"
WEIGHTS = "model.safetensors"
RECORD = "training.json"
METRICS = "metrics.json"
CARD = "MODEL_CARD.md"
COMMAND = "overread train lung-nodule --data DATA --out RUN --config recipe.json"
MOST_BYTES = 20_000_000
_NETS = {"heatmap": heatmap, "outliner": outliner}


def trained(run: Path, recipe: Recipe) -> dict[str, nn.Module]:
    """Return the nets that a run ended in: of the outliner, what its last course made."""
    last = {"heatmap": "heatmap", "outliner": ["outliner", *recipe.refines][-1]}
    return {
        name: average(
            module.new_net(getattr(recipe, name).widths), run / f"{last[name]}.safetensors"
        )
        for name, module in _NETS.items()
    }


def write_pack(
    run: Path,
    folder: Path,
    recipe: Recipe,
    calibration: Mapping[str, Any],
    data: Mapping[str, Any],
) -> None:
    """Write weights, manifest, recipe and training record of ``run`` into ``folder``.

    Parameters
    ----------
    run
        Folder with the checkpoints of every stage.
    folder
        The pack. Other files in it, such as ``metrics.json``, are left alone.
    recipe
        As the run was made.
    calibration
        ``threshold`` and ``floor`` of the detections, ``heat`` and ``score`` as in
        ``nets.calibration``, chosen on the validation patients, and what else was chosen there.
    data
        For the record: ``data`` counts every split, ``patients`` names those trained on
        (``train``) and those that choices were made by (``validation``).

    Raises
    ------
    Problem
        When the weights are larger than a pack may be.
    """
    stages = [*_NETS, *recipe.refines]
    dtype = {"float16": torch.float16, "float32": torch.float32}[recipe.pack.weights]
    tensors: dict[str, Tensor] = {}
    for name, net in trained(run, recipe).items():
        tensors |= _stored(name, net, dtype)
    tensors |= _calibration(calibration)
    weights = save(tensors)
    if len(weights) > MOST_BYTES:
        raise Problem(
            f"The weights take {len(weights) / 1e6:.1f} MB, more than the 20 MB of a pack.",
            "Choose smaller widths, or float16 for pack.weights, in the recipe.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    _write(folder / RECIPE, recipe.document())
    record = {
        "command": COMMAND,
        **data,
        "parameters": {name: _parameters(tensors, name) for name in _NETS},
        "calibration": dict(calibration),
        "stages": {name: _stage(run / f"{name}.safetensors") for name in stages},
    }
    _write(folder / RECORD, record)
    digest = hashlib.sha256(weights).hexdigest()
    _write(folder / MANIFEST, _manifest(recipe, digest, calibration))
    read_manifest(folder)


def _stored(name: str, net: nn.Module, dtype: torch.dtype) -> dict[str, Tensor]:
    """Return the tensors of a net as the pack holds them."""
    return {
        # Biases and norms are few, and half precision would cost them most.
        f"{name}.{key}": (tensor if tensor.ndim < 2 else tensor.to(dtype)).contiguous()
        for key, tensor in net.state_dict().items()
    }


def write_retrained(
    base: ModelPack, net: nn.Module, folder: Path, version: str, record: Mapping[str, Any]
) -> None:
    """Write the pack of a model whose outliner is another; all else is its base's.

    Parameters
    ----------
    base
        The pack that was retrained.
    net
        Its new outliner.
    folder
        Of the new pack.
    version
        Of the new pack.
    record
        For ``training.json``; above all ``patients``, as in ``write_pack``.
    """
    tensors = load(weights_of(base))
    dtype = next(
        t.dtype for key, t in tensors.items() if key.startswith("outliner.") and t.ndim > 1
    )
    tensors |= _stored("outliner", net, dtype)
    weights = save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    _write(folder / RECORD, record)
    manifest = json.loads((base.folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["version"] = version
    manifest["weights"] |= {"file": WEIGHTS, "sha256": hashlib.sha256(weights).hexdigest()}
    manifest["training"] = {
        "data": [*manifest["training"].get("data", ()), "corrections of this site"],
        "record": RECORD,
        "card": CARD,
    }
    (folder / CARD).write_text(_card(manifest, record), encoding="utf-8")
    _write(folder / MANIFEST, manifest)
    read_manifest(folder)


def _card(manifest: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Return the card of a retrained model: what it comes from, and that nobody has measured it."""
    base, counts, stages = record["base"], record["counts"], record["stages"]
    steps = ", ".join(str(stage["steps"]) for stage in stages.values())
    return (
        f"# {manifest['name']} ({manifest['id']} {manifest['version']})\n\n"
        "**Research use, not for diagnosis.**\n\n"
        f"Retrained from version {base['version']} (SHA-256 {base['sha256']}) on corrections: "
        f"{counts['nodules']} nodules and {counts['rejected']} rejected findings of "
        f"{counts['patients']} patients, {steps} steps. Of the nets the outliner alone is another; "
        "heatmap, calibration and threshold are those of its base.\n\n"
        f"Intended use: {manifest['intended_use']}\n\n"
        "No figure of it was measured when this was written. `overread compare` measures it "
        "beside its base, on patients that are new to both, and says whether it may take its "
        "place.\n"
    )


def _calibration(chosen: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of the calibration; what was not chosen changes nothing."""
    net = Calibration()
    for name in ("heat", "score", "outline"):
        if name in chosen:
            buffer = net.get_buffer(name)
            buffer.copy_(torch.tensor(chosen[name], dtype=buffer.dtype).reshape(buffer.shape))
    return {f"calibration.{name}": tensor for name, tensor in net.state_dict().items()}


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _parameters(tensors: Mapping[str, Tensor], name: str) -> int:
    own = (t for key, t in tensors.items() if key.startswith(f"{name}.") and t.is_floating_point())
    return sum(tensor.numel() for tensor in own)


def _stage(path: Path) -> dict[str, Any]:
    found = place(path)
    return {
        "steps": found["step"],
        "minutes": round(found["seconds"] / 60, 1),
        "curve": found["curve"],
    }


def _manifest(recipe: Recipe, digest: str, calibration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": 1,
        "id": ID,
        "version": recipe.pack.version,
        "name": "The lung nodule model",
        "task": "detection",
        "intended_use": (
            "Research: proposes pulmonary nodules of 3 to 40 mm and both lungs on chest CT of "
            "adults, and outlines a nodule that is pointed at, for a reader who corrects them. "
            "Not for diagnosis."
        ),
        "licence": "Apache-2.0",
        "weights": {"file": WEIGHTS, "sha256": digest, "architecture": ARCHITECTURE},
        "input": {
            "modality": "CT",
            "unit": "HU",
            "orientation": "axial",
            "pixel_mm": PIXEL_MM,
            "window": [HU_LOW, HU_HIGH],
        },
        "outputs": [
            {"kind": "heatmap", "label": "nodule"},
            {
                "kind": "detections",
                "label": "nodule",
                "threshold": calibration["threshold"],
                "floor": calibration["floor"],
            },
            {"kind": "mask", "label": "lung_right"},
            {"kind": "mask", "label": "lung_left"},
            {"kind": "outline", "label": "nodule"},
            {"kind": "impression", "label": "nodule"},
            {"kind": "uncertainty", "label": "nodule"},
        ],
        "limits": {
            "slice_spacing_mm": [0.4, 5.5],
            "pixel_mm": [0.3, 1.5],
            "slices": [20, 3000],
            "coverage_mm": [60, 2000],
        },
        "training": {
            "data": [
                "LIDC-IDRI, Armato et al. 2011, doi 10.7937/K9/TCIA.2015.LO9QL9SX, CC BY 3.0",
                "CMB-CRC MSB-01068 (CC BY 4.0) and CPTAC-PDA C3L-00189 (CC BY): lungs without "
                "labels, as negatives",
            ],
            "recipe": RECIPE,
            "record": RECORD,
            "metrics": METRICS,
            "card": CARD,
        },
    }
