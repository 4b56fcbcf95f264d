"""The masks of a case in the one order that every exported file keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from resources import table
from viewer.export.snapshot import CaseSnapshot, Origin


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One mask as it is exported.

    Attributes
    ----------
    number
        Segment Number (0062,0004) in the SEG and value in the label map; from 1.
    id
        Of the lesion or segment in the case.
    name
        Segment Label (0062,0005), English: an exported file is read by programs.
    label
        Key of ``resources/tables/labels.json``.
    """

    number: int
    id: str
    name: str
    label: str
    origin: Origin
    mask: Mask

    @property
    def term(self) -> dict[str, Any]:
        """Codes and colour of the label."""
        found: dict[str, Any] = table("labels")[self.label]
        return found


def layers(snapshot: CaseSnapshot) -> tuple[Layer, ...]:
    """Return anatomy first, then the lesions by number: where masks overlap, later is on top."""
    out: list[Layer] = []
    names = table("labels")
    for segment in snapshot.segments:
        if segment.mask.count:
            name = names[segment.label]["name"]
            out.append(
                Layer(len(out) + 1, segment.id, name, segment.label, segment.origin, segment.mask)
            )
    for lesion in snapshot.shown_lesions:
        name = f"{names[lesion.label]['name']} {lesion.number}"
        out.append(Layer(len(out) + 1, lesion.id, name, lesion.label, lesion.origin, lesion.mask))
    return tuple(out)


def label_map(
    shown: tuple[Layer, ...], shape_kji: tuple[int, int, int]
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return one (k, j, i) array with each layer's number; 0 is background."""
    kind = np.uint8 if len(shown) < 256 else np.uint16
    out: npt.NDArray[Any] = np.zeros(shape_kji, dtype=kind)
    for layer in shown:
        out[layer.mask.box][layer.mask.voxels] = layer.number
    return out
