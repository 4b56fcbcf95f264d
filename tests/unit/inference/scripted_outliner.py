"""A real worker whose nets and outliner are scripted: no torch, no weights.

``outline_at`` outlines every voxel that has the value of the one nearest to the point, so that
the answer says which voxels it was given, and where. Run as ``python scripted_outliner.py``.
"""

from __future__ import annotations

import os
import sys
import time
import types

import numpy as np

import inference.worker
from inference.findings import Heatmap, Impression, Mask, Outline
from inference.geometry import lps_mm_to_kji
from inference.protocol import Device

SLEEP_VALUE = 7  # of the voxel at a point that takes for ever
DEFECT_VALUE = 8
MEMORY_VALUE = 9


class Engine:
    built = 0

    @classmethod
    def of(cls, nets, device, on_fallback=None) -> Engine:
        # The heatmap net costs seconds and is not needed.
        assert set(nets) == {"outliner", "calibration"}
        cls.built += 1
        made = cls()
        name = f"CPU, built {cls.built} times in {os.getpid()}"
        made.backend = types.SimpleNamespace(device=device, name=name)
        return made


def outline_at(engine, voxels, affine, point_lps_mm) -> Outline:
    shape = voxels.shape
    point = np.rint(lps_mm_to_kji(affine, point_lps_mm)).astype(int)
    none = np.zeros((0, 0, 0), dtype=np.uint8)
    if (point < 0).any() or (point >= shape).any():
        empty = Heatmap((0, 0, 0), none, "share")
        mask = Mask((0, 0, 0), none.astype(bool))
        return Outline(mask, empty, empty, 0.0, 1.0, None, "outside")
    value = int(voxels[tuple(point)])
    if value == SLEEP_VALUE:
        time.sleep(600)
    if value == DEFECT_VALUE:
        raise ZeroDivisionError
    if value == MEMORY_VALUE:
        raise MemoryError
    low = np.maximum(point - 1, 0)
    around = voxels[tuple(slice(a, a + 3) for a in low)].astype(np.uint8)
    origin = tuple(int(n) for n in low)
    return Outline(
        Mask.from_array(voxels == value),
        Heatmap(origin, around, "share"),
        Heatmap(origin, 255 - around, "spread"),
        # Of the box: what was sent, and no more.
        float(voxels.size),
        0.25,
        Impression(3.25, 4.5),
    )


def outline_in(engine, voxels, affine, box) -> Outline:
    """Outline the box itself; the score is how many voxels were sent."""
    inside = np.zeros(voxels.shape, dtype=bool)
    inside[box] = True
    return _only(Mask.from_array(inside), float(voxels.size))


def refine_at(engine, voxels, affine, before, clicks) -> Outline:
    """Take every point in or out; the score is the sum of what lies under the points."""
    after = before.copy()
    for click in clicks:
        after[click.at_kji] = click.belongs
    under = sum(float(voxels[click.at_kji]) for click in clicks)
    return _only(Mask.from_array(after), under)


def _only(mask: Mask, score: float) -> Outline:
    nothing = Heatmap((0, 0, 0), np.zeros((0, 0, 0), dtype=np.uint8), "share")
    return Outline(mask, nothing, nothing, score, 0.25, None)


def module(name: str, **members: object) -> None:
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made


def main() -> None:
    module("inference.runtime.outline", outline_at=outline_at, outline_in=outline_in)
    module("inference.runtime.refine", refine_at=refine_at)
    module("inference.runtime.engine", Engine=Engine)
    module(
        "inference.runtime.load",
        devices=lambda: (Device("cpu", "CPU"),),
        load_nets=lambda pack: {name: object() for name in ("heatmap", "outliner", "calibration")},
    )
    inference.worker.main()


if __name__ == "__main__":
    main()
