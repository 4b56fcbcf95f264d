"""The reading process: reads files of other systems for ``viewer.imports.apart``, and ends.

Whatever a malformed file does to a library, it does it here, under a cap of memory. One request,
a JSON object, comes from stdin; each answer on stdout is four bytes of length, a JSON object of
that length and, where it names bytes, that many. It prints nothing and ends with its parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from viewer.imports.held import HeldFile, HeldOutline
from viewer.imports.target import Target

MEMORY_BYTES = 8 << 30


def main() -> int:
    """Read what is asked for; return the exit code."""
    requests, replies = _pipes()
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent to judge
    from viewer.imports import together

    _limit_memory()
    asked = json.loads(requests.readline())
    threading.Thread(target=_end_with_parent, args=(requests,), daemon=True).start()
    paths = [Path(path) for path in asked["paths"]]

    def progress(done: int, total: int) -> None:
        _reply(replies, {"progress": [done, total]})

    try:
        for file in together.read_all(paths, Target.read(asked["target"]), progress):
            _send(replies, file)
        _reply(replies, {"end": True})
    except MemoryError:
        with contextlib.suppress(OSError):
            _reply(replies, {"memory": True})
    except OSError:
        return 1  # nobody listens any more
    return 0


def _send(replies: BinaryIO, file: HeldFile) -> None:
    _reply(replies, {"file": _plain(file, "outlines")})
    for one in file.outlines:
        mask = one.mask
        place = [list(mask.origin_kji), list(mask.voxels.shape)]
        bits = np.packbits(mask.voxels, axis=None)
        head = {"outline": _plain(one, "mask"), "place": place, "bytes": len(bits)}
        _reply(replies, head, bits.data)


def _plain(value: HeldFile | HeldOutline, without: str) -> dict[str, Any]:
    return {f.name: getattr(value, f.name) for f in fields(value) if f.name != without}


def _end_with_parent(requests: BinaryIO) -> None:
    requests.read(1)
    os._exit(1)


def _limit_memory() -> None:
    """Cap the address space; Windows has no such cap, macOS does not keep to it."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _reply(replies: BinaryIO, head: Mapping[str, Any], data: Any = b"") -> None:
    text = json.dumps(head).encode()
    _write(replies, len(text).to_bytes(4, "little") + text)
    _write(replies, data)


def _write(replies: BinaryIO, data: Any) -> None:
    rest = memoryview(data)
    while len(rest):
        rest = rest[replies.write(rest) :]


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for ourselves; what a library prints goes nowhere."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return requests, replies


if __name__ == "__main__":
    sys.exit(main())
