"""A model process without a model: answers through the real pipe with what it is told to.

Run as ``python fake_worker.py MODE MARKER``. ``find`` answers with one cube, ``opinions`` with
one that it has an impression of; ``nothing`` and ``outside`` answer a point so, with an empty
outline; ``sleep`` never answers; ``device`` refuses. The marker file gets its process id when a
run begins.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from inference import packing
from inference.findings import (
    Detection,
    Findings,
    Heatmap,
    Impression,
    Mask,
    ModelStamp,
    Outline,
    Segment,
)
from inference.geometry import lps_mm_to_kji
from inference.protocol import read_message, write_message


def main(mode: str, marker: str) -> None:
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (message := read_message(source)) is not None:
        request, arrays = message
        number = request["request"]
        if request["kind"] == "devices":
            write_message(sink, {"kind": "devices", "request": number, "devices": [["cpu", "CPU"]]})
            continue
        Path(marker).write_text(str(os.getpid()))
        if mode == "sleep":
            time.sleep(600)
        if mode == "device":
            value = {"kind": "failed", "request": number, "code": "device", "detail": "cuda"}
            write_message(sink, value)
            continue
        for done in range(3):
            step = ["detect", done, 2, ""]
            write_message(sink, {"kind": "progress", "request": number, "progress": step})
        if request["kind"] == "outline":
            value, parts = packing.outline_parts(_outline(request, arrays, mode))
            write_message(sink, {"kind": "outline", "request": number, "outline": value}, parts)
            continue
        findings = _findings(arrays["voxels"].shape)
        if mode == "opinions":
            (found,) = findings.detections
            said = replace(found, uncertainty=0.07, impression=Impression(3.25, 4.5))
            findings = replace(findings, detections=(said,), uncertainty=findings.heatmap)
        value, parts = packing.findings_parts(findings)
        message_ = {"kind": "findings", "request": number, "findings": value}
        write_message(sink, message_, parts)


def _outline(request, arrays, mode: str) -> Outline:
    """Outline a few voxels round the point, of the box that was sent."""
    shape = arrays["voxels"].shape
    none = np.zeros((0, 0, 0), dtype=np.uint8)
    if mode in ("nothing", "outside"):
        map = Heatmap((0, 0, 0), none, "share")
        return Outline(Mask((0, 0, 0), none == 1), map, map, 0.125, 1.0, None, mode, "CPU")
    point = np.rint(lps_mm_to_kji(arrays["affine"], request["point_lps_mm"])).astype(int)
    low = np.clip(point - 1, 0, np.array(shape) - 3)
    k, j, i = (int(n) for n in low)
    cube = np.ones((2, 3, 3), dtype=bool)
    map = Heatmap((k, j, i), np.full((3, 3, 3), 200, dtype=np.uint8), "share")
    said = Impression(3.25, 4.5)
    return Outline(Mask((k, j, i), cube), map, map, 0.875, 0.07, said, "", "CPU")


def _findings(shape: tuple[int, ...]) -> Findings:
    cube = Mask((2, 5, 6), np.ones((3, 4, 5), dtype=bool))
    lung = np.zeros(shape, dtype=bool)
    lung[1:8, 4:30, 4:20] = True
    return Findings(
        ModelStamp("lung-nodule-ct", "9.9.9", "cd" * 32),
        "CPU",
        (Detection("d1", "nodule", 0.8, (1.0, 2.0, 3.0), 7.0, 5.0, 0.1, 40.0, cube),),
        (Segment("s1", "lung_right", 1.5, Mask.from_array(lung)),),
        Heatmap((0, 0, 0), np.full((4, 4, 4), 128, dtype=np.uint8), "nodule"),
        0.5,
        {"detect": 0.01},
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
