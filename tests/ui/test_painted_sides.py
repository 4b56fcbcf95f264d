"""Where marks of a patient are painted, and which letters are painted there: the real views.

The marks lie at known places of the patient, whatever way the images were acquired. From where
three of them are painted it follows which way of the patient goes to the right and down the
screen; the letters must say the same.
"""

import itertools

import numpy as np
import pytest
from PySide6.QtGui import QImage
from scipy import ndimage

from tests.orientation_cases import CENTRE_LPS_MM, MARKS, along_axes, lying, oblique, write
from viewer.display.grey import Window
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.ui import orientation
from viewer.ui.reading import TEXT_NONE

from .conftest import settle

_AXES = (("R", "L"), ("A", "P"), ("F", "H"))
# Half of a mark, half of a slice and what interpolation spreads.
_APART_MM = 5.5


def _one_by_one(normals):
    """Whether no plane of these normals shows two marks at once."""
    pairs = itertools.combinations(MARKS.values(), 2)
    return all(abs((a - b) @ normal) > _APART_MM for a, b in pairs for normal in normals)


_BY_ORDER = {}
for _case in along_axes():
    _BY_ORDER.setdefault(_case.name[:3], []).append(_case)
GROUPS = {
    **_BY_ORDER,
    "lying": lying(),
    "oblique": [case for case in oblique(60) if _one_by_one(case.directions.T)][:4],
}


@pytest.fixture
def painted_letters(monkeypatch):
    """What is written on the edges: text and place on the screen, as it is painted."""
    written = []
    plain = orientation.haloed

    def note(painter, at, text, *rest):
        written.append((text, at.x(), at.y()))
        plain(painter, at, text, *rest)

    monkeypatch.setattr(orientation, "haloed", note)
    return written


def _bright(view):
    """The middle of the largest bright spot of the painted view, logical pixels."""
    picture = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    ratio = picture.devicePixelRatio()
    raw = np.frombuffer(picture.constBits(), dtype=np.uint32)
    raw = raw.reshape(picture.height(), picture.bytesPerLine() // 4)[:, : picture.width()]
    red, green, blue = (raw >> shift & 255 for shift in (16, 8, 0))
    grey = (red == green) & (green == blue) & (red > 127)
    labels, count = ndimage.label(grey)
    assert count >= 1, "the mark is not painted"
    sizes = ndimage.sum(grey, labels, range(1, count + 1))
    y, x = ndimage.center_of_mass(labels == 1 + int(np.argmax(sizes)))
    return np.array([(x + 0.5) / ratio, (y + 0.5) / ratio])


def _directions(window):
    """For each view: unit vectors in LPS across and down the screen, from painted marks alone."""
    reading, views = window.reading, window.views.views
    spots = {view.plane.name: [] for view in views}
    offsets = []
    for offset in MARKS.values():
        reading.move_cursor(CENTRE_LPS_MM + offset)
        settle(window)
        offsets.append(offset)
        for view in views:
            x, y = view.plane.view_of_lps(CENTRE_LPS_MM)
            middle = view.px_of_mm(x, y)
            away = _bright(view) - np.array([middle.x(), middle.y()])
            spots[view.plane.name].append(away * view.mm_per_px)
    found = {}
    for name, away in spots.items():
        # Three marks, three unknowns for each screen axis.
        found[name] = np.linalg.solve(np.array(offsets), np.array(away)).T
    return found


def _agree(letters, direction):
    """The letters of an edge, the strongest first, against a direction known to some degrees."""
    share = np.abs(direction)
    assert np.linalg.norm(direction) == pytest.approx(1, abs=0.12), "in millimetres"
    names = [_AXES[axis][int(part > 0)] for axis, part in enumerate(direction)]
    for name, part in zip(names, share, strict=True):
        if abs(part - np.sin(np.radians(15))) > 0.1:
            assert (name in letters) == (part > np.sin(np.radians(15))), (letters, direction)
    order = np.argsort(-share)
    if share[order[0]] - share[order[1]] > 0.15:
        assert letters[0] == names[order[0]], (letters, direction)


def _open(window, qtbot, folder):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([folder])
    reading = window.reading
    reading.show(text=TEXT_NONE, crosshair=False)
    reading.set_window(Window(600, 400))
    window.views.fit_all()
    settle(window)


def _hold(window, painted_letters):
    for name, (across, down) in _directions(window).items():
        view = next(v for v in window.views.views if v.plane.name == name)
        painted_letters.clear()
        view.update()  # what is written is put together again
        view.grab()
        width, height = view.width(), view.height()
        edges = {
            "left": [t for t, x, y in painted_letters if x < 60 and abs(y - height / 2) < 30],
            "right": [
                t for t, x, y in painted_letters if x > width - 60 and abs(y - height / 2) < 30
            ],
            "top": [t for t, x, y in painted_letters if y < 40 and abs(x - width / 2) < 40],
            "bottom": [
                t for t, x, y in painted_letters if y > height - 40 and abs(x - width / 2) < 40
            ],
        }
        _agree("".join(edges["right"]), across)
        _agree("".join(edges["left"]), -across)
        _agree("".join(edges["bottom"]), down)
        _agree("".join(edges["top"]), -down)


@pytest.mark.parametrize("group", GROUPS)
def test_letters_stand_where_the_patient_lies(window, qtbot, tmp_path, painted_letters, group):
    for case in GROUPS[group]:
        _open(window, qtbot, write(tmp_path / case.name, case))
        _hold(window, painted_letters)
        if group == "oblique":
            continue
        # The patient's left is painted at the right of the screen, and what is left of him
        # is named left.
        window.reading.move_cursor(CENTRE_LPS_MM + MARKS["left"])
        settle(window)
        for view in window.views.views:
            if view.plane.name != "sagittal":
                assert _bright(view)[0] > view.width() / 2 + 20
                assert orientation.edges(view).right == ("L",)
                assert orientation.in_words(view).startswith("At the left edge: right; right: left")


@pytest.mark.parametrize("seed", range(3))
def test_letters_of_turned_planes_stand_where_the_patient_lies(
    window, qtbot, tmp_path, painted_letters, seed
):
    rng = np.random.default_rng(seed)
    for case in (along_axes()[seed * 17], lying()[seed * 3], oblique()[seed]):
        _open(window, qtbot, write(tmp_path / case.name, case))
        reading = window.reading
        planes = {}
        while not planes or not _one_by_one([plane.normal_lps for plane in planes.values()]):
            axis, angle = rng.normal(size=3), rng.uniform(0.3, 2.5)
            planes = {
                name: cut_plane(plane, turned(frame_of(plane), axis, angle), CENTRE_LPS_MM)
                for name, plane in reading.straight.items()
            }
        reading.turn(planes)
        _hold(window, painted_letters)
