"""Animals on four legs (0010,2210): their letters and words in the window."""

import numpy as np
import pytest

from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.ui import orientation
from viewer.ui.reading import TEXT_NONE

from .beside_cases import AXIAL, open_in, write
from .checklist import open_radiograph
from .conftest import settle


@pytest.fixture
def dog(window, qtbot, tmp_path):
    """An axial CT of an animal."""
    write(tmp_path, "dog", AXIAL, 24, AnatomicalOrientationType="QUADRUPED")
    open_in(window, qtbot, tmp_path)
    qtbot.waitUntil(lambda: window.reading.facts.quadruped, timeout=20_000)
    settle(window)
    return window


def test_letters_are_those_of_an_animal_in_every_plane(dog):
    found = {view.plane.name: orientation.edges(view) for view in dog.views.views}
    assert found["axial"] == (("RT",), ("LE",), ("V",), ("D",))
    assert found["coronal"] == (("RT",), ("LE",), ("CR",), ("CD",))
    assert found["sagittal"] == (("V",), ("D",), ("CR",), ("CD",))


def test_they_are_painted_and_said_to_those_who_hear_them(dog, monkeypatch):
    said = []
    monkeypatch.setattr(orientation, "haloed", lambda _p, _at, text, *rest: said.append(text))
    dog.reading.show(text=TEXT_NONE)  # letters stand there whatever text is hidden
    for view in dog.views.views:
        view.grab()
    assert {"RT", "LE", "V", "D", "CR", "CD"} <= set(said)
    assert not {"R", "L", "A", "P", "H", "F"} & set(said)
    words = dog.views.views[0].accessibleDescription()
    assert "ventral" in words
    assert "dorsal" in words
    assert "anterior" not in words


def test_an_oblique_plane_has_a_second_letter_of_an_animal(dog):
    reading = dog.reading
    straight = reading.straight["axial"]
    frame = turned(frame_of(straight), (0, 0, 1), np.radians(30))
    plane = cut_plane(straight, frame, reading.cursor_lps_mm)
    reading.turn({**reading.planes, "axial": plane})
    settle(dog)
    found = orientation.edges(dog.views.views[0])
    assert {len(parts) for parts in found} == {2}
    assert found.right == ("LE", "D")
    assert found.left == ("RT", "V")


def test_the_next_case_of_a_person_has_a_persons_letters(dog, qtbot, tmp_path_factory):
    folder = tmp_path_factory.mktemp("person")
    write(folder, "person", AXIAL, 24, StudyInstanceUID="1.2.3.5", PatientID="P")
    open_in(dog, qtbot, folder)
    assert orientation.edges(dog.views.views[0]) == (("R",), ("L",), ("A",), ("P",))
    qtbot.waitUntil(lambda: dog.conventions.facts._job is None, timeout=20_000)
    assert not dog.reading.facts.quadruped


def test_a_radiograph_of_an_animal_has_the_letters_of_its_file(window, qtbot, tmp_path):
    tags = {"PatientOrientation": ["CD", "V"], "AnatomicalOrientationType": "QUADRUPED"}
    open_radiograph(window, qtbot, tmp_path, **tags)
    view = window.views.views[0]
    assert orientation.edges(view) == (("CR",), ("CD",), ("D",), ("V",))
    assert "cranial" in orientation.in_words(view)
