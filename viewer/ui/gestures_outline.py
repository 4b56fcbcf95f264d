"""What the tools of the model do: a click has it outline or refine, a drag sets the window."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from resources.text import translate
from viewer.ui.gestures_look import WindowDrag


class OutlineClick(WindowDrag):
    """A click points at what the AI missed; a drag widens and brightens as without the tool."""

    def click(self, at: QPointF) -> None:
        if self.view.voxel_at(at) is None:
            self.view.told.emit(translate("outline", "This point lies outside the images."))
        else:
            self.view.reading.outline_asked.emit(self.view.lps_at(at))


class RefineClick(WindowDrag):
    """A click points at what belongs to the selected outline, with Ctrl at what does not."""

    def click(self, at: QPointF) -> None:
        if self.view.voxel_at(at) is None:
            self.view.told.emit(translate("outline", "This point lies outside the images."))
            return
        belongs = not self.keys & Qt.KeyboardModifier.ControlModifier
        self.view.reading.refine_asked.emit(self.view.lps_at(at), belongs)
