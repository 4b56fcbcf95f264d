"""Which label has which colour on the screen: that of the table, or the one a reader chose.

The colours are those of Okabe and Ito (2008), which readers with any colour vision tell apart;
a few pairs of them are still too like for some, and are not offered together.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

import resources
from resources.text import translate

log = logging.getLogger(__name__)

OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
# Less than 15 apart (CIEDE2000) as seen with protanopia or deuteranopia (Machado and others,
# 2009): a test computes them.
CONFUSABLE = frozenset(
    frozenset(pair)
    for pair in (
        ("#E69F00", "#F0E442"),
        ("#E69F00", "#D55E00"),
        ("#56B4E9", "#CC79A7"),
        ("#0072B2", "#CC79A7"),
    )
)

_chosen: dict[str, str] = {}


def label_colour(label: str) -> str:
    """Return the ``#RRGGBB`` colour of a label, the same in every session."""
    return _chosen.get(label) or str(resources.table("labels")[label]["colour"])


def colour_name(colour: str) -> str:
    """Return what a colour of the set is called."""
    names = {
        "#E69F00": translate("colours", "Orange"),
        "#56B4E9": translate("colours", "Sky blue"),
        "#009E73": translate("colours", "Green"),
        "#F0E442": translate("colours", "Yellow"),
        "#0072B2": translate("colours", "Blue"),
        "#D55E00": translate("colours", "Vermilion"),
        "#CC79A7": translate("colours", "Purple"),
    }
    return names.get(colour, colour)


def too_like(label: str, colour: str, among: Iterable[str]) -> str | None:
    """Return the first other label whose colour could be taken for ``colour``, or None."""
    for other in among:
        theirs = label_colour(other)
        if other != label and (theirs == colour or frozenset((theirs, colour)) in CONFUSABLE):
            return other
    return None


def choose(label: str, colour: str) -> None:
    """Give a label one of the colours of the set; that of the table takes the choice back.

    Raises
    ------
    KeyError, ValueError
        When there is no such label or colour.
    """
    if colour not in OKABE_ITO:
        raise ValueError(colour)
    if colour == resources.table("labels")[label]["colour"]:
        _chosen.pop(label, None)
    else:
        _chosen[label] = colour


def kept() -> str:
    """Return what was chosen, for the settings."""
    return json.dumps(_chosen, sort_keys=True) if _chosen else ""


def restore(text: str) -> None:
    """Take up what ``kept`` gave; what is no choice of this version is left out."""
    _chosen.clear()
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        log.warning("the colours of the labels could not be read")
        return
    if not isinstance(found, dict):
        return
    known = resources.table("labels")
    for label, colour in found.items():
        if label in known and colour in OKABE_ITO:
            choose(label, colour)
