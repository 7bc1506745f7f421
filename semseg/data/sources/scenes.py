"""What sources of generated scenes share: checked numbers, and each scene's own random stream."""

import numpy as np

from semseg._checks import check_count, check_size


def check_scenes(
    count: int | None, default: int, size: tuple[int, int], seed: int, smallest: int, what_fits: str
) -> tuple[int, tuple[int, int], int]:
    """Number, size and seed of the scenes; `what_fits` into a side of `smallest` pixels."""
    count = default if count is None else check_count("count", count, 1)
    seed = check_count("seed", seed, 0)
    size = check_size(size)
    if min(size) < smallest:
        raise ValueError(
            f"size must be (height, width) of at least {smallest} each, so that {what_fits}, "
            f"received {size}; make larger scenes and crop them"
        )
    return count, size, seed


def scene_rng(seed: int, stream: int, index: int) -> np.random.Generator:
    """Draws that depend on seed, split (by its stream) and index alone, in any process."""
    sequence = np.random.SeedSequence(seed, spawn_key=(stream, index))
    return np.random.Generator(np.random.Philox(sequence))
