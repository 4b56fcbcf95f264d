"""Writes the studies that the benches open: python tests/bench/make_study.py DIR SLICES.

Explicit VR little endian, 512 x 512 pixels of 16 bits, about 100 elements before the pixels, as
a scanner writes them. ``--jpeg2000`` compresses them without loss. Synthetic, no patient.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

_SIZE = 512
# Filled up with elements of the kinds that a CT scanner writes, private ones too.
_FILLING = (
    ("AcquisitionDate", "20000101"),
    ("ContentDate", "20000101"),
    ("AcquisitionTime", "101010.000000"),
    ("ContentTime", "101010.000000"),
    ("SeriesDate", "20000101"),
    ("SeriesTime", "101010.000000"),
    ("StudyDate", "20000101"),
    ("StudyTime", "101010.000000"),
    ("AccessionNumber", "SYNTHETIC"),
    ("Manufacturer", "Nobody"),
    ("InstitutionName", "Nowhere General"),
    ("InstitutionAddress", "1 Nowhere Road"),
    ("ReferringPhysicianName", "Nobody^No"),
    ("StationName", "CT1"),
    ("StudyDescription", "Synthetic chest"),
    ("SeriesDescription", "Synthetic 1.0 mm"),
    ("InstitutionalDepartmentName", "Radiology"),
    ("ManufacturerModelName", "Synthetic 64"),
    ("PatientBirthDate", "19000101"),
    ("PatientSex", "O"),
    ("PatientAge", "099Y"),
    ("PatientSize", "1.7"),
    ("PatientWeight", "70"),
    ("PatientComments", "Synthetic, no patient"),
    ("BodyPartExamined", "CHEST"),
    ("ScanOptions", "HELIX"),
    ("KVP", "120"),
    ("DataCollectionDiameter", "500"),
    ("DeviceSerialNumber", "0"),
    ("SoftwareVersions", "1.0"),
    ("ProtocolName", "1.1 Thorax routine"),
    ("ReconstructionDiameter", "360"),
    ("DistanceSourceToDetector", "1085.6"),
    ("DistanceSourceToPatient", "595"),
    ("GantryDetectorTilt", "0"),
    ("TableHeight", "140"),
    ("RotationDirection", "CW"),
    ("ExposureTime", "500"),
    ("XRayTubeCurrent", "200"),
    ("Exposure", "100"),
    ("FilterType", "BODY"),
    ("GeneratorPower", "24"),
    ("FocalSpots", "1.2"),
    ("DateOfLastCalibration", "20000101"),
    ("TimeOfLastCalibration", "080000.000000"),
    ("ConvolutionKernel", "SYNTHETIC"),
    ("PatientPosition", "HFS"),
    ("RevolutionTime", 0.5),
    ("SingleCollimationWidth", 0.6),
    ("TotalCollimationWidth", 38.4),
    ("TableSpeed", 76.8),
    ("TableFeedPerRotation", 38.4),
    ("SpiralPitchFactor", 1.0),
    ("ExposureModulationType", "NONE"),
    ("StudyID", "1"),
    ("PositionReferenceIndicator", ""),
    ("BurnedInAnnotation", "NO"),
    ("LossyImageCompression", "00"),
    ("PerformedProcedureStepStartDate", "20000101"),
    ("PerformedProcedureStepStartTime", "101010.000000"),
    ("PerformedProcedureStepID", "1"),
    ("PerformedProcedureStepDescription", "Chest"),
    ("RequestedProcedureDescription", "Chest"),
)


def write(folder: Path, count: int, *, jpeg2000: bool = False) -> None:
    """Write a series of ``count`` slices, in no order of names, into a new folder."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(count)
    numbers = generator.permutation(count)
    noise = generator.normal(0.0, 20.0, (8, _SIZE, _SIZE))
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(count):
        data = _header(study, series, frame, k)
        data.PixelData = _slice(k, count, noise[k % len(noise)]).astype("<i2").tobytes()
        data["PixelData"].VR = "OW"
        if jpeg2000:
            data.compress(JPEG2000Lossless, generate_instance_uid=False)
        data.save_as(folder / f"IM{numbers[k]:06d}", enforce_file_format=True)


def _slice(k: int, count: int, noise: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a body with two lungs, HU, that changes along the stack."""
    y, x = np.mgrid[-1 : 1 : _SIZE * 1j, -1 : 1 : _SIZE * 1j]
    along = k / max(1, count - 1)
    body = (x / 0.85) ** 2 + (y / 0.6) ** 2 < 1
    size = 0.2 + 0.15 * np.sin(np.pi * along)
    lungs = ((np.abs(x) - 0.4) / size) ** 2 + (y / (size * 1.4)) ** 2 < 1
    values = np.where(body, np.where(lungs, -850.0, 40.0), -1000.0)
    return np.clip(np.rint(values + noise + 30 * np.sin(9 * x + 6 * along)), -1024, 3071)


def _header(study: str, series: str, frame: str, k: int) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SpecificCharacterSet = "ISO_IR 100"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.FrameOfReferenceUID, data.Modality = frame, "CT"
    data.PatientName, data.PatientID = "Synthetic^Bench", "BENCH"
    for keyword, value in _FILLING:
        setattr(data, keyword, value)
    data.SeriesNumber, data.AcquisitionNumber, data.InstanceNumber = 2, 1, k + 1
    data.ImagePositionPatient = ["-180", "-180", f"{-400 + k * 0.7:.1f}"]
    data.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    data.SliceThickness, data.SliceLocation = "0.7", f"{-400 + k * 0.7:.1f}"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows = data.Columns = _SIZE
    data.PixelSpacing = ["0.703125", "0.703125"]
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.SmallestImagePixelValue, data.LargestImagePixelValue = -1024, 3071
    data.WindowCenter, data.WindowWidth = ["-500", "40"], ["1500", "400"]
    data.WindowCenterWidthExplanation = ["LUNG", "SOFT"]
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = "0", "1", "HU"
    data.add_new(Tag(0x0029, 0x0010), "LO", "OVERREAD BENCH")
    data.add_new(Tag(0x0029, 0x1010), "OB", bytes(8192))
    data.add_new(Tag(0x0029, 0x1020), "OB", bytes(4096))
    return data


def main() -> None:
    """Write one study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("slices", type=int)
    parser.add_argument("--jpeg2000", action="store_true")
    options = parser.parse_args()
    write(options.folder, options.slices, jpeg2000=options.jpeg2000)


if __name__ == "__main__":
    main()
