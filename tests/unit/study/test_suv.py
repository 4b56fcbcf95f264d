"""SUVbw against numbers worked out by hand from the QIBA formula; else Bq/mL, with a reason."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.dicom_files import write_slice
from viewer.study.scan import scan
from viewer.study.series import FrameRef
from viewer.study.suv import uptake
from viewer.study.values import factor, rescaled, unit, whole_rescale

HALF_LIFE_S = 6586.2  # 18-F
DOSE_BQ, WEIGHT_KG = 400e6, 80.0
# 80,000 g / 400 MBq, an hour after injection: exp(0.693147 x 3600 / 6586.2) = 1.46064.
NO_DATE: dict[str, Any] = {"RadiopharmaceuticalStartDateTime": None}
AFTER_AN_HOUR = 0.0002 * 1.460636746


def injection(**changes: Any) -> Dataset:
    item = Dataset()
    values: dict[str, Any] = {
        "RadionuclideTotalDose": DOSE_BQ,
        "RadionuclideHalfLife": HALF_LIFE_S,
        "RadiopharmaceuticalStartTime": "093000.00",
        "RadiopharmaceuticalStartDateTime": "20200105093000",
    }
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(item, keyword, value)
    return item


def planes(folder: Path, *, count: int = 2, what: Any = None, **tags: Any) -> list[FrameRef]:
    values: dict[str, Any] = {
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["NORM", "ATTN", "DECY", "SCAT"],
        "PatientWeight": WEIGHT_KG,
        "SeriesDate": "20200105",
        "SeriesTime": "103000",
        "AcquisitionDate": "20200105",
        "AcquisitionTime": "103000.00",
        "RescaleSlope": 2.5,
        "RescaleIntercept": 0,
        "RadiopharmaceuticalInformationSequence": [injection()] if what is None else what,
    }
    for n in range(count):
        each = {k: v[n] if isinstance(v, tuple) else v for k, v in (values | tags).items()}
        write_slice(
            folder / f"{n}.dcm",
            np.full((2, 2), 1000 * (n + 1), np.uint16),
            modality="PT",
            position=(0, 0, n),
            number=n + 1,
            **{k: v for k, v in each.items() if v is not None},
        )
    (series,) = scan(folder).series
    return [FrameRef(each, 0) for each in sorted(series.instances, key=lambda i: i.path.name)]


def test_start_correction_an_hour_after_injection(tmp_path: Path) -> None:
    found = planes(tmp_path)
    measured = uptake(found)
    assert (measured.unit, measured.reason) == ("SUVbw", "")
    assert measured.factor == pytest.approx(AFTER_AN_HOUR, rel=1e-7)
    assert unit(found) == "SUVbw" and factor(found) == measured.factor
    assert whole_rescale(found) is None
    # 1000 stored x 2.5 are 2,500 Bq/mL.
    values = rescaled(np.full((2, 2), 1000, np.uint16), found[0], factor(found))
    np.testing.assert_allclose(values, 2500 * AFTER_AN_HOUR, rtol=1e-6)


def test_admin_correction_needs_no_time(tmp_path: Path) -> None:
    what = [injection(RadiopharmaceuticalStartTime=None, RadiopharmaceuticalStartDateTime=None)]
    found = planes(tmp_path, DecayCorrection="ADMIN", what=what, SeriesTime=None)
    assert uptake(found).unit == "SUVbw"
    assert uptake(found).factor == pytest.approx(80_000 / 400e6, rel=1e-12)


def test_midnight_between_injection_and_scan(tmp_path: Path) -> None:
    times = {"SeriesTime": "002000", "AcquisitionTime": "002000"}
    dated = injection(
        RadiopharmaceuticalStartDateTime="20200104232000", RadiopharmaceuticalStartTime=None
    )
    undated = injection(
        RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="232000"
    )
    for n, item in enumerate((dated, undated)):
        found = planes(tmp_path / str(n), what=[item], **times)
        assert uptake(found).factor == pytest.approx(AFTER_AN_HOUR, rel=1e-7)


def test_days_after_injection(tmp_path: Path) -> None:
    # 89-Zr, 78.41 h: three days are 72 / 78.41 half-lives.
    item = injection(
        RadionuclideHalfLife=282_276.0,
        RadiopharmaceuticalStartDateTime="20200102103000",
        RadiopharmaceuticalStartTime="103000",
    )
    found = planes(tmp_path, what=[item])
    assert uptake(found).factor == pytest.approx(0.0002 * 2 ** (259_200 / 282_276), rel=1e-9)


def test_a_time_zone_is_turned_into_that_of_the_file(tmp_path: Path) -> None:
    item = injection(
        RadiopharmaceuticalStartDateTime="20200105083000+0000", RadiopharmaceuticalStartTime=None
    )
    found = planes(tmp_path, what=[item], TimezoneOffsetFromUTC="+0100")
    assert uptake(found).factor == pytest.approx(AFTER_AN_HOUR, rel=1e-7)


def test_a_series_made_later_is_dated_back_from_its_frames(tmp_path: Path) -> None:
    # Two bed positions of 180 s, started 0 s and 200 s after 10:30:00. By hand: with
    # x = ln 2 x 180 / 6586.2 = 0.0189437, ln(x / (1 - exp(-x))) / x x 180 s = 89.858 s.
    found = planes(
        tmp_path,
        SeriesTime="153000",
        AcquisitionTime=("103000", "103320"),
        FrameReferenceTime=(89_858, 289_858),
        ActualFrameDuration=180_000,
    )
    assert uptake(found).unit == "SUVbw"
    assert uptake(found).factor == pytest.approx(AFTER_AN_HOUR, rel=1e-5)


def test_a_series_made_later_whose_frames_contradict_each_other(tmp_path: Path) -> None:
    found = planes(
        tmp_path,
        SeriesTime="153000",
        AcquisitionTime=("103000", "103320"),
        FrameReferenceTime=(89_858, 89_858),
        ActualFrameDuration=180_000,
    )
    assert uptake(found).unit == "Bq/mL" and "contradict" in uptake(found).reason


def test_general_electric_tells_the_scan_time_of_a_series_made_later(tmp_path: Path) -> None:
    found = planes(tmp_path, SeriesTime="153000")
    assert uptake(found).unit == "Bq/mL"
    for ref in found:
        data = pydicom.dcmread(ref.instance.path)
        block = data.private_block(0x0009, "GEMS_PETD_01", create=True)
        block.add_new(0x0D, "DT", "20200105103000.00")
        data.save_as(ref.instance.path)
    (series,) = scan(tmp_path).series
    again = [FrameRef(each, 0) for each in series.instances]
    assert uptake(again).factor == pytest.approx(AFTER_AN_HOUR, rel=1e-7)


def test_grams_a_millilitre_are_by_body_weight_unless_told_otherwise(tmp_path: Path) -> None:
    found = planes(tmp_path / "a", Units="GML", what=[])
    assert (uptake(found).unit, uptake(found).factor) == ("SUVbw", 1.0)
    found = planes(tmp_path / "b", Units="GML", SUVType="BW", what=[])
    assert uptake(found).unit == "SUVbw"
    found = planes(tmp_path / "c", Units="GML", SUVType="LBMJANMA", what=[])
    assert uptake(found).unit == "" and "LBMJANMA" in uptake(found).reason


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        ({"PatientWeight": None}, "weight"),
        ({"PatientWeight": 0}, "weight"),
        ({"PatientWeight": (80.0, 81.0)}, "differ"),
        ({"DecayCorrection": "NONE"}, "decay"),
        ({"DecayCorrection": None}, "decay"),
        ({"CorrectedImage": ["DECY"]}, "attenuation"),
        ({"CorrectedImage": ["ATTN"]}, "decay"),
        ({"SeriesTime": None}, "when the scan began"),
        ({"AcquisitionDate": None}, "when the scan began"),
        ({"SeriesTime": "10"}, "when the scan began"),
        ({"SeriesTime": "153000"}, "when the scan began"),
        ({"SeriesTime": "083000"}, "in order"),
        ({"SeriesDate": "20191231"}, "in order"),
        ({"what": []}, "injected"),
        ({"what": [injection(), injection()]}, "injected"),
        ({"what": [injection(RadionuclideTotalDose=None)]}, "dose"),
        ({"what": [injection(RadionuclideTotalDose=400)]}, "becquerel"),
        ({"what": [injection(RadionuclideHalfLife=None)]}, "half-life"),
        (
            {
                "what": [
                    injection(RadiopharmaceuticalStartTime=None, **NO_DATE)
                ]
            },
            "time of injection",
        ),
        ({"what": [injection(RadiopharmaceuticalStartTime="093500")]}, "two different times"),
        ({"what": [injection(RadiopharmaceuticalStartTime="113000", **NO_DATE)]}, "in order"),
        ({"what": ([injection()], [injection(RadionuclideTotalDose=300e6)])}, "differ"),
    ],
)  # fmt: skip
def test_without_every_input_the_values_stay_becquerels(
    tmp_path: Path, tags: dict[str, Any], word: str
) -> None:
    found = planes(tmp_path, **tags)
    measured = uptake(found)
    assert (measured.unit, measured.factor) == ("Bq/mL", 1.0)
    assert word in measured.reason and measured.reason.endswith(".")
    assert unit(found) == "Bq/mL" and factor(found) == 1.0


def test_other_units_prove_nothing(tmp_path: Path) -> None:
    assert uptake(planes(tmp_path / "a", Units="CNTS")).unit == ""
    assert uptake(planes(tmp_path / "b", Units=("BQML", "CNTS"))).unit == ""
    assert uptake(planes(tmp_path / "c", RescaleSlope=None, RescaleIntercept=None)).unit == ""


def test_what_pet_is_dated_with_is_not_printed(tmp_path: Path) -> None:
    (first, *_) = planes(tmp_path)
    year = str(datetime(2020, 1, 5).year)
    assert year not in repr(first.instance) and year not in repr(first.instance.pet)


def test_a_real_scan(corpus: Path) -> None:
    (path,) = corpus.rglob("GH184.dcm")
    (series,) = scan(path).series
    measured = uptake([FrameRef(series.instances[0], 0)])
    # 90 kg, 474,592,928 Bq at 09:32:00, half-life 6588 s, scan at 11:00:36: 5316 s.
    assert measured.unit == "SUVbw"
    assert measured.factor == pytest.approx(90_000 / 474_592_928 * 2 ** (5316 / 6588), rel=1e-12)
