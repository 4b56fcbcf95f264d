"""Slices in patient space: where they cut each other, and which lies nearest to a point."""

import dataclasses

import numpy as np
import pytest

from inference.geometry import axial_affine
from inference.volume import Volume
from viewer.display.planes import make_planes
from viewer.display.sheets import angle_deg, are_parallel, cut_mm, nearest, sheet


def turn(axis, degrees):
    """Return a rotation about a patient axis, 4 x 4."""
    a, b = (n for n in range(3) if n != axis)
    angle = np.deg2rad(degrees)
    out = np.eye(4)
    out[a, a] = out[b, b] = np.cos(angle)
    out[a, b], out[b, a] = -np.sin(angle), np.sin(angle)
    return out


def volume(affine=None, shape=(12, 20, 30), **options):
    affine = axial_affine(1.3, 2.0) if affine is None else affine
    return Volume(np.zeros(shape, np.int16), affine, "CT", **options)


def sheets(one):
    planes = make_planes(one.shape_kji, one.affine)
    return {name: sheet(one, plane, plane.count // 2) for name, plane in planes.items()}


def test_a_sheet_maps_there_and_back():
    rng = np.random.default_rng(1)
    for _ in range(20):
        turned = turn(0, rng.uniform(-80, 80)) @ turn(2, rng.uniform(-80, 80))
        for each in sheets(volume(turned @ axial_affine(0.9, 3))).values():
            x, y = rng.uniform(0, 15, 2)
            point = each.lps_at(x, y) + 7 * each.normal_lps
            np.testing.assert_allclose(each.view_of(point), (x, y), atol=1e-9)
            assert each.distance_mm(point) == pytest.approx(7)


def test_both_ends_of_a_cut_lie_in_both_slices():
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(60):
        affine = turn(1, rng.uniform(-60, 60)) @ turn(0, rng.uniform(-60, 60)) @ axial_affine(1, 2)
        affine[:3, 3] = rng.uniform(-8, 8, 3)
        for on in sheets(volume()).values():
            for of in sheets(volume(affine)).values():
                line = cut_mm(on, of)
                if line is None:
                    continue
                found += 1
                for end in line:
                    point = on.lps_at(*end)
                    assert abs(of.distance_mm(point)) < 1e-6
                    x, y = of.view_of(point)
                    assert -1e-6 <= x <= of.size_mm[0] + 1e-6
                    assert -1e-6 <= y <= of.size_mm[1] + 1e-6
    assert found > 100


def test_nearly_parallel_and_distant_slices_do_not_cut():
    axial = sheets(volume())["axial"]
    middle = np.eye(4)
    middle[:3, 3] = axial.lps_at(*(value / 2 for value in axial.size_mm))
    for degrees, cuts in ((0, False), (8, False), (14, True)):
        about = middle @ turn(0, degrees) @ np.linalg.inv(middle)
        other = sheets(volume(about @ axial_affine(1.3, 2.0)))["axial"]
        assert angle_deg(axial, other) == pytest.approx(degrees, abs=1e-5)
        assert (cut_mm(axial, other) is not None) == cuts
    high = dataclasses.replace(axial, corner_lps_mm=np.array([0, 0, 900.0]))
    assert cut_mm(sheets(volume())["coronal"], axial) is not None
    assert cut_mm(axial, sheets(volume())["coronal"]) is not None
    assert cut_mm(high, sheets(volume())["coronal"]) is None


def test_parallel_means_the_same_way_round():
    axial = sheets(volume())["axial"]
    turned = sheets(volume(turn(2, 30) @ axial_affine(1.3, 2.0)))["axial"]
    assert angle_deg(axial, turned) < 1e-5
    assert not are_parallel(axial, turned)
    assert are_parallel(axial, sheets(volume(turn(2, 3) @ axial_affine(0.7, 5)))["axial"])


def test_the_nearest_of_irregular_slices_by_their_own_places():
    depths = np.array([0.0, 2.0, 7.0, 8.0, 30.0])
    places = np.stack([axial_affine(1.0, 1.0) for _ in depths])
    places[:, 2, 3] = depths
    one = volume(shape=(5, 20, 30), places=places)
    plane = make_planes(one.shape_kji, one.affine)["axial"]
    for z in np.linspace(-3, 40, 60):
        index, _ = nearest(one, plane, (4, 5, z))
        assert abs(depths[index] - z) == pytest.approx(np.abs(depths - z).min())
    assert nearest(one, plane, (4, 5, 100))[1] is False
    places = places.copy()
    places[2] = turn(0, 90) @ places[2]
    several = volume(shape=(5, 20, 30), places=places)
    assert nearest(several, plane, (4, 5, 6)) is None


def test_without_a_place_there_is_no_sheet():
    for option in ("placed", "in_mm"):
        one = volume(**{option: False})
        plane = make_planes(one.shape_kji, one.affine)["axial"]
        assert sheet(one, plane, 0) is None
        assert nearest(one, plane, (0, 0, 0)) is None
