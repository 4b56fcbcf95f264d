"""The window's end of the model process. Knows no torch."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from inference import failures, packing, registry
from inference.child import Child, default_command
from inference.findings import Findings, Mask, Outline
from inference.manifest import ModelPack
from inference.protocol import Device, Progress, read_message, write_message
from inference.refine import Box, Click
from inference.surroundings import surroundings, surroundings_of
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate

__all__ = ["Cancelled", "Device", "ModelProcess", "Progress"]

# A dead pipe, an end between two frames, and frames that are cut or not ours.
_NO_ANSWER = (OSError, EOFError, ValueError, KeyError, TypeError)

_Message = tuple[dict[str, Any], dict[str, packing.Array]]
_Answer = TypeVar("_Answer")
_Request = tuple[dict[str, Any], dict[str, packing.Array]]


class Cancelled(Exception):
    """The reader stopped the run."""


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
        self._child: Child | None = None
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
        return self._ask(lambda: ({"kind": "devices"}, {}), None, _devices_of)

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

        def request() -> _Request:
            _admit(pack, volume)
            head = {
                "kind": "analyze",
                "folder": str(pack.folder.resolve()),
                "device": device,
                "modality": volume.modality,
                "unit": volume.unit,
            }
            return head, {"voxels": volume.voxels, "affine": volume.affine}

        return self._ask(request, progress, _findings_of)

    def outline(
        self,
        volume: Volume,
        pack: ModelPack,
        device: str,
        point_lps_mm: Sequence[float],
        progress: Callable[[Progress], None] | None = None,
        box: Box | None = None,
    ) -> Outline:
        """Outline what lies at a point; the model stays loaded from one point to the next.

        Parameters
        ----------
        volume
            Only the voxels round the point leave this process.
        pack
            The model.
        device
            As in ``analyze``.
        point_lps_mm
            Three numbers, LPS mm; may lie outside the volume.
        progress
            Called in this thread, with stages of ``protocol.OUTLINE_STAGES``.
        box
            Voxels of the volume round the point, of which a reader says that what is to be
            outlined lies in them; None: he only points.

        Returns
        -------
        Outline
            In indices of ``volume``. Its mask is empty, with a reason, where there is nothing
            and outside the volume.

        Raises
        ------
        Problem
            When the model makes no outlines, or for what ``analyze`` raises it.
        Cancelled
            When ``cancel`` was called meanwhile.
        """
        x, y, z = (float(value) for value in point_lps_mm)
        if not all(map(math.isfinite, (x, y, z))):
            raise ValueError("a point needs three finite numbers")
        origin = (0, 0, 0)

        def request() -> _Request:
            nonlocal origin
            registry.check_outlines(pack)
            _admit(pack, volume)
            voxels, affine, origin = surroundings(volume, (x, y, z))
            head: dict[str, Any] = {
                "kind": "outline",
                "folder": str(pack.folder.resolve()),
                "device": device,
                "point_lps_mm": [x, y, z],
            }
            if box is not None:
                head["box"] = [
                    [int(side.start - o), int(side.stop - o)]
                    for side, o in zip(box, origin, strict=True)
                ]
            return head, {"voxels": voxels, "affine": affine}

        def outline_of(message: _Message) -> Outline:
            value, parts = message
            return packing.outline_from_parts(value["outline"], parts, origin)

        return self._ask(request, progress, outline_of)

    def refine(
        self,
        volume: Volume,
        pack: ModelPack,
        device: str,
        mask: Mask,
        clicks: Sequence[Click],
        progress: Callable[[Progress], None] | None = None,
    ) -> Outline:
        """Correct an outline by a voxel that belongs to it, or does not; see ``inference.refine``.

        Parameters
        ----------
        volume, pack, device, progress
            As in ``outline``.
        mask
            The outline as it stands, not empty.
        clicks
            Voxels of the volume that were pointed at, the latest last.

        Returns
        -------
        Outline
            In indices of ``volume``; with an empty mask and a reason of ``inference.refine``
            when the latest point changes nothing.

        Raises
        ------
        Problem, Cancelled
            As ``outline``.
        """
        origin = (0, 0, 0)

        def request() -> _Request:
            nonlocal origin
            registry.check_outlines(pack)
            _admit(pack, volume)
            pointed = [click.at_kji for click in clicks]
            voxels, affine, origin = surroundings_of(volume, mask.box, pointed)
            drawn = np.zeros(voxels.shape, dtype=np.uint8)
            at = tuple(
                slice(b.start - o, b.stop - o) for b, o in zip(mask.box, origin, strict=True)
            )
            drawn[at] = mask.voxels
            head = {
                "kind": "refine",
                "folder": str(pack.folder.resolve()),
                "device": device,
                "clicks": [
                    [
                        *(int(a - o) for a, o in zip(click.at_kji, origin, strict=True)),
                        bool(click.belongs),
                    ]
                    for click in clicks
                ],
            }
            return head, {"voxels": voxels, "affine": affine, "mask": drawn}

        def outline_of(message: _Message) -> Outline:
            value, parts = message
            return packing.outline_from_parts(value["outline"], parts, origin)

        return self._ask(request, progress, outline_of)

    def cancel(self) -> None:
        """Stop a run at once, by killing the process if it has it; from any thread.

        Without a run: nothing.
        """
        with self._changing:
            if self._busy:
                self._cancelled = True
                # A process that has not been asked yet stays, with what it has loaded.
                if self._child is not None and self._in_answer:
                    self._child.kill()

    def close(self) -> None:
        """End the process; a run under way is cancelled. Asking again afterwards is an error."""
        with self._changing:
            self._closed = True
            if self._busy:
                self._cancelled = True
            if self._child is not None:
                self._child.kill()
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
        request: Callable[[], _Request],
        progress: Callable[[Progress], None] | None,
        answer_of: Callable[[_Message], _Answer],
    ) -> _Answer:
        with self._asking:
            with self._changing:
                self._busy, self._cancelled, self._in_answer = True, False, False
            try:
                # Within the run: to check a volume and a model takes long enough to be cancelled.
                answer = self._converse(*request(), progress, answer_of)
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
        """End a run; tell whether it was cancelled, however late, and drop a killed process."""
        with self._changing:
            cancelled = self._cancelled
            killed = self._child is not None and self._child.killed
            self._busy, self._cancelled, self._in_answer = False, False, False
        if killed:
            self._drop()
        return cancelled

    def _converse(
        self,
        request: dict[str, Any],
        arrays: Mapping[str, packing.Array],
        progress: Callable[[Progress], None] | None,
        answer_of: Callable[[_Message], _Answer],
    ) -> _Answer:
        child = self._ready()
        with self._changing:
            if self._cancelled:
                raise Cancelled
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
        child: Child,
        request: dict[str, Any],
        arrays: Mapping[str, packing.Array] | None = None,
    ) -> int:
        self._number += 1
        write_message(child.stdin, {**request, "request": self._number}, arrays)
        return self._number

    def _ready(self) -> Child:
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
                self._child = Child(self._command)
            except OSError as error:
                raise failures.not_started(
                    f"{Path(self._command[0]).name}: {error.strerror}"
                ) from error
            return self._child

    def _drop(self) -> None:
        with self._changing:
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def _died(self, child: Child) -> Problem:
        words = child.last_words()
        if child.process.returncode == -9 and not child.killed:
            # On Linux the kernel kills so when memory is short.
            return failures.out_of_memory(words)
        return failures.stopped(words)


def _admit(pack: ModelPack, volume: Volume) -> None:
    """Raise a Problem unless the model may read the volume and its weights are whole."""
    reasons = registry.eligibility(pack, volume)
    if reasons:
        remedy = translate("model", "Choose another series or another model.")
        # No detail for the log: the reasons quote values of the series.
        raise Problem(reasons[0], remedy)
    registry.check(pack)


def _said(
    child: Child, number: int, answer_of: Callable[[_Message], _Answer]
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
        return failures.answered(value)
    return answer_of(message)


def _devices_of(message: _Message) -> tuple[Device, ...]:
    return tuple(Device(id, name) for id, name in message[0]["devices"])


def _findings_of(message: _Message) -> Findings:
    value, parts = message
    return packing.findings_from_parts(value["findings"], parts)
