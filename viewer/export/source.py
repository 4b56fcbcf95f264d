"""What all DICOM objects of one export share: source images, identifiers, who made them."""

from __future__ import annotations

import logging
import uuid
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from inference import geometry
from inference.findings import ModelStamp
from viewer.export import program
from viewer.export.formats import FILES
from viewer.export.leaving import clean
from viewer.export.problems import FileProblem
from viewer.export.snapshot import CaseSnapshot, Pseudonyms
from viewer.export.tracking import tracking_id, tracking_uid
from viewer.study import quiet
from viewer.study.order import StackPlan

_SERIES_NUMBERS = {
    "seg.dcm": 9100,
    "sr.dcm": 9101,
    "heatmap.dcm": 9102,
    "uncertainty.dcm": 9103,
    "key-images.dcm": 9104,
    "rtstruct.dcm": 9105,
}
_ALONE = frozenset(
    f"ISO 2022 IR {n}" for n in (6, 13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166)
)
_TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "ReferringPhysicianName",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Series and SOP Instance UID of one file to be written: others may refer to it before."""

    series_uid: str
    sop_uid: str
    series_number: int


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The series that was worked on, as the objects written of it need it.

    Attributes
    ----------
    snapshot
        The case.
    headers
        Data sets without pixels by file, each once, in the order of the slices; completed.
    frame_of_reference
        The one Frame of Reference UID (0020,0052) of them all.
    identities
        By file name.
    """

    snapshot: CaseSnapshot
    headers: dict[Path, Dataset]
    frame_of_reference: str
    identities: dict[str, Identity] = field(default_factory=dict)

    @property
    def plan(self) -> StackPlan:
        """The series, its instances in the order of the slices."""
        return self.snapshot.plan

    @property
    def first(self) -> Dataset:
        """The header of the first slice: the study's own values."""
        return next(iter(self.headers.values()))

    @property
    def multi_frame(self) -> bool:
        """Whether slices are frames of files that hold several."""
        return any(ref.instance.n_frames > 1 for ref in self.plan.planes)

    def header(self, k: int) -> Dataset:
        """Return the header of the file that holds slice ``k``."""
        return self.headers[self.plan.planes[k].instance.path]

    def images(self, slices: Iterable[int]) -> list[Dataset]:
        """Return the headers of the files that hold the slices, each once."""
        found = {self.plan.planes[k].instance.path: None for k in slices}
        return [self.headers[path] for path in found]

    def reference(self, k: int) -> tuple[str, str, list[int] | None]:
        """Return SOP Class and SOP Instance UID of slice ``k``, and its frame where it has one."""
        ref = self.plan.planes[k]
        frames = [ref.frame + 1] if ref.instance.n_frames > 1 else None
        header = self.header(k)
        return str(header.SOPClassUID), str(header.SOPInstanceUID), frames


def load(snapshot: CaseSnapshot) -> Source:
    """Read the headers of a series, which must still lie where it was opened from.

    Raises
    ------
    FileProblem
        When a file of it cannot be read.
    """
    hush()
    plan = snapshot.plan
    headers = _headers(plan, snapshot.volume.spacing_kji_mm[0], snapshot.pseudonyms)
    first = next(iter(headers.values()))
    # A series has one frame of reference (PS3.3 C.7.4.1). Some de-identified ones (LIDC-IDRI)
    # gave each slice its own, some old ones have none; position and orientation prove that
    # the slices belong together.
    frame_of_reference = str(
        plan.series.frame_of_reference_uid
        or first.get("FrameOfReferenceUID")
        or tracking_uid(plan.series.series_uid, "frame of reference")
    )
    for header in headers.values():
        header.FrameOfReferenceUID = frame_of_reference
    names = [name for files in FILES.values() for name in files if name in _SERIES_NUMBERS]
    identities = {name: Identity(fresh_uid(), fresh_uid(), _SERIES_NUMBERS[name]) for name in names}
    source = Source(snapshot, headers, frame_of_reference, identities)
    if source.multi_frame:
        _share_measures(source)
    return source


def _headers(
    plan: StackPlan, thickness_mm: float, pseudonyms: Pseudonyms | None
) -> dict[Path, Dataset]:
    out: dict[Path, Dataset] = {}
    for ref in plan.planes:
        path = ref.instance.path
        if path in out:
            continue
        try:
            out[path] = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            if pseudonyms is not None:
                clean(out[path], pseudonyms)
        except Exception as error:
            raise FileProblem("unreadable", type(error).__name__) from error
    for header in out.values():
        _complete(header, thickness_mm)
    return out


def _complete(header: Dataset, thickness_mm: float) -> None:
    """Put in what the standard wants there, if only empty (PS3.3 C.7.1.1, C.7.2.1, type 2)."""
    if header.get("SliceThickness") is None:
        header.SliceThickness = thickness_mm
    for keyword in _TYPE_2:
        if keyword not in header:
            setattr(header, keyword, "")
    name = header.get("SpecificCharacterSet", "ISO_IR 6")
    if not name:
        del header.SpecificCharacterSet
    elif isinstance(name, str) and name in _ALONE:
        # A code extension without anything that it extends (PS3.3 C.12.1.1.2).
        header.SpecificCharacterSet = name.replace("ISO 2022 IR", "ISO_IR")


def _share_measures(source: Source) -> None:
    """Put spacing and orientation where highdicom looks: into the shared groups alone."""
    placing = placing_of(source.snapshot, [0])
    for header in source.headers.values():
        if "SharedFunctionalGroupsSequence" not in header:
            header.SharedFunctionalGroupsSequence = [Dataset()]
        shared = header.SharedFunctionalGroupsSequence[0]
        shared.PixelMeasuresSequence = placing["pixel_measures"]
        shared.PlaneOrientationSequence = placing["plane_orientation"]


def placing_of(
    snapshot: CaseSnapshot, slices: Iterable[int], corner_ji: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    """Return explicit places of slices, as highdicom takes them for frames of a multi-frame.

    ``corner_ji`` is where in the slice of the volume the first pixel of a frame lies.
    """
    affine, spacing = snapshot.volume.affine, snapshot.volume.spacing_kji_mm
    places = geometry.kji_to_lps_mm(affine, [(k, *corner_ji) for k in slices])
    across, down = affine[:3, 2] / spacing[2], affine[:3, 1] / spacing[1]
    return {
        "plane_positions": [
            hd.PlanePositionSequence("PATIENT", image_position=tuple(place)) for place in places
        ],
        "plane_orientation": hd.PlaneOrientationSequence(
            "PATIENT", image_orientation=(*across, *down)
        ),
        "pixel_measures": hd.PixelMeasuresSequence(
            pixel_spacing=(spacing[1], spacing[2]),
            slice_thickness=spacing[0],
            spacing_between_slices=spacing[0],
        ),
    }


def equipment() -> dict[str, Any]:
    """Return who made an object (PS3.3 C.7.5.2), as highdicom takes it for images."""
    return {
        "manufacturer": program.NAME,
        "manufacturer_model_name": program.NAME,
        "software_versions": program.VERSION,
        "device_serial_number": "0",
    }


def review_text(snapshot: CaseSnapshot) -> str:
    """Return what the content of an object says of itself, English, up to 64 characters."""
    return "Reviewed by a person" if snapshot.reviewed else "AI, not reviewed"


def sign(dataset: Dataset, source: Source) -> None:
    """Say in the series of a new object whether it was reviewed; keep the study's values.

    highdicom leaves the referring physician empty, and a study has one value of it
    (PS3.3 C.7.2.1).
    """
    dataset.ReferringPhysicianName = source.first.ReferringPhysicianName
    if "ContentLabel" in dataset and "ContentCreatorName" not in dataset:
        dataset.ContentCreatorName = None  # PS3.3 10.9, type 2: nobody is named
    reviewed = source.snapshot.reviewed
    dataset.SeriesDescription = (
        "Overread, reviewed, research use" if reviewed else "Overread: AI, not reviewed"
    )


def algorithm(model: ModelStamp) -> Any:
    """Return which model it was, its version and the hash of its weights (PS3.3 10.16)."""
    return hd.AlgorithmIdentificationSequence(
        name=model.id[:64],
        family=codes.DCM.ArtificialIntelligence,
        version=model.version[:64],
        parameters={"weights_sha256": model.sha256},
    )


def tracking_of(snapshot: CaseSnapshot, target_id: str) -> tuple[str, str]:
    """Return Tracking UID and ID of a lesion, segment, measurement or key image of a case.

    What came from another file keeps its own, unless identity is taken out: a UID is one.
    """
    came = snapshot.imported_by_id.get(target_id)
    if came is not None and came.tracking_uid and snapshot.pseudonyms is None:
        return came.tracking_uid, came.tracking_id or tracking_id(target_id)
    return tracking_uid(snapshot.plan.series.series_uid, target_id), tracking_id(target_id)


def person_name(reader: str) -> str | None:
    """Return a reader's name as a PN value (PS3.5 6.2): one component, no delimiters."""
    cleaned = "".join(c for c in reader if c.isprintable() and c not in "\\^=").strip()
    # The caret says that a single component is meant.
    return f"{cleaned[:60]}^" if cleaned else None


def fresh_uid() -> str:
    """Return a new UID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def hush() -> None:
    """Silence highdicom too: its warnings quote the patient's name."""
    quiet.hush()
    logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"highdicom(\.|$)")
    warnings.filterwarnings("ignore", category=UserWarning, module=r"viewer\.export\.")


def group_of(dataset: Dataset, frame: Dataset, keyword: str) -> Dataset:
    """Return a functional group of a frame, which may be one of all frames (PS3.3 C.7.6.16)."""
    holder = frame if keyword in frame else dataset.SharedFunctionalGroupsSequence[0]
    found: Dataset = holder[keyword].value[0]
    return found


def off_mm(
    affine: geometry.Affine, dataset: Dataset, positions: Any, corner_ji: tuple[int, int] = (0, 0)
) -> tuple[float, list[int]]:
    """Return how far frames lie off the grid of a volume, mm, and which slice each one is.

    Parameters
    ----------
    affine
        (4, 4), (k, j, i, 1) to LPS mm.
    dataset
        A multi-frame image with shared Pixel Measures and Plane Orientation.
    positions
        (n, 3) Image Position (Patient) (0020,0032) of its frames.
    corner_ji
        Where in the slice of the volume the first pixel of a frame lies.
    """
    shared = dataset.SharedFunctionalGroupsSequence[0]
    spacing = [float(v) for v in shared.PixelMeasuresSequence[0].PixelSpacing]
    turned = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    rows, columns = int(dataset.Rows) - 1, int(dataset.Columns) - 1
    there = np.asarray(positions, dtype=np.float64)
    slices = np.rint(geometry.lps_mm_to_kji(affine, there)[:, 0]).astype(int)
    worst = 0.0
    for j, i in ((0, 0), (rows, 0), (0, columns), (rows, columns)):
        corners = there + j * spacing[0] * turned[3:] + i * spacing[1] * turned[:3]
        at = [(k, corner_ji[0] + j, corner_ji[1] + i) for k in slices]
        worst = max(worst, float(np.abs(corners - geometry.kji_to_lps_mm(affine, at)).max()))
    return worst, [int(k) for k in slices]
