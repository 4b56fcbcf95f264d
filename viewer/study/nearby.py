"""The start of a file and the file beside it that its header names, and no other."""

from __future__ import annotations

from pathlib import Path

from resources.text import translate
from viewer.study.header import Unusable
from viewer.study.inflate import Damaged, Inflating, compression
from viewer.study.scratch import Scratch


def start_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, inflated when it is compressed; few when damaged."""
    with path.open("rb") as stream:
        start = stream.read(16)
        stream.seek(0)
        try:
            return Inflating(stream, compression(start)).read(size)
        except Damaged:
            return b""


def beside(path: Path, name: str, keeper: object | None) -> Path:
    """Return the file ``name`` in the folder of ``path``, where a header says its voxels are.

    Raises
    ------
    Unusable
        When it would lie elsewhere, also by a link, or is not there.
    """
    if not name or name in (".", "..") or any(c in name for c in "/\\:\0"):
        raise Unusable(
            translate("study", "It names a file in another folder; only its own is looked into.")
        )
    room = keeper
    while room is not None and not isinstance(room, Scratch):
        room = getattr(room, "under", None)
    found = room.sibling(path, name) if room is not None else path.parent / name
    try:
        good = found is not None and found.is_file()
        inside = found is not None and found.resolve().parent == path.parent.resolve()
    except OSError:
        good = inside = False
    if found is None or not good or not inside:
        raise Unusable(
            translate("study", "The file {name} with its voxels is not there.").format(name=name)
        )
    return found
