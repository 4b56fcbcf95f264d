"""What a child process does at its own end: its pipes, its answers, its cap of memory, its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Mapping
from typing import Any, BinaryIO


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return both pipes, for requests and replies; what a library prints goes nowhere.

    Ctrl+C is from now on for the parent to judge.
    """
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return requests, replies


def limit_memory(size: int) -> None:
    """Cap the address space, bytes; Windows has no such cap, macOS does not keep to it."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def reply(replies: BinaryIO, head: Mapping[str, Any], data: bytes | memoryview = b"") -> None:
    """Answer: four bytes of length, a JSON object of that length, and what it names of bytes.

    Raises
    ------
    OSError
        When nobody listens any more.
    """
    text = json.dumps(head).encode()
    for part in (len(text).to_bytes(4, "little") + text, data):
        rest = memoryview(part)
        while len(rest):
            rest = rest[replies.write(rest) :]


def end_with_parent(requests: BinaryIO) -> None:
    """Wait for the parent to end or to close its pipe, and leave at once, whatever is running."""
    requests.read(1)
    os._exit(1)
