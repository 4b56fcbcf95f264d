"""What a model pack says of itself: ``manifest.json``, a closed vocabulary without expressions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources import table
from resources.problem import Problem
from resources.text import translate

FILE = "manifest.json"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors")
TASKS = ("detection",)
MODALITIES = ("CT",)
UNITS = ("HU",)
ORIENTATIONS = ("axial",)
KINDS = ("heatmap", "detections", "mask", "outline", "impression", "uncertainty")

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights: a safetensors file in the pack, its SHA-256 (hex) and a named architecture."""

    file: str
    sha256: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Input:
    """What the model reads.

    Attributes
    ----------
    modality, unit, orientation
        DICOM Modality (0008,0060), unit of the voxels, how the slices must lie.
    pixel_mm
        Pixel size in plane to which slices are resampled.
    window
        Values in ``unit`` that become 0 and 1.
    """

    modality: str
    unit: str
    orientation: str
    pixel_mm: float
    window: Range


@dataclass(frozen=True, slots=True)
class Output:
    """One thing that the model makes.

    Attributes
    ----------
    kind
        One of ``KINDS``: ``"heatmap"`` and ``"mask"`` for the whole volume, ``"detections"``,
        ``"outline"`` of what lies at a point, ``"impression"`` of radiologists and
        ``"uncertainty"`` for every detection and outline.
    label
        Key of ``resources/tables/labels.json``.
    threshold
        Default score from which a detection is shown; None for other kinds.
    floor
        Heat that a candidate must reach to be listed at all; None for other kinds.
    """

    kind: str
    label: str
    threshold: float | None = None
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Volumes outside are refused: lowest and highest, both included."""

    slice_spacing_mm: Range
    pixel_mm: Range
    slices: tuple[int, int]
    coverage_mm: Range


@dataclass(frozen=True, slots=True)
class ModelPack:
    """One model, as its folder describes it.

    Attributes
    ----------
    id, version
        Stable name and version.
    name
        As a sentence begins with it, such as ``"The lung nodule model"``.
    task
        One of ``TASKS``.
    intended_use, licence
        As its maker states them.
    folder
        Where the pack lies.
    weights, input, outputs, limits
        See their classes.
    training
        Data and figures; free text and numbers for the reader, never for the program.
    """

    id: str
    version: str
    name: str
    task: str
    intended_use: str
    licence: str
    folder: Path
    weights: Weights
    input: Input
    outputs: tuple[Output, ...]
    limits: Limits
    training: Mapping[str, Any]

    @property
    def detections(self) -> Output:
        """The output that lists lesions."""
        return next(output for output in self.outputs if output.kind == "detections")

    def makes(self, kind: str) -> bool:
        """Tell whether one of its outputs is of this kind, one of ``KINDS``."""
        return any(output.kind == kind for output in self.outputs)

    @property
    def threshold(self) -> float:
        """Default score threshold of its detections."""
        return self.detections.threshold or 0.0


class _Fault(Exception):
    """What is wrong with a manifest, in words for the detail."""


class _Fields:
    """The members of one JSON object, each taken once; what is left over is a fault."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _Fault(f"{where or 'the whole'} is no object")
        self._left = dict(value)
        self._where = where

    def _take(self, key: str) -> tuple[Any, str]:
        name = f"{self._where}.{key}" if self._where else key
        if key not in self._left:
            raise _Fault(f"{name} is missing")
        return self._left.pop(key), name

    def text(self, key: str, pattern: re.Pattern[str] | None = None) -> str:
        value, name = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise _Fault(f"{name} is no text")
        if pattern and not pattern.fullmatch(value):
            raise _Fault(f"{name} is malformed")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise _Fault(f"{self._where}.{key} is none of {', '.join(allowed)}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        value, name = self._take(key)
        return _number(value, name, low, high)

    def range(self, key: str, low: float, high: float) -> Range:
        value, name = self._take(key)
        if not isinstance(value, list) or len(value) != 2:
            raise _Fault(f"{name} is no pair of numbers")
        first, last = (_number(one, name, low, high) for one in value)
        if first >= last:
            raise _Fault(f"{name} does not ascend")
        return first, last

    def object(self, key: str) -> _Fields:
        return _Fields(*self._take(key))

    def list(self, key: str) -> list[_Fields]:
        value, name = self._take(key)
        if not isinstance(value, list) or not value:
            raise _Fault(f"{name} is no list")
        return [_Fields(one, f"{name}[{n}]") for n, one in enumerate(value)]

    def free(self, key: str) -> Mapping[str, Any]:
        value, name = self._take(key)
        if not isinstance(value, dict):
            raise _Fault(f"{name} is no object")
        return value

    def done(self) -> None:
        if self._left:
            raise _Fault(f"unknown key {', '.join(sorted(self._left))} in {self._where or 'it'}")


def _number(value: Any, name: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Fault(f"{name} is no number")
    # A whole number may be too long for a float; the comparison takes it all the same.
    if isinstance(value, float) and not math.isfinite(value):
        raise _Fault(f"{name} is no number")
    if not low <= value <= high:
        raise _Fault(f"{name} is not within {low:g} to {high:g}")
    return float(value)


def read_manifest(folder: Path) -> ModelPack:
    """Read the manifest of the pack in ``folder``.

    Raises
    ------
    Problem
        When it cannot be read, is no JSON, or says anything outside the vocabulary.
    """
    path = folder / FILE
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return _pack(_Fields(value, ""), folder)
    except OSError as error:
        raise _problem(folder, error.strerror or "unreadable") from error
    except (ValueError, RecursionError) as error:
        raise _problem(folder, f"no JSON: {type(error).__name__}") from error
    except _Fault as fault:
        raise _problem(folder, str(fault)) from fault


def _problem(folder: Path, fault: str) -> Problem:
    return Problem(
        translate("model", "The model pack {name} cannot be used: {fault} ({file}).").format(
            name=folder.name, fault=fault, file=FILE
        ),
        translate("model", "Install the model pack again."),
        f"{folder.name}/{FILE}: {fault}",
    )


def _pack(fields: _Fields, folder: Path) -> ModelPack:
    if fields.number("format", 1, 1) != 1:
        raise _Fault("format is not 1")
    pack = ModelPack(
        id=fields.text("id", _ID),
        version=fields.text("version", _VERSION),
        name=fields.text("name"),
        task=fields.choice("task", TASKS),
        intended_use=fields.text("intended_use"),
        licence=fields.text("licence"),
        folder=folder,
        weights=_weights(fields.object("weights")),
        input=_input(fields.object("input")),
        outputs=tuple(_output(one) for one in fields.list("outputs")),
        limits=_limits(fields.object("limits")),
        training=fields.free("training"),
    )
    fields.done()
    if sum(output.kind == "detections" for output in pack.outputs) != 1:
        raise _Fault("outputs must list detections once")
    listed = [(output.kind, output.label) for output in pack.outputs]
    if len(set(listed)) != len(listed):
        raise _Fault("outputs name one thing twice")
    return pack


def _weights(fields: _Fields) -> Weights:
    out = Weights(
        fields.text("file", _FILE_NAME),
        fields.text("sha256", _SHA256),
        fields.text("architecture", _ID),
    )
    fields.done()
    return out


def _input(fields: _Fields) -> Input:
    out = Input(
        modality=fields.choice("modality", MODALITIES),
        unit=fields.choice("unit", UNITS),
        orientation=fields.choice("orientation", ORIENTATIONS),
        pixel_mm=fields.number("pixel_mm", 0.1, 10),
        window=fields.range("window", -32768, 32767),
    )
    fields.done()
    return out


def _output(fields: _Fields) -> Output:
    kind = fields.choice("kind", KINDS)
    out = Output(
        kind=kind,
        label=fields.choice("label", tuple(table("labels"))),
        threshold=fields.number("threshold", 0, 1) if kind == "detections" else None,
        floor=fields.number("floor", 0, 1) if kind == "detections" else None,
    )
    fields.done()
    return out


def _limits(fields: _Fields) -> Limits:
    low, high = fields.range("slices", 1, 100_000)
    out = Limits(
        slice_spacing_mm=fields.range("slice_spacing_mm", 0.01, 100),
        pixel_mm=fields.range("pixel_mm", 0.01, 100),
        slices=(int(low), int(high)),
        coverage_mm=fields.range("coverage_mm", 0, 10_000),
    )
    fields.done()
    return out
