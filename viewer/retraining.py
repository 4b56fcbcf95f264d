"""A retraining that a window asked for: what it is of, where it is kept, how far it came. No Qt.

Each lies in a folder of its own, ``retraining/<UTC time>`` in the data folder, and is never
overwritten: what was wished, the checkpoints, the new pack, and its comparison with pictures. The
pictures show slices of the data set that the reader named, so only their owner may read them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inference.evaluation.promotion import promotion
from inference.manifest import ModelPack, read_manifest
from resources.problem import Problem
from resources.text import translate
from viewer import folders

STEPS = 600
_WISH, _PACK, _COMPARISON, _PICTURES = "wish.json", "pack", "comparison.json", "pictures"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader asked for.

    Attributes
    ----------
    data
        Folder of the corrected crops.
    base
        Folder of the pack to begin with.
    version
        Of the new pack.
    steps, minutes
        How long; 0 minutes set no limit of time.
    test
        Folder of the locked nodules to compare on afterwards; empty when not chosen yet.
    """

    data: str
    base: str
    version: str
    steps: int = STEPS
    minutes: float = 0.0
    test: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One retraining on the disk."""

    folder: Path
    wish: Wish

    @property
    def pack(self) -> ModelPack | None:
        """The new model; None while it is not made."""
        try:
            return read_manifest(self.folder / _PACK)
        except Problem:
            return None

    @property
    def comparison(self) -> dict[str, Any] | None:
        """What ``overread compare`` wrote, judged again by the limits of this program; or None."""
        try:
            found = json.loads((self.folder / _COMPARISON).read_text(encoding="utf-8"))
            return {
                **found,
                "promotion": promotion(found["new_minus_old"], found["data"]["patients"]),
            }
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def figures(self) -> Path:
        """The file of the comparison."""
        return self.folder / _COMPARISON

    def pictures(self) -> tuple[Path, ...]:
        """Return the pictures of what changed most, in the order of the comparison's nodules."""
        folder = self.folder / _PICTURES
        return tuple(sorted(folder.glob("*.png"))) if folder.is_dir() else ()

    def training(self) -> list[str]:
        """Return the arguments of Python that retrain, from where it was left."""
        wish = self.wish
        return [
            *("-m", "inference.training", "retrain", "--behind"),
            *("--data", wish.data, "--base", wish.base, "--out", str(self.folder)),
            *("--version", wish.version, "--steps", str(wish.steps)),
            *("--minutes", f"{wish.minutes:g}", "--device", "auto"),
            # A core is left to the window.
            *("--threads", str(max(1, (os.cpu_count() or 2) - 1))),
        ]

    def comparing(self, old: ModelPack) -> list[str]:
        """Return the arguments of Python that compare the new model with another."""
        return [
            *("-m", "inference.evaluation", "compare", "--behind"),
            *("--old", str(old.folder), "--new", str(self.folder / _PACK)),
            *("--data", self.wish.test, "--json", str(self.figures)),
            *("--pictures", str(self.folder / _PICTURES)),
        ]

    def with_test(self, test: str) -> Run:
        """Return the same run, to be compared on other nodules; what was compared is dropped."""
        wish = Wish(**{**asdict(self.wish), "test": test})
        self.forget_comparison()
        return _written(self.folder, wish)

    def forget_comparison(self) -> None:
        """Remove figures and pictures: they are made anew."""
        try:
            for path in (self.figures, *self.pictures()):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritten(self.folder, error) from error


def latest() -> Run | None:
    """Return the retraining that was begun last, None when there is none."""
    home = folders.place("data") / "retraining"
    if not home.is_dir():
        return None
    for folder in sorted(home.iterdir(), reverse=True):
        try:
            wish = Wish(**json.loads((folder / _WISH).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        return Run(folder, wish)
    return None


def begin(wish: Wish) -> Run:
    """Keep a wish in a folder of its own.

    Raises
    ------
    Problem
        When that cannot be written.
    """
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    return _written(folders.data_dir() / "retraining" / name, wish)


def next_version(base: ModelPack, packs: Sequence[ModelPack]) -> str:
    """Return the base's version with its last number raised until no pack has it."""
    *head, last = base.version.split(".")
    taken = {pack.version for pack in packs}
    number = int(last) + 1
    while (version := ".".join([*head, str(number)])) in taken:
        number += 1
    return version


def _written(folder: Path, wish: Wish) -> Run:
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        part = folder / (_WISH + ".part")
        part.write_text(json.dumps({**asdict(wish)}, indent=2) + "\n", encoding="utf-8")
        part.replace(folder / _WISH)
    except OSError as error:
        raise _unwritten(folder, error) from error
    return Run(folder, wish)


def _unwritten(folder: Path, error: OSError) -> Problem:
    return Problem(
        translate("retrain", "The folder of the retraining cannot be written to."),
        translate("retrain", "Make room on the disk, or allow writing to the data folder."),
        f"{folder.name}: {error.strerror or type(error).__name__}",
    )
