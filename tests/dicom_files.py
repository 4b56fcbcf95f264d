"""Writes small DICOM series for tests; every value can be overridden or, with None, left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

CANARY = "Canary^Patient"


def write_slice(
    path: Path,
    pixels: npt.NDArray[Any],
    *,
    position: Sequence[float] | None = (0.0, 0.0, 0.0),
    orientation: Sequence[float] | None = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    spacing: Sequence[float] | None = (1.0, 1.0),
    series_uid: str = "1.2.826.0.1.3680043.8.498.1",
    syntax: str = ExplicitVRLittleEndian,
    modality: str = "CT",
    number: int = 1,
    **tags: Any,
) -> Path:
    """Write one greyscale image; ``tags`` are further keywords, None leaves one out."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    data.SOPInstanceUID = generate_uid()
    data.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.2"
    data.SeriesInstanceUID = series_uid
    data.FrameOfReferenceUID = "1.2.826.0.1.3680043.8.498.3"
    data.Modality = modality
    data.PatientName, data.PatientID = CANARY, "CANARY-ID"
    data.PatientBirthDate, data.StudyDate = "19010203", "20010203"
    data.SeriesNumber, data.InstanceNumber = 1, number
    if position is not None:
        data.ImagePositionPatient = [f"{value:.10g}" for value in position]
    if orientation is not None:
        data.ImageOrientationPatient = [f"{value:.10g}" for value in orientation]
    if spacing is not None:
        data.PixelSpacing = [f"{value:.10g}" for value in spacing]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        data.NumberOfFrames = pixels.shape[0]
    bits = pixels.dtype.itemsize * 8
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    if modality == "CT":
        data.RescaleSlope, data.RescaleIntercept = 1, -1024
    data.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    if bits == 8:
        data["PixelData"].VR = "OB"
        if len(data.PixelData) % 2:
            data.PixelData += b"\0"
    for keyword, value in tags.items():
        if value is None:
            del data[keyword]
        else:
            setattr(data, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def write_stack(
    folder: Path,
    voxels: npt.NDArray[Any],
    *,
    affine: npt.NDArray[np.float64] | None = None,
    **options: Any,
) -> list[Path]:
    """Write (k, j, i) stored values, one file a slice; ``affine`` maps (k, j, i, 1) → LPS mm.

    The files are named so that their order is not that of the slices.
    """
    affine = np.eye(4)[:, [2, 1, 0, 3]] if affine is None else affine
    row, column = affine[:3, 2], affine[:3, 1]
    spacing = float(np.linalg.norm(column)), float(np.linalg.norm(row))
    orientation = [*(row / spacing[1]), *(column / spacing[0])]
    count = len(voxels)
    written = []
    for k in range(count):
        options.setdefault("series_uid", "1.2.826.0.1.3680043.8.498.1")
        written.append(
            write_slice(
                folder / f"{(k * 7 + 3) % 1009:04d}-{k}.dcm",
                voxels[k],
                position=affine[:3, 3] + k * affine[:3, 0],
                orientation=orientation,
                spacing=spacing,
                **{"number": k + 1, **options},
            )
        )
    return written


def stored(k: int = 4, j: int = 6, i: int = 5, dtype: type = np.int16) -> npt.NDArray[Any]:
    """Return (k, j, i) distinct stored values."""
    return np.arange(k * j * i, dtype=dtype).reshape(k, j, i)
