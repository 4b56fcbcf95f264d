"""Arrays and plain values to bytes and back, for the pipe and for the journal. No pickle.

Layout: 4-byte magic ``OVR1``, uint32 little-endian length of the header, the header as
UTF-8 JSON ``{"value": ..., "arrays": [[name, dtype, shape], ...]}``, then the arrays'
bytes in order (C order, little-endian).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Detection, Findings, Heatmap, Mask, ModelStamp, Segment

_MAGIC = b"OVR1"
_DTYPES = frozenset({"|u1", "|b1", "<i2", "<u2", "<f4", "<f8"})

Array = npt.NDArray[Any]


def pack(value: Mapping[str, Any], arrays: Mapping[str, Array]) -> list[bytes | memoryview]:
    """Return the parts of one message, to be written one after the other without a copy.

    Raises
    ------
    ValueError
        When an array has a type outside uint8, bool, int16, uint16, float32, float64.
    """
    heads: list[tuple[str, str, list[int]]] = []
    bodies: list[bytes | memoryview] = []
    for name, array in arrays.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        if little.dtype.str not in _DTYPES:
            raise ValueError(f"cannot pack {array.dtype}")
        heads.append((name, little.dtype.str, list(array.shape)))
        bodies.append(little.reshape(-1).view(np.uint8).data)
    header = json.dumps({"value": value, "arrays": heads}, allow_nan=False).encode()
    return [_MAGIC + struct.pack("<I", len(header)), header, *bodies]


def unpack(data: bytes | bytearray | memoryview) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read one message; the arrays are views of ``data``.

    Raises
    ------
    ValueError
        When the bytes are not such a message, whole.
    """
    view = memoryview(data)
    if len(view) < 8 or bytes(view[:4]) != _MAGIC:
        raise ValueError("not an Overread message")
    (length,) = struct.unpack("<I", view[4:8])
    at = 8 + length
    if at > len(view):
        raise ValueError("the message is cut short")
    header = json.loads(bytes(view[8:at]))
    heads = header.get("arrays") if isinstance(header, dict) else None
    if not isinstance(heads, list) or not isinstance(header.get("value"), dict):
        raise ValueError("not an Overread message")
    arrays: dict[str, Array] = {}
    for name, dtype, shape in heads:
        if dtype not in _DTYPES or any(int(n) < 0 for n in shape):
            raise ValueError("the message holds an unknown array type")
        count = int(np.prod(shape, dtype=np.int64))
        end = at + count * np.dtype(dtype).itemsize
        if end > len(view):
            raise ValueError("the message is cut short")
        arrays[name] = np.frombuffer(view[at:end], dtype=dtype, count=count).reshape(shape)
        at = end
    return header["value"], arrays


def findings_parts(findings: Findings) -> tuple[dict[str, Any], dict[str, Array]]:
    """Split findings into the value and arrays of a message; masks travel as packed bits."""
    arrays: dict[str, Array] = {}

    def mask_value(name: str, mask: Mask) -> dict[str, Any]:
        arrays[name] = np.packbits(mask.voxels, axis=None)
        return {"origin": list(mask.origin_kji), "shape": list(mask.voxels.shape)}

    value: dict[str, Any] = {
        "model": [findings.model.id, findings.model.version, findings.model.sha256],
        "device": findings.device,
        "threshold": findings.threshold,
        "seconds": dict(findings.seconds),
        "detections": [
            {
                "id": d.id,
                "label": d.label,
                "score": d.score,
                "centre_lps_mm": list(d.centre_lps_mm),
                "diameter_mm": d.diameter_mm,
                "short_axis_mm": d.short_axis_mm,
                "volume_ml": d.volume_ml,
                "mean_value": d.mean_value,
                "mask": mask_value(f"detection/{d.id}", d.mask),
            }
            for d in findings.detections
        ],
        "segments": [
            {
                "id": s.id,
                "label": s.label,
                "volume_ml": s.volume_ml,
                "mask": mask_value(f"segment/{s.id}", s.mask),
            }
            for s in findings.segments
        ],
        "heatmap": None,
    }
    if findings.heatmap is not None:
        value["heatmap"] = {
            "origin": list(findings.heatmap.origin_kji),
            "meaning": findings.heatmap.meaning,
        }
        arrays["heatmap"] = findings.heatmap.values
    return value, arrays


def findings_from_parts(value: Mapping[str, Any], arrays: Mapping[str, Array]) -> Findings:
    """Rebuild findings from ``findings_parts``; the arrays are copied."""

    def mask(name: str, head: Mapping[str, Any]) -> Mask:
        shape = tuple(int(n) for n in head["shape"])
        count = int(np.prod(shape, dtype=np.int64))
        bits = np.unpackbits(np.asarray(arrays[name], dtype=np.uint8), count=count)
        return Mask(_triple(head["origin"], int), bits.astype(np.bool_).reshape(shape))

    detections = tuple(
        Detection(
            **{k: v for k, v in head.items() if k not in ("mask", "centre_lps_mm")},
            centre_lps_mm=_triple(head["centre_lps_mm"], float),
            mask=mask(f"detection/{head['id']}", head["mask"]),
        )
        for head in value["detections"]
    )
    segments = tuple(
        Segment(
            head["id"],
            head["label"],
            head["volume_ml"],
            mask(f"segment/{head['id']}", head["mask"]),
        )
        for head in value["segments"]
    )
    heat = value["heatmap"]
    return Findings(
        model=ModelStamp(*value["model"]),
        device=value["device"],
        detections=detections,
        segments=segments,
        heatmap=None
        if heat is None
        else Heatmap(_triple(heat["origin"], int), arrays["heatmap"].copy(), heat["meaning"]),
        threshold=value["threshold"],
        seconds=value["seconds"],
    )


def _triple(values: Any, kind: type) -> tuple[Any, Any, Any]:
    a, b, c = (kind(v) for v in values)
    return a, b, c
