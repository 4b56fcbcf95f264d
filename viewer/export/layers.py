"""The masks of a case in the one order that every exported file keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Heatmap, Mask, ModelStamp
from resources import table
from viewer.export.snapshot import (
    CaseSnapshot,
    ImportedSnapshot,
    LesionSnapshot,
    Origin,
    SegmentSnapshot,
)

# Keys of labels that came with other files begin so, see ``viewer.imports.taking``.
IMPORTED_LABEL = "x_"


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
    model
        Which model drew it first; None for a lesion drawn by a person.
    imported
        Which file it came from; None when it was made here.
    """

    number: int
    id: str
    name: str
    label: str
    origin: Origin
    mask: Mask
    model: ModelStamp | None
    imported: ImportedSnapshot | None = None

    @property
    def term(self) -> dict[str, Any]:
        """Codes and colour of the label."""
        found: dict[str, Any] = table("labels")[self.label]
        return found


def layers(snapshot: CaseSnapshot) -> tuple[Layer, ...]:
    """Return anatomy first, then the lesions by number: where masks overlap, later is on top."""
    out: list[Layer] = []
    hidden = snapshot.pseudonyms is not None
    named: list[tuple[SegmentSnapshot | LesionSnapshot, str]] = []
    named += [(s, _name(s.label, hidden)) for s in snapshot.segments if s.mask.count]
    named += [(x, f"{_name(x.label, hidden)} {x.number}") for x in snapshot.shown_lesions]
    for of, name in named:
        number, came = len(out) + 1, of.imported
        if came is not None and hidden:
            came = replace(came, said="imported", algorithm="imported")
        out.append(Layer(number, of.id, name, of.label, of.origin, of.mask, of.model, came))
    return tuple(out)


def _name(label: str, hidden: bool) -> str:
    """Return what a label is called; where identity goes, words of another file go too."""
    term = table("labels")[label]
    own = not label.startswith(IMPORTED_LABEL)
    return str(term["name"] if own or not hidden else term["type"][2])


def label_map(
    shown: tuple[Layer, ...], shape_kji: tuple[int, int, int]
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return one (k, j, i) array with each layer's number; 0 is background."""
    kind = np.uint8 if len(shown) < 256 else np.uint16
    out: npt.NDArray[Any] = np.zeros(shape_kji, dtype=kind)
    for layer in shown:
        out[layer.mask.box][layer.mask.voxels] = layer.number
    return out


def maps(snapshot: CaseSnapshot) -> dict[str, Heatmap]:
    """Return the model's maps, each under the name of its file."""
    found = snapshot.findings
    if found is None:
        return {}
    named = {"heatmap.nii.gz": found.heatmap, "uncertainty.nii.gz": found.uncertainty}
    return {name: one for name, one in named.items() if one is not None}
