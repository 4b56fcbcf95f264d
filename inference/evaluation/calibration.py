"""Whether the heat is the share of readers: 0.5 is to mean that two of four outlined it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.folder import READERS, Folder
from inference.evaluation.predictions import Predictions
from inference.evaluation.statistics import rounded

BINS = 10
_FLOOR = 0.1


class HeatCalibration:
    """Mean heat against the mean share of readers, by bins of heat, over crop voxels.

    Every LIDC scan was read by four radiologists, so a voxel that two outlined has a share
    of 0.5 even where only those two saw the nodule. ``of_those_who_saw`` divides by the
    nodule's readers instead.
    """

    def __init__(self) -> None:
        # Rows: all voxels, and those with heat or a reader; columns: bins.
        self._count = np.zeros((2, BINS))
        self._heat = np.zeros((2, BINS))
        self._share = np.zeros((2, BINS))
        self._own_share = np.zeros((2, BINS))

    def add(
        self, heat: npt.NDArray[np.uint8], votes: npt.NDArray[np.uint8], n_readers: int
    ) -> None:
        """Count the voxels of one crop: heat x 255, and how many of the readers outlined each."""
        chance = heat.ravel().astype(np.float64) / 255
        given = votes.ravel().astype(np.float64)
        place = np.minimum((chance * BINS).astype(int), BINS - 1)
        everything = np.ones(len(chance), dtype=np.bool_)
        for row, keep in enumerate((everything, (chance >= _FLOOR) | (given > 0))):
            own = place[keep]
            self._count[row] += np.bincount(own, minlength=BINS)
            for total, values in (
                (self._heat, chance),
                (self._share, given / max(READERS, n_readers)),
                (self._own_share, given / n_readers),
            ):
                total[row] += np.bincount(own, weights=values[keep], minlength=BINS)

    def _error(self, row: int, shares: npt.NDArray[np.float64]) -> float | None:
        total = self._count[row].sum()
        if not total:
            return None
        return rounded(np.abs(self._heat[row] - shares[row]).sum() / total)

    def figures(self) -> dict[str, Any]:
        """Return the expected calibration error, of both kinds of voxels, and the table."""
        return {
            "share_of": "the four readers of every scan",
            "expected_calibration_error": {
                "voxels_with_heat_of_0.1_or_a_reader": self._error(1, self._share),
                "all_voxels": self._error(0, self._share),
            },
            "of_those_who_saw_the_nodule": {
                "voxels_with_heat_of_0.1_or_a_reader": self._error(1, self._own_share),
                "all_voxels": self._error(0, self._own_share),
            },
            "bins": [
                {
                    "voxels": int(count),
                    "heat": rounded(heat / count),
                    "readers": rounded(given / count),
                    "of_those_who_saw": rounded(own / count),
                }
                for count, heat, given, own in zip(
                    self._count[1], self._heat[1], self._share[1], self._own_share[1], strict=True
                )
                if count
            ],
        }


def heat_calibration(
    folder: Folder, predictions: Predictions, chosen: list[int]
) -> dict[str, Any] | None:
    """Return the calibration of the heat over some crops; None without heat."""
    if predictions.heat is None or not chosen:
        return None
    calibration = HeatCalibration()
    for number in chosen:
        lesion = folder.lesions[number]
        calibration.add(predictions.heat[lesion.rows], folder.votes(lesion), lesion.n_readers)
    return calibration.figures()
