"""Exact sums on every backend: a number is four int32 limbs of 20 bits, from 2**-40 to 2**51.

JAX has no int64 unless asked, float32 forgets whole numbers beyond 2**24, and sums of floats depend
on their order. Whole numbers do not: any order, batch size and number of replicas gives the same
bits, for float weights too. The last axis-0 limb keeps what the others carry.
"""

from typing import Any

import numpy as np
from keras import ops

LIMB_BITS = 20
#: Value of one in each limb: two of fractions, two of whole numbers.
UNITS = np.array([2.0**-40, 2.0**-20, 1.0, 2.0**20])
HALF_UNITS = np.array([*UNITS[:-1], *UNITS[:-1] * 2.0 ** (LIMB_BITS // 2), UNITS[-1]])


def carried(limbs: Any) -> Any:
    """(4, ...) int32 limbs, each from 0 to 2**31 - 2**20 -> the same numbers, limbs below 2**20.

    Limbs of several numbers may be added first: those of replicas, of shards, of an update.
    """
    *lower, last = ops.unstack(limbs)
    carry, done = 0, []
    for limb in lower:
        total = limb + carry
        carry = ops.right_shift(total, LIMB_BITS)
        done.append(total - ops.left_shift(carry, LIMB_BITS))
    return ops.stack([*done, last + carry])


def of_whole_numbers(counts: Any) -> Any:
    """int32 counts -> their limbs, not carried."""
    nothing = ops.zeros_like(counts)
    return ops.stack([nothing, nothing, counts, nothing])


def pieces(weights: Any) -> list[Any]:
    """float32 weights in [0, 2**20) -> their three lower limbs, int32 in [0, 2**20].

    Every step is exact but the last rounding, to 2**-40: a weight of 2**-16 or more keeps all of
    its 24 bits.
    """
    whole = ops.floor(weights)
    scaled = (weights - whole) * 2.0**LIMB_BITS
    upper = ops.floor(scaled)
    lower = ops.floor((scaled - upper) * 2.0**LIMB_BITS + 0.5)
    return [ops.cast(piece, "int32") for piece in (lower, upper, whole)]


def of_pieces(sums: list[Any]) -> Any:
    """Sums of `pieces` -> their limbs, not carried."""
    return ops.stack([*sums, ops.zeros_like(sums[0])])


def halves(limbs: Any) -> Any:
    """(4, ...) carried limbs -> (7, ...) int32 whose units are HALF_UNITS.

    The lower limbs are cut in two: sums of 2**21 numbers stay within int32.
    """
    upper = ops.right_shift(limbs[:-1], LIMB_BITS // 2)
    lower = limbs[:-1] - ops.left_shift(upper, LIMB_BITS // 2)
    return ops.concatenate([lower, upper, limbs[-1:]], axis=0)


def to_numpy(limbs: Any) -> np.ndarray:
    """Limbs -> int64 where all numbers are whole, else float64."""
    values = ops.convert_to_numpy(limbs).astype(np.int64)
    whole = (values[3] << LIMB_BITS) + values[2]
    if not values[:2].any():
        return whole
    return whole + values[1] * UNITS[1] + values[0] * UNITS[0]
