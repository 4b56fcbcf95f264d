"""Windows of the images: presets for their modality, from the values, and remembered ones."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from resources.text import translate
from viewer.display.box_values import values_in_box
from viewer.display.grey import LINEAR, LINEAR_EXACT, Window
from viewer.display.presets import Preset, between, presets, table_name
from viewer.study import default_window
from viewer.study.case_key import case_key
from viewer.ui.commands import PRESET_KEYS, preset_name

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.reading import Reading
    from viewer.ui.settings import Settings
    from viewer.ui.slice_view import SliceView

log = logging.getLogger(__name__)

_PRESETS, _FIRST = "window presets", "first windows"
_SLICES, _STEP = 24, 4  # enough values for a percentile that nobody sees differ
_MOST_KEPT = 200


class Windows(QObject):
    """What the digits do, the window from the values, and the one a kind of series begins with.

    All of it is for the series of the active view: the open one, or the one beside.

    A reader may give a preset another window; that is kept with the settings, as is the window
    that he wants series of one modality and description to begin with. The description itself is
    not kept: it is typed by people.
    """

    told = Signal(str)
    changed = Signal()

    def __init__(
        self,
        reading: Reading,
        settings: Settings,
        active: Callable[[], SliceView],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._settings = settings
        self._active = active
        self._actions: Mapping[str, QAction] = {}
        self._table = "CT"
        self._presets: dict[str, Preset] = {}
        self._shown_for: object = None  # the case that the digits are for
        self._planes: object = None
        self._own = self._stored(_PRESETS)
        self._firsts = self._stored(_FIRST)
        self._tell_presets()
        reading.case_changed.connect(self._on_case)

    # ------------------------------------------------------------------ part

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what each of its commands does."""
        digits = {f"preset_{key}": partial(self.show_preset, key) for key in PRESET_KEYS}
        return {
            **digits,
            "preset_0": self.show_file_window,
            "auto_window": self.show_auto,
            "first_window": self.toggle_first,
            "presets_reset": self.reset_presets,
        }

    def reasons(self) -> dict[str, str]:
        """Return why a command cannot be used now."""
        none = "" if self._own else translate("windows", "No preset was changed.")
        case = self._now.case
        if case is None:
            return {"presets_reset": none}
        why = {"presets_reset": none}
        for key in PRESET_KEYS:
            if case.volume.colours is not None:
                why[f"preset_{key}"] = translate("windows", "A colour image keeps its colours.")
            elif key not in self._presets:
                text = translate("windows", "There is no preset on this key for {modality}.")
                why[f"preset_{key}"] = text.format(modality=case.series.modality or "?")
        if case.volume.colours is not None:
            why["auto_window"] = translate("windows", "A colour image keeps its colours.")
        return why

    def checked(self) -> dict[str, bool]:
        """Return which of its switches are on."""
        return {"first_window": self._remembered(self._now.case) is not None}

    def attach(self, actions: Mapping[str, QAction]) -> None:
        """Name the presets of the open case on their actions."""
        self._actions = actions
        self._name_actions()

    def follow_active(self) -> None:
        """Name the digits for the series of the view that keys act on now."""
        case = self._now.case
        if case is not self._shown_for:
            self._shown_for = case
            self._table = _table_of(case) if case is not None else self._table
            self._tell_presets()

    @property
    def _now(self) -> Reading:
        """The reading of the active view; the open one where that view shows nothing."""
        if self._reading.case is None:
            return self._reading
        reading = self._active().reading
        return reading if reading.case is not None else self._reading

    # --------------------------------------------------------------- windows

    def show_preset(self, key: str) -> None:
        """Show the window of a digit."""
        self.follow_active()
        reading = self._now
        preset, case = self._presets.get(key), reading.case
        if preset is None or case is None or case.volume.colours is not None:
            return
        fine = case.volume.voxels.dtype.kind == "f"
        reading.set_window(preset.window(reading.first_window, partial(sample_of, case), fine=fine))

    def show_file_window(self) -> None:
        """Show the window of the file; of several, each time the next."""
        reading = self._now
        case = reading.case
        if case is None or case.is_being_read:
            return
        k = case.volume.shape_kji[0] // 2
        stored = [reading.first_window.clamped()]
        for found in default_window.windows(case.plan, case.volume.voxels[k])[:-1]:
            window = found.clamped()
            if window not in stored:
                stored.append(window)
        now = reading.window
        at = (stored.index(now) + 1) % len(stored) if now in stored else 0
        reading.set_window(stored[at])
        if len(stored) > 1:
            said = translate("window", "Window {number} of {count} in the file: {name}")
            name = stored[at].name or translate("window", "without a name")
            self.told.emit(said.format(number=at + 1, count=len(stored), name=name))

    def show_auto(self) -> None:
        """Show the window that the slice of the active view calls for."""
        view = self._active()
        case = view.case
        if case is None or view.plane is None or case.volume.colours is not None:
            return
        box = (0.0, 0.0, *view.plane.size_mm)
        values = values_in_box(case.volume.voxels, view.plane, view.index, box)
        view.reading.set_window(auto_window(case, values))

    def toggle_first(self) -> None:
        """Begin series of this kind with the window as it is; a second time: no longer."""
        case = self._now.case
        if case is None:
            return
        key, window = _kind(case), self._now.window
        if self._remembered(case) is not None:
            del self._firsts[key]
            text = translate("windows", "Such series begin with the window of their file again.")
        else:
            while len(self._firsts) >= _MOST_KEPT:
                del self._firsts[next(iter(self._firsts))]
            self._firsts[key] = [window.centre, window.width]
            text = translate("windows", "Such series will begin with this window.")
        self._keep(_FIRST, self._firsts)
        self.told.emit(text)

    def give_preset(self, key: str) -> None:
        """Put the window as it is on a digit, for all series of this kind of values."""
        self.follow_active()
        window = self._now.window
        self._own.setdefault(self._table, {})[key] = [window.centre, window.width]
        self._keep(_PRESETS, self._own)
        self._tell_presets()
        self.told.emit(
            translate("windows", "Key {key} now gives W {width} L {level}.").format(
                key=key, width=f"{window.width:.0f}", level=f"{window.centre:.0f}"
            )
        )

    def reset_presets(self) -> None:
        """Give all digits the windows that they came with."""
        self._own = {}
        self._keep(_PRESETS, self._own)
        self._tell_presets()

    def menu(self, parent: QMenu, actions: Mapping[str, QAction]) -> QMenu:
        """Return the menu of windows, which shows their keys too."""
        menu = QMenu(translate("windows", "Window"), parent)
        menu.setToolTipsVisible(True)
        for key in PRESET_KEYS:
            if key in self._presets:
                menu.addAction(actions[f"preset_{key}"])
        for name in ("auto_window", "region", "preset_0", "invert"):
            menu.addAction(actions[name])
        menu.addSeparator()
        menu.addAction(actions["first_window"])
        give = menu.addMenu(translate("windows", "Put this window on a key"))
        give.setEnabled(self._reading.case is not None)
        for key in PRESET_KEYS:
            preset = self._presets.get(key)
            name = f"{key}  {preset_name(preset.name)}" if preset is not None else key
            give.addAction(name).triggered.connect(partial(self.give_preset, key))
        menu.addAction(actions["presets_reset"])
        return menu

    # ---------------------------------------------------------------- follow

    def _on_case(self) -> None:
        case = self._reading.case
        planes = case.plan.planes if case is not None else None
        if planes is self._planes:
            return  # the same images, of which all are there now
        self._planes = planes
        if case is None:
            return
        self._shown_for = case
        self._table = _table_of(case)
        self._tell_presets()
        wanted = self._remembered(case)
        if wanted is not None and case.volume.colours is None:
            self._reading.set_window(self._reading.first_window.moved(*wanted))

    def _tell_presets(self) -> None:
        self._presets = {preset.key: preset for preset in presets(self._table)}
        own = self._own.get(self._table)
        for key, window in (own if isinstance(own, dict) else {}).items():
            if key in PRESET_KEYS and (pair := _pair(window)) is not None:
                before = self._presets.get(key)
                name = before.name if before is not None else translate("windows", "My window")
                self._presets[key] = Preset(key, name, fixed=pair)
        self._name_actions()
        self.changed.emit()

    def _name_actions(self) -> None:
        for key in PRESET_KEYS:
            action = self._actions.get(f"preset_{key}")
            if action is not None:
                preset = self._presets.get(key)
                none = translate("windows", "No preset")
                action.setText(preset_name(preset.name) if preset is not None else none)

    # ------------------------------------------------------------------ data

    def _remembered(self, case: Case | None) -> tuple[float, float] | None:
        return _pair(self._firsts.get(_kind(case))) if case is not None else None

    def _stored(self, name: str) -> dict[str, Any]:
        text = self._settings.text(name)
        try:
            found = json.loads(text) if text else {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            log.warning("%s could not be read", name)
            return {}
        return found

    def _keep(self, name: str, value: dict[str, Any]) -> None:
        self._settings.put(name, json.dumps(value) if value else "")
        self.changed.emit()


def auto_window(case: Case, values: npt.NDArray[Any]) -> Window:
    """Return the window from the 1st to the 99th percentile of some values of a case."""
    function = LINEAR_EXACT if case.volume.voxels.dtype.kind == "f" else LINEAR
    return between(_real(case, values), (1.0, 99.0), function)


def sample_of(case: Case) -> npt.NDArray[Any]:
    """Return some values of a case, of the slices that are there, padding left out."""
    voxels = case.volume.voxels
    count = voxels.shape[0]
    there = [k for k in range(count) if case.slices.has(k)]
    some = there[:: max(1, len(there) // _SLICES)]
    values = voxels[some][:, ::_STEP, ::_STEP] if some else voxels[:0]
    return _real(case, values)


def _real(case: Case, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    flat = np.asarray(values).reshape(-1)
    if case.volume.padding is None:
        return flat
    low, high = case.volume.padding
    real = flat[(flat < low) | (flat > high)]
    return real if real.size else flat


def _table_of(case: Case) -> str:
    return table_name(case.series.modality, case.volume.unit)


def _kind(case: Case) -> str:
    """Return a key for series of one modality and description that says neither."""
    if case not in _kinds:  # asked at every step, and it looks at the disk
        _kinds[case] = case_key(f"window {case.series.modality} {case.series.description}")
    return _kinds[case]


_kinds: WeakKeyDictionary[Case, str] = WeakKeyDictionary()


def _pair(value: Any) -> tuple[float, float] | None:
    """Return a centre and a width that make sense, or None."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    if not all(isinstance(part, (int, float)) and abs(part) < 1e9 for part in value):
        return None
    return (float(value[0]), float(value[1])) if value[1] > 0 else None
