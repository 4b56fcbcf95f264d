"""What of a reviewed case is truth for training, what is none, and what nobody knows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from viewer.export.sets.formats import WhyNot, WhyOpen
from viewer.export.snapshot import CaseSnapshot, LesionSnapshot

Kind = Literal["truth", "rejected", "open"]

# Round a place without an outline nobody knows what is lesion: most nodules are smaller.
_UNKNOWN_RADIUS_MM = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One lesion of a case as training takes it.

    Attributes
    ----------
    kind
        ``"truth"`` a person accepted, corrected or drew it; ``"rejected"`` a person said that
        there is none, so that it is background; ``"open"`` neither, so that its voxels are
        left out of training.
    why
        Of an open one.
    """

    lesion: LesionSnapshot
    kind: Kind
    why: WhyOpen | None = None

    @property
    def missed(self) -> bool:
        """Whether a reader added it after a run of the model that had not proposed it."""
        return self.kind == "truth" and self.lesion.missed_by_ai


def findings(snapshot: CaseSnapshot, classes: tuple[str, ...]) -> tuple[Finding, ...]:
    """Judge every lesion of a case; what a reader deleted or a later run superseded is none.

    Parameters
    ----------
    classes
        Labels that the set has a class for.
    """
    threshold = 0.0 if snapshot.findings is None else snapshot.findings.threshold
    out = [_judged(lesion, classes) for lesion in snapshot.lesions]
    for why, lesion in snapshot.unlisted:
        if why != "below-threshold":
            continue
        if lesion.verdict is not None:
            out.append(_judged(lesion, classes))
        elif lesion.score is not None and lesion.score >= threshold:
            # The model says that it is one, and its reader hid it: nobody judged it.
            out.append(Finding(lesion, "open", "hidden"))
    return tuple(sorted(out, key=lambda one: one.lesion.number))


def _judged(lesion: LesionSnapshot, classes: tuple[str, ...]) -> Finding:
    if lesion.verdict == "rejected":
        return Finding(lesion, "rejected")
    if lesion.verdict == "unsure":
        return Finding(lesion, "open", "unsure")
    if lesion.verdict is None and lesion.origin != "human":
        return Finding(lesion, "open", "no-verdict")
    if not lesion.mask.count:
        return Finding(lesion, "open", "no-outline")
    if lesion.label not in classes:
        return Finding(lesion, "open", "other-label")
    return Finding(lesion, "truth")


def classes_of(snapshot: CaseSnapshot) -> set[str]:
    """Return the labels of what would be truth in a case."""
    every = tuple({lesion.label for lesion in snapshot.lesions})
    return {one.lesion.label for one in findings(snapshot, every) if one.kind == "truth"}


def why_not(snapshot: CaseSnapshot) -> WhyNot | None:
    """Return why a case cannot be part of a training set; None when it can."""
    if any(ref.instance.file_format != "dicom" for ref in snapshot.plan.planes):
        return "not-dicom"
    if snapshot.plan.resampled:
        return "resampled"
    if not snapshot.volume.regular:
        return "no-place"
    every = tuple({lesion.label for lesion in snapshot.lesions})
    if all(one.kind == "open" for one in findings(snapshot, every)):
        return "nothing-judged"
    return None


def open_reasons(found: tuple[Finding, ...]) -> dict[str, int]:
    """Return how many findings are open, by the reason."""
    return dict(sorted(Counter(str(one.why) for one in found if one.kind == "open").items()))


def label_array(
    found: tuple[Finding, ...],
    classes: tuple[str, ...],
    shape_kji: tuple[int, int, int],
    affine: geometry.Affine,
) -> npt.NDArray[np.uint8]:
    """Return the label map of a case.

    Returns
    -------
    array
        (k, j, i) uint8: 0 background, n the n-th class, and one more than the number of
        classes where training is to look away. Truth lies on top of what is open.
    """
    out = np.zeros(shape_kji, dtype=np.uint8)
    for one in found:
        if one.kind == "open":
            mask = one.lesion.mask
            if mask.count:
                out[mask.box][mask.voxels] = ignore_value(classes)
            elif one.lesion.centre_lps_mm is not None:
                _ball(out, affine, one.lesion.centre_lps_mm, ignore_value(classes))
    for one in found:
        if one.kind == "truth":
            value = classes.index(one.lesion.label) + 1
            out[one.lesion.mask.box][one.lesion.mask.voxels] = value
    return out


def ignore_value(classes: tuple[str, ...]) -> int:
    """Return the value of voxels that nobody judged: nnU-Net wants it to be the highest."""
    return len(classes) + 1


def _ball(
    out: npt.NDArray[np.uint8],
    affine: geometry.Affine,
    centre_lps_mm: tuple[float, float, float],
    value: int,
) -> None:
    centre = geometry.lps_mm_to_kji(affine, [centre_lps_mm])[0]
    reach = _UNKNOWN_RADIUS_MM / np.array(geometry.spacing_kji_mm(affine))
    # A sheared grid (gantry tilt) reaches further along its axes.
    low = np.clip(np.floor(centre - 1.5 * reach), 0, out.shape).astype(int)
    high = np.clip(np.ceil(centre + 1.5 * reach) + 1, 0, out.shape).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), -1)
    places = geometry.kji_to_lps_mm(affine, grid.reshape(-1, 3))
    near = np.linalg.norm(places - np.array(centre_lps_mm), axis=1) <= _UNKNOWN_RADIUS_MM
    out[box][near.reshape(grid.shape[:3])] = value


def other_masks(found: tuple[Finding, ...], but: Finding) -> tuple[Mask, ...]:
    """Return the outlines of what is or may be a lesion beside one finding."""
    return tuple(
        one.lesion.mask
        for one in found
        if one is not but and one.kind != "rejected" and one.lesion.mask.count
    )
