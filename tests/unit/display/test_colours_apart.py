"""Colours of labels, planes and measures as readers with other colour vision see them.

Protanopia and deuteranopia are simulated as Machado, Oliveira and Fernandes (2009, IEEE TVCG
15:1291, severity 1.0) on linear RGB; differences are CIEDE2000 as scikit-image computes them.
"""

from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

import resources
from viewer.ui import label_colours, tokens

LEAST = 15.0
_SEEN_AS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "all cones": np.eye(3),
}


def lab(colour, vision):
    """Return CIELab of a ``#RRGGBB`` colour as it is seen."""
    rgb = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(_SEEN_AS[vision]) @ linear, 0, 1)
    return rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))


def apart(one, other, vision):
    return float(deltaE_ciede2000(lab(one, vision), lab(other, vision)))


def test_the_simulation_is_that_of_the_paper():
    """Red and green that only their hue tells apart are nearly one with deuteranopia."""
    red, green = "#B2554C", "#7A7A38"
    assert apart(red, green, "all cones") > 35
    assert apart(red, green, "deuteranopia") < 15
    for vision in _SEEN_AS:
        assert apart("#808080", "#808080", vision) == 0
        assert np.allclose(lab("#808080", vision)[1:], 0, atol=0.5)  # greys stay grey


@pytest.mark.parametrize("vision", _SEEN_AS)
def test_labels_are_told_apart(vision):
    colours = {name: term["colour"] for name, term in resources.table("labels").items()}
    for one, other in combinations(colours, 2):
        assert apart(colours[one], colours[other], vision) > LEAST, (one, other)


@pytest.mark.parametrize("vision", _SEEN_AS)
def test_labels_are_told_from_the_canvas_and_from_measures(vision):
    for colour in label_colours.OKABE_ITO:
        assert apart(colour, tokens.DARK.canvas, vision) > LEAST
        assert apart(colour, tokens.DARK.measure, vision) > LEAST
    for term in resources.table("labels").values():
        if term["kind"] == "lesion":
            assert apart(term["colour"], tokens.DARK.dim, vision) > LEAST  # a rejected one


@pytest.mark.parametrize("vision", _SEEN_AS)
def test_planes_are_told_apart_and_from_every_label(vision):
    """Planes are red, green and blue by convention; these three are safe for all."""
    from viewer.ui.crosshair import PLANE_COLOURS

    for one, other in combinations(PLANE_COLOURS.values(), 2):
        assert apart(one, other, vision) > LEAST
    for colour in PLANE_COLOURS.values():
        assert lab(colour, vision)[0] > 30  # to be seen on black
        for name, term in resources.table("labels").items():
            assert apart(term["colour"], colour, vision) > LEAST, (name, colour)


def test_pairs_that_are_not_offered_together_are_those_that_some_confuse():
    confused = {
        frozenset(pair)
        for pair in combinations(label_colours.OKABE_ITO, 2)
        if min(apart(*pair, vision) for vision in _SEEN_AS) <= LEAST
    }
    assert confused == label_colours.CONFUSABLE


def test_whatever_a_reader_chooses_labels_stay_apart():
    labels = list(resources.table("labels"))
    try:
        rng = np.random.default_rng(1)
        for _ in range(200):
            label = labels[rng.integers(len(labels))]
            colour = label_colours.OKABE_ITO[rng.integers(7)]
            if label_colours.too_like(label, colour, labels) is None:
                label_colours.choose(label, colour)
            shown = [label_colours.label_colour(name) for name in labels]
            for one, other in combinations(shown, 2):
                assert min(apart(one, other, vision) for vision in _SEEN_AS) > LEAST
    finally:
        label_colours.restore("")


def test_chosen_colours_are_kept_and_nonsense_is_not():
    try:
        label_colours.choose("nodule", "#CC79A7")
        kept = label_colours.kept()
        label_colours.restore("")
        assert label_colours.label_colour("nodule") == "#E69F00"
        label_colours.restore(kept)
        assert label_colours.label_colour("nodule") == "#CC79A7"
        label_colours.choose("nodule", "#E69F00")
        assert label_colours.kept() == ""
        for nonsense in ("{", "[]", '{"nodule": "red"}', '{"spleen": "#E69F00"}', '{"nodule": 5}'):
            label_colours.restore(nonsense)
            assert label_colours.kept() == ""
        with pytest.raises(ValueError):
            label_colours.choose("nodule", "#123456")
    finally:
        label_colours.restore("")
