"""A patient who must not be found again, in files of several kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage, UltrasoundMultiFrameImageStorage

from tests.dicom_files import write_slice

NAME, PATIENT_ID, BIRTH_DATE = "Quxworthy^Zebedee^Ottokar", "ZQX-77310-B", "19310917"
UID_ROOT = "1.2.752.99.7731.40"
FORBIDDEN = (
    "Quxworthy", "Zebedee", "Ottokar", PATIENT_ID, BIRTH_DATE, "Brannigham", "Hollowmere",
    "ACC-5519-Q", UID_ROOT,
)  # fmt: skip


def private(dataset: Dataset) -> None:
    block = dataset.private_block(0x0029, "HOLLOWMERE SYSTEMS", create=True)
    block.add_new(0x10, "LO", "seen by Brannigham")


def write(path: Path, number: int = 1, *, sc: bool = False, **tags: object) -> Path:
    """Write a slice of that patient; ``sc`` a secondary capture."""
    item = Dataset()
    item.PatientName, item.ReferencedSOPInstanceUID = NAME, f"{UID_ROOT}.9.1"
    private(item)
    pixels = np.full((16, 20), 100, np.int16)
    pixels[2:6, 3:9] = 900
    given = {
        "SOPInstanceUID": f"{UID_ROOT}.3.{number}",
        "StudyInstanceUID": f"{UID_ROOT}.1",
        "FrameOfReferenceUID": f"{UID_ROOT}.5",
        "PatientName": NAME,
        "PatientID": PATIENT_ID,
        "PatientBirthDate": BIRTH_DATE,
        "PatientAge": "094Y",
        "PatientSex": "M",
        "StudyDate": "20190405",
        "SeriesDate": "20190405",
        "AcquisitionDateTime": "20190405101112.5+0100",
        "AcquisitionTime": "101112",
        "AccessionNumber": "ACC-5519-Q",
        "InstitutionName": "Hollowmere General",
        "ReferringPhysicianName": "Brannigham^Ada",
        "StudyDescription": "CT Chest w contrast for Quxworthy",
        "SeriesDescription": "Lung 1.25mm axial",
        "Manufacturer": "SIEMENS",
        "DeviceSerialNumber": "SN-4471",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "ImageComments": "Zebedee moved",
        "ConvolutionKernel": "B30f",
        "ReferencedImageSequence": [item],
        "OverlayDescription": None,
        **tags,
    }
    if sc:
        given |= {"SOPClassUID": SecondaryCaptureImageStorage, "Modality": "OT"}
    given = {key: value for key, value in given.items() if value is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_slice(path, pixels, series_uid=f"{UID_ROOT}.2", number=number, **given)
    return _with_more(path)


def _with_more(path: Path) -> Path:
    """Add what cannot be set by a keyword."""
    dataset = pydicom.dcmread(path)
    private(dataset)
    dataset.add_new(0x60000010, "US", 16)
    dataset.add_new(0x60000022, "LO", "drawn for Quxworthy")
    dataset.file_meta.SourceApplicationEntityTitle = "HOLLOWMERE"
    dataset.preamble = b"Quxworthy".ljust(128, b"\0")
    dataset.save_as(path)
    return path


def hits(folder: Path, words: tuple[str, ...] = FORBIDDEN) -> list[str]:
    """Return where words stand in names and bytes of all files below a folder."""
    found = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder)).lower()
        data = path.read_bytes().lower() if path.is_file() else b""
        for word in words:
            for form in (word, word.replace("^", " ")):
                if form.lower() in name or any(
                    form.lower().encode(code) in data for code in ("utf-8", "utf-16-le")
                ):
                    found.append(f"{word} in {path}")
    return found


def identified(folder: Path) -> None:
    """Give the phantom on the disk a patient who must not be found, and UIDs of his own."""
    for number, path in enumerate(sorted(one for one in folder.rglob("*") if one.is_file())):
        dataset = pydicom.dcmread(path)
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = (
            NAME,
            PATIENT_ID,
            BIRTH_DATE,
        )
        dataset.InstitutionName, dataset.AccessionNumber = "Hollowmere General", "ACC-5519-Q"
        dataset.ReferringPhysicianName = "Brannigham^Ada"
        dataset.StudyDescription = "Chest for Quxworthy"
        dataset.StudyDate = dataset.SeriesDate = "20190405"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{UID_ROOT}.1", f"{UID_ROOT}.2"
        dataset.FrameOfReferenceUID = f"{UID_ROOT}.5"
        dataset.SOPInstanceUID = f"{UID_ROOT}.3.{number + 1}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        private(dataset)
        dataset.save_as(path)


def burned_in(folder: Path) -> Path:
    """Write an ultrasound cine of 3 frames with a name in the pixels: rows 2-5, columns 3-8.

    Its letters are 250, all else is at most 90.
    """
    frames = np.full((3, 16, 20, 3), 30, np.uint8)
    frames[:, 10:, 4:16] = 90
    frames[:, 2:6, 3:9] = 250
    path = write(folder / "us.dcm", 7, Modality="US", ImageType=None)
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = (
        UltrasoundMultiFrameImageStorage
    )
    dataset.SeriesInstanceUID = f"{UID_ROOT}.8"
    dataset.NumberOfFrames, dataset.SamplesPerPixel = 3, 3
    dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation, dataset.PixelData = 0, frames.tobytes()
    dataset.save_as(path)
    return path
