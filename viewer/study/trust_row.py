"""One row of what a volume rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from viewer.study.order import StackPlan

State = Literal["good", "note", "bad"]

_FORMATS = {"nifti": "NIfTI", "nrrd": "NRRD", "metaimage": "MetaImage", "raster": "PNG, JPEG, TIFF"}


@dataclass(frozen=True, slots=True)
class Row:
    """One question about a volume and its answer, translated.

    Attributes
    ----------
    state
        ``"good"`` as it should be, ``"note"`` to be known, ``"bad"`` not to be relied on.
    source
        The attribute or the part of the program that the answer comes from.
    """

    question: str
    answer: str
    state: State
    source: str = ""


def kinds_of(plan: StackPlan) -> set[str]:
    """Return the kinds of the problems of a plan."""
    return {problem.kind for problem in plan.problems}


def is_dicom(plan: StackPlan) -> bool:
    """Return whether the images come from DICOM files."""
    return plan.planes[0].instance.file_format == "dicom"


def format_name(plan: StackPlan) -> str:
    """Return the name of the format of the files when it is not DICOM."""
    name = plan.planes[0].instance.file_format
    return _FORMATS.get(name, name)


def mm_text(value: float) -> str:
    """Return millimetres with as many digits as a positions has."""
    return f"{round(float(value), 4) + 0.0:.5g}"
