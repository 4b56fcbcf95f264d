"""Whether a case is still what stands in a training set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from viewer.export.sets.truth import findings
from viewer.export.snapshot import CaseSnapshot

# Of what is written of a case: raised when the same case gives other files.
_FORM = 1


def digest_of(snapshot: CaseSnapshot, classes: Sequence[str], formats: Sequence[str]) -> str:
    """Return the SHA-256 of all that a set takes of a case; it names nobody."""
    digest = hashlib.sha256()

    def add(*values: Any) -> None:
        digest.update(json.dumps(values, default=str).encode() + b"\n")

    add(_FORM, list(classes), list(formats), snapshot.volume.shape_kji)
    digest.update(np.asarray(snapshot.volume.affine, dtype="<f8").tobytes())
    digest.update(np.ascontiguousarray(snapshot.volume.voxels).data)
    for one in findings(snapshot, tuple(classes)):
        lesion = one.lesion
        add(
            lesion.number, lesion.label, lesion.origin, one.kind, one.why, one.missed,
            lesion.reason, lesion.texture, lesion.malignancy, lesion.reader, lesion.score,
            None if lesion.model is None else lesion.model.sha256, lesion.centre_lps_mm,
            lesion.mask.origin_kji, lesion.mask.voxels.shape,
        )  # fmt: skip
        digest.update(lesion.mask.voxels.tobytes())
    return digest.hexdigest()
