"""What a case is worth for training, from what its saved work says, and why in plain words. No Qt.

Three things make a case worth a reader's time: what the model is unsure of, what readers said
otherwise than the model or than each other, and findings of a kind that is rare in the list
(decision 0031). Nothing is said of a case to a reader who must not know it yet: neither the
reason nor a place in the order would keep the secret of the AI, or of another reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from inference.evaluation.statistics import SIZES, TEXTURES, group_of
from resources.text import translate
from viewer.saved_facts import Facts, Proposed
from viewer.worklist import State

# A score this far from the threshold is sure; half-way there it is a doubtful one.
_SURE = 0.2
# Of the outlines of the validation patients half have an uncertainty below 0.27.
_FAIR, _POOR = 0.3, 0.7
_DOUBTFUL = 0.5
# A kind of finding is rare below this share; of fewer findings nothing is said.
_RARE, _ENOUGH = 0.1, 20
_UNSURE_WEIGHT, _OTHERWISE_WEIGHT, _RARE_WEIGHT = 0.6, 0.9, 0.4


@dataclass(frozen=True, slots=True)
class Readings:
    """The first and the second reading of a case; None where there is none."""

    first: Facts | None
    second: Facts | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """What a case is worth.

    Attributes
    ----------
    value
        0 to 1; None where nothing is known, or nothing may be told.
    why
        The reasons in words, the weightiest first.
    """

    value: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Who:
    """For whom the list is sorted: his name, and whether he reads first."""

    reader: str
    reads_first: bool


def rated(cases: Mapping[str, Readings], states: Mapping[str, State], who: Who) -> dict[str, Worth]:
    """Return what each case is worth, by its key.

    Parameters
    ----------
    cases
        What their journals say.
    states
        How far they are, as the worklist knows it.
    """
    kinds: Counter[str] = Counter()
    for readings in cases.values():
        if _shows_the_ai(readings, who):
            kinds.update(_kind(one) for one in _listed(readings.first))
    return {
        key: _worth(readings, states.get(key, "new"), who, kinds) for key, readings in cases.items()
    }


def _worth(readings: Readings, state: State, who: Who, kinds: Counter[str]) -> Worth:
    first = readings.first
    if first is None or first.proposed is None:
        return Worth(None, translate("worth", "The AI has not run"))
    if state == "exported":
        return Worth(0.0, translate("worth", "Exported already"))
    if not _shows_the_ai(readings, who):
        return Worth(None, translate("worth", "Read first: told after your first impression"))
    found = [_unsure(first), _rare(first, kinds)]
    if _shows_the_readers(readings, who):
        found.append(_otherwise(readings))
    found.sort(key=lambda one: -one[0])
    value = 1 - prod(1 - weight for weight, _ in found)
    words = [text for weight, text in found if weight > 0 and text]
    why = "; ".join(words) or translate("worth", "Nothing unusual")
    return Worth(round(value, 4), why[:1].upper() + why[1:])


# --------------------------------------------------------------------- who may know


def _shows_the_ai(readings: Readings, who: Who) -> bool:
    """Tell whether this reader may know what the model says of a case."""
    if not who.reads_first:
        return True
    return any(
        one is not None and who.reader in one.knows_the_ai
        for one in (readings.first, readings.second)
    )


def _shows_the_readers(readings: Readings, who: Who) -> bool:
    """Tell whether this reader may know what readers say of a case.

    While a second reading is under way nobody learns of the other one; before it is begun the
    first is known to those who made it, for whoever did not may be its second reader.
    """
    first, second = readings.first, readings.second
    if second is not None:
        return second.committed
    return first is not None and (not first.readers or who.reader in first.readers)


# -------------------------------------------------------------------------- reasons


def _unsure(facts: Facts) -> tuple[float, str]:
    doubts = [_doubt(one, facts.threshold) for one in facts.proposed or ()]
    near = sum(doubt >= _DOUBTFUL for doubt in doubts)
    weight = _UNSURE_WEIGHT * (1 - prod(1 - doubt / 2 for doubt in doubts))
    if not near:
        return weight, ""
    return weight, translate("worth", "the AI is unsure of {n}").format(n=near)


def _doubt(one: Proposed, threshold: float) -> float:
    """Return 0 for what the model is sure of, up to 1."""
    of_it = max(0.0, 1 - abs(one.score - threshold) / _SURE)
    if one.uncertainty is None or one.score < threshold:
        return of_it
    return max(of_it, min(max((one.uncertainty - _FAIR) / (_POOR - _FAIR), 0.0), 1.0))


def _otherwise(readings: Readings) -> tuple[float, str]:
    """Return what readers say otherwise than the model, and than each other."""
    first = readings.first
    assert first is not None
    listed = {one.id for one in _listed(first)}
    verdicts = dict(first.verdicts)
    rejected = sum(verdicts.get(id) == "rejected" for id in listed)
    redrawn = len(first.redrawn)
    apart = 0
    if readings.second is not None:
        other = dict(readings.second.verdicts)
        apart = sum(verdicts[id] != other[id] for id in verdicts.keys() & other.keys())
    parts = [
        (apart, translate("worth", "two readers differ on {n}")),
        (first.missed, translate("worth", "{n} missed by the AI")),
        (rejected, translate("worth", "{n} of the AI rejected")),
        (redrawn, translate("worth", "{n} redrawn")),
    ]
    count = sum(number for number, _ in parts)
    words = [text.format(n=number) for number, text in parts if number]
    return _OTHERWISE_WEIGHT * (1 - 0.6**count), ", ".join(words)


def _rare(facts: Facts, kinds: Counter[str]) -> tuple[float, str]:
    """Return how rare the rarest finding of a case is among all of the list."""
    total = kinds.total()
    own = {_kind(one) for one in _listed(facts)}
    if total < _ENOUGH or not own:
        return 0.0, ""
    kind = min(own, key=lambda name: (kinds[name], name))
    share = kinds[kind] / total
    if share > _RARE:
        return 0.0, ""
    text = translate("worth", "a rare kind: {kind} ({n} of {total} findings)")
    return _RARE_WEIGHT * (1 - share / _RARE / 2), text.format(
        kind=_kind_text(kind), n=kinds[kind], total=total
    )


def _listed(facts: Facts | None) -> list[Proposed]:
    if facts is None:
        return []
    return [one for one in facts.proposed or () if one.score >= facts.threshold]


def _kind(one: Proposed) -> str:
    """Return size and texture of a finding, as the evaluation groups them."""
    texture = "" if one.texture is None else group_of(one.texture, TEXTURES)
    return f"{group_of(max(one.diameter_mm, 0.0), SIZES)}/{texture}"


def _kind_text(kind: str) -> str:
    size, _, texture = kind.partition("/")
    sizes = {
        "under 6 mm": translate("worth", "under 6 mm"),
        "6 to 10 mm": translate("worth", "6 to 10 mm"),
        "10 to 20 mm": translate("worth", "10 to 20 mm"),
        "20 mm and more": translate("worth", "20 mm and more"),
    }
    textures = {
        "ground-glass": translate("worth", "ground-glass"),
        "part-solid": translate("worth", "part-solid"),
        "solid": translate("worth", "solid"),
    }
    named = (textures.get(texture, ""), sizes.get(size, size))
    return " ".join(name for name in named if name)
