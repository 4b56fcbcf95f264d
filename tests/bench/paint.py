"""Speed of the tools for correcting, of the real window, side by side with napari: paint.py.

512 x 512 x 600 with 10 outlines. A dab is timed from the event of the mouse to the last pixel
painted in all three views, panel and status line included; napari's Labels paints a dab of its
3-D brush of as many voxels on the same volume, in one view of 1000 x 1000, in the same run. The
tools for a whole outline are timed from the command to the moment when what they propose is
painted, on a lesion whose box measures 60 mm. Look at the ratios where the machine is busy.

Options are those of ``views.py``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt

from inference.findings import Mask
from inference.geometry import lps_mm_to_kji
from tests.bench import rows
from tests.bench.rows import Bench
from tests.bench.station import Act, Station, mouse

_SLICES = 600
_OUTLINES = 8  # and two lungs
_BRUSH_MM = 20.0
_A_STROKE = 30
_LEFT = Qt.MouseButton.LeftButton
_MOVE, _PRESS, _RELEASE = (
    QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease,
)  # fmt: skip
# mm from the middle of a 60 mm box to its sides, less what the tool itself reaches.
_BOX_MM = 60.0


def dabs(bench: Bench) -> None:
    """Dabs of a 20 mm brush; undo and redo of each stroke."""
    station = bench.at(_SLICES, _OUTLINES)
    napari = bench.peer_napari(station)
    window = station.window
    station.three()
    station.overlays(heatmap=False, anatomy=True)
    reading = window.reading
    reading.select(station.case.shown[0].id)
    view = window.views.views[0]
    for name, ball, rule in (
        ("dab 3-D", True, "all"),
        ("dab 2-D", False, "all"),
        ("dab 3-D, by values", True, "range"),
        ("dab 3-D, to the edge", True, "edge"),
    ):
        window.tools.brush_rules.choose(rule)
        reading.set_tool("brush")
        reading.set_brush(_BRUSH_MM, ball)
        station.pump(0.3)
        times: dict[str, list[float]] = {"overread": []}
        places: list[list[int]] = []
        for turn in range(bench.rounds):
            _stroke(station, view, turn, times["overread"], places)
        if napari is not None and rule == "all" and ball:
            size = round(_BRUSH_MM / min(station.case.volume.spacing_kji_mm))
            napari.ask(axis=0, slices=[places[0][0]])
            times["napari"] = napari.ask(dabs=places[: _A_STROKE * 3], size=size)
        bench.note(name, times, "p95 <= 10; >= 5x napari")
        for step, act in (("undo", window.corrections.undo), ("redo", window.corrections.redo)):
            taken = station.times([act] * bench.rounds)
            bench.note(f"{step} of a stroke: {name}", {"overread": taken}, "p95 <= 10")
        for _ in range(bench.rounds):
            window.corrections.undo()
    window.tools.brush_rules.choose("all")


def _stroke(
    station: Station, view: Any, turn: int, times: list[float], places: list[list[int]]
) -> None:
    middle = view.cursor_px()
    mouse(view, _PRESS, middle, _LEFT)
    station.pump(0.05)
    acts: list[Act] = []
    for n in range(_A_STROKE):
        angle = (turn * _A_STROKE + n) / 11
        at = middle + QPointF(60 * np.sin(angle), 45 * np.cos(angle * 1.3))
        acts.append(lambda at=at: mouse(view, _MOVE, at, _LEFT))
        kji = lps_mm_to_kji(station.case.volume.affine, view.lps_at(at))
        places.append([round(float(v)) for v in kji])
    times += station.times(acts)
    mouse(view, _RELEASE, middle, _LEFT)
    station.pump(0.05)


def shapes(bench: Bench) -> None:
    """The tools for a whole outline, on a box of 60 mm, from the command to the paint."""
    station = bench.at(_SLICES, _OUTLINES)
    window, case = station.window, station.case
    station.three()
    station.overlays(heatmap=False, anatomy=True)
    room = window.tools.reshaping
    for name, reach, thin in (
        ("grow", 12.0, False),
        ("walk", 12.0, False),
        ("fill_between", 0.0, True),
        ("margin", 5.0, False),
        ("smooth", 1.5, False),
        ("median", 4.0, False),
        ("largest_piece", 0.0, False),
        ("split", 0.0, False),
    ):
        lesion = case.shown[0]
        wanted = _ball(case, _BOX_MM / 2 - reach, thin=thin)
        change = case.reshape(lesion.id, lesion.mask, wanted, "smooth", {})
        window.reading.document_changed.emit(change)
        window.reading.select(lesion.id)
        station.pump(0.3)
        times: dict[str, list[float]] = {"overread": []}
        for _ in range(bench.rounds):
            begin = time.perf_counter()
            window.actions_by_id[name].trigger()
            if room.proposal is not None and room.proposal.op.setting is not None:
                room.set_value(reach)
            done = station.pump(60, lambda: _is_made(room))
            station.app.processEvents()
            assert done
            times["overread"].append((time.perf_counter() - begin) * 1000)
            if not room.give_up() and case.undo_name != "Smooth nodule 1":
                window.corrections.undo()
        bench.note(name, times, "<= 1000")
        window.corrections.undo()


def _is_made(room: Any) -> bool:
    proposal = room.proposal
    return room._job is None and (proposal is None or proposal.made_for == proposal.value)


def _ball(case: Any, radius_mm: float, *, thin: bool) -> Mask:
    """Return a ball in the middle of the volume; every fourth slice when thin."""
    shape, steps = case.volume.shape_kji, case.volume.spacing_kji_mm
    centre = np.array(shape) / 2
    low = [max(0, int(c - radius_mm / s) - 1) for c, s in zip(centre, steps, strict=True)]
    high = [
        min(n, int(c + radius_mm / s) + 2) for c, s, n in zip(centre, steps, shape, strict=True)
    ]
    axes = [
        ((np.arange(a, b) - c) * s) ** 2
        for a, b, c, s in zip(low, high, centre, steps, strict=True)
    ]
    inside = (
        axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :] <= radius_mm**2
    )
    if thin:
        inside[np.arange(len(inside)) % 4 != 0] = False
    return Mask.from_array(inside, (low[0], low[1], low[2]))


ROWS: dict[str, Callable[[Bench], None]] = {"dabs": dabs, "shapes": shapes}


if __name__ == "__main__":
    rows.main(__doc__, ROWS, rounds=6)
