"""What is exported to be checked: the oblique phantom, and LIDC-IDRI-0001 as a reader leaves it."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np

from inference.evaluation.scan import nodules_of
from inference.evaluation.truth import load_truth
from inference.findings import Detection, Findings, Heatmap, Mask, ModelStamp, Segment
from inference.measure import measure
from inference.volume import Volume
from tests.export_cases import measured, whole_case
from viewer.annotate.key_images import TOPIC as KEY_IMAGES
from viewer.annotate.key_images import KeyImage
from viewer.annotate.measurements import TOPIC as MEASUREMENTS
from viewer.export import export_case
from viewer.export.formats import FORMATS
from viewer.export.snapshot import CaseSnapshot
from viewer.session import Case, Reader
from viewer.study.order import StackPlan, order
from viewer.study.read import read
from viewer.study.scan import scan
from viewer.tools.brush import Brush

OBLIQUE = (14.0, -8.0, 21.0)
_TRUTH = "the readers' majority stands for the model's finding, and three made-up ones"
_MODEL = "a run of the bundled model"
_FOUND = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@dataclass(frozen=True)
class Subject:
    """A case and its export.

    Attributes
    ----------
    name, said
        What it is, and where its findings come from.
    case
        What was exported.
    study
        The folder of its images.
    folder
        The export.
    apart
        The same case without anatomy, exported too: no two of its segments overlap.
    """

    name: str
    said: str
    case: CaseSnapshot
    study: Path
    folder: Path
    apart: tuple[CaseSnapshot, Path]

    @property
    def contents(self) -> str:
        """How many lesions and structures, and how much was written."""
        size = sum(path.stat().st_size for path in self.folder.iterdir()) / 1e6
        shown = len(self.case.shown_lesions)
        return f"{shown} lesions, {len(self.case.segments)} structures, {size:.1f} MB"

    @property
    def images(self) -> list[Path]:
        """The files of the series, in the order of its planes."""
        return [ref.instance.path for ref in self.case.plan.planes]


def of_case(name: str, said: str, case: CaseSnapshot, study: Path, home: Path) -> Subject:
    """Export a case in all formats, and its lesions alone as a segmentation."""
    folder = export_case(case, home / "export", formats=FORMATS).folder
    lesions = replace(case, segments=())
    alone = export_case(lesions, home / "lesions", formats=("seg",)).folder
    return Subject(name, said, case, study, folder, (lesions, alone))


def oblique(home: Path) -> Subject:
    """Return the phantom, turned about three axes, with something for every format."""
    case = whole_case(home / "study", OBLIQUE)
    return of_case("oblique phantom", "made-up findings", case, home / "study", home)


def data() -> Path | None:
    """Return the folder of real studies; None where there is none."""
    named = os.environ.get("OVERREAD_DATA")
    folder = Path(named) if named else _FOUND
    return folder if (folder / "studies" / "LIDC-IDRI-0001.tar.xz").is_file() else None


def lidc(home: Path, shared: Path, *, by_model: bool, study: Path | None = None) -> Subject:
    """Return LIDC-IDRI-0001, opened, read and corrected by way of the session.

    Parameters
    ----------
    by_model
        Run the bundled model (a minute or more); else the readers' truth plays its finding.
    study
        The images, where they are unpacked already.
    """
    if study is None:
        study = home / "study"
        with tarfile.open(shared / "studies" / "LIDC-IDRI-0001.tar.xz") as tar:
            tar.extractall(study, filter="data")
    plan = order(max(scan([study]).series, key=lambda series: series.n_files))
    volume = read(plan)
    found = _by_model if by_model else _by_readers(shared)
    case = _reviewed(plan, volume, found(volume), home)
    said = _MODEL if by_model else _TRUTH
    return of_case("LIDC-IDRI-0001", said, case, study, home)


def _by_model(volume: Volume) -> Findings:
    from inference import registry
    from inference.client import ModelProcess

    pack = registry.find("lung-nodule-ct")
    with ModelProcess() as process:
        return process.analyze(volume, pack)


def _by_readers(shared: Path) -> Callable[[Volume], Findings]:
    truth = load_truth(shared / "studies" / "LIDC-IDRI-0001.truth.json")

    def found(volume: Volume) -> Findings:
        from inference.runtime.lungs import find_lungs

        lungs = find_lungs(volume.voxels, volume.affine)
        ml = abs(np.linalg.det(volume.affine[:3, :3])) / 1000
        segments = tuple(
            Segment(name, name, float(side.sum() * ml), Mask.from_array(side))
            for name, side in (("lung_right", lungs.right), ("lung_left", lungs.left))
        )
        masks = [nodule.majority for nodule in nodules_of(truth, volume)]
        masks += [_in_lung(lungs.left, place) for place in (0.4, 0.55, 0.7)]
        detections = tuple(
            _detection(f"d{n}", 0.95 - n / 10, mask, volume) for n, mask in enumerate(masks, 1)
        )
        box = masks[0]
        heat = np.zeros(tuple(n + 4 for n in box.voxels.shape), np.uint8)
        heat[2:-2, 2:-2, 2:-2][box.voxels] = np.linspace(60, 250, int(box.count)).astype(np.uint8)
        origin = tuple(int(n) - 2 for n in box.origin_kji)
        stamp = ModelStamp("readers-of-lidc", "1", "ab" * 32)
        return Findings(
            stamp, "CPU", detections, segments, Heatmap(origin, heat, "nodule"), 0.5, {"run": 1.0}
        )

    return found


def _in_lung(lung: np.ndarray, share: float) -> Mask:
    """Return a small lop-sided body around the middle of a slice of a lung."""
    height = np.flatnonzero(lung.any(axis=(1, 2)))
    k = int(height[int(share * len(height))])
    j, i = (int(np.median(axis)) for axis in np.nonzero(lung[k]))
    array = np.zeros(lung.shape, dtype=bool)
    array[k - 1 : k + 2, j - 3 : j + 5, i - 2 : i + 3] = True
    array[k + 1, j:, :] = array[k - 1, :, i:] = False
    return Mask.from_array(array)


def _detection(name: str, score: float, mask: Mask, volume: Volume) -> Detection:
    size = measure(mask, volume.affine, volume.voxels)
    return Detection(
        name,
        "nodule",
        score,
        size.centre_lps_mm,
        size.diameter_mm,
        size.short_axis_mm,
        size.volume_ml,
        size.mean_value,
        mask,
    )


def _reviewed(plan: StackPlan, volume: Volume, found: Findings, home: Path) -> CaseSnapshot:
    """Work through a case as a reader does: verdicts, a stroke, one missed, figures, slices."""
    with mock.patch.dict(os.environ, {"OVERREAD_HOME": str(home / "work")}):
        case = Case.open(plan.series, plan, volume, reader=Reader("Reader One", "radiologist"))
        case.add_findings(found)
        shown = case.shown
        for number, lesion in enumerate(shown):
            verdict = "rejected" if number and number % 3 == 0 else "accepted"
            case.set_verdict(lesion.id, verdict, "vessel" if verdict == "rejected" else "")
        first = shown[0]
        k, j, i = (int(n) for n in np.argwhere(first.mask.to_array(volume.shape_kji))[0])
        _stroke(case, first.id, (k, j, i), 6.0)
        case.set_verdict(first.id, "accepted")
        ij = (int(volume.shape_kji[1] * 0.55), int(volume.shape_kji[2] * 0.25))
        at = volume.affine @ (volume.shape_kji[0] // 2, *ij, 1)
        (missed,) = case.add_missed(tuple(float(v) for v in at[:3])).lesion_ids
        _stroke(case, missed, (volume.shape_kji[0] // 2, *ij), 7.0)
        case.set_verdict(missed, "accepted")
        line = measured(
            "distance", [(k, j, i), (k, j + 20, i + 8)], volume, 1, ("length", 15.2, "mm")
        )
        case.set_note(MEASUREMENTS, "m1", line.to_json())
        marked = KeyImage("axial", k, k, (-500.0, 1500.0), "Reader One", "2026-11-21T08:01:00Z")
        case.set_note(KEY_IMAGES, marked.note_id, marked.note())
        frozen = case.snapshot()
        assert case.close() == 0
    assert frozen.reviewed
    return frozen


def _stroke(case: Case, lesion_id: str, at_kji: tuple[int, int, int], mm: float) -> None:
    stroke = case.start_stroke(lesion_id, Brush(mm, "ball"))
    stroke.move_to(np.array(at_kji, dtype=float))
    case.commit_stroke(stroke)
