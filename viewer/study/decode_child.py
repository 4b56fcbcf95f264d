"""The decoding process: decodes one frame at a time for ``viewer.study.decode``.

Whatever a malformed file does to a decoder, it does it here, under a cap of memory and time.
Requests come from stdin, one JSON object a line; each is answered on stdout with four bytes of
length, a JSON object of that length and, when it names bytes, that many.

It prints nothing, writes no file, and ends when nobody asks any more or its parent ends.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import Any, BinaryIO

from inference.child_side import limit_memory, reply, take_pipes

IDLE_S = 60.0
MEMORY_BYTES = 2 << 30

_Requests = queue.SimpleQueue[dict[str, Any] | None]


def main() -> int:
    """Serve until the parent closes the pipe or asks nothing for a minute."""
    requests, replies = take_pipes()
    # Loaded before the first request, so that the time cap is for decoding alone.
    from viewer.study import decode_frame

    limit_memory(MEMORY_BYTES)
    reply(replies, {"ready": True})
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
            reply(replies, head, data)
        except OSError:
            return 0


def _listen(requests: BinaryIO, asked: _Requests) -> None:
    for line in requests:
        asked.put(json.loads(line))
    # The parent is gone or wants no more; a decoder at work has nobody to decode for.
    os._exit(0)


def _alarm(seconds: float) -> None:
    """Let the system end this process when a decoder hangs and the parent no longer watches."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    sys.exit(main())
