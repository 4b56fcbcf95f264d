"""One training run: stage after stage, each from its last checkpoint, whenever it was killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file
from torch import nn

from inference.runtime.engine import Engine
from inference.runtime.nets import Calibration
from inference.training import heatmap, outliner, pack, vessels
from inference.training.batches import Batches
from inference.training.calibrate import PEAK, calibrate
from inference.training.checkpoint import average, place, save_whole
from inference.training.data import SPLITS, Crops, Lungs, load_crops, load_lungs
from inference.training.loop import Report, Tick
from inference.training.mine import Mined, mine
from inference.training.pace import Pace, Work
from inference.training.recipe import FILE, Course, Recipe
from inference.training.windows import Windows
from resources.problem import Problem

CALIBRATION = "calibration.json"
PACK = "pack"
_PLACES, _MINED = "places.safetensors", "mined.safetensors"

# Seconds that a window takes in one step on two CPU cores; what a stage is expected to take
# before it has begun. The pace of the run itself corrects it.
_SECONDS = {"heatmap": 0.033, "outliner": 0.125}
_WIDTHS = {
    "heatmap": heatmap.COURSE.widths,
    "outliner": outliner.COURSE.widths,
}
_SECONDS_A_CROP = 0.15

Places = npt.NDArray[np.intp]


def check_data(data: Path) -> None:
    """Raise a Problem when a folder does not hold what is trained on."""
    for name in ("lidc-nodules", "lungs-unlabelled"):
        for file in ("index.csv", "slices.tar"):
            if not (data / name / file).is_file():
                raise Problem(
                    f"There is no {name}/{file} in {data}.",
                    "Name the folder that holds lidc-nodules and lungs-unlabelled by --data.",
                )


def claim(out: Path, document: Mapping[str, Any], name: str = FILE) -> None:
    """Keep what a run is told beside its checkpoints; refuse those of another one."""
    path = out / name
    try:
        out.mkdir(parents=True, exist_ok=True)
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept != document:
                raise Problem(
                    f"{out} holds a run by another recipe.",
                    "Choose an empty folder by --out, or the recipe and device of that run.",
                )
        else:
            _write(path, document)
    except OSError as error:
        raise Problem(
            f"The folder {out} cannot be written to: {error.strerror}.",
            "Choose another folder by --out.",
        ) from error
    except ValueError as error:
        raise Problem(
            f"{path} is no JSON.", "Choose an empty folder by --out, or remove that file."
        ) from error


def counted(crops: Crops) -> dict[str, Any]:
    """Return how many nodules and patients every split has, and whose were trained on."""
    names = {use: sorted({n.patient for n in crops.of(use)}) for use in SPLITS}
    return {
        "data": {
            use: {"patients": len(names[use]), "nodules": len(crops.of(use))} for use in SPLITS
        },
        "patients": {use: names[use] for use in ("train", "validation")},
    }


def _write(path: Path, value: Mapping[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


class Run:
    """All stages of one run.

    Parameters
    ----------
    data
        Folder with ``lidc-nodules`` and ``lungs-unlabelled``.
    out
        Of the checkpoints; what is in it is resumed.
    recipe
        What to do.
    device
        Where the nets are trained.
    report
        Is told how it goes, in lines for a person.
    """

    def __init__(
        self, data: Path, out: Path, recipe: Recipe, device: torch.device, report: Report
    ) -> None:
        self._data, self._out, self._recipe, self._device = data, out, recipe, device
        self._tell = report
        self._pace = Pace(self._plan())

    def run(self) -> Path:
        """Run every stage that is not done; return the folder of the model pack."""
        check_data(self._data)
        claim(self._out, self._recipe.document())
        self._report(f"training on {self._device}, {torch.get_num_threads()} threads")
        self._heatmap()
        mined = self._mine()
        self._outliner(mined)
        self._refine(mined)
        calibration = self._calibrate()
        self._pace.enter("pack")
        folder = self._out / PACK
        pack.write_pack(self._out, folder, self._recipe, calibration, counted(self.crops))
        self._tell(f"the model pack is in {folder}")
        return folder

    # What the stages share ----------------------------------------------------------------

    def _plan(self) -> dict[str, Work]:
        recipe = self._recipe
        out: dict[str, Work] = {}
        for name in ("heatmap", "mine", "outliner"):
            if name == "mine":
                # As many crops as LIDC has; corrected when they are loaded.
                out[name] = Work(1250, _SECONDS_A_CROP)
                continue
            course: Course = getattr(recipe, name)
            usual = sum(width**2 for width in _WIDTHS[name])
            size = sum(width**2 for width in course.widths) / usual
            seconds = _SECONDS[name] * course.batch * size
            out[name] = Work(course.steps, seconds)
            if name == "outliner":
                for stage, refine in recipe.refines.items():
                    out[stage] = Work(refine.steps, seconds)
        return {**out, "calibrate": Work(1, 1.0), "pack": Work(1, 1.0)}

    def _report(self, text: str) -> None:
        self._tell(f"{text} (everything: {self._pace})")

    def _enter(self, stage: str) -> Tick:
        path = self._out / f"{stage}.safetensors"
        self._pace.enter(stage, int(place(path)["step"]) if path.exists() else 0)
        return self._pace.tick

    @cached_property
    def crops(self) -> Crops:
        """The LIDC crops, read when first needed."""
        self._report("reading the crops")
        return load_crops(self._data / "lidc-nodules")

    @cached_property
    def lungs(self) -> tuple[Lungs, ...]:
        """The unlabelled lungs that are trained on."""
        self._report("reading the lungs")
        kept = self._recipe.data.lungs_kept_for_validation
        found = load_lungs(self._data / "lungs-unlabelled")
        lungs = tuple(scan for scan in found if scan.name not in kept)
        if not lungs:
            raise Problem(
                "Every scan of lungs-unlabelled is kept for validation.",
                "Leave one for the training in the recipe, data.lungs_kept_for_validation.",
            )
        return lungs

    def _done(self, stage: str, course: Course) -> bool:
        path = self._out / f"{stage}.safetensors"
        return path.exists() and int(place(path)["step"]) >= course.steps

    # The stages ---------------------------------------------------------------------------

    def _heatmap(self) -> None:
        course = self._recipe.heatmap
        if not self._done("heatmap", course):
            batches = Batches(self.crops, self.lungs)
            tick = self._enter("heatmap")
            seed = self._recipe.seed
            heatmap.fit_heatmap(batches, self._out, course, seed, self._device, self._report, tick)

    def _mine(self) -> Mined:
        path = self._out / _MINED
        if path.exists():
            return Mined.load(path)
        recipe = self._recipe
        nodules, lungs = self.crops.of("train"), self.lungs
        self._pace.enter("mine")
        net = average(heatmap.new_net(recipe.heatmap.widths), self._out / "heatmap.safetensors")
        nets = {"heatmap": net.requires_grad_(False), "calibration": Calibration()}
        engine = Engine.of(nets, str(self._device))

        def tell(done: int, total: int) -> None:
            self._pace.tick(done)
            if done % 100 == 0 or done == total:
                self._report(f"mine: {done} of {total} crops and scans")

        mined = mine(
            engine,
            self.crops,
            nodules,
            lungs,
            tell,
            peak=recipe.mining.peak,
        )
        found = sum(map(len, mined.inside))
        self._report(
            f"mine: {len(mined.beside)} places beside the nodules and {found} in the lungs"
        )
        mined.save(path)
        return mined

    def _places(self) -> tuple[Places, tuple[Places, ...]]:
        """Return what looks like a lesion and is none, see ``vessels``."""
        path, count = self._out / _PLACES, len(self.lungs)
        if not path.exists():
            self._report("looking for vessels")
            beside = vessels.beside_nodules(self.crops, self.crops.of("train"))
            found = {"beside": beside}
            for n, scan in enumerate(self.lungs):
                found[f"inside/{n}"] = vessels.in_lungs(scan)
            tensors = {name: torch.from_numpy(p.astype(np.int64)) for name, p in found.items()}
            save_whole(path, tensors)
        read = {name: array.astype(np.intp) for name, array in load_file(path).items()}
        return read["beside"], tuple(read[f"inside/{n}"] for n in range(count))

    @cached_property
    def _windows(self) -> Windows:
        return Windows(self.crops, self.lungs, *self._places(), self._recipe.windows)

    def _outliner(self, mined: Mined) -> None:
        recipe = self._recipe
        if self._done("outliner", recipe.outliner):
            return
        windows = self._windows
        harder = windows.harder(mined.beside, mined.inside, recipe.mining.share)
        tick = self._enter("outliner")
        outliner.fit_outliner(
            windows,
            self._out,
            recipe.outliner.steps,
            recipe.seed,
            self._device,
            self._report,
            course=recipe.outliner,
            harder=harder,
            harder_from=recipe.mining.from_step,
            tick=tick,
        )

    def _refine(self, mined: Mined) -> None:
        recipe, before = self._recipe, "outliner"
        for number, (stage, refine) in enumerate(recipe.refines.items(), start=1):
            course = replace(
                recipe.outliner, steps=refine.steps, rate=refine.rate, average=refine.average
            )
            if not self._done(stage, course):
                windows = self._windows.mixed(refine.windows)
                tick = self._enter(stage)
                outliner.fit_outliner(
                    windows.harder(mined.beside, mined.inside, recipe.mining.share),
                    self._out,
                    refine.steps,
                    recipe.seed + number,
                    self._device,
                    self._report,
                    course=course,
                    stage=stage,
                    after=before,
                    tick=tick,
                )
            before = stage

    def _calibrate(self) -> dict[str, Any]:
        """Return the threshold of the pack, and what else was chosen on validation."""
        self._pace.enter("calibrate")
        path = self._out / CALIBRATION
        if not path.exists():
            _write(path, CALIBRATE[self._recipe.threshold.policy](self))
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def validated(self) -> dict[str, Any]:
        """Return what is chosen on the validation patients and the scans that were kept."""
        nets: dict[str, nn.Module] = {"calibration": Calibration()}
        for name, net in pack.trained(self._out, self._recipe).items():
            nets[name] = net.requires_grad_(False)

        def tell(done: int, total: int) -> None:
            if done % 50 == 0:
                self._report(f"calibrate: {done} of {total} looks at validation patients")

        kept = self._recipe.data.lungs_kept_for_validation
        found = load_lungs(self._data / "lungs-unlabelled")
        lungs = tuple(scan for scan in found if scan.name in kept)
        engine = Engine.of(nets, str(self._device))
        return calibrate(engine, self.crops, lungs, self._recipe.threshold.value, tell)

    def fixed(self) -> dict[str, Any]:
        """Return the threshold that the recipe names."""
        return {"threshold": self._recipe.threshold.value, "floor": PEAK}


# How the threshold is chosen, by the policy of the recipe; what it returns goes into the pack.
CALIBRATE: dict[str, Callable[[Run], dict[str, Any]]] = {
    "fixed": Run.fixed,
    "validation": Run.validated,
}
