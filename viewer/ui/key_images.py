"""Key images: one key marks the shown slice, the same key takes the mark away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from resources.problem import Problem
from resources.text import translate
from viewer.annotate.journal import utc_now
from viewer.annotate.key_images import TOPIC, KeyImage, key_images, marked
from viewer.ui.view_corners import plane_name

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView


class KeyImages(QObject):
    """Marks slices of the open case, and goes back to them."""

    told = Signal(str)
    changed = Signal()

    def __init__(self, reading: Reading, active: Callable[[], SliceView], parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._active = active
        self._kept: tuple[object, tuple[KeyImage, ...]] = (None, ())
        reading.document_changed.connect(self._on_document)
        reading.case_changed.connect(self._on_case)

    # ------------------------------------------------------------------- ask

    @property
    def listed(self) -> tuple[KeyImage, ...]:
        """The key images of the open case, by plane and slice as its view counts them."""
        case = self._reading.case
        return listed(case, self._reading) if case is not None else ()

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what each of its commands does."""
        return {
            "key_image": self.toggle,
            "key_image_next": lambda: self.step(1),
        }

    def reasons(self) -> dict[str, str]:
        """Return why a command cannot be used now."""
        case = self._reading.case
        if case is None:
            return {}
        if case.is_being_read:
            return {"key_image": translate("key images", "The images are still being read.")}
        if not self.listed:
            return {"key_image_next": translate("key images", "No image is marked.")}
        return {}

    def checked(self) -> dict[str, bool]:
        """Return which of its switches are on."""
        return {"key_image": self._here() is not None}

    def _here(self) -> KeyImage | None:
        view = self._active()
        if view.case is None or view.case is not self._reading.case or view.plane is None:
            return None
        if not view.plane.straight:
            return None
        return marked(view.case.document.notes(TOPIC), view.plane.name, view.index)

    # -------------------------------------------------------------------- do

    def toggle(self) -> None:
        """Mark the slice of the active view, or take its mark away."""
        view, case = self._active(), self._reading.case
        if case is None or view.plane is None or view.case is not case:
            self.told.emit(translate("key images", "Mark an image of the open series."))
            return
        if not view.plane.straight:
            text = translate("key images", "Turn the planes straight first: {key}.")
            self.told.emit(text.format(key=self._reading.keys.name("straight")))
            return
        window = self._reading.window
        k = view.index if view.plane.axis == 0 else round(self._reading.cursor_kji()[0])
        one = KeyImage(
            view.plane.name,
            view.index,
            k,
            (float(window.centre), float(window.width)),
            case.reader.name,
            utc_now(),
        )
        gone = one.note_id in case.document.notes(TOPIC)
        text = where(one, self._reading)
        if self._set(case, one.note_id, None if gone else one.note()):
            said = (
                translate("key images", "{image} is no key image any more.")
                if gone
                else translate("key images", "{image} is a key image.")
            )
            self.told.emit(said.format(image=text))

    def _set(self, case: Case, note_id: str, note: dict[str, Any] | None) -> bool:
        try:
            change = case.set_note(TOPIC, note_id, note, tool="key image")
        except Problem as problem:
            self.told.emit(str(problem))
            return False
        if change is not None:
            self._reading.document_changed.emit(change)
        return change is not None

    def remove(self, one: KeyImage) -> None:
        """Take a mark away; undo brings it back."""
        case = self._reading.case
        if case is not None:
            self._set(case, one.note_id, None)

    def go_to(self, one: KeyImage) -> None:
        """Show a key image, in the window that it was marked in."""
        plane = self._reading.straight.get(one.plane)
        if plane is None or self._reading.case is None:
            return
        self._reading.show_slice(plane, one.index)
        if self._reading.case.volume.colours is None:
            self._reading.set_window(self._reading.window.moved(*one.window))

    def step(self, by: int) -> None:
        """Go to the next key image, and round from the last to the first."""
        found = self.listed
        if not found:
            return
        here = self._here()
        at = found.index(here) + by if here in found else 0
        self.go_to(found[at % len(found)])

    def _on_document(self, change: Any) -> None:
        if change.kind == "note" and change.note is not None and change.note[0] == TOPIC:
            self.changed.emit()

    def _on_case(self) -> None:
        self.changed.emit()


def listed(case: Case, reading: Reading) -> tuple[KeyImage, ...]:
    """Return the key images of a case in reading order."""
    found = key_images(case.document.notes(TOPIC))
    planes = reading.straight
    order = list(planes)
    there = [one for one in found if one.plane in planes and one.index < planes[one.plane].count]
    return tuple(
        sorted(there, key=lambda one: (order.index(one.plane), planes[one.plane].number(one.index)))
    )


def where(one: KeyImage, reading: Reading) -> str:
    """Return which image a key image is, in words."""
    plane = reading.straight[one.plane]
    number = plane.number(one.index)
    if len(reading.straight) == 1:
        return translate("key images", "Image {number}").format(number=number)
    return translate("key images", "{plane}, image {number}").format(
        plane=plane_name(one.plane), number=number
    )
