"""What sources of generated scenes share: checked numbers, and each scene's own random stream."""

from typing import Any

import numpy as np


def checked_int(value: Any, name: str, least: int) -> int:
    """An int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int >= {least}, received {value!r}")
    if value < least:
        raise ValueError(f"{name} must be an int >= {least}, received {value}")
    return int(value)


def scene_rng(seed: int, stream: int, index: int) -> np.random.Generator:
    """Draws that depend on seed, split (by its stream) and index alone, in any process."""
    sequence = np.random.SeedSequence(seed, spawn_key=(stream, index))
    return np.random.Generator(np.random.Philox(sequence))
