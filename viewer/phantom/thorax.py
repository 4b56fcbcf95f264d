"""Where the organs of the phantom lie: signed distances in LPS mm, the carina at the origin.

All sizes are those of a mid-sized adult, rounded; none is taken from a patient.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.interpolate import PchipInterpolator

from inference import geometry
from viewer.phantom.shapes import (
    Field,
    Number,
    Plane,
    Tubes,
    Vector,
    ellipsoid_mm,
    oval_mm,
    smooth_union_mm,
)

Side = Literal["right", "left"]
SIGN: dict[Side, int] = {"right": -1, "left": 1}

_APEX_MM = {"right": 98.0, "left": 101.0}
_DOME_TOP_MM = {"right": -92.0, "left": -106.0}
_DOME_DROP_MM = {"right": 80.0, "left": 72.0}
_RIB_PITCH_MM = 23.0
_FIRST_RIB_MM = 104.0

# z, half-width, half-depth, distance of the axis from the midline, y of the axis.
_CAVITY = np.array(
    [
        (-250, 68, 82, 66, 4),
        (-150, 69, 88, 66, 4),
        (-100, 68, 89, 66, 2),
        (-50, 66, 87, 65, 2),
        (0, 61, 81, 62, 5),
        (30, 56, 72, 59, 9),
        (60, 52, 66, 56, 14),
        (110, 48, 60, 50, 20),
        (200, 46, 56, 46, 22),
    ],
    dtype=np.float64,
)
_cavity = PchipInterpolator(_CAVITY[:, 0], _CAVITY[:, 1:], axis=0)
_mediastinum_half_width = PchipInterpolator(
    [-260, -150, -70, -35, 0, 35, 60, 90, 130], [30, 30, 29, 27, 28, 31, 33, 30, 26]
)


def cavity_axes(z: Number, side: Side) -> tuple[Field, Field, Field, Field]:
    """Return half-width, half-depth, and axis (x, y) of one side of the chest at height z."""
    ax, ay, cx, cy = (
        np.asarray(v, dtype=np.float32) for v in np.moveaxis(_cavity(np.clip(z, -250, 200)), -1, 0)
    )
    return ax, ay, cx * SIGN[side], cy


def cavity_mm(p: Plane, side: Side) -> Field:
    """Return the signed distance to the pleural cavity of one side, mediastinum included."""
    ax, ay, cx, cy = cavity_axes(p.z, side)
    top = _APEX_MM[side]
    dome = np.clip((p.z - 18.0) / (top - 18.0), 0, 0.999)
    narrow = np.sqrt(1 - dome**2.4).astype(np.float32)
    sides = oval_mm(p, cx * (0.75 + 0.25 * narrow), cy, ax * narrow, ay * narrow, 2.2)
    return np.asarray(np.maximum(sides, p.z - np.float32(top)))


def chest_mm(p: Plane) -> Field:
    """Return the signed distance to all that the ribs enclose."""
    both = np.minimum(cavity_mm(p, "right"), cavity_mm(p, "left"))
    half = np.asarray(_mediastinum_half_width(np.clip(p.z, -260, 130)), dtype=np.float32)
    middle = oval_mm(p, 0, 2, half + 10, np.float32(84))
    return smooth_union_mm(both, middle, 14)


def body_mm(p: Plane) -> Field:
    """Return the signed distance to the skin."""
    rise = np.clip((p.z - 40) / 110, 0, 1)
    fall = np.clip((-p.z - 120) / 120, 0, 1)
    return oval_mm(p, 0, 5, 169 - 8 * rise - 6 * fall, 119 - 22 * rise + 2 * fall, 2.5)


def muscle_mm(p: Plane) -> Field:
    """Return the signed distance to the wall of muscle under the fat."""
    rise = np.clip((p.z - 40) / 110, 0, 1)
    return oval_mm(p, 0, 6, 153 - 8 * rise, 104 - 16 * rise, 2.6)


def heart_mm(p: Plane) -> Field:
    """Return the signed distance to heart muscle and blood, without the fat around them."""
    ventricles = ellipsoid_mm(p, (24, -26, -74), (60, 40, 44), turn_deg=-32)
    right_atrium = ellipsoid_mm(p, (-22, -14, -66), (24, 30, 36))
    left_atrium = ellipsoid_mm(p, (4, 16, -48), (34, 20, 22))
    heart = smooth_union_mm(ventricles, right_atrium, 10)
    return smooth_union_mm(heart, left_atrium, 8)


def mediastinum_mm(p: Plane, wrap_mm: Field) -> Field:
    """Return the signed distance to what parts the lungs.

    Parameters
    ----------
    p
        Where.
    wrap_mm
        Signed distance to the great vessels and airways, which the lungs keep off.
    """
    half = np.asarray(_mediastinum_half_width(np.clip(p.z, -260, 130)), dtype=np.float32)
    core = oval_mm(p, 0, 12, half - 6, np.float32(84))
    spine = oval_mm(p, 0, 70, 25, 30)
    out = smooth_union_mm(core, spine, 10)
    out = smooth_union_mm(out, heart_mm(p) - 5, 12)
    for x, y, z in ((-34, 10, -16), (38, 14, -14)):
        out = smooth_union_mm(out, ellipsoid_mm(p, (x, y, z), (10, 15, 24)), 16)
    return smooth_union_mm(out, wrap_mm - 2, 14)


def below_diaphragm_mm(p: Plane, side: Side) -> Field:
    """Return the signed distance to what lies under one dome, negative below it.

    The dome falls steeply to the side and to the back, where the recesses of the lung are,
    and little towards the middle and the front.
    """
    _, _, cx, cy = cavity_axes(p.z, side)
    dx, dy = (p.x - cx * 0.9) * SIGN[side], p.y - cy + 16
    across = dx / np.where(dx > 0, np.float32(76), np.float32(150))
    along = dy / np.where(dy > 0, np.float32(96), np.float32(120))
    rho = across * across + along * along
    drop = np.float32(_DOME_DROP_MM[side])
    dome = np.float32(_DOME_TOP_MM[side]) - drop * rho
    slope = np.sqrt(1 + (drop / 42) ** 2 * np.minimum(rho, 1.2))
    return np.asarray((p.z - dome) / slope, dtype=np.float32)


def lung_mm(p: Plane, side: Side, mediastinum: Field) -> Field:
    """Return the signed distance to one lung, given that to the mediastinum."""
    out = np.maximum(cavity_mm(p, side) + 1.0, -mediastinum)
    out = np.maximum(out, -SIGN[side] * p.x + 2.0)
    return np.asarray(np.maximum(out, -below_diaphragm_mm(p, side)))


def great_vessels(affine: geometry.Affine, shape_kji: tuple[int, int, int]) -> Tubes:
    """Return aorta, pulmonary trunk and arteries, cavae, brachiocephalic vessels, oesophagus."""
    tubes = Tubes(affine, shape_kji)
    angle = np.linspace(0, np.pi, 12)
    arch = [
        (float(-13 + 17.5 * (1 - np.cos(a))), float(-26 + 37 * (1 - np.cos(a))),
         float(28 + 22 * np.sin(a)))
        for a in angle
    ]  # fmt: skip
    aorta: list[Vector] = [(-4, -22, -52), (-11, -30, -20), *arch]
    aorta += [(24, 54, 0), (24, 56, -60), (18, 56, -120), (10, 46, -170), (8, 40, -260)]
    tubes.add_path(aorta, [15, 16, *np.linspace(15, 12.5, 12).tolist(), 12, 11.5, 11, 10.5, 10])
    tubes.add_path([(8, -42, -50), (16, -38, -26), (20, -16, -6)], [14, 14, 13])
    tubes.add_path([(20, -16, -6), (0, -6, -12), (-24, 0, -14), (-38, 6, -20)], [12, 10, 9, 7])
    tubes.add_path([(20, -16, -6), (30, 2, -4), (38, 16, -12)], [12, 10, 8])
    tubes.add_path([(-25, -16, -46), (-27, -18, 9), (-24, -22, 56), (-34, -24, 99)], [10, 9, 8, 7])
    tubes.add_path([(-24, -22, 56), (4, -36, 64), (34, -22, 110)], [7, 6.5, 6])
    for top, foot in (((-18, -4, 130), (-8, -18, 48)), ((18, 6, 130), (6, -6, 50)),
                      ((30, 18, 130), (16, 12, 48))):  # fmt: skip
        tubes.add_path([foot, top], [5.5, 4.5])
    tubes.add_path([(-16, 6, -100), (-18, 12, -140), (-20, 20, -260)], [12, 12, 11])
    tubes.add_path([(4, 34, 130), (5, 37, 0), (8, 34, -90), (12, 20, -150)], [6.5, 6.5, 7, 7])
    tubes.prepare()
    return tubes


def airways(
    affine: geometry.Affine, shape_kji: tuple[int, int, int], thicken_mm: float = 0.0
) -> Tubes:
    """Return the lumen of trachea and main bronchi, or with ``thicken_mm`` their outside."""
    tubes = Tubes(affine, shape_kji)
    for path, radii in (
        ([(0, 3, 140), (1, 10, 70), (1, 18, 4)], [8.5, 8.5, 8.5]),
        ([(0, 18, 3), (-20, 20, -14), (-34, 20, -26), (-40, 22, -44)], [7.5, 7, 6, 4.5]),
        ([(2, 18, 3), (24, 23, -18), (40, 25, -28), (46, 30, -46)], [7, 6, 5.5, 4.2]),
    ):
        tubes.add_path(path, [r + thicken_mm for r in radii])
    tubes.prepare()
    return tubes


def bones(affine: geometry.Affine, shape_kji: tuple[int, int, int]) -> tuple[Tubes, Tubes, Tubes]:
    """Return ribs (flattened tubes), other bones of the wall, and costal cartilage."""
    ribs = Tubes(affine, shape_kji, flatten_z=1.7)
    others = Tubes(affine, shape_kji)
    cartilage = Tubes(affine, shape_kji, flatten_z=1.7)
    for number in range(12):
        head = _FIRST_RIB_MM - _RIB_PITCH_MM * number
        # The last two ribs float: they end at the side.
        stop = -72 if number < 10 else (-20 if number == 10 else 25)
        drop = 34 + 5.0 * min(number, 8)
        for side in SIGN:
            path = _rib(head, drop, stop, side)
            ribs.add_path(path, np.linspace(3.6, 4.4, len(path)).tolist())
            if number < 7:
                end = path[-1]
                sternum = (SIGN[side] * 15.0, -84.0, min(end[2] + 12, 62.0))
                cartilage.add_path([end, sternum], [5, 4.5])
            _transverse(others, side, head)
        others.add((0, 92, head), (0, 108, head - 12), 2.4)
    for side in SIGN:
        s = SIGN[side]
        others.add_path([(s * 14, -82, 72), (s * 70, -52, 92), (s * 128, -6, 100)], [6, 5.5, 6])
        for z in np.arange(82, -34, -4.0):
            _scapula(others, side, float(z))
    others.prepare()
    ribs.prepare()
    cartilage.prepare()
    return ribs, others, cartilage


def _around(z: float, side: Side, angle_deg: float, out_mm: float) -> tuple[float, float]:
    """Return (x, y) outside the cavity: 90 degrees is at the back, 0 at the side."""
    narrow = np.sqrt(max(0.04, 1 - np.clip((z - 18.0) / 92, 0, 0.98) ** 2.4))
    ax, ay, cx, cy = (float(v) for v in cavity_axes(np.float32(z), side))
    angle = np.radians(angle_deg)
    x = abs(cx) + (ax * narrow + out_mm) * np.cos(angle)
    return SIGN[side] * float(x), float(cy + (ay * narrow + out_mm) * np.sin(angle))


def _rib(head_mm: float, drop_mm: float, stop_deg: float, side: Side) -> list[Vector]:
    path: list[Vector] = [(SIGN[side] * 20.0, 72.0, head_mm)]
    for angle in np.linspace(104, stop_deg, 36):
        z = head_mm - drop_mm * ((104 - angle) / 176) ** 0.9
        x, y = _around(z, side, float(angle), 6.5)
        path.append((x, min(y, 98.0), float(z)))
    return path


def _transverse(bones: Tubes, side: Side, z: float) -> None:
    s = SIGN[side]
    bones.add((s * 13, 82, z), (s * 32, 90, z + 2), 4.0)
    bones.add((s * 12, 74, z), (s * 12, 86, z), 4.0)
    bones.add((s * 12, 88, z), (0, 96, z - 3), 3.0)


def _scapula(bones: Tubes, side: Side, z: float) -> None:
    width = 34 * np.clip((z + 40) / 60, 0.15, 1)
    middle = 52.0
    inner, outer = _around(z, side, middle + width * 0.6, 17), _around(z, side, middle - width, 19)
    bones.add((*inner, z), (*outer, z), 2.0, 3.4)


def vertebra_phase_mm(z: Field) -> Field:
    """Return the distance from the middle of the nearest vertebral body along z."""
    half = np.float32(_RIB_PITCH_MM / 2)
    return np.asarray(np.abs((z - _FIRST_RIB_MM + half) % np.float32(_RIB_PITCH_MM) - half))
