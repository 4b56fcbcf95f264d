"""The views of the window in their layout: three planes of one volume, and what stands by them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QWidget

from resources.text import translate
from viewer.ui import view_text
from viewer.ui.carry import Carry, Grip
from viewer.ui.drawn import Drawn
from viewer.ui.fourth import FourthPane
from viewer.ui.layouts import (
    BESIDE_PANE,
    FIRST,
    FOUR,
    FOURTH_PANE,
    LAYOUTS,
    LIST,
    ONE,
    PLANES,
    THREE,
    Arranged,
    Split,
    without,
)
from viewer.ui.pane_grid import PaneGrid
from viewer.ui.reading import Reading
from viewer.ui.slice_view import SliceView

if TYPE_CHECKING:
    from viewer.ui.beside_memory import BesideMemory


class MprViews(PaneGrid):
    """Lays the views out; a double click enlarges one and brings all back.

    ``views`` are those of the open series, the acquired plane first, wherever they stand.

    ``arranged_changed`` tells that the reader chose another layout, dragged a view onto
    another one or moved a seam.
    """

    menu_asked = Signal(object, object)
    told = Signal(str)
    arranged_changed = Signal()
    laid_out = Signal()  # also when nobody asked for it
    activated = Signal()  # another view is the one that keys act on
    several_asked = Signal()  # by a double click in a layout of one view

    def __init__(self, reading: Reading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("views")
        self._reading = reading
        self._enlarged: str | None = None  # name of a pane
        self._two_only = False
        self._alone = False
        self.keeps_layout = False  # though the case that came has one of its own
        self.beside_memory: BesideMemory | None = None  # what stood beside, with each case
        self.arranged = Arranged.of(THREE)
        self.drawn = Drawn(reading, self)
        self.views = [SliceView(reading, self.drawn, self) for _ in range(3)]
        self.fourth = FourthPane(reading, self)
        self.panes: dict[str, QWidget] = dict(zip(PLANES, self.views, strict=True))
        self.carry = Carry(self)
        self._grips: dict[str, Grip] = {}
        self.active = self.views[0]
        for name, view in zip(PLANES, self.views, strict=True):
            view.menu_asked.connect(self.menu_asked)
            self.add_pane(name, view, view)
        self.add_pane(FOURTH_PANE, self.fourth)
        self.weighted.connect(self._on_weights)
        self.seam_dropped.connect(self.arranged_changed)
        self.seam_reset.connect(self._on_seam_reset)
        reading.case_changed.connect(self._on_case)
        self._arrange()

    def add_pane(self, name: str, pane: QWidget, view: SliceView | None = None) -> None:
        """Take a widget in that stands in the cells of a layout.

        Parameters
        ----------
        view
            The view in it, if it has one: keys act on it while the pointer is over it, and a
            double click enlarges the pane.
        """
        pane.setParent(self)
        pane.hide()
        self.panes[name] = pane
        grip = self._grips[name] = Grip(pane)
        grip.begun.connect(partial(self._begin_exchange, name))
        grip.moved.connect(self.carry.move)
        grip.dropped.connect(self.carry.drop)
        if view is not None:
            view.enlarge_asked.connect(partial(self._toggle_pane, name))
            grip.doubled.connect(partial(self._toggle_pane, name))
            view.told.connect(self.told)
            view.installEventFilter(self)

    def set_fourth(self, widget: QWidget | None) -> None:
        """Show a widget in the fourth cell of 2 x 2; None brings the facts back."""
        self.fourth.set_preview(widget)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.Enter) and isinstance(
            watched, SliceView
        ):
            self._activate(watched)  # keys act on the view under the pointer
        return False

    def _activate(self, view: SliceView) -> None:
        if view is not self.active:
            self.active = view
            self._mark_active()
            self.activated.emit()

    def _mark_active(self) -> None:
        self.mark_pane(next(p for p in self.panes.values() if _holds(p, self.active)))

    def _on_case(self) -> None:
        planes = self._reading.planes
        if planes and self.views[0].plane is planes[self._reading.plane_order()[0]]:
            return  # the same images, of which all are there now: the reader is looking at them
        self._enlarged = None
        self.carry.abort()
        names = self._reading.plane_order()
        for view, name in zip(self.views, [*names, "", ""], strict=False):
            view.set_plane(self._reading.planes.get(name))
        self._alone = len(names) == 1
        self._activate(self.views[0])
        self._arrange()

    # ---------------------------------------------------------------- layout

    @property
    def alone(self) -> bool:
        """Whether the open series has one plane only."""
        return self._alone

    @property
    def layout_id(self) -> str:
        """The layout that is shown: of a series with one plane, never one of several."""
        chosen = self.arranged.layout
        return ONE if self._alone and chosen in (THREE, FOUR) else chosen

    def set_arranged(self, arranged: Arranged) -> None:
        """Show a layout; nothing is enlarged then."""
        self._enlarged = None
        self.arranged = arranged
        self._arrange()

    def choose(self, arranged: Arranged) -> None:
        """Show a layout that the reader asked for."""
        self.set_arranged(arranged)
        self.arranged_changed.emit()

    @property
    def enlarged_pane(self) -> str | None:
        """Name of the pane that is shown alone, or None."""
        return self._enlarged

    @property
    def enlarged(self) -> str | None:
        """Name of the plane that is shown alone, or None."""
        view = self.panes.get(self._enlarged or "")
        return view.plane.name if isinstance(view, SliceView) and view.plane is not None else None

    def toggle_enlarged(self, plane_name: str) -> None:
        """Show one plane of the open series alone, or all again."""
        names = {view.plane.name: name for name, view in self._own() if view.plane is not None}
        self._toggle_pane(names.get(plane_name, ""))

    def _toggle_pane(self, name: str, _plane: str = "") -> None:
        if self._enlarged is None and self.arranged.layout in (ONE, LIST) and not self._alone:
            self.several_asked.emit()
            return
        if self._enlarged is not None or len(self._cells()) < 2 or name not in self.panes:
            self._enlarged = None
        else:
            self._enlarged = name
        self._arrange()

    def toggle_active(self) -> None:
        """Show the pane that keys act on alone, or all again."""
        self._toggle_pane(self._active_name)

    @property
    def _active_name(self) -> str:
        return next(name for name, pane in self.panes.items() if _holds(pane, self.active))

    @property
    def panes_shown(self) -> tuple[str, ...]:
        """Names of the panes that are to be seen, in the order of their cells."""
        return (self._enlarged,) if self._enlarged is not None else tuple(self._cells().values())

    def activate_next(self) -> None:
        """Let keys act on the next view."""
        names, views = self.panes_shown, self._slice_views()
        at = names.index(self._active_name) + 1 if self._active_name in names else 0
        for name in (*names[at:], *names[:at]):
            view = next((v for v in views if _holds(self.panes[name], v)), None)
            if view is not None and view.isVisible():
                view.setFocus(Qt.FocusReason.ShortcutFocusReason)
                self._activate(view)
                return

    def exchange_next(self) -> None:
        """Exchange the pane that keys act on with the next one."""
        names, name = self.panes_shown, self._active_name
        if len(names) > 1 and name in names:
            other = names[(names.index(name) + 1) % len(names)]
            self.choose(self.arranged.exchanged(name, other))

    def set_two_only(self, two_only: bool) -> None:
        """Leave the third view out where the window is small."""
        if two_only != self._two_only:
            self._two_only = two_only
            self._arrange()

    def _slice_views(self) -> list[SliceView]:
        return [
            view
            for pane in self.panes.values()
            for view in (pane, *pane.findChildren(SliceView))
            if isinstance(view, SliceView)
        ]

    def _own(self) -> list[tuple[str, SliceView]]:
        return list(zip(PLANES, self.views, strict=True))

    def _cells(self) -> dict[int, str]:
        """Return the pane in each cell of the chosen layout that is to be seen."""
        cells = dict(enumerate(self.arranged.shown))
        if self._alone:
            if self.arranged.layout in (ONE, LIST):
                return {0: FIRST}
            return {n: name for n, name in cells.items() if name in (FIRST, BESIDE_PANE)}
        if self._two_only and self.arranged.layout == THREE:
            del cells[2]
        return {n: name for n, name in cells.items() if name in self.panes}

    def _arrange(self) -> None:
        layout = LAYOUTS[self.arranged.layout]
        cells, tree = self._cells(), layout.tree
        shown: Split | int | None
        if self._enlarged is not None:
            cells, shown = {0: self._enlarged}, 0
        else:
            shown = without(tree, frozenset(range(layout.cells)) - frozenset(cells))
        names = list(cells.values())
        main = next((name for name in names if name in PLANES), FIRST)
        for name, view in self._own():
            view.main = name == main
        panes = {cell: self.panes[name] for cell, name in cells.items()}
        hidden = [pane for name, pane in self.panes.items() if name not in names]
        self.show_panes(shown, self.arranged.weights, panes, hidden)
        for grip in self._grips.values():
            grip.setVisible(len(names) > 1)
            grip.raise_()
        if not any(_holds(pane, self.active) for pane in panes.values()):
            seen = (v for v in self._slice_views() for p in panes.values() if _holds(p, v))
            self._activate(next(seen, self.views[0]))
        self._mark_active()
        self.laid_out.emit()

    def _on_weights(self, seam: str, weights: object) -> None:
        self.arranged = self.arranged.weighted(seam, weights)  # type: ignore[arg-type]
        self.set_weights(self.arranged.weights)

    def _on_seam_reset(self, seam: str) -> None:
        first = LAYOUTS[self.arranged.layout].weights[seam]
        self._on_weights(seam, first)
        self.arranged_changed.emit()

    # ---------------------------------------------------------------- carrying

    def pane_name(self, pane: QWidget) -> str:
        """Return what a pane is called when it is dragged."""
        name = next((name for name, each in self.panes.items() if each is pane), "")
        if isinstance(pane, SliceView) and pane.plane is not None:
            return view_text.plane_name(pane.plane.name)
        if name == BESIDE_PANE:
            return translate("layout", "the series beside")
        return pane.accessibleName()

    def _begin_exchange(self, name: str) -> None:
        def words(target: QWidget) -> str:
            if target is self.panes[name]:
                return ""
            what = self.pane_name(target)
            return translate("layout", "Exchange with {view}").format(view=what)

        def drop(target: QWidget) -> None:
            other = next(each for each, pane in self.panes.items() if pane is target)
            self.choose(self.arranged.exchanged(name, other))

        self.carry.begin(words, drop)

    # ------------------------------------------------------------------- rest

    def fit_all(self) -> None:
        """Fit every view to its plane."""
        for view in self.views:
            view.fit()

    def abort_gesture(self) -> bool:
        """Give up the drag in progress, if there is one."""
        if self.carry.abort():
            return True
        if self.active not in self.views and self.active.abort_gesture():
            return True
        return any(view.abort_gesture() for view in self.views)

    def point_for_new_lesion(self) -> object:
        """Return LPS mm under the pointer, else at the crosshair."""
        for view in self.views:
            if view.isVisible() and view.pointer_px is not None:
                inside = view.voxel_at(view.pointer_px)
                if inside is not None:
                    return view.lps_at(view.pointer_px)
        return self._reading.cursor_lps_mm

    def hold_focus(self) -> None:
        """Give the keyboard to the main view."""
        view = next((view for view in self.views if view.main), self.views[0])
        view.setFocus(Qt.FocusReason.OtherFocusReason)


def _holds(pane: QWidget, view: SliceView) -> bool:
    return pane is view or pane.isAncestorOf(view)
