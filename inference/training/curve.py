"""The curve of a training as SVG: one panel a net, loss by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _GAP = 300, 180, 44, 30, 24
_INK, _LINE, _FAINT = "#333333", "#0072b2", "#dddddd"

Curve = Sequence[Mapping[str, float]]


def svg(curves: Mapping[str, Curve]) -> str:
    """Return the picture of the curves (step, loss) of some nets by name."""
    panels = [
        f'<g transform="translate({n * (_WIDTH + _GAP) + 8} 22)">{_panel(name, curve)}</g>'
        for n, (name, curve) in enumerate(curves.items())
    ]
    width = len(panels) * (_WIDTH + _GAP) + 16
    height = _HEIGHT + _BOTTOM + 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="11" fill="{_INK}">'
        f'<rect width="{width}" height="{height}" fill="white"/>{"".join(panels)}</svg>\n'
    )


def _panel(name: str, curve: Curve) -> str:
    title = f'<text x="{_LEFT}" y="-8" font-weight="bold">{escape(name)}, loss by step</text>'
    points = np.array([(one["step"], one["loss"]) for one in curve], dtype=np.float64)
    points = points.reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return f'{title}<text x="{_LEFT}" y="20">too few points for a curve</text>'
    steps, losses = points.T
    low, high = float(losses.min()), float(np.percentile(losses, 99))
    high = high if high > low else low + 1.0
    x = _LEFT + (steps / steps.max()) * (_WIDTH - _LEFT)
    y = _HEIGHT * (1 - (np.clip(losses, low, high) - low) / (high - low))
    smooth = _smooth(y, max(len(y) // 40, 1))
    parts = [title]
    for share in (0.0, 0.5, 1.0):
        level, at = _HEIGHT * (1 - share), low + share * (high - low)
        parts.append(
            f'<path d="M{_LEFT} {level:.1f}H{_WIDTH}" stroke="{_FAINT}"/>'
            f'<text x="{_LEFT - 5}" y="{level + 4:.1f}" text-anchor="end">{at:.3g}</text>'
        )
        right = _LEFT + share * (_WIDTH - _LEFT)
        anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
        parts.append(
            f'<text x="{right:.1f}" y="{_HEIGHT + 16}" text-anchor="{anchor}">'
            f"{round(share * steps.max())}</text>"
        )
    parts.append(_line(x, y, 0.8, 0.35))
    parts.append(_line(x, smooth, 1.6, 1.0))
    return "".join(parts)


def _line(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], width: float, opacity: float
) -> str:
    places = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    return (
        f'<path d="M{places}" fill="none" stroke="{_LINE}" stroke-width="{width}" '
        f'opacity="{opacity}"/>'
    )


def _smooth(values: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """Return the mean over ``reach`` points to both sides, fewer at the ends."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    low, high = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(values))
    return np.asarray((total[high] - total[low]) / (high - low))
