"""Palettes against the files of the standard, and colours of segments against highdicom."""

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from viewer.display import palettes
from viewer.display.cielab import recommended_colour

_FILES = {
    "hot_iron": "hotiron",
    "pet": "pet",
    "hot_metal_blue": "hotmetalblue",
    "pet_20_step": "pet20step",
}


@pytest.mark.parametrize("name", _FILES)
def test_palettes_of_dicom_are_those_that_its_makers_publish(name):
    file = Path(pydicom.__file__).parent / "data" / "palettes" / f"{_FILES[name]}.dcm"
    published = pydicom.dcmread(file, force=True)
    for channel, colour in enumerate(("Red", "Green", "Blue")):
        data = getattr(published, f"{colour}PaletteColorLookupTableData")
        expected = np.frombuffer(data, dtype=np.uint8)
        assert np.array_equal(palettes.colours(name)[:, channel], expected), colour


def test_hot_iron_is_as_the_standard_prints_it():
    """PS3.6 table B.1.1: red, green and blue rise one after the other."""
    iron = palettes.colours("hot_iron")
    assert iron[0].tolist() == [0, 0, 0]
    assert iron[64].tolist() == [128, 0, 0]
    assert iron[160].tolist() == [255, 64, 0]
    assert iron[255].tolist() == [255, 255, 255]
    steps = palettes.colours("pet_20_step")
    assert len(np.unique(steps, axis=0)) == 20


@pytest.mark.parametrize("name", ["cividis", "viridis"])
def test_maps_for_probabilities_rise_evenly_and_agree_with_pyqtgraph(name):
    import pyqtgraph

    map_ = pyqtgraph.colormap.get(name)
    theirs = map_.getLookupTable(0, 1, 256)[:, :3].astype(int)
    ours = palettes.colours(name).astype(int)
    assert np.abs(ours - theirs).max() <= 6  # of 33 stops
    from skimage.color import rgb2lab

    lightness = rgb2lab(ours / 255)[:, 0]
    assert (np.diff(lightness) > -0.1).all()
    assert lightness[-1] - lightness[0] > 60


def test_every_palette_offered_has_256_colours():
    for name in palettes.NAMES:
        assert palettes.colours(name).shape == (256, 3)
        assert not palettes.colours(name).flags.writeable
    with pytest.raises(KeyError):
        palettes.colours("rainbow")


def _segment(value):
    item = Dataset()
    item.RecommendedDisplayCIELabValue = list(value)
    return item


def test_a_colour_that_highdicom_writes_is_read_back():
    rng = np.random.default_rng(5)
    for _ in range(200):
        red, green, blue = (int(c) for c in rng.integers(0, 256, 3))
        written = highdicom.color.CIELabColor.from_rgb(red, green, blue)
        read = recommended_colour(_segment(written.value))
        assert read is not None
        theirs = [int(read[n : n + 2], 16) for n in (1, 3, 5)]
        assert np.abs(np.array(theirs) - (red, green, blue)).max() <= 1


def test_the_colours_of_our_own_segments_come_back_exactly():
    import resources

    for term in resources.table("labels").values():
        written = highdicom.color.CIELabColor.from_string(term["colour"])
        assert recommended_colour(_segment(written.value)) == term["colour"]


@pytest.mark.parametrize("value", [[], [1, 2], [70000, 1, 1], [-1, 0, 0]])
def test_a_colour_that_is_none_is_left_out(value):
    item = Dataset()
    if value:
        element = pydicom.DataElement(0x0062000D, "US", value, validation_mode=0)
        item[0x0062000D] = element
    assert recommended_colour(item) is None


def test_a_grey_stands_in_for_a_colour():
    item = Dataset()
    item.RecommendedDisplayGrayscaleValue = 65535
    assert recommended_colour(item) == "#FFFFFF"
    item.RecommendedDisplayGrayscaleValue = 0
    assert recommended_colour(item) == "#000000"
