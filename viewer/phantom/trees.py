"""Branching trees that fill a lung: arteries, veins, airways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference import geometry

Points = npt.NDArray[np.float64]

_STEP_MM = 0.5
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Edges of a tree, each bent a little.

    Attributes
    ----------
    starts, bends, ends
        (n, 3) LPS mm: control points of quadratic curves.
    start_radii, end_radii
        (n,) mm.
    """

    starts: Points
    bends: Points
    ends: Points
    start_radii: npt.NDArray[np.float64]
    end_radii: npt.NDArray[np.float64]


def grow(
    rng: np.random.Generator,
    root: Points,
    targets: Points,
    twig_mm: float,
    largest_mm: float,
    reach: float = 0.42,
) -> Tree:
    """Grow a tree from ``root`` that ends in every target.

    Each branch runs a share ``reach`` of the way to the middle of what it has to supply and
    then divides that in two across its longest axis. Radii follow Murray's law.

    Parameters
    ----------
    root
        (3,) LPS mm.
    targets
        (n, 3) LPS mm.
    twig_mm, largest_mm
        Radius of the last twigs, and the radius that no branch exceeds.
    """
    edges: list[tuple[Points, Points, float, float]] = []

    def radius(count: int) -> float:
        return float(min(largest_mm, twig_mm * count ** (1 / 3)))

    work = [(root, targets)]
    while work:
        start, supplied = work.pop()
        count = len(supplied)
        if count == 1:
            edges.append((start, supplied[0], radius(1), 0.6 * radius(1)))
            continue
        middle = supplied.mean(axis=0)
        end = start + reach * (middle - start)
        edges.append((start, end, radius(count), radius((count + 1) // 2)))
        _, _, axes = np.linalg.svd(supplied - middle, full_matrices=False)
        order = np.argsort((supplied - middle) @ axes[0], kind="stable")
        half = count // 2
        work += [(end, supplied[order[:half]]), (end, supplied[order[half:]])]
    starts = np.array([edge[0] for edge in edges])
    ends = np.array([edge[1] for edge in edges])
    lengths = np.linalg.norm(ends - starts, axis=1, keepdims=True)
    bends = (starts + ends) / 2 + rng.standard_normal(starts.shape) * 0.06 * lengths
    return Tree(
        starts, bends, ends, np.array([e[2] for e in edges]), np.array([e[3] for e in edges])
    )


def fill(
    rng: np.random.Generator, tree: Tree, thicken_mm: float = 0.0
) -> tuple[Points, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Fill the branches with points, each standing for a bit of volume.

    Returns
    -------
    points
        (n, 3) LPS mm.
    volumes_mm3
        (n,) share of volume of each point.
    radii_mm
        (n,) radius of the branch where the point lies.
    """
    lengths = np.linalg.norm(tree.ends - tree.starts, axis=1)
    steps = np.maximum(1, np.ceil(lengths / _STEP_MM)).astype(np.int64)
    edge = np.repeat(np.arange(len(steps)), steps)
    first = np.concatenate([[0], np.cumsum(steps)[:-1]])
    t = ((np.arange(len(edge)) - first[edge]) + 0.5) / steps[edge]
    s, m, e = tree.starts[edge], tree.bends[edge], tree.ends[edge]
    u = t[:, None]
    centres = (1 - u) ** 2 * s + 2 * u * (1 - u) * m + u**2 * e
    along = 2 * (1 - u) * (m - s) + 2 * u * (e - m)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    radii = thicken_mm + (1 - t) * tree.start_radii[edge] + t * tree.end_radii[edge]

    # A sunflower of points over each cross-section, turned at random from step to step.
    counts = np.maximum(1, np.ceil(np.pi * radii**2 / _STEP_MM**2)).astype(np.int64)
    at = np.repeat(np.arange(len(counts)), counts)
    start = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.arange(len(at)) - start[at]
    distance = radii[at] * np.sqrt((rank + 0.5) / counts[at])
    angle = rank * _GOLDEN_ANGLE + rng.uniform(0, 2 * np.pi, len(counts))[at]
    helper = np.where(np.abs(along[:, 2:3]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    side = np.cross(along, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(along, side)
    points = (
        centres[at]
        + (distance * np.cos(angle))[:, None] * side[at]
        + (distance * np.sin(angle))[:, None] * up[at]
    )
    volumes = (np.pi * radii**2 * (lengths / steps)[edge] / counts)[at]
    return points, volumes, radii[at]


def splat(
    out: npt.NDArray[np.float32],
    affine: geometry.Affine,
    points_lps_mm: Points,
    volumes_mm3: npt.NDArray[np.float64],
) -> None:
    """Add the points' volumes to the voxels they lie in, as shares of a voxel, in place."""
    nearest = np.rint(geometry.lps_mm_to_kji(affine, points_lps_mm)).astype(np.int64)
    inside = ((nearest >= 0) & (nearest < out.shape)).all(axis=1)
    k, j, i = nearest[inside].T
    flat = (k * out.shape[1] + j) * out.shape[2] + i
    shares = (volumes_mm3[inside] / geometry.voxel_volume_mm3(affine)).astype(np.float32)
    np.add.at(out.reshape(-1), flat, shares)
