"""Several volumes in one place: times, echoes, diffusion weightings, parted by what tells them.

Asked only where images of one orientation lie at one place. A mark parts them when it leaves
fewer images at one place, and volumes rather than single slices.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resources.text import translate
from viewer.study import spacing
from viewer.study.series import FrameRef

Value = float | str | None
Members = npt.NDArray[np.intp]

# Slices moved sideways by less than this belong to one station; scanners move a table further.
_STATION_MM, _MOST_STATIONS = 1.0, 16
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
    whole
        Whether no two of them lie at one place.
    """

    refs: tuple[FrameRef, ...]
    keys: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    whole: bool = True


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
    parting = _Parting(list(refs))
    return parting.resolve(np.arange(len(refs)), list(_COLUMNS), _DEPTH)


# ------------------------------------------------------------------ what is asked


def _mark(name: str) -> Callable[[FrameRef], Value]:
    return lambda ref: next((value for key, value in ref.plane.marks if key == name), None)


def _acquisition(ref: FrameRef) -> Value:
    found = _mark("acquisition")(ref)
    return ref.instance.acquisition_number if found is None else found


def _file(ref: FrameRef) -> Value:
    """Several multi-frame images of one place; single-frame ones are all different."""
    return ref.instance.sop_instance_uid if ref.instance.n_frames > 1 else None


def _number(ref: FrameRef) -> tuple[int, int] | None:
    number = ref.instance.instance_number
    return None if number is None else (number, ref.frame)


_STATION, _TRIGGER, _FRAME = "station", "trigger_ms", "frame_ms"
# By how much they say: what a person calls a volume by comes first.
_COLUMNS: dict[str, Callable[[FrameRef], Value]] = {
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
    # Of all images together, see ``_stations``.
    _STATION: lambda ref: None,
}
# They differ from slice to slice too: equal values mean a volume only if all of it has them.
_OF_TIME = frozenset({_TRIGGER, _FRAME})


# ------------------------------------------------------------------------ parting


class _Parting:
    """Images that recur in places, and what was asked of them; members are their numbers."""

    def __init__(self, refs: list[FrameRef]) -> None:
        self._refs = refs
        self._sites = _sites(refs)
        self._asked: dict[str, list[Value]] = {}

    def resolve(self, members: Members, names: list[str], depth: int) -> list[Part]:
        sites = self._sites[members]
        now = _recurring(sites)
        if not now or now == len(members) - 1 or not depth:
            return [self._part(members)]
        hopeful: list[tuple[str, list[tuple[Value, Members]]]] = []
        for name in names:
            found = self._partition(members, name)
            if found is None:
                continue
            left = sum(_recurring(self._sites[some]) for _, some in found)
            if not left:
                return self._parted(name, found, [], 0)
            if left < now:
                hopeful.append((name, found))
        best: list[Part] | None = None
        for name, found in hopeful[:_TRIES]:
            others = [other for other in names if other != name]
            parted = self._parted(name, found, others, depth - 1)
            if all(part.whole for part in parted):
                return parted
            best = best or parted
        return self._ranked(members) or best or [self._part(members)]

    def _part(self, members: Members) -> Part:
        refs = tuple(self._refs[n] for n in members)
        return Part(refs, whole=not _recurring(self._sites[members]))

    def _values(self, name: str) -> list[Value]:
        if name not in self._asked:
            self._asked[name] = (
                _stations(self._refs)
                if name == _STATION
                else [_COLUMNS[name](ref) for ref in self._refs]
            )
        return self._asked[name]

    def _partition(self, members: Members, name: str) -> list[tuple[Value, Members]] | None:
        """Return the members by value of a mark, None when it makes no volumes of them."""
        values = self._values(name)
        groups: dict[Value, list[int]] = {}
        for n in members.tolist():
            groups.setdefault(values[n], []).append(n)
        if len(groups) < 2 or 2 * len(groups) > len(members):
            return None
        if name in _OF_TIME:
            full = len(np.unique(self._sites[members]))
            if any(len(some) != full for some in groups.values()):
                return None
        # Stable: words stay in the order of their files.
        ordered = sorted(groups.items(), key=lambda item: _rank(item[0]))
        return [(value, np.array(some)) for value, some in ordered]

    def _parted(
        self, name: str, found: list[tuple[Value, Members]], others: list[str], depth: int
    ) -> list[Part]:
        values = [value for value, _ in found]
        weighted = self._values("b")
        differ = len({weighted[n] for _, members in found for n in members.tolist()}) > 1
        made = []
        for n, (value, members) in enumerate(found):
            refs = [self._refs[member] for member in members]
            key, words = f"{name}={_slug(value)}", _words(name, value, values, n, refs)
            if name == "direction":
                words = _direction_words(value, _same("b", refs) if differ else None)
            made += [
                Part(part.refs, (key, *part.keys), (words, *part.names), part.whole)
                for part in self.resolve(members, others, depth)
            ]
        return made

    def _ranked(self, members: Members) -> list[Part] | None:
        """Part by rank within each place: the n-th time everywhere makes the n-th volume."""
        groups: dict[int, list[int]] = {}
        for n in members.tolist():
            groups.setdefault(int(self._sites[n]), []).append(n)
        count = len(groups[int(self._sites[members[0]])])
        if any(len(group) != count for group in groups.values()):
            return None
        ways: tuple[tuple[str, Callable[[FrameRef], Any], int], ...] = (
            (_TRIGGER, _mark(_TRIGGER), 2),
            (_FRAME, _mark(_FRAME), 2),
            ("number", _number, _FEWEST_BY_NUMBER),
        )
        for name, value_of, fewest in ways:
            values = {n: value_of(self._refs[n]) for n in members.tolist()}
            told = all(len({values[n] for n in some}) == count for some in groups.values())
            if count < fewest or None in values.values() or not told:
                continue
            ranked = [sorted(group, key=values.__getitem__) for group in groups.values()]
            return [
                Part(
                    tuple(self._refs[n] for n in sorted(group[rank] for group in ranked)),
                    (f"{name}-rank={rank + 1}",),
                    (_rank_words(name, rank + 1),),
                )
                for rank in range(count)
            ]
        return None


def _sites(refs: Sequence[FrameRef]) -> Members:
    """Return a number for the place of each image along its normal; at one place it is one."""
    depths = spacing.depths_mm([ref.plane for ref in refs])
    order = np.argsort(depths, kind="stable")
    steps = np.diff(depths[order], prepend=depths[order[0]])
    found = np.empty(len(refs), dtype=np.intp)
    found[order] = np.cumsum(steps >= spacing.SAME_PLACE_MM)
    return found


def _recurring(sites: Members) -> int:
    """Return how many images lie where another one does."""
    return len(sites) - len(np.unique(sites))


def _rank(value: Value) -> tuple[int, float]:
    if value is None:
        return 0, 0.0
    return (2, 0.0) if isinstance(value, str) else (1, value)


def _stations(refs: Sequence[FrameRef]) -> list[Value]:
    """Return by how much the stack of each image lies beside the others, in whole mm."""
    normal = spacing.normal_lps(refs[0].plane)
    positions = np.array([ref.plane.position_lps_mm for ref in refs], dtype=np.float64)
    aside = positions - np.outer(positions @ normal, normal)
    left, found = np.ones(len(refs), dtype=bool), np.empty(len(refs), dtype=object)
    for _ in range(_MOST_STATIONS):
        if not left.any():
            return list(found)
        one = aside[left.argmax()]
        here = left & (np.abs(aside - one).max(axis=1) <= _STATION_MM)
        found[here] = " ".join(f"{round(x)}" for x in one + 0.0)
        left &= ~here
    # So many are no stations but a tilt.
    return [None] * len(refs)


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
    if value is None or value == "":
        return translate("study", "unmarked")
    if name == "direction":
        return _direction_words(value, None)
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


def _direction_words(value: Value, weighting: Value) -> str:
    """Name a gradient direction, and the weighting where the volumes differ in it."""
    told = [_number_words("b", weighting)] if isinstance(weighting, float) else []
    if value is not None:
        told.append(translate("study", "direction ({vector})").format(vector=value))
    return ", ".join(told) or translate("study", "unmarked")


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
