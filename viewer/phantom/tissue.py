"""Painting one slice of the phantom: from the air outside to the airways, in HU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference import geometry
from viewer.phantom import thorax
from viewer.phantom.shapes import Box, Field, Plane, Ripple, cover, ellipsoid_mm, oval_mm, paint

AIR, FAT, MUSCLE, BLOOD, LIVER = -1000.0, -103.0, 52.0, 42.0, 58.0
_SKIN, _SPLEEN, _STOMACH, _CARTILAGE = 25.0, 48.0, 22.0, 110.0
_CORTEX, _MARROW, _DISC, _CORD = 680.0, 190.0, 85.0, 25.0
_PARENCHYMA = -868.0

# Lowest and highest (x, y) in mm at which there can be body and couch, chest, spine.
_BODY = ((-174.0, -120.0), (174.0, 136.0))
_CHEST = ((-142.0, -96.0), (142.0, 102.0))
_SPINE = ((-22.0, 44.0), (22.0, 100.0))


class TissuePainter:
    """Paints slices of one grid; slices may be painted in several threads."""

    def __init__(self, seed: int, affine: geometry.Affine, shape_kji: tuple[int, int, int]) -> None:
        self._shape_ji = shape_kji[1:]
        self._seed = seed
        self._vessels = thorax.great_vessels(affine, shape_kji)
        self._lumen = thorax.airways(affine, shape_kji)
        self._airway_wall = thorax.airways(affine, shape_kji, 1.6)
        self._ribs, self._bones, self._cartilage = thorax.bones(affine, shape_kji)
        rng = np.random.default_rng((seed, 0))
        self._wobble = Ripple(rng, 70)
        self._streaks = Ripple(rng, 38)
        self._patches = Ripple(rng, 24)

    def slice_hu(
        self, p: Plane, k: int, twigs: Field, bronchi: Field, bronchial_walls: Field
    ) -> tuple[Field, Field, Field]:
        """Paint one slice without nodules, blur or noise.

        Parameters
        ----------
        p, k
            Plane of the slice and its index.
        twigs, bronchi, bronchial_walls
            Shares of each voxel in the trees of the lungs.

        Returns
        -------
        image, right, left
            HU, and the share of each voxel in either lung; (rows, columns) float32.
        """
        image = np.full(self._shape_ji, AIR, dtype=np.float32)
        right, left = np.zeros_like(image), np.zeros_like(image)
        wobble = self._wobble.at(p, self._shape_ji)
        rows, columns = p.box(*_BODY)
        self._wall(image[rows, columns], p, k, (rows, columns), wobble[rows, columns])

        rows, columns = p.box(*_CHEST)
        part, q, wobble = image[rows, columns], p.crop(rows, columns), wobble[rows, columns]
        chest = cover(thorax.chest_mm(q))
        paint(part, chest, FAT)
        self._abdomen(part, q, chest, wobble)
        vessel_mm = self._vessels.distance_mm(p, k)[rows, columns]
        airway_mm = self._airway_wall.distance_mm(p, k)[rows, columns]
        self._mediastinum(part, q, vessel_mm, wobble)
        self._spine(image, p)
        middle = thorax.mediastinum_mm(q, np.minimum(vessel_mm, airway_mm))
        right[rows, columns] = cover(thorax.lung_mm(q, "right", middle))
        left[rows, columns] = cover(thorax.lung_mm(q, "left", middle))
        lungs = (right + left)[rows, columns]
        inside = [field[rows, columns] for field in (twigs, bronchi, bronchial_walls)]
        patches = self._patches.at(p, self._shape_ji)[rows, columns]
        paint(part, lungs, self._parenchyma(q, k, patches, *inside))
        paint(part, cover(airway_mm), 15.0)
        paint(part, cover(self._lumen.distance_mm(p, k)[rows, columns]), -995.0)
        return image, right, left

    def _wall(self, image: Field, whole: Plane, k: int, box: Box, wobble: Field) -> None:
        p = whole.crop(*box)
        skin = thorax.body_mm(p)
        paint(image, cover(skin), _SKIN)
        paint(image, cover(skin + 2.0), FAT)
        chest = thorax.chest_mm(p)
        muscle = np.maximum(thorax.muscle_mm(p) + 2.5 * wobble, skin + 6)
        muscle = np.minimum(muscle, chest - 11)
        streaks = self._streaks.at(p, image.shape)
        paint(image, cover(muscle), MUSCLE + 6 * streaks)
        # Fat between the layers of muscle, and marbling along them.
        layer = np.abs(muscle + 9 + 4 * streaks) - 0.9
        paint(image, cover(np.maximum(layer, 13 - chest)) * 0.85, FAT)
        paint(image, cover(self._cartilage.distance_mm(whole, k)[box]), _CARTILAGE)
        sternum = np.maximum(oval_mm(p, 0, -84.5, 17, 6.5), np.abs(p.z + 20) - 92)
        ribs, others = self._ribs, self._bones
        for bone, shell in (
            (ribs.distance_mm(whole, k)[box], 1.4),
            (others.distance_mm(whole, k)[box], 1.6),
            (sternum, 1.3),
        ):
            paint(image, cover(bone), _CORTEX)
            paint(image, cover(bone + shell, 2.0), _MARROW)
        # The couch, a thin shell under the back.
        couch = np.abs(p.y - (131 - (p.x / 62) ** 2 * 1.6)) - 1.0
        inside = np.maximum(couch, np.abs(p.x) - 168)
        paint(image, cover(inside) * cover(-skin), -420.0)

    def _abdomen(self, image: Field, p: Plane, chest: Field, wobble: Field) -> None:
        if not chest.size or float(np.min(p.z)) > -60:
            return
        right = thorax.below_diaphragm_mm(p, "right")
        left = thorax.below_diaphragm_mm(p, "left")
        divide = p.x - 26 + 0.35 * p.y + 3 * wobble
        under = np.where(divide < 0, right, left)
        paint(image, chest * cover(under - 0.5, 2.0), MUSCLE)
        liver = np.maximum(np.maximum(right + 3, divide), -(p.z + 300))
        paint(image, chest * cover(liver, 2.0), LIVER + 2 * wobble)
        cavity = chest * cover(left + 3, 2.0) * cover(-divide, 2.0)
        paint(image, cavity, FAT + 6 * wobble)
        spleen = ellipsoid_mm(p, (92, 52, -166), (32, 34, 44), turn_deg=28) + 2 * wobble
        paint(image, cavity * cover(spleen), _SPLEEN)
        stomach = ellipsoid_mm(p, (62, -16, -172), (42, 48, 44)) + 3 * wobble
        paint(image, cavity * cover(stomach), MUSCLE)
        paint(image, cavity * cover(stomach + 5), _STOMACH)

    def _mediastinum(self, image: Field, p: Plane, vessel_mm: Field, wobble: Field) -> None:
        heart = thorax.heart_mm(p) + 1.5 * wobble
        above = cover(-(thorax.below_diaphragm_mm(p, "left") + 4), 3.0)
        paint(image, cover(np.abs(heart - 4.5) - 0.6) * 0.7 * above, 10.0)
        paint(image, cover(heart) * above, BLOOD - 2)
        # Groove of fat between atria and ventricles.
        groove = np.maximum(np.abs(p.x * 0.62 - p.y * 0.78 - 8 + 4 * wobble) - 1.6, heart - 1)
        groove = np.maximum(groove, -heart - 13)
        paint(image, cover(groove) * above, -75.0)
        paint(image, cover(vessel_mm), BLOOD)

    def _spine(self, image: Field, p: Plane) -> None:
        rows, columns = p.box(*_SPINE)
        image, p = image[rows, columns], p.crop(rows, columns)
        off = thorax.vertebra_phase_mm(p.z)
        waist = 1.6 * np.cos(off * np.float32(np.pi / 11.5))
        body = oval_mm(p, 0, 62, 18.5 - waist, 14.5 - waist, 2.3)
        flat = np.maximum(body, p.y - 73.5)
        end_plate = off - np.float32(8.8)
        paint(image, cover(flat), _DISC)
        paint(image, cover(np.maximum(flat, end_plate), 1.6), _CORTEX - 130)
        inner = np.maximum(flat + 1.3, end_plate + 1.4)
        paint(image, cover(inner, 2.0), _MARROW - 20)
        ring = oval_mm(p, 0, 84, 13.5, 11.5)
        arch = np.maximum(np.maximum(ring, off - np.float32(7.5)), 74 - p.y)
        paint(image, cover(arch, 1.6), _CORTEX - 60)
        canal = oval_mm(p, 0, 83, 9.5, 7.5)
        paint(image, cover(canal), -20.0)
        paint(image, cover(oval_mm(p, 0, 83, 7.5, 6)), 8.0)
        paint(image, cover(oval_mm(p, 0, 83, 4.6, 3.6)), _CORD + 10)

    def _parenchyma(
        self, p: Plane, k: int, patches: Field, twigs: Field, bronchi: Field, walls: Field
    ) -> npt.NDArray[np.float32]:
        rng = np.random.default_rng((self._seed, 4, k))
        grain = rng.standard_normal(patches.shape, dtype=np.float32)
        # Twigs too small to draw one by one: their sum is a grain of either sign, mostly bright.
        grain = grain * grain
        lung = _PARENCHYMA + 0.22 * p.y + 9 * patches + 9 * grain
        for side in thorax.SIGN:
            lung = lung + 80 * _fissure(p, side)
        lung = lung + twigs * (38.0 - lung)
        lung = lung + walls * (-160.0 - lung)
        return np.asarray(lung + bronchi * (-980.0 - lung), dtype=np.float32)


def _fissure(p: Plane, side: thorax.Side) -> Field:
    """Return how strongly the oblique (and on the right the horizontal) fissure shows."""
    bow = 0.0016 * (p.x - 60 * thorax.SIGN[side]) ** 2
    half = np.where(p.x * thorax.SIGN[side] > 0, np.float32(1), np.float32(0))
    oblique = (p.z - (-35 + 1.05 * (p.y - 5) + bow)) / np.float32(1.45)
    out = np.exp(-((oblique / 0.9) ** 2))
    if side == "right":
        horizontal = p.z + 28 - 0.12 * (p.y + 40) + bow
        out = np.maximum(out, np.exp(-((horizontal / 1.1) ** 2)) * (oblique > 0))
    return np.asarray(out * half, dtype=np.float32)
