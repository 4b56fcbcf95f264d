"""The phantom's DICOM files, read by others: SimpleITK, dciodvfy."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

import numpy as np
import pytest

from viewer.phantom.anatomy import PhantomSpec, make_phantom
from viewer.phantom.dicom import write_series

sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra 'test')")

ROTATIONS = [(0.0, 0.0, 0.0), (14.0, -8.0, 21.0), (90.0, 0.0, 0.0), (0.0, 90.0, 90.0)]


@cache
def _phantom(rotation=(0.0, 0.0, 0.0)):
    return make_phantom(
        PhantomSpec.small(
            shape_kji=(10, 48, 56), spacing_kji_mm=(21.3, 6.1, 5.7), rotation_deg=rotation
        )
    )


@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled"])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_simpleitk_reads_the_same_voxels_at_the_same_places(tmp_path, rotation, order):
    phantom = _phantom(rotation)
    paths = write_series(phantom, tmp_path, order=order)
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))
    assert len(names) == len(set(paths)) == 10
    image = sitk.ReadImage(names)
    array = sitk.GetArrayFromImage(image)
    rng = np.random.default_rng(1)
    for _ in range(40):
        k, j, i = (int(rng.integers(n)) for n in phantom.volume.shape_kji)
        point = phantom.volume.affine @ [k, j, i, 1]
        index = image.TransformPhysicalPointToContinuousIndex(point[:3].tolist())
        nearest = np.rint(index).astype(int)
        assert np.abs(index - nearest).max() < 1e-6
        assert array[tuple(nearest[::-1])] == phantom.volume.voxels[k, j, i]


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is absent")
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_dciodvfy_finds_no_error(tmp_path, rotation):
    path = write_series(_phantom(rotation), tmp_path)[3]
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    assert [line for line in lines if line.startswith("Error")] == []
    assert "CTImage" in lines
    assert done.returncode == 0
