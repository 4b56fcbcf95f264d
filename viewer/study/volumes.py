"""From the images of one series to the volumes that are in it, each with a name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from resources.text import translate
from viewer.study import recurring, spacing
from viewer.study.series import FrameRef

UNSPLIT = "unsplit"
"""How the part of a volume begins that was kept together against the splitting."""

# So many single images, each turned another way, are a turning series and no volumes.
_MOST_SINGLES = 3
# Gathering compares with each group: beyond so many of one size, images are turned ones too.
_MAX_GROUPS = 256
# Directions are rounded to so many digits before they name a volume: finer than what parts two.
_DIGITS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The images of one volume.

    Attributes
    ----------
    refs
        In the order of their files.
    name
        What tells the volume from the others of its series, translated; empty when it is alone.
    part
        The same as stable ASCII that says nothing of the patient; empty when it is alone.
    unsorted
        True when the images are to stay in the order of their files.
    """

    refs: tuple[FrameRef, ...]
    name: str = ""
    part: str = ""
    unsorted: bool = False


@dataclass(slots=True, eq=False)
class _Stack:
    """Images that could lie in one stack by size, place, direction and spacing."""

    refs: list[FrameRef] = field(default_factory=list)
    turned: bool = False
    room: str = ""
    number: str = ""

    @property
    def first(self) -> FrameRef:
        return self.refs[0]


def split(frames: Sequence[FrameRef]) -> list[Group]:
    """Split the images of a series into volumes; each image is in exactly one.

    Parameters
    ----------
    frames
        In the order of their files.

    Returns
    -------
    list of Group
        Those of different size, direction, pixel spacing or Stack ID in the order of their
        first files; times, echoes and their like by value.
    """
    found: list[tuple[_Stack, recurring.Part]] = []
    stacks = _stacks(frames)
    for stack in stacks:
        one_way = spacing.is_placed(stack.first.plane) and not stack.turned
        parts = recurring.parts(stack.refs) if one_way else [recurring.Part(tuple(stack.refs))]
        found += [(stack, part) for part in parts]
    if len(found) == 1:
        return [Group(found[0][1].refs, unsorted=stacks[0].turned)]
    told = dict(zip(map(id, stacks), _stack_names(stacks), strict=True))
    names = _distinct([", ".join((*told[id(stack)], *part.names)) for stack, part in found])
    keys = [";".join((_stack_key(stack), *part.keys)) for stack, part in found]
    # Never two alike: work that was saved for one would be opened with the other.
    first = {key: n for n, key in reversed(list(enumerate(keys)))}
    keys = [key if first[key] == n else f"{key};{n}" for n, key in enumerate(keys)]
    return [
        Group(part.refs, name, key, unsorted=stack.turned)
        for (stack, part), name, key in zip(found, names, keys, strict=True)
    ]


def whole(frames: Sequence[FrameRef]) -> list[Group]:
    """Keep the images of a series together: one group for each size and kind of pixel."""
    kinds: dict[Hashable, list[FrameRef]] = {}
    for ref in frames:
        kinds.setdefault(_pixels(ref), []).append(ref)
    said = translate("study", "not split")
    if len(kinds) == 1:
        return [Group(tuple(frames), said, UNSPLIT, unsorted=True)]
    names = _distinct([f"{said}, {_size(refs[0])}" for refs in kinds.values()])
    return [
        Group(tuple(refs), name, f"{UNSPLIT}-{_digest(kind)}", unsorted=True)
        for (kind, refs), name in zip(kinds.items(), names, strict=True)
    ]


# ---------------------------------------------------------------------- gathering


def _stacks(frames: Sequence[FrameRef]) -> list[_Stack]:
    """Gather images that could lie in one stack, in the order of their first files."""
    kinds: dict[tuple[Hashable, bool, str, str], list[FrameRef]] = {}
    rooms = _telling([_room(ref) for ref in frames])
    stacks = _telling([ref.plane.stack for ref in frames])
    for ref, room, stack in zip(frames, rooms, stacks, strict=True):
        kinds.setdefault((_pixels(ref), spacing.is_placed(ref.plane), room, stack), []).append(ref)
    number = {id(ref): n for n, ref in enumerate(frames)}
    found = []
    for (_, _, room, stack), refs in kinds.items():
        for one in _directions(refs):
            one.room, one.number = room, stack
            found.append(one)
    return sorted(found, key=lambda stack: number[id(stack.first)])


def _pixels(ref: FrameRef) -> tuple[Hashable, ...]:
    of = ref.instance
    return of.rows, of.columns, of.samples_per_pixel, of.photometric, of.bits_allocated


def _room(ref: FrameRef) -> str:
    """Return what positions are relative to; of images without, each film is one of its own."""
    if spacing.is_placed(ref.plane):
        return ref.instance.frame_of_reference_uid
    return ref.instance.sop_instance_uid if ref.instance.n_frames > 1 else ""


def _telling(found: list[str]) -> list[str]:
    """Return the identifiers, none where single images have one of their own.

    Some programs that take names out of a study give each file a frame of reference.
    """
    counted = Counter(found)
    singles = sum(count == 1 for count in counted.values())
    alone = singles > _MOST_SINGLES or singles == len(counted)
    return [""] * len(found) if alone else found


def _directions(refs: list[FrameRef]) -> list[_Stack]:
    """Gather images of one size by direction and spacing; single ones that turn are together."""
    found: list[_Stack] = []
    rest = _Stack(turned=True)
    # Most images have exactly the directions of another.
    homes: dict[Hashable, _Stack] = {}
    for ref in refs:
        plane = ref.plane
        exact = plane.row_lps, plane.column_lps, plane.spacing_mm
        home = homes.get(exact)
        if home is None:
            home = next((stack for stack in reversed(found) if _alike(stack.first, ref)), None)
        if home is None:
            home = _Stack() if len(found) < _MAX_GROUPS else rest
            if home is not rest:
                found.append(home)
        homes[exact] = home
        home.refs.append(ref)
    singles = [stack for stack in found if len(stack.refs) == 1]
    if len(singles) > _MOST_SINGLES and spacing.is_placed(refs[0].plane):
        chosen = {id(stack) for stack in singles}
        together = {id(ref) for stack in (*singles, rest) for ref in stack.refs}
        rest = _Stack([ref for ref in refs if id(ref) in together], turned=True)
        found = [stack for stack in found if id(stack) not in chosen]
    return [*found, rest] if rest.refs else found


def _alike(a: FrameRef, b: FrameRef) -> bool:
    if not spacing.same_spacing(a.plane, b.plane):
        return False
    return not spacing.is_placed(a.plane) or spacing.parallel(a.plane, b.plane)


# ------------------------------------------------------------------------- naming


def plane_name(ref: FrameRef) -> str:
    """Return ``"axial"``, ``"coronal"`` or ``"sagittal"``, whichever is nearest, translated."""
    return (
        translate("study", "sagittal"),
        translate("study", "coronal"),
        translate("study", "axial"),
    )[_axis(ref)]


def _axis(ref: FrameRef) -> int:
    return int(np.abs(spacing.normal_lps(ref.plane)).argmax())


def _stack_names(stacks: Sequence[_Stack]) -> list[tuple[str, ...]]:
    """Name stacks by as few of their properties as tell them apart."""
    names: list[tuple[str, ...]] = [()] * len(stacks)
    rooms = {room: n for n, room in enumerate(dict.fromkeys(stack.room for stack in stacks), 1)}
    labels = (_direction_name, _stack_name, _size_name, _spacing_name, _kind_name, _code_name)
    for label in labels:
        names = _longer(names, [label(stack) for stack in stacks])
    return _longer(names, [_room_name(stack, rooms) for stack in stacks])


def _longer(names: list[tuple[str, ...]], more: list[str]) -> list[tuple[str, ...]]:
    longer = [(*name, word) if word else name for name, word in zip(names, more, strict=True)]
    return longer if len(set(longer)) > len(set(names)) else names


def _direction_name(stack: _Stack) -> str:
    if stack.turned:
        return translate("study", "turning")
    if not spacing.is_placed(stack.first.plane):
        return translate("study", "without position")
    return plane_name(stack.first)


def _stack_name(stack: _Stack) -> str:
    return translate("study", "stack {name}").format(name=stack.number) if stack.number else ""


def _size(ref: FrameRef) -> str:
    return f"{ref.instance.columns} x {ref.instance.rows}"


def _size_name(stack: _Stack) -> str:
    return _size(stack.first)


def _spacing_name(stack: _Stack) -> str:
    found = stack.first.plane.spacing_mm
    if found is None:
        return translate("study", "without pixel size")
    return translate("study", "pixels of {mm} mm").format(mm=f"{found[1]:.4g}")


def _kind_name(stack: _Stack) -> str:
    of = stack.first.instance
    if of.samples_per_pixel > 1 or of.photometric == "PALETTE COLOR":
        return translate("study", "colour")
    return translate("study", "{bits} bits").format(bits=of.bits_allocated)


def _code_name(stack: _Stack) -> str:
    return stack.first.instance.photometric[:16]


def _room_name(stack: _Stack, rooms: Mapping[str, int]) -> str:
    number = rooms[stack.room]
    if spacing.is_placed(stack.first.plane):
        return translate("study", "frame of reference {number}").format(number=number)
    return translate("study", "film {number}").format(number=number)


def _distinct(names: list[str]) -> list[str]:
    """Return the names with a number behind those that recur."""
    names = [name or translate("study", "volume") for name in names]
    counted, seen = Counter(names), Counter[str]()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} {seen[name]}" if counted[name] > 1 else name)
    return found


def _stack_key(stack: _Stack) -> str:
    """Return what holds of this stack alone, whichever other files the series has."""
    ref, plane = stack.first, stack.first.plane
    kind, where = "turning" if stack.turned else "unplaced", tuple[float, ...]()
    if spacing.is_placed(plane) and not stack.turned:
        assert plane.row_lps is not None and plane.column_lps is not None  # placed
        kind = ("sagittal", "coronal", "axial")[_axis(ref)]
        # Adding 0 turns a minus zero into a zero.
        where = tuple(round(x, _DIGITS) + 0.0 for x in plane.row_lps + plane.column_lps)
    size = None if plane.spacing_mm is None else [f"{mm:.6g}" for mm in plane.spacing_mm]
    return f"{kind}-{_digest((_pixels(ref), stack.room, stack.number, where, size))}"


def _digest(of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()[:10]
