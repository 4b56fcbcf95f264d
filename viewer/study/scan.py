"""From files, folders and archives to series: headers only, in any order, from anywhere."""

from __future__ import annotations

import errno
import filecmp
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from resources.problem import Problem
from resources.text import translate
from viewer.study import dicomdir, scratch, sources
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.header import OtherObject, Raw, Unusable, integer, text
from viewer.study.series import InstanceHeader, PatientText, Series
from viewer.study.sources import Source
from viewer.study.words import words

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, repr=False)
class Skipped:
    """A file that was not taken, the translated reason, and what it is if it says so."""

    path: Path
    reason: str
    other: OtherObject | None = None

    def __repr__(self) -> str:
        # File names often hold the patient's name.
        return f"Skipped({self.reason!r})"


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What was found.

    Attributes
    ----------
    series
        By study, series number and UID.
    skipped
        By path.
    """

    series: tuple[Series, ...]
    skipped: tuple[Skipped, ...]


def scan(
    paths: Path | str | Iterable[Path | str],
    *,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> ScanResult:
    """Read the headers below ``paths`` and group the images by series.

    Parameters
    ----------
    paths
        Files and folders. Folders are searched to any depth, links out of them and link
        loops are not followed. A ZIP or tar archive given by its name stands for what it
        holds, a DICOMDIR for the files that it names.
    progress
        Called with the number of files read and of all files; while an archive is unpacked,
        with what is unpacked of it.
    cancelled
        Asked before each file, and for each MB that is unpacked.

    Returns
    -------
    ScanResult
        It may hold no series; see ``require_images``.

    Raises
    ------
    Problem
        When a path does not exist.
    Cancelled
        When ``cancelled`` says so.
    """
    skipped: list[Skipped] = []
    _sweep_once()
    files = _files(paths, skipped, progress, cancelled)
    found: dict[str, list[InstanceHeader]] = {}
    texts: dict[str, Raw] = {}
    voxels: set[Path] = set()
    for done, source in enumerate(files):
        stop_if(cancelled)
        if progress is not None:
            progress(done, len(files))
        try:
            one = sources.read(source, cancelled)
        except Unusable as unusable:
            if not unusable.quiet:
                other = unusable.other
                if other is not None:
                    other = replace(other, keeper=source.keeper)
                skipped.append(Skipped(source.shown, unusable.reason, other))
            continue
        except OSError:
            skipped.append(Skipped(source.shown, translate("study", "The file cannot be read.")))
            continue
        uid = one.instance.series_uid
        found.setdefault(uid, []).append(one.instance)
        texts.setdefault(uid, one.raw)
        if one.voxels is not None:
            voxels.add(one.voxels)
    if progress is not None:
        progress(len(files), len(files))
    if voxels:
        # The second half of an image is no file that was left out.
        halves = {source.shown for source in files if source.path in voxels}
        skipped = [each for each in skipped if each.path not in halves]
    series = [_series(_unique(each, skipped), texts[uid]) for uid, each in found.items()]
    series.sort(key=lambda s: (s.study_uid, s.series_number or 0, s.series_uid))
    return ScanResult(tuple(series), tuple(sorted(skipped, key=lambda s: str(s.path))))


def require_images(result: ScanResult, paths: Path | str | Iterable[Path | str]) -> ScanResult:
    """Return ``result``, or raise the ``Problem`` that it holds no image."""
    if result.series:
        return result
    names = ", ".join(str(path) for path in _several(paths))
    if result.skipped:
        remedy = translate(
            "study", "Choose a folder that holds a DICOM study. The first file skipped: {reason}"
        ).format(reason=result.skipped[0].reason)
    else:
        remedy = translate("study", "Choose a folder that holds a DICOM study.")
    raise Problem(
        translate("study", "No images were found in {path}.").format(path=names),
        remedy,
        f"{len(result.skipped)} files skipped",
    )


def files(
    paths: Iterable[Path],
    skipped: list[Skipped],
    *,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> list[Source]:
    """Return the files that ``scan`` looks into; what it cannot is added to ``skipped``."""
    _sweep_once()
    return _files(list(paths), skipped, progress, cancelled)


def _several(paths: Path | str | Iterable[Path | str]) -> list[Path]:
    return [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]


_swept = False


def _sweep_once() -> None:
    """Remove, once, what programs that were killed had unpacked."""
    global _swept
    if not _swept:
        _swept = True
        scratch.sweep()


def _files(
    paths: Path | str | Iterable[Path | str],
    skipped: list[Skipped],
    progress: Progress | None,
    cancelled: CancelCheck | None,
) -> list[Source]:
    found: dict[Path, Source] = {}
    for path in _several(paths):
        _require(path)
        if path.is_dir():
            for file in _walk(path, skipped, cancelled):
                found[file] = Source(file, file)
        elif path.is_file():
            for source in _named(path, skipped, progress, cancelled):
                found[source.path] = source
        else:
            skipped.append(Skipped(path, translate("study", "This is not a regular file.")))
    return list(found.values())


def _require(path: Path) -> None:
    try:
        there = path.exists()
    except OSError as error:
        # A name too long for the disk, or a folder above that may not be looked into.
        raise Problem(
            translate("study", "{path} cannot be read.").format(path=path),
            translate("study", "Check the name and the rights of the folder."),
            f"{type(error).__name__} errno {error.errno}",
        ) from error
    if not there:
        raise Problem(
            translate("study", "{path} does not exist.").format(path=path),
            translate("study", "Check the name, and that the medium is still connected."),
        )


def _named(
    path: Path, skipped: list[Skipped], progress: Progress | None, cancelled: CancelCheck | None
) -> list[Source]:
    """Return the files that a file given by its name stands for: itself, or what it holds."""
    start = _start(path)
    if start[128:132] == b"DICM":
        return _of_medium(path, skipped, cancelled) if dicomdir.is_one(path) else [_plain(path)]
    from viewer.study import archives, unpacking

    if not archives.kind(path):
        return [_plain(path)]
    try:
        unpacked = archives.unpack(path, progress=progress, cancelled=cancelled)
    except unpacking.Refused as refused:
        skipped.append(Skipped(path, refused.reason))
        return []
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = (
            translate("study", "The archive was not opened: the disk has no room for it.")
            if full
            else translate("study", "The file cannot be read.")
        )
        skipped.append(Skipped(path, reason))
        return []
    skipped += [Skipped(path / name, reason) for name, reason in unpacked.skipped]
    return [Source(file, path / name, unpacked.scratch) for file, name in unpacked.members]


def _plain(path: Path) -> Source:
    return Source(path, path)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(132)
    except OSError:
        return b""  # told when it is read


def _of_medium(path: Path, skipped: list[Skipped], cancelled: CancelCheck | None) -> list[Source]:
    try:
        files, missing = dicomdir.files(path, cancelled)
    except Unusable as unusable:
        skipped.append(Skipped(path, unusable.reason))
        return []
    except OSError:
        skipped.append(Skipped(path, translate("study", "The file cannot be read.")))
        return []
    skipped += [Skipped(path.parent / name, reason) for name, reason in missing]
    return [_plain(file) for file in files]


def _walk(root: Path, skipped: list[Skipped], cancelled: CancelCheck | None) -> Iterator[Path]:
    """Yield the regular files below ``root``, each folder once."""
    inside = root.resolve()
    seen: set[tuple[int, int]] = set()
    folders = [root]
    while folders:
        folder = folders.pop()
        stop_if(cancelled)
        try:
            info = folder.stat()
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            skipped.append(Skipped(folder, translate("study", "The folder cannot be read.")))
            continue
        # Bind mounts and Windows junctions are no links, yet may loop.
        if info.st_ino and (info.st_dev, info.st_ino) in seen:
            continue
        seen.add((info.st_dev, info.st_ino))
        below: list[Path] = []
        for entry in listed:
            path = Path(entry.path)
            kind = _kind(entry, inside)
            if kind == "folder":
                below.append(path)
            elif kind == "file":
                yield path
            elif kind == "link":
                skipped.append(Skipped(path, translate("study", "Links are not followed.")))
            else:
                skipped.append(Skipped(path, translate("study", "This is not a regular file.")))
        folders += reversed(below)


def _kind(entry: os.DirEntry[str], inside: Path) -> str:
    try:
        if entry.is_symlink():
            return "link"
        if entry.is_dir(follow_symlinks=False):
            # A junction (Windows) resolves elsewhere.
            real = Path(entry.path).resolve()
            return "folder" if os.name != "nt" or real.is_relative_to(inside) else "link"
        return "file" if entry.is_file(follow_symlinks=False) else "other"
    except OSError:
        return "other"


def _unique(instances: Sequence[InstanceHeader], skipped: list[Skipped]) -> list[InstanceHeader]:
    """Drop second copies by SOP Instance UID; each is told."""
    kept: dict[str, InstanceHeader] = {}
    rest: list[InstanceHeader] = []
    for instance in instances:
        uid = instance.sop_instance_uid
        if not uid:
            rest.append(instance)
        elif uid not in kept:
            kept[uid] = instance
        else:
            skipped.append(Skipped(instance.path, _copy_reason(kept[uid], instance)))
    return [*kept.values(), *rest]


def _copy_reason(first: InstanceHeader, second: InstanceHeader) -> str:
    try:
        alike = replace(first, path=second.path, given_name=second.given_name)
        same = alike == second and filecmp.cmp(first.path, second.path, shallow=False)
    except OSError:
        same = False
    if same:
        return translate("study", "This is a copy of {name}.").format(name=first.name)
    return translate(
        "study", "This has the identifier of {name}, but not the same content; the first is used."
    ).format(name=first.name)


def _series(instances: Sequence[InstanceHeader], raw: Raw) -> Series:
    first = instances[0]
    return Series(
        series_uid=first.series_uid,
        study_uid=first.study_uid,
        frame_of_reference_uid=first.frame_of_reference_uid,
        modality=first.modality,
        description=words(raw, 0x0008103E),
        study_description=words(raw, 0x00081030),
        laterality=text(raw, 0x00200060),
        body_part=text(raw, 0x00180015),
        patient_position=text(raw, 0x00185100),
        series_number=integer(raw, 0x00200011),
        series_date=text(raw, 0x00080021),
        patient=PatientText(
            name=words(raw, 0x00100010, name=True),
            id=words(raw, 0x00100020),
            sex=text(raw, 0x00100040),
            age=text(raw, 0x00101010),
            birth_date=text(raw, 0x00100030),
            study_date=text(raw, 0x00080020),
        ),
        instances=tuple(instances),
    )
