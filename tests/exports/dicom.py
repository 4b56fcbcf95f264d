"""Our DICOM files as others read them: validators, and voxels counted by three libraries."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pydicom

from inference import geometry
from tests.exports import tools
from tests.exports.subjects import Subject
from tests.outcomes import Outcome
from viewer.export.layers import Layer, layers
from viewer.export.snapshot import CaseSnapshot

OBJECTS = ("seg.dcm", "sr.dcm", "heatmap.dcm", "key-images.dcm", "rtstruct.dcm")
DOCUMENTS = ("sr.dcm", "key-images.dcm")
_RAS = np.array([-1.0, -1.0, 1.0])


def checked(what: str, subject: str, expected: str, look: Callable[[], dict]) -> Outcome:
    """Look; ``look`` returns figures, and under ``"wrong"`` what is not as it should be."""
    try:
        figures = look()
    except tools.NotHere as absent:
        return Outcome(f"{what}: {subject}", 0, expected, skipped=str(absent))
    except Exception as error:
        # What a reader of others' raises on a bad file is anything; that it did is the finding.
        return Outcome(
            f"{what}: {subject}", 1, expected, failures=(f"{type(error).__name__}: {error}",)
        )
    wrong = tuple(figures.pop("wrong", ()))
    return Outcome(f"{what}: {subject}", figures.pop("times", 1), expected, figures, wrong)


def dciodvfy(subject: Subject) -> Outcome:
    """No Error line on any object."""

    def look() -> dict:
        said = {path.name: tools.dciodvfy(path) for path in _objects(subject)}
        missing = [name for name in OBJECTS if name not in said]
        wrong = [f"{name}: {line}" for name, lines in said.items() for line in lines]
        wrong += [f"{name} was not written" for name in missing]
        figures = {name.split(".")[0]: len(lines) for name, lines in said.items()}
        return {"times": len(said), "wrong": wrong} | figures

    return checked("dciodvfy", subject.name, "0 Error lines on each object", look)


def dsrdump(subject: Subject) -> Outcome:
    """Report and key objects print without a complaint."""

    def look() -> dict:
        said = {name: tools.dsrdump(subject.folder / name) for name in DOCUMENTS}
        wrong = [f"{name}: {line}" for name, lines in said.items() for line in lines]
        return {"times": len(said), "complaints": len(wrong), "wrong": wrong}

    return checked("dsrdump", subject.name, "nothing to complain of", look)


def dcentvfy(subject: Subject) -> Outcome:
    """Patient, study and frame of reference say the same in the source and in each object."""

    def look() -> dict:
        said = {path.name: _entities(subject, path) for path in _objects(subject)}
        wrong = [f"{name}: {line}" for name, (lines, _) in said.items() for line in lines]
        figures = {"lines": len(wrong), "noise": sum(noise for _, noise in said.values())}
        return {"times": len(said), "wrong": wrong} | figures

    return checked("dcentvfy", subject.name, "no line of an object beside its source", look)


# dicom3tools 1.00 of 2022 has Accession Number in another entity for reports: of any values.
_TABLES = "Different information entities for attribute - Element=<AccessionNumber>"
_BLANK = re.compile(r"is empty \(zero length\) in one instance .*Element=<(\w+)>")


def _entities(subject: Subject, path: Path) -> tuple[list[str], int]:
    """Return what dcentvfy says, and how many lines of it are noise.

    An empty value beside blanks, which are empty as well (PS3.5 6.2), is noise; LIDC-IDRI-0001
    has names of two blanks.
    """
    first, ours = (
        pydicom.dcmread(file, stop_before_pixels=True) for file in (subject.images[0], path)
    )
    lines, noise = [], 0
    for line in tools.dcentvfy([*subject.images, path]):
        found = _BLANK.search(line)
        blank = found and not any(str(ds.get(found[1]) or "").strip() for ds in (first, ours))
        if blank or _TABLES in line:
            noise += 1
        else:
            lines.append(line)
    return lines, noise


def highdicom_counts(subject: Subject) -> Outcome:
    """highdicom finds each mask voxel for voxel."""

    def look() -> dict:
        case, path = subject.case, subject.folder / "seg.dcm"
        seg = highdicom.seg.segread(path)
        volume = seg.get_volume(combine_segments=False)
        known = _masks(case)
        wrong = [] if set(seg.segment_numbers) == set(known) else ["other segments"]
        for at, number in enumerate(seg.segment_numbers):
            inside = np.argwhere(volume.array[..., at])
            places = volume.map_indices_to_reference(inside) if len(inside) else np.zeros((0, 3))
            wrong += _differs(number, places, known.get(number), case)
        return {"times": len(known), "voxels": _told(known), "wrong": wrong}

    return checked("highdicom", subject.name, "voxels of each segment, at their places", look)


def dcmqi_counts(subject: Subject) -> Outcome:
    """Count and place each segment's voxels in what dcmqi's segimage2itkimage makes of it."""

    def look() -> dict:
        case, known, wrong = subject.case, _masks(subject.case), []
        with tempfile.TemporaryDirectory() as folder:
            files = tools.dcmqi_segments(subject.folder / "seg.dcm", Path(folder))
            if set(files) != set(known):
                wrong.append("other segments")
            for number, file in files.items():
                image = nibabel.load(file)
                ijk = np.argwhere(np.asanyarray(image.dataobj))
                ras = ijk @ image.affine[:3, :3].T + image.affine[:3, 3]
                wrong += _differs(number, ras * _RAS, known.get(number), case)
        return {"times": len(known), "voxels": _told(known), "wrong": wrong}

    return checked("dcmqi", subject.name, "voxels of each segment, at their places", look)


def cornerstone_counts(subject: Subject) -> Outcome:
    """OHIF's adapters count each lesion, of a segmentation of the lesions alone.

    Lesions lie in lungs: in the file of both, segments overlap. What the adapters make of that
    file is told, not judged: 5.14 loses frames of what it lays together (its
    ``compactMergeSegData`` walks a sparse array by the holes of another).
    """

    def look() -> dict:
        case, folder = subject.apart
        known = _masks(case)
        overlap = [f"{a.number} and {b.number}" for a, b in combinations(layers(case), 2)
                   if _overlap(a, b, case)]  # fmt: skip
        if overlap:
            raise ValueError(f"segments overlap: {overlap}")
        found = tools.cornerstone(folder / "seg.dcm", subject.images)
        wrong = [] if found["overlap"] is False else ["segments are said to overlap"]
        counted = {int(number): one for number, one in found["segments"].items()}
        if set(counted) != set(known):
            wrong.append(f"segments {sorted(counted)}")
        for number, one in counted.items():
            wrong += _differs_in_mean(number, one, known.get(number), case)
        both = tools.cornerstone(subject.folder / "seg.dcm", subject.images)["segments"]
        whole = _masks(subject.case)
        lost = [n for n, m in whole.items() if both.get(str(n), {}).get("voxels") != m.count]
        return {
            "times": len(known),
            "voxels": _told(known),
            "with lungs, wrongly counted": f"{len(lost)} of {len(whole)}",
            "wrong": wrong,
        }

    return checked("cornerstone", subject.name, "voxels of each lesion, at their places", look)


def _objects(subject: Subject) -> list[Path]:
    return sorted(subject.folder.glob("*.dcm"))


def _masks(case: CaseSnapshot) -> dict:
    return {layer.number: layer.mask for layer in layers(case)}


def _told(known: dict) -> str:
    return " ".join(str(mask.count) for mask in known.values())


def _differs(number: int, places_lps_mm: np.ndarray, mask: object, case: CaseSnapshot) -> list[str]:
    """Compare places of voxels in patient space with a mask."""
    if mask is None:
        return [f"segment {number} is not ours"]
    if len(places_lps_mm) != mask.count:
        return [f"segment {number}: {len(places_lps_mm)} voxels, not {mask.count}"]
    kji = geometry.lps_mm_to_kji(case.volume.affine, places_lps_mm)
    at = np.rint(kji).astype(int)
    off = np.abs(geometry.kji_to_lps_mm(case.volume.affine, at) - places_lps_mm).max()
    if off > 1e-3:
        return [f"segment {number}: {off:.4f} mm off the grid"]
    if (at < 0).any() or (at >= case.volume.shape_kji).any():
        return [f"segment {number}: outside of the volume"]
    if not mask.to_array(case.volume.shape_kji)[tuple(at.T)].all():
        return [f"segment {number}: voxels lie elsewhere"]
    return []


def _differs_in_mean(number: int, one: dict, mask: object, case: CaseSnapshot) -> list[str]:
    """Compare count and mean place, which is all that is told of a segment."""
    if mask is None:
        return [f"segment {number} is not ours"]
    if one["voxels"] != mask.count:
        return [f"segment {number}: {one['voxels']} voxels, not {mask.count}"]
    kji = np.argwhere(mask.to_array(case.volume.shape_kji))
    origins = np.array(
        [geometry.kji_to_lps_mm(case.volume.affine, (k, 0, 0)) for k in kji[:, 0]]
    ).mean(axis=0)
    told = [one["row"], one["column"], *one["position"]]
    meant = [*kji[:, 1:].mean(axis=0), *origins]
    if np.abs(np.array(told) - meant).max() > 1e-3:
        return [f"segment {number} lies elsewhere"]
    return []


def _overlap(a: Layer, b: Layer, case: CaseSnapshot) -> bool:
    shape = case.volume.shape_kji
    return bool((a.mask.to_array(shape) & b.mask.to_array(shape)).any())


def report_by_dcmqi(subject: Subject) -> Outcome:
    """dcmqi finds each lesion's tracking UID and segment in the report."""

    def look() -> dict:
        with tempfile.TemporaryDirectory() as folder:
            told = tools.dcmqi_report(subject.folder / "sr.dcm", Path(folder) / "report.json")
        groups = {one["TrackingIdentifier"]: one for one in told["Measurements"]}
        seg = pydicom.dcmread(subject.folder / "seg.dcm", stop_before_pixels=True)
        wrong = []
        for layer in layers(subject.case):
            group = groups.get(layer.id, {})
            uid = seg.SegmentSequence[layer.number - 1].TrackingUID
            same = (group.get("ReferencedSegment"), group.get("TrackingUniqueIdentifier"))
            if same != (layer.number, uid):
                wrong.append(f"{layer.name} is another")
        return {"times": 1, "lesions and structures": len(layers(subject.case)), "wrong": wrong}

    return checked("dcmqi tid1500reader", subject.name, "each segment's group", look)


CHECKS = (
    dciodvfy,
    dsrdump,
    dcentvfy,
    highdicom_counts,
    dcmqi_counts,
    report_by_dcmqi,
    cornerstone_counts,
)
