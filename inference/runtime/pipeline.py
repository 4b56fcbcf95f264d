"""One run: voxels in, findings out.

torch is loaded once lungs were found: a volume without any is answered before that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inference.findings import Findings
from inference.manifest import ModelPack
from inference.runtime.clock import Clock, Tell
from inference.runtime.lungs import find_lungs
from inference.volume import Volume

if TYPE_CHECKING:
    from inference.runtime.engine import Engine


class NoLungs(Exception):
    """The volume shows no lung."""


def analyze(
    volume: Volume,
    pack: ModelPack,
    engine: Callable[[Callable[[str], None]], Engine],
    tell: Tell,
) -> Findings:
    """Run the lung-nodule model.

    Parameters
    ----------
    volume
        An eligible volume, see ``registry.eligibility``.
    pack
        The model.
    engine
        Loads what runs its nets. Is called when it is needed, with a function that is told what
        has to be given up for want of memory, one of ``protocol.NOTES``.
    tell
        Is told ``protocol.STAGES`` from ``prepare`` on.

    Raises
    ------
    NoLungs
        When there is no lung to look at.
    """
    clock = Clock(tell)
    clock.enter("prepare")
    voxels = _finite(volume.voxels)
    clock.enter("lungs")
    lungs = find_lungs(voxels, volume.affine)
    if not lungs.found:
        raise NoLungs
    clock.enter("load")
    from inference.runtime.nodules import nodules_in

    return nodules_in(lungs, volume, voxels, pack, engine(clock.note), clock)


def _finite(voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Replace what is no number by air."""
    if np.issubdtype(voxels.dtype, np.floating) and not np.isfinite(voxels).all():
        return np.asarray(np.nan_to_num(voxels, nan=-1024.0, posinf=-1024.0, neginf=-1024.0))
    return voxels
