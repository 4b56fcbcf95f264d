"""What a training set may hold, who may be on which side. Imports nothing slow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

SetFormat = Literal["pairs", "nnunet", "monai", "coco", "table", "hard", "crops"]
SET_FORMATS: tuple[SetFormat, ...] = get_args(SetFormat)
"""NIfTI pairs; nnU-Net v2 folder; MONAI data list; COCO; table of findings; false positives and
missed lesions; crops that ``overread retrain`` reads."""

USUAL: tuple[SetFormat, ...] = ("nnunet", "table", "crops")
"""What a person gets who has not chosen."""

Side = Literal["training", "validation", "test"]
SIDES: tuple[Side, ...] = get_args(Side)
FOLDS = 5
"""Of the patients that are not on the side ``test``; fold 0 is the side ``validation``."""

CROPS_TRAINING, CROPS_TEST = "crops/training", "crops/test"
"""Folders in a version that ``overread retrain`` and ``overread compare`` read."""

TEST_PERCENT = 20
"""Share of the patients whose cases are kept for comparing models, unless a set says otherwise."""

WhyOpen = Literal["no-verdict", "unsure", "hidden", "no-outline", "other-label"]
"""Why a finding is neither truth nor rejected: nobody judged it, its reader was unsure, it was
hidden by the threshold without a verdict, it has a place but no outline, or the set has no class
for its label."""

WhyNot = Literal[
    "nothing-judged", "not-dicom", "no-place", "resampled", "other-modality", "unchanged"
]
"""Why a case adds nothing to a set."""

NoCrop = Literal["not-ct", "not-axial", "not-square", "too-large", "beside-a-nodule"]
"""Why a finding of a case gives no crop to retrain on."""


def complete(chosen: Iterable[str]) -> tuple[SetFormat, ...]:
    """Return formats in their one order, with those whose files they name.

    Raises
    ------
    ValueError
        When one is not known.
    """
    wanted = set(chosen)
    if wanted - set(SET_FORMATS):
        raise ValueError("not a format that is known")
    if "monai" in wanted:
        wanted.add("pairs")
    return tuple(one for one in SET_FORMATS if one in wanted)
