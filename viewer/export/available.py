"""Which formats a case gives files of. Quick: a window asks before anything is written."""

from __future__ import annotations

from viewer.export.formats import Format, LeftOut
from viewer.export.layers import layers, maps
from viewer.export.notes import key_slices
from viewer.export.snapshot import CaseSnapshot


def why_not(one: Format, snapshot: CaseSnapshot) -> LeftOut | None:
    """Return why a case gives no file of a format; None when it does."""
    if one == "nifti":
        return None
    # The objects refer to the images by identifiers that only DICOM files have.
    if any(ref.instance.file_format != "dicom" for ref in snapshot.plan.planes):
        return "not-dicom"
    if one in ("seg", "rtstruct") and not layers(snapshot):
        return "no-outline"
    if one == "pm" and not maps(snapshot):
        return "no-heatmap"
    if one == "kos" and not key_slices(snapshot):
        return "no-key-image"
    if one == "sr" and not (
        snapshot.lesions or snapshot.measurements or key_slices(snapshot) or layers(snapshot)
    ):
        return "nothing-to-report"
    return None
