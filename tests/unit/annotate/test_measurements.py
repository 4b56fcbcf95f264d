"""Measurements as values and as notes: closed words, damage told, units only when proven."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm
from inference.volume import Volume
from tests.annotate_cases import affine, plan, series, volume
from viewer.annotate import measurement_words as words
from viewer.annotate.measurements import (
    Measurement,
    Value,
    from_json,
    kept,
    new_id,
    next_number,
)
from viewer.annotate.measuring import measure, sheet_of
from viewer.display.planes import make_planes

PLAN = plan(series())
VOLUME = volume()
PLANES = make_planes(VOLUME.shape_kji, VOLUME.affine)


def sheet(name="axial", index=5, of=VOLUME):
    return sheet_of(PLANES[name], index, of)


def at(*kji):
    return tuple(float(x) for x in kji_to_lps_mm(VOLUME.affine, kji))


DISTANCE = Measurement(
    kind="distance",
    number=1,
    points_lps_mm=(at(5, 2, 3), at(5, 10, 3)),
    normal_lps=(0.0, 0.0, 1.0),
    slice_mm=2.0,
    k=5,
    values=(Value("length", 5.6, "mm"),),
    reader="Reader One",
    utc="2026-11-21T20:00:00.000Z",
)


def test_a_note_leads_back_through_the_journal():
    text = json.dumps(DISTANCE.to_json(), allow_nan=False)
    assert from_json(json.loads(text)) == DISTANCE


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "volume"},
        {"kind": ["distance"]},
        {"number": 0},
        {"number": True},
        {"number": "1"},
        {"points_lps_mm": [[0, 0, 0]]},
        {"points_lps_mm": [[0, 0, 0], [1, 2]]},
        {"points_lps_mm": [[0, 0, 0], [1, 2, float("nan")]]},
        {"points_lps_mm": 7},
        {"points_lps_mm": [[0, 0, 0], [1, 2, 1e400]]},
        {"normal_lps": [0, 0, 0]},
        {"slice_mm": 0},
        {"k": -1},
        {"k": 2.5},
        {"values": [["length", 5.0, "cm"]]},
        {"values": [["depth", 5.0, "mm"]]},
        {"values": [["length", float("inf"), "mm"]]},
        {"values": [[["length"], 5.0, "mm"]]},
        {"absence": "lost"},
        {"calibration": None},
        {"origin": "robot"},
        {"reader": 5},
        {"utc": None},
        {"more": 1},
    ],
)
def test_a_damaged_note_is_left_out_and_counted(damage):
    note = {**DISTANCE.to_json(), **damage}
    with pytest.raises(ValueError, match=r"."):
        from_json(note)
    found = kept({"m1": DISTANCE.to_json(), "m2": note, "x": {}})
    assert dict(found.by_id) == {"m1": DISTANCE}
    assert found.damaged == 2


def test_ids_and_numbers_follow_the_greatest():
    notes = {"m2": DISTANCE.to_json(), "m10": replace(DISTANCE, number=4).to_json(), "other": {}}
    assert new_id(notes) == "m11"
    assert next_number(kept(notes)) == 5
    assert new_id({}) == "m1"


def test_the_sheet_of_an_acquired_slice_knows_it_and_another_plane_has_none():
    assert sheet("axial", 5).k == 5
    assert sheet("axial", 5).slice_mm == pytest.approx(2.0)
    assert sheet("coronal", 3).k is None
    assert sheet("coronal", 3).slice_mm == pytest.approx(0.7)


def test_a_sheet_holds_what_lies_within_half_a_slice_and_midway_belongs_to_one():
    for kji, wanted in (((5, 2, 3), [5]), ((5.4, 2, 3), [5]), ((5.5, 2, 3), [5, 6])):
        seen = [k for k in range(12) if sheet("axial", k).holds([at(*kji)])]
        assert len(seen) == 1
        assert seen[0] in wanted
    assert not sheet("axial", 5).holds([at(5, 2, 3), at(6, 2, 3)])


def test_a_distance_is_in_mm_and_statistics_are_those_of_numpy():
    found = measure("distance", [at(5, 2, 3), at(5, 10, 3)], sheet(), VOLUME, PLAN)
    assert [(v.name, v.unit) for v in found.values] == [("length", "mm")]
    assert found.values[0].value == pytest.approx(8 * 0.7)
    corners = [at(5, 1.5, 2.5), at(5, 1.5, 9.5), at(5, 12.5, 9.5), at(5, 12.5, 2.5)]
    found = measure("rectangle", corners, sheet(), VOLUME, PLAN)
    values = {value.name: value for value in found.values}
    inside = VOLUME.voxels[5, 2:13, 3:10]
    assert values["area"].value == pytest.approx(11 * 7 * 0.7 * 0.8)
    assert values["n_voxels"].value == inside.size
    for name, wanted in (
        ("mean", inside.mean()), ("sd", inside.std()), ("min", inside.min()), ("max", inside.max()),
    ):  # fmt: skip
        assert values[name].value == pytest.approx(float(wanted))
        assert values[name].unit == "HU"


def test_without_a_spacing_there_are_no_millimetres_and_no_unit_is_made_up():
    picture = Volume(VOLUME.voxels[:1], affine((1.0, 1.0, 1.0)), "OT", placed=False, in_mm=False)
    flat = make_planes(picture.shape_kji, picture.affine)["axial"]
    here = sheet_of(flat, 0, picture)
    ends = kji_to_lps_mm(picture.affine, [(0, 1, 1), (0, 4, 5)])
    found = measure("distance", ends, here, picture, PLAN)
    assert found.values[0].unit == "px"
    assert found.values[0].value == pytest.approx(5.0)
    corners = kji_to_lps_mm(picture.affine, [(0, 1, 1), (0, 1, 5), (0, 4, 5), (0, 4, 1)])
    found = measure("polygon", corners, here, picture, PLAN)
    assert [value.unit for value in found.values][:3] == ["px2", "voxels", ""]


def test_colours_have_an_area_and_no_mean():
    colours = np.zeros((*VOLUME.shape_kji, 3), dtype=np.uint8)
    painted = Volume(VOLUME.voxels, VOLUME.affine, "XC", colours=colours)
    corners = [at(5, 1, 2), at(5, 1, 9), at(5, 12, 9), at(5, 12, 2)]
    found = measure("rectangle", corners, sheet(), painted, PLAN)
    assert [value.name for value in found.values] == ["area"]
    assert found.absence == "colours"


def test_slices_that_make_no_grid_are_measured_each_by_its_own_place():
    places = np.stack([VOLUME.affine] * VOLUME.shape_kji[0])
    places[5, :3, 1:3] *= 2.0  # this one has larger pixels
    loose = Volume(VOLUME.voxels, VOLUME.affine, "MR", places=places)
    here = sheet_of(PLANES["axial"], 5, loose)
    found = measure("distance", [at(5, 2, 3), at(5, 10, 3)], here, loose, PLAN)
    assert found.values[0].value == pytest.approx(2 * 8 * 0.7)
    corners = [at(5, 1.5, 2.5), at(5, 1.5, 9.5), at(5, 12.5, 9.5), at(5, 12.5, 2.5)]
    values = {v.name: v.value for v in measure("rectangle", corners, here, loose, PLAN).values}
    assert values["mean"] == pytest.approx(VOLUME.voxels[5, 2:13, 3:10].mean())
    assert values["area"] == pytest.approx(4 * 11 * 7 * 0.7 * 0.8)
    with pytest.raises(ValueError, match="across"):
        measure("distance", [at(5, 2, 3), at(6, 2, 3)], sheet("coronal", 2), loose, PLAN)


def test_an_outline_that_crosses_itself_has_no_area_and_one_between_centres_no_mean():
    bow = [at(5, 1, 1), at(5, 8, 8), at(5, 8, 1), at(5, 1, 8)]
    assert measure("polygon", bow, sheet(), VOLUME, PLAN).absence == "crosses-itself"
    small = [at(5, 1.2, 1.2), at(5, 1.2, 1.6), at(5, 1.6, 1.6), at(5, 1.6, 1.2)]
    found = measure("rectangle", small, sheet(), VOLUME, PLAN)
    assert found.absence == "no-voxel"
    assert [value.name for value in found.values] == ["area", "n_voxels"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Value("length", 12.345, "mm"), "12.3 mm"),
        (Value("length", 40.0, "px"), "40.0 px"),
        (Value("angle", 89.96, "deg"), "90.0°"),
        (Value("mean", -712.34, "HU"), "−712.3 HU"),
        (Value("mean", -0.04, "HU"), "0.0 HU"),
        (Value("mean", 2.34567, "SUVbw"), "2.346 SUVbw"),
        (Value("max", 1204.0, ""), "1204"),
        (Value("area", 84.26, "mm2"), "84.3 mm²"),
        (Value("n_voxels", 217.0, "voxels"), "217 voxels"),
    ],
)
def test_every_figure_has_its_unit(value, wanted):
    assert words.figure(value).replace("\N{NO-BREAK SPACE}", " ") == wanted


def test_what_a_projection_is_calibrated_to_is_said_beside_its_millimetres_only():
    shadow = replace(DISTANCE, calibration="detector")
    assert words.lines(shadow)[-1] == "at the detector, magnified"
    angle = replace(
        shadow, kind="angle", points_lps_mm=(*DISTANCE.points_lps_mm, at(5, 1, 1)),
        values=(Value("angle", 30.0, "deg"),),
    )  # fmt: skip
    assert words.lines(angle) == ["30.0°"]


def test_words_are_found_for_what_has_no_values():
    assert words.lines(replace(DISTANCE, values=())) == []
