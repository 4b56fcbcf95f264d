"""Run a model on the crops of a folder. The only part of the evaluation that loads torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from inference.evaluation import points
from inference.evaluation.folder import Bytes, Folder, Lesion, Slices
from inference.evaluation.predictions import Blob, Predictions
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate

if TYPE_CHECKING:
    from inference.runtime.engine import Engine

_NAMES = {"first": "masks", "other": "other_masks", "largest": "largest_masks"}


def predict(
    folder: Folder,
    pack: ModelPack,
    numbers: Sequence[int],
    device: str = "auto",
    tell: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Predictions:
    """Point at every chosen nodule, and look for nodules in its crop without a point.

    The model gets the crop, with an estimate of its Hounsfield units, and the point.

    Parameters
    ----------
    folder
        The crops.
    pack
        The model.
    numbers
        Of the nodules.
    device
        Id of one of ``load.devices``, ``"auto"`` for the fastest.
    tell
        Is told ``"predict"``, how many nodules are done, and of how many.

    Raises
    ------
    Problem
        When the pack is damaged or outlines nothing, the device is not there, or a slice is
        malformed.
    """
    from inference.runtime.engine import Engine
    from inference.runtime.load import load_nets

    nets = load_nets(pack)
    if "outliner" not in nets:
        raise Problem(
            translate("evaluation", "The model {id} {version} cannot outline at a point.").format(
                id=pack.id, version=pack.version
            ),
            translate("evaluation", "Choose another model, or give --predictions."),
        )
    run = _Run(Engine.of(nets, device_of(device)), folder, pack)
    with Slices(folder) as slices:
        for done, number in enumerate(numbers):
            tell("predict", done, len(numbers))
            run.crop(number, estimated_hu(slices.of(folder.lesions[number])))
    tell("predict", len(numbers), len(numbers))
    return run.predictions()


def estimated_hu(grey: Bytes) -> npt.NDArray[np.float32]:
    """Return slices that were stretched to 8 bits one by one in about Hounsfield units."""
    from inference.training.grey import grey_scale

    scales = [grey_scale(plane) for plane in grey]
    return np.stack(
        [
            plane.astype(np.float32) * scale.slope + scale.intercept
            for plane, scale in zip(grey, scales, strict=True)
        ]
    ).astype(np.float32)


def device_of(wanted: str) -> str:
    """Return the id of the device that was asked for.

    Raises
    ------
    Problem
        When it is not there.
    """
    from inference.runtime.load import devices

    for one in devices():
        if wanted in ("auto", one.id, one.id.partition(":")[0]):
            return one.id
    raise Problem(
        translate("model", "There is no device named {id} on this computer.").format(id=wanted),
        translate("model", "Choose automatic or the CPU."),
    )


class _Run:
    """What has been predicted so far."""

    def __init__(self, engine: Engine, folder: Folder, pack: ModelPack) -> None:
        self._engine, self._folder, self._pack = engine, folder, pack
        shape, count = folder.bits.shape, len(folder.lesions)
        self._masks = {kind: np.zeros(shape, dtype=np.bool_) for kind in points.KINDS}
        self._heat = np.zeros(shape, dtype=np.uint8)
        self._scores = np.zeros(count)
        self._measured = np.zeros(count, dtype=np.bool_)
        self._scalars = {
            name: np.full(count, np.nan) for name in ("malignancy", "texture", "uncertainty")
        }
        self._seconds = np.full(count, np.nan)
        self._blobs: list[Blob] = []

    def crop(self, number: int, hu: npt.NDArray[np.float32]) -> None:
        lesion = self._folder.lesions[number]
        self._measured[number] = True
        majority = self._folder.majority(lesion)
        if majority.any():
            for kind in points.KINDS:
                self._outline(number, hu, points.point_mm(lesion, majority, kind), kind)
        self._search(number, lesion, hu)

    def _outline(
        self,
        number: int,
        hu: npt.NDArray[np.float32],
        point_mm: tuple[float, float, float],
        kind: str,
    ) -> None:
        from inference.runtime.outline import outline_at

        lesion = self._folder.lesions[number]
        began = time.perf_counter()
        outline = outline_at(self._engine, hu, lesion.affine, point_mm)
        taken = time.perf_counter() - began
        self._masks[kind][lesion.rows][outline.mask.box] = outline.mask.voxels
        if kind != "first":
            return
        self._seconds[number] = taken
        self._scores[number] = outline.score
        self._scalars["uncertainty"][number] = outline.uncertainty
        if outline.impression is not None:
            self._scalars["malignancy"][number] = outline.impression.malignancy
            self._scalars["texture"][number] = outline.impression.texture

    def _search(self, number: int, lesion: Lesion, hu: npt.NDArray[np.float32]) -> None:
        """Find without a point; the whole crop counts as lung."""
        from inference.runtime.crop import search_crop

        floor = self._pack.detections.floor or 0.0
        heat, found = search_crop(self._engine, hu, lesion.affine, floor)
        self._heat[lesion.rows] = np.round(np.clip(heat, 0, 1) * 255).astype(np.uint8)
        self._blobs += [Blob(number, one.score, one.mask) for one in found]

    def predictions(self) -> Predictions:
        pack = self._pack
        masks = {_NAMES[kind]: masks for kind, masks in self._masks.items()}
        return Predictions(
            **masks,
            scores=self._scores,
            measured=self._measured,
            heat=self._heat,
            scalars=self._scalars,
            blobs=tuple(self._blobs),
            seconds=self._seconds,
            model={
                "id": pack.id,
                "version": pack.version,
                "sha256": pack.weights.sha256,
                "threshold": pack.threshold,
                "device": self._engine.backend.name,
            },
        )
