"""Files of a training set: linked, sealed, compared. Imports nothing slow."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from viewer.export.problems import FileProblem


def insist(name: str, difference: str) -> None:
    """Raise when a file differs from what was meant."""
    if difference:
        raise FileProblem("misread", f"{name}: {difference}", name=Path(name).name)


def link(source: Path, target: Path) -> None:
    """Give a file a second name; where the disk cannot, copy it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except (OSError, NotImplementedError):
        shutil.copyfile(source, target)


def seal(folder: Path, name: str) -> dict[str, Any]:
    """Force a file to the disk; return its name, size and SHA-256."""
    digest = hashlib.sha256()
    # Windows flushes only what is open for writing.
    with (folder / name).open("r+b") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
        os.fsync(stream.fileno())
        size = stream.tell()
    return {"name": name, "bytes": size, "sha256": digest.hexdigest()}


def write_json(path: Path, document: Any) -> None:
    """Write a document; a number that JSON does not have is refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
