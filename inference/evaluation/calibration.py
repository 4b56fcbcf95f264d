"""Whether the heat is the share of readers: 0.5 is to mean that two of four outlined it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.folder import READERS, Folder
from inference.evaluation.predictions import Predictions
from inference.evaluation.statistics import interval_of_patients, rounded

BINS = 10


class HeatCalibration:
    """Mean heat against the mean share of readers, by bins of heat, over crop voxels.

    Every LIDC scan was read by four radiologists, so a voxel that two outlined has a share
    of 0.5 even where only those two saw the nodule. ``of_those_who_saw_the_nodule`` divides by
    the nodule's readers instead.

    Which voxels count is decided by their heat alone. To add those that a reader outlined would
    choose by the outcome, and no map, however well calibrated, could then be without error.
    """

    def __init__(self) -> None:
        # Of each patient (4, bins): voxels, sum of heat, of shares, and of those who saw it.
        self._of: dict[str, npt.NDArray[np.float64]] = {}

    def add(
        self,
        heat: npt.NDArray[np.uint8],
        votes: npt.NDArray[np.uint8],
        n_readers: int,
        patient: str,
    ) -> None:
        """Count the voxels of one crop: heat x 255, and how many of the readers outlined each."""
        chance = heat.ravel().astype(np.float64) / 255
        given = votes.ravel().astype(np.float64)
        place = np.minimum((chance * BINS).astype(int), BINS - 1)
        own = self._of.setdefault(patient, np.zeros((4, BINS)))
        own[0] += np.bincount(place, minlength=BINS)
        for row, values in (
            (1, chance),
            (2, given / max(READERS, n_readers)),
            (3, given / n_readers),
        ):
            own[row] += np.bincount(place, weights=values, minlength=BINS)

    def _every(self) -> npt.NDArray[np.float64]:
        return np.stack(list(self._of.values())) if self._of else np.zeros((0, 4, BINS))

    def sums(self) -> npt.NDArray[np.float64]:
        """Return what ``error_of`` takes, of each patient in the order of the crops.

        Voxels from a heat of 0.1 on alone: where there is none, every map is right.
        """
        return self._every()[..., 1:]

    def error(self) -> dict[str, Any]:
        """Return the expected calibration error of voxels with heat, with its 95 % interval."""
        sums = self.sums()
        return {
            "mean": error_of(sums.sum(axis=0)),
            "ci95": interval_of_patients(sums, error_of),
        }

    def _errors(self, row: int) -> dict[str, Any]:
        every, hot = self._every(), self.sums()
        return {
            "voxels_from_heat_0.1": _error(hot.sum(axis=0), row),
            "voxels_from_heat_0.1_ci95": interval_of_patients(hot, lambda one: _error(one, row)),
            "all_voxels": _error(every.sum(axis=0), row),
        }

    def figures(self) -> dict[str, Any]:
        """Return the expected calibration error of both kinds of voxels, and the table."""
        total = sum(self._of.values(), np.zeros((4, BINS)))
        return {
            "share_of": "the four readers of every scan",
            "expected_calibration_error": self._errors(2),
            "of_those_who_saw_the_nodule": self._errors(3),
            "bins": [
                {
                    "voxels": int(count),
                    "heat": rounded(heat / count),
                    "readers": rounded(given / count),
                    "of_those_who_saw": rounded(own / count),
                }
                for count, heat, given, own in total.T
                if count
            ],
        }


def error_of(sums: npt.NDArray[np.float64]) -> float | None:
    """Return the expected calibration error of (4, bins) sums; None without voxels."""
    return _error(sums, 2)


def _error(sums: npt.NDArray[np.float64], row: int) -> float | None:
    """Return the error of (4, bins) sums against the shares in a row of them."""
    total = sums[0].sum()
    return rounded(np.abs(sums[1] - sums[row]).sum() / total) if total else None


def heat_of(
    folder: Folder, predictions: Predictions, chosen: Sequence[int]
) -> HeatCalibration | None:
    """Return what the heat over some crops amounts to; None without heat."""
    if predictions.heat is None or not chosen:
        return None
    calibration = HeatCalibration()
    for number in chosen:
        lesion = folder.lesions[number]
        heat, votes = predictions.heat[lesion.rows], folder.votes(lesion)
        calibration.add(heat, votes, lesion.n_readers, lesion.patient)
    return calibration
