"""Archives that nobody vouches for: nothing outside, stopped at the limits, nothing left."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dicom_files import stored, write_stack
from viewer import folders
from viewer.study import archives, inflate, scratch, unpacking
from viewer.study.archives import unpack
from viewer.study.cancel import Cancelled
from viewer.study.unpacking import Refused

MB = 1 << 20


def everything(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*"))


@pytest.fixture(autouse=True)
def nothing_outside(tmp_path: Path, private_home: Path) -> Iterator[None]:
    """No test here may leave a file anywhere but in the archive's own folder."""
    beside = set(everything(tmp_path.parent))
    yield
    new = set(everything(tmp_path.parent)) - beside
    assert all(p.is_relative_to(tmp_path) or p.is_relative_to(private_home) for p in new)


def unpacked_files(home: Path) -> list[Path]:
    room = home / "cache" / "unpacked"
    return [path for path in everything(room) if path.is_file() and path.suffix != ".lock"]


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def tar_with(path: Path, *infos: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        for info in infos:
            archive.addfile(info)
        good = tarfile.TarInfo("good")
        good.size = 4
        archive.addfile(good, io.BytesIO(b"good"))
    return path


def test_members_come_out_under_numbers_in_a_private_folder(
    tmp_path: Path, private_home: Path
) -> None:
    path = zipped(tmp_path / "x", {"Doe^John/1": b"one", "Doe^John/2": b"two", "empty/": b""})
    assert archives.kind(path) == "zip"
    found = unpack(path)
    assert [(p.name, p.read_bytes(), name) for p, name in found.members] == [
        ("000001", b"one", "Doe^John/1"),
        ("000002", b"two", "Doe^John/2"),
    ]
    assert found.skipped == ()
    assert found.scratch.folder.is_relative_to(private_home)
    assert "Doe" not in "".join(map(str, everything(private_home)))
    if os.name == "posix":
        assert stat.S_IMODE(found.scratch.folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(p.stat().st_mode) for p, _ in found.members} == {0o600}
    found.scratch.close()
    assert unpacked_files(private_home) == []


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_archives_in_every_compression(tmp_path: Path, mode: str) -> None:
    members = {"a/1": b"x" * 3_000_000, "./b": os.urandom(70_000), "c" * 300: b""}
    path = tarred(tmp_path / "x", members, mode)
    assert archives.kind(path) == "tar"
    found = unpack(path)
    assert found.skipped == (("c" * 300, "The file is empty."),)
    assert {name: p.read_bytes() for p, name in found.members} | {"c" * 300: b""} == members


def test_the_folder_goes_when_nobody_uses_it_any_more(tmp_path: Path, private_home: Path) -> None:
    found = unpack(zipped(tmp_path / "x", {"a": b"1"}))
    assert len(unpacked_files(private_home)) == 1
    del found
    assert unpacked_files(private_home) == []


@pytest.mark.parametrize(
    "name",
    ["../out", "a/../../out", "/tmp/overread-out", "C:\\out", "c:/out", "..\\out", "\\\\host\\out"],
)
def test_names_that_lead_out_are_skipped_and_the_others_taken(tmp_path: Path, name: str) -> None:
    reason = "Its name leads out of the archive."
    # zipfile cleans names on the way in on some systems: put the wanted one in by hand.
    stand_in = "x" * len(name)
    path = zipped(tmp_path / "z", {stand_in: b"evil", "good": b"good"})
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), name.encode()))
    by_tar = tar_with(tmp_path / "t", tarfile.TarInfo(name))
    for archive in (path, by_tar):
        found = unpack(archive)
        assert [n for _, n in found.members] == ["good"]
        assert [r for _, r in found.skipped] == [reason]
        assert not found.skipped[0][0].startswith(("/", "\\"))
    assert not Path("/tmp/overread-out").exists()


def test_links_and_devices_are_skipped(tmp_path: Path) -> None:
    infos = []
    for number, kind in enumerate(
        (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    ):
        info = tarfile.TarInfo(f"m{number}")
        info.type, info.linkname = kind, "/etc/passwd"
        infos.append(info)
    found = unpack(tar_with(tmp_path / "t", *infos))
    assert [n for _, n in found.members] == ["good"]
    assert dict(found.skipped) == {
        "m0": "Links are not followed.",
        "m1": "Links are not followed.",
        "m2": "This is not a regular file.",
        "m3": "This is not a regular file.",
        "m4": "This is not a regular file.",
    }


def test_a_link_in_a_zip_and_what_would_be_written_through_it(tmp_path: Path) -> None:
    path = tmp_path / "z"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(tmp_path))
        archive.writestr("link/through", b"evil")
    found = unpack(path)
    assert [n for _, n in found.members] == ["link/through"]
    assert found.skipped == (("link", "Links are not followed."),)
    assert everything(tmp_path) == [path]


def test_an_encrypted_or_oddly_packed_member_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "z"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("secret", b"secret")
        archive.writestr("odd", b"odd", compress_type=zipfile.ZIP_BZIP2)
        archive.writestr("good", b"good")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    found = unpack(path)
    assert [n for _, n in found.members] == ["good"]
    assert [n for n, _ in found.skipped] == ["secret", "odd"]
    assert "encrypted" in found.skipped[0][1]


def test_a_damaged_member_is_skipped_and_leaves_nothing(tmp_path: Path, private_home: Path) -> None:
    path = zipped(tmp_path / "z", {"bad": os.urandom(50_000), "good": b"good"})
    data = bytearray(path.read_bytes())
    data[25_000] ^= 0xFF
    path.write_bytes(data)
    found = unpack(path)
    assert [n for _, n in found.members] == ["good"]
    assert found.skipped == (("bad", "The file is damaged inside the archive."),)
    assert len(unpacked_files(private_home)) == 1


@pytest.mark.parametrize("declared", [1, 5 * 1024, 0xFFFFFFF0])
def test_a_forged_size_is_not_believed(tmp_path: Path, private_home: Path, declared: int) -> None:
    path = zipped(tmp_path / "z", {"bomb": b"\0" * (4 * MB)})
    data = bytearray(path.read_bytes())
    for magic, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(magic) + at, declared)
    path.write_bytes(data)
    try:
        found = unpack(path)
    except Refused:
        pass
    else:
        assert all(p.stat().st_size <= 4 * MB for p, _ in found.members)
        found.scratch.close()
        del found
    assert unpacked_files(private_home) == []


def flat_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("bomb", "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(b"\0" * MB)
        archive.writestr("good", b"good")
    return path


def overlapping_zip(path: Path) -> Path:
    """Many directory entries for one and the same data: 42 kB, gigabytes."""
    zipped(path, {"a": b"\0" * (20 * MB)})
    data = path.read_bytes()
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry, count = data[start:end], 500
    tail = struct.pack(
        "<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, count * len(entry), start, 0
    )
    path.write_bytes(data[:start] + entry * count + tail)
    return path


def flat_tar(path: Path, opener: Callable[..., io.BufferedIOBase]) -> Path:
    info = tarfile.TarInfo("bomb")
    info.size = 200 * MB
    with opener(path, "wb") as stream:
        stream.write(info.tobuf())
        for _ in range(200):
            stream.write(b"\0" * MB)
    return path


@pytest.mark.parametrize(
    "make",
    [
        flat_zip,
        overlapping_zip,
        lambda path: flat_tar(path, gzip.open),
        lambda path: flat_tar(path, bz2.open),
        lambda path: flat_tar(path, lzma.open),
    ],
    ids=["zip", "overlapping", "gz", "bz2", "xz"],
)
def test_a_bomb_is_stopped_at_its_ratio_and_leaves_nothing(
    tmp_path: Path, private_home: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path / "bomb")
    assert path.stat().st_size < MB
    with pytest.raises(Refused, match="far larger than images are"):
        unpack(path)
    assert unpacked_files(private_home) == []


def long_name_tar(path: Path) -> Path:
    """A member whose name is 150 MB long: tarfile would read all of it into memory."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 150 * MB
    with gzip.open(path, "wb", 1) as stream:
        stream.write(info.tobuf())
        for _ in range(150):
            stream.write(b"a" * MB)
    return path


def test_a_name_of_150_mb_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="damaged"):
        unpack(long_name_tar(tmp_path / "x"))


def test_a_nested_archive_is_a_member_like_any_other(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner", {"a": b"\0" * MB}).read_bytes()
    found = unpack(zipped(tmp_path / "outer", {"inner.zip": inner}))
    assert [p.read_bytes() for p, _ in found.members] == [inner]
    assert archives.kind(found.members[0][0]) == "zip"


def test_too_many_entries_are_refused_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private_home: Path
) -> None:
    monkeypatch.setattr(unpacking, "MAX_ENTRIES", 20)
    members = {f"{n}": b"" for n in range(21)}
    for path in (zipped(tmp_path / "z", members), tarred(tmp_path / "t", members)):
        with pytest.raises(Refused, match="more than 20 files"):
            unpack(path)
    assert unpacked_files(private_home) == []


def test_more_than_the_disk_or_the_limit_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private_home: Path
) -> None:
    path = zipped(tmp_path / "z", {"a": os.urandom(3 * MB)})
    monkeypatch.setattr(scratch, "free_bytes", lambda _: unpacking.FREE_BYTES)
    with pytest.raises(Refused, match="the disk has no room"):
        unpack(path)
    monkeypatch.undo()
    monkeypatch.setattr(unpacking, "MAX_BYTES", 2 * MB)
    with pytest.raises(Refused, match="far larger"):
        unpack(path)
    assert unpacked_files(private_home) == []


def test_cancel_stops_within_a_megabyte_and_leaves_nothing(
    tmp_path: Path, private_home: Path
) -> None:
    for path in (
        zipped(tmp_path / "z", {"a": os.urandom(30 * MB)}),
        tarred(tmp_path / "t", {"a": os.urandom(30 * MB)}, "w"),
    ):
        asked = 0

        def cancelled() -> bool:
            nonlocal asked
            asked += 1
            return asked > 5

        with pytest.raises(Cancelled):
            unpack(path, cancelled=cancelled)
        assert asked == 6
    assert [path for path in unpacked_files(private_home) if path.is_file()] == []


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_of_a_tar_cut_short_the_whole_members_are_taken(tmp_path: Path, mode: str) -> None:
    path = tarred(tmp_path / "t", {"a": os.urandom(MB), "b": os.urandom(4 * MB)}, mode)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = unpack(path)
    assert [n for _, n in found.members] == ["a"]
    assert [r for _, r in found.skipped] == ["The archive is damaged or cut short."]


def test_of_a_zip_cut_short_nothing_is_known(tmp_path: Path, private_home: Path) -> None:
    path = zipped(tmp_path / "z", {"a": os.urandom(MB)})
    path.write_bytes(path.read_bytes()[: MB // 2])
    with pytest.raises(Refused, match="damaged or cut short"):
        unpack(path)
    assert unpacked_files(private_home) == []


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    dicom = write_stack(tmp_path / "d", stored(1))[0]
    (tmp_path / "zeros").write_bytes(b"\0" * 4096)
    (tmp_path / "text").write_text("PK is not enough")
    (tmp_path / "gz").write_bytes(gzip.compress(b"no tar" * 1000))
    (tmp_path / "broken").write_bytes(b"\x1f\x8b" + b"junk" * 100)
    for name in ("zeros", "text", "gz", "broken"):
        assert archives.kind(tmp_path / name) == "", name
    assert archives.kind(dicom) == ""


def test_what_a_killed_program_left_is_removed_and_a_living_ones_kept(private_home: Path) -> None:
    code = (
        "import sys, time\n"
        "from viewer.study.scratch import Scratch\n"
        "room = Scratch()\n"
        "(room.folder / 'x').write_bytes(b'x')\n"
        "print(room.folder, flush=True)\n"
        "time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "OVERREAD_HOME": str(private_home)},
    )
    try:
        assert child.stdout is not None
        left = Path(child.stdout.readline().strip())
        assert (left / "x").exists()
        thread = scratch.sweep()
        assert thread is not None
        thread.join()
        assert (left / "x").exists()
    finally:
        child.kill()
        child.communicate()
    thread = scratch.sweep()
    assert thread is not None
    thread.join()
    assert everything(folders.cache_dir() / "unpacked") == []
    assert scratch.sweep() is None


def test_the_end_of_the_program_removes_everything(private_home: Path) -> None:
    code = (
        "from viewer.study.scratch import Scratch\n"
        "room = Scratch()\n"
        "(room.folder / 'x').write_bytes(b'x')\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "OVERREAD_HOME": str(private_home)},
    )
    assert everything(private_home / "cache" / "unpacked") == []


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_inflating_gives_what_was_packed_in_small_steps(kind: str) -> None:
    pack: Callable[[bytes], bytes] = {
        "gzip": gzip.compress,
        "bzip2": bz2.compress,
        "xz": lzma.compress,
    }[kind]
    data = os.urandom(300_000) + b"\0" * 3_000_000
    for packed in (pack(data), pack(data[:1000]) + pack(data[1000:])):
        stream = inflate.Inflating(io.BytesIO(packed), kind)
        parts = []
        while part := stream.some(1000):
            assert len(part) <= 1000
            parts.append(part)
        assert b"".join(parts) == data
    with pytest.raises(inflate.Damaged):
        inflate.Inflating(io.BytesIO(pack(data)[:-20]), kind).read(len(data) + 1)
    with pytest.raises(inflate.Damaged):
        inflate.Inflating(io.BytesIO(pack(data)[:4]), kind).read(1)
