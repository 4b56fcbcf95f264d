"""What an export may be written as: names, files, and what needs what. Imports nothing slow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

Format = Literal["seg", "sr", "pm", "kos", "rtstruct", "nifti"]
FORMATS: tuple[Format, ...] = get_args(Format)
"""DICOM segmentation, structured report, parametric map, key objects, contours; NIfTI."""

DEFAULT: tuple[Format, ...] = ("seg", "nifti")
"""What ``export_case`` writes unless it is told."""

USUAL: tuple[Format, ...] = ("seg", "sr", "nifti")
"""What a person gets who has not chosen."""

FILES: Mapping[Format, tuple[str, ...]] = {
    "seg": ("seg.dcm",),
    "sr": ("sr.dcm",),
    "pm": ("heatmap.dcm", "uncertainty.dcm"),
    "kos": ("key-images.dcm",),
    "rtstruct": ("rtstruct.dcm",),
    "nifti": ("image.nii.gz", "labels.nii.gz", "heatmap.nii.gz", "uncertainty.nii.gz"),
}
"""The files of each format, of which a case may give fewer; two JSON files always come."""

LeftOut = Literal["not-dicom", "no-outline", "no-heatmap", "no-key-image", "nothing-to-report"]
"""Why a format that was asked for gave no file."""


def complete(chosen: Iterable[str]) -> tuple[Format, ...]:
    """Return formats in their one order, with those that they refer to.

    The report points at the segments of the segmentation (PS3.16 TID 1411), so it brings it.

    Raises
    ------
    ValueError
        When one is not known.
    """
    wanted = set(chosen)
    if wanted - set(FORMATS):
        raise ValueError("not a format that is known")
    if "sr" in wanted:
        wanted.add("seg")
    return tuple(format for format in FORMATS if format in wanted)
