"""A chain of transforms, fused where neighbours allow it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from semseg.data.transforms.geometric import Geometric
from semseg.data.transforms.photometric import Photometric, apply_photometric
from semseg.data.transforms.window import Window, resample

Transform = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Compose:
    """Transforms one after the other.

    Geometric ones in a row read the picture once; photometric ones in a row become one table.
    Any function of (image, mask, rng) may stand between them.

    Example:
        >>> from semseg.data.transforms import Flip, RandomCrop, RandomScale
        >>> chain = Compose([RandomScale(0.5, 2.0), RandomCrop((4, 4), mask_fill=255), Flip()])
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> image, mask = chain(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((4, 4, 3), (4, 4))
    """

    transforms: Sequence[Transform]

    def __post_init__(self) -> None:
        flat: list[Transform] = []
        for transform in self.transforms:
            if not callable(transform):
                raise TypeError(
                    f"transforms must be functions of (image, mask, rng), received {transform!r}"
                )
            flat += transform.transforms if isinstance(transform, Compose) else [transform]
        object.__setattr__(self, "transforms", tuple(flat))

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """(height, width, channels), (height, width) -> the same, transformed together."""
        for kind, group in groupby(self.transforms, key=_kind):
            run: list[Any] = list(group)
            if kind is Geometric:
                window = Window.whole(mask.shape)
                for transform in run:
                    window = transform.place(window, rng)
                image, mask = resample(image, mask, window)
            elif kind is Photometric:
                image = apply_photometric(run, image, rng)
            else:
                # Someone's own function may write into its arguments, never into a data set.
                image, mask = image.copy(), mask.copy()
                for transform in run:
                    image, mask = transform(image, mask, rng)
        return image, mask


def _kind(transform: Transform) -> type | None:
    return next((kind for kind in (Geometric, Photometric) if isinstance(transform, kind)), None)
