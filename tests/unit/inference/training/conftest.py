from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from inference.training.data import Crops, Lungs, load_crops, load_lungs
from tests.training_cases import write_crops, write_lungs


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in the form of the real one."""
    folder = tmp_path_factory.mktemp("data")
    write_crops(folder / "lidc-nodules", 24)
    write_lungs(folder / "lungs-unlabelled")
    return folder


@pytest.fixture(scope="session")
def crops(data: Path) -> Crops:
    return load_crops(data / "lidc-nodules")


@pytest.fixture(scope="session")
def lungs(data: Path) -> tuple[Lungs, ...]:
    return load_lungs(data / "lungs-unlabelled")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums in another order differ in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
