"""What must not be overlooked in a view, whatever text is hidden."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from resources.text import translate
from viewer.annotate.lesion import IMPORTED
from viewer.ui.standing import Board
from viewer.ui.view_ink import chip

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView


def ai_notice(painter: Board, view: SliceView, y: float) -> float:
    """Say whose result this view shows, and whether a person has judged it; return where it ends.

    On every view that shows one: any of them may be looked at alone.
    """
    assert view.case is not None
    if not view.main:
        for said, heeded in view.notices.get("time", ()):
            y = chip(painter, view.width(), y, list(said), pending=heeded)
    stamp = view.case.document.model
    if view.reading.ai_locked:
        return y  # not even that there is anything
    if view.reading.shown.ai_held_back and stamp is not None:
        words = [translate("view", "AI hidden"), translate("view", "while the key is held")]
        return chip(painter, view.width(), y, words, pending=False)
    if stamp is None or not view.overlay.shows_ai:
        return y
    done, total = view.case.progress
    pending = done < total or total == 0
    model = translate("view", "AI")
    if view.main:
        model = translate("view", "AI {model}").format(model=f"{stamp.id} {stamp.version}")
    state = translate("view", "not reviewed") if pending else translate("view", "reviewed")
    return chip(painter, view.width(), y, [model, state], pending=pending)


def shows_imported(view: SliceView) -> bool:
    """Tell whether outlines of other files are among those that are shown."""
    reading, case = view.reading, view.case
    if case is None or reading.ai_hidden or not reading.shown.masks:
        return False
    origins = [lesion.origin for lesion in reading.lesions]
    origins += [s.origin for s in case.document.segments if s.id in reading.visible_segments]
    return any(origin in IMPORTED for origin in origins)


def imported_notice(painter: Board, view: SliceView, y: float) -> float:
    """Say whose outlines of other files this view shows, and whether they were judged here."""
    if view.case is None or not shows_imported(view):
        return y
    document = view.case.document
    lesions = [lesion for lesion in document.lesions if lesion.origin in IMPORTED]
    ids = (*(lesion.id for lesion in lesions), *(segment.id for segment in document.segments))
    systems = dict.fromkeys(
        str(came.source.get("system") or came.source.get("kind") or "")
        for key in ids
        if (came := document.imported(key)) is not None
    )
    said = translate("view", "imported")
    if view.main:
        said = translate("view", "imported: {systems}").format(systems=", ".join(systems)[:60])
    if not lesions:
        return chip(painter, view.width(), y, [said], pending=False)
    pending = any(lesion.verdict is None for lesion in lesions)
    state = translate("view", "not reviewed") if pending else translate("view", "reviewed")
    return chip(painter, view.width(), y, [said, state], pending=pending)


def notices(painter: Board, view: SliceView, y: float) -> None:
    """Say what must not be overlooked: irregular slices, whose result this is, what is hidden."""
    assert view.case is not None
    for said, heeded in itertools.chain(*view.notices.values()):
        y = chip(painter, view.width(), y, list(said), pending=heeded)
    volume = view.case.volume
    if not volume.regular:
        if volume.placed:
            parts = [
                translate("view", "irregular slices"),
                translate("view", "no measuring across slices, no AI"),
            ]
        else:
            parts = [translate("view", "no place in the patient"), translate("view", "no AI")]
        y = chip(painter, view.width(), y, parts, pending=volume.placed)
    if view.case.plan.resampled:
        words = [translate("view", "resampled copy"), translate("view", "interpolated")]
        y = chip(painter, view.width(), y, words, pending=True)
    y = ai_notice(painter, view, y)
    y = imported_notice(painter, view, y)
    if not view.reading.shown.masks and view.reading.lesions:
        hidden = translate("view", "{count} findings hidden").format(
            count=len(view.reading.lesions)
        )
        key = view.reading.keys.name("masks")
        shows = translate("view", "{key} shows them").format(key=key)
        chip(painter, view.width(), y, [hidden, shows], pending=True)
