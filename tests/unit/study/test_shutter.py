"""Display shutters against PS3.3 C.7.6.11, pixel by pixel."""

import numpy as np
import pytest

from viewer.study.display_facts import display_facts
from viewer.study.order import order
from viewer.study.scan import scan
from viewer.study.shutter import Shutter

from ...dicom_files import write_slice


def seen(shutter, shape):
    return ~shutter.closed(*shape)


def test_a_box_leaves_its_own_edges_open():
    got = seen(Shutter(box=(2, 4, 3, 5)), (7, 6))
    wanted = np.zeros((7, 6), bool)
    wanted[2:5, 1:4] = True
    np.testing.assert_array_equal(got, wanted)


def test_a_circle_is_round_about_its_centre():
    got = seen(Shutter(circle=(5, 6, 3)), (10, 12))
    for row in range(1, 11):
        for column in range(1, 13):
            assert got[row - 1, column - 1] == ((row - 5) ** 2 + (column - 6) ** 2 <= 9)


def test_a_polygon_is_what_scikit_image_fills():
    from skimage.draw import polygon2mask

    corners = ((3.3, 4.2), (17.7, 9.1), (14.2, 25.6), (6.1, 20.4), (9.4, 13.3))
    got = seen(Shutter(polygon=corners), (20, 30))
    wanted = polygon2mask((20, 30), np.array(corners) - 1)
    assert (got != wanted).sum() <= 2  # pixels on the very line
    assert got.sum() > 100


@pytest.mark.parametrize(
    ("tags", "open_share"),
    [
        (
            {
                "ShutterShape": "RECTANGULAR",
                "ShutterLeftVerticalEdge": "3",
                "ShutterRightVerticalEdge": "8",
                "ShutterUpperHorizontalEdge": "1",
                "ShutterLowerHorizontalEdge": "5",
            },
            30 / 100,
        ),
        (
            {
                "ShutterShape": ["RECTANGULAR", "CIRCULAR"],
                "ShutterLeftVerticalEdge": "1",
                "ShutterRightVerticalEdge": "5",
                "ShutterUpperHorizontalEdge": "1",
                "ShutterLowerHorizontalEdge": "10",
                "CenterOfCircularShutter": ["5", "5"],
                "RadiusOfCircularShutter": "2",
            },
            9 / 100,
        ),
        ({"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": ["5", "5"]}, None),
        (
            {
                "ShutterShape": "CIRCULAR",
                "CenterOfCircularShutter": ["500", "500"],
                "RadiusOfCircularShutter": "2",
            },
            None,
        ),
        ({}, None),
    ],
)
def test_the_shutter_of_a_file_is_read_and_a_senseless_one_left_out(tmp_path, tags, open_share):
    path = write_slice(
        tmp_path / "a.dcm",
        np.zeros((10, 10), np.uint16),
        modality="DX",
        position=None,
        orientation=None,
        **tags,
    )
    (series,) = scan([path]).series
    found = display_facts(order(series)).shutter
    assert (found is None) == (open_share is None)
    if found is not None:
        assert seen(found, (10, 10)).mean() == pytest.approx(open_share)
