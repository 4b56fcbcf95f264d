"""``overread promote`` and ``models --lead``: which version of a model is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inference import registry, versions
from inference.evaluation.promotion import promotion
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate
from viewer.cli import terminal


def promote_command(folder: Path, figures: Path) -> None:
    """Put a model in and let it lead, if its comparison with the one that leads allows it.

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
    comparison = _comparison(figures, old, new)
    versions.lead(versions.put_in(new, comparison))
    terminal.print_line(
        translate("cli", "{id} {new} leads now. Back: overread models --lead {old}").format(
            id=new.id, new=new.version, old=old.version
        )
    )


def _comparison(figures: Path, old: ModelPack, new: ModelPack) -> dict[str, Any]:
    remedy = translate("cli", "Compare the two again: overread compare --old {old} --new {new}")
    remedy = remedy.format(old=old.id, new=new.folder)
    try:
        found = json.loads(figures.read_text(encoding="utf-8"))
        compared = [found[side]["model"]["sha256"] for side in ("old", "new")]
        # Said again from the figures, by the limits of this program.
        verdict = promotion(found["new_minus_old"])
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
    worse = [check["figure"] for check in verdict["checks"] if not check["kept"]]
    if worse:
        raise Problem(
            translate("cli", "{new} may be worse than {old}: {figures}.").format(
                new=new.version, old=old.version, figures=", ".join(worse)
            ),
            translate("cli", "The old version stays. Retrain on more corrections."),
        )
    return {**found, "promotion": verdict}


def lead_command(version: str, id: str | None) -> None:
    """Let another version of a model lead, such as the one before.

    Raises
    ------
    Problem
        When there is no such version, or its weights were changed.
    """
    packs = registry.every(id or registry.bundled()[0].id)
    chosen = next((pack for pack in packs if pack.version == version), None)
    if chosen is None:
        raise Problem(
            translate("cli", "There is no version {version}.").format(version=version),
            translate("cli", "Choose one of: {names}.").format(
                names=", ".join(pack.version for pack in packs)
            ),
        )
    registry.check(chosen)
    versions.lead(chosen)
    terminal.print_line(
        translate("cli", "{id} {version} leads now; SHA-256 {sha256}").format(
            id=chosen.id, version=chosen.version, sha256=chosen.weights.sha256
        )
    )
