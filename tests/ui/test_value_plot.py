"""The plot of the chosen measurement: a profile, a histogram, or nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm
from inference.volume import Volume
from viewer.annotate.measurements import Measurement, Value
from viewer.ui.panel.value_plot import ValuePlot

AFFINE = np.array([[0, 0, 0.5, 0], [0, 0.5, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1.0]])


@pytest.fixture
def volume() -> Volume:
    voxels = (np.indices((4, 20, 30))[2] * 10 - 100).astype(np.int16)
    voxels.setflags(write=False)
    return Volume(voxels, AFFINE, "CT", "HU")


def at(*kji: float) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in kji_to_lps_mm(AFFINE, kji))
    return x, y, z


@pytest.fixture
def distance() -> Measurement:
    return Measurement(
        "distance", 1, (at(1, 5, 2), at(1, 5, 22)), (0.0, 0.0, 1.0), 2.0, 1,
        (Value("length", 10.0, "mm"),),
    )  # fmt: skip


@pytest.fixture
def region() -> Measurement:
    corners = (at(1, 4, 4), at(1, 4, 14), at(1, 9, 14), at(1, 9, 4))
    return Measurement(
        "rectangle", 2, corners, (0.0, 0.0, 1.0), 2.0, 1, (Value("area", 12.5, "mm2"),)
    )


def curve(plot: ValuePlot) -> tuple[np.ndarray, np.ndarray]:
    (item,) = plot._plot.listDataItems()
    return item.getOriginalDataset()


def test_a_distance_is_plotted_as_the_values_along_it(qtbot, volume, distance) -> None:
    plot = ValuePlot()
    qtbot.addWidget(plot)
    plot.show_one(volume, distance)
    at_mm, values = curve(plot)
    assert at_mm[-1] == pytest.approx(10.0)
    np.testing.assert_allclose(values, -80 + 20 * at_mm)
    assert plot.accessibleName() == "Values along 1: -80 to 120 HU"
    assert not plot.isHidden()


def test_a_region_is_plotted_as_a_histogram_of_its_voxels(qtbot, volume, region) -> None:
    plot = ValuePlot()
    qtbot.addWidget(plot)
    plot.show_one(volume, region)
    _, counts = curve(plot)
    assert counts.sum() == 11 * 6
    assert plot.accessibleName().startswith("Values in 2: -60.5 to ")


def test_nothing_chosen_or_nothing_grey_hides_the_plot(qtbot, volume, distance) -> None:
    plot = ValuePlot()
    qtbot.addWidget(plot)
    plot.show_one(volume, distance)
    plot.show_one(volume, None)
    assert plot.isHidden()
    assert plot.accessibleName() == ""
    angle = replace(
        distance, kind="angle", points_lps_mm=(at(1, 2, 2), at(1, 5, 5), at(1, 5, 9)),
        values=(Value("angle", 135.0, "deg"),),
    )  # fmt: skip
    plot.show_one(volume, angle)
    assert plot.isHidden()
    coloured = replace(volume, colours=np.zeros((4, 20, 30, 3), dtype=np.uint8))
    plot.show_one(coloured, distance)
    assert plot.isHidden()
