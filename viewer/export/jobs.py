"""Which files an export of a case consists of, what writes each, and what reads it again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import pydicom

from inference.findings import Heatmap
from viewer.export import key_objects, nifti, parametric, rtstruct, seg, sr
from viewer.export.available import why_not
from viewer.export.formats import Format, LeftOut
from viewer.export.layers import Layer, label_map, layers, maps
from viewer.export.problems import FileProblem
from viewer.export.report import FileCheck
from viewer.export.snapshot import CaseSnapshot
from viewer.export.source import Source, load

_GRID = ("every voxel", "five points within 0.001 mm")
_MAPS = {"heatmap.nii.gz": parametric.HEATMAP, "uncertainty.nii.gz": parametric.UNCERTAINTY}


@dataclass(frozen=True, slots=True)
class Job:
    """Writes one file and reads it again; raises ``FileProblem`` when it is not as meant."""

    run: Callable[[], None]
    check: FileCheck


Jobs = dict[str, Job]


class _Once:
    """The headers of the series: read by the first who asks, waited for by the others."""

    def __init__(self, snapshot: CaseSnapshot) -> None:
        self.snapshot = snapshot
        self._lock = threading.Lock()
        self._source: Source | None = None

    def __call__(self) -> Source:
        with self._lock:
            if self._source is None:
                self._source = load(self.snapshot)
            return self._source


def jobs(
    snapshot: CaseSnapshot, part: Path, formats: Iterable[Format]
) -> tuple[Jobs, tuple[tuple[Format, LeftOut], ...]]:
    """Return what writes and checks each image file, and which formats there are no files of.

    Parameters
    ----------
    part
        Where the files are put together.
    formats
        As ``formats.complete`` gives them. The slowest are begun first.
    """
    shown, source = layers(snapshot), _Once(snapshot)
    made: dict[Format, Jobs] = {}
    left_out: list[tuple[Format, LeftOut]] = []
    for one in formats:
        why = why_not(one, snapshot)
        if why is not None:
            left_out.append((one, why))
        elif one == "nifti":
            made[one] = _nifti(snapshot, part, shown)
        else:
            made[one] = _DICOM[one](source, part, shown)
    order: tuple[Format, ...] = ("seg", "rtstruct", "nifti", "pm", "sr", "kos")
    found = {name: job for one in order for name, job in made.get(one, {}).items()}
    return found, tuple(left_out)


def _nifti(snapshot: CaseSnapshot, part: Path, shown: tuple[Layer, ...]) -> Jobs:
    volume = snapshot.volume
    reader = f"nibabel {nibabel.__version__}"

    def image(name: str, make: Callable[[], Any], **more: Any) -> Job:
        def run() -> None:
            voxels = make()
            nifti.write(part / name, voxels, volume.affine, **more)
            _insist(name, nifti.differs(part / name, voxels, volume.affine))

        return Job(run, FileCheck(name, reader, _GRID))

    found = {
        "image.nii.gz": image("image.nii.gz", lambda: volume.voxels),
        "labels.nii.gz": image("labels.nii.gz", lambda: label_map(shown, volume.shape_kji)),
    }
    for name, one in maps(snapshot).items():
        found[name] = image(
            name,
            partial(nifti.heatmap_array, one, volume.shape_kji),
            slope=1 / 255,
            description="uncertainty" if name == "uncertainty.nii.gz" else "probability",
        )
    return found


def _seg(source: _Once, part: Path, shown: tuple[Layer, ...]) -> Jobs:
    def run() -> None:
        known, path = source(), part / seg.NAME
        seg.write(path, known.snapshot, shown, known)
        _insist(seg.NAME, seg.differs(path, known.snapshot, shown))

    said = ("every voxel of each segment", "corners of each slice within 0.001 mm", "tracking UIDs")
    return _by_pydicom(seg.NAME, run, said)


def _rtstruct(source: _Once, part: Path, shown: tuple[Layer, ...]) -> Jobs:
    def run() -> None:
        known, path = source(), part / rtstruct.NAME
        rtstruct.write(path, known, shown)
        _insist(rtstruct.NAME, rtstruct.differs(path, known, shown))

    said = (
        "every voxel inside the contours",
        "volume of each region",
        "planes within 0.001 mm",
        "image of each contour",
    )
    return _by_pydicom(rtstruct.NAME, run, said)


def _sr(source: _Once, part: Path, shown: tuple[Layer, ...]) -> Jobs:
    def run() -> None:
        known, path = source(), part / sr.NAME
        sr.write(path, known, shown)
        _insist(sr.NAME, sr.differs(path, known, shown))

    said = ("tracking UID, verdict, sizes and segment of each lesion", "figures", "images named")
    return _by_pydicom(sr.NAME, run, said)


def _kos(source: _Once, part: Path, shown: tuple[Layer, ...]) -> Jobs:
    def run() -> None:
        key_objects.write(part / key_objects.NAME, source())
        _insist(key_objects.NAME, key_objects.differs(part / key_objects.NAME, source()))

    return _by_pydicom(key_objects.NAME, run, ("images named",))


def _pm(source: _Once, part: Path, shown: tuple[Layer, ...]) -> Jobs:
    def one_map(name: str, one: Heatmap) -> None:
        parametric.write(part / name, source(), one)
        _insist(name, parametric.differs(part / name, source(), one))

    found: Jobs = {}
    for of, one in maps(source.snapshot).items():
        name = _MAPS[of]
        said = ("every value", "corners of each slice within 0.001 mm", "scale")
        found |= _by_pydicom(name, partial(one_map, name, one), said)
    return found


_DICOM: dict[Format, Callable[[_Once, Path, tuple[Layer, ...]], Jobs]] = {
    "seg": _seg,
    "sr": _sr,
    "pm": _pm,
    "kos": _kos,
    "rtstruct": _rtstruct,
}


def _by_pydicom(name: str, run: Callable[[], None], compared: tuple[str, ...]) -> Jobs:
    return {name: Job(run, FileCheck(name, f"pydicom {pydicom.__version__}", compared))}


def _insist(name: str, difference: str) -> None:
    if difference:
        raise FileProblem("misread", f"{name}: {difference}", name=name)
