"""Fine-tune the outliner of a model on what readers corrected: resumable, into a pack of its own.

The data are a folder in the format of lidc-nodules. A row with readers is a nodule as it was
corrected; one without any is a finding that was rejected, in the middle of its crop. Hard
negatives are rehearsed with them: what the base model's heatmap takes for a nodule in these
crops and no reader outlined, and vessels beside the nodules. Of the outliner that part alone is
trained that draws: some dozens of corrections say well where lesions end, and too little of what
is a lesion to judge anew by them. Verdict, heatmap net, calibration and threshold stay those of
the base model.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inference.background import Tell
from inference.evaluation.folder import FILES, digests
from inference.evaluation.seen import seen_by
from inference.manifest import ModelPack
from inference.runtime.engine import Engine
from inference.runtime.load import load_nets
from inference.training import fit, neighbours, outliner, pack, vessels
from inference.training.checkpoint import average, place, save_whole
from inference.training.data import Crops, Nodule, load_crops
from inference.training.loop import Report
from inference.training.mine import Mined, mine
from inference.training.recipe import Course, Mix
from inference.training.windows import Windows
from resources.problem import Problem

PLAN = "retrain.json"
# Checkpoint of the base model's weights, and of the course.
_BASE, _STAGE = "base", "retrain"
# There are no lungs without labels to paste into: all windows come from the corrected crops.
MIX = Mix(crop=0.4, beyond=0.3, paste=0.0, vessel=0.3, lung=0.0, first_look=0.3, few_readers=1.0)
_MINED_SHARE = 0.5
STEPS, _MOST_STEPS, _MOST_MINUTES = 600, 1_000_000, 100_000
_VERSION = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is retrained.

    Attributes
    ----------
    steps, batch
        How many optimiser steps, and windows in each.
    rate, weight_decay, average
        As in ``recipe.Course``; the rate is less than a third of the training's own, so that what
        the base model can do is not unlearned.
    seed
        Of all draws.
    version
        Of the pack; empty for the base's with its last number one higher.
    minutes
        After which it ends though steps are left; 0 for no limit. See ``loop.train``.
    """

    steps: int = STEPS
    batch: int = 8
    rate: float = 6e-4
    weight_decay: float = 1e-4
    average: float = 0.99
    seed: int = 0
    version: str = ""
    minutes: float = 0.0


def retrain(
    data: Path,
    base: ModelPack,
    out: Path,
    plan: Plan,
    device: torch.device,
    report: Report,
    tell: Tell = lambda stage, done, total: None,
) -> Path:
    """Retrain a model and return the folder of its pack.

    Parameters
    ----------
    data
        The corrected crops.
    base
        What is retrained; its pack stays as it is.
    out
        Of the checkpoints and, in ``pack``, of the new model; what is in it is resumed.
    plan, device
        How and where.
    report
        Is told how it goes, in lines for a person.
    tell
        Is told the stage (``"mine"``, ``"train"``), how much of it is done, and of how much.

    Raises
    ------
    Problem
        When the data hold no nodule, the base model cannot be retrained, or ``out`` holds
        another run.
    """
    return _Retraining(data, base, out, plan, device, report, tell).run()


class _Retraining:
    def __init__(
        self,
        data: Path,
        base: ModelPack,
        out: Path,
        plan: Plan,
        device: torch.device,
        report: Report,
        tell: Tell,
    ) -> None:
        if not 1 <= plan.steps <= _MOST_STEPS:
            raise Problem(f"{plan.steps} steps cannot be.", "Choose 1 or more by --steps.")
        if plan.version and not _VERSION.fullmatch(plan.version):
            raise Problem(
                f"{plan.version} is no version.", "Give three numbers by --version, such as 1.0.0."
            )
        self._data, self._base, self._out = data, base, out
        if not 0 <= plan.minutes <= _MOST_MINUTES:
            raise Problem(f"{plan.minutes:g} minutes cannot be.", "Choose 0 for no limit, or more.")
        self._plan, self._device, self._tell, self._step = plan, device, report, tell
        self._nets = load_nets(base)
        if "outliner" not in self._nets:
            raise Problem(
                f"{base.name} {base.version} has no net that outlines, so it cannot be retrained.",
                "Choose another model by --base.",
            )

    def run(self) -> Path:
        fit.claim(self._out, self._document(), PLAN)
        nodules = self._nodules
        self._tell(
            f"retraining {self._base.id} {self._base.version} on {self._device}: "
            f"{len(nodules)} nodules, {len(self._rejected)} rejected findings, "
            f"{len({n.patient for n in self._crops.nodules})} patients"
        )
        self._keep_base()
        checkpoint = self._out / f"{_STAGE}.safetensors"
        if not self._ended(checkpoint):
            self._fit()
        net = average(outliner.new_net(self._widths), checkpoint)
        folder = self._out / fit.PACK
        pack.write_retrained(self._base, net, folder, self._version, self._record(checkpoint))
        self._tell(f"the model pack is in {folder}; compare it before it is used")
        return folder

    def _ended(self, checkpoint: Path) -> bool:
        if not checkpoint.exists():
            return False
        reached, plan = place(checkpoint), self._plan
        late = 0 < 60 * plan.minutes <= float(reached["seconds"])
        return late or int(reached["step"]) >= plan.steps

    # The data -----------------------------------------------------------------------------

    @cached_property
    def _crops(self) -> Crops:
        for name in FILES:
            if not (self._data / name).is_file():
                raise Problem(
                    f"There is no {name} in {self._data}.",
                    "Name a folder of corrected crops by --data.",
                )
        return load_crops(self._data)

    @cached_property
    def _nodules(self) -> tuple[Nodule, ...]:
        found = tuple(
            n
            for n in self._crops.nodules
            if n.n_readers and self._crops.votes[n.start : n.stop].any()
        )
        if not found:
            raise Problem(
                f"No nodule in {self._data} was outlined by a reader.",
                "Accept or correct findings, and export them for training.",
            )
        return found

    @cached_property
    def _rejected(self) -> tuple[Nodule, ...]:
        return tuple(n for n in self._crops.nodules if not n.n_readers)

    def _mined(self) -> Mined:
        engine = Engine.of(dict(self._nets), str(self._device))
        return mine(engine, self._crops, self._nodules, (), partial(self._step, "mine"))

    # The course ---------------------------------------------------------------------------

    @property
    def _widths(self) -> tuple[int, ...]:
        levels: Any = self._nets["outliner"].down
        return tuple(int(level.conv1.weight.shape[0]) for level in levels)

    def _keep_base(self) -> None:
        """Write the base's weights as the checkpoint that the course begins with."""
        path = self._out / f"{_BASE}.safetensors"
        if not path.exists():
            state = self._nets["outliner"].state_dict()
            tensors = {
                f"average/{name}": tensor.float() if tensor.is_floating_point() else tensor
                for name, tensor in state.items()
            }
            save_whole(path, tensors, {"place": json.dumps({"step": 0, "seconds": 0, "curve": []})})

    def _fit(self) -> None:
        mined = self._mined()
        centres = np.array(
            [(n.start + (n.stop - n.start) // 2, *self._middle) for n in self._rejected],
            dtype=np.intp,
        ).reshape(-1, 3)
        # Lesions of the same patient in a crop are outlined in crops of their own.
        others = neighbours.load(self._data, self._crops.grey.shape)
        beside = vessels.beside_nodules(self._crops, self._nodules)
        beside = neighbours.clear(beside, others, self._nodules)
        taken = neighbours.clear(mined.beside, others, self._nodules)
        self._tell(
            f"{len(taken)} places that the base model takes for a nodule, {len(beside)} vessels"
        )
        hard = np.concatenate([taken, centres])
        places = np.concatenate([beside, hard])
        mix = (
            MIX
            if len(places)
            else Mix(**{**asdict(MIX), "crop": 0.6, "beyond": 0.4, "vessel": 0.0})
        )
        windows = Windows(
            self._crops, (), places, (), mix, nodules=self._nodules, others=self._rejected
        )
        plan = self._plan
        course = Course(
            plan.steps, plan.batch, self._widths, plan.rate, plan.weight_decay, plan.average
        )
        outliner.fit_outliner(
            windows.harder(hard, (), _MINED_SHARE) if len(hard) else windows,
            self._out,
            plan.steps,
            plan.seed,
            self._device,
            self._tell,
            course=course,
            stage=_STAGE,
            after=_BASE,
            tick=lambda step: self._step("train", step, plan.steps),
            outlines_only=True,
            limit_s=60 * plan.minutes,
        )

    @property
    def _middle(self) -> tuple[int, int]:
        rows, columns = self._crops.grey.shape[1:]
        return rows // 2, columns // 2

    # What is written ----------------------------------------------------------------------

    @property
    def _version(self) -> str:
        if self._plan.version:
            return self._plan.version
        *head, last = self._base.version.split(".")
        return ".".join([*head, str(int(last) + 1)])

    def _document(self) -> dict[str, Any]:
        return {
            "format": 1,
            "base": _named(self._base),
            "data": digests(self._data),
            "plan": asdict(self._plan),
        }

    def _record(self, checkpoint: Path) -> dict[str, Any]:
        """Return what the pack tells of its making; above all, whom it has seen."""
        before = seen_by(self._base)
        own = {n.patient for n in self._crops.nodules}
        used = {use: set(before.used.get(use, ())) for use in ("train", "validation")}
        course = place(checkpoint)
        return {
            "command": "overread retrain --data DATA --base MODEL --out DIR",
            **self._document(),
            "patients": {
                "train": sorted(used["train"] | own),
                "validation": sorted(used["validation"] - own),
            },
            "counts": {
                "nodules": len(self._nodules),
                "rejected": len(self._rejected),
                "patients": len(own),
            },
            "stages": {
                _STAGE: {
                    "steps": course["step"],
                    "minutes": round(course["seconds"] / 60, 1),
                    "curve": course["curve"],
                }
            },
        }


def _named(base: ModelPack) -> dict[str, str]:
    return {"id": base.id, "version": base.version, "sha256": base.weights.sha256}
