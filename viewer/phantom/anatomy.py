"""The chest phantom: a synthetic CT volume and the truth about it.

Nothing here comes from a patient. All places are LPS mm with the carina at the origin.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.transform import Rotation

from inference import geometry
from inference.findings import Mask
from inference.volume import Volume
from viewer.phantom import thorax, trees
from viewer.phantom.nodules import DEFAULT_NODULES, DrawnNodule, NoduleSpec, draw
from viewer.phantom.shapes import Plane
from viewer.phantom.thorax import SIGN, Side
from viewer.phantom.tissue import TissuePainter

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PhantomSpec:
    """Which phantom to make.

    Attributes
    ----------
    shape_kji
        Slices, rows, columns.
    spacing_kji_mm
        Between slices, rows and columns, mm.
    seed
        Of everything random: vessels, texture, noise.
    rotation_deg
        Turn of the grid about x, y, then z of the patient; zeros give axial slices.
    centre_lps_mm
        Centre of the grid.
    nodules
        What to hide in the lungs.
    noise_hu
        Standard deviation of the noise in HU before the kernel, which about halves it.
    twigs
        Number of ends of each arterial and each venous tree.
    """

    shape_kji: tuple[int, int, int] = (128, 512, 512)
    spacing_kji_mm: tuple[float, float, float] = (2.5, 0.7, 0.7)
    seed: int = 20
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    centre_lps_mm: tuple[float, float, float] = (0.0, 8.0, -42.0)
    nodules: tuple[NoduleSpec, ...] = DEFAULT_NODULES
    noise_hu: float = 34.0
    twigs: int = 1000

    @classmethod
    def small(cls, **changes: object) -> PhantomSpec:
        """Return a coarse phantom, made in a moment, for tests of anything but its looks."""
        values: dict[str, object] = {
            "shape_kji": (48, 128, 128),
            "spacing_kji_mm": (7.0, 2.8, 2.8),
            "twigs": 120,
            **changes,
        }
        return cls(**values)  # type: ignore[arg-type]

    @property
    def affine(self) -> geometry.Affine:
        """(4, 4), (k, j, i, 1) to LPS mm; slices ascend along row x column."""
        turn = Rotation.from_euler("xyz", self.rotation_deg, degrees=True).as_matrix()
        affine = np.eye(4)
        for axis, step in enumerate(self.spacing_kji_mm):
            affine[:3, axis] = turn[:, 2 - axis] * step
        middle = (np.array(self.shape_kji) - 1) / 2
        affine[:3, 3] = np.asarray(self.centre_lps_mm) - affine[:3, :3] @ middle
        return affine


@dataclass(frozen=True, slots=True, eq=False)
class PhantomNodule:
    """The truth about one nodule.

    Attributes
    ----------
    centre_lps_mm
        LPS mm.
    diameter_mm
        Diameter of the sphere of its volume, mm.
    volume_ml
        Volume of that sphere, mL.
    side
        ``"right"`` or ``"left"``.
    solid
        False when it has a ground-glass halo.
    mask
        Voxels at least half inside it, spicules left out.
    """

    centre_lps_mm: tuple[float, float, float]
    diameter_mm: float
    volume_ml: float
    side: Side
    solid: bool
    mask: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A phantom and its truth.

    Attributes
    ----------
    volume
        int16 HU, modality CT.
    nodules
        Those whose voxels lie in the volume, in the order of the spec.
    lungs
        (k, j, i) uint8: 1 right lung, 2 left lung, vessels and nodules included.
    """

    spec: PhantomSpec
    volume: Volume
    nodules: tuple[PhantomNodule, ...]
    lungs: npt.NDArray[np.uint8]

    def lung(self, side: Side) -> Mask:
        """Return the mask of one lung."""
        return Mask.from_array(self.lungs == (1 if side == "right" else 2))


def make_phantom(spec: PhantomSpec | None = None, progress: Progress | None = None) -> Phantom:
    """Make the phantom: the same spec gives the same voxels.

    Parameters
    ----------
    spec
        Which; None makes the one of the sample study.
    progress
        Called with (slices done, slices). It may raise: nothing more is done then.
    """
    spec = spec or PhantomSpec()
    affine, shape = spec.affine, spec.shape_kji
    step = progress or _untold
    drawn = _draw_nodules(spec, lambda: step(0, shape[0]))
    painter = TissuePainter(spec.seed, affine, shape)
    step(0, shape[0])
    vessels, lumen, wall = _trees(spec)
    voxels = np.empty(shape, dtype=np.int16)
    lungs = np.zeros(shape, dtype=np.uint8)
    done = 0

    def one(k: int) -> None:
        p = Plane.of_slice(affine, shape[1:], k)
        image, right, left = painter.slice_hu(p, k, vessels[k], lumen[k], wall[k])
        for nodule in drawn:
            rows_k, rows, columns = nodule.box
            if rows_k.start <= k < rows_k.stop:
                part = image[rows, columns]
                inside = nodule.coverage[k - rows_k.start]
                part += inside * (nodule.density_hu[k - rows_k.start] - part)
        ndimage.gaussian_filter(image, 0.55, output=image, truncate=3)
        image += _noise(spec, k)
        voxels[k] = np.clip(np.rint(image), -1024, 3071)
        lungs[k][right > 0.5] = 1
        lungs[k][left > 0.5] = 2

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            for _ in pool.map(one, range(shape[0])):
                done += 1
                step(done, shape[0])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    nodules = tuple(_truth(nodule) for nodule in drawn if nodule.mask.count)
    return Phantom(spec, Volume(voxels, affine, "CT", "HU"), nodules, lungs)


def _untold(_done: int, _total: int) -> None:
    pass


def _draw_nodules(spec: PhantomSpec, step: Callable[[], object]) -> list[DrawnNodule]:
    out = []
    for number, nodule in enumerate(spec.nodules):
        step()
        rng = np.random.default_rng((spec.seed, 3, number))
        drawn = draw(nodule, rng, spec.affine, spec.shape_kji)
        if drawn is not None:
            out.append(drawn)
    return out


def _truth(drawn: DrawnNodule) -> PhantomNodule:
    spec = drawn.spec
    return PhantomNodule(
        centre_lps_mm=spec.centre_lps_mm,
        diameter_mm=spec.diameter_mm,
        volume_ml=float(np.pi * spec.diameter_mm**3 / 6000),
        side=spec.side,
        solid=spec.halo_hu is None,
        mask=drawn.mask,
    )


def _noise(spec: PhantomSpec, k: int) -> npt.NDArray[np.float32]:
    """Return noise with the short-range correlation of a reconstruction kernel."""
    rng = np.random.default_rng((spec.seed, 1, k))
    white = rng.standard_normal(spec.shape_kji[1:], dtype=np.float32)
    sharp = ndimage.gaussian_filter(white, 0.6, truncate=3)
    return np.asarray(spec.noise_hu * (sharp - 0.35 * ndimage.uniform_filter(white, 5)))


_ROOTS: dict[Side, tuple[tuple[float, float, float], ...]] = {
    "right": ((-36, 8, -18), (-32, 16, -34), (-38, 21, -36)),
    "left": ((38, 14, -10), (34, 18, -30), (44, 27, -36)),
}


def _trees(
    spec: PhantomSpec,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the shares of each voxel in vessels, in the lumen and in the walls of bronchi."""
    vessels, lumen, wall = (np.zeros(spec.shape_kji, dtype=np.float32) for _ in range(3))
    for side in SIGN:
        rng = np.random.default_rng((spec.seed, 2, SIGN[side] + 1))
        count = spec.twigs
        targets = _points_in_lung(rng, side, 2 * count + 28)
        artery, vein, bronchus = (np.asarray(root, dtype=np.float64) for root in _ROOTS[side])
        for root, ends in ((artery, targets[:count]), (vein, targets[count : 2 * count])):
            tree = trees.grow(rng, root, ends, twig_mm=0.43, largest_mm=3.7, reach=0.46)
            points, volumes, radii = trees.fill(rng, tree)
            keep = _clear_of_nodules(spec, points, radii)
            trees.splat(vessels, spec.affine, points[keep], volumes[keep])
        tree = trees.grow(rng, bronchus, targets[2 * count :], twig_mm=0.8, largest_mm=3.2)
        for out, thicken in ((wall, 0.7), (lumen, 0.0)):
            points, volumes, radii = trees.fill(rng, tree, thicken)
            keep = _clear_of_nodules(spec, points, radii + 1.0)
            trees.splat(out, spec.affine, points[keep], volumes[keep])
    for out in (vessels, lumen, wall):
        np.minimum(out, 1, out=out)
    return vessels, lumen, wall


def _points_in_lung(rng: np.random.Generator, side: Side, count: int) -> npt.NDArray[np.float64]:
    found = np.zeros((0, 3))
    while len(found) < count:
        tried = rng.uniform((0, -95, -185), (140, 100, 100), (20000, 3))
        tried[:, 0] *= SIGN[side]
        fields = tried.astype(np.float32)
        p = Plane(fields[:, 0], fields[:, 1], fields[:, 2])
        far = np.full(len(tried), 99, dtype=np.float32)
        depth = -thorax.lung_mm(p, side, thorax.mediastinum_mm(p, far))
        # Most twigs end near the pleura, so that branches run outwards through the middle.
        keep = (depth > 3.0) & ((depth < 13.0) | (rng.random(len(tried)) < 0.3))
        found = np.concatenate([found, tried[keep]])
    return found[:count]


def _clear_of_nodules(
    spec: PhantomSpec, points: npt.NDArray[np.float64], radii: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Keep thick branches off the nodules, so that the truth has a clear border."""
    keep = np.ones(len(points), dtype=np.bool_)
    for nodule in spec.nodules:
        distance = np.linalg.norm(points - np.asarray(nodule.centre_lps_mm), axis=1)
        keep &= (distance > nodule.diameter_mm / 2 + 3.0) | (radii < 0.7)
    return keep
