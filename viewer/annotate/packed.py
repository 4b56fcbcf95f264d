"""The voxels of a box as few bytes: by the ends of its runs where that pays, else bit by bit.

What a brush touches has one run in most of its rows, whose ends lie near those of the row
before: how far they moved, a byte each, deflates to less than half of the bits.

Two forms. Bits: the (k, j, i) bool array, C order, packed most significant bit first, as a zlib
stream; the only form up to step 3 of the schema of journals. Runs: a byte, 1, 2 or 3, for rows
along i, j or k (of the array as (k, j, i), (k, i, j) or (j, i, k), C order), and a deflated stream
(RFC 1951) of one byte for each row, how many runs it has; one for each run, how far it begins
from where the run before it began, modulo 256; and one for each, the same of the first voxel
behind it.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Shape = tuple[int, int, int]

# By the first byte. No zlib stream begins so (RFC 1950: its low four bits are 8).
_ORDERS: dict[int, Shape] = {1: (0, 1, 2), 2: (0, 2, 1), 3: (1, 2, 0)}
_BACK = {1: (0, 1, 2), 2: (0, 2, 1), 3: (2, 0, 1)}
_SMALL = 1 << 20  # voxels
_WIDEST = 255
_FEW = 16  # voxels a run, on the average, below which bits are shorter


def pack(voxels: Bools) -> bytes:
    """Return the bytes of a (k, j, i) bool array."""
    if voxels.size > _SMALL:
        # The undo of a stroke is kept for ever; only of whole organs would small take long.
        return zlib.compress(np.packbits(voxels, axis=None).tobytes(), 1)
    tried = [_pack_runs(voxels, tag) for tag in _ORDERS]
    found = [packed for packed in tried if packed is not None]
    if found:
        return min(found, key=len)
    return zlib.compress(np.packbits(voxels, axis=None).tobytes(), 9)


def _pack_runs(voxels: Bools, tag: int) -> bytes | None:
    array = voxels.transpose(_ORDERS[tag])
    if array.shape[2] > _WIDEST:
        return None
    padded = np.zeros((*array.shape[:2], array.shape[2] + 2), dtype=np.bool_)
    padded[..., 1:-1] = array
    rows, width = array.shape[0] * array.shape[1], array.shape[2] + 1
    ends = np.flatnonzero(padded[..., 1:] != padded[..., :-1])
    if len(ends) * _FEW > 2 * voxels.size:
        return None
    counts = np.bincount(ends[::2] // width, minlength=rows).astype(np.uint8)
    moves = np.diff((ends % width).astype(np.uint8).reshape(-1, 2), axis=0, prepend=np.uint8(0))
    deflater = zlib.compressobj(9, wbits=-15, memLevel=9)
    plain = counts.tobytes() + moves.T.tobytes()
    return bytes([tag]) + deflater.compress(plain) + deflater.flush()


def unpack(packed: bytes, shape: Shape) -> Bools:
    """Return the (k, j, i) bool array of a box of this shape.

    Raises
    ------
    ValueError
        When the bytes are not those of such a box.
    """
    if packed and packed[0] in _ORDERS:
        return _unpack_runs(packed, shape)
    count = int(np.prod(shape, dtype=np.int64))
    size = (count + 7) // 8
    plain = _inflated(packed, size, 15)
    if len(plain) != size:
        raise ValueError("a delta has as many bits as its box has voxels")
    flat = np.unpackbits(np.frombuffer(plain, dtype=np.uint8), count=count)
    return flat.view(np.bool_).reshape(shape)


def _unpack_runs(packed: bytes, shape: Shape) -> Bools:
    order = _ORDERS[packed[0]]
    a, b, c = (shape[axis] for axis in order)
    rows, width = a * b, c + 1
    plain = np.frombuffer(_inflated(packed[1:], rows * (1 + width), -15), dtype=np.uint8)
    counts, moves = plain[:rows], plain[rows:]
    runs = int(counts.sum(dtype=np.int64))
    if len(counts) != rows or len(moves) != 2 * runs:
        raise ValueError("the runs of a delta are not all there")
    ends = moves.reshape(2, runs).cumsum(axis=1, dtype=np.uint8)
    # Where it turns: each row has one voxel more, which is outside.
    turns = np.empty(2 * runs + 2, dtype=np.int64)
    turns[0], turns[-1] = 0, rows * width
    first = np.arange(0, rows * width, width).repeat(counts)
    np.add(first, ends[0], out=turns[1:-1:2])
    np.add(first, ends[1], out=turns[2:-1:2])
    lengths = turns[1:] - turns[:-1]
    if runs and (ends.max() >= width or lengths[1:].min() <= 0):
        raise ValueError("the runs of a delta leave its box")
    in_turn = np.zeros(len(lengths), dtype=np.bool_)
    in_turn[1::2] = True
    inside = in_turn.repeat(lengths).reshape(a, b, width)[..., :-1]
    return np.ascontiguousarray(inside.transpose(_BACK[packed[0]]))


def _inflated(packed: bytes, size: int, wbits: int) -> bytes:
    inflater = zlib.decompressobj(wbits)
    try:
        # A limit, so that a forged journal cannot ask for gigabytes.
        return inflater.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError("the bits of a delta cannot be inflated") from error
