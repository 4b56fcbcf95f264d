"""Lungs that are hard to see, drawn into the phantom, whose lungs are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from inference.geometry import kji_to_lps_mm
from inference.runtime.lungs import Lungs, find_lungs
from viewer.phantom.anatomy import PhantomSpec, make_phantom

RIGHT, LEFT = 1, 2


@dataclass
class Patient:
    """Voxels, affine, truth (1 right, 2 left) and (k, j, i, 3) LPS mm of each voxel."""

    voxels: npt.NDArray[np.int16]
    affine: npt.NDArray[np.float64]
    truth: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float64]

    def filled(self, where: npt.NDArray[np.bool_], hu: float):
        """Return the voxels with some replaced by tissue."""
        out = self.voxels.copy()
        noise = np.random.default_rng(5).normal(0, 12, int(where.sum()))
        out[where] = np.round(hu + noise)
        return out

    def ball(self, centre_lps_mm, radius_mm: float) -> npt.NDArray[np.bool_]:
        return np.linalg.norm(self.points - centre_lps_mm, axis=-1) < radius_mm

    def ml(self, mask: npt.NDArray[np.bool_]) -> float:
        return float(mask.sum() * abs(np.linalg.det(self.affine[:3, :3])) / 1000)

    def check(self, lungs: Lungs, truth: npt.NDArray[np.uint8], tolerance: float = 0.03) -> None:
        """Compare both volumes with the truth and see that no lung is on the wrong side."""
        for side, label in ((lungs.right, RIGHT), (lungs.left, LEFT)):
            wanted = self.ml(truth == label)
            assert self.ml(side) == pytest.approx(wanted, rel=tolerance, abs=5)
            assert not side.any() or (truth[side] == 3 - label).mean() < 0.01
        assert not (lungs.right & lungs.left).any()
        assert not ((lungs.right | lungs.left) & ~lungs.search).any()


@pytest.fixture(scope="module")
def patient() -> Patient:
    spec = PhantomSpec(
        shape_kji=(66, 128, 128), spacing_kji_mm=(5.0, 2.8, 2.8), twigs=120, nodules=()
    )
    phantom = make_phantom(spec)
    affine = np.array(phantom.volume.affine)
    points = kji_to_lps_mm(affine, np.moveaxis(np.indices(spec.shape_kji), 0, -1))
    return Patient(np.array(phantom.volume.voxels), affine, phantom.lungs, points)


def test_healthy_lungs_are_as_large_as_they_are(patient: Patient):
    lungs = find_lungs(patient.voxels, patient.affine)
    patient.check(lungs, patient.truth)
    both = patient.ml(patient.truth > 0)
    assert patient.ml(lungs.search) < 1.3 * both


@pytest.mark.parametrize(
    ("centre", "radius", "side", "left_out"),
    [
        ((-125, 10, -30), 30, RIGHT, 0.1),
        ((118, -20, 0), 45, LEFT, 0.3),
        ((-60, 70, -60), 35, RIGHT, 0.1),
        ((45, 10, 20), 30, LEFT, 0.3),
        ((-80, 0, -20), 30, RIGHT, 0.0),
    ],
    ids=["wall", "large-wall", "back", "mediastinum", "inside"],
)
def test_a_mass_belongs_to_its_lung_and_to_the_search(
    patient: Patient, centre, radius, side, left_out
):
    mass = patient.ball(centre, radius) & (patient.truth == side)
    lungs = find_lungs(patient.filled(mass, 40), patient.affine)
    patient.check(lungs, patient.truth, 0.05)
    assert (mass & ~lungs.search).sum() <= left_out * mass.sum()


@pytest.mark.parametrize("side", [RIGHT, LEFT])
def test_a_consolidated_lower_lobe_with_air_in_its_bronchi_is_lung(patient: Patient, side):
    x, y, z = np.moveaxis(patient.points, -1, 0)
    lobe = (patient.truth == side) & (z + 40 < (y - 20) * 0.8)
    voxels = patient.filled(lobe, 35)
    voxels[lobe & (x % 30 < 3) & (y % 30 < 3)] = -700
    lungs = find_lungs(voxels, patient.affine)
    own, other = (lungs.right, lungs.left) if side == RIGHT else (lungs.left, lungs.right)
    assert own[lobe].mean() > 0.2
    assert own[patient.truth == 0].sum() < 0.08 * (patient.truth == side).sum()
    assert other[patient.truth == 3 - side].mean() > 0.97
    assert not other[lobe].any()


@pytest.mark.parametrize("side", [RIGHT, LEFT])
def test_an_effusion_is_no_lung_and_hides_none(patient: Patient, side):
    fluid = (patient.truth == side) & (patient.points[..., 1] > 45)
    lungs = find_lungs(patient.filled(fluid, 8), patient.affine)
    patient.check(lungs, np.where(fluid, 0, patient.truth), 0.04)


def test_emphysema_is_lung_and_no_gas(patient: Patient):
    voxels = patient.voxels.copy()
    voxels[(patient.truth > 0) & (voxels < -700)] -= 90
    patient.check(find_lungs(voxels, patient.affine), patient.truth)


@pytest.mark.parametrize("side", [RIGHT, LEFT])
def test_after_a_pneumonectomy_there_is_one_lung(patient: Patient, side):
    gone = patient.truth == side
    lungs = find_lungs(patient.filled(gone, 10), patient.affine)
    patient.check(lungs, np.where(gone, 0, patient.truth))


def test_one_lung_that_bulges_over_the_midline_stays_one(patient: Patient):
    x, y, z = np.moveaxis(patient.points, -1, 0)
    voxels = patient.filled(patient.truth == RIGHT, 10)
    bulge = (x > -60) & (x < 30) & (y > -70) & (y < -20) & (z > -40) & (z < 60)
    voxels[bulge] = -860
    lungs = find_lungs(voxels, patient.affine)
    assert not lungs.right.any()
    assert lungs.left[bulge].mean() > 0.9


def test_lungs_that_touch_in_front_are_cut_there(patient: Patient):
    x, y, z = np.moveaxis(patient.points, -1, 0)
    bridge = (abs(x) < 40) & (y < -60) & (y > -72) & (z > -10) & (z < 60) & (patient.truth == 0)
    voxels = patient.filled(bridge, -850)
    truth = np.where(bridge, np.where(x < 0, RIGHT, LEFT), patient.truth)
    patient.check(find_lungs(voxels, patient.affine), truth)


def test_the_dome_of_the_diaphragm_is_no_lung_where_lung_surrounds_it(patient: Patient):
    # The scan ends above the recesses: the dome is an island in its last slices.
    foot = int(np.argmax(patient.points[:, 0, 0, 2] > -115))
    lungs = find_lungs(patient.voxels[foot:], patient.affine)
    patient.check(lungs, patient.truth[foot:], 0.02)


def test_main_bronchi_belong_to_no_lung(patient: Patient):
    x, _, z = np.moveaxis(patient.points, -1, 0)
    near = (abs(x) < 30) & (z < 60) & (z > -25) & (patient.truth == 0)
    lumen = near & (patient.voxels < -800)
    assert lumen.sum() > 100
    lungs = find_lungs(patient.voxels, patient.affine)
    assert (lungs.right | lungs.left)[lumen].mean() < 0.1


@pytest.mark.parametrize("times", [(1, 1, 1), (8, 1, 1), (1, 6, 6)])
def test_thin_slices_and_large_matrices_change_no_volume(patient: Patient, times):
    part = slice(20, 40)
    voxels, truth = patient.voxels[part], patient.truth[part]
    affine = patient.affine.copy()
    for axis, n in enumerate(times):
        voxels, truth = np.repeat(voxels, n, axis), np.repeat(truth, n, axis)
        affine[:3, axis] /= n
    lungs = find_lungs(voxels, affine)
    for side, label in ((lungs.right, RIGHT), (lungs.left, LEFT)):
        assert side.sum() == pytest.approx((truth == label).sum(), rel=0.04)


def test_a_field_of_view_that_cuts_a_lung_keeps_its_rest(patient: Patient):
    x = patient.points[0, 0, :, 0]
    part = np.flatnonzero(x > -90)
    affine = patient.affine.copy()
    affine[:3, 3] += affine[:3, 2] * part[0]
    voxels, truth = patient.voxels[..., part], patient.truth[..., part]
    voxels = np.ascontiguousarray(voxels)
    lungs = find_lungs(voxels, affine)
    for side, label in ((lungs.right, RIGHT), (lungs.left, LEFT)):
        assert side[truth == label].mean() > 0.85


def test_prone_and_feet_first_change_nothing(patient: Patient):
    # The same patient on another couch: both in-plane axes and the slices run the other way.
    affine = patient.affine.copy()
    size = np.array(patient.voxels.shape) - 1
    affine[:3, 3] += affine[:3, :3] @ size
    affine[:3, :3] *= -1
    voxels = np.ascontiguousarray(patient.voxels[::-1, ::-1, ::-1])
    patient.check(find_lungs(voxels, affine), patient.truth[::-1, ::-1, ::-1])


def test_an_abdomen_with_gas_in_its_bowel_has_no_lungs(patient: Patient):
    below = np.flatnonzero((patient.truth == 0).all(axis=(1, 2)) & (patient.points[:, 0, 0, 2] < 0))
    slab = patient.voxels[below]
    assert len(slab)
    voxels = np.concatenate([slab] * (30 // len(slab) + 1))
    points = kji_to_lps_mm(patient.affine, np.moveaxis(np.indices(voxels.shape), 0, -1))
    x, y = points[..., 0], points[..., 1]
    voxels[(abs(x - 60) < 30) & (abs(y + 20) < 25)] = -1000
    # Bubbles between stool.
    rng = np.random.default_rng(2)
    stool = (abs(x + 70) < 25) & (abs(y) < 25)
    voxels[stool] = rng.choice([-1000, 40], int(stool.sum()), p=[0.3, 0.7])
    assert not find_lungs(voxels, patient.affine).found


@pytest.mark.parametrize("kind", ["low", "wide", "uniform", "checkered"])
def test_noise_has_no_lungs(kind: str):
    rng = np.random.default_rng(4)
    shape = (40, 96, 96)
    values = {
        "low": rng.normal(-850, 150, shape),
        "wide": rng.normal(-320, 700, shape),
        "uniform": rng.uniform(-1024, 3071, shape),
        "checkered": np.where(np.indices(shape).sum(axis=0) % 2, 3071, -1024),
    }[kind]
    affine = np.diag([2.5, 1.0, 1.0, 1.0])[:, [2, 1, 0, 3]]
    assert not find_lungs(np.clip(values, -1024, 3071).astype(np.int16), affine).found
