"""The folder of a training set: what was decided when it was begun, and its versions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from resources.problem import Problem
from resources.text import translate
from viewer.export.sets.formats import SET_FORMATS, SetFormat

SET_FILE, MANIFEST = "overread-set.json", "manifest.json"
FORMAT, FORMAT_VERSION = "overread-set", 1
MANIFEST_FORMAT = "overread-set-version"
NEW = "overread-training-set"
"""What a new set is called unless somebody calls it otherwise."""

_VERSION = re.compile(r"v(\d{4,})")
_PART = re.compile(r"\.v\d{4,}\.[0-9a-f]{12}\.part")
# A whole set that was never finished, beside where it was to be.
_SET_PART = re.compile(r"\..+\.[0-9a-f]{12}\.part")
_OLD_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Design:
    """What holds for all versions of a set.

    Attributes
    ----------
    id
        Random.
    formats
        Of ``formats.SET_FORMATS``.
    classes
        Labels of the lesions that it has a class for, in the order of their values from 1.
    modality
        Of all images, such as ``"CT"``.
    test_percent
        Share of the patients that are kept for the test.
    secret
        Whose makes the pseudonyms: ``"site"`` or the set's ``"own"``.
    proof
        ``secret.proof`` of it.
    nnunet
        Name of its nnU-Net folder.
    """

    id: str
    formats: tuple[SetFormat, ...]
    classes: tuple[str, ...]
    modality: str
    test_percent: int
    secret: Literal["site", "own"]
    proof: str
    nnunet: str

    def document(self) -> dict[str, Any]:
        """Return it as ``overread-set.json`` holds it."""
        return {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)}


def load(folder: Path) -> Design | None:
    """Return what a set was begun with; None where there is none.

    Raises
    ------
    Problem
        When the folder holds anything else, or is of a newer program.
    """
    path = folder / SET_FILE
    try:
        if not path.is_file():
            _refuse_others(folder)
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.get("format") == FORMAT and document.get("format_version") != FORMAT_VERSION:
            raise Problem(
                translate("export", "This training set is of a newer Overread."),
                translate("export", "Use the newer one; nothing was changed."),
            )
        return _design(document)
    except OSError as error:
        raise _unreadable(folder, error) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, type(error).__name__) from None


def _design(document: Mapping[str, Any]) -> Design:
    formats = tuple(one for one in SET_FORMATS if one in document["formats"])
    if document["format"] != FORMAT or set(document["formats"]) - set(formats):
        raise ValueError("not a set")
    if document["secret"] not in ("site", "own"):
        raise ValueError("not a secret")
    nnunet = str(document["nnunet"])
    if not re.fullmatch(r"Dataset\d{3}_\w+", nnunet):
        raise ValueError("not a name")
    return Design(
        id=str(document["id"]),
        formats=formats,
        classes=tuple(str(one) for one in document["classes"]),
        modality=str(document["modality"]),
        test_percent=int(document["test_percent"]),
        secret=document["secret"],
        proof=str(document["proof"]),
        nnunet=nnunet,
    )


def _refuse_others(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise Problem(
            translate("export", "{folder} is a file, not a folder.").format(folder=folder),
            translate("export", "Choose another name for the export."),
        )
    if any(folder.iterdir()):
        raise Problem(
            translate("export", "{folder} holds other files and no training set.").format(
                folder=folder
            ),
            translate("export", "Choose a new or an empty folder, or that of a training set."),
        )


def meant(chosen: Path) -> Path:
    """Return the folder of the set that somebody means who chose a folder.

    One of a set, or of a version of it, is that; an empty one becomes one; in any other a set is
    begun in a folder of its own.
    """
    for folder in (chosen, chosen.parent):
        if (folder / SET_FILE).is_file():
            return folder
    with contextlib.suppress(OSError):
        if chosen.is_dir() and any(chosen.iterdir()):
            return chosen / NEW
    return chosen


def new_part(folder: Path, number: int) -> Path:
    """Return a hidden folder in a set, in which a version of it is put together."""
    return folder / f".{name_of(number)}.{secrets.token_hex(6)}.part"


def name_of(number: int) -> str:
    """Return what the folder of a version is called."""
    return f"v{number:04d}"


def versions(folder: Path) -> list[int]:
    """Return the numbers of the versions of a set, in order."""
    if not folder.is_dir():
        return []
    found = (_VERSION.fullmatch(entry.name) for entry in os.scandir(folder) if entry.is_dir())
    return sorted(int(one[1]) for one in found if one)


def manifest(folder: Path, number: int) -> tuple[dict[str, Any], str]:
    """Return the manifest of a version and its SHA-256.

    Raises
    ------
    Problem
        When it cannot be read.
    """
    try:
        data = (folder / name_of(number) / MANIFEST).read_bytes()
        document = json.loads(data)
        if document["format"] != MANIFEST_FORMAT or document["version"] != number:
            raise ValueError("another manifest")
        return document, hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise _unreadable(folder, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, type(error).__name__) from None


def item_of(folder: Path, number: int, item: str) -> dict[str, Any]:
    """Return what stands of an item of a version.

    Raises
    ------
    Problem
        When it cannot be read.
    """
    try:
        return read_item(folder / name_of(number), item)
    except OSError as error:
        raise _unreadable(folder, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, type(error).__name__) from None


def read_item(version: Path, item: str) -> dict[str, Any]:
    """Return what stands of an item in the folder of a version."""
    document = json.loads((version / "items" / f"{item}.json").read_text(encoding="utf-8"))
    if document["item"] != item:
        raise ValueError("another item")
    return dict(document)


def sweep(folder: Path) -> None:
    """Remove what killed programs left in a set, and of it beside it, when it is a day old.

    What cannot be removed, or holds anything of others, stays.
    """
    for where, pattern in ((folder, _PART), (folder.parent, _SET_PART)):
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(where)):
                if pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    with contextlib.suppress(OSError):
                        _sweep_one(Path(entry.path), whole_set=pattern is _SET_PART)


def _sweep_one(part: Path, *, whole_set: bool) -> None:
    if whole_set and not {entry.name for entry in part.iterdir()} <= {SET_FILE, name_of(1)}:
        return
    if _last_touched(part) < time.time() - _OLD_S:
        shutil.rmtree(part, ignore_errors=True)


def _last_touched(folder: Path) -> float:
    """Return when a name was last made in a folder: links of old files do not tell."""
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")) if path.is_dir())


def settle(part: Path, target: Path) -> None:
    """Give a finished version its name, which nothing may have yet.

    Raises
    ------
    Problem
        When another program was quicker.
    """
    taken = Problem(
        translate("export", "Another program has changed this training set meanwhile."),
        translate("export", "Nothing was added; do it again."),
    )
    if target.exists():
        raise taken
    try:
        part.rename(target)
    except OSError:
        if target.exists():
            raise taken from None
        raise


def _unreadable(folder: Path, error: OSError) -> Problem:
    return Problem(
        translate("export", "The training set in {folder} cannot be read.").format(folder=folder),
        translate("export", "Check that its disk is connected and that you may read it."),
        f"{type(error).__name__} errno {error.errno}",
    )


def _damaged(folder: Path, detail: str) -> Problem:
    return Problem(
        translate("export", "The training set in {folder} is damaged.").format(folder=folder),
        translate("export", "Put a copy of it back, or begin another set."),
        detail,
    )
