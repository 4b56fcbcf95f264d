"""What a model said of the crops of a folder: arrays, and the NPZ file that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from inference.evaluation.folder import BROKEN, Bools, Folder, Lesion, read_arrays
from inference.findings import Mask
from resources.problem import Problem
from resources.text import translate

Floats = npt.NDArray[np.float64]
# One number a nodule beside its score, all optional.
SCALARS = ("malignancy", "texture", "uncertainty")
# Outlines from other points than the first, all optional.
OTHERS = ("other_masks", "largest_masks")


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """Something found in a crop without a point: number of the nodule, score 0..1, voxels."""

    lesion: int
    score: float
    mask: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model said.

    Attributes
    ----------
    masks
        (slice, row, column) bool, the outline at the point, in the order of the index.
    scores
        (nodule,) 0..1.
    measured
        (nodule,) bool: the model was asked for this nodule.
    other_masks
        As ``masks``, at another point of the same nodule; None when not asked for.
    largest_masks
        As ``masks``, at a point of the slice on which the nodule is largest.
    heat
        (slice, row, column) uint8, share of readers x 255, or None.
    scalars
        Of ``SCALARS``: (nodule,) float, NaN where the model did not say.
    blobs
        What was found without a point, or None.
    seconds
        (nodule,) wall time of the first outline, NaN where not taken; None when not known.
    model
        What made them, when known: id, version, sha256, threshold.
    """

    masks: Bools
    scores: Floats
    measured: Bools
    other_masks: Bools | None = None
    largest_masks: Bools | None = None
    heat: npt.NDArray[np.uint8] | None = None
    scalars: Mapping[str, Floats] = field(default_factory=dict)
    blobs: tuple[Blob, ...] | None = None
    seconds: Floats | None = None
    model: Mapping[str, Any] = field(default_factory=dict)


def blobs_of(predictions: Predictions, folder: Folder) -> tuple[Blob, ...]:
    """Return what was found; without blobs the pieces of each mask, with the nodule's score."""
    if predictions.blobs is not None:
        return predictions.blobs
    out = []
    for number, lesion in enumerate(folder.lesions):
        labels, count = ndimage.label(predictions.masks[lesion.rows], np.ones((3, 3, 3)))
        out += [
            Blob(number, float(predictions.scores[number]), Mask.from_array(labels == piece))
            for piece in range(1, count + 1)
        ]
    return tuple(out)


def save(path: Path, predictions: Predictions) -> None:
    """Write predictions as NPZ; masks are stored as bool, as others would give them."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "masks": predictions.masks,
        "scores": predictions.scores,
        "measured": predictions.measured,
        **predictions.scalars,
    }
    for name in (*OTHERS, "heat", "seconds"):
        if (array := getattr(predictions, name)) is not None:
            arrays[name] = array
    if predictions.blobs is not None:
        arrays |= _packed(predictions.blobs)
    for key, value in predictions.model.items():
        arrays[f"model_{key}"] = np.array(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:
        np.savez_compressed(handle, **arrays)  # type: ignore[arg-type]


def load(path: Path, folder: Folder) -> Predictions:
    """Read predictions for a folder.

    Raises
    ------
    Problem
        When the file cannot be read, or an array is missing or not in the order of the index.
    """
    try:
        arrays = read_arrays(path)
    except FileNotFoundError as error:
        raise _problem(path, translate("evaluation", "it is not there")) from error
    except (OSError, *BROKEN) as error:
        raise _problem(path, translate("evaluation", "it is damaged or no NPZ archive")) from error
    return _Arrays(path, folder, arrays).predictions()


def _problem(path: Path, fault: str) -> Problem:
    return Problem(
        translate("evaluation", "The predictions {name} cannot be used: {fault}.").format(
            name=path.name, fault=fault
        ),
        translate(
            "evaluation",
            "Give an NPZ with “masks” (all slices, 128, 128) of bool in the order of the index "
            "and “scores”, one a nodule.",
        ),
    )


class _Arrays:
    """The arrays of a file, checked against the folder that they are for."""

    def __init__(self, path: Path, folder: Folder, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self._path, self._folder, self._arrays = path, folder, arrays

    def predictions(self) -> Predictions:
        count = len(self._folder.lesions)
        measured = np.ones(count, dtype=np.bool_)
        if "measured" in self._arrays:
            measured = self._flags("measured", (count,))
        scalars = {name: self._numbers(name) for name in SCALARS if name in self._arrays}
        others = {name: self._slices(name) for name in OTHERS if name in self._arrays}
        heat = self._arrays.get("heat")
        if heat is not None and (heat.dtype != np.uint8 or heat.shape != self._folder.bits.shape):
            raise self._wrong("heat")
        return Predictions(
            masks=self._slices("masks"),
            scores=self._numbers("scores"),
            measured=measured,
            heat=heat,
            scalars=scalars,
            blobs=self._blobs(),
            seconds=self._numbers("seconds") if "seconds" in self._arrays else None,
            model=self._model(),
            **others,
        )

    def _wrong(self, name: str) -> Problem:
        found = self._arrays.get(name)
        if found is None:
            fault = translate("evaluation", "“{name}” is missing").format(name=name)
        else:
            fault = translate(
                "evaluation", "“{name}” is {shape} of {kind}, which does not fit the index"
            ).format(name=name, shape=" x ".join(map(str, found.shape)), kind=found.dtype)
        return _problem(self._path, fault)

    def _flags(self, name: str, shape: tuple[int, ...]) -> Bools:
        found = self._arrays.get(name)
        if found is None or found.shape != shape or found.dtype.kind not in "bui":
            raise self._wrong(name)
        # Zeros and ones of bytes are meant as masks; a probability is not.
        if found.dtype.kind != "b" and not np.isin(found, (0, 1)).all():
            raise self._wrong(name)
        return np.asarray(found, dtype=np.bool_)

    def _slices(self, name: str) -> Bools:
        return self._flags(name, self._folder.bits.shape)

    def _numbers(self, name: str) -> Floats:
        found = self._arrays.get(name)
        if found is None or found.shape != (len(self._folder.lesions),):
            raise self._wrong(name)
        if found.dtype.kind not in "bfui":
            raise self._wrong(name)
        numbers = np.asarray(found, dtype=np.float64)
        if name == "scores" and not ((numbers >= 0) & (numbers <= 1)).all():
            raise _problem(
                self._path, translate("evaluation", "“scores” are not all within 0 to 1")
            )
        return numbers

    def _model(self) -> dict[str, Any]:
        found = {
            name.removeprefix("model_"): array.item()
            for name, array in self._arrays.items()
            if name.startswith("model_") and array.ndim == 0
        }
        if not isinstance(found.get("threshold", 0.5), float | int):
            raise self._wrong("model_threshold")
        return found

    def _blobs(self) -> tuple[Blob, ...] | None:
        if "blob_score" not in self._arrays:
            return None
        try:
            return _unpacked(self._arrays, self._folder.lesions)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise _problem(
                self._path, translate("evaluation", "its “blob_…” arrays disagree")
            ) from error


def _packed(blobs: tuple[Blob, ...]) -> dict[str, npt.NDArray[Any]]:
    boxes = [(*blob.mask.origin_kji, *blob.mask.voxels.shape) for blob in blobs]
    flat = [blob.mask.voxels.ravel() for blob in blobs]
    return {
        "blob_lesion": np.array([blob.lesion for blob in blobs], dtype=np.int64),
        "blob_score": np.array([blob.score for blob in blobs], dtype=np.float64),
        "blob_box": np.array(boxes, dtype=np.int64).reshape(-1, 6),
        "blob_bits": np.packbits(np.concatenate([np.zeros(0, dtype=np.bool_), *flat])),
    }


def _unpacked(
    arrays: Mapping[str, npt.NDArray[Any]], lesions: tuple[Lesion, ...]
) -> tuple[Blob, ...]:
    boxes = np.asarray(arrays["blob_box"], dtype=np.int64).reshape(-1, 6)
    numbers, scores = arrays["blob_lesion"], arrays["blob_score"]
    if not len(boxes) == len(numbers) == len(scores):
        raise ValueError
    bits = np.unpackbits(np.asarray(arrays["blob_bits"], dtype=np.uint8)).astype(np.bool_)
    out, first = [], 0
    for number, score, (k, j, i, *shape) in zip(
        numbers.tolist(), scores.tolist(), boxes.tolist(), strict=True
    ):
        lesion = lesions[number]
        sides = (lesion.stop - lesion.start, 128, 128)
        if number < 0 or min(k, j, i, *shape) < 0:
            raise ValueError
        if any(a + n > side for a, n, side in zip((k, j, i), shape, sides, strict=True)):
            raise ValueError
        count = int(np.prod(shape))
        voxels = bits[first : first + count].reshape(shape)
        out.append(Blob(int(number), float(score), Mask((k, j, i), voxels)))
        first += count
    return tuple(out)
