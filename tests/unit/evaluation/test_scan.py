"""A whole scan against contours: every voxel of the truth, every count of the figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation import scan
from inference.evaluation.truth import Annotation, Contour, Truth, load_truth, rasterise
from inference.findings import Detection, Findings, Impression, Mask, ModelStamp
from inference.volume import Volume
from resources.problem import Problem

SHAPE = (6, 30, 40)


@pytest.fixture
def volume() -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = np.fliplr(np.diag([0.5, 0.75, 2.0]))
    affine[:3, 3] = (-10.0, -20.0, 100.0)
    return Volume(np.zeros(SHAPE, dtype=np.int16), affine, "CT", "HU")


def contour(points, k=2, inclusion=True) -> Contour:
    return Contour(100.0 + 2.0 * k, inclusion, np.asarray(points, dtype=float))


def square(low: int, high: int) -> list[list[int]]:
    """The pixels of the outline of a square, each next to the one before, as LIDC has them."""
    side = range(low, high)
    return [
        *([i, low] for i in side), *([high, j] for j in side),
        *([high - n + low, high] for n in side), *([low, high - n + low] for n in side),
    ]  # fmt: skip


def reader(*contours: Contour) -> Annotation:
    return Annotation(contours, 3.0, 5.0)


# -------------------------------------------------------------------- truth


def test_a_contour_runs_through_the_first_pixels_outside(volume: Volume):
    mask = rasterise(reader(contour(square(5, 9))), volume)
    wanted = np.zeros(SHAPE, dtype=bool)
    wanted[2, 6:9, 6:9] = True
    assert (mask == wanted).all()


def test_columns_come_before_rows(volume: Volume):
    line = [[20, 4], [23, 4], [23, 10], [20, 10]]
    mask = rasterise(reader(contour(line)), volume)
    wanted = np.zeros(SHAPE, dtype=bool)
    wanted[2, 5:10, 21:23] = True
    assert (mask == wanted).all()


def test_a_contour_that_excludes_cuts_a_hole(volume: Volume):
    mask = rasterise(
        reader(contour(square(5, 15)), contour(square(8, 12), inclusion=False)), volume
    )
    assert mask.sum() == 9 * 9 - 3 * 3
    assert not mask[2, 9:12, 9:12].any() and mask[2, 8, 8]


def test_contours_of_one_slice_add_up_and_lines_enclose_nothing(volume: Volume):
    mask = rasterise(
        reader(contour(square(2, 5)), contour(square(20, 24)), contour([[30, 3]], k=3),
               contour([[30, 3], [31, 4]], k=3), contour(square(7, 8), k=4)),
        volume,
    )  # fmt: skip
    assert mask.sum() == 2 * 2 + 3 * 3
    assert not mask[3:].any()


def test_the_voxels_are_those_inside_by_matplotlibs_rule_of_crossings(volume: Volume):
    rng = np.random.default_rng(4)
    for _ in range(6):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 12))
        radius = rng.uniform(4, 12, 12)
        line = np.stack([20 + radius * np.cos(angle), 14 + radius * np.sin(angle)], axis=1)
        mask = rasterise(reader(contour(line)), volume)[2]
        wanted = np.array([[_crossings(line, i, j) for i in range(40)] for j in range(30)])
        assert (mask == wanted).all()


def _crossings(line, x: float, y: float) -> bool:
    inside = False
    for (x1, y1), (x2, y2) in zip(line, np.roll(line, -1, axis=0), strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


@pytest.mark.parametrize("z", [105.0, 98.0, 112.0, 1000.0])
def test_a_height_between_or_beyond_the_slices_is_refused(volume: Volume, z: float):
    line = Contour(z, True, np.array(square(5, 9), dtype=float))
    with pytest.raises(Problem, match="does not lie within"):
        rasterise(reader(line), volume)


@pytest.mark.parametrize("points", [square(28, 41), [[-1, 4], [5, 4], [5, 9]]])
def test_a_place_beyond_the_slice_is_refused(volume: Volume, points):
    with pytest.raises(Problem, match="does not lie within"):
        rasterise(reader(contour(points)), volume)


def document() -> dict:
    line = {"z_lps_mm": 104.0, "inclusion": True, "column_row": square(5, 9)}
    one = {"contours": [line], "malignancy": 4, "texture": None}
    return {"series_instance_uid": "1.2.3", "nodules": [{"annotations": [one, one]}]}


def test_a_truth_file_is_read(tmp_path: Path, volume: Volume):
    file = tmp_path / "truth.json"
    file.write_text(json.dumps(document()))
    truth = load_truth(file)
    assert truth.series_instance_uid == "1.2.3"
    ((first, _),) = truth.nodules
    assert (first.malignancy, first.texture) == (4.0, None)
    assert rasterise(first, volume).sum() == 9


def _broken() -> list[str]:
    out = ["", "{", "[]", "7", '{"nodules": 3}', '{"nodules": [{"annotations": []}]}']
    for key, value in (
        ("column_row", [[1, 2, 3]]), ("column_row", "x"), ("column_row", [[1, None]]),
        ("z_lps_mm", "high"), ("inclusion", "yes"), ("column_row", []),
    ):  # fmt: skip
        broken = document()
        broken["nodules"][0]["annotations"][0]["contours"][0][key] = value
        out.append(json.dumps(broken))
    out.append(json.dumps(document()).replace("104.0", "NaN", 1))
    return out


@pytest.mark.parametrize("text", _broken())
def test_what_is_no_truth_file_is_refused(tmp_path: Path, text: str):
    file = tmp_path / "truth.json"
    file.write_text(text)
    with pytest.raises(Problem, match=r"truth\.json"):
        load_truth(file)
    with pytest.raises(Problem, match=r"absent\.json"):
        load_truth(tmp_path / "absent.json")


# ------------------------------------------------------------------- figures


def box(k: slice, j: slice, i: slice) -> Mask:
    out = np.zeros(SHAPE, dtype=bool)
    out[k, j, i] = True
    return Mask.from_array(out)


def test_overlap_of_cropped_masks_is_that_of_whole_ones():
    rng = np.random.default_rng(7)
    for _ in range(40):
        arrays = [np.zeros(SHAPE, dtype=bool) for _ in range(2)]
        for array in arrays:
            low = rng.integers(0, 4, 3)
            high = low + rng.integers(1, 9, 3)
            part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
            array[part] = rng.random(array[part].shape) < 0.6
        a, b = (Mask.from_array(array) for array in arrays)
        both = int((arrays[0] & arrays[1]).sum())
        assert scan.shared(a, b) == both
        total = int(arrays[0].sum() + arrays[1].sum())
        assert scan.dice(a, b) == (2 * both / total if total else 1.0)


def test_extents_run_from_edge_to_edge_along_x_y_and_z(volume: Volume):
    mask = box(slice(1, 4), slice(2, 6), slice(3, 13))
    assert scan.extent_mm(mask, volume.affine) == [10 * 0.5, 4 * 0.75, 3 * 2.0]
    nothing = Mask((0, 0, 0), np.zeros((0, 0, 0), dtype=bool))
    assert scan.extent_mm(nothing, volume.affine) == [None, None, None]


def detection(id: str, score: float, mask: Mask, impression=None) -> Detection:
    return Detection(id, "nodule", score, (0.0, 0.0, 0.0), 5.0, 4.0, 0.1, 0.0, mask,
                     impression=impression)  # fmt: skip


@pytest.fixture
def truth() -> Truth:
    def drawn(low: int, high: int, *ks: int) -> Annotation:
        return reader(*(contour(square(low, high), k) for k in ks))

    mass = (drawn(4, 12, 1, 2, 3), drawn(4, 12, 1, 2, 3), drawn(4, 14, 2, 3))
    lone = (drawn(20, 24, 4),)
    return Truth("1.2.3", (mass, lone))


def findings(*found: Detection) -> Findings:
    return Findings(ModelStamp("m", "1.0.0", "0" * 64), "CPU", found, (), None, 0.5)


def test_hits_ranks_and_false_positives(volume: Volume, truth: Truth):
    mass = box(slice(1, 5), slice(5, 12), slice(5, 12))
    elsewhere = box(slice(0, 1), slice(25, 28), slice(30, 35))
    rim = box(slice(2, 4), slice(12, 14), slice(12, 14))  # one of three readers drew it
    found = findings(
        detection("a", 0.95, elsewhere),
        detection("b", 0.9, mass, Impression(4.5, 4.0)),
        detection("c", 0.8, rim),
        detection("d", 0.4, box(slice(4, 5), slice(21, 24), slice(21, 24))),
        detection("e", 0.3, elsewhere),
    )
    out = scan.figures(volume, found, truth, {"detect": 1.23456})
    json.dumps(out, allow_nan=False)
    assert (out["listed"], out["shown"]) == (5, 3)
    assert out["false_positives"] == 1
    assert [row["false"] for row in out["detections"]] == [True, False, False]
    mass_row, lone_row = out["nodules"]
    assert mass_row["found"] and mass_row["ranks"] == [2]
    # Two readers drew 7 x 7 in slices 1 to 3; the model also drew slice 4.
    assert mass_row["best"]["dice"] == pytest.approx(2 * 147 / (147 + 196), abs=1e-4)
    assert mass_row["majority"]["extent_lps_mm"] == [3.5, 5.25, 6.0]
    assert mass_row["best"]["extent_lps_mm"] == [3.5, 5.25, 8.0]
    assert mass_row["best"]["volume_error_percent"] == pytest.approx(100 / 3, abs=1e-3)
    assert mass_row["best"]["long_axis_error_mm"] == 0.0
    assert mass_row["best"]["impression"] == {"malignancy": 4.5, "texture": 4.0}
    # Reader 1 drew 147; of readers 2 (147) and 3 (81 x 2) at least one drew 49 + 162.
    among = mass_row["readers_dice_with_the_majority_of_the_others"]
    assert among[0] == pytest.approx(2 * 147 / (147 + 49 + 162), abs=1e-4)
    assert lone_row["ranks"] == [4] and not lone_row["found"]
    assert out["sensitivity"] == 0.5 and out["sensitivity_3_or_more_readers"] == 1.0
    assert out["seconds"] == {"detect": 1.235}


def test_a_nodule_that_nothing_touches_is_missed(volume: Volume, truth: Truth):
    out = scan.figures(volume, findings(), truth, {})
    assert out["sensitivity"] == 0.0 and out["false_positives"] == 0
    assert all("best" not in row and row["ranks"] == [] for row in out["nodules"])


def test_without_truth_findings_are_counted(volume: Volume):
    found = findings(detection("a", 0.9, box(slice(0, 2), slice(0, 2), slice(0, 2))))
    out = scan.figures(volume, found, None, {})
    assert out["shown"] == 1 and "false_positives" not in out and "note" in out


def test_a_reader_who_encloses_no_voxel_still_is_a_reader(volume: Volume):
    tiny = reader(contour([[5, 5]]))
    drawn = reader(contour(square(4, 8)))
    (nodule,) = scan.nodules_of(Truth("", ((tiny, tiny, drawn),)), volume)
    # One of three is no majority.
    assert nodule.majority.count == 0 and nodule.anyone.count == 9
    out = scan.figures(volume, findings(), Truth("", ((tiny, tiny, drawn),)), {})
    assert out["nodules"][0]["majority"]["volume_ml"] == 0.0
