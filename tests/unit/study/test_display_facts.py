"""What a file says of how its images are to be shown."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from viewer.study.display_facts import DisplayFacts, display_facts
from viewer.study.order import order
from viewer.study.scan import scan

from ...dicom_files import write_slice


def facts(folder, shape=(6, 5), **tags):
    tags = {"modality": "DX", "position": None, "orientation": None, **tags}
    path = write_slice(folder / "a.dcm", np.zeros(shape, np.uint16), **tags)
    (series,) = scan([path]).series
    return display_facts(order(series))


@pytest.mark.parametrize(
    ("said", "letters"),
    [
        (["L", "F"], ("R", "L", "H", "F")),
        (["A", "FR"], ("P", "A", "HL", "FR")),
        (["R", "H"], ("L", "R", "F", "H")),
        (["L"], None),
        (["L", "Q"], None),
        (["", "F"], None),
        (None, None),
    ],
)
def test_letters_of_a_radiograph_are_those_of_patient_orientation(tmp_path, said, letters):
    found = facts(tmp_path, PatientOrientation=said or []).letters
    assert found == (None if letters is None else tuple(tuple(edge) for edge in letters))


def test_letters_of_an_animal_on_four_legs_are_its_own(tmp_path):
    found = facts(tmp_path, PatientOrientation=["CRD", "LE"], AnatomicalOrientationType="QUADRUPED")
    assert found.letters == (("CD", "V"), ("CR", "D"), ("RT",), ("LE",))
    assert found.quadruped


@pytest.mark.parametrize(
    ("tags", "rate"),
    [
        ({"FrameTime": "40"}, 25.0),
        ({"FrameTimeVector": ["0", "50", "150"]}, 10.0),
        ({"FrameTime": "40", "CineRate": "12"}, 12.0),
        ({"FrameTime": "40", "CineRate": "12", "RecommendedDisplayFrameRate": "30"}, 30.0),
        ({"FrameTime": "0", "CineRate": "0"}, None),
        ({"FrameTime": "0.0001"}, None),
        ({}, None),
    ],
)
def test_frames_play_at_the_rate_of_the_file(tmp_path, tags, rate):
    found = facts(tmp_path, shape=(3, 6, 5), modality="US", **tags).rate
    assert found == (None if rate is None else pytest.approx(rate))


def test_technique_is_told_with_units(tmp_path):
    found = facts(
        tmp_path, modality="MR", RepetitionTime="500", EchoTime="12.50", MagneticFieldStrength="1.5"
    )
    assert found.technique == ("TR 500 ms", "TE 12.5 ms", "1.5 T")
    found = facts(
        tmp_path, modality="MG", KVP="28", Exposure="60", ImageLaterality="L", ViewPosition="MLO"
    )
    assert found.technique == ("28 kV", "60 mAs")
    assert found.view == "L MLO"


@pytest.mark.parametrize(("said", "told"), [("228", True), ("300", True), ("4684", False)])
def test_an_exposure_that_tube_current_and_time_contradict_is_left_out(tmp_path, said, told):
    """As of LIDC-IDRI-0001: 400 mA for 570 ms are 228 mAs, and its file says 4684."""
    found = facts(
        tmp_path,
        modality="CT",
        KVP="120",
        Exposure=said,
        XRayTubeCurrent="400",
        ExposureTime="570",
    )
    assert found.technique == (("120 kV", f"{said} mAs") if told else ("120 kV",))


def test_the_tracer_of_a_pet_is_named(tmp_path):
    tracer = Dataset()
    tracer.Radiopharmaceutical = "FDG"
    found = facts(tmp_path, modality="PT", RadiopharmaceuticalInformationSequence=[tracer])
    assert found.technique == ("FDG",)


def test_a_file_that_cannot_be_read_any_more_says_nothing(tmp_path):
    path = write_slice(tmp_path / "a.dcm", np.zeros((6, 5), np.uint16), modality="DX", KVP="60")
    (series,) = scan([path]).series
    path.unlink()
    assert display_facts(order(series)) == DisplayFacts()
