"""The phantom's truth is true of its voxels."""

from __future__ import annotations

import numpy as np
import pytest

from inference import geometry
from viewer.phantom.anatomy import PhantomSpec, make_phantom
from viewer.phantom.nodules import DEFAULT_NODULES, NoduleSpec, draw


@pytest.fixture(scope="module")
def slab():
    """A thin slab at full resolution through two nodules of the sample study."""
    return make_phantom(PhantomSpec(shape_kji=(16, 512, 512), centre_lps_mm=(0.0, 8.0, 34.0)))


@pytest.fixture(scope="module")
def small():
    return make_phantom(PhantomSpec.small())


def test_the_same_spec_gives_the_same_voxels(small):
    again = make_phantom(PhantomSpec.small())
    assert np.array_equal(small.volume.voxels, again.volume.voxels)
    assert np.array_equal(small.lungs, again.lungs)
    other = make_phantom(PhantomSpec.small(seed=5))
    assert not np.array_equal(small.volume.voxels, other.volume.voxels)


def test_tissues_have_their_densities(small):
    voxels, lungs = small.volume.voxels, small.lungs
    assert voxels.dtype == np.int16
    assert not voxels.flags.writeable
    assert np.median(voxels[:, :4, :]) == pytest.approx(-1000, abs=12)
    for label in (1, 2):
        assert np.median(voxels[lungs == label]) == pytest.approx(-855, abs=25)
    soft = voxels[(voxels > 0) & (voxels < 110)]
    assert np.median(soft) == pytest.approx(48, abs=12)
    assert (voxels > 300).mean() > 0.005, "no bones"
    fat = voxels[(voxels > -130) & (voxels < -70)]
    assert fat.size > 0.02 * voxels.size


def test_the_right_lung_lies_to_the_right_and_is_the_bigger(small):
    means = {}
    for side, label in (("right", 1), ("left", 2)):
        points = geometry.kji_to_lps_mm(small.volume.affine, np.argwhere(small.lungs == label))
        means[side] = points[:, 0].mean()
        assert small.lung(side).count == len(points)
    assert means["right"] < -40 < 40 < means["left"]
    litres = {
        side: small.lung(side).count * geometry.voxel_volume_mm3(small.volume.affine) / 1e6
        for side in ("right", "left")
    }
    assert 1.5 < litres["left"] < litres["right"] < 4


def test_nodules_lie_where_the_truth_says(slab):
    # Two of the six have their centre in this slab; others may reach into it.
    inside = [n for n in slab.nodules if abs(n.centre_lps_mm[2] - 34) < 15]
    assert {n.diameter_mm for n in inside} == {12.0, 18.0}
    voxels = slab.volume.voxels
    for nodule in inside:
        indices = np.argwhere(nodule.mask.voxels) + nodule.mask.origin_kji
        centre = geometry.kji_to_lps_mm(slab.volume.affine, indices).mean(axis=0)
        assert np.linalg.norm(centre - nodule.centre_lps_mm) < 1.0
        in_lung = slab.lungs[nodule.mask.box][nodule.mask.voxels]
        assert set(np.unique(in_lung)) == {1 if nodule.side == "right" else 2}
        assert np.median(voxels[nodule.mask.box][nodule.mask.voxels]) > -40
        ring = voxels[nodule.mask.origin_kji[0], nodule.mask.origin_kji[1] - 8, :]
        assert (
            np.median(
                ring[slab.lungs[nodule.mask.origin_kji[0], nodule.mask.origin_kji[1] - 8] > 0]
            )
            < -750
        )


@pytest.mark.parametrize("rotation", [(0.0, 0.0, 0.0), (20.0, -15.0, 30.0), (90.0, 0.0, 0.0)])
@pytest.mark.parametrize("number", range(len(DEFAULT_NODULES)))
def test_a_mask_has_the_volume_of_its_sphere(number, rotation):
    wanted = DEFAULT_NODULES[number]
    spec = PhantomSpec(
        shape_kji=(20, 60, 60),
        spacing_kji_mm=(2.0, 0.7, 0.7),
        rotation_deg=rotation,
        centre_lps_mm=wanted.centre_lps_mm,
    )
    drawn = draw(wanted, np.random.default_rng(number), spec.affine, spec.shape_kji)
    assert drawn is not None
    volume = drawn.mask.count * geometry.voxel_volume_mm3(spec.affine)
    assert volume == pytest.approx(np.pi * wanted.diameter_mm**3 / 6, rel=0.08)
    covered = drawn.coverage.sum() * geometry.voxel_volume_mm3(spec.affine)
    assert covered >= 0.97 * volume, "spicules add, they take nothing away"


def test_a_nodule_outside_the_grid_is_left_out():
    far = NoduleSpec((0.0, 0.0, 900.0), 10.0, "left")
    spec = PhantomSpec.small(nodules=(far,))
    assert draw(far, np.random.default_rng(0), spec.affine, spec.shape_kji) is None


def test_a_turned_grid_sees_the_same_patient(small):
    """The median of tissue around a point does not depend on how the grid lies."""
    turned = make_phantom(PhantomSpec.small(rotation_deg=(12.0, -9.0, 20.0)))
    points = np.array([[0, 62, -60], [-70, 20, 0], [70, 20, 0], [-60, -10, -150], [25, -25, -80]])
    # Middles of: spine, right lung, left lung, liver, heart.
    for point in points:
        seen = []
        for phantom in (small, turned):
            k, j, i = np.rint(geometry.lps_mm_to_kji(phantom.volume.affine, point)).astype(int)
            block = phantom.volume.voxels[k : k + 1, j - 2 : j + 3, i - 2 : i + 3]
            seen.append(float(np.median(block)))
        assert seen[0] == pytest.approx(seen[1], abs=90), point


def test_progress_ends_at_the_number_of_slices():
    told = []
    make_phantom(
        PhantomSpec.small(shape_kji=(5, 64, 64)), lambda done, total: told.append((done, total))
    )
    assert [step for step in told if step[0]] == [(n, 5) for n in range(1, 6)]
