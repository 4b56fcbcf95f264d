"""What a model found in one volume. Frozen: corrections live in ``viewer.annotate``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

# LIDC names the textures 1, 3 and 5 only; 2 and 4 go to the ends, as in the model's card.
_PART_SOLID_FROM, _SOLID_FROM = 2.5, 3.5


def _freeze(array: npt.NDArray[Any], dtype: type) -> npt.NDArray[Any]:
    out: npt.NDArray[Any] = np.ascontiguousarray(array, dtype=dtype).view()
    out.flags.writeable = False
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A binary mask cropped to its box.

    Attributes
    ----------
    origin_kji
        Index in the volume of the first voxel of the box.
    voxels
        (k, j, i) bool, not writeable. May be empty, shape (0, 0, 0).
    """

    origin_kji: tuple[int, int, int]
    voxels: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxels", _freeze(self.voxels, np.bool_))

    @classmethod
    def from_array(
        cls, array: npt.NDArray[np.bool_], origin_kji: tuple[int, int, int] = (0, 0, 0)
    ) -> Mask:
        """Crop a (k, j, i) bool array that lies at ``origin_kji`` to the box of its voxels."""
        if not array.any():
            return cls((0, 0, 0), np.zeros((0, 0, 0), dtype=np.bool_))
        low, high = [], []
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            hits = np.flatnonzero(array.any(axis=others))
            low.append(int(hits[0]))
            high.append(int(hits[-1]) + 1)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        k, j, i = (o + a for o, a in zip(origin_kji, low, strict=True))
        return cls((k, j, i), array[box].copy())

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Slices of the volume that the mask covers."""
        k, j, i = (slice(o, o + n) for o, n in zip(self.origin_kji, self.voxels.shape, strict=True))
        return k, j, i

    @property
    def count(self) -> int:
        """Number of voxels set."""
        return int(np.count_nonzero(self.voxels))

    def to_array(self, shape_kji: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
        """Return the mask as a full (k, j, i) bool array of the volume's shape."""
        out = np.zeros(shape_kji, dtype=np.bool_)
        out[self.box] = self.voxels
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Heatmap:
    """Probability per voxel, quantised, cropped to where the model looked.

    Attributes
    ----------
    origin_kji
        Index in the volume of the first voxel of the box.
    values
        (k, j, i) uint8, not writeable; probability = value / 255. Outside the box: 0.
    meaning
        What the probability is of, in English source text.
    """

    origin_kji: tuple[int, int, int]
    values: npt.NDArray[np.uint8]
    meaning: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _freeze(self.values, np.uint8))

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Slices of the volume that the heatmap covers."""
        k, j, i = (slice(o, o + n) for o, n in zip(self.origin_kji, self.values.shape, strict=True))
        return k, j, i


@dataclass(frozen=True, slots=True)
class ModelStamp:
    """Which model made a result: pack id, version, and SHA-256 of its weights (hex)."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Impression:
    """What the model expects radiologists to say of a nodule; no pathology.

    Attributes
    ----------
    malignancy
        Mean likelihood of malignancy, 1 (highly unlikely) to 5 (highly suspicious), as in LIDC.
    texture
        Mean texture, 1 (ground-glass) over 3 (part-solid) to 5 (solid), as in LIDC.
    """

    malignancy: float
    texture: float

    @property
    def texture_name(self) -> str:
        """``"ground-glass"``, ``"part-solid"`` or ``"solid"``: the nearest that LIDC names."""
        if self.texture < _PART_SOLID_FROM:
            return "ground-glass"
        return "part-solid" if self.texture < _SOLID_FROM else "solid"


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One lesion that the model proposes.

    Attributes
    ----------
    id
        Unique in its findings, such as ``"d1"``.
    label
        Key of ``resources/tables/labels.json``, such as ``"nodule"``.
    score
        Probability 0 to 1 that readers would call it a lesion.
    centre_lps_mm
        Centre of mass in LPS mm.
    diameter_mm, short_axis_mm
        Longest in-plane extent over the axial slices and the longest one at right angles
        to it in the same slice, mm.
    volume_ml
        Volume of the mask, mL.
    mean_value
        Mean voxel value under the mask, in the volume's unit.
    mask
        Its voxels.
    uncertainty
        How far the outlines of the mirrored windows disagree, 0 (all alike) to 1; None when
        the model does not say.
    impression
        What radiologists would say of it, or None when the model does not say.
    """

    id: str
    label: str
    score: float
    centre_lps_mm: tuple[float, float, float]
    diameter_mm: float
    short_axis_mm: float
    volume_ml: float
    mean_value: float
    mask: Mask
    uncertainty: float | None = None
    impression: Impression | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What the model outlines at one point.

    Attributes
    ----------
    mask
        Its voxels; empty when there is no lesion at the point.
    share
        Share of radiologists who would outline the voxel, over the window that was looked at.
    spread
        How much the mirrored windows differ there, 0 to 1: where readers would disagree.
    score
        Probability 0 to 1 that readers would call what lies there a lesion.
    uncertainty, impression
        As in ``Detection``.
    reason
        Code of why the mask is empty: ``"outside"`` the volume, ``"nothing"`` there that looks
        like a lesion; else empty.
    device
        Where it ran, as in ``Findings``; empty when it has not left the process yet.
    """

    mask: Mask
    share: Heatmap
    spread: Heatmap
    score: float
    uncertainty: float
    impression: Impression | None
    reason: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One anatomical structure that the model outlined; ``label`` as in ``Detection``."""

    id: str
    label: str
    volume_ml: float
    mask: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Everything one run of one model says about one volume.

    Attributes
    ----------
    model
        Which model, exactly.
    device
        Where it ran, as shown to the reader, such as ``"CPU"`` or ``"NVIDIA H200"``.
    detections
        Best score first; all candidates above the pack's floor, also those under
        ``threshold``.
    segments
        Anatomy.
    heatmap
        Probability per voxel, or None when the model makes none.
    threshold
        Default score threshold of the pack.
    seconds
        Wall time per stage, seconds.
    uncertainty
        Where the outlines of the mirrored windows differ, per voxel, or None.
    """

    model: ModelStamp
    device: str
    detections: tuple[Detection, ...]
    segments: tuple[Segment, ...]
    heatmap: Heatmap | None
    threshold: float
    seconds: Mapping[str, float] = field(default_factory=dict)
    uncertainty: Heatmap | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", MappingProxyType(dict(self.seconds)))
