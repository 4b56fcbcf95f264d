"""Several volumes in one place: times, echoes, diffusion weightings, parted by what tells them.

Asked only where images of one orientation lie at one place. A mark parts them when it leaves
fewer images at one place, and volumes rather than single slices.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resources.text import translate
from viewer.study import spacing
from viewer.study.series import FrameRef

Value = float | str | None
Sites = npt.NDArray[np.intp]

# Slices moved sideways by less than this belong to one station; scanners move a table further.
_STATION_MM = 1.0
# How many marks are combined, and how many are tried for each: two suffice for what is made.
_DEPTH, _TRIES = 3, 3
# Two images a place, told apart by nothing but their numbers, may be copies; three are not.
_FEWEST_BY_NUMBER = 3


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Images that make one volume of those at one place.

    Attributes
    ----------
    keys
        Stable ASCII identifiers such as ``"echo=2"``; empty when nothing was parted.
    names
        The same in words, translated.
    """

    refs: tuple[FrameRef, ...]
    keys: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def parts(refs: Sequence[FrameRef]) -> list[Part]:
    """Part placed images of one orientation, size and spacing into volumes.

    Parameters
    ----------
    refs
        In the order of their files.

    Returns
    -------
    list of Part
        In the order of their values; one, with all images, when no image lies where another
        does or nothing tells them apart.
    """
    return _resolve(list(refs), _sites(refs), list(_MARKS), _DEPTH)


# ------------------------------------------------------------------ what is asked


def _mark(name: str) -> Callable[[FrameRef], Value]:
    return lambda ref: next((value for key, value in ref.plane.marks if key == name), None)


def _acquisition(ref: FrameRef) -> Value:
    found = _mark("acquisition")(ref)
    return ref.instance.acquisition_number if found is None else found


def _file(ref: FrameRef) -> Value:
    """Several multi-frame images of one place; single-frame ones are all different."""
    return ref.instance.sop_instance_uid if ref.instance.n_frames > 1 else None


_STATION, _TRIGGER, _FRAME = "station", "trigger_ms", "frame_ms"
# By how much they say: what a person calls a volume by comes first.
_MARKS: dict[str, Callable[[FrameRef], Value]] = {
    "time": _mark("time"),
    "type": _mark("type"),
    "component": _mark("component"),
    "echo": _mark("echo"),
    "echo_ms": _mark("echo_ms"),
    "b": _mark("b"),
    "inversion_ms": _mark("inversion_ms"),
    "flip_degrees": _mark("flip_degrees"),
    "kv": _mark("kv"),
    "image_type": lambda ref: "\\".join(ref.instance.image_type),
    "acquisition": _acquisition,
    "direction": _mark("direction"),
    _TRIGGER: _mark(_TRIGGER),
    _FRAME: _mark(_FRAME),
    "file": _file,
    _STATION: lambda ref: None,
}
# They differ from slice to slice too: equal values mean a volume only if all of it has them.
_OF_TIME = frozenset({_TRIGGER, _FRAME})


# ------------------------------------------------------------------------ parting


def _sites(refs: Sequence[FrameRef]) -> Sites:
    """Return a number for the place of each image along its normal; at one place it is one."""
    depths = spacing.depths_mm([ref.plane for ref in refs])
    order = np.argsort(depths, kind="stable")
    steps = np.diff(depths[order], prepend=depths[order[0]])
    found = np.empty(len(refs), dtype=np.intp)
    found[order] = np.cumsum(steps >= spacing.SAME_PLACE_MM)
    return found


def _recurring(sites: Sites) -> int:
    """Return how many images lie where another one does."""
    return len(sites) - len(np.unique(sites))


def _resolve(refs: list[FrameRef], sites: Sites, names: list[str], depth: int) -> list[Part]:
    now = _recurring(sites)
    if not now or len(np.unique(sites)) < 2 or not depth:
        return [Part(tuple(refs))]
    hopeful: list[tuple[int, str, list[tuple[Value, list[int]]]]] = []
    for name in names:
        found = _partition(refs, sites, name)
        if found is None:
            continue
        left = sum(_recurring(sites[members]) for _, members in found)
        if not left:
            return _parted(refs, sites, name, found, [], 0)
        if left < now:
            hopeful.append((left, name, found))
    best: list[Part] | None = None
    for _, name, found in hopeful[:_TRIES]:
        others = [other for other in names if other != name]
        parted = _parted(refs, sites, name, found, others, depth - 1)
        if not any(_recurring(_sites(part.refs)) for part in parted):
            return parted
        best = best or parted
    return _ranked(refs, sites) or best or [Part(tuple(refs))]


def _partition(
    refs: list[FrameRef], sites: Sites, name: str
) -> list[tuple[Value, list[int]]] | None:
    """Return the images by value of a mark, None when it makes no volumes of them."""
    values = _stations(refs) if name == _STATION else [_MARKS[name](ref) for ref in refs]
    groups: dict[Value, list[int]] = {}
    for n, value in enumerate(values):
        groups.setdefault(value, []).append(n)
    if len(groups) < 2 or 2 * len(groups) > len(refs):
        return None
    if name in _OF_TIME:
        full = len(np.unique(sites))
        if any(len(members) != full for members in groups.values()):
            return None
    # Stable: words stay in the order of their files.
    return sorted(groups.items(), key=lambda item: _rank(item[0]))


def _rank(value: Value) -> tuple[int, float]:
    if value is None:
        return 0, 0.0
    return (2, 0.0) if isinstance(value, str) else (1, value)


def _parted(
    refs: list[FrameRef],
    sites: Sites,
    name: str,
    found: list[tuple[Value, list[int]]],
    others: list[str],
    depth: int,
) -> list[Part]:
    values = [value for value, _ in found]
    made = []
    for n, (value, members) in enumerate(found):
        some = [refs[member] for member in members]
        key, words = f"{name}={_slug(value)}", _words(name, value, values, n, some)
        for part in _resolve(some, sites[members], others, depth):
            made.append(Part(part.refs, (key, *part.keys), (words, *part.names)))
    return made


def _stations(refs: list[FrameRef]) -> list[Value]:
    """Return by how much the stack of each image lies beside the others, in whole mm."""
    normal = spacing.normal_lps(refs[0].plane)
    seen: list[npt.NDArray[np.float64]] = []
    found: list[Value] = []
    for ref in refs:
        position = np.asarray(ref.plane.position_lps_mm)
        aside = position - normal * (position @ normal)
        near = (n for n, one in enumerate(seen) if np.abs(one - aside).max() <= _STATION_MM)
        home = next(near, None)
        if home is None:
            # More than this is no station but a tilt.
            if len(seen) == 16:
                return [None] * len(refs)
            seen.append(aside)
            home = len(seen) - 1
        found.append(" ".join(f"{round(x)}" for x in seen[home] + 0.0))
    return found


def _ranked(refs: list[FrameRef], sites: Sites) -> list[Part] | None:
    """Part by rank within each place: the n-th time everywhere makes the n-th volume."""
    groups: list[list[int]] = [[] for _ in range(int(sites.max()) + 1)]
    for n, site in enumerate(sites):
        groups[int(site)].append(n)
    groups = [group for group in groups if group]
    count = len(groups[0])
    if any(len(group) != count for group in groups):
        return None
    ways: tuple[tuple[str, Callable[[FrameRef], Hashable], int], ...] = (
        (_TRIGGER, _mark(_TRIGGER), 2),
        (_FRAME, _mark(_FRAME), 2),
        ("number", _number, _FEWEST_BY_NUMBER),
    )
    for name, value_of, fewest in ways:
        if count < fewest:
            continue
        values = [value_of(ref) for ref in refs]
        if None in values or any(len({values[n] for n in g}) < count for g in groups):
            continue
        ranked = [sorted(group, key=lambda n: values[n]) for group in groups]  # type: ignore[arg-type, return-value]
        return [
            Part(
                tuple(refs[n] for n in sorted(group[rank] for group in ranked)),
                (f"{name}-rank={rank + 1}",),
                (_rank_words(name, rank + 1),),
            )
            for rank in range(count)
        ]
    return None


def _number(ref: FrameRef) -> tuple[int, int] | None:
    number = ref.instance.instance_number
    return None if number is None else (number, ref.frame)


# ------------------------------------------------------------------------- naming


def _slug(value: Value) -> str:
    """Return a value as short ASCII that stands for it alone."""
    if value is None:
        return "none"
    if not isinstance(value, str):
        return f"{value:.9g}"
    if len(value) <= 48 and re.fullmatch(r"[A-Za-z0-9_.+\- ,\\]+", value):
        return re.sub(r"[ ,\\]+", "_", value)
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def _words(
    name: str, value: Value, values: list[Value], rank: int, refs: Sequence[FrameRef]
) -> str:
    if name == "direction":
        weighting = _same("b", refs)
        told = [_number_words("b", weighting)] if isinstance(weighting, float) else []
        if value is not None:
            told.append(translate("study", "direction ({vector})").format(vector=value))
        return ", ".join(told) or translate("study", "unmarked")
    if value is None or value == "":
        return translate("study", "unmarked")
    if name in ("type", "image_type"):
        return _type_words(str(value), [str(other or "") for other in values])
    if name == "component":
        return _kind_word(str(value))
    if name == "file":
        return translate("study", "file {number}").format(number=rank + 1)
    if name == _STATION:
        return translate("study", "station {number}").format(number=rank + 1)
    assert not isinstance(value, str)
    said = _number_words(name, value)
    beside = {"echo": "echo_ms", "time": _TRIGGER}.get(name)
    extra = _same(beside, refs) if beside else None
    return f"{said}, {extra:.6g} ms" if isinstance(extra, float) else said


def _same(name: str, refs: Sequence[FrameRef]) -> Value:
    """Return the value of a mark that all images have, None when they differ."""
    found = {_mark(name)(ref) for ref in refs}
    return found.pop() if len(found) == 1 else None


def _number_words(name: str, value: float) -> str:
    source = {
        "time": translate("study", "time {value}"),
        "echo": translate("study", "echo {value}"),
        "echo_ms": translate("study", "echo time {value} ms"),
        "b": translate("study", "b {value}"),
        "inversion_ms": translate("study", "inversion time {value} ms"),
        "flip_degrees": translate("study", "flip angle {value} degrees"),
        "kv": translate("study", "{value} kV"),
        "acquisition": translate("study", "acquisition {value}"),
        _TRIGGER: translate("study", "{value} ms after the trigger"),
        _FRAME: translate("study", "{value} ms after the start"),
    }[name]
    return source.format(value=f"{value:.6g}")


def _rank_words(name: str, rank: int) -> str:
    if name == "number":
        return translate("study", "set {number} by image number").format(number=rank)
    return translate("study", "time {value}").format(value=rank)


def _type_words(value: str, values: list[str]) -> str:
    """Return those parts of an image type that not all of the volumes share."""
    shared = set.intersection(*(set(other.split("\\")) for other in values))
    own = [part for part in value.split("\\") if part and part not in shared]
    return ", ".join(dict.fromkeys(_kind_word(part) for part in own)) or _kind_word(
        value.split("\\")[-1]
    )


def _kind_word(code: str) -> str:
    """Return a code of Image Type or Complex Image Component in words, else as it stands."""
    return {
        "M": translate("study", "magnitude"),
        "MAGNITUDE": translate("study", "magnitude"),
        "P": translate("study", "phase"),
        "PHASE": translate("study", "phase"),
        "PHASE MAP": translate("study", "phase"),
        "R": translate("study", "real part"),
        "REAL": translate("study", "real part"),
        "I": translate("study", "imaginary part"),
        "IMAGINARY": translate("study", "imaginary part"),
        "FIELD_MAP": translate("study", "field map"),
        "ADC": translate("study", "diffusion coefficient"),
        "WATER": translate("study", "water"),
        "FAT": translate("study", "fat"),
    }.get(code, code)
