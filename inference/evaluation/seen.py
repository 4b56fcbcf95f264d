"""Which patients a model was trained on: what its pack says, else the rule of the split."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.manifest import ModelPack
from inference.training.data import SPLITS, split_of

CHOICES = ("unseen", *SPLITS, "all")


@dataclass(frozen=True, slots=True)
class Seen:
    """Patients by what they were used for.

    Attributes
    ----------
    by_name
        Whether the pack lists them; else every patient counts as used as the hash says,
        which is right for the patients of its data set and too strict for others.
    used
        ``"train"`` and ``"validation"``, each with the names that the pack lists.
    """

    by_name: bool
    used: dict[str, frozenset[str]]

    def use(self, patient: str) -> str:
        """Return ``"train"``, ``"validation"``, or ``""`` when it was used for neither."""
        if not self.by_name:
            split = split_of(patient)
            return "" if split == "test" else split
        return next((use for use, names in self.used.items() if patient in names), "")


def seen_by(pack: ModelPack | None) -> Seen:
    """Read the training record of a pack: ``patients`` with ``train`` and ``validation``."""
    record = _record(pack)
    lists = record.get("patients")
    if not isinstance(lists, dict) or not all(
        isinstance(lists.get(use), list) for use in ("train", "validation")
    ):
        return Seen(False, {})
    used = {use: frozenset(map(str, lists[use])) for use in ("train", "validation")}
    return Seen(True, used)


def _record(pack: ModelPack | None) -> dict[str, Any]:
    name = None if pack is None else pack.training.get("record")
    if pack is None or not isinstance(name, str):
        return {}
    try:
        record = json.loads((pack.folder / Path(name).name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def chosen(patient: str, choice: str, seen: Seen) -> bool:
    """Tell whether a patient belongs to what was chosen, one of ``CHOICES``."""
    if choice == "all":
        return True
    if choice == "unseen":
        return not seen.use(patient)
    return split_of(patient) == choice
