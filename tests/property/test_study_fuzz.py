"""A short slice of ``fuzz_study``: damaged files end in a value, a reason or a sentence."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import pytest

from tests.property.fuzz_study import damaged, outcome, seeds, synthetic
from viewer.study import header

COUNT = 100


def test_the_files_that_are_damaged_open_when_whole(tmp_path: Path) -> None:
    for n, content in enumerate(synthetic(tmp_path)):
        path = tmp_path / f"{n}.dcm"
        path.write_bytes(content)
        assert outcome(path) == "shown", n
        path.unlink()


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_synthetic_files_end_well(tmp_path: Path, seed: int) -> None:
    ends_well(tmp_path, seed, seeds(None))


def test_damaged_files_of_the_corpus_end_well(tmp_path: Path, corpus: Path) -> None:
    ends_well(tmp_path, 3, seeds(corpus))


def test_a_slip_of_the_program_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(raw: header.Raw, tag: int) -> str:
        return raw.get(tag, b"").decode("ascii").strip(" \0")

    monkeypatch.setattr(header, "text", careless)
    with pytest.raises(UnicodeDecodeError) as caught:
        ends_well(tmp_path, 1, seeds(None))
    assert "of seed 1" in caught.value.__notes__[0]


def ends_well(folder: Path, seed: int, whole: list[bytes]) -> None:
    path, ends = folder / "damaged.dcm", Counter[str]()
    with warnings.catch_warnings():
        # What pydicom warns of in such files is not ours to hear.
        warnings.simplefilter("ignore")
        for number in range(COUNT):
            path.write_bytes(damaged(number, seed, whole))
            try:
                ends[outcome(path)] += 1
            except BaseException as error:
                error.add_note(f"input {number} of seed {seed}, {len(whole)} whole files")
                raise
    # A harness that only ever damages too much or too little finds nothing.
    assert ends["shown"] > COUNT // 10 and ends["skipped"] > COUNT // 10
