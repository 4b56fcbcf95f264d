"""Writing one case for others: DICOM, NIfTI, findings, manifest, each checked. No Qt.

The DICOM libraries are slow to import; they are first touched when an export begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from viewer.export.formats import DEFAULT, Format

if TYPE_CHECKING:
    from viewer.export.bundle import ExportReport, Write
    from viewer.export.snapshot import CaseSnapshot


def export_case(
    snapshot: CaseSnapshot,
    folder: Path,
    *,
    replace: bool = False,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    apart: bool = False,
    formats: Sequence[Format] = DEFAULT,
) -> ExportReport:
    """Write one case; see ``viewer.export.bundle.export_case``.

    ``apart`` has the files written by a process of its own, for a window that is not to wait.
    """
    from viewer.export import bundle

    write: Write | None = None
    if apart:
        from viewer.export.apart import write_all

        write = write_all
    return bundle.export_case(
        snapshot,
        folder,
        replace=replace,
        progress=progress,
        cancelled=cancelled,
        write=write,
        formats=formats,
    )
