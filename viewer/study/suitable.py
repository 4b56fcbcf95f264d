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
_READ = syntax.NATIVE | syntax.ENCAPSULATED
_SAMPLES = {
    **dict.fromkeys(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"), 1),
    **dict.fromkeys(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"), 3),
}
"""Samples per Pixel of what can be shown, by Photometric Interpretation."""
_CELLS = {0: (8, 16), 1: (1, 8, 16, 32, 64), 3: (8, 16, 32)}
"""Bits Allocated that are read: of palettes (0), of greyscale (1) and of colours (3)."""
_MAX_RATIO = 200
_SMALL_BYTES = 64 << 20


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
    """Return why the pixels of one file cannot be read, or None; told before any is.

    Sizes are held against a cap and against the bytes that are there before anybody believes
    them with memory.
    """
    if instance.file_format != "dicom":
        return None  # its reader has judged it
    if instance.cut_short or _declares_more(instance):
        return cut_short(instance)
    reason = _kind(instance) or _size(instance)
    if reason is None and instance.transfer_syntax not in _READ:
        reason = translate(
            "study", "The image in {name} has the compression {uid}, which is not supported."
        ).format(name=instance.name, uid=instance.transfer_syntax[:64] or "?")
    return None if reason is None else _other(reason)


def _declares_more(instance: InstanceHeader) -> bool:
    """Return whether the native pixels reach behind the end of the file, padding apart."""
    end = (instance.pixel_offset or 0) + (instance.pixel_length or 0)
    return end > instance.file_size + 1


def cut_short(instance: InstanceHeader) -> Problem:
    """Return the problem of a file that ends before its pixels do."""
    return Problem(
        translate("study", "The file {name} is cut short.").format(name=instance.name),
        translate("study", "Copy the study again from where it came from."),
        instance.transfer_syntax,
    )


def _other(reason: str) -> Problem:
    return Problem(reason, translate("study", "Choose another series of the study."))


def _kind(instance: InstanceHeader) -> str | None:
    name, stored, high = instance.name, instance.bits_stored, instance.high_bit
    samples = _SAMPLES.get(instance.photometric)
    if samples is None:
        return translate(
            "study", "The image in {name} is of an unknown kind of colour: {kind}."
        ).format(name=name, kind=instance.photometric[:16])
    if samples != instance.samples_per_pixel:
        return translate("study", "The file {name} contradicts itself about its colours.").format(
            name=name
        )
    allowed = _CELLS[samples if instance.photometric != "PALETTE COLOR" else 0]
    # Only float pixels, which have no Bits Stored, may be so wide.
    wide = instance.bits_allocated == 64 and instance.pixel_offset is not None
    if instance.bits_allocated not in allowed or wide:
        return translate("study", "The image in {name} has pixels of {bits} bits.").format(
            name=name, bits=instance.bits_allocated
        )
    if high >= instance.bits_allocated or (high >= stored and samples != 1):
        # Other than today's standard wants it (PS3.5 8.1.1), and programs disagree whether
        # such values are shifted: read either way, they may be wrong by a power of two. What
        # fits its cell, the decoder looks at.
        return translate(
            "study", "The image in {name} keeps its values in unusual bits of a pixel."
        ).format(name=name)
    return None


def _size(instance: InstanceHeader) -> str | None:
    if instance.rows * instance.columns > MAX_FRAME_PIXELS:
        return translate(
            "study", "The image in {name} is too large to be opened: {columns} x {rows} pixels."
        ).format(name=instance.name, columns=instance.columns, rows=instance.rows)
    whole = (instance.frame_bits * instance.n_frames + 7) // 8
    if (instance.pixel_length or 0) >= 2 * whole:
        # Padding is less (PS3.5 8.1.1, Annex A): the size or the number of frames is wrong.
        return translate(
            "study", "The file {name} holds several times the pixels that it names."
        ).format(name=instance.name)
    if _least_bytes(instance) > instance.file_size:
        return translate(
            "study", "The file {name} is too small for an image of the size that it names."
        ).format(name=instance.name)
    return None


def _least_bytes(instance: InstanceHeader) -> int:
    """Return how many bytes a file of this syntax has at least; a smaller one lies."""
    frame, name = instance.frame_bits // 8, instance.transfer_syntax
    pixels = instance.rows * instance.columns
    if name == syntax.DEFLATED_LITTLE:
        # Deflate reaches 1032 : 1, pictures do not: what promises more is a bomb.
        whole = frame * instance.n_frames
        return whole // _MAX_RATIO if whole > _SMALL_BYTES else 0
    if name in syntax.NATIVE:
        return frame * instance.n_frames
    if name == syntax.RLE:
        each = 8 + 64 + frame // 64  # PS3.5 Annex G: at best two bytes for 128
    elif name in syntax.JPEG:
        each = 8 + pixels // 256  # two bits a block of 8 x 8
    elif name in syntax.JPEG_LOSSLESS:
        each = 8 + pixels * instance.samples_per_pixel // 8  # a bit a sample
    else:
        each = 8 + 40
    return each * instance.n_frames
