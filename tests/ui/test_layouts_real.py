"""Every layout, and two series beside each other, on real studies."""

import weakref

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from viewer.ui.layouts import BESIDE, LAYOUTS, LIST

from .beside_cases import chips
from .conftest import no_collecting, settle
from .test_layouts import key, shown

_KEYS = {"one": "F4", "three": "F5", "four": "F6"}


def open_studies(window, qtbot, *folders):
    with qtbot.waitSignal(window.opener.opened, timeout=120_000):
        window.open_paths(list(folders))
    settle(window)


@pytest.mark.parametrize("name", ["lidc_study", "lungfcp_study", "brain_study", "liver_study"])
def test_every_layout_shows_a_real_study(window, qtbot, request, name):
    open_studies(window, qtbot, request.getfixturevalue(name))
    planes = set()
    for layout, name in _KEYS.items():
        key(window, name)
        assert len(shown(window)) == LAYOUTS[layout].cells
        for view in window.views.views:
            if not view.isVisible():
                continue
            planes.add(view.plane.name)
            picture = (
                view.grab()
                .toImage()
                .convertToFormat(view.grab().toImage().Format.Format_Grayscale8)
            )
            pixels = np.frombuffer(picture.constBits(), np.uint8)
            assert (pixels > 40).mean() > 0.02, (layout, view.plane.name)
    assert planes == {"axial", "coronal", "sagittal"}
    QTest.keyClick(window, Qt.Key.Key_F4, Qt.KeyboardModifier.ShiftModifier)
    settle(window)
    assert window.views.layout_id == LIST


@pytest.mark.parametrize(
    ("current", "other"), [("lidc_study", "lungfcp_study"), ("brain_study", "liver_study")]
)
def test_a_real_study_of_somebody_else_stands_beside_for_looking_only(
    window, qtbot, request, current, other
):
    folders = [request.getfixturevalue(name) for name in (current, other)]
    open_studies(window, qtbot, *folders)
    assert not window.actions_by_id["layout_beside"].isEnabled()
    number = 1 - window.study.current
    window.layouts.show_beside(number)
    beside = window.layouts.beside
    qtbot.waitUntil(lambda: beside.state == "shown", timeout=60_000)
    settle(window)
    assert window.views.layout_id == BESIDE
    assert chips(beside.view)[0].startswith("ANOTHER PATIENT")
    assert window.layouts.links.mode == ""
    assert beside.case.read_only
    QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert window.layouts.links.mode == "slice"
    apart = beside.reading.cursor_lps_mm - window.reading.cursor_lps_mm
    key(window, "Down")
    key(window, "Down")
    np.testing.assert_allclose(beside.reading.cursor_lps_mm - window.reading.cursor_lps_mm, apart)
    voxels = beside.case.volume.voxels
    while voxels.base is not None:
        voxels = voxels.base
    size, voxels = voxels.nbytes, weakref.ref(voxels)
    assert size > 1_000_000
    with no_collecting():
        key(window, "F5")
        qtbot.waitUntil(lambda: voxels() is None, timeout=20_000)
