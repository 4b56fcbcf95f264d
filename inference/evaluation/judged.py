"""What one model did on some nodules: outlines, blobs and heat, each beside its readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference.evaluation import calibration, decision, detection, outlines
from inference.evaluation.folder import Folder
from inference.evaluation.predictions import Blob, Predictions, blobs_of

DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What one model did on the nodules, in one order for both.

    Attributes
    ----------
    outlined, found
        Of every nodule, at a point and without one.
    heat
        Calibration of the heatmap, None where the predictions hold none.
    threshold
        Score from which the model shows a finding.
    """

    predictions: Predictions
    outlined: tuple[outlines.Outlined, ...]
    found: tuple[detection.Found, ...]
    heat: calibration.HeatCalibration | None
    threshold: float

    @property
    def cases(self) -> decision.Cases:
        """What the decision to accept or reject is about."""
        return decision.Cases.of(self.found)


def judge(
    folder: Folder,
    said: Predictions,
    numbers: Sequence[int],
    tell: Callable[[int], None] = lambda done: None,
) -> Judged:
    """Judge what one model said of some nodules."""
    blobs: dict[int, list[Blob]] = {number: [] for number in numbers}
    for blob in blobs_of(said, folder):
        if blob.lesion in blobs:
            blobs[blob.lesion].append(blob)
    outlined, found = [], []
    for done, number in enumerate(numbers, start=1):
        outlined.append(outlines.judge(folder, said, number))
        found.append(detection.judge(folder, number, blobs[number]))
        tell(done)
    return Judged(
        said,
        tuple(outlined),
        tuple(found),
        calibration.heat_of(folder, said, numbers),
        float(said.model.get("threshold", DEFAULT_THRESHOLD)),
    )
