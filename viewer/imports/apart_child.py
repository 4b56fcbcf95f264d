"""The reading process: reads files of other systems for ``viewer.imports.apart``, and ends.

Whatever a malformed file does to a library, it does it here, under a cap of memory. One request,
a JSON object, comes from stdin; each answer on stdout is four bytes of length, a JSON object of
that length and, where it names bytes, that many. It prints nothing and ends with its parent.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from inference.child_side import end_with_parent, limit_memory, reply, take_pipes
from viewer.imports.held import HeldFile, HeldOutline
from viewer.imports.target import Target

MEMORY_BYTES = 8 << 30


def main() -> int:
    """Read what is asked for; return the exit code."""
    requests, replies = take_pipes()
    from viewer.imports import together

    limit_memory(MEMORY_BYTES)
    asked = json.loads(requests.readline())
    threading.Thread(target=end_with_parent, args=(requests,), daemon=True).start()
    paths = [Path(path) for path in asked["paths"]]

    def progress(done: int, total: int) -> None:
        reply(replies, {"progress": [done, total]})

    try:
        for file in together.read_all(paths, Target.read(asked["target"]), progress):
            _send(replies, file)
        reply(replies, {"end": True})
    except MemoryError:
        with contextlib.suppress(OSError):
            reply(replies, {"memory": True})
    except OSError:
        return 1  # nobody listens any more
    return 0


def _send(replies: BinaryIO, file: HeldFile) -> None:
    reply(replies, {"file": _plain(file, "outlines")})
    for one in file.outlines:
        mask = one.mask
        place = [list(mask.origin_kji), list(mask.voxels.shape)]
        bits = np.packbits(mask.voxels, axis=None)
        head = {"outline": _plain(one, "mask"), "place": place, "bytes": len(bits)}
        reply(replies, head, bits.data)


def _plain(value: HeldFile | HeldOutline, without: str) -> dict[str, Any]:
    return {f.name: getattr(value, f.name) for f in fields(value) if f.name != without}


if __name__ == "__main__":
    sys.exit(main())
