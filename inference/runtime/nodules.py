"""What follows once the lungs are found: heat, nodules and their sizes. Loads torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Detection, Findings, Heatmap, Mask, ModelStamp, Segment
from inference.geometry import Affine, voxel_volume_mm3
from inference.manifest import ModelPack
from inference.measure import measure
from inference.runtime.clock import Clock
from inference.runtime.detect import Floats, Scored, detect
from inference.runtime.engine import Engine
from inference.runtime.grid import Grid, box_of, to_voxels
from inference.runtime.look import Scan
from inference.runtime.lungs import Lungs
from inference.runtime.outline import SPREAD_MEANING
from inference.runtime.stack import Stack
from inference.volume import Volume

HEATMAP_MEANING = "Share of radiologists who would outline this voxel as nodule"
_LISTED_MM = (2.5, 60.0)
_MARGIN_MM = 6.0


def nodules_in(
    lungs: Lungs,
    volume: Volume,
    voxels: npt.NDArray[Any],
    pack: ModelPack,
    engine: Engine,
    clock: Clock,
) -> Findings:
    """Look for nodules in lungs that were found.

    Parameters
    ----------
    lungs, volume
        Where to look.
    voxels
        Those of the volume (k, j, i), HU, all of them finite.
    pack, engine
        The model.
    clock
        Is told the stages ``detect``, ``reduce`` and ``measure``.
    """
    spacing = volume.spacing_kji_mm
    margin = (0, round(_MARGIN_MM / spacing[1]), round(_MARGIN_MM / spacing[2]))
    grid = Grid.over(box_of(lungs.search, margin), spacing)
    clock.enter("detect", len(grid.slices))
    heat = engine.heat(Stack(voxels, grid), _on_grid(lungs.search, grid), clock.step)
    clock.enter("reduce", 0)
    floor = pack.detections.floor or 0.0
    scan = Scan(voxels, volume.affine)
    scored = detect(engine, scan, heat, grid, floor, clock.step)
    clock.enter("measure", len(scored))
    detections = _detections(scored, voxels, volume.affine, clock)
    heatmap = _heatmap(engine.calibrated(heat), grid)
    segments = _segments(lungs, volume)
    clock.enter("")
    return Findings(
        model=ModelStamp(pack.id, pack.version, pack.weights.sha256),
        device=engine.backend.name,
        detections=detections,
        segments=segments,
        heatmap=heatmap,
        threshold=pack.threshold,
        seconds=clock.seconds,
        uncertainty=_uncertainty(scored, heatmap),
    )


def _on_grid(search: npt.NDArray[np.bool_], grid: Grid) -> npt.NDArray[np.bool_]:
    """Return the search region (k, row, column) on the grid, by the nearest voxel."""
    rows, columns = (
        np.clip(
            ((np.arange(n) + 0.5) * (side.stop - side.start) / n).astype(int) + side.start,
            0,
            side.stop - 1,
        )
        for n, side in zip(grid.size_px, grid.box[1:], strict=True)
    )
    return np.asarray(search[grid.slices][:, rows][:, :, columns])


def _detections(
    scored: list[Scored], voxels: npt.NDArray[Any], affine: Affine, clock: Clock
) -> tuple[Detection, ...]:
    found: list[Detection] = []
    for one in scored:
        size = measure(one.mask, affine, voxels)
        if _LISTED_MM[0] <= size.diameter_mm <= _LISTED_MM[1]:
            found.append(
                Detection(
                    id=f"d{len(found) + 1}",
                    label="nodule",
                    score=round(one.score, 4),
                    centre_lps_mm=size.centre_lps_mm,
                    diameter_mm=size.diameter_mm,
                    short_axis_mm=size.short_axis_mm,
                    volume_ml=size.volume_ml,
                    mean_value=size.mean_value,
                    mask=one.mask,
                    uncertainty=round(one.uncertainty, 4),
                    impression=one.impression,
                )
            )
        clock.step(len(found), len(scored))
    return tuple(found)


def _heatmap(heat: Floats, grid: Grid) -> Heatmap:
    """Quantise the heat in the voxels of the grid's box, a few slices at a time."""
    shape = tuple(side.stop - side.start for side in grid.box)
    values = np.empty(shape, dtype=np.uint8)
    first = grid.box[0].start
    for k in range(0, shape[0], 8):
        box = (slice(first + k, first + min(k + 8, shape[0])), *grid.box[1:])
        part = to_voxels(heat, grid, box) * 255
        values[k : k + 8] = np.round(part).astype(np.uint8)
    k, j, i = (side.start for side in grid.box)
    return Heatmap((k, j, i), values, HEATMAP_MEANING)


def _uncertainty(scored: list[Scored], heatmap: Heatmap) -> Heatmap:
    """Return the spread of every finding's outline, where the heatmap is; elsewhere 0."""
    values = np.zeros(heatmap.values.shape, dtype=np.uint8)
    for one in scored:
        box = one.chances.box
        spread = np.round(one.chances.spread * 255).astype(np.uint8)
        sides: list[slice] = []
        own: list[slice] = []
        for axis, side in enumerate(box):
            origin = heatmap.origin_kji[axis]
            low, high = max(side.start, origin), min(side.stop, origin + values.shape[axis])
            sides.append(slice(low - origin, max(high, low) - origin))
            own.append(slice(low - side.start, max(high, low) - side.start))
        part = values[tuple(sides)]
        np.maximum(part, spread[tuple(own)], out=part)
    return Heatmap(heatmap.origin_kji, values, SPREAD_MEANING)


def _segments(lungs: Lungs, volume: Volume) -> tuple[Segment, ...]:
    millilitres = voxel_volume_mm3(volume.affine) / 1000.0
    found = []
    for label, array in (("lung_right", lungs.right), ("lung_left", lungs.left)):
        mask = Mask.from_array(array)
        if mask.count:
            found.append(Segment(label, label, mask.count * millilitres, mask))
    return tuple(found)
