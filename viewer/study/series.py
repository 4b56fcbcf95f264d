"""What the headers say: one series, its instances, their image planes. Values only.

No ``repr`` here holds a path, a UID, a date or a name: what a log or a crash report may
print of a series is its modality and its size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Plane:
    """One image plane: a single-frame instance, or one frame of a multi-frame one.

    Attributes
    ----------
    position_lps_mm
        Centre of the first pixel, Image Position (Patient) (0020,0032), or None.
    row_lps, column_lps
        Unit vectors along a row (growing column index) and down a column (growing row
        index), Image Orientation (Patient) (0020,0037), or None.
    spacing_mm
        Pixel Spacing (0028,0030): millimetres between rows, then between columns; or None.
    thickness_mm
        Slice Thickness (0018,0050), or None.
    slope, intercept
        Modality rescale, PS3.3 C.11.1; 1 and 0 when absent.
    has_rescale
        True when an intercept stands in the file, and no slope of 0 beside it.
    rescale_type
        Rescale Type (0028,1054), such as ``"HU"``; empty when absent.
    window
        Pairs (centre, width) of the VOI window, first the preferred one.
    window_names
        Of each window its explanation (0028,1055), such as ``"LUNG"``; empty when it has none.
    voi_function
        VOI LUT Function (0028,1056): ``"LINEAR"``, ``"LINEAR_EXACT"`` or ``"SIGMOID"``.
    stack
        Stack ID (0020,9056) or its like: planes of another stack are of another volume. Empty
        when there is one.
    marks
        What tells the volumes of one series apart: pairs of a name of ``viewer.study.marks``,
        such as ``"echo"``, and its value.
    spacing_source
        Name of what ``spacing_mm`` was taken from, such as ``"Pixel Spacing"``,
        ``"Imager Pixel Spacing"`` (at the detector, so larger than in the patient),
        ``"Nominal Scanned Pixel Spacing"``, ``"Ultrasound region"``, ``"sform"``; empty when
        there is no spacing.
    """

    position_lps_mm: Vector | None = None
    row_lps: Vector | None = None
    column_lps: Vector | None = None
    spacing_mm: tuple[float, float] | None = None
    thickness_mm: float | None = None
    slope: float = 1.0
    intercept: float = 0.0
    has_rescale: bool = False
    rescale_type: str = ""
    window: tuple[tuple[float, float], ...] = ()
    window_names: tuple[str, ...] = ()
    voi_function: str = "LINEAR"
    stack: str = ""
    marks: tuple[tuple[str, float | str], ...] = ()
    spacing_source: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Pet:
    """Of a PET image what its unit follows from (PS3.3 C.8.9.1, C.8.9.4); texts as stored.

    Attributes
    ----------
    units, suv_type, decay_correction, corrected
        (0054,1001) Units, (0054,1006) SUV Type, (0054,1102) Decay Correction and (0028,0051)
        Corrected Image.
    weight_kg
        Patient's Weight (0010,1030).
    series_time, acquisition_time
        Date and time, DA and TM joined: of the series (0008,0021) (0008,0031) and of the
        acquisition (0008,0022) (0008,0032); empty unless both parts are there.
    reference_ms, duration_ms
        Frame Reference Time (0054,1300) and Actual Frame Duration (0018,1242).
    offset_from_utc
        Timezone Offset From UTC (0008,0201), such as ``"+0100"``.
    """

    units: str
    suv_type: str
    decay_correction: str
    corrected: tuple[str, ...]
    weight_kg: float | None
    series_time: str
    acquisition_time: str
    reference_ms: float | None
    duration_ms: float | None
    offset_from_utc: str

    def __repr__(self) -> str:
        return f"Pet({self.units!r})"


@dataclass(frozen=True, slots=True, repr=False)
class InstanceHeader:
    """What is needed of one file to place and to read its pixels.

    Attributes
    ----------
    pixel_offset, pixel_length
        Byte offset and length of the value of Pixel Data in the file, for native (not
        encapsulated, not deflated) little endian files; else None.
    padding_value, padding_limit
        Pixel Padding Value (0028,0120) and Range Limit (0028,0121), as stored values; or None.
    has_modality_lut, has_voi_lut
        Whether a table stands in the file, for ``viewer.study.tables`` to read when needed.
    overlay_groups
        Groups of the overlay planes, 0x6000 to 0x601E, for ``viewer.study.overlay``.
    pet
        What the unit of a PET image follows from, or None.
    fragments_offset
        Byte offset of the first item of encapsulated pixel data (PS3.5 A.4); else None.
    file_size
        Bytes of the file when it was scanned.
    patient_key
        Digest of Patient ID and name: equal for the same patient. Kept in memory only.
    planes
        One per frame.
    file_format
        ``"dicom"``, ``"nifti"``, ``"nrrd"``, ``"metaimage"`` or ``"raster"``: who reads its
        frames. Of the others the DICOM attributes are made up or empty.
    given_name
        Name of the file for a person where ``path`` is only a copy of it, such as a numbered
        member of an archive; see ``name``.
    notes
        Pairs (kind, translated sentence) of what the file's reader has to tell of its geometry.
    keeper
        Keeps temporary files of the instance on disk as long as it lives; else None.
    """

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    transfer_syntax: str
    modality: str
    instance_number: int | None
    acquisition_number: int | None
    image_type: tuple[str, ...]
    rows: int
    columns: int
    n_frames: int
    samples_per_pixel: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    padding_value: int | None
    has_modality_lut: bool
    pixel_offset: int | None
    pixel_length: int | None
    file_size: int
    patient_key: str
    planes: tuple[Plane, ...]
    fragments_offset: int | None = None
    padding_limit: int | None = None
    has_voi_lut: bool = False
    overlay_groups: tuple[int, ...] = ()
    pet: Pet | None = None
    file_format: str = "dicom"
    given_name: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    keeper: object | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        size = f"{self.columns} x {self.rows} x {self.n_frames}"
        return f"InstanceHeader({self.modality!r}, {size}, {self.transfer_syntax})"

    @property
    def name(self) -> str:
        """Name of the file as a person knows it, for messages."""
        return self.given_name or self.path.name

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame.

        Frames of 1-bit images follow each other without a gap (PS3.5 8.1.1); two pixels of
        YBR_FULL_422 share their colour (PS3.3 C.7.6.3.1.2).
        """
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples_per_pixel
        return self.rows * self.columns * samples * self.bits_allocated

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame alone."""
        return (self.frame_bits + 7) // 8

    @property
    def cut_short(self) -> bool:
        """Whether the file ends before its native pixel data does."""
        if self.pixel_offset is None:
            return False
        wanted = (self.frame_bits * self.n_frames + 7) // 8
        length = self.pixel_length or 0
        return length < wanted or self.file_size < self.pixel_offset + wanted


@dataclass(frozen=True, slots=True)
class FrameRef:
    """One plane of a series: a frame of an instance, counted from 0."""

    instance: InstanceHeader
    frame: int

    @property
    def plane(self) -> Plane:
        """Where the plane is and how its values are to be read."""
        return self.instance.planes[self.frame]


@dataclass(frozen=True, slots=True, repr=False)
class PatientText:
    """Who the study is of, for the corner of the view. Shown, never logged.

    Its ``repr`` hides the values, so that no log and no crash report can hold them.
    """

    name: str = ""
    id: str = ""
    sex: str = ""
    age: str = ""
    birth_date: str = ""
    study_date: str = ""

    def __repr__(self) -> str:
        return "PatientText(hidden)"


@dataclass(frozen=True, slots=True, repr=False)
class Series:
    """All instances that share one Series Instance UID, in no proven order."""

    series_uid: str
    study_uid: str
    frame_of_reference_uid: str
    modality: str
    description: str
    study_description: str
    laterality: str
    body_part: str
    patient_position: str
    series_number: int | None
    series_date: str
    patient: PatientText
    instances: tuple[InstanceHeader, ...]

    def __repr__(self) -> str:
        return f"Series({self.modality!r}, {self.n_files} files)"

    @property
    def n_files(self) -> int:
        """Number of files that hold the series."""
        return len({instance.path for instance in self.instances})
