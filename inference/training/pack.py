"""Write a model pack from two checkpoints."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from inference.manifest import FILE, read_manifest
from inference.runtime.candidates import FLOOR
from inference.runtime.intensity import HU_HIGH, HU_LOW
from inference.runtime.prepare import PIXEL_MM
from inference.training import heatmap, rescorer
from inference.training.checkpoint import average, place
from inference.training.data import VALIDATION_LUNGS

ID = "lung-nodule-ct"
WEIGHTS = "model.safetensors"
CONFIG = "training.json"


def write_pack(run: Path, folder: Path, version: str, threshold: float, seed: int) -> None:
    """Write weights, manifest and training record of ``run`` into ``folder``.

    Parameters
    ----------
    run
        Folder with ``heatmap.safetensors`` and ``rescorer.safetensors``.
    folder
        The pack; ``metrics.json`` in it, if any, is quoted in the manifest.
    version
        Of the pack.
    threshold
        Default score, chosen on the validation patients.
    seed
        That the run was started with, for the record.
    """
    nets = {
        "heatmap": average(heatmap.new_net(), run / "heatmap.safetensors"),
        "rescorer": average(rescorer.new_net(), run / "rescorer.safetensors"),
    }
    tensors = {
        f"{name}.{key}": tensor.contiguous()
        for name, net in nets.items()
        for key, tensor in net.state_dict().items()
    }
    data = save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(data)
    _write(folder / CONFIG, _record(run, seed))
    digest = hashlib.sha256(data).hexdigest()
    _write(folder / FILE, _manifest(version, digest, threshold))
    read_manifest(folder)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _record(run: Path, seed: int) -> dict[str, Any]:
    stages = {}
    for name, module in (("heatmap", heatmap), ("rescorer", rescorer)):
        found = place(run / f"{name}.safetensors")
        stages[name] = {
            "widths": list(module.WIDTHS),
            "batch": module.BATCH,
            "steps": found["step"],
            "minutes": round(found["seconds"] / 60, 1),
            "curve": found["curve"],
        }
    return {
        "command": "python -m inference.training fit --data DATA --out RUN --minutes N",
        "seed": seed,
        "split": "sha256 of the patient id: 80 % train, 10 % validation, 10 % test",
        "lungs_kept_for_validation": list(VALIDATION_LUNGS),
        "stages": stages,
    }


def _manifest(version: str, digest: str, threshold: float) -> dict[str, Any]:
    return {
        "format": 1,
        "id": ID,
        "version": version,
        "name": "The lung nodule model",
        "task": "detection",
        "intended_use": (
            "Research: proposes pulmonary nodules of 3 to 40 mm and both lungs on chest CT of "
            "adults, for a reader who corrects them. Not for diagnosis."
        ),
        "licence": "Apache-2.0",
        "weights": {"file": WEIGHTS, "sha256": digest, "architecture": "lung-nodule-1"},
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
                "threshold": threshold,
                "floor": round(FLOOR + 0.03, 2),
            },
            {"kind": "mask", "label": "lung_right"},
            {"kind": "mask", "label": "lung_left"},
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
            "record": CONFIG,
            "metrics": "metrics.json",
            "card": "MODEL_CARD.md",
        },
    }
