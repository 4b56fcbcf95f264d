"""Tables, windows and padding of files as pydicom has them; what is shown first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_rescale, apply_voi_lut
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from resources.problem import Problem
from tests.dicom_files import stored, write_slice
from viewer.display.grey import LINEAR, LINEAR_EXACT, Window, grey_of
from viewer.display.layers import compose
from viewer.display.planes import make_planes
from viewer.study.default_window import first_window, windows
from viewer.study.order import StackPlan, order
from viewer.study.read import frame_values, read
from viewer.study.scan import scan
from viewer.study.tables import modality_lookup, voi_lookups
from viewer.study.values import narrowed, padding, unit


def plan_of(folder: Path) -> StackPlan:
    (series,) = scan(folder).series
    return order(series)


def table(first: int, entries: list[int], bits: int = 16, *, signed: bool = False) -> Dataset:
    data = Dataset()
    data.add_new(0x00283002, "SS" if signed else "US", [len(entries) % 65536, first, bits])
    data.LUTExplanation = "A table"
    data.ModalityLUTType = "OD"
    data.add_new(0x00283006, "US", entries)
    return data


SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("signed", [False, True])
def test_a_modality_table_is_applied_as_pydicom_does(
    tmp_path: Path, syntax: str, signed: bool
) -> None:
    kind = np.int16 if signed else np.uint16
    entries = [int(n) for n in np.random.default_rng(1).integers(0, 60000, 20)]
    path = write_slice(
        tmp_path / "x.dcm",
        stored(1, dtype=kind)[0],
        syntax=syntax,
        RescaleSlope=None,
        RescaleIntercept=None,
        ModalityLUTSequence=[table(-3 if signed else 3, entries, signed=signed)],
    )
    data = pydicom.dcmread(path)
    theirs = apply_modality_lut(data.pixel_array, data)
    plan = plan_of(tmp_path)
    assert plan.refusal is None
    volume = read(plan)
    np.testing.assert_array_equal(volume.voxels[0], theirs)
    assert volume.voxels.dtype == np.uint16 and volume.unit == ""
    np.testing.assert_array_equal(frame_values(plan.planes[0]), theirs)


def test_a_modality_table_of_bytes(tmp_path: Path) -> None:
    item = Dataset()
    item.add_new(0x00283002, "US", [4, 0, 8])
    item.add_new(0x00283006, "OW", bytes([7, 8, 9, 10]))
    write_slice(tmp_path / "x.dcm", stored(1, 1, 6)[0], ModalityLUTSequence=[item])
    assert frame_values(plan_of(tmp_path).planes[0]).ravel().tolist() == [7, 8, 9, 10, 10, 10]


def test_tables_of_other_slices_are_kept_apart(tmp_path: Path) -> None:
    for n in range(3):
        write_slice(
            tmp_path / f"{n}.dcm",
            stored(1)[0],
            position=(0, 0, n),
            number=n,
            ModalityLUTSequence=[table(0, [n, n + 10])],
        )
    volume = read(plan_of(tmp_path))
    assert volume.voxels[:, 0, 0].tolist() == [0, 1, 2]
    assert volume.voxels[:, 0, 1].tolist() == [10, 11, 12]


def test_a_damaged_modality_table_is_a_sentence(tmp_path: Path) -> None:
    item = table(0, [1, 2, 3])
    item.LUTDescriptor = [300, 0, 16]
    write_slice(tmp_path / "x.dcm", stored(1)[0], ModalityLUTSequence=[item])
    plan = plan_of(tmp_path)
    with pytest.raises(Problem, match=r"table of x\.dcm") as caught:
        frame_values(plan.planes[0])
    assert caught.value.remedy
    with pytest.raises(Problem, match=r"table of x\.dcm"):
        read(plan)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_voi_tables_come_first_and_are_pydicoms(tmp_path: Path, syntax: str) -> None:
    tables = [
        table(-1020, [n * 40 for n in range(100)], 12, signed=True),
        table(-1000, [4095, 0], 12, signed=True),
        table(5, [9, 9], 8, signed=True),  # shows nothing
    ]
    path = write_slice(
        tmp_path / "x.dcm",
        stored(1)[0],
        syntax=syntax,
        VOILUTSequence=tables,
        WindowCenter=[-1010, -1000],
        WindowWidth=[10, 20],
        WindowCenterWidthExplanation=["NARROW", "WIDE"],
    )
    data = pydicom.dcmread(path)
    plan = plan_of(tmp_path)
    volume = read(plan)
    found = windows(plan, volume.voxels)
    assert [window.name for window in found] == ["A table", "A table", "NARROW", "WIDE", ""]
    values = apply_rescale(data.pixel_array, data).astype(np.int16)
    for n in range(2):
        theirs = apply_voi_lut(values, data, index=n)
        np.testing.assert_array_equal(
            grey_of(volume.voxels[0], found[n]), np.rint(theirs / 4095.0 * 255.0)
        )
    assert found[2] == Window(-1010, 10) and found[3] == Window(-1000, 20)
    assert first_window(plan, volume.voxels) == found[0]


def test_the_first_value_of_a_table_may_be_negative_though_it_is_written_unsigned(
    tmp_path: Path,
) -> None:
    # 64,512 for -1,024: so it stands in files of unsigned pixels with a negative intercept.
    write_slice(
        tmp_path / "x.dcm",
        stored(1, dtype=np.uint16)[0],
        VOILUTSequence=[table(64512, [0, 1, 2], 8)],
    )
    ref = plan_of(tmp_path).planes[0]
    (lookup,) = voi_lookups(ref.instance, ref.plane)
    assert lookup.first == -1024 and lookup.bits == 8


def test_entries_beyond_the_bits_named_are_not_lost(tmp_path: Path) -> None:
    write_slice(tmp_path / "x.dcm", stored(1)[0], VOILUTSequence=[table(0, [0, 4095], 8)])
    ref = plan_of(tmp_path).planes[0]
    assert voi_lookups(ref.instance, ref.plane)[0].bits == 12


def test_names_of_windows_stay_with_their_windows(tmp_path: Path) -> None:
    write_slice(
        tmp_path / "x.dcm",
        stored(1)[0],
        WindowCenter=[-1010, -1000, -1005],
        WindowWidth=[10, 0, 30],
        WindowCenterWidthExplanation=["ONE", "NONE", "THREE"],
        VOILUTFunction="SIGMOID",
    )
    plan = plan_of(tmp_path)
    found = windows(plan, read(plan).voxels)
    assert [(w.name, w.width, w.function) for w in found[:2]] == [
        ("ONE", 10, "SIGMOID"),
        ("THREE", 30, "SIGMOID"),
    ]
    assert found[-1].function == LINEAR


def test_a_window_narrower_than_one_is_taken_exactly(tmp_path: Path) -> None:
    pixels = stored(1, dtype=np.uint16)[0]
    tags: dict[str, Any] = {"RescaleSlope": 0.01, "RescaleIntercept": 0}
    write_slice(
        tmp_path / "x.dcm", pixels, modality="MR", **tags, WindowCenter=0.1, WindowWidth=0.2
    )
    plan = plan_of(tmp_path)
    volume = read(plan)
    assert first_window(plan, volume.voxels) == Window(0.1, 0.2, LINEAR_EXACT)
    assert windows(plan, volume.voxels)[-1].function == LINEAR_EXACT


def test_padding_is_not_counted_for_the_default_window(tmp_path: Path) -> None:
    pixels = np.full((20, 20), 100, np.int16)
    pixels[5:, :] = np.arange(300, 600).reshape(15, 20)
    pixels[:5] = -2000
    write_slice(tmp_path / "x.dcm", pixels, PixelPaddingValue=-2000)
    plan = plan_of(tmp_path)
    assert padding(plan.planes) == (-3024, -3024)
    window = first_window(plan, read(plan).voxels)
    low, high = np.percentile(np.arange(300, 600) - 1024, (1, 99))
    assert (window.centre, window.width) == ((low + high) / 2, high - low)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, None),
        ({"PixelPaddingValue": -2000}, (-3024, -3024)),
        ({"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1000}, (-3024, -2024)),
        ({"PixelPaddingValue": -1000, "PixelPaddingRangeLimit": -2000}, (-3024, -2024)),
        ({"PixelPaddingValue": 5000, "PixelPaddingRangeLimit": 6000}, (3976, 4976)),
        # Water: such a header is careless, and its voxels are not to be lost.
        ({"PixelPaddingValue": 1024}, None),
        ({"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": 0}, (-3024, -1024)),
    ],
)
def test_padding_in_the_unit_of_the_voxels(tmp_path: Path, tags: Any, expected: Any) -> None:
    write_slice(tmp_path / "x.dcm", stored(1)[0], **tags)
    assert padding(plan_of(tmp_path).planes) == expected


def test_padding_that_differs_between_slices_is_none(tmp_path: Path) -> None:
    for n in range(2):
        write_slice(
            tmp_path / f"{n}.dcm", stored(1)[0], position=(0, 0, n), PixelPaddingValue=-2000 - n
        )
    assert padding(plan_of(tmp_path).planes) is None


def test_zero_is_a_limit_too(tmp_path: Path) -> None:
    write_slice(
        tmp_path / "x.dcm",
        stored(1, dtype=np.uint16)[0],
        modality="MR",
        PixelPaddingValue=5,
        PixelPaddingRangeLimit=0,
    )
    assert padding(plan_of(tmp_path).planes) == (0, 5)


def test_a_rescale_and_a_table_prove_no_hounsfield_units(tmp_path: Path) -> None:
    write_slice(tmp_path / "x.dcm", stored(1)[0], ModalityLUTSequence=[table(0, [1, 2])])
    assert unit(plan_of(tmp_path).planes) == ""


def test_narrowing_loses_nothing() -> None:
    for values, kind in (
        ([0, 65535], np.uint16),
        ([-1, 32767], np.int16),
        ([-1, 32768], np.float32),
        ([0, 0.5], np.float32),
        ([0, np.nan], np.float32),
        ([0, np.inf], np.float32),
    ):
        wide = np.array(values, dtype=np.float32).reshape(1, 1, 2)
        assert narrowed(wide).dtype == kind
        np.testing.assert_array_equal(narrowed(wide), wide)


def test_the_tables_of_the_corpus_are_pydicoms(corpus: Path) -> None:
    compared = 0
    for series in scan(corpus).series:
        for instance in series.instances:
            if not (instance.has_modality_lut or instance.has_voi_lut):
                continue
            data = pydicom.dcmread(instance.path)
            values = np.arange(-3000, 3000) if instance.signed else np.arange(0, 6000)
            if instance.has_modality_lut:
                theirs = apply_modality_lut(values, data)
                np.testing.assert_array_equal(modality_lookup(instance)(values), theirs)
                compared += 1
            if instance.has_voi_lut:
                for n, lookup in enumerate(voi_lookups(instance, instance.planes[0])):
                    theirs = apply_voi_lut(values.astype(np.int16), data, index=n)
                    np.testing.assert_array_equal(lookup(values), theirs)
                    compared += 1
    assert compared >= 3


def test_padding_is_black_on_the_screen_of_an_inverted_image(tmp_path: Path) -> None:
    pixels = stored(1, dtype=np.uint16)[0] + np.uint16(100)
    pixels[0] = 0
    write_slice(
        tmp_path / "x.dcm",
        pixels,
        modality="MR",
        PhotometricInterpretation="MONOCHROME1",
        PixelPaddingValue=0,
    )
    plan = plan_of(tmp_path)
    volume = read(plan)
    assert volume.padding == (0, 0) and plan.inverted
    axial = make_planes(volume.shape_kji, volume.affine)["axial"]
    window = first_window(plan, volume.voxels)
    grey = compose(volume, axial, 0, window, invert=plan.inverted) & 255
    assert (grey[0] == 0).all() and grey[1, 0] == 255 and grey[-1, -1] == 0


@pytest.mark.parametrize("undefined", [False, True])
def test_an_empty_sequence_is_no_table(tmp_path: Path, undefined: bool) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(1)[0], ModalityLUTSequence=[], VOILUTSequence=[])
    if undefined:
        content = path.read_bytes()
        for tag in (b"\x28\0\0\x30", b"\x28\0\x10\x30"):
            empty = tag + b"SQ\0\0" + bytes(4)
            assert empty in content
            end = b"\xfe\xff\xdd\xe0" + bytes(4)
            content = content.replace(empty, tag + b"SQ\0\0\xff\xff\xff\xff" + end)
        path.write_bytes(content)
    plan = plan_of(tmp_path)
    instance = plan.planes[0].instance
    assert not instance.has_modality_lut and not instance.has_voi_lut
    assert read(plan).unit == "HU"
