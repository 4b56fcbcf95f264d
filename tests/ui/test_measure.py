"""Measuring in the real window, against SimpleITK, numpy and the rules of each shape."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from skimage.measure import points_in_poly

from viewer.annotate.measurements import KINDS, TOPIC
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.display.slab import Slab
from viewer.tools.measures.lines import cross_of
from viewer.ui.panel.measurements import _Row

from ..dicom_files import write_slice, write_stack
from .conftest import settle
from .test_geometry import open_folder, wait
from .test_review import control, key
from .test_views import wheel

LEFT = Qt.MouseButton.LeftButton
SHAPE = (14, 60, 80)
SPACING = (3.0, 0.9, 0.6)
BRIGHT = ((5, 20, 24), (5, 41, 60))


def oblique_affine() -> np.ndarray:
    """Rows and columns of 0.6 and 0.9 mm, slices 3 mm apart, all askew to the patient."""
    q, r = np.linalg.qr(np.random.default_rng(12).normal(size=(3, 3)) + 2 * np.eye(3))
    axes = q * np.sign(np.diag(r))
    axes[:, 0] = np.cross(axes[:, 2], axes[:, 1])  # slices along row x column
    affine = np.eye(4)
    affine[:3, :3] = axes * SPACING
    affine[:3, 3] = (30.0, -70.0, 410.0)
    return affine


@pytest.fixture(scope="module")
def askew(tmp_path_factory):
    """A CT with noise, and two bright voxels in slice 5."""
    rng = np.random.default_rng(3)
    voxels = (rng.normal(1000, 60, SHAPE)).astype(np.int16)
    for kji in BRIGHT:
        voxels[kji] = 3000
    folder = tmp_path_factory.mktemp("askew")
    write_stack(folder, voxels, affine=oblique_affine(), WindowCenter=100, WindowWidth=900)
    return folder


def sitk_image(folder) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


@pytest.fixture
def on_askew(window, askew):
    """The window on slice 5 of the oblique phantom, one voxel on a whole number of pixels."""
    open_folder(window, askew)
    view = window.views.views[0]
    assert view.plane.axis == 0
    k = 5 if window.reading.case.volume.voxels[BRIGHT[0]] > 1500 else SHAPE[0] - 6
    window.reading.show_slice(view.plane, k)
    window.reading.show(crosshair=False, text=2)
    scale = 0.15  # 4 pixels a column of 0.6 mm, 6 a row of 0.9 mm
    x, y = view.plane.view_mm((k, *BRIGHT[0][1:]))
    odd = view.width() % 2 / 2, view.height() % 2 / 2
    view.look_at((float(x) + odd[0] * scale, float(y) + odd[1] * scale), scale)
    settle(window)
    return window, view, k


def pixel_of(view, kji) -> QPoint:
    at = view.px_of_mm(*view.plane.view_mm(kji))
    whole = QPoint(round(at.x()), round(at.y()))
    assert abs(at.x() - whole.x()) + abs(at.y() - whole.y()) < 1e-6
    return whole


def press_drag(view, start: QPoint, end: QPoint, *, release: bool = True) -> None:
    QTest.mousePress(view, LEFT, pos=start)
    for step in range(1, 5):
        QTest.mouseMove(view, start + (end - start) * (step / 4))
    if release:
        QTest.mouseRelease(view, LEFT, pos=end)


def click(view, at: QPoint) -> None:
    QTest.mouseMove(view, at)
    QTest.mouseClick(view, LEFT, pos=at)


def ones(window):
    return list(window.measuring.kept.by_id.values())


def test_a_distance_drawn_on_an_oblique_phantom_is_that_of_simpleitk(on_askew, askew):
    window, view, k = on_askew
    start, end = (pixel_of(view, (k, *kji[1:])) for kji in BRIGHT)
    picture = view.grab().toImage()
    ratio = picture.devicePixelRatio()
    for at in (start, end):  # what is measured is what is seen
        assert picture.pixelColor(at * ratio).red() > 200
    key(window, "D")
    assert window.reading.tool == "distance"
    press_drag(view, start, end)
    image = sitk_image(askew)
    found = sitk.GetArrayFromImage(image)
    places = [
        np.array(image.TransformIndexToPhysicalPoint([int(x) for x in kji[::-1]]))
        for kji in np.argwhere(found > 1500)
    ]
    assert len(places) == 2
    (one,) = ones(window)
    truth = float(np.linalg.norm(places[1] - places[0]))
    assert one.kind == "distance" and one.k == k
    assert abs(one.value("length") - truth) <= view.mm_per_px / 2
    assert one.values[0].unit == "mm"
    # And the ends lie in the patient where SimpleITK has them.
    for place in places:
        away = np.linalg.norm(np.array(one.points_lps_mm) - place, axis=1).min()
        assert away <= view.mm_per_px / 2


def test_ellipse_and_polygon_hold_the_voxels_that_numpy_finds(on_askew, askew):
    window, view, _ = on_askew
    image = sitk_image(askew)
    values = sitk.GetArrayFromImage(image).astype(float)
    grid = np.argwhere(np.ones(SHAPE, dtype=bool))
    matrix = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    world = grid[:, ::-1] @ matrix.T + image.GetOrigin()
    key(window, "E", Qt.KeyboardModifier.ShiftModifier)
    middle = view.rect().center()
    press_drag(view, middle + QPoint(-71, -53), middle + QPoint(64, 47))
    key(window, "P", Qt.KeyboardModifier.ShiftModifier)
    for dx, dy in ((-81, -41), (31, -61), (77, 15), (11, 71), (-51, 43)):
        click(view, middle + QPoint(dx, dy))
    QTest.keyClick(view, Qt.Key.Key_Return)
    ellipse, polygon = ones(window)
    assert (ellipse.kind, polygon.kind) == ("ellipse", "polygon")
    for one in (ellipse, polygon):
        points, normal = np.array(one.points_lps_mm), np.array(one.normal_lps)
        origin = points.mean(axis=0)
        first = points[1] - points[0]
        first /= np.linalg.norm(first)
        second = np.cross(normal, first)
        x, y, depth = ((world - origin) @ axis for axis in (first, second, normal))
        in_slice = np.abs(depth) < SPACING[0] / 2
        flat = np.stack([(points - origin) @ first, (points - origin) @ second], axis=1)
        if one.kind == "ellipse":
            a, b = (np.linalg.norm(points[n + 1] - points[n]) / 2 for n in (0, 2))
            inside = (x / a) ** 2 + (y / b) ** 2 <= 1 + 1e-9  # those on the line count
            area = np.pi * a * b
        else:
            inside = points_in_poly(np.stack([x, y], axis=1), flat)
            x1, y1 = np.roll(flat, -1, axis=0).T
            area = abs(flat[:, 0] @ y1 - flat[:, 1] @ x1) / 2
        chosen = values[tuple(grid[inside & in_slice].T)]
        assert one.value("n_voxels") == chosen.size > 100
        assert one.value("mean") == pytest.approx(chosen.mean())
        assert one.value("sd") == pytest.approx(chosen.std())
        assert (one.value("min"), one.value("max")) == (chosen.min(), chosen.max())
        assert one.value("area") == pytest.approx(area)
        assert {v.unit for v in one.values if v.name in ("mean", "sd", "min", "max")} == {"HU"}


def test_the_short_axis_crosses_the_long_one_wherever_it_is_drawn(on_askew):
    window, view, _ = on_askew
    middle = view.rect().center()
    key(window, "D", Qt.KeyboardModifier.ShiftModifier)
    press_drag(view, middle + QPoint(-90, 10), middle + QPoint(80, -20))
    assert not ones(window)  # the long axis alone is none yet
    press_drag(view, middle + QPoint(20, -60), middle + QPoint(30, -30))  # all on one side
    (one,) = ones(window)
    points, normal = np.array(one.points_lps_mm), np.array(one.normal_lps)
    np.testing.assert_allclose(cross_of(points, normal).points_lps_mm(normal), points, atol=1e-6)
    assert one.value("long_axis") >= one.value("short_axis") > 0
    # A handle of the short axis is dragged right across; it still meets the long one.
    px = window.measuring.pixels(view, points)
    before = one.value("short_axis")
    start = QPoint(*(round(x) for x in px[2]))
    press_drag(view, start, start + QPoint(-15, 25))
    (one,) = ones(window)
    points = np.array(one.points_lps_mm)
    np.testing.assert_allclose(cross_of(points, normal).points_lps_mm(normal), points, atol=1e-6)
    assert one.value("short_axis") != pytest.approx(before)
    control(window, "Z")
    assert ones(window)[0].value("short_axis") == pytest.approx(before)
    control(window, "Z")
    assert not ones(window)
    control(window, "Y")
    assert ones(window)[0].value("short_axis") == pytest.approx(before)


def test_an_angle_and_a_rectangle_and_a_polygon_closed_by_a_double_click(on_askew):
    window, view, _ = on_askew
    middle = view.rect().center()
    key(window, "A", Qt.KeyboardModifier.ShiftModifier)
    for dx, dy in ((60, 0), (0, 0), (0, -50)):
        click(view, middle + QPoint(dx, dy))
    key(window, "R", Qt.KeyboardModifier.ShiftModifier)
    press_drag(view, middle + QPoint(-100, -80), middle + QPoint(-40, -20))
    key(window, "P", Qt.KeyboardModifier.ShiftModifier)
    for dx, dy in ((20, 40), (90, 40), (60, 100)):
        click(view, middle + QPoint(dx, dy))
    QTest.mouseDClick(view, LEFT, pos=middle + QPoint(60, 100))  # the second press of two
    QTest.mouseRelease(view, LEFT, pos=middle + QPoint(60, 100))
    angle, rectangle, polygon = ones(window)
    assert angle.value("angle") == pytest.approx(90, abs=1e-6)
    assert rectangle.value("area") == pytest.approx(60 * 60 * view.mm_per_px**2)
    assert len(polygon.points_lps_mm) == 3
    assert polygon.value("area") == pytest.approx(70 * 60 / 2 * view.mm_per_px**2)
    assert window.measuring.draft is None


def test_escape_drops_what_is_drawn_and_the_wheel_still_scrolls(on_askew):
    window, view, k = on_askew
    middle = view.rect().center()
    key(window, "D")
    press_drag(view, middle, middle + QPoint(50, 0), release=False)
    assert window.measuring.draft is not None
    QTest.keyClick(window, Qt.Key.Key_Escape)
    QTest.mouseRelease(view, LEFT, pos=middle + QPoint(50, 0))
    assert window.measuring.draft is None and not ones(window)
    assert window.reading.tool == "distance"  # the first Esc is for the drag alone
    press_drag(view, middle, middle + QPoint(50, 0), release=False)
    wheel(view, -1)
    assert view.index != k
    QTest.mouseRelease(view, LEFT, pos=middle + QPoint(50, 0))
    assert window.measuring.draft is None and not ones(window)
    window.reading.show_slice(view.plane, k)
    # Click by click, too; and a click twice on one place measures nothing.
    click(view, middle)
    click(view, middle + QPoint(40, 30))
    assert ones(window)[0].value("length") == pytest.approx(50 * view.mm_per_px)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.reading.tool == "window"


def test_it_is_seen_on_its_slice_alone_and_the_list_leads_back(on_askew):
    window, view, k = on_askew
    middle = view.rect().center()
    key(window, "D")
    press_drag(view, middle, middle + QPoint(90, 0))
    assert len(window.measuring.on_view(view)) == 1
    key(window, "W")
    for step in (-1, 1):
        window.reading.show_slice(view.plane, k + step)
        assert not window.measuring.on_view(view)
    rows = [row for row in window.panel.findChildren(_Row) if row.isVisible()]
    assert len(rows) == 1
    assert "13.5" in rows[0].accessibleName() and rows[0].accessibleName().endswith(
        f" {view.plane.number(k)}"
    )
    rows[0].click()
    assert view.index == k and window.measuring.selected == "m1"
    rows[0].click()
    assert rows[0].isChecked()
    window.panel.findChild(type(rows[0].parent())).copy()
    assert "13.5" in QGuiApplication.clipboard().text()


def test_a_click_chooses_and_del_deletes_the_measurement_and_not_the_finding(reviewed):
    window, view = reviewed, reviewed.views.views[0]
    findings = len(window.reading.case.document.lesions)
    middle = view.rect().center()
    key(window, "D")
    press_drag(view, middle + QPoint(-40, 30), middle + QPoint(60, 30))
    key(window, "W")
    window.measuring.select(None)
    window.reading.select(window.reading.case.shown[0].id, centre=False)
    QTest.mouseMove(view, middle + QPoint(10, 31))
    assert window.measuring.hovered is not None and window.measuring.hovered.handle is None
    click(view, middle + QPoint(10, 31))
    assert window.measuring.selected == "m1"
    key(window, "Delete")
    assert not ones(window)
    assert len(window.reading.case.document.lesions) == findings
    control(window, "Z")
    assert len(ones(window)) == 1
    # With the finding chosen last, Del is its own again.
    click(view, middle + QPoint(10, 31))
    key(window, "J")
    assert window.measuring.selected is None
    key(window, "Delete")
    assert len(ones(window)) == 1
    assert len(window.reading.case.document.lesions) == findings - 1


def test_one_drag_of_a_handle_is_one_step_and_a_press_alone_changes_nothing(on_askew):
    window, view, _ = on_askew
    middle = view.rect().center()
    key(window, "D")
    press_drag(view, middle, middle + QPoint(80, 0))
    key(window, "W")
    first = ones(window)[0]
    click(view, middle + QPoint(83, 2))  # beside the end, yet on its handle
    assert ones(window)[0] == first
    QTest.mouseMove(view, middle + QPoint(83, 2))
    press_drag(view, middle + QPoint(83, 2), middle + QPoint(83, 62))
    assert ones(window)[0].value("length") == pytest.approx(100 * view.mm_per_px)
    before = window.reading.window
    control(window, "Z")
    assert ones(window)[0] == first
    assert window.reading.window == before  # nothing was windowed meanwhile
    # The whole of a chosen one is carried by its line, in its plane.
    press_drag(view, middle + QPoint(40, 0), middle + QPoint(40, 30))
    moved = ones(window)[0]
    assert moved.value("length") == pytest.approx(first.value("length"))
    assert moved.points_lps_mm != first.points_lps_mm
    assert moved.k == first.k


def test_what_was_measured_is_there_when_the_case_is_opened_again(on_askew, askew):
    window, view, _ = on_askew
    window.set_reader("Dr. A. Test")
    middle = view.rect().center()
    key(window, "E", Qt.KeyboardModifier.ShiftModifier)
    press_drag(view, middle, middle + QPoint(80, 60))
    before = ones(window)
    assert before[0].reader == "Dr. A. Test" and before[0].utc.endswith("Z")
    window.reading.case.set_note(TOPIC, "broken", {"kind": "distance"})
    open_folder(window, askew)
    assert ones(window) == before
    assert window.measuring.kept.damaged == 1
    said = " ".join(label.text() for label in window.panel.findChildren(type(window.panel.opinion)))
    assert "Damaged and left out: 1" in said


def test_an_oblique_plane_is_measured_by_its_own_layer_of_voxels(on_askew):
    window, view, _ = on_askew
    reading = window.reading
    coronal = window.views.views[1].plane
    name, axis = view.plane.name, coronal.normal_lps
    straight = reading.straight[name]
    plane = cut_plane(straight, turned(frame_of(straight), axis, 0.4), reading.cursor_lps_mm)
    reading.turn({**reading.planes, name: plane})
    settle(window)
    view.fit()
    middle = view.px_of_mm(*view.plane.view_of_lps(reading.cursor_lps_mm)).toPoint()
    key(window, "D")
    press_drag(view, middle + QPoint(-30, 0), middle + QPoint(30, 40))
    key(window, "R", Qt.KeyboardModifier.ShiftModifier)
    press_drag(view, middle + QPoint(-25, -20), middle + QPoint(25, 20))
    distance, rectangle = ones(window)
    assert distance.value("length") == pytest.approx(np.hypot(60, 40) * view.mm_per_px)
    assert distance.k is None and rectangle.k is None
    np.testing.assert_allclose(rectangle.normal_lps, plane.normal_lps, atol=1e-9)
    assert rectangle.value("n_voxels") > 20
    assert len(window.measuring.on_view(view)) == 2
    reading.turn(reading.straight)
    settle(window)
    assert not window.measuring.on_view(view)
    # Its row leads back to the plane, wherever the reader is by then.
    reading.show_slice(view.plane, 1)
    window.measuring.go_to("m2")
    settle(window)
    assert "m2" in window.measuring.on_view(view)
    np.testing.assert_allclose(np.abs(view.plane.normal_lps), np.abs(plane.normal_lps), atol=1e-9)


def test_a_picture_is_measured_in_pixels_and_nothing_of_it_is_kept(window, tmp_path):
    from PIL import Image

    Image.fromarray(np.tile(np.arange(200, dtype=np.uint8), (150, 1))).save(tmp_path / "a.png")
    open_folder(window, tmp_path)
    view = window.views.views[0]
    assert not window.reading.case.volume.in_mm
    key(window, "D")
    middle = view.rect().center()
    press_drag(view, middle, middle + QPoint(100, 0))
    (one,) = ones(window)
    assert one.values[0].unit == "px"
    assert one.value("length") == pytest.approx(100 * view.mm_per_px)
    key(window, "R", Qt.KeyboardModifier.ShiftModifier)
    press_drag(view, middle + QPoint(0, 20), middle + QPoint(90, 90))
    assert {v.unit for v in ones(window)[1].values} == {"px2", "voxels", ""}
    said = " ".join(label.text() for label in window.panel.findChildren(type(window.panel.opinion)))
    assert "Not kept" in said
    control(window, "Z")
    control(window, "Z")
    assert not ones(window)


def test_colours_and_slices_without_a_grid(window, tmp_path):
    for k in range(4):
        y = k * 4 * np.tan(np.radians(14))
        write_slice(
            tmp_path / f"{k}", np.full((40, 48), 1100, dtype=np.int16), position=(0, y, 4 * k),
            spacing=(0.5, 0.5), number=k + 1,
        )  # fmt: skip
    open_folder(window, tmp_path)
    view = window.views.views[0]
    middle = view.rect().center()
    key(window, "E", Qt.KeyboardModifier.ShiftModifier)
    press_drag(view, middle - QPoint(60, 60), middle + QPoint(60, 60))
    (one,) = ones(window)
    assert one.value("mean") == 76 and one.k == view.index
    assert one.value("area") == pytest.approx(np.pi / 4 * (120 * view.mm_per_px) ** 2)
    window.reading.show_slice(view.plane, view.index - 1)
    assert not window.measuring.on_view(view)


def test_no_measuring_before_a_case_and_every_tool_has_a_button(window, askew):
    for kind in KINDS:
        assert not window.actions_by_id[kind].isEnabled()
        assert "Open a series" in window.actions_by_id[kind].toolTip()
    assert not window.bar.measure_button.isEnabled()
    assert "Open a series" in window.bar.measure_button.toolTip()
    open_folder(window, askew)
    names = [action.text() for action in window.bar.measure_button.menu().actions()]
    for kind in KINDS:
        assert window.actions_by_id[kind].isEnabled()
        assert window.actions_by_id[kind].text() in names
    window.actions_by_id["ellipse"].trigger()
    assert window.bar.measure_button.text().startswith("Ellipse")
    assert window.bar.measure_button.isChecked()


def test_the_axes_of_a_finding_become_a_measurement_that_says_whose_they_are(reviewed):
    window = reviewed
    lesion = window.reading.lesion
    control(window, "D")
    (one,) = ones(window)
    assert one.kind == "bidirectional" and one.lesion_id == lesion.id and one.origin == "ai"
    assert one.value("long_axis") == pytest.approx(lesion.diameter_mm)
    assert one.value("short_axis") == pytest.approx(lesion.short_axis_mm)
    view = window.views.views[0]
    assert window.measuring.on_view(view)
    window.reading.show(ai_held_back=True)
    assert not window.measuring.on_view(view)  # it goes with the AI
    window.reading.show(ai_held_back=False)
    px = window.measuring.pixels(view, one.points_lps_mm)[0]
    start = QPointF(*px).toPoint()
    press_drag(view, start, start + QPoint(-6, 0))
    assert ones(window)[0].origin == "ai-edited"


def test_measurements_can_be_hidden_and_come_back(on_askew):
    window, view, _ = on_askew
    middle = view.rect().center()
    key(window, "D")
    press_drag(view, middle, middle + QPoint(90, 0))
    with_line = view.grab().toImage()
    control(window, "M")
    assert not window.measuring.on_view(view)
    assert view.grab().toImage() != with_line
    assert not window.actions_by_id["measurements"].isChecked()
    control(window, "M")
    assert window.measuring.on_view(view)


def test_millimetres_of_a_projection_say_what_they_are_true_of(window, tmp_path):
    write_slice(
        tmp_path / "a", np.arange(60 * 80, dtype=np.uint16).reshape(60, 80), modality="DX",
        position=None, orientation=None, spacing=(0.18, 0.18), ImagerPixelSpacing=[0.2, 0.2],
        PixelSpacingCalibrationType="FIDUCIAL",
    )  # fmt: skip
    open_folder(window, tmp_path)
    view = window.views.views[0]
    wait(window, lambda: window.measuring.work._calibration == "fiducial")
    key(window, "D")
    middle = view.rect().center()
    press_drag(view, middle, middle + QPoint(100, 0))
    (one,) = ones(window)
    assert one.value("length") == pytest.approx(100 * view.mm_per_px)
    assert one.values[0].unit == "mm"
    assert "calibrated by an object" in window.status._text.text()


def test_no_tool_for_measuring_makes_the_window_wider(on_askew):
    window, _, _ = on_askew
    window.resize(1024, 700)
    for kind in KINDS:
        window.reading.set_tool(kind)
        settle(window)
        assert window.width() == 1024
        assert window.bar.layout().minimumSize().width() <= window.bar.width(), kind


def test_a_slab_has_lengths_and_areas_and_no_values(on_askew):
    window, view, _ = on_askew
    view.set_slab(Slab("mip", 12.0))
    middle = view.rect().center()
    key(window, "E", Qt.KeyboardModifier.ShiftModifier)
    press_drag(view, middle, middle + QPoint(80, 60))
    (one,) = ones(window)
    assert [value.name for value in one.values] == ["area"] and one.absence == "slab"
    view.set_slab(None)
    key(window, "W")
    px = window.measuring.pixels(view, one.points_lps_mm)[1]
    start = QPointF(*px).toPoint()
    press_drag(view, start, start + QPoint(8, 0))
    (one,) = ones(window)
    assert one.absence == "" and one.value("mean") is not None
