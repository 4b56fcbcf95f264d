"""``overread promote`` and ``models --lead``: which version of a model is used."""

from __future__ import annotations

from pathlib import Path

from inference import registry, versions
from resources.problem import Problem
from resources.text import translate
from viewer import promoting
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
    old, new = promoting.let_in(folder, figures)
    versions.lead(new)
    terminal.print_line(
        translate("cli", "{id} {new} leads now. Back: overread models --lead {old}").format(
            id=new.id, new=new.version, old=old.version
        )
    )


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
