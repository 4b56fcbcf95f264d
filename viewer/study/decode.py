"""Frames that need a decoder, from child processes that may fail: ``decode_child``.

At most two of them, one a core. A malformed file costs the process that reads it, and its own
frame; the next file finds a new one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.child import environment
from viewer.study import bits, syntax
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.decode_problems import undecodable, unreadable, unstartable
from viewer.study.series import InstanceHeader
from viewer.study.suitable import cut_short, pixels_refusal

ARGUMENT = "--decode-child"
"""First argument with which the frozen program becomes the decoding process."""

_PROCESSES = 2
# Long enough for a busy computer to start Python and load the codecs.
_START_S = 60.0
# JPEG 2000 takes 0.1 s a megabyte on a free core.
_FRAME_S = 5.0
_FRAME_S_PER_MB = 1.0
_END_S = 2.0
_HEAD_LIMIT = 4096
_PALETTES = 64


class _Died(Exception):
    """The process ended, or was ended, before it had answered."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class _Process:
    """One decoding process. One thread at a time asks it."""

    def __init__(self) -> None:
        # No console window on Windows; elsewhere there is no such flag.
        flags: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self._process = subprocess.Popen(
            command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # One thread: its stack and its arena count against the cap of memory.
            env={**environment(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            creationflags=flags,
        )
        self.used = False
        self._ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, request: Mapping[str, Any], limit_s: float
    ) -> tuple[dict[str, Any], npt.NDArray[Any] | None]:
        """Return the head of the answer and an array when it names one; raises ``_Died``."""
        if not self._ready:
            with self._watched(_START_S):
                self._head()
            self._ready = True
        line = json.dumps({**request, "limit_s": limit_s + _END_S}).encode() + b"\n"
        with self._watched(limit_s):
            self._write(line)
            head = self._head()
            self.used = True
            return head, None if "failure" in head else self._array(head)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill the process and leave nothing behind: no zombie, no open pipe."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    @contextlib.contextmanager
    def _watched(self, limit_s: float) -> Iterator[None]:
        """Kill the process when the time is over: every pipe then comes to its end."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self.kill()

        timer = threading.Timer(limit_s, stop)
        timer.daemon = True
        timer.name = "decode-limit"
        timer.start()
        try:
            yield
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            # A dead pipe, or an answer that is none: what wrote it cannot be relied on.
            raise _Died("time" if late.is_set() else "crash") from None
        finally:
            timer.cancel()
            timer.join()

    def _write(self, data: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        rest = memoryview(data)
        while len(rest):
            rest = rest[pipe.write(rest) :]

    def _head(self) -> dict[str, Any]:
        length = bytearray(4)
        self._fill(memoryview(length))
        size = int.from_bytes(length, "little")
        if size > _HEAD_LIMIT:
            raise ValueError("not an answer")
        text = bytearray(size)
        self._fill(memoryview(text))
        head = json.loads(text)
        if not isinstance(head, dict):
            raise ValueError("not an answer")
        return head

    def _array(self, head: Mapping[str, Any]) -> npt.NDArray[Any]:
        kind = np.dtype(str(head["dtype"]))
        shape = tuple(int(n) for n in head["shape"])
        if kind.kind not in "iuf" or not 0 < int(np.prod(shape)) * kind.itemsize <= _MOST_BYTES:
            raise ValueError("not an answer")
        found = np.empty(shape, dtype=kind)
        self._fill(memoryview(found.data).cast("B"))
        return found

    def _fill(self, view: memoryview) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        while len(view):
            count = pipe.readinto(view)  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            view = view[count:]


# A colour frame of the largest size with 32 bits a sample.
_MOST_BYTES = 8192 * 8192 * 12


class _Pool:
    """The processes: started when needed, lent to one thread at a time, then kept."""

    def __init__(self) -> None:
        self._changing = threading.Condition()
        self._idle: list[_Process] = []
        self._busy: set[_Process] = set()

    @contextlib.contextmanager
    def lent(self) -> Iterator[_Process]:
        process = self._take()
        try:
            yield process
        except BaseException:
            # What is left in its pipe would be taken for the next answer.
            process.end()
            raise
        finally:
            self._give_back(process)

    def start(self) -> None:
        """Start one process when there is none, so that the first frame need not wait."""
        with self._changing:
            if not self._idle and not self._busy:
                self._idle.append(_Process())

    def close(self) -> None:
        """End all processes; those at work fail their frame."""
        with self._changing:
            ending, self._idle = self._idle, []
            for process in self._busy:
                process.kill()  # who waits for it ends it
        for process in ending:
            process.end()

    def pids(self) -> tuple[int, ...]:
        with self._changing:
            return tuple(process.pid for process in (*self._idle, *self._busy))

    def _take(self) -> _Process:
        with self._changing:
            while True:
                while self._idle:
                    process = self._idle.pop()
                    if process.alive:
                        break
                    process.end()  # it had nothing to do for long, and ended
                else:
                    if len(self._busy) >= min(_PROCESSES, os.cpu_count() or 1):
                        self._changing.wait()
                        continue
                    process = _Process()
                self._busy.add(process)
                return process

    def _give_back(self, process: _Process) -> None:
        with self._changing:
            self._busy.discard(process)
            if process.alive:
                self._idle.append(process)
            self._changing.notify()


_pool = _Pool()
_palettes: dict[tuple[Any, ...], npt.NDArray[np.uint8]] = {}
_palettes_changing = threading.Lock()


def start() -> None:
    """Start a decoding process, for frames that will be asked for soon; returns at once."""
    with contextlib.suppress(OSError):
        _pool.start()


def close() -> None:
    """End the decoding processes; the next frame starts one anew."""
    _pool.close()


def pids() -> tuple[int, ...]:
    """Return the ids of the decoding processes, for those who measure."""
    return _pool.pids()


atexit.register(close)


def command() -> list[str]:
    """Return what starts a decoding process: this program when frozen, else this Python."""
    if getattr(sys, "frozen", False):
        return [sys.executable, ARGUMENT]
    return [sys.executable, "-m", "viewer.study.decode_child"]


def decode(
    instance: InstanceHeader, wanted: Sequence[int], *, cancelled: CancelCheck | None = None
) -> list[npt.NDArray[Any]]:
    """Decode some frames in another process.

    Parameters
    ----------
    instance
        Any that ``suitable.pixels_refusal`` has no word against.
    wanted
        Frames, counted from 0.
    cancelled
        Asked before each frame.

    Returns
    -------
    list of ndarray
        As of ``pixels.frames``.

    Raises
    ------
    Problem
        With the name of the file and the reason.
    Cancelled
        When ``cancelled`` says so.
    """
    refusal = pixels_refusal(instance)
    if refusal is not None:
        raise refusal
    found = []
    for frame in wanted:
        stop_if(cancelled)
        if not 0 <= frame < instance.n_frames:
            raise IndexError("no such frame")
        array = _ask(instance, {"kind": "frame", "frame": frame})
        if not _as_promised(array, instance):
            raise undecodable(instance, "damaged", "another answer")
        found.append(array)
    return found


def palette(instance: InstanceHeader) -> npt.NDArray[np.uint8]:
    """Return the colours of a PALETTE COLOR image.

    Returns
    -------
    ndarray
        (2 ** Bits Allocated, 3) uint8 RGB, by the stored value taken as an unsigned number.

    Raises
    ------
    Problem
        When the file holds no palette that can be used.
    """
    key = instance.path, instance.file_size, instance.sop_instance_uid
    with _palettes_changing:
        known = _palettes.get(key)
    if known is not None:
        return known
    found = _ask(instance, {"kind": "palette"})
    if found.shape != (1 << instance.bits_allocated, 3) or found.dtype != np.uint8:
        raise undecodable(instance, "palette")
    found.flags.writeable = False
    with _palettes_changing:
        while len(_palettes) >= _PALETTES:
            _palettes.pop(next(iter(_palettes)))
        _palettes[key] = found
    return found


def _ask(instance: InstanceHeader, request: Mapping[str, Any]) -> npt.NDArray[Any]:
    path = os.fspath(instance.path.absolute())
    full = {
        **request,
        "path": path,
        "format": instance.file_format,
        "syntax": instance.transfer_syntax,
        "rows": instance.rows,
        "columns": instance.columns,
        "samples": instance.samples_per_pixel,
        "frames": instance.n_frames,
        "frame_bits": instance.frame_bits,
        "fragments": instance.fragments_offset,
        "photometric_interpretation": _photometric(instance),
        "bits_allocated": instance.bits_allocated,
        "bits_stored": instance.bits_stored,
        "high_bit": instance.high_bit,
        "pixel_representation": int(instance.signed),
    }
    limit_s = _FRAME_S + _FRAME_S_PER_MB * instance.frame_bits / 8e6
    for last in (False, True):
        try:
            with _pool.lent() as process:
                used = process.used
                head, array = process.ask(full, limit_s)
            break
        except _Died as died:
            # What an earlier file did to the process must not cost this one.
            if last or died.kind == "time" or not used:
                raise undecodable(instance, died.kind) from None
        except OSError as error:
            raise unstartable(error) from None
    if array is not None:
        return array
    if head["failure"] == "unreadable":
        raise unreadable(instance, str(head.get("detail", "")), head.get("errno"))
    if head["failure"] == "cut-short":
        raise cut_short(instance)
    raise undecodable(instance, str(head["failure"]), str(head.get("detail", "")))


def _photometric(instance: InstanceHeader) -> str:
    """Return the photometric interpretation, that of native pixels as their length proves it."""
    whole = instance.rows * instance.columns * 3 * instance.bits_allocated // 8
    if (
        instance.photometric == "YBR_FULL_422"
        and instance.pixel_length is not None
        and instance.pixel_length >= whole * instance.n_frames
    ):
        return "YBR_FULL"  # nothing is shared: some writers name it wrongly
    return instance.photometric


def _as_promised(array: npt.NDArray[Any], instance: InstanceHeader) -> bool:
    shape: tuple[int, ...] = (instance.rows, instance.columns)
    if instance.samples_per_pixel == 3:
        shape = (*shape, 3)
    whole = bits.stored_type(instance.bits_allocated, signed=instance.signed)
    allowed = {whole}
    native = instance.transfer_syntax in syntax.NATIVE or instance.file_format != "dicom"
    if instance.bits_allocated in (32, 64) and native:
        allowed.add(np.dtype(f"f{instance.bits_allocated // 8}"))
    return array.shape == shape and array.dtype in allowed
