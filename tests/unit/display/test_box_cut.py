"""The polygon in which a slice cuts a box: against the voxels' own coordinates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.display.box_cut import is_within, sides
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.display.planes import make_planes

SHAPE = (24, 40, 36)
AFFINE = np.array(
    [[0.1, -0.02, 0.7, -12.0], [0.2, 0.75, 0.0, 30.0], [2.0, 0.1, 0.05, -60.0], [0, 0, 0, 1.0]]
)
LOW, HIGH = (6, 10, 8), (17, 31, 24)


def plane_of(name, tilt_deg, about):
    straight = make_planes(SHAPE, AFFINE)[name]
    frame = turned(frame_of(straight), about, np.radians(tilt_deg))
    middle = AFFINE[:3, :3] @ (np.array(SHAPE) / 2) + AFFINE[:3, 3]
    return cut_plane(straight, frame, middle)


angles = st.floats(-60, 60)
ways = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.2)


@given(st.sampled_from(["axial", "coronal", "sagittal"]), angles, ways, st.floats(0.2, 0.8))
def test_what_is_within_it_is_within_the_box_and_each_side_lies_on_its_face(name, tilt, about, at):
    plane = plane_of(name, tilt, about)
    index = int(plane.count * at)
    found = sides(LOW, HIGH, plane, index)
    low, high = np.array(LOW) - 0.5, np.array(HIGH) - 0.5
    generator = np.random.default_rng(3)
    width, height = plane.size_mm
    for x, y in generator.uniform((0, 0), (width, height), (60, 2)):
        kji = plane.kji_at(x, y, index)
        room = min((kji - low).min(), (high - kji).min())
        if abs(room) > 1e-6:
            assert (bool(found) and is_within(found, (x, y))) == (room > 0)
    for n, side in enumerate(found):
        axis, far = side.face
        for x, y in (side.start, side.middle, side.end):
            kji = plane.kji_at(x, y, index)
            assert kji[axis] == pytest.approx((high if far else low)[axis], abs=1e-6)
        assert side.end == pytest.approx(found[(n + 1) % len(found)].start)
        assert side.away_mm(side.middle) == pytest.approx(0, abs=1e-6)


def test_a_straight_slice_has_four_and_one_beside_the_box_none():
    plane = make_planes(SHAPE, AFFINE)["axial"]
    found = sides(LOW, HIGH, plane, 10)
    assert {side.face for side in found} == {(1, False), (1, True), (2, False), (2, True)}
    assert sides(LOW, HIGH, plane, 5) == sides(LOW, HIGH, plane, 17) == ()
