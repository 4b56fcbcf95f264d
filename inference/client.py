"""The window's end of the model process. Knows no torch."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar

from inference import packing, registry
from inference.findings import Findings
from inference.manifest import ModelPack
from inference.protocol import Device, Progress, read_message, write_message
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate

__all__ = ["Cancelled", "Device", "ModelProcess", "Progress"]

_FROZEN_NAME = "overread-model"
_STDERR_LINES = 200
_END_S = 2.0
# A dead pipe, an end between two frames, and frames that are cut or not ours.
_NO_ANSWER = (OSError, EOFError, ValueError, KeyError, TypeError)

_Message = tuple[dict[str, Any], dict[str, packing.Array]]
_Answer = TypeVar("_Answer")


class Cancelled(Exception):
    """The reader stopped the run."""


class _Child:
    """One running process, and a thread that drains what it prints."""

    def __init__(self, command: Sequence[str]) -> None:
        # No console window on Windows; elsewhere there is no such flag.
        flags: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            creationflags=flags,
        )
        pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        stdin, stdout, stderr = pipes
        assert stdin is not None and stdout is not None and stderr is not None
        self.stdin, self.stdout = stdin, stdout
        self.printed: deque[str] = deque(maxlen=_STDERR_LINES)
        self.killed = False
        self._drain = threading.Thread(
            target=self._collect, args=(stderr,), name="model-stderr", daemon=True
        )
        self._drain.start()

    def _collect(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in stderr:
                self.printed.append(line.decode("utf-8", "replace").rstrip())

    def end(self) -> None:
        """Kill the process and leave nothing behind: no zombie, thread or open pipe."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self._drain.join()

    def last_words(self) -> str:
        """Wait for the process to end; return how it ended and what it printed last."""
        try:
            code = self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.killed = True
            self.process.kill()
            code = self.process.wait()
        self._drain.join()
        return "\n".join((f"exit code {code}", *self.printed))


def _environment() -> dict[str, str]:
    out = dict(os.environ)
    # The child finds the same packages as this process, wherever it was started from.
    out["PYTHONPATH"] = os.pathsep.join(str(Path(entry or ".").resolve()) for entry in sys.path)
    # Spinning threads would take the cores from the window while they wait.
    out.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return out


def default_command() -> list[str]:
    """Return what starts the model process: a sibling program when frozen, else this Python."""
    if getattr(sys, "frozen", False):
        suffix = ".exe" if sys.platform == "win32" else ""
        return [str(Path(sys.executable).with_name(_FROZEN_NAME + suffix))]
    return [sys.executable, "-m", "inference.worker"]


class ModelProcess:
    """A process that holds torch and runs models; started when needed, restarted when dead.

    One thread at a time may ask; ``cancel`` may be called from any other.

    Parameters
    ----------
    command
        Program and arguments; by default ``default_command()``.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or default_command())
        self._asking = threading.Lock()
        self._changing = threading.Lock()
        self._child: _Child | None = None
        self._busy = False
        self._cancelled = False
        self._closed = False
        self._in_answer = False
        self._number = 0

    def start(self) -> None:
        """Start the process and let it load torch; returns at once, does nothing in a run.

        Raises
        ------
        Problem
            When the process cannot be started.
        """
        if not self._asking.acquire(blocking=False):
            return
        try:
            child = self._ready()
            with contextlib.suppress(OSError):
                self._post(child, {"kind": "devices"})
        finally:
            self._asking.release()

    def devices(self) -> tuple[Device, ...]:
        """Return where models can run on this computer, the fastest first.

        Raises
        ------
        Problem
            When the process cannot be started or has died.
        Cancelled
            When ``cancel`` was called meanwhile.
        """
        return self._ask({"kind": "devices"}, {}, None, _devices_of)

    def analyze(
        self,
        volume: Volume,
        pack: ModelPack,
        device: str = "auto",
        progress: Callable[[Progress], None] | None = None,
    ) -> Findings:
        """Run a model on a volume.

        Parameters
        ----------
        volume
            Voxels, affine, modality and unit are all that leaves this process.
        pack
            The model.
        device
            ``Device.id``, or ``"auto"`` for the fastest, ``"cuda"`` for the first GPU.
        progress
            Called in this thread.

        Raises
        ------
        Problem
            When the model may not read the volume, its file is damaged, no lungs are found,
            or the process dies; it can be called again after each.
        Cancelled
            When ``cancel`` was called meanwhile.
        """
        reasons = registry.eligibility(pack, volume)
        if reasons:
            remedy = translate("model", "Choose another series or another model.")
            # No detail for the log: the reasons quote values of the series.
            raise Problem(reasons[0], remedy)
        registry.check(pack)
        request = {
            "kind": "analyze",
            "folder": str(pack.folder.resolve()),
            "device": device,
            "modality": volume.modality,
            "unit": volume.unit,
        }
        arrays = {"voxels": volume.voxels, "affine": volume.affine}
        return self._ask(request, arrays, progress, _findings_of)

    def cancel(self) -> None:
        """Stop a run at once by killing the process; from any thread. Without a run: nothing."""
        with self._changing:
            if self._busy:
                self._cancelled = True
                if self._child is not None:
                    self._child.process.kill()

    def close(self) -> None:
        """End the process; a run under way is cancelled. Asking again afterwards is an error."""
        with self._changing:
            self._closed = True
            if self._busy:
                self._cancelled = True
            if self._child is not None:
                self._child.process.kill()
        with self._asking:
            self._drop()

    def __enter__(self) -> ModelProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(
        self,
        request: dict[str, Any],
        arrays: Mapping[str, packing.Array],
        progress: Callable[[Progress], None] | None,
        answer_of: Callable[[_Message], _Answer],
    ) -> _Answer:
        with self._asking:
            with self._changing:
                self._busy, self._cancelled = True, False
            try:
                answer = self._converse(request, arrays, progress, answer_of)
            except BaseException:
                # Whatever stopped us mid-answer, the next run must not read this one's rest.
                if self._in_answer:
                    self._drop()
                if self._idle_again():
                    raise Cancelled from None
                raise
            if self._idle_again():
                raise Cancelled
            return answer

    def _idle_again(self) -> bool:
        """End a run; tell whether it was cancelled, however late, and then drop the process."""
        with self._changing:
            cancelled = self._cancelled
            self._busy, self._cancelled = False, False
        if cancelled:
            self._drop()
        return cancelled

    def _converse(
        self,
        request: dict[str, Any],
        arrays: Mapping[str, packing.Array],
        progress: Callable[[Progress], None] | None,
        answer_of: Callable[[_Message], _Answer],
    ) -> _Answer:
        self._in_answer = False
        child = self._ready()
        self._in_answer = True
        try:
            number = self._post(child, request, arrays)
        except OSError as error:
            raise self._died(child) from error
        while True:
            # What the caller's own callback raises is none of the process's faults.
            try:
                said = _said(child, number, answer_of)
            except _NO_ANSWER as error:
                raise self._died(child) from error
            if isinstance(said, Progress):
                if progress is not None:
                    progress(said)
            elif said is not None:
                self._in_answer = False
                if isinstance(said, Problem):
                    raise said
                return said

    def _post(
        self,
        child: _Child,
        request: dict[str, Any],
        arrays: Mapping[str, packing.Array] | None = None,
    ) -> int:
        self._number += 1
        write_message(child.stdin, {**request, "request": self._number}, arrays)
        return self._number

    def _ready(self) -> _Child:
        """Return a running process, a new one if need be."""
        if self._child is not None and self._child.process.poll() is None:
            return self._child
        self._drop()
        with self._changing:
            if self._closed:
                raise RuntimeError("the model process was closed")
            if self._cancelled:
                raise Cancelled
            try:
                self._child = _Child(self._command)
            except OSError as error:
                raise Problem(
                    translate("model", "The model process could not be started."),
                    translate("model", "Install Overread again."),
                    f"{Path(self._command[0]).name}: {error.strerror}",
                ) from error
            return self._child

    def _drop(self) -> None:
        with self._changing:
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def _died(self, child: _Child) -> Problem:
        words = child.last_words()
        if child.process.returncode == -9 and not child.killed:
            # On Linux the kernel kills so when memory is short.
            return _memory(words)
        return Problem(
            translate("model", "The model process stopped unexpectedly."),
            translate("model", "Run the model again; the study and your work are unharmed."),
            words,
        )


def _said(
    child: _Child, number: int, answer_of: Callable[[_Message], _Answer]
) -> Progress | Problem | _Answer | None:
    """Read one message; None when it belongs to an earlier request."""
    message = read_message(child.stdout)  # type: ignore[arg-type]
    if message is None:
        raise EOFError
    value, _ = message
    if value["request"] != number:
        return None
    if value["kind"] == "progress":
        return Progress(*value["progress"])
    if value["kind"] == "failed":
        return _failure(value)
    return answer_of(message)


def _devices_of(message: _Message) -> tuple[Device, ...]:
    return tuple(Device(id, name) for id, name in message[0]["devices"])


def _findings_of(message: _Message) -> Findings:
    value, parts = message
    return packing.findings_from_parts(value["findings"], parts)


def _memory(detail: str) -> Problem:
    return Problem(
        translate("model", "The model process was ended, most likely because memory ran out."),
        translate("model", "Close other programs and run the model again."),
        detail,
    )


def _failure(value: Mapping[str, Any]) -> Problem:
    code, detail = value["code"], value["detail"]
    if code == "no_lungs":
        return Problem(
            translate("model", "No lungs were found in this series."),
            translate("model", "Choose a CT of the chest that shows aerated lung."),
            detail,
        )
    if code == "memory":
        return _memory(detail)
    if code == "device":
        return Problem(
            translate("model", "There is no device named {id} on this computer.").format(id=detail),
            translate("model", "Choose automatic or the CPU."),
        )
    if code == "model":
        return Problem(value["sentence"], value["remedy"], detail)
    return Problem(
        translate("model", "The model failed on this series."),
        translate("model", "Please report it; the log holds the technical detail."),
        detail,
    )
