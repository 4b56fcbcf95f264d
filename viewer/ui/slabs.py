"""Slabs by key: highest, lowest or mean value of several slices, in the view under the pointer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from resources.text import translate
from viewer.display.slab import MODES, Mode, Slab
from viewer.ui.view_ink import chip

if TYPE_CHECKING:
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView
    from viewer.ui.standing import Board

_STEPS_MM = (2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 80.0, 100.0)
_FIRST_MM = 10.0


class Slabs(QObject):
    """The commands of slabs; a ``Part`` of the window.

    A view keeps its own slab. The thickness that was used last is that of the next one.
    """

    changed = Signal()

    def __init__(
        self, reading: Reading, active: Callable[[], SliceView], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._active = active
        self._thickness_mm = _FIRST_MM

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what each command does."""
        return {
            "slab": self.cycle,
            "slab_thicker": lambda: self.thicken(1),
            "slab_thinner": lambda: self.thicken(-1),
        }

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now."""
        if self._reading.case is None:
            return {}
        reason = why_not(self._reading)
        return {"slab": reason, "slab_thicker": reason, "slab_thinner": reason}

    def checked(self) -> Mapping[str, bool]:
        """Return which switches are on: it has none."""
        return {}

    def cycle(self) -> None:
        """Go from single slices over MIP, MinIP and mean back to single slices."""
        view = self._active()
        if self._told(view):
            return
        order: tuple[Mode | None, ...] = (None, *MODES)
        mode = view.slab.mode if view.slab is not None else None
        following = order[(order.index(mode) + 1) % len(order)]
        if following is None:
            view.set_slab(None)
        else:
            thickness = view.slab.thickness_mm if view.slab is not None else self._thickness_mm
            view.set_slab(Slab(following, thickness))
        self.changed.emit()

    def thicken(self, by: int) -> None:
        """Make the slab of the view one step thicker or thinner."""
        view = self._active()
        if self._told(view):
            return
        if view.slab is None:
            text = translate("slab", "Single slices are shown; {key} shows a slab.")
            view.told.emit(text.format(key=self._reading.keys.name("slab")))
            return
        now = view.slab.thickness_mm
        ways = [mm for mm in _STEPS_MM if (mm > now if by > 0 else mm < now)]
        if not ways:
            view.told.emit(
                translate("slab", "No thicker slab.")
                if by > 0
                else translate("slab", "No thinner slab.")
            )
            return
        self._thickness_mm = ways[0] if by > 0 else ways[-1]
        view.set_slab(Slab(view.slab.mode, self._thickness_mm))
        self.changed.emit()

    def _told(self, view: SliceView) -> bool:
        """Say in the status line why this view can show no slab; tell whether that was said."""
        reason = why_not(view.reading)
        if reason:
            view.told.emit(reason)
        return bool(reason)


def why_not(reading: Reading) -> str:
    """Return why no slab can be shown, or an empty text."""
    case = reading.case
    if case is None:
        return translate("window", "Open a series first.")
    volume = case.volume
    if case.is_being_read:
        return translate("slab", "The images are still being read.")
    if volume.colours is not None:
        return translate("slab", "Colours have no highest or lowest value.")
    if volume.shape_kji[0] < 2:
        return translate("slab", "One image alone is no stack.")
    if not volume.regular:
        return translate("slab", "The slices are irregular: a slab would have no true thickness.")
    if case.slices.empty(volume.shape_kji[0]) is not None:
        return translate("slab", "Slices are missing: a slab would hide that.")
    return ""


def name(slab: Slab) -> str:
    """Return how a slab is named on the image, such as ``MIP 20 mm``."""
    mode = {
        "mip": translate("slab", "MIP"),
        "minip": translate("slab", "MinIP"),
        "mean": translate("slab", "Mean"),
    }[slab.mode]
    return translate("slab", "{mode} {thickness} mm").format(
        mode=mode, thickness=f"{slab.thickness_mm:g}"
    )


def notice(painter: Board, view: SliceView, y: float) -> float:
    """Say that a view shows a slab, whatever text is hidden; return where the next chip begins."""
    span = view.slab_span
    if span is None or view.slab is None:
        return y
    count = span[1] - span[0]
    parts = [name(view.slab)]
    parts.append(
        translate("slab", "1 slice")
        if count == 1
        else translate("slab", "{count} slices").format(count=count)
    )
    if count > 1 and (view.overlay.marks or view.overlay.shows_ai):
        parts.append(translate("slab", "findings of all of them"))
    if view.oblique_slabs.pending:
        parts.append(translate("slab", "a few of them for now"))
    return chip(painter, view.width(), y, parts, pending=True)


def no_painting(view: SliceView) -> str:
    """Return why nothing can be painted in a view that shows a slab; empty when it shows none."""
    if view.slab_span is None:
        return ""
    text = translate("slab", "A slab shows several slices as one: {key} until single ones show.")
    return text.format(key=view.reading.keys.name("slab"))
