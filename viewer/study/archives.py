"""Unpacking ZIP and tar archives that nobody vouches for, into a private folder.

Members are numbered: no name out of an archive ever reaches the disk. What comes out is
counted while it is inflated; what the archive says of its sizes is not asked.
"""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from resources.text import translate
from viewer.study import inflate, scratch, unpacking
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.scratch import Scratch
from viewer.study.unpacking import (
    CHUNK,
    Job,
    Progress,
    Refused,
    clean,
    damaged,
    outside,
    reason_empty,
    reason_link,
    reason_outside,
    reason_special,
    shown,
    too_many,
)

_DIRECTORY_LIMIT = 128 << 20
_LONG_NAME = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True, repr=False)
class Unpacked:
    """What came out of an archive.

    Attributes
    ----------
    members
        Pairs of where a member lies now and its name in the archive.
    skipped
        Pairs of the name of a member that was left out and the translated reason.
    scratch
        The private folder; closing it removes the members.
    """

    members: tuple[tuple[Path, str], ...]
    skipped: tuple[tuple[str, str], ...]
    scratch: Scratch


def kind(path: Path) -> str:
    """Return ``"zip"``, ``"tar"``, or empty for what is no archive; told by the content.

    A compressed file is looked into as far as a tar archive must show itself.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(512)
            if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                return "zip"
            compression = inflate.compression(start)
            if compression:
                stream.seek(0)
                start = inflate.Inflating(stream, compression).read(512)
    except (OSError, inflate.Damaged):
        return ""
    return "tar" if _is_tar(start) else ""


def _is_tar(block: bytes) -> bool:
    if len(block) < 512 or not block[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def unpack(
    path: Path,
    *,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Unpacked:
    """Unpack one archive.

    Parameters
    ----------
    path
        Of a file that ``kind`` says is an archive.
    progress
        Called with what is done and all there is, in units of no meaning.
    cancelled
        Asked for each MB.

    Returns
    -------
    Unpacked
        Members that are encrypted, links, devices, or that would lie outside of the folder
        are not in it but in its ``skipped``.

    Raises
    ------
    Refused
        When the archive is damaged as a whole or beyond one of the limits above.
    Cancelled
        When ``cancelled`` says so.
    OSError
        When the archive cannot be read. After any of these nothing is left on the disk.
    """
    room = Scratch()
    try:
        job = Job(room, path.stat().st_size, progress, cancelled)
        with path.open("rb") as stream:
            if kind(path) == "zip":
                _unzip(job, stream)
            else:
                _untar(job, stream)
        return Unpacked(tuple(job.members), tuple(job.skipped), room)
    except BaseException:
        room.close()
        raise


# ------------------------------------------------------------------------------- ZIP


class _Guarded(io.RawIOBase):
    """Lets ``zipfile`` read no directory that lists too much: it believes any size."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            here = self._stream.tell()
            size = self._stream.seek(0, 2) - here
            self._stream.seek(here)
        if size > _DIRECTORY_LIMIT:
            raise Refused(too_many())
        data = self._stream.read(size)
        if size > 46 * unpacking.MAX_ENTRIES and data.count(b"PK\x01\x02") > unpacking.MAX_ENTRIES:
            raise Refused(too_many())
        return data


def _unzip(job: Job, stream: BinaryIO) -> None:
    try:
        archive = zipfile.ZipFile(_Guarded(stream))
    except (Refused, MemoryError):
        raise
    except Exception:
        raise damaged() from None
    with closing(archive):
        infos = archive.infolist()
        for done, info in enumerate(infos):
            job.entry()
            if job.progress is not None:
                job.progress(done, len(infos))
            reason = _zip_reason(info)
            if reason:
                job.skip(info.orig_filename, reason)
            elif reason is None:
                try:
                    source = archive.open(info)
                except (OSError, MemoryError, Refused):
                    raise
                except Exception:
                    job.skip(
                        info.orig_filename,
                        translate("study", "The file is damaged inside the archive."),
                    )
                    continue
                with source:
                    job.take(info.orig_filename, source)


def _zip_reason(info: zipfile.ZipInfo) -> str | None:
    """Return why a member is left out, empty when it needs no word, None when it is taken."""
    if outside(info.orig_filename) or outside(info.filename):
        return reason_outside()
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return reason_link()
    if info.is_dir() or stat.S_ISDIR(mode):
        return ""
    if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
        return reason_special()
    if info.flag_bits & 1:
        return translate("study", "It is encrypted: unpack it with its password first.")
    if info.compress_type not in _METHODS:
        # Those of bzip2 and LZMA cannot be inflated in bounded steps by zipfile.
        return translate("study", "It is compressed in a way that is not opened from an archive.")
    return None if info.compress_size else reason_empty()


# ------------------------------------------------------------------------------- tar


class _Counted:
    """Hands the unpacked bytes of a tar archive to ``tarfile``, each of them counted."""

    def __init__(self, job: Job, stream: BinaryIO, compression: str) -> None:
        self._job = job
        self._stream = stream
        self._inflating = inflate.Inflating(stream, compression)

    def read(self, size: int) -> bytes:
        data = self._inflating.read(size)
        self._job.count(len(data))
        return data


def _untar(job: Job, stream: BinaryIO) -> None:
    compression = inflate.compression(stream.read(16))
    stream.seek(0)
    source: Any = _Counted(job, stream, compression)
    try:
        with tarfile.open(
            fileobj=source, mode="r|", tarinfo=_member_type(job), errorlevel=1, bufsize=1 << 20
        ) as archive:
            for info in _infos(archive):
                if job.progress is not None:
                    job.progress(min(stream.tell(), job.packed), job.packed)
                _take_tar(job, archive, info)
    except (tarfile.TarError, inflate.Damaged, EOFError):
        # What came before the damage is whole.
        if not job.members:
            raise damaged() from None
        job.skip("…", translate("study", "The archive is damaged or cut short."))


def _infos(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (info := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # it would keep them all
        yield info


def _member_type(job: Job) -> type[tarfile.TarInfo]:
    """Return a ``TarInfo`` that reads no name or attribute of any length into memory."""
    long = {
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    }
    said = 0

    class Member(tarfile.TarInfo):
        def _proc_member(self, archive: tarfile.TarFile) -> Any:
            nonlocal said
            job.entry()
            if self.type in long:
                if self.type == tarfile.XGLTYPE:
                    said += self.size
                if self.size > _LONG_NAME or said > _LONG_NAME:
                    raise damaged()
            elif self.type == tarfile.GNUTYPE_SPARSE:
                raise Refused(
                    translate("study", "The archive was not opened: it holds sparse files.")
                )
            return super()._proc_member(archive)  # type: ignore[misc]

    return Member


def _take_tar(job: Job, archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
    if info.isdir():
        return
    reason = None
    if outside(info.name):
        reason = reason_outside()
    elif info.issym() or info.islnk():
        reason = reason_link()
    elif not info.isreg() or info.issparse():
        reason = reason_special()
    elif not info.size:
        reason = reason_empty()
    else:
        try:
            tarfile.data_filter(info, str(job.room.folder))
        except tarfile.FilterError:
            reason = reason_outside()
    if reason is not None:
        job.skip(info.name, reason)
        return
    source = archive.extractfile(info)
    if source is None:
        return
    path = job.room.new_file(job.entries, clean(info.name))
    try:
        with scratch.create(path) as target:
            # These bytes were counted when tarfile got them.
            while data := source.read(CHUNK):
                stop_if(job.cancelled)
                target.write(data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    job.members.append((path, shown(info.name)))
