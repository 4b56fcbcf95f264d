"""Where an export goes, and how it gets there in one move."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import time
from pathlib import Path

from resources.problem import Problem
from resources.text import translate
from viewer.export.documents import MANIFEST_FORMAT
from viewer.export.formats import FILES

MANIFEST = "manifest.json"
DEIDENTIFICATION = "deidentification.json"
"""What was removed, kept and why, where identity was taken out."""
NAMES = (
    *(name for files in FILES.values() for name in files),
    "findings.json",
    DEIDENTIFICATION,
    MANIFEST,
)
# Lies beside files that are being replaced: they are ours though no manifest tells of them.
REPLACING = ".replacing.json"
# What ``part_of`` makes. An export takes seconds to minutes: one that nothing was written to
# for a day was killed.
_PART = re.compile(r"\..+\.[0-9a-f]{12}\.part")
_OLD_S = 24 * 3600.0


def part_of(folder: Path) -> Path:
    """Return a new hidden folder beside ``folder`` in which an export is put together."""
    return folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.part")


def sweep(parent: Path) -> None:
    """Remove what killed exports left in ``parent``, when it is surely ours and a day old.

    Only a folder with a name of ``part_of`` that holds nothing but files with our names goes;
    what cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(parent)):
            if _PART.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    if _left_behind(entry):
                        shutil.rmtree(entry.path, ignore_errors=True)


def _left_behind(entry: os.DirEntry[str]) -> bool:
    if not entry.is_dir(follow_symlinks=False):
        return False
    inside = list(os.scandir(entry.path))
    if not all(e.name in NAMES and e.is_file(follow_symlinks=False) for e in inside):
        return False
    times = [e.stat(follow_symlinks=False).st_mtime for e in (entry, *inside)]
    return max(times) < time.time() - _OLD_S


def check(folder: Path, *, replace: bool) -> None:
    """Refuse a folder in which an export would destroy or mix something.

    Raises
    ------
    Problem
        When ``folder`` is a file; when it holds anything and ``replace`` is not set; when it
        holds files with our names that no export of this program made.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise Problem(
            translate("export", "{folder} is a file, not a folder.").format(folder=folder),
            translate("export", "Choose another name for the export."),
        )
    try:
        inside = {entry.name for entry in os.scandir(folder)}
    except OSError as error:
        raise Problem(
            translate("export", "The folder {folder} cannot be read.").format(folder=folder),
            translate("export", "Choose a folder of your own."),
            f"{type(error).__name__} errno {error.errno}",
        ) from error
    if inside and not replace:
        raise Problem(
            translate("export", "The folder {folder} already holds files.").format(folder=folder),
            translate("export", "Choose a new or an empty folder; nothing was overwritten."),
        )
    if inside & set(NAMES) and not _ours(folder):
        raise Problem(
            translate(
                "export", "The folder {folder} holds files of these names from elsewhere."
            ).format(folder=folder),
            translate("export", "Choose a new or an empty folder; nothing was overwritten."),
        )


def settle(part: Path, folder: Path) -> None:
    """Give a finished folder its name.

    A folder that is not there, or empty, appears whole. In one that holds an earlier export
    the manifest goes first and comes last, so that a manifest always tells the truth of the
    files beside it, even when the machine stops between; the next export then takes the folder.
    """
    if folder.is_dir() and any(folder.iterdir()):
        with (folder / REPLACING).open("wb") as stream:
            stream.write((part / MANIFEST).read_bytes())
            stream.flush()
            os.fsync(stream.fileno())
        (folder / MANIFEST).unlink(missing_ok=True)
        made = {entry.name for entry in part.iterdir()}
        for name in NAMES:
            if name == MANIFEST:
                continue
            if name in made:
                (part / name).replace(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
        (part / MANIFEST).replace(folder / MANIFEST)
        (folder / REPLACING).unlink()
        flush(folder)
        return
    if folder.is_dir():
        folder.rmdir()
    part.rename(folder)
    flush(folder.parent)


def _ours(folder: Path) -> bool:
    return any(_is_manifest(folder / name) for name in (MANIFEST, REPLACING))


def _is_manifest(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("format") == MANIFEST_FORMAT


def flush(folder: Path) -> None:
    """Make new names last through a power cut, where the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
