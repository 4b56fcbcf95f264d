"""What a training run is told: a JSON file with a closed vocabulary, kept in the pack as run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from resources import path as bundled
from resources.problem import Problem

FILE = "recipe.json"
MODELS = ("lung-nodule",)
SPLIT_RULES = ("sha256-of-patient-80-10-10",)
# Each has its function in ``fit.CALIBRATE``.
POLICIES = ("validation", "fixed")
WEIGHTS = ("float16", "float32")
# What a CUDA device changes, where more capacity and more epochs can be had.
SCALED = ("heatmap", "outliner")
KINDS = ("crop", "beyond", "paste", "vessel", "lung")

T = TypeVar("T")
_Read = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class Course:
    """How one net is trained.

    Attributes
    ----------
    steps, batch
        How many optimiser steps, and windows in each; 0 steps leave the net out.
    widths
        Channels of each level of the net, the finest first.
    rate, weight_decay
        Peak of the learning rate, and decay, of AdamW.
    average
        How slowly the running average of the weights follows, see ``checkpoint.State.blend``.
    """

    steps: int
    batch: int
    widths: tuple[int, ...]
    rate: float
    weight_decay: float
    average: float


@dataclass(frozen=True, slots=True)
class Mix:
    """What the windows of the outliner show, see ``windows.Windows``.

    Attributes
    ----------
    crop, beyond, paste, vessel, lung
        Share of each kind of window; together 1.
    first_look
        Share of all windows at the scale of the first look.
    few_readers
        How often a nodule of one or two readers is drawn, for one time of any other.
    """

    crop: float = 0.33
    beyond: float = 0.2
    paste: float = 0.17
    vessel: float = 0.2
    lung: float = 0.1
    first_look: float = 0.3
    few_readers: float = 0.5

    @property
    def kinds(self) -> dict[str, float]:
        """Share of each kind of window."""
        return {name: getattr(self, name) for name in KINDS}


@dataclass(frozen=True, slots=True)
class Refine:
    """A further course of the outliner, from what the one before ended in.

    ``rate`` and ``average`` as in ``Course``, ``windows`` as in ``Recipe``.
    """

    steps: int
    rate: float
    average: float
    windows: Mix


@dataclass(frozen=True, slots=True)
class Data:
    """How the data are parted: the rule of ``data.split_of``, and scans kept out of training."""

    split: str
    lungs_kept_for_validation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mining:
    """Candidates that no reader outlined become places for the outliner to refuse.

    Attributes
    ----------
    peak
        Heat that a candidate must reach.
    share
        Of the windows without a nodule, how many show such a place.
    from_step
        Of the outliner, from which on they are shown.
    """

    peak: float
    share: float
    from_step: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """How the default score is chosen: one of ``POLICIES``, with its value.

    ``validation``: by the validation patients, see ``calibrate``; not below the value.
    ``fixed``: the value is the score.
    """

    policy: str
    value: float


@dataclass(frozen=True, slots=True)
class Packed:
    """Version of the pack, and type of the numbers that its weights are stored as."""

    version: str
    weights: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run, as its file tells it; ``seed`` fixes every random draw.

    ``refine`` holds the further courses of the outliner, in the order in which they are run.
    """

    model: str
    seed: int
    data: Data
    heatmap: Course
    mining: Mining
    windows: Mix
    outliner: Course
    refine: tuple[Refine, ...]
    threshold: Threshold
    pack: Packed

    @property
    def refines(self) -> dict[str, Refine]:
        """The further courses by the names of their stages."""
        return {f"refine-{n}": one for n, one in enumerate(self.refine, start=1)}

    def document(self) -> dict[str, Any]:
        """Return it as its file would tell it, ready to be run again."""
        return {"format": 1, **json.loads(json.dumps(asdict(self)))}


class _Fault(Exception):
    """What is wrong with a recipe, in words."""


def read_recipe(path: Path | None = None, *, cuda: bool = False) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path
        Its file; None takes the one that comes with the program.
    cuda
        Whether its section ``cuda`` applies.

    Raises
    ------
    Problem
        When it cannot be read, is no JSON, or says anything outside the vocabulary.
    """
    file = path or bundled("training", "lung-nodule.json")
    try:
        return _recipe(json.loads(file.read_text(encoding="utf-8")), cuda)
    except OSError as error:
        raise _problem(file, error.strerror or "it cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise _problem(file, "it is no JSON") from error
    except _Fault as fault:
        raise _problem(file, str(fault)) from fault


def _problem(path: Path, fault: str) -> Problem:
    return Problem(
        f"The training recipe {path.name} cannot be used: {fault}.",
        "Correct the file, or leave out --config to train by the recipe of the program.",
    )


# One reader for each kind of value ------------------------------------------------------------


def _whole(low: int, high: int) -> _Read:
    def read(value: Any, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _Fault(f"{where} is no whole number from {low} to {high}")
        return value

    return read


def _number(low: float, high: float) -> _Read:
    def read(value: Any, where: str) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        # What is no number or endless is not between; what is too long for a float is compared.
        if not good or not low <= value <= high:
            raise _Fault(f"{where} is no number from {low:g} to {high:g}")
        return float(value)

    return read


def _choice(*allowed: str) -> _Read:
    def read(value: Any, where: str) -> str:
        if value not in allowed or not isinstance(value, str):
            raise _Fault(f"{where} is none of {', '.join(allowed)}")
        return value

    return read


def _text(pattern: str) -> _Read:
    def read(value: Any, where: str) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise _Fault(f"{where} is malformed")
        return value

    return read


def _list(each: _Read, fewest: int, most: int) -> _Read:
    def read(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            raise _Fault(f"{where} is no list of {fewest} to {most}")
        return tuple(each(one, f"{where}[{n}]") for n, one in enumerate(value))

    return read


def _object(known: Mapping[str, _Read], into: Callable[..., T]) -> Callable[[Any, str], T]:
    """Return a reader of an object that has every known key and no other."""

    def read(value: Any, where: str) -> T:
        if not isinstance(value, dict):
            raise _Fault(f"{where or 'the whole'} is no object")
        head = f"{where}." if where else ""
        for key in value:
            if key not in known:
                raise _Fault(f"{head}{key} is an unknown key")
        for key in known:
            if key not in value:
                raise _Fault(f"{head}{key} is missing")
        return into(**{key: one(value[key], f"{head}{key}") for key, one in known.items()})

    return read


_STEPS, _RATE = _whole(0, 10_000_000), _number(1e-6, 0.1)
_AVERAGE, _SHARE = _number(0.0, 0.99999), _number(0.0, 1.0)
_COURSE: Mapping[str, _Read] = {
    "steps": _STEPS,
    "batch": _whole(1, 4096),
    # Rows and columns are halved once a level, and windows have 64 of them.
    "widths": _list(_whole(1, 1024), 2, 5),
    "rate": _RATE,
    "weight_decay": _SHARE,
    "average": _AVERAGE,
}
_MIX = _object(dict.fromkeys((*KINDS, "first_look", "few_readers"), _SHARE), Mix)


def _mix(value: Any, where: str) -> Mix:
    out = _MIX(value, where)
    if abs(sum(out.kinds.values()) - 1) > 1e-6:
        raise _Fault(f"the shares of {', '.join(KINDS)} in {where} are together not 1")
    return out


_KNOWN: Mapping[str, _Read] = {
    "model": _choice(*MODELS),
    "seed": _whole(0, 2**31 - 1),
    "data": _object(
        {
            "split": _choice(*SPLIT_RULES),
            "lungs_kept_for_validation": _list(_text(r"[\w.-]{1,64}"), 0, 100),
        },
        Data,
    ),
    "heatmap": _object(_COURSE, Course),
    "mining": _object(
        {
            "peak": _number(0.12, 1.0),
            "share": _SHARE,
            "from_step": _STEPS,
        },
        Mining,
    ),
    "windows": _mix,
    "outliner": _object(_COURSE, Course),
    "refine": _list(
        _object(
            {"steps": _whole(1, 10_000_000), "rate": _RATE, "average": _AVERAGE, "windows": _mix},
            Refine,
        ),
        0,
        9,
    ),
    "threshold": _object({"policy": _choice(*POLICIES), "value": _SHARE}, Threshold),
    "pack": _object(
        {"version": _text(r"\d{1,6}\.\d{1,6}\.\d{1,6}"), "weights": _choice(*WEIGHTS)}, Packed
    ),
}


def _recipe(value: Any, cuda: bool) -> Recipe:
    if not isinstance(value, dict):
        raise _Fault("the whole is no object")
    left = dict(value)
    _whole(1, 1)(left.pop("format", None), "format")
    changes = left.pop("cuda", {})
    read = _object(_KNOWN, Recipe)
    # Both are read: a fault in what does not apply here is told before it costs a night there.
    plain, scaled = read(left, ""), read(_changed(left, changes), "")
    for one in (plain, scaled):
        if not one.heatmap.steps or not one.outliner.steps:
            raise _Fault("heatmap.steps and outliner.steps must be 1 or more")
    return scaled if cuda else plain


def _changed(value: dict[str, Any], changes: Any) -> dict[str, Any]:
    """Return a recipe with the members of its section ``cuda`` put in."""
    if not isinstance(changes, dict) or not set(changes) <= set(SCALED):
        raise _Fault(f"cuda is no object with some of {', '.join(SCALED)}")
    out = dict(value)
    for name, members in changes.items():
        if not isinstance(members, dict):
            raise _Fault(f"cuda.{name} is no object")
        before = out.get(name)
        out[name] = {**before, **members} if isinstance(before, dict) else before
    return out


assert {field.name for field in fields(Recipe)} == set(_KNOWN)
