"""What can go wrong with the files of an export, by name: a process hands on the name alone.

The sentence is made where the reader's language is known.
"""

from __future__ import annotations

from typing import Literal, get_args

from resources.problem import Problem
from resources.text import translate

Kind = Literal["headers", "unreadable", "misread", "unstartable", "ended"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class FileProblem(Problem):
    """A problem of one of ``KINDS``.

    Parameters
    ----------
    kind
        ``"headers"`` do not allow a segmentation, a source is ``"unreadable"``, a file was
        ``"misread"`` in the check; the process that writes is ``"unstartable"`` or ``"ended"``.
    name
        Of the exported file, where one is meant.
    detail
        For the log. No patient data.
    """

    def __init__(self, kind: Kind, detail: str = "", *, name: str = "") -> None:
        sentence, remedy = _words(kind, name)
        super().__init__(sentence, remedy, detail)
        self.kind = kind
        self.name = name


def errno_of(error: OSError) -> int | None:
    """Return the number of an error, or of what it came from: pydicom wraps one without it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno is not None:
            return found.errno
        found = found.__cause__
    return None


def _words(kind: Kind, name: str) -> tuple[str, str]:
    if kind == "headers":
        return (
            translate("export", "The headers of this series do not allow a DICOM segmentation."),
            translate(
                "export", "Correct the series in the archive it came from and open it again."
            ),
        )
    if kind == "unreadable":
        return (
            translate("export", "A file of the series can no longer be read."),
            translate("export", "Put the study back where it was opened from and try again."),
        )
    if kind == "misread":
        return (
            translate("export", "The file {name} did not read back as it was written.").format(
                name=name
            ),
            translate("export", "Nothing was exported; try another disk, and report this."),
        )
    if kind == "unstartable":
        return (
            translate("export", "The process that writes an export could not be started."),
            translate("export", "Close other programs, then export the case again."),
        )
    return (
        translate("export", "The process that writes the export ended before it was done."),
        translate(
            "export",
            "Nothing was exported and your work is safe. "
            "If memory is short, close other programs; then export the case again.",
        ),
    )
