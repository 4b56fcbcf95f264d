"""Slabs of turned planes in the real window: what is seen, said and sampled when."""

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtTest import QTest

from inference.geometry import kji_to_lps_mm
from viewer.display.grey import Window, grey_of
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.display.oblique_slab import Layers
from viewer.display.slab import Slab
from viewer.ui import oblique_slabs

from .conftest import settle

AXIS = (0.6, 0.5, -0.4)


def turn(window, degrees=35, *, quick=False):
    """Turn all planes about a slanting axis through the crosshair."""
    reading = window.reading
    reading.turn(
        {
            name: cut_plane(
                plane,
                turned(frame_of(plane), AXIS, np.radians(degrees)),
                reading.cursor_lps_mm,
                quick=quick,
            )
            for name, plane in reading.straight.items()
        }
    )
    settle(window)


def all_there(qtbot, view):
    qtbot.waitUntil(
        lambda: view.slab_span is not None and not view._stale and not view.oblique_slabs.pending,
        timeout=20_000,
    )


def waiting_job(started):
    """A job that never begins; of this room alone, so that no other one falls into it."""

    class Waiting(QObject):
        succeeded, discarded = Signal(object), Signal(object)

        def __init__(self, work, parent):
            super().__init__(parent)

        def start(self, pool=None):
            started.append(self)

        def cancel(self):
            pass

    return Waiting


def projected(view, mode):
    """The slab by all of its slices, sampled here."""
    layers = Layers(view.case.volume.voxels, view.plane, mode, linear=True)
    indices = range(*view.slab_span)
    for index in indices:
        layers.put(index, layers.sampled(index))
    return layers.flat(indices)


@pytest.mark.parametrize("mode", ["mip", "minip", "mean"])
def test_a_turned_view_shows_the_slab_of_all_its_slices(opened, qtbot, mode):
    opened.reading.show(masks=False)
    opened.reading.set_window(Window(-300, 1400))
    turn(opened)
    for view in opened.views.views:
        view.set_slab(Slab(mode, 60.0))
    for view in opened.views.views:
        all_there(qtbot, view)
        values, inside = projected(view, mode)
        wanted = np.where(inside, grey_of(values, opened.reading.window), 0)
        np.testing.assert_array_equal(view._slice._buffer & 0xFF, wanted)
        assert view.slab_span[1] - view.slab_span[0] > 5


def test_the_key_gives_turned_planes_a_slab_and_takes_it_away(opened, qtbot):
    turn(opened)
    view = opened.views.views[0]
    opened.views.active = view
    single = view._slice._buffer.copy()
    QTest.keyClick(opened, Qt.Key.Key_Y)
    assert view.slab == Slab("mip", 10.0)
    all_there(qtbot, view)
    for _ in range(3):
        QTest.keyClick(opened, Qt.Key.Key_Y)
    settle(opened)
    assert view.slab is None
    np.testing.assert_array_equal(view._slice._buffer, single)


def test_a_few_slices_stand_for_all_until_these_are_there_and_the_view_says_so(
    opened, qtbot, monkeypatch
):
    from viewer.ui import slabs

    started, said = [], []
    monkeypatch.setattr(oblique_slabs, "Job", waiting_job(started))
    monkeypatch.setattr(oblique_slabs, "_SMALL_PX", 0)  # of planes of the usual size
    monkeypatch.setattr(slabs, "chip", lambda _p, _w, y, parts, *, pending: said.append(parts) or y)
    turn(opened)
    view = opened.views.views[0]
    view.set_slab(Slab("mip", 100.0))
    settle(opened)
    assert view.oblique_slabs.pending
    assert "a few of them for now" in said[-1]
    assert len(started) == 1
    span = range(*view.slab_span)
    todo = [(one, n) for one in view.oblique_slabs._asked for n in one.missing(span)]
    done = oblique_slabs._sample(todo, lambda *_: None, lambda: False)
    view.oblique_slabs._on_sampled(done)
    settle(opened)
    assert not view.oblique_slabs.pending
    assert "a few of them for now" not in said[-1]
    view.scroll_slices(1)
    settle(opened)
    assert not view.oblique_slabs.pending  # the one that is new was sampled at once
    assert len(started) == 1


def test_nothing_is_sampled_in_the_background_while_a_plane_is_turned(opened, monkeypatch):
    started = []
    monkeypatch.setattr(oblique_slabs, "Job", waiting_job(started))
    monkeypatch.setattr(oblique_slabs, "_SMALL_PX", 0)
    for view in opened.views.views:
        view.set_slab(Slab("mip", 80.0))
    turn(opened, quick=True)
    assert not started


def test_findings_and_heat_of_the_whole_slab_are_shown(reviewed, qtbot):
    window = reviewed
    lesion = window.reading.lesions[0]
    window.reading.select(lesion.id)
    turn(window)
    window.reading.show(heatmap=True, fill=True, heat_floor=0.1)
    view = window.views.views[0]
    size = float(np.linalg.norm(np.array(lesion.mask.voxels.shape) * 3))
    far = view.plane.index_of_lps(lesion.centre_lps_mm) + round(size / view.plane.step_mm)
    window.reading.show_slice(view.plane, far)
    settle(window)
    assert lesion.id not in {mark.lesion.id for mark in view.overlay.marks}
    view.set_slab(Slab("mip", 4 * size))
    all_there(qtbot, view)
    mark = next(mark for mark in view.overlay.marks if mark.lesion.id == lesion.id)
    assert mark.radius_mm > 0
    x, y = view.plane.view_of_lps(lesion.centre_lps_mm)
    assert abs(mark.centre_mm[0] - x) < 4
    assert abs(mark.centre_mm[1] - y) < 4
    pixel = view.plane.pixel_mm[0]
    colour = int(view._slice._buffer[int(y / pixel), int(x / pixel)])
    red, green, blue = colour >> 16 & 255, colour >> 8 & 255, colour & 255
    assert not red == green == blue
    view.pointer_px = view.px_of_mm(x, y)
    values = Layers(window.reading.chosen_map.values, view.plane, "mip", linear=True)
    for index in range(*view.slab_span):
        values.put(index, values.sampled(index))
    heat = values.flat(range(*view.slab_span))[0][int(y / pixel), int(x / pixel)]
    assert heat > 128
    assert f"p {heat / 255:.2f}" in view.value_text()


def test_the_value_under_the_pointer_is_that_of_the_turned_slab(opened, qtbot):
    turn(opened)
    view = opened.views.views[0]
    view.set_slab(Slab("mip", 60.0))
    all_there(qtbot, view)
    values, _ = projected(view, "mip")
    view.pointer_px = QPointF(view.width() / 2 + 11, view.height() / 2 - 7)
    x, y = view.mm_of_px(view.pointer_px)
    pixel = view.plane.pixel_mm[0]
    wanted = int(values[int(y / pixel), int(x / pixel)])
    assert view.value_text().startswith(f"Value {wanted} HU".replace("-", "\N{MINUS SIGN}"))


def test_what_is_kept_goes_with_the_case_and_with_the_slab(opened, qtbot, phantom_folder):
    turn(opened)
    view = opened.views.views[0]
    view.set_slab(Slab("mip", 60.0))
    all_there(qtbot, view)
    assert view.oblique_slabs._arrays
    opened.reading.turn(opened.reading.straight)
    settle(opened)
    assert not view.oblique_slabs._arrays
    assert view.slab_span is not None  # the slab stays, of straight slices
    turn(opened)
    all_there(qtbot, view)
    with qtbot.waitSignal(opened.opener.opened, timeout=20_000):
        opened.open_paths([phantom_folder])
    settle(opened)
    assert view.slab is None
    assert not view.oblique_slabs._arrays


def test_the_middle_of_the_volume_is_brightest_in_the_mip(opened, qtbot):
    """MIP ≥ mean ≥ MinIP, pixel by pixel where all of the slab lies in the volume."""
    turn(opened)
    view = opened.views.views[0]
    found = {}
    for mode in ("mip", "mean", "minip"):
        view.set_slab(Slab(mode, 40.0))
        all_there(qtbot, view)
        found[mode] = view._flat.astype(float)
    centre = tuple(slice(n // 3, 2 * n // 3) for n in found["mip"].shape)
    assert (found["mip"][centre] >= found["mean"][centre]).all()
    assert (found["mean"][centre] >= found["minip"][centre]).all()
    middle = kji_to_lps_mm(view.plane.affine, (np.array(view.plane.shape_kji) - 1) / 2)
    assert 0 <= view.plane.index_of_lps(middle) < view.plane.count
