"""Whether the pixels of a stack are of a kind that this program reads as a volume."""

from __future__ import annotations

from collections.abc import Sequence

from resources.problem import Problem
from resources.text import translate
from viewer.study import syntax
from viewer.study.series import InstanceHeader, Series
from viewer.study.spacing import GeometryProblem

# Far above what scanners make; beyond it a header lies, and is not believed with memory.
MAX_VOXELS = 4 << 30
MAX_FRAME_PIXELS = 8192 * 8192
_READ = syntax.PLAIN | syntax.ENCAPSULATED | {syntax.DEFLATED_LITTLE, syntax.EXPLICIT_BIG}


def refusal(
    series: Series,
    instances: Sequence[InstanceHeader],
    n_planes: int,
    problems: list[GeometryProblem],
) -> Problem | None:
    """Return why the pixels cannot be read, or None; a file that is cut short is told too.

    Parameters
    ----------
    series
        The whole series, for what must hold of all its files.
    instances
        Those of the stack, each once.
    n_planes
        Number of planes of the stack.
    problems
        Gets what a reader should know.
    """
    if len({instance.patient_key for instance in series.instances}) > 1:
        text = translate("study", "The series mixes images of more than one patient.")
        problems.append(GeometryProblem("mixed-patients", text))
        return Problem(text, translate("study", "Ask for the study again from where it was made."))
    for instance in instances:
        if instance.cut_short:
            problem = cut_short(instance)
            problems.append(GeometryProblem("cut-short", problem.sentence))
            return problem
    for instance in instances:
        problem_of_one = pixels_refusal(instance)
        if problem_of_one is not None:
            return problem_of_one
    if instances[0].rows * instances[0].columns * n_planes > MAX_VOXELS:
        return _other(translate("study", "The series is too large to be opened."))
    return None


def pixels_refusal(instance: InstanceHeader) -> Problem | None:
    """Return why the pixels of one file cannot be read, or None; told before any is."""
    if instance.cut_short:
        return cut_short(instance)
    reason = _kind(instance)
    if reason is None and instance.transfer_syntax not in _READ:
        reason = translate("study", "The compression {uid} is not supported.").format(
            uid=instance.transfer_syntax
        )
    if reason is None and instance.rows * instance.columns > MAX_FRAME_PIXELS:
        reason = translate("study", "The images are too large to be opened.")
    return None if reason is None else _other(reason)


def cut_short(instance: InstanceHeader) -> Problem:
    """Return the problem of a file that ends before its pixels do."""
    return Problem(
        translate("study", "The file {name} is cut short.").format(name=instance.path.name),
        translate("study", "Copy the study again from where it came from."),
        instance.transfer_syntax,
    )


def _other(reason: str) -> Problem:
    return Problem(reason, translate("study", "Choose another series of the study."))


def _kind(first: InstanceHeader) -> str | None:
    if first.samples_per_pixel != 1 or not first.photometric.startswith("MONOCHROME"):
        return translate("study", "Colour images cannot be read as a volume.")
    if first.bits_allocated not in (8, 16, 32) or first.bits_stored > 32:
        return translate("study", "Pixels of {bits} bits cannot be read as a volume.").format(
            bits=first.bits_allocated
        )
    if first.high_bit >= first.bits_stored and first.transfer_syntax not in syntax.ENCAPSULATED:
        # Other than today's standard wants it (PS3.5 8.1.1), and programs disagree whether
        # such values are shifted: read either way, they may be wrong by a power of two.
        return translate("study", "The images keep their values in unusual bits of a pixel.")
    if first.has_modality_lut:
        return translate("study", "Images with a modality look-up table cannot be read yet.")
    return None
