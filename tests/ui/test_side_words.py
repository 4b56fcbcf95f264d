"""The words for where a finding lies, before any run of the model and after one."""

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm
from viewer.ui.panel import words
from viewer.whereabouts import place_in_words

from .conftest import settle


def middle_of(mask, affine):
    kji = np.argwhere(mask.voxels).mean(axis=0) + mask.origin_kji
    return tuple(float(x) for x in kji_to_lps_mm(affine, kji))


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_lesion_says_its_half_before_a_run_and_its_third_after_it(opened, qtbot, phantom, side):
    point = middle_of(phantom.lung(side), phantom.volume.affine)
    opened.corrections.add_missed(point)
    settle(opened)
    lesion = opened.reading.lesion
    case = opened.reading.case
    assert place_in_words(case, lesion) == f"{side} half of the body"
    assert words.detail(case, lesion).startswith(f"{side.capitalize()} half of the body")
    with qtbot.waitSignal(opened.ai.ended, timeout=20_000):
        opened.ai.run()
    settle(opened)
    lesion = next(each for each in case.document.lesions if each.id == lesion.id)
    assert place_in_words(case, lesion).startswith(f"{side}, ")
    assert "third" in place_in_words(case, lesion)


def test_in_the_middle_no_half_is_claimed(opened, phantom):
    right = middle_of(phantom.lung("right"), phantom.volume.affine)
    left = middle_of(phantom.lung("left"), phantom.volume.affine)
    opened.corrections.add_missed(tuple((a + b) / 2 for a, b in zip(right, left, strict=True)))
    settle(opened)
    assert place_in_words(opened.reading.case, opened.reading.lesion) == ""
