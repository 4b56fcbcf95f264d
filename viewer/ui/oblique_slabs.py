"""The slab of a view whose plane is turned: a few of its slices at once, then all of them.

Hundreds of milliseconds of sampling have no place in the thread of the window. What is missing
is sampled in a pool and kept; until it is there a few slices are shown, and the view says so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QThreadPool, Slot

from viewer.display.layers import Fill, Heat
from viewer.display.oblique import ObliquePlane
from viewer.display.oblique_slab import Layer, Layers, some_of
from viewer.display.oblique_slice import compose_flat
from viewer.display.slab import Mode, Slab, Span
from viewer.ui.jobs import Job

if TYPE_CHECKING:
    import numpy.typing as npt

    from inference.findings import Mask
    from inference.volume import Volume
    from viewer.display.grey import Rgb32, Window
    from viewer.display.sampling import Part

    Bools = npt.NDArray[np.bool_]

# So many are sampled while the view is painted: as one scrolls there is one, or two.
_AT_ONCE = 3
_COARSE, _WHILE_TURNING = 3, 5
_SMALL_PX = 40_000  # of a slice: so few are sampled at once, as many slices as there are
_MOST_ARRAYS = 200

Done = list[tuple[Layers, int, Layer]]


class ObliqueSlabs(QObject):
    """What one view shows of slabs in turned planes.

    Parameters
    ----------
    renew
        Called in the GUI thread when all slices of the slab are there.
    """

    def __init__(self, renew: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._renew = renew
        self._plane: ObliquePlane | None = None
        self._span: Span = (0, 1)
        self._index = 0
        self._arrays: dict[tuple[int, Mode], Layers] = {}
        self._asked: list[Layers] = []
        self._job: Job | None = None
        self._heat: tuple[npt.NDArray[np.uint8], Part] | None = None
        self.pending = False  # whether a few of the slices stand for all

    def begin(self, plane: ObliquePlane, index: int, span: Span) -> None:
        """Get ready to show a slab: what is asked for until ``end`` belongs to it."""
        if plane is not self._plane:
            self.forget()
            self._plane = plane
        if len(self._arrays) > _MOST_ARRAYS:
            self._arrays.clear()
        self._span, self._index = span, index
        self._asked, self._heat, self.pending = [], None, False

    def end(self) -> None:
        """Have sampled what is missing."""
        if self._job is not None:
            self._job.cancel()  # what it has done is kept
            self._job = None
        todo = [(one, index) for one in self._asked for index in one.missing(self._indices())]
        for one in self._asked:
            one.let_go(self._span)
        self.pending = bool(todo)
        if todo and self._plane is not None and not self._plane.quick:
            self._job = Job(partial(_sample, todo), self)
            self._job.succeeded.connect(self._on_sampled)
            self._job.discarded.connect(self._keep)
            self._job.start(QThreadPool.globalInstance())

    def forget(self) -> None:
        """Let all of it go: another case, another plane, no slab."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._plane, self._heat, self.pending = None, None, False
        self._arrays, self._asked = {}, []

    def _indices(self) -> range:
        return range(*self._span)

    def _layers(
        self,
        values_kji: npt.NDArray[Any],
        mode: Mode,
        origin_kji: tuple[int, int, int],
        *,
        linear: bool,
    ) -> Layers:
        assert self._plane is not None
        known = self._arrays.get((id(values_kji), mode))
        if known is None or known.values_kji is not values_kji:
            known = Layers(
                values_kji, self._plane, mode,
                origin_kji=origin_kji, linear=linear and not self._plane.quick,
            )  # fmt: skip
            self._arrays[id(values_kji), mode] = known
        if known not in self._asked:
            self._asked.append(known)
            self._sample_some(known)
        return known

    def _sample_some(self, layers: Layers) -> None:
        """Sample what can be waited for."""
        assert self._plane is not None
        wanted = layers.missing(self._indices())
        if len(wanted) > _AT_ONCE and layers.shape[0] * layers.shape[1] > _SMALL_PX:
            most = _WHILE_TURNING if self._plane.quick else _COARSE
            wanted = layers.missing(some_of(self._span, self._index, most))
        for index in wanted:
            layers.put(index, layers.sampled(index))

    # ----------------------------------------------------------------- asked

    def values(self, volume: Volume, mode: Mode) -> tuple[npt.NDArray[Any], Bools]:
        """Return the values of the slab over the whole plane, and where there are any."""
        return self._layers(volume.voxels, mode, (0, 0, 0), linear=True).flat(self._indices())

    def mask(self, mask: Mask) -> tuple[Bools, Part] | None:
        """Return where any slice of the slab meets a mask, of a part of the plane, or None."""
        if not mask.voxels.size:
            return None
        layers = self._layers(mask.voxels, "mip", mask.origin_kji, linear=False)
        if not layers.met(self._indices()):
            return None
        found = layers.flat(self._indices())[0]
        return (found, layers.part) if found.any() else None

    def heat(self, heat: Heat) -> tuple[npt.NDArray[np.uint8], Part]:
        """Return the highest values of a map, of a part of the plane."""
        of = heat.heatmap
        layers = self._layers(of.values, "mip", of.origin_kji, linear=True)
        self._heat = layers.flat(self._indices())[0], layers.part
        return self._heat

    def heat_at(self, row: int, column: int) -> float:
        """Return the value of the map that is shown at a pixel, 0 to 1."""
        if self._heat is None:
            return 0.0
        values, (rows, columns) = self._heat
        inside = rows.start <= row < rows.stop and columns.start <= column < columns.stop
        return float(values[row - rows.start, column - columns.start]) / 255 if inside else 0.0

    # --------------------------------------------------------------- answers

    @Slot(object)
    def _on_sampled(self, done: object) -> None:
        self._job = None
        self._keep(done)
        self._renew()

    @Slot(object)
    def _keep(self, done: object) -> None:
        assert isinstance(done, list)
        for layers, index, layer in done:
            layers.put(index, layer)


def _sample(
    todo: list[tuple[Layers, int]],
    _report: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Done:
    done: Done = []
    for layers, index in todo:
        if cancelled():
            break
        done.append((layers, index, layers.sampled(index)))
    return done


def compose(
    slabs: ObliqueSlabs,
    volume: Volume,
    slab: Slab,
    window: Window,
    *,
    invert: bool,
    heat: Heat | None,
    fills: list[Fill],
) -> tuple[Rgb32, npt.NDArray[Any]]:
    """Render the slab that ``slabs`` was made ready for; return the values shown as well."""
    values, inside = slabs.values(volume, slab.mode)
    over = None
    if heat is not None:
        found, (rows, columns) = slabs.heat(heat)
        over = heat, found, (rows.start, columns.start)
    filled = []
    for fill in fills:
        part = slabs.mask(fill.mask)
        if part is not None:
            filled.append((fill, part[0], (part[1][0].start, part[1][1].start)))
    buffer = compose_flat(volume, (values, inside), window, invert=invert, heat=over, fills=filled)
    return buffer, values
