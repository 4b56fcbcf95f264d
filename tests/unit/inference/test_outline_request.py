"""A point and its outline through the real pipe, with a scripted outliner at the other end."""

from __future__ import annotations

import math
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import registry
from inference.client import Cancelled, ModelProcess
from inference.geometry import kji_to_lps_mm, lps_mm_to_kji
from inference.manifest import Limits, Output
from inference.protocol import OUTLINE_STAGES, Progress
from inference.surroundings import REACH_KJI_MM, surroundings
from inference.volume import Volume
from resources.problem import Problem

WORKER = Path(__file__).with_name("scripted_outliner.py")
COMMAND = [sys.executable, str(WORKER)]
SHAPE = (50, 260, 250)


def oblique(spacing_kji_mm, angles_deg=(10.0, -7.0, 20.0), flip=(1, 1, 1)) -> np.ndarray:
    """A turned affine (k, j, i, 1) to LPS mm, k roughly along the body."""
    a, b, c = np.radians(angles_deg)
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    out = np.eye(4)
    out[:3, :3] = (x @ y @ z)[:, [2, 1, 0]] * np.multiply(spacing_kji_mm, flip)
    out[:3, 3] = (-123.25, 77.5, -410.125)
    return out


@pytest.fixture(scope="module")
def volume() -> Volume:
    """Noise, a piece in the middle, others at two opposite corners and three that misbehave."""
    voxels = np.random.default_rng(5).integers(10, 200, SHAPE).astype(np.int16)
    voxels[20:24, 100:105, 120:127] = 1000
    voxels[:2, :3, :4] = 2000
    voxels[-3:, -2:, -1:] = 3000
    for n, value in enumerate((7, 8, 9)):
        voxels[30, 30, 30 + 10 * n] = value
    return Volume(voxels, oblique((2.5, 0.8, 0.7)), "CT", "HU")


@pytest.fixture(scope="module")
def pack(bundled):
    wide = Limits((0.1, 10.0), (0.1, 10.0), (20, 1000), (40.0, 10000.0))
    outputs = (*bundled.outputs, Output("outline", "nodule"))
    return replace(bundled, limits=wide, outputs=outputs)


@pytest.fixture(scope="module")
def process():
    with ModelProcess(COMMAND) as one:
        one.start()
        yield one


@pytest.mark.parametrize(
    ("voxel", "value"), [((21, 102, 123), 1000), ((0, 0, 0), 2000), ((49, 259, 249), 3000)]
)
def test_the_answer_is_in_indices_of_the_whole_volume(process, volume, pack, voxel, value):
    point = kji_to_lps_mm(volume.affine, np.add(voxel, (0.3, -0.2, 0.4)))
    found = process.outline(volume, pack, "cpu", point)
    assert np.array_equal(found.mask.to_array(volume.shape_kji), volume.voxels == value)
    low = [max(n - 1, 0) for n in voxel]
    assert found.share.origin_kji == found.spread.origin_kji == tuple(low)
    inside = volume.voxels[found.share.box].astype(np.uint8)
    assert np.array_equal(found.share.values, inside)
    assert np.array_equal(found.spread.values, 255 - inside)
    assert (found.impression.malignancy, found.impression.texture) == (3.25, 4.5)
    assert (found.uncertainty, found.reason) == (0.25, "")
    assert found.device.startswith("CPU")


def test_only_what_lies_round_the_point_is_sent(process, volume, pack):
    found = process.outline(volume, pack, "cpu", kji_to_lps_mm(volume.affine, (0, 0, 0)))
    sent = [math.ceil(mm / s) + 1 for mm, s in zip(REACH_KJI_MM, (2.5, 0.8, 0.7), strict=True)]
    assert found.score == math.prod(sent) < volume.voxels.size / 4


@pytest.mark.parametrize(
    "voxel", [(-0.6, 10, 10), (10, 259.6, 10), (10, 10, -1), (50, 0, 0), (1e300, 0, 0), (9e9,) * 3]
)
def test_a_point_outside_is_an_answer(process, volume, pack, voxel):
    found = process.outline(volume, pack, "cpu", kji_to_lps_mm(volume.affine, voxel))
    assert found.reason == "outside"
    assert found.mask.count == 0
    assert found.mask.origin_kji == found.share.origin_kji == (0, 0, 0)
    assert found.mask.to_array(volume.shape_kji).sum() == 0


@pytest.mark.parametrize("point", [(float("nan"), 0, 0), (0, float("inf"), 0), (1, 2)])
def test_what_is_no_point_is_an_error_of_the_caller(process, volume, pack, point):
    with pytest.raises(ValueError):
        process.outline(volume, pack, "cpu", point)


def test_the_limits_are_those_of_the_whole_volume(process, volume, pack):
    point = kji_to_lps_mm(volume.affine, (0, 0, 0))
    # At the first slice the box holds half as many slices as the limits ask of a volume.
    narrow = replace(pack, limits=replace(pack.limits, slices=(40, 60), coverage_mm=(120, 130)))
    assert surroundings(volume, tuple(point))[0].shape[0] < 40
    assert process.outline(volume, narrow, "cpu", point).reason == ""


def test_a_volume_that_is_not_eligible_is_refused_with_the_rule(volume, pack):
    process = ModelProcess(["there-is-no-such-program"])
    few = replace(pack, limits=replace(pack.limits, slices=(60, 100)))
    with pytest.raises(Problem, match="reads 60 to 100 slices; this series has 50"):
        process.outline(volume, few, "cpu", (0.0, 0.0, 0.0))
    short = replace(pack, limits=replace(pack.limits, coverage_mm=(150, 900)))
    with pytest.raises(Problem, match="needs 150 mm of the chest or more"):
        process.outline(volume, short, "cpu", (0.0, 0.0, 0.0))
    brain = Volume(volume.voxels, volume.affine, "MR")
    with pytest.raises(Problem, match="reads CT; this series is MR"):
        process.outline(brain, pack, "cpu", (0.0, 0.0, 0.0))
    process.close()


def test_a_model_without_outlines_is_named(volume, bundled):
    without = replace(
        bundled, outputs=tuple(one for one in bundled.outputs if one.kind != "outline")
    )
    process = ModelProcess(["there-is-no-such-program"])
    with pytest.raises(Problem) as caught:
        process.outline(volume, without, "cpu", (0.0, 0.0, 0.0))
    assert "makes no outlines" in caught.value.sentence
    assert bundled.name in caught.value.sentence and bundled.version in caught.value.sentence
    process.close()


def test_the_model_stays_loaded_and_tells_its_stages(process, volume, pack):
    told: list[Progress] = []
    point = kji_to_lps_mm(volume.affine, (21, 102, 123))
    first = process.outline(volume, pack, "cpu", point, told.append)
    again = process.outline(volume, pack, "auto", point)
    assert first.device == again.device
    assert "built 1 times" in first.device
    assert [one.stage for one in told] == list(OUTLINE_STAGES)


def test_cancel_stops_an_outline_and_the_next_one_works(volume, pack):
    with ModelProcess(COMMAND) as process:
        _cancel_an_outline(process, volume, pack)


def _cancel_an_outline(process, volume, pack):
    point = kji_to_lps_mm(volume.affine, (30, 30, 30))
    timers = []

    def cancel(step):
        if step.stage == "outline" and not timers:
            timers.append(threading.Timer(0.05, process.cancel))
            timers[0].start()

    began = time.monotonic()
    with pytest.raises(Cancelled):
        process.outline(volume, pack, "cpu", point, cancel)
    assert time.monotonic() - began < 30
    timers[0].join()
    point = kji_to_lps_mm(volume.affine, (21, 102, 123))
    assert process.outline(volume, pack, "cpu", point).mask.count == 4 * 5 * 7


def test_what_goes_wrong_inside_is_a_sentence(process, volume, pack):
    with pytest.raises(Problem, match="The model failed") as caught:
        process.outline(volume, pack, "cpu", kji_to_lps_mm(volume.affine, (30, 30, 40)))
    assert "ZeroDivisionError" in caught.value.detail
    with pytest.raises(Problem, match="memory ran out"):
        process.outline(volume, pack, "cpu", kji_to_lps_mm(volume.affine, (30, 30, 50)))
    with pytest.raises(Problem, match="no device named cuda"):
        process.outline(volume, pack, "cuda", kji_to_lps_mm(volume.affine, (30, 30, 50)))
    point = kji_to_lps_mm(volume.affine, (21, 102, 123))
    assert process.outline(volume, pack, "cpu", point).mask.count == 4 * 5 * 7


@pytest.mark.parametrize("run", ["analyze", "outline"])
def test_cancel_while_the_weights_are_checked_is_not_lost(process, volume, pack, monkeypatch, run):
    point = kji_to_lps_mm(volume.affine, (21, 102, 123))
    before = process.outline(volume, pack, "cpu", point).device

    def check(pack):
        thread = threading.Thread(target=process.cancel)
        thread.start()
        thread.join()

    with monkeypatch.context() as patch:
        patch.setattr(registry, "check", check)
        with pytest.raises(Cancelled):
            if run == "analyze":
                process.analyze(volume, pack, "cpu")
            else:
                process.outline(volume, pack, "cpu", point)
    # Nothing had been asked of the process: it lives on with what it has loaded.
    assert process.outline(volume, pack, "cpu", point).device == before


spacings = st.tuples(st.floats(0.4, 6), st.floats(0.3, 2), st.floats(0.3, 2))
shapes = st.tuples(st.integers(1, 90), st.integers(1, 300), st.integers(1, 300))
angles = st.tuples(*[st.floats(-35, 35)] * 3)
flips = st.tuples(*[st.sampled_from((1, -1))] * 3)
places = st.tuples(*[st.floats(-0.4, 1.4)] * 3)


@settings(max_examples=200, deadline=None)
@given(spacings, shapes, angles, flips, places)
def test_the_box_holds_all_within_reach_at_its_own_place(spacing, shape, angles, flip, place):
    voxels = np.lib.stride_tricks.as_strided(np.zeros(1, np.int16), shape, (0, 0, 0))
    affine = oblique(spacing, angles, flip)
    whole = Volume(voxels, affine, "CT", "HU")
    index = np.array(place) * shape
    point = tuple(kji_to_lps_mm(affine, index))
    cut, moved, origin = surroundings(whole, point)
    assert all(n >= 1 for n in cut.shape)
    assert all(o >= 0 and o + n <= m for o, n, m in zip(origin, cut.shape, shape, strict=True))
    # The same voxel lies at the same place, by either affine.
    there = kji_to_lps_mm(moved, (1, 2, 3))
    assert np.allclose(there, kji_to_lps_mm(affine, np.add(origin, (1, 2, 3))), atol=1e-9)
    inside = np.all((index > -0.49) & (index < np.array(shape) - 0.51))
    at = lps_mm_to_kji(moved, point)
    if inside:
        assert np.all((at > -0.5) & (at < np.array(cut.shape) - 0.5))
        for axis in range(3):
            wanted = REACH_KJI_MM[axis] / spacing[axis]
            before, after = min(index[axis], wanted), min(shape[axis] - 1 - index[axis], wanted)
            assert origin[axis] <= index[axis] - before + 1e-6
            assert origin[axis] + cut.shape[axis] - 1 >= index[axis] + after - 1e-6
    elif not np.all((index > -0.51) & (index < np.array(shape) - 0.49)):
        assert not np.all((at >= -0.5) & (at <= np.array(cut.shape) - 0.5))
