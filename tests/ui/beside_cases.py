"""Series on grids of their own, opened beside each other."""

import numpy as np
from PySide6.QtCore import Qt

from tests.dicom_files import write_stack

from .conftest import settle

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
OTHER_FRAME = "1.2.826.0.1.3680043.8.498.77"


def affine(directions_kji, spacing_kji, first_lps_mm):
    """Return (k, j, i, 1) → LPS mm; the columns of ``directions`` are unit vectors."""
    out = np.eye(4)
    out[:3, :3] = np.array(directions_kji, float).T * spacing_kji
    out[:3, 3] = first_lps_mm
    return out


def turned(affine_kji, degrees):
    """Turn a grid about x: an oblique acquisition."""
    angle = np.deg2rad(degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ affine_kji


AXIAL = affine([(0, 0, 1), (0, 1, 0), (1, 0, 0)], (2.5, 0.9, 0.9), (-30, -25, -40))
THIN = affine([(0, 0, 1), (0, 1, 0), (1, 0, 0)], (1.2, 1.1, 1.1), (-28, -31, -17))
SAGITTAL = affine([(1, 0, 0), (0, 0, -1), (0, 1, 0)], (3.1, 0.8, 0.8), (-27, -24, 33))
OBLIQUE = turned(THIN, 22)


def values(k, j=56, i=64):
    return np.random.default_rng(k).integers(0, 2000, (k, j, i)).astype(np.int16)


def write(folder, name, grid, k, **tags):
    """Write one series; its description is its name."""
    uid = f"1.2.826.0.1.3680043.8.498.{sum(map(ord, name))}"
    write_stack(
        folder / name, values(k), affine=grid, series_uid=uid, SeriesDescription=name, **tags
    )
    return folder / name


def open_in(window, qtbot, *folders):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths(list(folders))
    settle(window)


def number_of(window, name):
    plans = window.opener.study.plans
    return next(n for n, plan in enumerate(plans) if plan.series.description == name)


def beside(window, qtbot, name):
    """Show a series beside the open one and wait until all of it is there."""
    window.layouts.show_beside(number_of(window, name))
    qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=10_000)
    settle(window)
    # Where the test before left the pointer, the new pane may lie under it.
    window.views._activate(window.views.views[0])
    return window.layouts.beside


def chips(view):
    return [" · ".join(words) for notices in view.notices.values() for words, _ in notices]
