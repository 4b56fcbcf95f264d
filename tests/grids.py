"""Grids of voxels that lie askew: axes and affines, the same for the same seed."""

import numpy as np


def random_axes(seed):
    """Return a random orthogonal matrix; half of them mirror."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q * np.sign(np.diag(r))


def make_affine(spacing=(2.5, 0.7, 0.9), seed=None, flips=(1, 1, 1), shear=0.0):
    """Return an affine from (k, j, i) to LPS mm: straight, or askew by a seed; a shear tilts it."""
    axes = np.eye(3)[:, ::-1] if seed is None else random_axes(seed)
    affine = np.eye(4)
    affine[:3, :3] = axes * np.asarray(spacing) * flips
    affine[:3, 0] += shear * affine[:3, 1]
    affine[:3, 3] = (5.0, -6.0, 7.0)
    return affine
