"""The model process: reads requests on its standard input, answers on its standard output.

Knows no Qt and no DICOM. torch is loaded on the first request, so that a broken
installation is answered in words and not by a dead pipe.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from inference import packing
from inference.manifest import ModelPack, read_manifest
from inference.protocol import Device, Progress, Writer, read_message, write_message
from inference.volume import Volume
from resources.problem import Problem

if TYPE_CHECKING:
    from inference.runtime.engine import Engine

Message = tuple[dict[str, Any], dict[str, packing.Array]]


def main() -> int:
    """Serve requests until the standard input closes."""
    source, sink = _take_pipes()
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(source, requests), daemon=True).start()
    server = _Server(sink)
    while True:
        server.answer(*requests.get())


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep both pipes to ourselves: what a library prints goes to stderr, it reads nothing.

    On Windows a library that is loaded while another thread reads the standard input waits
    for that read, so the handle itself must be given away too.
    """
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(sink, os.O_BINARY)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


def _receive(source: BinaryIO, requests: queue.SimpleQueue[Message]) -> None:
    """Queue requests; when the window has gone, leave at once, whatever is running."""
    try:
        while (message := read_message(source)) is not None:  # type: ignore[arg-type]
            requests.put(message)
            # Else the volume stays in memory until the next one has come.
            del message
    except (OSError, ValueError):
        pass
    finally:
        os._exit(0)


class _NoDevice(Exception):
    """The device that was asked for is not there."""


class _Server:
    """Answers requests one after the other and keeps the last model loaded."""

    def __init__(self, sink: Writer) -> None:
        self._sink = sink
        self._loaded: tuple[str, dict[str, Any]] | None = None
        self._outliner: tuple[str, str, Engine] | None = None

    def answer(self, request: dict[str, Any], arrays: dict[str, packing.Array]) -> None:
        number = request["request"]
        try:
            if request["kind"] == "devices":
                value: dict[str, Any] = {"kind": "devices", "devices": self._devices()}
                self._send(number, value)
            elif request["kind"] == "analyze":
                self._analyze(number, request, arrays)
            elif request["kind"] == "outline":
                self._outline(number, request, arrays)
            elif request["kind"] == "refine":
                self._refine(number, request, arrays)
            else:
                self._fail(number, "crash", f"unknown request {request['kind']}")
        except Problem as problem:
            self._fail(number, "model", problem.detail, problem.sentence, problem.remedy)
        except _NoDevice as error:
            self._fail(number, "device", str(error))
        except MemoryError:
            self._loaded = self._outliner = None
            self._fail(number, "memory", traceback.format_exc())
        except Exception as error:
            # The window shows one sentence; what went wrong goes to its log.
            code = "memory" if _short_of_memory(error) else "crash"
            self._fail(number, code, traceback.format_exc())

    def _devices(self) -> list[list[str]]:
        from inference.runtime.load import devices

        return [[device.id, device.name] for device in devices()]

    def _analyze(
        self, number: int, request: dict[str, Any], arrays: dict[str, packing.Array]
    ) -> None:
        tell = self._teller(number)
        tell(Progress("start", 0, 1))
        from inference.runtime.pipeline import NoLungs, analyze

        pack = read_manifest(Path(request["folder"]))
        volume = Volume(arrays["voxels"], arrays["affine"], request["modality"], request["unit"])
        tell(Progress("start", 1, 1))

        def engine(note: Callable[[str], None]) -> Engine:
            from inference.runtime.engine import Engine

            return Engine.of(self._nets(pack), self._device(request["device"]).id, note)

        try:
            findings = analyze(volume, pack, engine, tell)
        except NoLungs:
            self._fail(number, "no_lungs", "")
            return
        value, parts = packing.findings_parts(findings)
        self._send(number, {"kind": "findings", "findings": value}, parts)

    def _outline(
        self, number: int, request: dict[str, Any], arrays: dict[str, packing.Array]
    ) -> None:
        tell = self._teller(number)
        tell(Progress("start", 0, 1))
        from inference.runtime.outline import outline_at, outline_in

        pack = read_manifest(Path(request["folder"]))
        device = self._device(request["device"])
        engine = self._outlining(pack, device)
        tell(Progress("outline", 0, 1))
        x, y, z = request["point_lps_mm"]
        voxels, affine = arrays["voxels"], arrays["affine"]
        if "box" in request:
            k, j, i = (slice(*side) for side in request["box"])
            outline = outline_in(engine, voxels, affine, (k, j, i))
        else:
            outline = outline_at(engine, voxels, affine, (x, y, z))
        value, parts = packing.outline_parts(replace(outline, device=engine.backend.name))
        self._send(number, {"kind": "outline", "outline": value}, parts)

    def _refine(
        self, number: int, request: dict[str, Any], arrays: dict[str, packing.Array]
    ) -> None:
        tell = self._teller(number)
        tell(Progress("start", 0, 1))
        from inference.refine import Click
        from inference.runtime.refine import refine_at

        pack = read_manifest(Path(request["folder"]))
        engine = self._outlining(pack, self._device(request["device"]))
        tell(Progress("outline", 0, 1))
        clicks = [Click((k, j, i), bool(belongs)) for k, j, i, belongs in request["clicks"]]
        voxels, affine = arrays["voxels"], arrays["affine"]
        before = arrays["mask"].astype(bool)
        outline = refine_at(engine, voxels, affine, before, clicks)
        value, parts = packing.outline_parts(replace(outline, device=engine.backend.name))
        self._send(number, {"kind": "outline", "outline": value}, parts)

    def _outlining(self, pack: ModelPack, device: Device) -> Engine:
        """Return what runs the outliner; it is built once, so that later points cost little."""
        from inference.runtime.engine import Engine

        if self._outliner is None or self._outliner[:2] != (pack.weights.sha256, device.id):
            nets = {name: self._nets(pack)[name] for name in ("outliner", "calibration")}
            self._outliner = (pack.weights.sha256, device.id, Engine.of(nets, device.id))
        return self._outliner[2]

    def _teller(self, number: int) -> Callable[[Progress], None]:
        def tell(progress: Progress) -> None:
            value = [progress.stage, progress.done, progress.total, progress.note]
            self._send(number, {"kind": "progress", "progress": value})

        return tell

    def _nets(self, pack: ModelPack) -> dict[str, Any]:
        from inference.runtime.load import load_nets

        if self._loaded is None or self._loaded[0] != pack.weights.sha256:
            self._loaded = (pack.weights.sha256, load_nets(pack))
        return self._loaded[1]

    def _device(self, id: str) -> Device:
        from inference.runtime.load import devices

        for one in devices():
            if id in ("auto", one.id) or one.id == f"{id}:0":
                return one
        raise _NoDevice(id)

    def _fail(
        self, number: int, code: str, detail: str, sentence: str = "", remedy: str = ""
    ) -> None:
        value = {"kind": "failed", "code": code, "detail": detail}
        self._send(number, {**value, "sentence": sentence, "remedy": remedy})

    def _send(
        self, number: int, value: dict[str, Any], arrays: dict[str, packing.Array] | None = None
    ) -> None:
        # The window may have gone in this very moment; the reader then ends the process.
        with contextlib.suppress(BrokenPipeError):
            write_message(self._sink, {"request": number, **value}, arrays)


def _short_of_memory(error: Exception) -> bool:
    """Tell whether memory ran out; torch on the CPU and libraries have no error of their own."""
    said = str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, ImportError):  # a library that finds no room to be loaded
        return "failed to map segment" in said or "annot allocate memory" in said
    return isinstance(error, RuntimeError) and (
        "out of memory" in said or "DefaultCPUAllocator" in said
    )


if __name__ == "__main__":
    sys.exit(main())
