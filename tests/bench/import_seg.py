"""Reading 100 segments on 500 slices: Overread beside highdicom, in one process and apart.

``python -m tests.bench.import_seg [--segments 100] [--slices 500] [--labelmap] [--alone]``

A segmentation of ellipsoids on 512 x 512 slices is written by highdicom (a minute), and read:
by ``viewer.imports.seg`` in this process, by ``viewer.imports.apart`` in its own as the window
does, and by ``highdicom.seg.segread`` with one ``get_volume`` a segment, since all at once would
take segments x slices x rows x columns bytes. Every voxel is compared with what was written.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from viewer.imports import apart, seg
from viewer.imports.target import Target

_ROWS = 512


def main() -> None:
    """Measure once and print a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--labelmap", action="store_true")
    parser.add_argument("--alone", action="store_true", help="without highdicom")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seg.dcm"
        images = sources(options.slices)
        labels = ellipsoids(options.segments, options.slices)
        frames = write(path, images, labels, "LABELMAP" if options.labelmap else "BINARY")
        target = target_of(images, labels.shape)
        out: dict[str, Any] = {
            "segments": int(labels.max()),
            "frames": frames,
            "megabytes": round(path.stat().st_size / 1e6, 1),
            "load": os.getloadavg()[0],
        }
        held, out["here_s"], out["here_cpu_s"] = timed(lambda: seg.read(path, target))
        out["equal"] = all(
            np.array_equal(one.mask.to_array(labels.shape), labels == one.number)
            for one in held.outlines
        )
        assert len(held.outlines) == out["segments"], held.refusal
        _, out["apart_s"], _ = timed(lambda: apart.read([path], target))
        if not options.alone:
            _, out["highdicom_s"], out["highdicom_cpu_s"] = timed(lambda: by_highdicom(path))
        print(json.dumps(out))


def timed(act: Any) -> tuple[Any, float, float]:
    """Return a result, its seconds by the clock and of the processor."""
    clock, cpu = time.perf_counter(), time.process_time()
    found = act()
    return found, round(time.perf_counter() - clock, 2), round(time.process_time() - cpu, 2)


def by_highdicom(path: Path) -> int:
    """Read every segment with highdicom; return the voxels."""
    read = hd.seg.segread(path)
    count = 0
    for number in read.segment_numbers:
        found = read.get_volume(segment_numbers=[number], combine_segments=True, relabel=True)
        count += int(np.count_nonzero(found.array))
    return count


def sources(count: int) -> list[Dataset]:
    """Return headers of a CT series."""
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    found = []
    for k in range(count):
        one = Dataset()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, generate_uid()
        one.StudyInstanceUID, one.SeriesInstanceUID = study, series
        one.FrameOfReferenceUID, one.Modality = frame, "CT"
        for name in (
            "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
            "AccessionNumber", "StudyID", "ReferringPhysicianName",
        ):  # fmt: skip
            setattr(one, name, "")
        one.Rows = one.Columns = _ROWS
        one.PixelSpacing, one.SliceThickness = [0.7, 0.7], 1.0
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.ImagePositionPatient, one.InstanceNumber = [-180, -180, float(k)], k + 1
        one.BitsAllocated = one.BitsStored = 16
        one.HighBit, one.PixelRepresentation, one.SamplesPerPixel = 15, 0, 1
        one.PhotometricInterpretation = "MONOCHROME2"
        found.append(one)
    return found


def ellipsoids(count: int, slices: int) -> np.ndarray:
    """Return (k, j, i) labels 1 to ``count``, none hidden by those that follow."""
    rng = np.random.default_rng(1)
    shape = (slices, _ROWS, _ROWS)
    out = np.zeros(shape, np.uint8)
    for number in range(1, count + 1):
        centre = rng.integers((40, 40, 40), (slices - 40, _ROWS - 40, _ROWS - 40))
        radius = rng.integers((20, 15, 15), (45, 45, 45))
        low, high = np.maximum(centre - radius, 0), np.minimum(centre + radius + 1, shape)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        grid = np.indices(high - low) + low[:, None, None, None]
        away = (grid - centre[:, None, None, None]) / radius[:, None, None, None]
        out[box][(away**2).sum(axis=0) <= 1] = number
    kept = np.zeros(256, np.uint8)
    found = [n for n in np.unique(out) if n]
    kept[found] = np.arange(1, len(found) + 1)
    return kept[out]


def write(path: Path, images: list[Dataset], labels: np.ndarray, kind: str) -> int:
    """Write the labels; return the number of frames."""
    described = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=f"structure {number}",
            segmented_property_category=codes.SCT.Tissue,
            segmented_property_type=codes.SCT.Liver,
            algorithm_type="MANUAL",
            tracking_uid=generate_uid(),
            tracking_id=str(number),
        )
        for number in range(1, int(labels.max()) + 1)
    ]
    made = hd.seg.Segmentation(
        source_images=images,
        pixel_array=labels,
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=1,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="bench",
        manufacturer_model_name="bench",
        software_versions="1",
        device_serial_number="1",
    )
    made.save_as(path)
    return int(made.NumberOfFrames)


def target_of(images: list[Dataset], shape: tuple[int, ...]) -> Target:
    """Return the series as it would be open."""
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 0.7], [0, 0.7, 0], [1.0, 0, 0]]
    affine[:3, 3] = images[0].ImagePositionPatient
    k, j, i = shape
    return Target(
        (k, j, i),
        affine,
        "",
        str(images[0].StudyInstanceUID),
        str(images[0].SeriesInstanceUID),
        frozenset({str(images[0].FrameOfReferenceUID)}),
        {str(one.SOPInstanceUID): n for n, one in enumerate(images)},
    )


if __name__ == "__main__":
    main()
