"""Finding the images: every file is either in a series or told, and none outside is touched."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    generate_uid,
)

from resources.problem import Problem
from tests.dicom_files import stored, write_slice, write_stack
from viewer.study import plain_header
from viewer.study.cancel import Cancelled
from viewer.study.scan import require_images, scan


def reasons(folder: Path) -> dict[str, str]:
    return {each.path.name: each.reason for each in scan(folder).skipped}


def test_a_folder_is_searched_to_any_depth_and_grouped_by_series(tmp_path: Path) -> None:
    write_stack(tmp_path / "a", stored(3))
    write_stack(tmp_path / "b" / "c" / "d", stored(2), series_uid="1.2.3", Modality="MR")
    found = scan(tmp_path)
    assert [(s.series_uid, s.n_files) for s in found.series] == [
        ("1.2.3", 2),
        ("1.2.826.0.1.3680043.8.498.1", 3),
    ]
    assert found.skipped == ()


def test_files_and_folders_may_be_given_together_and_twice(tmp_path: Path) -> None:
    files = write_stack(tmp_path / "a", stored(3))
    found = scan([files[0], tmp_path, str(files[0])])
    assert [s.n_files for s in found.series] == [3]
    assert found.skipped == ()


def test_progress_ends_at_the_number_of_files(tmp_path: Path) -> None:
    write_stack(tmp_path, stored(5))
    told: list[tuple[int, int]] = []
    scan(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 5)
    assert told[-1] == (5, 5)
    assert told == sorted(told)


def test_cancel_stops_before_the_next_file(tmp_path: Path) -> None:
    write_stack(tmp_path, stored(5))
    seen: list[int] = []
    with pytest.raises(Cancelled):
        scan(
            tmp_path,
            progress=lambda done, _: seen.append(done),
            cancelled=lambda: bool(seen and seen[-1] == 2),
        )
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_encodings_give_the_same_header(tmp_path: Path, syntax: str) -> None:
    pixels = stored(1)[0]
    options = {"number": 7, "SOPInstanceUID": generate_uid(), "WindowCenter": [40, 50]}
    options["WindowWidth"] = [400, 500]
    plain = write_slice(tmp_path / "a" / "x.dcm", pixels, **options)
    other = write_slice(tmp_path / "b" / "x.dcm", pixels, syntax=syntax, **options)
    a, b = (scan(path).series[0].instances[0] for path in (plain, other))
    assert a.planes == b.planes
    assert a.planes[0].window == ((40.0, 400.0), (50.0, 500.0))
    for name in ("rows", "columns", "bits_stored", "signed", "instance_number", "patient_key"):
        assert getattr(a, name) == getattr(b, name), name
    assert (b.pixel_offset is None) == (syntax == ExplicitVRBigEndian)


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(1)[0], syntax=ImplicitVRLittleEndian)
    data = path.read_bytes()
    with path.open("rb") as stream:
        _, _, start = plain_header.meta(stream)
    path.write_bytes(data[start:])
    (series,) = scan(path).series
    instance = series.instances[0]
    assert instance.transfer_syntax == ImplicitVRLittleEndian
    assert instance.pixel_offset is not None
    raw = path.read_bytes()[instance.pixel_offset :][: instance.frame_bytes]
    assert np.array_equal(np.frombuffer(raw, "<i2").reshape(6, 5), stored(1)[0])


def test_the_pixel_offset_points_at_the_pixels(tmp_path: Path) -> None:
    voxels = stored(2)
    for path, pixels in zip(write_stack(tmp_path, voxels), voxels, strict=True):
        instance = scan(path).series[0].instances[0]
        assert instance.pixel_offset is not None
        raw = path.read_bytes()[instance.pixel_offset :]
        assert raw == pixels.tobytes()
        assert instance.pixel_length == len(raw)


def test_what_is_no_image_is_told_with_a_reason(tmp_path: Path) -> None:
    write_slice(tmp_path / "image.dcm", stored(1)[0])
    (tmp_path / "notes.txt").write_text("nothing here")
    (tmp_path / "empty").write_bytes(b"")
    write_slice(tmp_path / "seg.dcm", stored(1)[0], Modality="SEG")
    write_slice(tmp_path / "sr.dcm", stored(1)[0], Modality="SR", PixelData=None, Rows=None)
    write_slice(tmp_path / "flat.dcm", stored(1)[0], PixelData=None, Rows=None)
    write_slice(tmp_path / "nosize.dcm", stored(1)[0], Rows=0)
    assert reasons(tmp_path) == {
        "notes.txt": "This is not a DICOM file.",
        "empty": "This is not a DICOM file.",
        "seg.dcm": "This is not an image but an object of type SEG.",
        "sr.dcm": "This is not an image but an object of type SR.",
        "flat.dcm": "The file holds no image, or is cut short before it.",
        "nosize.dcm": "The file does not say the size of its image.",
    }
    assert [s.n_files for s in scan(tmp_path).series] == [1]


def test_a_file_without_a_series_is_one_of_its_own(tmp_path: Path) -> None:
    for name in ("a.dcm", "b.dcm"):
        write_slice(tmp_path / name, stored(1)[0], SeriesInstanceUID="")
    first, second = (scan(tmp_path).series for _ in range(2))
    assert [s.n_files for s in first] == [1, 1]
    assert [s.series_uid for s in first] == [s.series_uid for s in second]
    assert len({s.series_uid for s in first}) == 2
    assert all(UID(s.series_uid).is_valid for s in first)


def test_a_segmentation_that_calls_itself_ct_is_no_image(tmp_path: Path) -> None:
    write_slice(tmp_path / "x.dcm", stored(1)[0], SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    assert not scan(tmp_path).series


def test_dicomdir_is_skipped_quietly_and_its_images_are_found(tmp_path: Path) -> None:
    write_slice(tmp_path / "IMAGES" / "I0", stored(1)[0])
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.FileSetID = "DISC"
    directory.DirectoryRecordSequence = [Dataset()]
    directory.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    found = scan(tmp_path)
    assert [s.n_files for s in found.series] == [1]
    assert found.skipped == ()


def test_a_file_cut_in_its_header_is_told_and_its_series_remains(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(4))
    data = files[1].read_bytes()
    files[1].write_bytes(data[:600])
    found = scan(tmp_path)
    assert [s.n_files for s in found.series] == [3]
    assert [each.path for each in found.skipped] == [files[1]]
    assert "cut short" in found.skipped[0].reason


def test_a_second_copy_is_told_and_not_counted(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(2))
    (tmp_path / "z-copy.dcm").write_bytes(files[0].read_bytes())
    changed = bytearray(files[1].read_bytes())
    changed[-1] ^= 1
    (tmp_path / "z-other.dcm").write_bytes(changed)
    found = scan(tmp_path)
    assert [s.n_files for s in found.series] == [2]
    assert reasons(tmp_path) == {
        "z-copy.dcm": f"This is a copy of {files[0].name}.",
        "z-other.dcm": f"This has the identifier of {files[1].name}, but not the same content; "
        "the first is used.",
    }


def test_texts_come_in_their_character_set_without_control_characters(tmp_path: Path) -> None:
    name = "王^小东"
    write_slice(
        tmp_path / "x.dcm",
        stored(1)[0],
        SpecificCharacterSet="GB18030",
        PatientName=name,
        SeriesDescription="胸部\x1b \x07CT",
    )
    (series,) = scan(tmp_path).series
    assert series.patient.name == name
    assert series.description.startswith("胸部")
    assert series.description.isprintable()


def test_an_unknown_character_set_still_opens(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(1)[0], SpecificCharacterSet="ISO_IR 100")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"ISO_IR 100", b"KLINGON 01"))
    (series,) = scan(tmp_path).series
    assert series.patient.name == "Canary^Patient"


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")
def test_links_out_and_loops_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "study", tmp_path / "elsewhere"
    write_stack(inside, stored(2))
    write_stack(outside, stored(2), series_uid="1.2.3")
    (inside / "out").symlink_to(outside, target_is_directory=True)
    (inside / "loop").symlink_to(inside, target_is_directory=True)
    (inside / "file").symlink_to(next(outside.iterdir()))
    (inside / "dangling").symlink_to(tmp_path / "nowhere")
    found = scan(inside)
    assert [(s.series_uid, s.n_files) for s in found.series] == [("1.2.826.0.1.3680043.8.498.1", 2)]
    assert set(reasons(inside)) == {"out", "loop", "file", "dangling"}


@pytest.mark.skipif(os.name == "nt", reason="there are no named pipes in Windows folders")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reasons(tmp_path) == {"pipe": "This is not a regular file."}


def test_a_path_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="does not exist") as caught:
        scan(tmp_path / "nowhere")
    assert caught.value.remedy


def test_a_path_that_cannot_be_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"cannot be read|does not exist") as caught:
        scan(tmp_path / ("n" * 300))
    assert caught.value.remedy


def test_a_folder_without_images_is_a_problem_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(Problem) as caught:
        require_images(scan(tmp_path), tmp_path)
    assert caught.value.sentence == f"No images were found in {tmp_path}."
    assert "Choose a folder" in caught.value.remedy
    assert "not a DICOM file" in caught.value.remedy
