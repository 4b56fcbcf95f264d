"""Writing a phantom as a DICOM series: CT Image Storage, uncompressed, explicit little endian."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from viewer.phantom.anatomy import Phantom

Progress = Callable[[int, int], None]
Order = Literal["ascending", "descending", "shuffled"]

PATIENT_NAME = "Synthetic^Chest phantom"
PATIENT_ID = "OVERREAD-PHANTOM"

_NAMESPACE = uuid.UUID("6d1f6f0e-5a4b-4c58-9a3e-0c0f7e1b2a90")


def uid(phantom: Phantom, *what: str) -> str:
    """Return a UID (2.25 root, PS3.5 B.2) that depends on the phantom's spec and ``what``."""
    return _uid(repr(phantom.spec), *what)


def _uid(*names: str) -> str:
    # pydicom's generate_uid ignores its entropy under the 2.25 root and needs a root of ours
    # elsewhere; a name-based UUID (RFC 9562, version 5) needs none.
    return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(names)).int}"


def write_series(
    phantom: Phantom,
    folder: Path,
    *,
    order: Order = "ascending",
    description: str = "Synthetic chest phantom",
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write one file a slice.

    Parameters
    ----------
    phantom
        What to write; its grid may be oblique.
    folder
        Made when it is missing.
    order
        How Instance Number and file names run against the slices of the volume: with them,
        against them, or file names without any order (and without a suffix).
    description
        Series Description (0008,103E).
    progress
        Called with (files done, files).

    Returns
    -------
    tuple of Path
        Ascending along the volume's slice axis. The same phantom gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = phantom.volume.shape_kji[0]
    shuffled = np.random.default_rng((phantom.spec.seed, 9)).permutation(count)
    paths = []
    for k in range(count):
        number = count - k if order == "descending" else k + 1
        name = (
            f"{int(shuffled[k]) * 7919 % 99991:05d}" if order == "shuffled" else f"{number:04d}.dcm"
        )
        paths.append(folder / name)

    def one(k: int) -> None:
        number = count - k if order == "descending" else k + 1
        dataset = _dataset(phantom, k, number, description)
        dataset.save_as(paths[k], enforce_file_format=True)

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            for done, _ in enumerate(pool.map(one, range(count)), start=1):
                if progress is not None:
                    progress(done, count)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(paths)


def _dataset(phantom: Phantom, k: int, number: int, description: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(uid(phantom, "instance", str(k)))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # Our own, so that the files are the same whatever version of pydicom writes them.
    meta.ImplementationClassUID = UID(_uid("implementation"))
    meta.ImplementationVersionName = "OVERREAD_PHANTOM"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    _patient_and_study(ds, phantom)
    _series(ds, phantom, description)
    _image(ds, phantom, k, number)
    return ds


def _patient_and_study(ds: Dataset, phantom: Phantom) -> None:
    ds.PatientName = PATIENT_NAME
    ds.PatientID = PATIENT_ID
    ds.PatientBirthDate = ""
    ds.PatientSex = "O"
    ds.PatientAge = "000D"
    ds.StudyInstanceUID = uid(phantom, "study")
    ds.StudyID = "1"
    ds.StudyDate = "20000101"
    ds.StudyTime = "000000"
    ds.StudyDescription = "Synthetic, no patient"
    ds.AccessionNumber = ""
    ds.ReferringPhysicianName = ""


def _series(ds: Dataset, phantom: Phantom, description: str) -> None:
    ds.Modality = "CT"
    ds.SeriesInstanceUID = uid(phantom, "series")
    ds.SeriesNumber = 1
    ds.SeriesDescription = description
    ds.SeriesDate = ds.ContentDate = ds.AcquisitionDate = "20000101"
    ds.SeriesTime = ds.ContentTime = ds.AcquisitionTime = "000000"
    ds.BodyPartExamined = "CHEST"
    ds.PatientPosition = "HFS"
    ds.Manufacturer = "Overread"
    ds.ManufacturerModelName = "Chest phantom"
    ds.SoftwareVersions = "1"
    ds.DeviceSerialNumber = "0"
    ds.FrameOfReferenceUID = uid(phantom, "frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.KVP = "120"
    ds.RotationDirection = "CW"
    ds.ExposureTime = "500"
    ds.XRayTubeCurrent = "200"
    ds.ConvolutionKernel = "SYNTHETIC"


def _image(ds: Dataset, phantom: Phantom, k: int, number: int) -> None:
    affine = phantom.volume.affine
    spacing = phantom.volume.spacing_kji_mm
    row, column = affine[:3, 2] / spacing[2], affine[:3, 1] / spacing[1]
    position = affine[:3, :3] @ np.array([k, 0, 0]) + affine[:3, 3]
    ds.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    ds.DerivationDescription = "Computed from geometric shapes; no scanner and no patient"
    ds.ImageComments = "Synthetic, no patient"
    ds.BurnedInAnnotation = "NO"
    ds.AcquisitionNumber = 1
    ds.InstanceNumber = number
    ds.ImagePositionPatient = [_ds(v) for v in position]
    ds.ImageOrientationPatient = [_ds(v) for v in (*row, *column)]
    ds.PixelSpacing = [_ds(spacing[1]), _ds(spacing[2])]
    ds.SliceThickness = _ds(spacing[0])
    ds.SpacingBetweenSlices = _ds(spacing[0])
    ds.SliceLocation = _ds(float(position @ affine[:3, 0]) / spacing[0])
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    _, ds.Rows, ds.Columns = phantom.volume.shape_kji
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = 1
    ds.RescaleIntercept = "0"
    ds.RescaleSlope = "1"
    ds.RescaleType = "HU"
    ds.WindowCenter = ["-500", "40"]
    ds.WindowWidth = ["1500", "400"]
    ds.WindowCenterWidthExplanation = ["LUNG", "SOFT TISSUE"]
    ds.PixelData = phantom.volume.voxels[k].astype("<i2").tobytes()
    ds["PixelData"].VR = "OW"


def _ds(value: float) -> str:
    """Return a Decimal String of at most 16 characters (PS3.5 6.2), as exact as that allows."""
    for digits in range(12, 0, -1):
        text = f"{value:.{digits}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if text == "-0":
            return "0"
        if len(text) <= 16:
            return text
    return f"{value:.0f}"
