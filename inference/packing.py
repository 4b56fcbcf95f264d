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

from inference.findings import (
    Detection,
    Findings,
    Heatmap,
    Impression,
    Mask,
    ModelStamp,
    Outline,
    Segment,
)

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
                "mask": _put_mask(arrays, f"detection/{d.id}", d.mask),
            }
            for d in findings.detections
        ],
        "segments": [
            {
                "id": s.id,
                "label": s.label,
                "volume_ml": s.volume_ml,
                "mask": _put_mask(arrays, f"segment/{s.id}", s.mask),
            }
            for s in findings.segments
        ],
        "heatmap": None,
    }
    if findings.heatmap is not None:
        value["heatmap"] = _put_heatmap(arrays, "heatmap", findings.heatmap)
    # Beside the detections, not in them: a journal that holds these is still read by the
    # version before them, and one without them has the same bytes as ever.
    opinions = {
        d.id: {"uncertainty": d.uncertainty, "impression": _impression_value(d.impression)}
        for d in findings.detections
        if d.uncertainty is not None or d.impression is not None
    }
    if opinions:
        value["opinions"] = opinions
    if findings.uncertainty is not None:
        value["uncertainty"] = _put_heatmap(arrays, "uncertainty", findings.uncertainty)
    return value, arrays


def findings_from_parts(value: Mapping[str, Any], arrays: Mapping[str, Array]) -> Findings:
    """Rebuild findings from ``findings_parts``; the arrays are copied."""
    opinions: Mapping[str, Mapping[str, Any]] = value.get("opinions", {})

    def detection(head: Mapping[str, Any]) -> Detection:
        opinion = opinions.get(head["id"], {})
        return Detection(
            **{k: v for k, v in head.items() if k not in ("mask", "centre_lps_mm")},
            centre_lps_mm=_triple(head["centre_lps_mm"], float),
            mask=_take_mask(arrays, f"detection/{head['id']}", head["mask"]),
            uncertainty=opinion.get("uncertainty"),
            impression=_impression(opinion.get("impression")),
        )

    segments = tuple(
        Segment(
            head["id"],
            head["label"],
            head["volume_ml"],
            _take_mask(arrays, f"segment/{head['id']}", head["mask"]),
        )
        for head in value["segments"]
    )
    heat, uncertainty = value["heatmap"], value.get("uncertainty")
    return Findings(
        model=ModelStamp(*value["model"]),
        device=value["device"],
        detections=tuple(detection(head) for head in value["detections"]),
        segments=segments,
        heatmap=None if heat is None else _take_heatmap(arrays, "heatmap", heat),
        threshold=value["threshold"],
        seconds=value["seconds"],
        uncertainty=(
            None if uncertainty is None else _take_heatmap(arrays, "uncertainty", uncertainty)
        ),
    )


def outline_parts(outline: Outline) -> tuple[dict[str, Any], dict[str, Array]]:
    """Split an outline into the value and arrays of a message."""
    arrays: dict[str, Array] = {}
    value = {
        "mask": _put_mask(arrays, "mask", outline.mask),
        "share": _put_heatmap(arrays, "share", outline.share),
        "spread": _put_heatmap(arrays, "spread", outline.spread),
        "score": outline.score,
        "uncertainty": outline.uncertainty,
        "impression": _impression_value(outline.impression),
        "reason": outline.reason,
        "device": outline.device,
    }
    return value, arrays


def outline_from_parts(
    value: Mapping[str, Any],
    arrays: Mapping[str, Array],
    offset_kji: tuple[int, int, int] = (0, 0, 0),
) -> Outline:
    """Rebuild an outline from ``outline_parts``; the arrays are copied.

    Parameters
    ----------
    offset_kji
        Index, in the volume that is meant, of the first voxel of the box that the outline's
        indices count from.
    """
    return Outline(
        mask=_take_mask(arrays, "mask", value["mask"], offset_kji),
        share=_take_heatmap(arrays, "share", value["share"], offset_kji),
        spread=_take_heatmap(arrays, "spread", value["spread"], offset_kji),
        score=float(value["score"]),
        uncertainty=float(value["uncertainty"]),
        impression=_impression(value["impression"]),
        reason=str(value["reason"]),
        device=str(value["device"]),
    )


def _put_mask(arrays: dict[str, Array], name: str, mask: Mask) -> dict[str, Any]:
    arrays[name] = np.packbits(mask.voxels, axis=None)
    return {"origin": list(mask.origin_kji), "shape": list(mask.voxels.shape)}


def _take_mask(
    arrays: Mapping[str, Array],
    name: str,
    head: Mapping[str, Any],
    offset_kji: tuple[int, int, int] = (0, 0, 0),
) -> Mask:
    shape = tuple(int(n) for n in head["shape"])
    count = int(np.prod(shape, dtype=np.int64))
    bits = np.unpackbits(np.asarray(arrays[name], dtype=np.uint8), count=count)
    return Mask(_moved(head["origin"], shape, offset_kji), bits.astype(np.bool_).reshape(shape))


def _put_heatmap(arrays: dict[str, Array], name: str, heatmap: Heatmap) -> dict[str, Any]:
    arrays[name] = heatmap.values
    return {"origin": list(heatmap.origin_kji), "meaning": heatmap.meaning}


def _take_heatmap(
    arrays: Mapping[str, Array],
    name: str,
    head: Mapping[str, Any],
    offset_kji: tuple[int, int, int] = (0, 0, 0),
) -> Heatmap:
    values = arrays[name].copy()
    return Heatmap(_moved(head["origin"], values.shape, offset_kji), values, head["meaning"])


def _moved(
    origin: Any, shape: tuple[int, ...], offset_kji: tuple[int, int, int]
) -> tuple[int, int, int]:
    k, j, i = _triple(origin, int)
    # What holds nothing lies nowhere: its origin stays as ``Mask.from_array`` writes it.
    if 0 in shape:
        return k, j, i
    return k + offset_kji[0], j + offset_kji[1], i + offset_kji[2]


def _impression_value(impression: Impression | None) -> list[float] | None:
    return None if impression is None else [impression.malignancy, impression.texture]


def _impression(value: Any) -> Impression | None:
    if value is None:
        return None
    malignancy, texture = value
    return Impression(float(malignancy), float(texture))


def _triple(values: Any, kind: type) -> tuple[Any, Any, Any]:
    a, b, c = (kind(v) for v in values)
    return a, b, c
