"""Boxes as they are drawn: what they cover, where they are, and every step taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.deid.drawing import HANDLES, Drawing, moved, resized, scope_of, scoped, spanned
from viewer.deid.options import Box

SIZE = (40, 30)
points = st.tuples(st.floats(-10, 60), st.floats(-10, 60))
inside = st.builds(
    lambda one, other: spanned(one, other, SIZE), points, points
)  # any box that can be drawn


def _within(box: Box) -> bool:
    return (
        box.column >= 0
        and box.row >= 0
        and (box.column + box.width <= SIZE[0] and box.row + box.height <= SIZE[1])
    )


def test_a_drag_takes_in_every_pixel_that_it_touches():
    assert spanned((3.9, 2.1), (8.1, 5.0), SIZE) == Box(3, 2, 6, 3)
    assert spanned((8.1, 5.0), (3.9, 2.1), SIZE) == Box(3, 2, 6, 3), "to any side"
    assert spanned((5.5, 5.5), (5.5, 5.5), SIZE) == Box(5, 5, 1, 1)


@given(points, points)
def test_a_box_is_never_outside_of_its_image(one, other):
    assert _within(spanned(one, other, SIZE))


@given(inside, st.integers(-60, 60), st.integers(-60, 60))
def test_a_moved_box_keeps_its_size(box, across, down):
    after = moved(box, across, down, SIZE)
    assert (after.width, after.height) == (box.width, box.height) and _within(after)


@given(inside, st.sampled_from(HANDLES), points)
def test_a_handle_moves_its_edges_alone(box, handle, to):
    after = resized(box, handle, to, SIZE)
    assert _within(after)
    if handle[0] == 0:
        assert (after.column, after.width) == (box.column, box.width)
    if handle[1] == 0:
        assert (after.row, after.height) == (box.row, box.height)


def test_a_box_drawn_across_turns_over():
    assert resized(Box(10, 10, 5, 5), (1, 0), (4.0, 0.0), SIZE) == Box(4, 10, 6, 5)


def test_every_step_is_taken_back_and_done_again():
    drawing, one, other = Drawing(), Box(1, 1, 2, 2), Box(5, 5, 2, 2)
    drawing.put((one,))
    drawing.put((one, other))
    drawing.change(0, Box(2, 1, 2, 2))
    drawing.remove(1)
    drawing.put(drawing.boxes)
    assert drawing.boxes == (Box(2, 1, 2, 2),)
    for expected in ((Box(2, 1, 2, 2), other), (one, other), (one,), ()):
        drawing.undo()
        assert drawing.boxes == expected
    assert not drawing.can_undo
    drawing.redo()
    assert drawing.boxes == (one,)
    drawing.put((other,))
    assert not drawing.can_redo


@pytest.mark.parametrize("scope", ["image", "series", "all"])
def test_a_box_is_where_it_was_put(scope):
    box = scoped(Box(1, 1, 2, 2), scope, ("1.2", "1.2.3", 4))
    assert scope_of(box) == scope
    assert box.is_in("1.2", "1.2.3", 4)
    assert box.is_in("1.2", "1.2.3", 5) == (scope != "image")
    assert box.is_in("1.2", "1.2.9", 4) == (scope != "image")
    assert box.is_in("1.7", "1.7.1", 0) == (scope == "all")
