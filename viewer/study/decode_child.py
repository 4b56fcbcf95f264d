"""The decoding process: decodes one frame at a time for ``viewer.study.decode``.

Whatever a malformed file does to a decoder, it does it here, under a cap of memory and time.
Requests come from stdin, one JSON object a line; each is answered on stdout with four bytes of
length, a JSON object of that length and, when it names bytes, that many.

It prints nothing, writes no file, and ends when nobody asks any more or its parent ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

IDLE_S = 60.0
MEMORY_BYTES = 2 << 30

_Requests = queue.SimpleQueue[dict[str, Any] | None]


def main() -> int:
    """Serve until the parent closes the pipe or asks nothing for a minute."""
    requests, replies = _pipes()
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to judge
    # Loaded before the first request, so that the time cap is for decoding alone.
    from viewer.study import decode_frame

    _limit_memory()
    _reply(replies, {"ready": True}, b"")
    asked: _Requests = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, asked), daemon=True).start()
    memory = decode_frame.Memory()
    while True:
        try:
            request = asked.get(timeout=IDLE_S)
        except queue.Empty:
            return 0
        if request is None:
            return 0
        _alarm(float(request["limit_s"]))
        head, data = decode_frame.answer(request, memory)
        _alarm(0)
        try:
            _reply(replies, head, data)
        except OSError:
            return 0


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for ourselves; what a library prints goes nowhere."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return requests, replies


def _listen(requests: BinaryIO, asked: _Requests) -> None:
    for line in requests:
        asked.put(json.loads(line))
    # The parent is gone or wants no more; a decoder at work has nobody to decode for.
    os._exit(0)


def _limit_memory() -> None:
    """Cap the address space; Windows has no such cap, macOS does not keep to it."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _alarm(seconds: float) -> None:
    """Let the system end this process when a decoder hangs and the parent no longer watches."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _reply(replies: BinaryIO, head: Mapping[str, Any], data: bytes | memoryview) -> None:
    text = json.dumps(head).encode()
    _write(replies, len(text).to_bytes(4, "little") + text)
    _write(replies, data)


def _write(replies: BinaryIO, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while len(rest):
        rest = rest[replies.write(rest) :]


if __name__ == "__main__":
    sys.exit(main())
