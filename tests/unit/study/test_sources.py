"""One path for files, folders, archives and media: all is found, nothing else is touched."""

from __future__ import annotations

import gc
import io
import os
import tarfile
import warnings
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid

from resources.problem import Problem
from tests.dicom_files import stored, write_slice, write_stack
from viewer.study import unpacking
from viewer.study.cancel import Cancelled
from viewer.study.order import order
from viewer.study.read import read
from viewer.study.scan import require_images, scan


def members(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:xz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def left_over(home: Path) -> list[Path]:
    return [p for p in (home / "cache").rglob("*") if p.is_file() and p.suffix != ".lock"]


def medium(folder: Path, identifiers: list[list[str]]) -> Path:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.FileSetID = "DISC"
    records = []
    for parts in identifiers:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record.ReferencedFileID = parts
        records.append(record)
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that the standard forbids are the point
        data.DirectoryRecordSequence = records
        data.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


# ---------------------------------------------------------------------------- archives


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_opens_as_its_folder_does(tmp_path: Path, private_home: Path, pack) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "Doe^John"
    voxels = stored(4)
    write_stack(folder / "a", voxels)
    write_stack(folder / "b", stored(2), series_uid="1.2.3")
    (folder / "notes.txt").write_text("x")
    path = pack(tmp_path / "study", members(folder))
    found = scan(path)
    assert [s.n_files for s in found.series] == [2, 4]
    assert [(s.path, s.reason) for s in found.skipped] == [
        (path / "notes.txt", "This is not a DICOM file.")
    ]
    plan = order(found.series[1])
    assert plan.regular
    assert np.array_equal(read(plan).voxels, voxels - 1024)
    names = {instance.name for instance in found.series[1].instances}
    assert names == {p.name for p in (folder / "a").iterdir()}
    assert "Doe" not in "".join(map(str, (private_home / "cache").rglob("*")))
    # The files stay as long as anybody may read them, and go with the last who could.
    del found
    gc.collect()
    assert len(left_over(private_home)) == 7
    del plan
    gc.collect()
    assert left_over(private_home) == []


def test_archives_in_folders_and_in_archives_are_told_not_opened(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"x": b"x"})
    write_slice(tmp_path / "image.dcm", stored(1)[0])
    reasons = {s.path.name: s.reason for s in scan(tmp_path).skipped}
    assert reasons == {"inner.zip": "An archive in a folder is not opened: open it by itself."}
    outer = zipped(tmp_path / "outer", {"inner.zip": inner.read_bytes()})
    (skipped,) = scan(outer).skipped
    assert skipped.path == outer / "inner.zip"
    assert "unpack it first" in skipped.reason


def test_of_an_archive_with_traps_the_good_files_are_opened(tmp_path: Path) -> None:
    image = write_slice(tmp_path / "d" / "x.dcm", stored(1)[0]).read_bytes()
    path = tarred(tmp_path / "t", {"../../out.dcm": image, "/tmp/overread-out": image, "in": image})
    before = {p for p in tmp_path.parent.iterdir() if p.name != "home"}
    found = scan(path)
    assert [s.n_files for s in found.series] == [1]
    assert [s.reason for s in found.skipped] == ["Its name leads out of the archive."] * 2
    assert all(s.path.is_relative_to(path) for s in found.skipped if ".." not in s.path.parts)
    assert not (tmp_path.parent / "out.dcm").exists()
    assert not Path("/tmp/overread-out").exists()
    assert {p for p in tmp_path.parent.iterdir() if p.name != "home"} == before


def test_a_bomb_is_told_and_what_lies_beside_it_is_opened(
    tmp_path: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "RATIO_FLOOR", 1 << 20)
    bomb = zipped(tmp_path / "bomb.zip", {"x": b"\0" * (8 << 20)})
    image = write_slice(tmp_path / "x.dcm", stored(1)[0])
    found = scan([bomb, image])
    assert [s.n_files for s in found.series] == [1]
    assert [s.path for s in found.skipped] == [bomb]
    assert left_over(private_home) == []
    alone = scan(bomb)
    with pytest.raises(Problem, match="far larger than images are"):
        require_images(alone, bomb)


def test_cancelling_while_unpacking_leaves_nothing(tmp_path: Path, private_home: Path) -> None:
    path = zipped(tmp_path / "z", {str(n): os.urandom(1000) for n in range(50)})
    seen: list[int] = []
    with pytest.raises(Cancelled):
        scan(
            path,
            progress=lambda done, _: seen.append(done),
            cancelled=lambda: bool(seen and seen[-1] >= 20),
        )
    assert left_over(private_home) == []


def test_other_formats_and_their_halves_open_from_an_archive(
    tmp_path: Path, private_home: Path
) -> None:
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    image = nibabel.Nifti1Image(voxels, np.diag([-1, -1, 1, 1.0]))
    nibabel.save(image, tmp_path / "a.nii.gz")
    head = "ObjectType = Image\nNDims = 3\nDimSize = 3 4 5\nElementType = MET_SHORT\n"
    files = {
        "in/a.nii.gz": (tmp_path / "a.nii.gz").read_bytes(),
        "in/b.mhd": f"{head}ElementDataFile = b.raw\n".encode(),
        "in/b.raw": voxels.tobytes(order="F"),
        "out/b.raw": b"another one of the same name",
        "c.mhd": f"{head}ElementDataFile = b.raw\n".encode(),
    }
    found = scan(zipped(tmp_path / "z", files))
    assert sorted(s.description for s in found.series) == ["a.nii.gz", "b.mhd"]
    for series in found.series:
        plan = order(series)
        assert np.array_equal(read(plan).voxels, voxels.T)
    assert {s.path.name for s in found.skipped} == {"b.raw", "c.mhd"}
    del found, plan, series
    gc.collect()
    assert left_over(private_home) == []


def test_a_damaged_member_is_named_as_in_the_archive(tmp_path: Path) -> None:
    files = write_stack(tmp_path / "d", stored(3))
    data = members(tmp_path / "d")
    data[files[1].name] = data[files[1].name][:-9]
    (series,) = scan(zipped(tmp_path / "z", data)).series
    with pytest.raises(Problem, match=files[1].name):
        read(order(series))


# ---------------------------------------------------------------------------- DICOMDIR


def test_a_dicomdir_stands_for_the_files_that_it_names(tmp_path: Path) -> None:
    files = write_stack(tmp_path / "disc" / "images", stored(3))
    (tmp_path / "disc" / "images" / "unlisted").write_bytes(files[0].read_bytes())
    named = [["IMAGES", path.name.upper()] for path in files]
    path = medium(tmp_path / "disc", [*named, ["IMAGES", "MISSING"], ["NOWHERE", "A", "B"]])
    found = scan(path)
    assert [s.n_files for s in found.series] == [3]
    missing = "The directory of the medium names it, but it is not there."
    reasons = {s.path.relative_to(tmp_path / "disc").as_posix(): s.reason for s in found.skipped}
    assert reasons == {"IMAGES/MISSING": missing, "NOWHERE/A/B": missing}
    # The folder itself is searched: what the directory forgot is not lost.
    assert sum(s.n_files for s in scan(tmp_path / "disc").series) == 3
    assert len(scan(tmp_path / "disc").skipped) == 1


def test_names_as_iso_9660_writes_them_are_found(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "IM0001.;1", stored(1)[0])
    assert path.exists()
    assert [s.n_files for s in scan(medium(tmp_path, [["im0001"]])).series] == [1]


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")
def test_a_dicomdir_reads_nothing_outside_of_its_medium(tmp_path: Path) -> None:
    outside = write_slice(tmp_path / "secret" / "x.dcm", stored(1)[0])
    inside = write_slice(tmp_path / "disc" / "good", stored(1)[0], series_uid="1.2.3")
    (tmp_path / "disc" / "LINK").symlink_to(outside)
    (tmp_path / "disc" / "DIR").symlink_to(outside.parent, target_is_directory=True)
    path = medium(
        tmp_path / "disc",
        [
            ["..", "secret", "x.dcm"],
            [str(outside)],
            ["../secret/x.dcm"],
            ["LINK"],
            ["DIR", "X.DCM"],
            ["C:", "x"],
            ["."],
            [inside.name],
        ],
    )
    opened: list[str] = []
    real = Path.open

    def watched(self: Path, *args: object, **options: object) -> object:
        opened.append(str(self.resolve()))
        return real(self, *args, **options)  # type: ignore[call-overload]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", watched)
        found = scan(path)
    assert [s.series_uid for s in found.series] == ["1.2.3"]
    assert [s.reason for s in found.skipped] == ["It does not lie on the medium."] * 7
    assert opened
    assert not any("secret" in name for name in opened)


def test_a_damaged_dicomdir_is_told(tmp_path: Path) -> None:
    path = medium(tmp_path, [["A"], ["B"]])
    data = path.read_bytes()
    for changed in (data[:-40], data[:380], data[:400] + b"\xff" * 60 + data[460:]):
        path.write_bytes(changed)
        found = scan(path)
        assert not found.series
        assert all(s.reason for s in found.skipped)


def test_dicomdirs_of_the_corpus(corpus: Path) -> None:
    folder = corpus / "pydicom" / "test_files" / "dicomdirtests"
    found = scan(folder / "DICOMDIR")
    assert found.skipped == ()
    assert len(found.series) == 13
    assert sum(s.n_files for s in found.series) == 31


# ------------------------------------------------------------------ everything together


@pytest.mark.skipif(os.name == "nt", reason="modes of folders are of POSIX")
def test_nothing_is_written_to_the_source(tmp_path: Path) -> None:
    """T14: also where nothing may be written; files and times stay as they are."""
    folder = tmp_path / "disc"
    write_stack(folder / "images", stored(3))
    nibabel.save(nibabel.Nifti1Image(stored(3), np.eye(4)), folder / "a.nii.gz")
    zipped(folder / "z.zip", members(folder / "images"))
    listed = medium(folder, [["images", "x"]])
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*")}
    content = members(folder)
    for each in (folder / "images", folder):
        each.chmod(0o555)
    try:
        for path in (folder, folder / "z.zip", folder / "a.nii.gz", listed):
            for series in scan(path).series:
                read(order(series))
    finally:
        for each in (folder, folder / "images"):
            each.chmod(0o755)
    assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*")} == before
    assert members(folder) == content


def test_a_folder_of_everything(tmp_path: Path) -> None:
    write_stack(tmp_path / "ct", stored(3))
    write_stack(tmp_path / "other", stored(2), series_uid="1.2.3", PatientID="2", PatientName="B")
    for n in range(40):
        (tmp_path / f"note{n}.txt").write_text("nothing")
        (tmp_path / f"junk{n}").write_bytes(os.urandom(600))
    nibabel.save(nibabel.Nifti1Image(stored(3), np.eye(4)), tmp_path / "named.dcm.nii")
    (tmp_path / "named.dcm.nii").rename(tmp_path / "image.png")
    found = scan(tmp_path)
    assert sorted((s.modality, s.n_files) for s in found.series) == [
        ("CT", 2),
        ("CT", 3),
        ("OT", 1),
    ]
    assert len({s.instances[0].patient_key for s in found.series if s.modality == "CT"}) == 2
    assert len(found.skipped) == 80
    assert {s.reason for s in found.skipped} == {"This is not a DICOM file."}


def test_two_inflated_copies_live_as_long_as_their_images(
    tmp_path: Path, private_home: Path
) -> None:
    data = np.random.default_rng(0).integers(0, 99, (8, 8, 40)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii.gz")
    (series,) = scan(tmp_path / "a.nii.gz").series
    assert left_over(private_home) == []
    plan = order(series)
    read(plan)
    assert [p.stat().st_size for p in left_over(private_home)] == [352 + data.nbytes]
    del plan, series
    gc.collect()
    assert left_over(private_home) == []
