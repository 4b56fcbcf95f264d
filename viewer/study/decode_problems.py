"""Why an image has no pixels to show: what is said when decoding fails."""

from __future__ import annotations

from resources.problem import Problem
from resources.text import translate
from viewer.study.series import InstanceHeader


def undecodable(instance: InstanceHeader, kind: str, detail: str = "") -> Problem:
    """Return the problem of a file whose pixels cannot be decoded.

    Parameters
    ----------
    instance
        Which file.
    kind
        Why: a kind of failure of the decoding process.
    detail
        For the log; no text of the file.
    """
    name = instance.name
    sentences = {
        "size": translate(
            "study", "The file {name} contradicts itself about the size of its image."
        ),
        "twice": translate("study", "The file {name} holds two images in one place."),
        "bits": translate("study", "The image in {name} keeps its values in unusual bits."),
        "syntax": translate(
            "study", "The file {name} contradicts itself about the compression of its image."
        ),
        "colour": translate("study", "The colours of the image in {name} are of an unknown kind."),
        "palette": translate("study", "The file {name} holds no usable palette for its colours."),
        "memory": translate(
            "study", "The image in {name} cannot be decoded: it asks for too much memory."
        ),
        "time": translate("study", "The image in {name} cannot be decoded: it takes too long."),
        "crash": translate("study", "The image in {name} cannot be decoded: the decoder failed."),
    }
    other = translate(
        "study",
        "The image in {name} cannot be decoded: its data are damaged or of an unsupported kind.",
    )
    return Problem(
        sentences.get(kind, other).format(name=name),
        translate("study", "Copy the study again, or ask for it uncompressed."),
        f"{kind} {detail} {instance.transfer_syntax}",
    )


def unreadable(instance: InstanceHeader, detail: str, errno: object) -> Problem:
    """Return the problem of a file that the system does not hand out."""
    return Problem(
        translate("study", "The file {name} cannot be read.").format(name=instance.name),
        translate("study", "Check that the medium is still connected, then open the study again."),
        f"{detail} {errno}",
    )


def unstartable(error: OSError) -> Problem:
    """Return the problem of a decoding process that does not come up."""
    return Problem(
        translate("study", "The decoder of compressed images cannot be started."),
        translate("study", "Close other programs, then open the study again."),
        f"{type(error).__name__} {error.errno}",
    )
