"""A made-up case of twelve findings, and three more under the threshold."""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt

from inference.findings import Detection, Impression, Mask
from inference.measure import measure

SHOWN, BELOW = 12, 3


def findings_of_twelve(phantom, truth):
    """Return findings whose numbers, sizes, places and doubts are in different orders."""
    volume = phantom.volume
    detections = []
    sides = [np.argwhere(_inner(phantom.lung(side), volume)) for side in ("right", "left")]
    random = np.random.default_rng(7)
    for n in range(SHOWN + BELOW):
        voxels = sides[n % 2]
        k, j, i = voxels[int(len(voxels) * (n + 0.5) / (SHOWN + BELOW))]
        half = 1 + n % 3
        box = np.ones((1 + 2 * (half // 2), 2 * half + 1, 2 * half + 1 + n % 2), bool)
        origin = (int(k) - half // 2, int(j) - half, int(i) - half)
        mask = Mask(origin, box)
        size = measure(mask, volume.affine, volume.voxels)
        score = 0.97 - 0.05 * n if n < SHOWN else 0.35 - 0.1 * (n - SHOWN)
        detections.append(
            Detection(
                f"d{n + 1}",
                "nodule",
                round(score, 2),
                size.centre_lps_mm,
                size.diameter_mm,
                size.short_axis_mm,
                size.volume_ml,
                size.mean_value,
                mask,
                uncertainty=round(float(random.uniform(0.02, 0.4)), 3),
                impression=Impression(
                    1 + 4 * float(random.random()), 1 + 4 * float(random.random())
                ),
            )
        )
    return replace(truth, detections=tuple(detections), threshold=0.4)


def _inner(mask, volume):
    """Return the voxels of a lung that are far enough from the volume's edge."""
    array = mask.to_array(volume.shape_kji)
    array[:3] = array[-3:] = False
    array[:, :8] = array[:, -8:] = False
    array[:, :, :8] = array[:, :, -8:] = False
    return array


def listed(window):
    """Return the ids of the rows, from the top."""
    rows = window.panel.list
    return [rows.item(n).data(int(Qt.ItemDataRole.UserRole)) for n in range(rows.count())]


def spoken(window, row):
    return window.panel.list.item(row).data(int(Qt.ItemDataRole.AccessibleTextRole))


def counter(window):
    return window.panel._count.text()
