"""Versions of a model beside the bundled one: put in, told apart, and which of them leads.

They lie in the folder that the environment variable ``OVERREAD_MODELS`` names, a pack a folder,
``<id>/<version>-<first digits of its SHA-256>``; nothing written there is ever changed. Beside
them ``leading.json`` says which leads, and which did before. The bundled one is never touched,
and leads where nothing else is said.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inference.manifest import FILE, ModelPack, read_manifest
from resources.problem import Problem
from resources.text import translate

FOLDER = "OVERREAD_MODELS"
"""Environment variable; what this process starts looks into the same folder."""

COMPARISON = "comparison.json"
_LEADING = "leading.json"
_DIGITS = 12


def installed(id: str) -> tuple[ModelPack, ...]:
    """Return the packs of one model that were put in, by version.

    Raises
    ------
    Problem
        When the manifest of one is broken.
    """
    folder = _folder(id)
    if folder is None or not folder.is_dir():
        return ()
    found = [
        read_manifest(one)
        for one in folder.iterdir()
        if not one.name.endswith(".part") and (one / FILE).is_file()
    ]
    return tuple(sorted(found, key=lambda pack: (_numbers(pack.version), pack.weights.sha256)))


def leading(bundled: ModelPack) -> ModelPack:
    """Return the version of a model that is to be used.

    Raises
    ------
    Problem
        When what is said to lead is not there any more; another is never taken in its place
        without a word.
    """
    wanted = _said(bundled.id).get("sha256")
    if wanted in (None, bundled.weights.sha256):
        return bundled
    for pack in installed(bundled.id):
        if pack.weights.sha256 == wanted:
            return pack
    raise Problem(
        translate("model", "The version of {name} that leads is not there any more.").format(
            name=bundled.id
        ),
        translate("model", "Choose another by overread models --lead VERSION."),
        f"SHA-256 {wanted}",
    )


def put_in(pack: ModelPack, comparison: Mapping[str, Any]) -> ModelPack:
    """Copy a pack and its comparison to the others; return it where it lies then.

    Parameters
    ----------
    pack
        Of any folder; its files are checked by the caller.
    comparison
        What it was measured by before.

    Raises
    ------
    Problem
        When other weights of the same version are there already, or the copy cannot be written.
    """
    folder = _folder(pack.id)
    if folder is None:
        raise Problem(
            translate("model", "There is no folder for models."),
            translate("model", "Start Overread as its own program."),
        )
    for other in installed(pack.id):
        if other.weights.sha256 == pack.weights.sha256:
            return other
        if other.version == pack.version:
            raise Problem(
                translate("model", "There is a version {version} with other weights.").format(
                    version=pack.version
                ),
                translate("model", "Retrain it with another --version."),
            )
    target = folder / f"{pack.version}-{pack.weights.sha256[:_DIGITS]}"
    part = target.with_name(target.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for file in sorted(Path(pack.folder).iterdir()):
            if file.is_file() and not file.is_symlink():
                shutil.copyfile(file, part / file.name)
        _write(part / COMPARISON, comparison)
        part.replace(target)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise _unwritten(folder, error) from error
    return read_manifest(target)


def lead(pack: ModelPack) -> None:
    """Use this version from now on; which led before stays written down.

    Raises
    ------
    Problem
        When that cannot be written.
    """
    folder = _folder(pack.id)
    if folder is None:
        return
    said = _said(pack.id)
    step = {
        "version": pack.version,
        "sha256": pack.weights.sha256,
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    document = {
        "format": 1,
        "sha256": pack.weights.sha256,
        "history": [*said.get("history", ()), step],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / (_LEADING + ".part")
        _write(part, document)
        part.replace(folder / _LEADING)
    except OSError as error:
        raise _unwritten(folder, error) from error


def history(id: str) -> tuple[Mapping[str, str], ...]:
    """Return which versions led since when, the first first: ``version``, ``sha256``, ``utc``."""
    return tuple(_said(id).get("history", ()))


def comparison_of(pack: ModelPack) -> Mapping[str, Any] | None:
    """Return what a pack was measured by before it was put in; None of the bundled one."""
    try:
        found = json.loads((Path(pack.folder) / COMPARISON).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _folder(id: str) -> Path | None:
    base = os.environ.get(FOLDER)
    return Path(base) / id if base else None


def _said(id: str) -> dict[str, Any]:
    folder = _folder(id)
    if folder is None:
        return {}
    try:
        found = json.loads((folder / _LEADING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _damaged(folder) from error
    if not isinstance(found, dict) or not isinstance(found.get("sha256"), str):
        raise _damaged(folder)
    return found


def _damaged(folder: Path) -> Problem:
    return Problem(
        translate("model", "It cannot be read which version of {name} leads.").format(
            name=folder.name
        ),
        translate("model", "Remove {file} to use the one that came with the program.").format(
            file=folder / _LEADING
        ),
    )


def _unwritten(folder: Path, error: OSError) -> Problem:
    return Problem(
        translate("model", "The folder {folder} cannot be written to: {fault}.").format(
            folder=folder, fault=error.strerror or type(error).__name__
        ),
        translate("model", "Make room there, or allow writing."),
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
