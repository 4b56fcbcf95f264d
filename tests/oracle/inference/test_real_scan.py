"""The bundled model on a real scan that it never saw, read by SimpleITK, judged by four readers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from inference import registry
from inference.client import ModelProcess
from inference.volume import Volume


def _read(folder: Path) -> Volume:
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = sitk.ReadImage(names, sitk.sitkInt16)
    affine = np.eye(4)
    steps = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, :3] = steps[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return Volume(sitk.GetArrayFromImage(image), affine, "CT", "HU")


def test_the_mass_that_four_readers_outlined_is_among_the_first(
    shared_data: Path, lidc_study: Path
):
    path = shared_data / "studies" / "LIDC-IDRI-0001.truth.json"
    readers = json.loads(path.read_text(encoding="utf-8"))["nodules"][0]["annotations"]
    centres = np.array([one["centre_lps_mm"] for one in readers])
    extents = np.array([one["extent_mm"] for one in readers])
    low, high = (centres - extents / 2).min(axis=0), (centres + extents / 2).max(axis=0)
    pack = registry.find("lung-nodule-ct")
    with ModelProcess() as process:
        findings = process.analyze(_read(lidc_study), pack, "cpu")
    found = [
        one
        for one in findings.detections[:3]
        if ((one.centre_lps_mm >= low) & (one.centre_lps_mm <= high)).all()
    ]
    assert len(found) == 1 and found[0].score >= pack.threshold
    assert 20 < found[0].diameter_mm < 45
    litres = {one.label: one.volume_ml / 1000 for one in findings.segments}
    assert 1.5 < litres["lung_left"] < litres["lung_right"] < 2.5
    # The mass lies in the left lung and belongs to it.
    shape = (133, 512, 512)
    left = next(one for one in findings.segments if one.label == "lung_left")
    mass = found[0].mask.to_array(shape)
    assert (mass & left.mask.to_array(shape)).sum() > 0.9 * mass.sum()
