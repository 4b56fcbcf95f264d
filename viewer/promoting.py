"""Letting a new model lead: only by a comparison of the very two that allows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inference import registry, versions
from inference.evaluation.promotion import promotion
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate


def let_in(folder: Path, figures: Path) -> tuple[ModelPack, ModelPack]:
    """Put a model beside the one that leads; return that one, and the new one where it lies then.

    Parameters
    ----------
    folder
        Of the new pack, as ``overread retrain`` writes it.
    figures
        JSON of ``overread compare`` of the two.

    Raises
    ------
    Problem
        When the comparison is of others, or a figure may be worse than its limit.
    """
    new = registry.pack_of(str(folder))
    registry.check(new)
    old = registry.find(new.id)
    return old, versions.put_in(new, _comparison(figures, old, new))


def _comparison(figures: Path, old: ModelPack, new: ModelPack) -> dict[str, Any]:
    remedy = translate("cli", "Compare the two again: overread compare --old {old} --new {new}")
    remedy = remedy.format(old=old.id, new=new.folder)
    try:
        found = json.loads(figures.read_text(encoding="utf-8"))
        compared = [found[side]["model"]["sha256"] for side in ("old", "new")]
        # Said again from the figures, by the limits of this program.
        verdict = promotion(found["new_minus_old"], found["data"]["patients"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(
            translate("cli", "{file} is no comparison of two models.").format(file=figures.name),
            remedy,
            type(error).__name__,
        ) from error
    if compared != [old.weights.sha256, new.weights.sha256]:
        raise Problem(
            translate(
                "cli", "{file} compares other models than {old}, which leads, and {new}."
            ).format(file=figures.name, old=old.version, new=new.version),
            remedy,
        )
    if verdict["patients"] < verdict["least_patients"]:
        raise Problem(
            translate("cli", "{file} is of {patients} patients; {least} are needed.").format(
                file=figures.name,
                patients=verdict["patients"],
                least=verdict["least_patients"],
            ),
            translate("cli", "Compare on a larger set of patients that are new to both."),
        )
    worse = [check["figure"] for check in verdict["checks"] if not check["kept"]]
    if worse:
        raise Problem(
            translate("cli", "{new} may be worse than {old}: {figures}.").format(
                new=new.version, old=old.version, figures=", ".join(worse)
            ),
            translate("cli", "The old version stays. Retrain on more corrections."),
        )
    return {**found, "promotion": verdict}
