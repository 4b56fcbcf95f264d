"""The directory of a medium (PS3.3 Annex F): which files it names, and where they truly lie."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from resources.text import translate
from viewer.study import plain_header, syntax
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.header import Unusable
from viewer.study.quiet import hush

# Some 100,000 images; a directory of more is a bomb.
_MAX_BYTES = 64 << 20


def is_one(path: Path) -> bool:
    """Return whether a file is such a directory, by its content."""
    try:
        with path.open("rb") as stream:
            _, media, _ = plain_header.meta(stream)
    except (OSError, struct.error, plain_header.Surprise):
        return False
    return media == plain_header.MEDIA_DIRECTORY


def files(
    path: Path, cancelled: CancelCheck | None = None
) -> tuple[list[Path], list[tuple[str, str]]]:
    """Find the files that a DICOMDIR names.

    Parameters
    ----------
    path
        Of a file that ``is_one``.
    cancelled
        Asked before each file.

    Returns
    -------
    list of Path
        Each once, in the order of the directory; all lie below its folder, also when links
        are followed.
    list of (str, str)
        Name and translated reason of those that do not, or are not there.

    Raises
    ------
    Unusable
        When the directory cannot be read.
    OSError
        When the system does not hand it out.
    """
    root = path.parent
    inside = root.resolve()
    finder = _Finder(root)
    found: dict[Path, None] = {}
    skipped: list[tuple[str, str]] = []
    for parts in _identifiers(path):
        stop_if(cancelled)
        name = "".join(c if c.isprintable() else "?" for c in "/".join(parts)).lstrip("/") or "?"
        if any(part in (".", "..") or set(part) & set("/\\:\0") for part in parts):
            skipped.append((name, translate("study", "It does not lie on the medium.")))
            continue
        file = finder.find(parts)
        try:
            if file is None or not file.exists():
                skipped.append(
                    (
                        name,
                        translate(
                            "study", "The directory of the medium names it, but it is not there."
                        ),
                    )
                )
            elif not file.resolve().is_relative_to(inside):
                skipped.append((name, translate("study", "It does not lie on the medium.")))
            elif not file.is_file():
                skipped.append((name, translate("study", "This is not a regular file.")))
            else:
                found[file] = None
        except OSError:
            skipped.append((name, translate("study", "The file cannot be read.")))
    return list(found), skipped


def _identifiers(path: Path) -> Iterator[list[str]]:
    """Yield Referenced File ID (0004,1500) of each record, in parts."""
    if path.stat().st_size > _MAX_BYTES:
        raise Unusable(translate("study", "The directory of the medium is too large."))
    with path.open("rb") as stream:
        name, _, _ = plain_header.meta(stream)
    if name == syntax.DEFLATED_LITTLE:
        # PS3.10 8.6 wants it plain; pydicom would inflate a bomb at once.
        raise _damaged()
    import pydicom

    hush()
    try:
        data = pydicom.dcmread(path, specific_tags=["DirectoryRecordSequence"])
        records = list(data.get("DirectoryRecordSequence") or [])
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged() from None
    except Exception:
        raise _damaged() from None
    for record in records:
        parts = _parts(record)
        if parts:
            yield parts


def _parts(record: Any) -> list[str]:
    try:
        value = record.get("ReferencedFileID")
    except Exception:
        return []  # a damaged record; the others may be whole
    if not value:
        return []
    several = [value] if isinstance(value, str) else list(value)
    return [str(part) for part in several if str(part)]


def _damaged() -> Unusable:
    return Unusable(translate("study", "The directory of the medium is damaged."))


class _Finder:
    """Finds files by names as media have them: in any case, with a version number or not."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._listed: dict[Path, dict[str, str]] = {}

    def find(self, parts: list[str]) -> Path | None:
        """Return the path of a file identifier, or None."""
        path = self._root
        for part in parts:
            exact = path / part
            if not os.path.lexists(exact):
                name = self._names(path).get(_plain(part))
                if name is None:
                    return None
                exact = path / name
            path = exact
        return path

    def _names(self, folder: Path) -> dict[str, str]:
        if folder not in self._listed:
            try:
                names = sorted(os.listdir(folder))  # noqa: PTH208
            except OSError:
                names = []
            self._listed[folder] = {_plain(name): name for name in reversed(names)}
        return self._listed[folder]


def _plain(name: str) -> str:
    """Return a name without case and without what ISO 9660 adds: ``IM0001.;1``."""
    return name.casefold().partition(";")[0].rstrip(".")
