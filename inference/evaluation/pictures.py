"""The worst outlines, to be looked at: slices with outlines as PNG, outlines alone as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours

from inference.evaluation import outlines
from inference.evaluation.colours import MODEL_COLOUR, OLD_COLOUR, READERS_COLOUR
from inference.evaluation.folder import AGREED, SIZE_PX, Bools, Folder, Lesion, Slices
from inference.evaluation.predictions import Predictions
from inference.evaluation.statistics import TEXTURES, group_of
from resources.text import translate

_ZOOM = 3
_TILE, _CAPTION, _COLUMNS = 190, 60, 4
_BARS_MM = (10, 5, 2, 1)
_MOST_SLICES = 12
_CHANGED_PX, _LEAST_PX, _ROUND_PX = 192, 40, 8


@dataclass(frozen=True, slots=True)
class Failure:
    """A nodule and the Dice of its outline; ``before``, that of another model's, if any."""

    number: int
    dice: float
    before: float | None = None


def worst(
    folder: Folder, predictions: Predictions, numbers: Sequence[int], count: int
) -> list[Failure]:
    """Return the nodules of three or more readers with the lowest Dice, the worst first."""
    agreed = [n for n in numbers if folder.lesions[n].n_readers >= AGREED]
    judged = [outlines.judge(folder, predictions, n) for n in agreed]
    known = [Failure(one.number, one.dice) for one in judged if np.isfinite(one.dice)]
    return sorted(known, key=lambda one: one.dice)[:count]


def changed(rows: Sequence[Mapping[str, Any]], count: int = 12) -> list[Failure]:
    """Return the nodules whose Dice differs most between two models, of ``compare``'s rows."""
    known = [row for row in rows if None not in row["dice"]]
    return [Failure(row["number"], row["dice"][1], row["dice"][0]) for row in known[:count]]


def caption(lesion: Lesion, failure: Failure) -> list[str]:
    """Return what is written under a picture."""
    texture = float(np.mean(lesion.texture)) if lesion.texture else 5.0
    if failure.before is None:
        good = translate("evaluation", "Dice {dice:.2f}").format(dice=failure.dice)
    else:
        good = translate("evaluation", "Dice {before:.2f}, now {dice:.2f}").format(
            before=failure.before, dice=failure.dice
        )
    kind = translate("evaluation", "{mm:.1f} mm, {texture}").format(
        mm=lesion.diameter_mm, texture=group_of(texture, TEXTURES)
    )
    return [f"{lesion.patient} {lesion.name}", good, kind]


def montage(
    folder: Folder,
    predictions: Predictions,
    failures: Sequence[Failure],
    old: Predictions | None = None,
) -> str:
    """Return an SVG: on one slice of each nodule the readers' outline and the model's.

    It holds no pixel of a patient. The slice is the one where both differ most, or, with an old
    model, where the models do; the square is as large as the outlines need.
    """
    rows = -(-len(failures) // _COLUMNS)
    width, height = _COLUMNS * _TILE, rows * (_TILE + _CAPTION) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _legend(height - 10, old is not None),
    ]
    for place, failure in enumerate(failures):
        row, column = divmod(place, _COLUMNS)
        tile = _tile(folder, predictions, failure, old)
        parts.append(
            f'<g transform="translate({column * _TILE} {row * (_TILE + _CAPTION)})">{tile}</g>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(y: int, compared: bool) -> str:
    names = [(READERS_COLOUR, translate("evaluation", "at least half of the readers"))]
    if compared:
        names.append((OLD_COLOUR, translate("evaluation", "old model")))
        names.append((MODEL_COLOUR, translate("evaluation", "new model")))
    else:
        names.append((MODEL_COLOUR, translate("evaluation", "model")))
    x, parts = 10, []
    for colour, name in names:
        parts.append(f'<text x="{x}" y="{y}" fill="{colour}">— {escape(name)}</text>')
        x += 7 * len(name) + 30
    return "".join(parts)


def _tile(
    folder: Folder, predictions: Predictions, failure: Failure, old: Predictions | None
) -> str:
    lesion = folder.lesions[failure.number]
    half = folder.majority(lesion)
    own = predictions.masks[lesion.rows]
    before = None if old is None else old.masks[lesion.rows]
    apart = own ^ (half if before is None else before)
    k = int((apart if apart.any() else half).sum(axis=(1, 2)).argmax())
    places = np.argwhere(half[k] | own[k] | (False if before is None else before[k]))
    low, high = places.min(axis=0) - 3, places.max(axis=0) + 4
    scale = (_TILE - 20) / float((high - low).max())
    bar_mm = next(mm for mm in _BARS_MM if mm / lesion.pixel_mm * scale < _TILE - 20 or mm == 1)
    lines = [
        _path(half[k], low, scale, READERS_COLOUR),
        "" if before is None else _path(before[k], low, scale, OLD_COLOUR),
        _path(own[k], low, scale, MODEL_COLOUR),
        f'<line x1="10" y1="{_TILE - 4}" x2="{10 + bar_mm / lesion.pixel_mm * scale:.1f}" '
        f'y2="{_TILE - 4}" stroke="black" stroke-width="2"/>',
    ]
    slices = lesion.stop - lesion.start
    where = translate("evaluation", "slice {k} of {slices}; bar {mm} mm").format(
        k=k + 1, slices=slices, mm=bar_mm
    )
    for n, text in enumerate((*caption(lesion, failure), where)):
        lines.append(f'<text x="10" y="{_TILE + 11 + 13 * n}">{escape(text)}</text>')
    return "".join(lines)


def _path(plane: Bools, low: npt.NDArray[np.intp], scale: float, colour: str) -> str:
    steps = []
    for contour in _contours(plane):
        points = (contour - low) * scale + 10
        steps.append("M" + "L".join(f"{x:.1f} {y:.1f}" for y, x in points) + "Z")
    return f'<path d="{"".join(steps)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _contours(plane: Bools) -> list[npt.NDArray[np.float64]]:
    """Return closed lines (n, 2) of row and column along the edge of a mask."""
    return [c - 1 for c in find_contours(np.pad(plane, 1).astype(np.float64), 0.5)]


def draw(
    out: Path, folder: Folder, predictions: Predictions, failures: Sequence[Failure]
) -> Iterator[Path]:
    """Write a PNG a nodule: its slices in a row, above as they are, below with both outlines.

    They show pixels of patients: for a look, not for a public place.
    """
    from PIL import Image, ImageDraw

    with Slices(folder) as slices:
        for rank, failure in enumerate(failures, start=1):
            lesion = folder.lesions[failure.number]
            grey, half = slices.of(lesion), folder.majority(lesion)
            own = predictions.masks[lesion.rows]
            shown = _shown(half | own)
            side = SIZE_PX * _ZOOM
            image = Image.new("RGB", (side * len(shown), 2 * side + 20))
            pen = ImageDraw.Draw(image)
            for column, k in enumerate(shown):
                tile = Image.fromarray(grey[k]).resize((side, side), Image.Resampling.BICUBIC)
                for top in (0, side):
                    image.paste(tile, (column * side, top))
                for mask, colour in ((half[k], READERS_COLOUR), (own[k], MODEL_COLOUR)):
                    for contour in _contours(mask):
                        points = (contour[:, ::-1] + 0.5) * _ZOOM + (column * side, side)
                        pen.line([(float(x), float(y)) for x, y in points], fill=colour, width=1)
            pen.text((4, 2 * side + 4), "  ".join(caption(lesion, failure)), fill="white")
            path = out / f"{rank:02d}.png"
            image.save(path)
            yield path


def draw_changed(
    out: Path,
    folder: Folder,
    old: Predictions,
    new: Predictions,
    failures: Sequence[Failure],
) -> list[Path]:
    """Write a PNG a nodule: the slice that changed most, as it is and with the three outlines.

    They show pixels of patients, and no name.

    Returns
    -------
    list of Path
        ``01.png`` and on, in the order of ``failures``.
    """
    from PIL import Image, ImageDraw

    paths = []
    with Slices(folder) as slices:
        for rank, failure in enumerate(failures, start=1):
            lesion = folder.lesions[failure.number]
            half = folder.majority(lesion)
            before, after = old.masks[lesion.rows], new.masks[lesion.rows]
            apart = before ^ after
            k = int((apart if apart.any() else half).sum(axis=(1, 2)).argmax())
            top, left, side = _square(half[k] | before[k] | after[k])
            plane = Image.fromarray(slices.of(lesion)[k][top : top + side, left : left + side])
            plane = plane.resize((_CHANGED_PX, _CHANGED_PX), Image.Resampling.BICUBIC)
            image = Image.new("RGB", (2 * _CHANGED_PX, _CHANGED_PX))
            image.paste(plane, (0, 0))
            image.paste(plane, (_CHANGED_PX, 0))
            pen, zoom = ImageDraw.Draw(image), _CHANGED_PX / side
            for mask, colour in (
                (half[k], READERS_COLOUR),
                (before[k], OLD_COLOUR),
                (after[k], MODEL_COLOUR),
            ):
                for contour in _contours(mask):
                    points = (contour[:, ::-1] + 0.5 - (left, top)) * zoom + (_CHANGED_PX, 0)
                    pen.line([(float(x), float(y)) for x, y in points], fill=colour, width=2)
            path = out / f"{rank:02d}.png"
            image.save(path)
            paths.append(path)
    return paths


def _square(outlined: Bools) -> tuple[int, int, int]:
    """Return top, left and side of a square round outlines in a plane, within it."""
    places = np.argwhere(outlined)
    if not len(places):
        return 0, 0, SIZE_PX
    low, high = places.min(axis=0), places.max(axis=0) + 1
    side = int(min(SIZE_PX, max(_LEAST_PX, (high - low).max() + 2 * _ROUND_PX)))
    top, left = (int(n) for n in np.clip((low + high - side) // 2, 0, SIZE_PX - side))
    return top, left, side


def _shown(both: Bools) -> list[int]:
    """Return the slices with an outline, thinned out evenly when there are many."""
    found = np.flatnonzero(both.any(axis=(1, 2)))
    if len(found) > _MOST_SLICES:
        found = found[np.linspace(0, len(found) - 1, _MOST_SLICES).round().astype(int)]
    return [int(k) for k in found]
