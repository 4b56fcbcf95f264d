"""A case on its way to the process that writes its export. No pickle: a closed set of values.

One record a line of JSON, what it refers to before it: an object of a known class with its
fields, an array with its bytes behind the line, and last the value itself. What is shared is
sent once. No record is long, so that no thread waits for one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

import inference.findings as f
import inference.measure as m
import viewer.annotate.measurements as measured
import viewer.export.snapshot as s
import viewer.study.series as series
from inference.volume import Volume
from resources.problem import Problem
from viewer.annotate.key_images import KeyImage
from viewer.study.order import StackPlan
from viewer.study.spacing import GeometryProblem

CLASSES: tuple[type, ...] = (
    s.CaseSnapshot, s.LesionSnapshot, s.SegmentSnapshot, s.ImportedSnapshot,
    s.FirstImpression, s.Pseudonyms,
    f.Findings, f.Detection, f.Segment, f.Heatmap, f.Mask, f.ModelStamp, f.Impression,
    m.Measurement, measured.Measurement, measured.Value, KeyImage, Volume,
    StackPlan, GeometryProblem, series.Series, series.PatientText, series.InstanceHeader,
    series.Plane, series.Pet, series.FrameRef,
)  # fmt: skip
"""All that a snapshot may hold; a test asks its type hints."""

# Keeps temporary files alive in the process that opened them.
_NOT_SENT = frozenset({"keeper"})
_DTYPES = frozenset({"|u1", "|b1", "<i2", "<u2", "<f4", "<f8"})
_BLOCK = 1 << 20

Send = Callable[[bytes | memoryview], object]


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


_BY_NAME = {_name(kind): kind for kind in CLASSES}


def send(value: object, write: Send) -> None:
    """Hand a value to ``write``, a piece at a time.

    Raises
    ------
    ValueError
        When it holds what is not of the closed set.
    """
    sender = _Sender(write)
    sender.line(["value", sender.put(value)])


def receive(stream: BinaryIO) -> Any:
    """Read what ``send`` wrote; arrays are not writeable.

    Raises
    ------
    ValueError
        When the stream holds something else, or ends before it is whole.
    """
    found: list[Any] = []
    while True:
        line = stream.readline()
        if not line.endswith(b"\n"):
            raise ValueError("cut short")
        kind, *rest = json.loads(line)
        if kind == "value":
            return _get(rest[0], found)
        if kind == "array":
            found.append(_array(stream, *rest))
        else:
            values = {key: _get(each, found) for key, each in rest[1].items()}
            found.append(_BY_NAME[rest[0]](**values))


class _Sender:
    def __init__(self, write: Send) -> None:
        self._write = write
        # The objects are kept beside their numbers: an id may be used again.
        self._sent: dict[int, tuple[int, object]] = {}

    def line(self, record: list[Any]) -> None:
        self._write(json.dumps(record).encode() + b"\n")

    def put(self, value: object) -> Any:
        """Send what a value refers to; return how it is written in a record."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, tuple):
            return {"t": [self.put(each) for each in value]}
        if isinstance(value, list):
            return [self.put(each) for each in value]
        if isinstance(value, Mapping):
            return {"m": [[self.put(key), self.put(each)] for key, each in value.items()]}
        if isinstance(value, Path):
            return {"p": str(value.absolute())}
        if isinstance(value, datetime):
            return {"d": value.isoformat()}
        if isinstance(value, Problem):
            return {"e": [value.sentence, value.remedy, value.detail]}
        return {"r": self._reference(value)}

    def _reference(self, value: object) -> int:
        known = self._sent.get(id(value))
        if known is not None:
            return known[0]
        if isinstance(value, np.ndarray):
            self._array(value)
        elif is_dataclass(value) and type(value) in CLASSES:
            names = [each.name for each in fields(value) if each.name not in _NOT_SENT]
            inside = {name: self.put(getattr(value, name)) for name in names}
            self.line(["object", _name(type(value)), inside])
        else:
            raise ValueError(f"cannot send a {type(value).__name__}")
        number = len(self._sent)
        self._sent[id(value)] = number, value
        return number

    def _array(self, array: npt.NDArray[Any]) -> None:
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        if little.dtype.str not in _DTYPES:
            raise ValueError(f"cannot send {array.dtype}")
        self.line(["array", little.dtype.str, list(array.shape)])
        data = little.reshape(-1).view(np.uint8).data
        for start in range(0, len(data), _BLOCK):
            self._write(data[start : start + _BLOCK])


def _get(value: Any, found: list[Any]) -> Any:
    if isinstance(value, list):
        return [_get(each, found) for each in value]
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    if kind == "r":
        return found[inside]
    if kind == "t":
        return tuple(_get(each, found) for each in inside)
    if kind == "m":
        return {_get(key, found): _get(each, found) for key, each in inside}
    if kind == "p":
        return Path(inside)
    if kind == "d":
        return datetime.fromisoformat(inside)
    if kind == "e":
        return Problem(*inside)
    raise ValueError("not a value that is known")


def _array(stream: BinaryIO, dtype: str, shape: list[int]) -> npt.NDArray[Any]:
    if dtype not in _DTYPES:
        raise ValueError("not an array that is known")
    array = np.empty(shape, dtype=dtype)
    view = memoryview(array.reshape(-1).view(np.uint8).data)
    while len(view):
        count = stream.readinto(view[:_BLOCK])  # type: ignore[attr-defined]
        if not count:
            raise ValueError("cut short")
        view = view[count:]
    array.flags.writeable = False
    return array
