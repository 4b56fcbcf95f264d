"""What every image that is not DICOM is told as: an ``InstanceHeader`` of its own making."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.header import Raw
from viewer.study.series import InstanceHeader, Plane

_DIGEST_CHUNK = 1 << 20


def header(
    path: Path,
    uid: str,
    size_px: tuple[int, int],
    planes: tuple[Plane, ...],
    bits: int,
    *,
    signed: bool,
    photometric: str,
    file_format: str,
    notes: tuple[tuple[str, str], ...],
    keeper: object,
) -> InstanceHeader:
    """Return the header of a file that is a series of its own.

    Parameters
    ----------
    uid
        Of ``digest_uid``; series, study and instance are named by it.
    size_px
        Rows and columns.
    planes
        One a frame.
    bits
        Allocated and stored, of one sample.
    photometric
        Photometric Interpretation (0028,0004); ``"RGB"`` has three samples a pixel.
    file_format, notes, keeper
        As of ``InstanceHeader``.
    """
    rows, columns = size_px
    return InstanceHeader(
        path=path,
        sop_class_uid="",
        sop_instance_uid=f"{uid}.1",
        study_uid=f"{uid}.2",
        series_uid=uid,
        frame_of_reference_uid="",
        transfer_syntax="",
        modality="OT",
        instance_number=1,
        acquisition_number=None,
        image_type=(),
        rows=rows,
        columns=columns,
        n_frames=len(planes),
        samples_per_pixel=3 if photometric == "RGB" else 1,
        photometric=photometric,
        bits_allocated=bits,
        bits_stored=bits,
        high_bit=bits - 1,
        signed=signed,
        padding_value=None,
        has_modality_lut=False,
        pixel_offset=None,
        pixel_length=None,
        file_size=path.stat().st_size,
        patient_key="",
        planes=planes,
        file_format=file_format,
        notes=notes,
        keeper=keeper,
    )


def texts(name: str) -> Raw:
    """Return the texts of a series that has but a name."""
    return {0x00080005: b"ISO_IR 192", 0x0008103E: name.encode("utf-8", "replace")}


def digest_uid(paths: Sequence[Path], cancelled: CancelCheck | None = None) -> str:
    """Return a UID (PS3.5 B.2) that stands for the content of files."""
    digest = hashlib.blake2b(digest_size=14)
    for path in paths:
        with path.open("rb", buffering=0) as stream:
            while data := stream.read(_DIGEST_CHUNK):
                stop_if(cancelled)
                digest.update(data)
    return f"2.25.{int.from_bytes(digest.digest(), 'big')}"
