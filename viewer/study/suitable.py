"""Whether the pixels of a stack are of a kind that this program reads as a volume."""

from __future__ import annotations

from collections.abc import Sequence

from resources.problem import Problem
from resources.text import translate
from viewer.study import syntax
from viewer.study.series import InstanceHeader, Series
from viewer.study.spacing import GeometryProblem

MAX_VOXELS = 4 << 30
MAX_FRAME_PIXELS = 16384 * 16384
_READ = syntax.PLAIN | syntax.ENCAPSULATED | {syntax.DEFLATED_LITTLE, syntax.EXPLICIT_BIG}


def refusal(
    series: Series, instances: Sequence[InstanceHeader], problems: list[GeometryProblem]
) -> Problem | None:
    """Return why the pixels cannot be read, or None; a file that is cut short is told too.

    Parameters
    ----------
    series
        The whole series, for what must hold of all its files.
    instances
        Those of the stack, one a frame.
    problems
        Gets what a reader should know.
    """
    first = instances[0]
    if len({instance.patient_key for instance in series.instances}) > 1:
        text = translate("study", "The series mixes images of more than one patient.")
        problems.append(GeometryProblem("mixed-patients", text))
        return Problem(text, translate("study", "Ask for the study again from where it was made."))
    short = next((instance for instance in instances if instance.cut_short), None)
    if short is not None:
        text = translate("study", "The file {name} is cut short.").format(name=short.path.name)
        problems.append(GeometryProblem("cut-short", text))
        return Problem(text, translate("study", "Copy the study again from where it came from."))
    reason = _kind(first)
    if reason is None:
        unread = next((i for i in instances if i.transfer_syntax not in _READ), None)
        if unread is not None:
            reason = translate("study", "The compression {uid} is not supported.").format(
                uid=unread.transfer_syntax
            )
    if reason is None:
        frame = first.rows * first.columns
        if frame > MAX_FRAME_PIXELS or frame * len(instances) > MAX_VOXELS:
            reason = translate("study", "The series is too large to be opened.")
    if reason is None:
        return None
    return Problem(reason, translate("study", "Choose another series of the study."))


def _kind(first: InstanceHeader) -> str | None:
    if first.samples_per_pixel != 1 or not first.photometric.startswith("MONOCHROME"):
        return translate("study", "Colour images cannot be read as a volume.")
    if first.bits_allocated not in (8, 16, 32) or first.bits_stored > 32:
        return translate("study", "Pixels of {bits} bits cannot be read as a volume.").format(
            bits=first.bits_allocated
        )
    if first.has_modality_lut:
        return translate("study", "Images with a modality look-up table cannot be read yet.")
    return None
