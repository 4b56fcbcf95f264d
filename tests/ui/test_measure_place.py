"""Words of a measurement hide neither its ends nor other words, wherever there is room."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRectF

from viewer.tools.measures import shapes
from viewer.ui.measure_place import corners_of, place_of

ROOM = QRectF(0, 0, 800, 700)
inside = st.tuples(st.integers(220, 560), st.integers(120, 560))


def figure(kind, points):
    at = np.array(points, dtype=float)
    return at, shapes.outlines(kind, at)


def hides(rect: QRectF, points) -> bool:
    return any(rect.contains(float(x), float(y)) for x, y in points)


@settings(deadline=None)
@given(st.sampled_from(["distance", "angle", "polygon"]), st.lists(inside, min_size=3, max_size=5))
def test_no_end_is_hidden_and_the_words_are_in_the_view(kind, corners):
    count = {"distance": 2, "angle": 3}.get(kind, len(corners))
    points, lines = figure(kind, corners[:count])
    size = (120.0, 45.0)
    rect = place_of(points, lines, size, ROOM, corners_of(ROOM), lines)
    assert ROOM.contains(rect)
    assert not hides(rect, points)


@settings(deadline=None)
@given(inside, inside)
def test_two_shapes_beside_each_other_have_their_words_apart(a, b):
    taken = corners_of(ROOM)
    places = []
    for x, y in (a, b):
        points, lines = figure("distance", [(x, y), (x + 40, y + 10)])
        rect = place_of(points, lines, (90.0, 15.0), ROOM, taken, lines)
        taken.append(rect)
        places.append(rect)
    assert not places[0].intersects(places[1])


def test_a_shape_at_the_edge_has_its_words_inside():
    points, lines = figure("distance", [(700, 300), (798, 302)])
    rect = place_of(points, lines, (120.0, 15.0), ROOM, [], lines)
    assert ROOM.contains(rect)
    assert not hides(rect, points)
    assert not any(hides(rect, np.linspace(line[0], line[-1], 50)) for line in lines)
