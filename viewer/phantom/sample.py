"""The sample study: made on first use, kept in the cache, no patient behind it."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from resources.problem import Problem
from resources.text import translate
from viewer import folders
from viewer.phantom.anatomy import Phantom, PhantomSpec, make_phantom
from viewer.phantom.dicom import write_series

Progress = Callable[[int, int], None]

VERSION = "1"
_LIST = "sample-study.json"


def sample_spec() -> PhantomSpec:
    """Return the spec of the sample study; its nodules are the truth about it."""
    return PhantomSpec()


def sample_folder() -> Path:
    """Return where the sample study lies, or will lie."""
    return folders.cache_dir() / f"sample-study-{VERSION}"


def sample_truth() -> Phantom:
    """Make the sample study's phantom again, in memory, with its masks; takes seconds."""
    return make_phantom(sample_spec())


def sample_study(progress: Progress | None = None) -> Path:
    """Return the folder of the sample study, a chest CT, making it when it is not there.

    Parameters
    ----------
    progress
        Called with (steps done, steps) while it is made, not when it lies in the cache.

    Raises
    ------
    Problem
        When the cache folder cannot be written.

    Notes
    -----
    A list of every file's hash lies beside the images and is compared each time, which takes
    a tenth of a second: a study that was cut short or changed is made again.
    """
    try:
        folder = sample_folder()
    except OSError as error:
        raise Problem(
            translate("phantom", "The folder for the sample study cannot be made."),
            translate("phantom", "Check the disk and the permissions of the cache folder."),
            repr(error),
        ) from error
    if not _complete(folder):
        try:
            _make(folder, progress)
        except OSError as error:
            raise Problem(
                translate("phantom", "The sample study could not be written."),
                translate(
                    "phantom",
                    "Free about {megabytes} MB of disk space or check the permissions of {folder}.",
                ).format(megabytes=80, folder=folder.parent),
                repr(error),
            ) from error
    return folder / "images"


def _make(folder: Path, progress: Progress | None) -> None:
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}")
    count = sample_spec().shape_kji[0]

    def step(offset: int) -> Progress | None:
        if progress is None:
            return None
        return lambda done, _total: progress(offset + done, 2 * count)

    try:
        phantom = make_phantom(sample_spec(), step(0))
        paths = write_series(phantom, part / "images", progress=step(count))
        listed = [_entry(path) for path in paths]
        (part / _LIST).write_text(json.dumps({"files": listed}, indent=1), encoding="utf-8")
        _put_in_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _put_in_place(part: Path, folder: Path) -> None:
    if folder.exists():
        # A damaged one: moved aside first, so that a kill between leaves no mix of two.
        old = part.with_name(f"{part.name}.old")
        folder.replace(old)
        shutil.rmtree(old, ignore_errors=True)
    try:
        part.replace(folder)
    except OSError:
        # Another program that started at the same time was first; its study is the same.
        if not _complete(folder):
            raise


def _entry(path: Path) -> dict[str, str]:
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _complete(folder: Path) -> bool:
    try:
        listed = json.loads((folder / _LIST).read_text(encoding="utf-8"))["files"]
        paths = sorted((folder / "images").iterdir())
        names = sorted(entry["name"] for entry in listed)
        if not names or names != [path.name for path in paths]:
            return False
        hashes = {entry["name"]: entry["sha256"] for entry in listed}
        return all(_entry(path)["sha256"] == hashes[path.name] for path in paths)
    except (OSError, ValueError, KeyError, TypeError):
        return False
