"""Sides by the program, by SimpleITK and by nibabel, of a patient imaged in every direction."""

import itertools

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from inference.findings import Mask
from inference.geometry import kji_to_lps_mm, lps_mm_to_kji
from tests.orientation_cases import (
    CENTRE_LPS_MM,
    LEFT_LUNG,
    MARK,
    MARKS,
    RIGHT_LUNG,
    SPACING_KJI_MM,
    along_axes,
    lying,
    oblique,
    write,
)
from viewer.annotate.place import place
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.display.planes import make_planes
from viewer.study.order import order
from viewer.study.read import read
from viewer.study.scan import scan

CASES = [*along_axes(), *lying(), *oblique()]
HALF_VOXEL_MM = float(np.linalg.norm(SPACING_KJI_MM)) / 2
# nibabel counts to right, anterior and head: names of the negative and the positive end.
RAS_CODES = (("L", "R"), ("P", "A"), ("F", "H"))
LPS_CODES = (("R", "L"), ("A", "P"), ("F", "H"))


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def study(request, tmp_path_factory):
    """A study of the marked patient, as the program, SimpleITK and nibabel read it."""
    folder = write(tmp_path_factory.mktemp("sides") / "dicom", request.param)
    (series,) = scan([folder]).series
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    written = folder.parent / "simpleitk.nii"
    sitk.WriteImage(image, str(written))
    return read(order(series)), image, nib.load(written)


def _centres(values):
    labels, count = ndimage.label(values == MARK - 1024)
    assert count == len(MARKS)
    return ndimage.center_of_mass(labels, labels, range(1, count + 1))


def _nearest(points, name):
    """The mark that lies at a known place, among the centres of what is bright."""
    away = [np.linalg.norm(point - CENTRE_LPS_MM - MARKS[name]) for point in points]
    return min(away)


def test_marks_lie_where_they_lie_by_three_readers(study):
    volume, image, nifti = study
    values = sitk.GetArrayFromImage(image)
    of_nifti = np.asarray(nifti.dataobj)
    to_lps = np.diag([-1.0, -1.0, 1.0])
    found = {
        "program": [kji_to_lps_mm(volume.affine, at) for at in _centres(volume.voxels)],
        "SimpleITK": [
            np.array(image.TransformContinuousIndexToPhysicalPoint([float(v) for v in at[::-1]]))
            for at in _centres(values)
        ],
        "nibabel": [
            to_lps @ nib.affines.apply_affine(nifti.affine, at) for at in _centres(of_nifti)
        ],
    }
    for points in found.values():
        for name in MARKS:
            assert _nearest(points, name) < HALF_VOXEL_MM
        for point in points:
            assert min(np.linalg.norm(point - other) for other in found["SimpleITK"]) < 1e-3


def test_letters_are_those_of_nibabel(study):
    """The first letters of straight planes, from the affine of a file that SimpleITK wrote."""
    volume, image, nifti = study
    # Its k may run against the program's; i and j are those of the files.
    codes = dict(zip("ijk", nib.aff2axcodes(nifti.affine, RAS_CODES), strict=True))
    opposite = dict(zip("RLAPHF", "LRPAFH", strict=True))
    if _runs_against(image, volume):
        codes["k"] = opposite[codes["k"]]
    for plane in make_planes(volume.shape_kji, volume.affine).values():
        letters = plane.letters()
        across, down = codes["kji"[plane.across]], codes["kji"[plane.down]]
        right = opposite[across] if plane.flip_across else across
        bottom = opposite[down] if plane.flip_down else down
        # nibabel gives each patient axis to one index axis; two that lie between axes may well
        # both lie nearest to the same one.
        if abs(plane.across_lps).max() > 0.75:
            assert (letters.right[0], letters.left[0]) == (right, opposite[right])
        if abs(plane.down_lps).max() > 0.75:
            assert (letters.bottom[0], letters.top[0]) == (bottom, opposite[bottom])


def _runs_against(image, volume):
    """Whether SimpleITK counts the slices the other way round."""
    first = np.array(image.TransformIndexToPhysicalPoint((0, 0, 0)))
    return np.linalg.norm(first - kji_to_lps_mm(volume.affine, (0, 0, 0))) > 1


def _check(letters, direction):
    """Hold letters against a direction in LPS by plain arithmetic."""
    share = np.abs(direction) / np.linalg.norm(direction)
    limit = np.sin(np.radians(15))
    names = [LPS_CODES[axis][int(part > 0)] for axis, part in enumerate(direction)]
    for name, part in zip(names, share, strict=True):
        if abs(part - limit) > 1e-6:
            assert (name in letters) == (part > limit)
    assert len(set(letters)) == len(letters) <= 3
    order = [share[names.index(letter)] for letter in letters]
    assert all(a > b - 1e-6 for a, b in itertools.pairwise(order)), "strongest first"


@pytest.mark.parametrize("turn", [None, 3, 4])
def test_an_edge_names_the_way_that_a_step_towards_it_goes(study, turn):
    """Straight and turned: one step across the screen is a step of the patient that SimpleITK
    gives the same coordinates."""
    volume, image, _ = study
    flipped = _runs_against(image, volume)
    last_k = volume.shape_kji[0] - 1

    def physical(kji):
        k, j, i = (float(v) for v in kji)
        at = (i, j, last_k - k if flipped else k)
        return np.array(image.TransformContinuousIndexToPhysicalPoint(at))

    rng = np.random.default_rng(turn)
    axis, angle = rng.normal(size=3), rng.uniform(0.2, 2.8)
    for plane in make_planes(volume.shape_kji, volume.affine).values():
        shown = plane
        if turn is not None:
            shown = cut_plane(plane, turned(frame_of(plane), axis, angle), CENTRE_LPS_MM)
        index = shown.index_of_lps(CENTRE_LPS_MM)
        x, y = shown.view_of_lps(CENTRE_LPS_MM)
        start = physical(shown.kji_at(x, y, index))
        steps = {"left": (-9, 0), "right": (9, 0), "top": (0, -9), "bottom": (0, 9)}
        for edge, (dx, dy) in steps.items():
            there = physical(shown.kji_at(x + dx, y + dy, index))
            assert np.linalg.norm(there - start) == pytest.approx(9, abs=1e-6), "millimetres"
            _check(getattr(shown.letters(), edge), there - start)
        letters = shown.letters()
        if turn is None:
            assert shown.radiological
            # Radiological: the patient's right, or the front, is at the left of the screen.
            assert "A" in letters.left if plane.name == "sagittal" else "R" in letters.left


def test_side_words_are_those_of_the_patient(study):
    volume, _, _ = study
    whole = (0, 0, 0)
    lungs = {
        "right": Mask(whole, volume.voxels == RIGHT_LUNG - 1024),
        "left": Mask(whole, volume.voxels == LEFT_LUNG - 1024),
    }
    for mask in lungs.values():
        assert mask.voxels.sum() > 100
    for x, side in ((-9.0, "right"), (9.0, "left")):
        for z, level in ((9.0, "upper"), (0.0, "middle"), (-9.0, "lower")):
            at = CENTRE_LPS_MM + np.array([x, 0.0, z])
            found = place(tuple(float(v) for v in at), lungs, volume.affine)
            assert (found.side, found.level) == (side, level)
            kji = np.rint(lps_mm_to_kji(volume.affine, at)).astype(int)
            expected = RIGHT_LUNG if side == "right" else LEFT_LUNG
            assert volume.voxels[tuple(kji)] == expected - 1024, "the words say where the voxel is"
