"""What batches are made of: named samples with random access."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


class Samples(Protocol):
    """`len(samples)` and `samples[i]` -> (image, mask), a pure function of `i`."""

    name: str
    ids: Sequence[str]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Pair: ...
