"""Pictures of the worst outlines: the right ones, and none of the pixels where none may be."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation import pictures
from inference.evaluation.folder import Folder
from tests.evaluation_cases import ball, folder_of, majority, said, write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Folder:
    return write_folder(tmp_path_factory.mktemp("pictures") / "crops", 6)


def shifted(folder: Folder) -> np.ndarray:
    """Outlines that are further off the later a nodule comes in the index."""
    masks = majority(folder)
    for number, one in enumerate(folder.lesions):
        masks[one.rows] = np.roll(masks[one.rows], number, axis=2)
    return masks


def test_the_worst_come_first(folder: Folder):
    given = said(folder, shifted(folder))
    worst = pictures.worst(folder, given, range(6), 3)
    assert [one.dice for one in worst] == sorted(one.dice for one in worst)
    assert worst[0].dice == min(one.dice for one in pictures.worst(folder, given, range(6), 6))
    assert {one.number for one in worst} <= {3, 4, 5, 2}
    assert len(pictures.worst(folder, given, [1], 3)) == 1


def test_nodules_of_two_readers_are_no_failures():
    folder = folder_of([[ball(3, 5)] * 2])
    assert pictures.worst(folder, said(folder, majority(folder)), [0], 3) == []


def test_the_montage_holds_outlines_and_no_pixel(folder: Folder):
    given = said(folder, shifted(folder))
    worst = pictures.worst(folder, given, range(6), 5)
    root = ET.fromstring(pictures.montage(folder, given, worst))
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert kinds == {"svg", "rect", "g", "path", "line", "text"}
    paths = [e for e in root.iter() if e.tag.endswith("path")]
    assert len(paths) == 2 * 5
    assert all(path.get("d", "").startswith("M") for path in paths)
    text = " ".join("".join(e.itertext()) for e in root.iter() if e.tag.endswith("text"))
    assert folder.lesions[worst[0].number].patient in text
    assert f"Dice {worst[0].dice:.2f}" in text
    # Both outlines lie within their tile.
    for path in paths:
        numbers = [float(x) for x in path.get("d", "").replace("M", " ").replace("L", " ")
                   .replace("Z", " ").split()]  # fmt: skip
        assert min(numbers) >= 0 and max(numbers) <= 190


def test_empty_and_perfect_outlines_can_be_drawn(folder: Folder):
    for masks in (np.zeros(folder.bits.shape, dtype=bool), majority(folder)):
        given = said(folder, masks)
        ET.fromstring(pictures.montage(folder, given, pictures.worst(folder, given, range(6), 6)))
    ET.fromstring(pictures.montage(folder, given, []))


def test_pictures_show_both_outlines_on_the_slices(folder: Folder, tmp_path: Path):
    from PIL import Image

    given = said(folder, shifted(folder))
    worst = pictures.worst(folder, given, range(6), 2)
    files = list(pictures.draw(tmp_path, folder, given, worst))
    assert [file.name for file in files] == ["01.png", "02.png"]
    with Image.open(files[0]) as image:
        found = np.asarray(image.convert("RGB"))
    assert found.shape[0] == 2 * 384 + 20 and found.shape[1] % 384 == 0
    upper, lower = found[:384].reshape(-1, 3), found[384:768].reshape(-1, 3)
    for colour in ((0x1B, 0x9E, 0x77), (0xD9, 0x5F, 0x02)):
        assert (lower == colour).all(axis=1).any()
        assert not (upper == colour).all(axis=1).any()
