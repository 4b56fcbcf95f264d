"""Windows and tables as pydicom applies them, exactly; padding is black either way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing

from viewer.display.grey import LINEAR, LINEAR_EXACT, SIGMOID, Window, grey_of, render
from viewer.display.lookup import Lookup


def header(**tags: Any) -> Dataset:
    data = Dataset()
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsStored, data.PixelRepresentation = 16, 1
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    return data


@pytest.mark.parametrize("function", [LINEAR, LINEAR_EXACT, SIGMOID])
@pytest.mark.parametrize("window", [(-600, 1500), (40, 400), (0, 1), (300.5, 2), (50, 255.5)])
def test_every_function_is_pydicoms(function: str, window: tuple[float, float]) -> None:
    centre, width = window
    values = np.arange(-32768, 32768, 7, dtype=np.int16)
    data = header(WindowCenter=centre, WindowWidth=width, VOILUTFunction=function)
    with np.errstate(over="ignore"):
        share = (apply_windowing(values, data) + 32768) / 65535
    ours = grey_of(values, Window(centre, width, function))
    assert np.abs(ours - share * 255).max() <= 0.5 + 1e-9
    table = render(values[None], Window(centre, width, function)) & 255
    np.testing.assert_array_equal(table[0], ours)


def test_a_narrow_window_of_fractions() -> None:
    values = np.array([0.0, 0.1, 0.25, 0.4, 0.5, np.nan, np.inf, -np.inf], dtype=np.float32)
    grey = grey_of(values, Window(0.25, 0.5, LINEAR_EXACT))
    np.testing.assert_array_equal(grey, [0, 51, 128, 204, 255, 0, 255, 0])
    # What is no number is black also when black and white are exchanged.
    assert grey_of(values, Window(0.25, 0.5, LINEAR_EXACT), invert=True)[5] == 0
    for function in (LINEAR, LINEAR_EXACT, SIGMOID):
        assert grey_of(7.0, Window(0, 1, function)) == 255
        assert grey_of(np.nan, Window(0, 1, function)) == 0
    # LINEAR has no width below 1: pydicom raises, here it is a step.
    np.testing.assert_array_equal(grey_of(values[:5], Window(0.75, 0.5)), [0, 0, 0, 255, 255])


def item(first: int, entries: list[int], bits: int, signed: bool) -> Dataset:
    data = Dataset()
    data.add_new(0x00283002, "SS" if signed else "US", [len(entries) % 65536, first, bits])
    data.add_new(0x00283006, "US", entries)
    return data


@given(
    first=st.integers(-2000, 2000),
    entries=st.lists(st.integers(0, 4095), min_size=2, max_size=40),
    values=st.lists(st.integers(-3000, 3000), min_size=1, max_size=20),
)
def test_tables_are_pydicoms(first: int, entries: list[int], values: list[int]) -> None:
    stored = np.array(values, dtype=np.int16)
    lookup = Lookup(first, np.array(entries, dtype=np.uint16), 12)
    data = header(VOILUTSequence=[item(first, entries, 12, True)])
    with np.errstate(over="ignore"):
        theirs = apply_voi(stored, data)
    np.testing.assert_array_equal(lookup(stored), theirs)
    np.testing.assert_array_equal(lookup(stored.astype(np.float32) + 0.2), theirs)
    data = header(ModalityLUTSequence=[item(first, entries, 16, True)])
    np.testing.assert_array_equal(lookup(stored), apply_modality_lut(stored, data))
    grey = grey_of(stored, Window(0, 1, table=lookup))
    np.testing.assert_array_equal(grey, np.rint(theirs / 4095.0 * 255.0))
    np.testing.assert_array_equal(render(stored[None], Window(0, 1, table=lookup))[0] & 255, grey)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.float32])
def test_a_table_that_reaches_beyond_the_type_of_the_values(kind: Any) -> None:
    lookup = Lookup(-40000, np.arange(65536).astype(np.uint16), 16)
    values = np.array([0, 1, 100], dtype=kind)
    np.testing.assert_array_equal(lookup(values), [40000, 40001, 40100])
    far = Lookup(60000, np.array([3, 4], dtype=np.uint16), 8)
    np.testing.assert_array_equal(far(values), [3, 3, 3])


def test_two_windows_of_other_tables_are_not_confused() -> None:
    entries = np.array([0, 255], dtype=np.uint16)
    up, down = Lookup(0, entries, 8), Lookup(0, entries[::-1].copy(), 8)
    plane = np.array([[0, 1]], dtype=np.int16)
    for table, grey in ((up, [0, 255]), (down, [255, 0])):
        np.testing.assert_array_equal(render(plane, Window(0, 1, table=table))[0] & 255, grey)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32])
@pytest.mark.parametrize("invert", [False, True])
def test_padding_is_black_and_nothing_else_changes(dtype: Any, invert: bool) -> None:
    plane = np.arange(0, 400, dtype=dtype).reshape(20, 20)
    window = Window(200, 300)
    plain = render(plane, window, invert=invert)
    padded = render(plane, window, invert=invert, padding=(0, 9))
    np.testing.assert_array_equal(padded.ravel()[:10], 0xFF000000)
    np.testing.assert_array_equal(padded.ravel()[10:], plain.ravel()[10:])


def test_a_window_moves_with_its_function_and_without_its_table() -> None:
    table = Lookup(0, np.array([0, 255], dtype=np.uint16), 8)
    assert Window(1, 2, SIGMOID, name="SOFT").moved(3, 4) == Window(3, 4, SIGMOID)
    assert Window(1, 2, table=table).moved(3, 4) == Window(3, 4)
    assert Window(1, 2, name="a") == Window(1, 2, name="b")
