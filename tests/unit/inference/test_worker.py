from __future__ import annotations

import gc
import io
import queue
import weakref

import numpy as np

from inference import worker
from inference.protocol import write_message


def test_an_answered_volume_is_not_kept_while_waiting_for_the_next_request(monkeypatch):
    stream = io.BytesIO()
    write_message(stream, {"request": 1, "kind": "analyze"}, {"voxels": np.zeros(9, np.int16)})
    stream.seek(0)
    requests: queue.SimpleQueue = queue.SimpleQueue()
    kept: list[bool] = []

    class Source:
        def readinto(self, buffer):
            count = stream.readinto(buffer)
            if not count:
                answered = weakref.ref(requests.get_nowait()[1]["voxels"])
                gc.collect()
                kept.append(answered() is not None)
            return count

    monkeypatch.setattr(worker.os, "_exit", lambda code: None)
    worker._receive(Source(), requests)
    assert kept == [False]
