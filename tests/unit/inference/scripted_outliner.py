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


class Backend:
    built = 0

    def __init__(self, nets, device, on_fallback=None) -> None:
        assert list(nets) == ["outliner"]
        type(self).built += 1
        self.device = device
        self.name = f"CPU, built {type(self).built} times in {os.getpid()}"


def outline_at(backend, voxels, affine, point_lps_mm) -> Outline:
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


def module(name: str, **members: object) -> None:
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made


def main() -> None:
    module("inference.runtime.outline", outline_at=outline_at)
    module("inference.runtime.backend", backend_for=Backend)
    module(
        "inference.runtime.load",
        devices=lambda: (Device("cpu", "CPU"),),
        load_nets=lambda pack: {"outliner": object(), "heatmap": object()},
    )
    inference.worker.main()


if __name__ == "__main__":
    main()
