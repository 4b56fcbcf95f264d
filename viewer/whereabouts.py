"""Where a finding lies, in words: in a lung that is known, else on a half of the body. No Qt."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from viewer.annotate.body_side import BodyHalves
from viewer.annotate.lesion import Lesion
from viewer.session import Case

_halves: WeakKeyDictionary[Case, BodyHalves] = WeakKeyDictionary()


def place_in_words(case: Case, lesion: Lesion) -> str:
    """Return where a lesion lies, such as ``"right, upper third"``; empty when not known.

    A side is told from patient space alone. Without lungs, as before any run of the model, it is
    that of the body's outline, and called so; see ``annotate.body_side``.
    """
    in_lung = case.place(lesion)
    if in_lung or case.is_being_read:
        return in_lung
    halves = _halves.setdefault(case, BodyHalves())
    return halves.text(case.volume, lesion.centre_lps_mm, case.slices.has)
