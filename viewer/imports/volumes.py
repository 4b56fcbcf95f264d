"""Reading label maps of research formats: NIfTI, NRRD (also Slicer's ``.seg.nrrd``), MetaImage.

They are read by ``viewer.study``, whose header checks and bounds hold here too. They name no
patient and no frame of reference: only their grid can say that they belong onto a series.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine
from resources import table
from viewer.annotate.mask import empty_mask
from viewer.imports.gathering import Gathering, add_labels, room_left
from viewer.imports.held import (
    MOST_OUTLINES,
    Coded,
    HeldFile,
    HeldOutline,
    Kind,
    Misfit,
    Said,
    short,
)
from viewer.imports.target import Target, same_grid
from viewer.study import grid, sources
from viewer.study.header import Unusable
from viewer.study.series import InstanceHeader
from viewer.study.spool import Spool
from viewer.tools.carry_over import carried_over

_KINDS: dict[str, Kind] = {"nifti": "NIfTI", "nrrd": "NRRD", "metaimage": "MetaImage"}
_MOST_VALUE = 65535
_MOST_VOXELS = 1 << 30
_MOST_SIDECAR = 8 << 20
_SEGMENT = re.compile(r"Segment(\d{1,4})_(Name|LabelValue|Layer|Color)")

Report = Callable[[int, int], None]
Labels = npt.NDArray[np.uint16]
Key = tuple[int, int]  # layer and value


def read(path: Path, target: Target, report: Report | None = None) -> HeldFile | None:
    """Read one label map; None when the file is of no such format. See ``seg.read``."""
    try:
        instance = sources.read(sources.Source(path, path)).instance
    except Unusable:
        return None
    if instance.file_format not in _KINDS:
        return None
    found = HeldFile(path.name, _KINDS[instance.file_format], uid=_digest(path))
    try:
        affine = _affine(instance)
        layers = _layers(instance, report)
        outlines, cautions = _outlines(layers, affine, _names(path, instance.file_format), target)
    except Misfit as misfit:
        return replace(found, refusal=misfit.said)
    return replace(found, cautions=cautions, outlines=outlines)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _affine(instance: InstanceHeader) -> Affine:
    """Return (4, 4), (k, j, i, 1) to LPS mm."""
    kept = instance.keeper
    about = kept.about if isinstance(kept, Spool) else None
    if not isinstance(about, grid.Grid) or about.affine is None or about.colour:
        raise Misfit("no-place")
    if abs(np.linalg.det(about.affine[:3, :3])) < 1e-9 or not np.isfinite(about.affine).all():
        raise Misfit("no-place")
    return np.asarray(about.affine[:, [2, 1, 0, 3]], dtype=np.float64)


def _layers(instance: InstanceHeader, report: Report | None) -> list[Labels]:
    """Return the stacks of a file, (k, j, i) whole numbers each."""
    kept: Any = instance.keeper
    about = kept.about
    slices, count = about.size_ijk[2], about.n_volumes
    columns, rows, _ = about.size_ijk
    if slices * rows * columns * count > _MOST_VOXELS:
        raise Misfit("too-large")
    slope, intercept = about.slope, about.intercept
    layers = []
    for volume in range(count):
        out = np.empty((slices, rows, columns), dtype=np.uint16)
        for k in range(slices):
            (plane,) = sources.frames(instance, [volume * slices + k])
            out[k] = _whole(plane, slope, intercept)
            if report is not None and k % 16 == 0:
                report(volume * slices + k, slices * count)
        layers.append(out)
    return layers


def _whole(plane: npt.NDArray[Any], slope: float, intercept: float) -> npt.NDArray[Any]:
    values = plane if (slope, intercept) == (1.0, 0.0) else plane * slope + intercept
    if values.dtype.kind == "f":
        rounded = np.rint(values)
        if np.abs(values - rounded).max() > 1e-3:
            raise Misfit("not-labels")
        values = rounded
    if values.min() < 0 or values.max() > _MOST_VALUE:
        raise Misfit("not-labels")
    return values


def _outlines(
    layers: list[Labels], affine: Affine, named: Mapping[Key, HeldOutline], target: Target
) -> tuple[tuple[HeldOutline, ...], tuple[Said, ...]]:
    counts = [np.bincount(layer.reshape(-1), minlength=1) for layer in layers]
    keys = [(n, int(v)) for n, some in enumerate(counts) for v in np.flatnonzero(some) if v]
    if not keys:
        raise Misfit("nothing")
    if len(keys) > min(MOST_OUTLINES, 1000):
        raise Misfit("not-labels")
    turned = [_turned(layer, affine, target) for layer in layers]
    straight = [layer for layer in turned if layer is not None]
    gathered = {key: Gathering() for key in keys}
    for n, layer in enumerate(straight or layers):
        mine = {value: gathered[n, value] for at, value in keys if at == n}
        for k, plane in enumerate(layer):
            add_labels(mine, k, plane)
    room_left(gathered.values())
    found = []
    for number, key in enumerate(keys, start=1):
        mask = gathered[key].mask()
        notes: tuple[Said, ...] = ()
        if not straight:
            mask, notes = _carried(gathered[key], affine, target)
        value = key[1] if len(layers) == 1 else number
        said = named.get(key, HeldOutline(value, "", anatomy=True))
        name = said.name or str(key[1])
        found.append(replace(said, number=value, name=name, mask=mask, notes=notes))
    if not straight and not any(one.mask.voxels.size for one in found):
        raise Misfit("elsewhere")
    return tuple(found), () if straight else (("other-grid",), ("no-frame-file",))


def _carried(one: Gathering, affine: Affine, target: Target) -> tuple[Any, tuple[Said, ...]]:
    carried, cut = carried_over(one.mask(), affine, target.affine, target.shape_kji)
    if not carried.voxels.size:
        return empty_mask(), (("outside",),)
    return carried, (("cut-off",),) if cut else ()


def _turned(layer: Labels, affine: Affine, target: Target) -> Labels | None:
    """Return the voxels in the order of the series when they are the same ones; else None."""
    across = np.linalg.inv(target.affine[:3, :3]) @ affine[:3, :3]
    order = np.abs(across).argmax(axis=1)
    if sorted(order) != [0, 1, 2]:
        return None
    # Axis n of the series is axis order[n] of the file, maybe run through backwards.
    flips = [bool(across[n, order[n]] < 0) for n in range(3)]
    out = layer.transpose(order)
    place = affine.copy()
    place[:3, :3] = affine[:3, :3][:, order]
    for axis, flipped in enumerate(flips):
        if flipped:
            out = np.flip(out, axis)
            place[:3, 3] += place[:3, axis] * (out.shape[axis] - 1)
            place[:3, axis] *= -1
    k, j, i = out.shape
    return out if same_grid(place, (k, j, i), target) else None


# ------------------------------------------------------------------------------- names


def _names(path: Path, file_format: str) -> Mapping[Key, HeldOutline]:
    """Return names by layer and value: of Slicer's header, else of a file beside."""
    if file_format == "nrrd":
        found = _slicer_names(path)
        if found:
            return found
    return _beside(path)


def _slicer_names(path: Path) -> Mapping[Key, HeldOutline]:
    import nrrd  # type: ignore[import-untyped]

    with path.open("rb") as stream:
        raw = stream.read(grid.MAX_HEADER_BYTES)
    ends = [at + 2 for at in (raw.find(b"\n\n"), raw.find(b"\r\n\r\n")) if at >= 0]
    try:
        head = nrrd.read_header(io.BytesIO(raw[: min(ends, default=len(raw))]))
    except Exception:
        return {}
    told: dict[str, dict[str, str]] = {}
    for key, value in head.items():
        if match := _SEGMENT.fullmatch(str(key)):
            told.setdefault(match.group(1), {})[match.group(2)] = str(value)
    found: dict[Key, HeldOutline] = {}
    for one in told.values():
        try:
            key = int(one.get("Layer", 0)), int(one["LabelValue"])
        except (KeyError, ValueError):
            continue
        found[key] = HeldOutline(
            key[1], short(one.get("Name")), colour=_rgb(one.get("Color", "")), anatomy=True
        )
    return found


def _rgb(text: str) -> str:
    try:
        parts = [round(float(part) * 255) for part in text.split()]
    except ValueError:
        return ""
    good = len(parts) == 3 and all(0 <= part <= 255 for part in parts)
    return "#{:02X}{:02X}{:02X}".format(*parts) if good else ""


def _beside(path: Path) -> Mapping[Key, HeldOutline]:
    """Return what an export of Overread, or nnU-Net's ``dataset.json``, says beside the file."""
    for file in (path.parent / "findings.json", path.parent.parent / "dataset.json"):
        try:
            if not file.is_file() or file.stat().st_size > _MOST_SIDECAR:
                continue
            said = json.loads(file.read_text(encoding="utf-8"))
            own = said.get("format") == "overread-findings"
            told = _of_overread(said, path.name) if own else _of_nnunet(said)
        except (OSError, ValueError, RecursionError, TypeError, AttributeError, KeyError):
            continue  # names are a help and nothing more
        return {(0, one.number): one for one in told}
    return {}


def _of_overread(said: Any, name: str) -> list[HeldOutline]:
    """Return names, labels and verdicts of ``findings.json``."""
    known = table("labels")
    found = []
    for group, anatomy in (("segments", True), ("lesions", False)):
        for one in said[group]:
            if one["file"] != name or one["label_value"] is None:
                continue
            term = known.get(str(one["label"]), {})
            numbered = "" if anatomy else f" {int(one['number'])}"
            found.append(
                HeldOutline(
                    int(one["label_value"]),
                    short(term.get("name", one["label"])) + numbered,
                    _coded(term, "category"),
                    _coded(term, "type"),
                    _coded(term, "region"),
                    str(term.get("colour", "")),
                    anatomy,
                    origin=short(one["origin"], 16),
                    verdict=short(one.get("verdict"), 16),
                    reason=short(one.get("reason"), 16),
                    reader=short(one.get("reader")),
                    utc=short(one.get("verdict_utc"), 32),
                )
            )
    return found


def _coded(term: Mapping[str, Any], field: str) -> Coded | None:
    if field not in term:
        return None
    value, scheme, meaning = term[field]
    return value, scheme, meaning


def _of_nnunet(said: Any) -> list[HeldOutline]:
    return [
        HeldOutline(value, short(name), anatomy=True)
        for name, value in said["labels"].items()
        if isinstance(value, int) and value > 0
    ]
