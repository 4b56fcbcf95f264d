"""Three views of one volume: the acquired plane large, the other two beside it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from viewer.ui import theme
from viewer.ui.drawn import Drawn
from viewer.ui.reading import Reading
from viewer.ui.slice_view import SliceView


class MprViews(QWidget):
    """Lays out three ``SliceView``; a double click enlarges one and brings all back."""

    menu_asked = Signal(object, object)
    told = Signal(str)

    def __init__(self, reading: Reading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("views")
        self._reading = reading
        self._enlarged: int | None = None
        self._two_only = False
        self._alone = False
        self.drawn = Drawn(reading, self)
        self.views = [SliceView(reading, self.drawn, self) for _ in range(3)]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        grid.addWidget(self.views[0], 0, 0, 2, 1)
        grid.addWidget(self.views[1], 0, 1)
        grid.addWidget(self.views[2], 1, 1)
        grid.setColumnStretch(0, 5)
        grid.setColumnStretch(1, 4)
        grid.setRowStretch(0, 1)
        grid.setRowStretch(1, 1)
        self._grid = grid
        self.active = self.views[0]
        for view in self.views:
            view.enlarge_asked.connect(self.toggle_enlarged)
            view.menu_asked.connect(self.menu_asked)
            view.told.connect(self.told)
            view.installEventFilter(self)
        reading.case_changed.connect(self._on_case)

    def paintEvent(self, event: QPaintEvent) -> None:
        # The gaps between the views are hairlines of the theme.
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.HAIRLINE)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.Enter) and watched in self.views:
            self.active = watched  # keys act on the view under the pointer
        return False

    def _on_case(self) -> None:
        planes = self._reading.planes
        if planes and self.views[0].plane is planes[self._reading.plane_order()[0]]:
            return  # the same images, of which all are there now: the reader is looking at them
        self._enlarged = None
        names = self._reading.plane_order()
        for view, name in zip(self.views, [*names, "", ""], strict=False):
            view.set_plane(self._reading.planes.get(name))
        self._alone = len(names) == 1
        self.active = self.views[0]
        self._arrange()

    @property
    def enlarged(self) -> str | None:
        """Name of the plane that is shown alone, or None."""
        view = self.views[self._enlarged] if self._enlarged is not None else None
        return view.plane.name if view is not None and view.plane is not None else None

    def toggle_enlarged(self, plane_name: str) -> None:
        """Show one plane alone, or all again."""
        if self._enlarged is not None or self._alone:
            self._enlarged = None
        else:
            names = [view.plane.name if view.plane else "" for view in self.views]
            self._enlarged = names.index(plane_name) if plane_name in names else None
        self._arrange()

    def set_two_only(self, two_only: bool) -> None:
        """Leave the third view out where the window is small."""
        if two_only != self._two_only:
            self._two_only = two_only
            self._arrange()

    def _arrange(self) -> None:
        enlarged = 0 if self._alone else self._enlarged
        for number, view in enumerate(self.views):
            view.main = number == (enlarged or 0)
            if enlarged is None:
                view.setVisible(not (self._two_only and number == 2))
            else:
                view.setVisible(number == enlarged)
        if self.active.isHidden():
            self.active = next(view for view in self.views if view.main)
        side = enlarged in (None, 0)
        self._grid.setColumnStretch(0, 5 if side else 0)
        # Without the third view the second one takes its place too.
        alone = self._two_only and enlarged is None
        self._grid.setRowStretch(1, 0 if alone else 1)
        self._grid.addWidget(self.views[1], 0, 1, 2 if alone else 1, 1)
        self._grid.setColumnStretch(1, 4 if enlarged != 0 else 0)

    def fit_all(self) -> None:
        """Fit every view to its plane."""
        for view in self.views:
            view.fit()

    def abort_gesture(self) -> bool:
        """Give up the drag in progress, if there is one."""
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
        self.views[0].setFocus(Qt.FocusReason.OtherFocusReason)
