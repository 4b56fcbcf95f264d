"""What tells the volumes of one series apart: echo, time, diffusion weighting and their like.

Read with each plane and asked only where images lie at one place.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

Mark = tuple[str, float | str]

_DECIMALS: tuple[tuple[str, int], ...] = (
    ("time", 0x00200100),  # Temporal Position Identifier
    ("echo", 0x00180086),  # Echo Number(s)
    ("echo_ms", 0x00180081),  # Echo Time
    ("inversion_ms", 0x00180082),  # Inversion Time
    ("flip_degrees", 0x00181314),  # Flip Angle
    ("kv", 0x00180060),  # KVP
    ("trigger_ms", 0x00181060),  # Trigger Time
    ("frame_ms", 0x00541300),  # Frame Reference Time
)
_B_VALUE, _DIRECTION = 0x00189087, 0x00189089
DOUBLES = frozenset({_B_VALUE, _DIRECTION})
"""Tags of binary doubles: a parser of big endian files turns them round."""
TAGS = frozenset(tag for _, tag in _DECIMALS) | DOUBLES
"""What ``of_header`` asks for."""

# Macro and keyword of each mark in an enhanced object (PS3.3 C.7.6.16.2, C.8.13.5, C.8.15.3).
_MACROS: tuple[tuple[str, str, str], ...] = (
    ("time", "FrameContentSequence", "TemporalPositionIndex"),
    ("acquisition", "FrameContentSequence", "FrameAcquisitionNumber"),
    ("echo_ms", "MREchoSequence", "EffectiveEchoTime"),
    ("inversion_ms", "MRModifierSequence", "InversionTimes"),
    ("flip_degrees", "MRTimingAndRelatedParametersSequence", "FlipAngle"),
    ("kv", "CTXRayDetailsSequence", "KVP"),
    ("trigger_ms", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("b", "MRDiffusionSequence", "DiffusionBValue"),
)
_TYPES = (
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
)
# Beyond this a number is nonsense, and a text is no code.
_HUGE = 1e12
_LONGEST = 64


def of_header(raw: Mapping[int, bytes]) -> tuple[Mark, ...]:
    """Return the marks of a single-frame image, from the values of its elements as stored."""
    found: list[Mark] = []
    for name, tag in _DECIMALS:
        value = _decimal(raw[tag]) if tag in raw else None
        if value is not None:
            found.append((name, value))
    if _B_VALUE in raw and (numbers := _doubles(raw[_B_VALUE], 1)):
        found.append(("b", numbers[0]))
    if _DIRECTION in raw and (numbers := _doubles(raw[_DIRECTION], 3)):
        found.append(("direction", direction(numbers)))
    return tuple(found)


def of_groups(group: Any, common: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """Return the marks of one frame: those of a functional group item over the ``common`` ones."""
    found = dict(common)
    for name, sequence, keyword in _MACROS:
        macro = _first(group, sequence)
        value = _number(macro.get(keyword)) if macro is not None else None
        if value is not None:
            found[name] = value
    diffusion = _first(group, "MRDiffusionSequence")
    gradient = (
        _first(diffusion, "DiffusionGradientDirectionSequence") if diffusion is not None else None
    )
    if gradient is not None and (vector := gradient.get("DiffusionGradientOrientation")):
        numbers = [float(part) for part in vector]
        if len(numbers) == 3 and all(math.isfinite(part) for part in numbers):
            found["direction"] = direction(numbers)
    for sequence in _TYPES:
        macro = _first(group, sequence)
        if macro is None:
            continue
        if kind := _texts(macro.get("FrameType")):
            found["type"] = kind
        if component := _texts(macro.get("ComplexImageComponent")):
            found["component"] = component
    return tuple(found.items())


def direction(vector: Sequence[float]) -> str:
    """Return a gradient direction as a text that is equal for equal directions."""
    # Adding 0 turns a minus zero into a zero.
    return ", ".join(f"{round(float(part), 3) + 0.0:.3f}" for part in vector)


def _decimal(value: bytes) -> float | None:
    try:
        return _sane(float(value.split(b"\\", 1)[0].strip(b" \0")))
    except ValueError:
        return None


def _doubles(value: bytes, count: int) -> tuple[float, ...] | None:
    if len(value) == 8 * count:
        numbers: tuple[float, ...] = struct.unpack(f"<{count}d", value)
    else:
        # Of some files pydicom has made text.
        try:
            numbers = tuple(float(part) for part in value.split(b"\\"))
        except ValueError:
            return None
    good = len(numbers) == count and all(_sane(part) is not None for part in numbers)
    return numbers if good else None


def _number(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else None
    return None if value is None else _sane(float(value))


def _sane(value: float) -> float | None:
    return value if math.isfinite(value) and abs(value) < _HUGE else None


def _texts(value: Any) -> str:
    if not value:
        return ""
    parts = [value] if isinstance(value, str) else list(value)
    text = "\\".join(str(part).strip() for part in parts)[:_LONGEST]
    return text if text.isprintable() else ""


def _first(data: Any, keyword: str) -> Any:
    found = data.get(keyword)
    return found[0] if found else None
