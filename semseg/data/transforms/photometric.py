"""Transforms that change pixel values and leave the mask alone."""

from dataclasses import dataclass

import numpy as np


class Photometric:
    """A transform of single pixel values; a chain of them is one look-up table."""

    def adjust(self, values: np.ndarray, middle: float, rng: np.random.Generator) -> np.ndarray:
        """New values (float32) for `values`; `middle` is the middle of the image's range."""
        raise NotImplementedError

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Image of any number of channels and range; the mask comes back as it was."""
        return apply_photometric([self], image, rng), mask


@dataclass(frozen=True)
class Brightness(Photometric):
    """Multiplies by a factor drawn from [1 - `limit`, 1 + `limit`].

    Example:
        >>> image, mask = np.full((2, 2, 3), 100, "uint8"), np.zeros((2, 2), "uint8")
        >>> image, mask = Brightness(0.2)(image, mask, np.random.default_rng(0))
        >>> bool(80 <= image.min() <= image.max() <= 120)
        True
    """

    limit: float = 0.2

    def __post_init__(self) -> None:
        _check_limit(self.limit)

    def adjust(self, values: np.ndarray, middle: float, rng: np.random.Generator) -> np.ndarray:
        return values * np.float32(1 + self.limit * (2 * rng.random() - 1))


@dataclass(frozen=True)
class Contrast(Photometric):
    """Stretches around the middle by a factor drawn from [1 - `limit`, 1 + `limit`].

    The middle is that of the integer range (127.5 for 8 bit), for floats the image's mean.
    """

    limit: float = 0.2

    def __post_init__(self) -> None:
        _check_limit(self.limit)

    def adjust(self, values: np.ndarray, middle: float, rng: np.random.Generator) -> np.ndarray:
        factor = np.float32(1 + self.limit * (2 * rng.random() - 1))
        return (values - np.float32(middle)) * factor + np.float32(middle)


def apply_photometric(
    chain: list[Photometric], image: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Runs a chain over an image; integers through one table, rounded and clipped once."""
    if image.dtype.kind == "f":
        values, middle = image.astype(np.float32), float(image.mean())
        for transform in chain:
            values = transform.adjust(values, middle, rng)
        return values.astype(image.dtype)
    if image.dtype not in (np.uint8, np.uint16):
        raise TypeError(
            f"image must be uint8, uint16 or floating point for {chain[0]!r}, received "
            f"{image.dtype}"
        )
    top = np.iinfo(image.dtype).max
    values = np.arange(top + 1, dtype=np.float32)
    for transform in chain:
        values = transform.adjust(values, top / 2, rng)
    return values.round().clip(0, top).astype(image.dtype)[image]


def _check_limit(limit: float) -> None:
    if not 0 <= limit <= 1:
        raise ValueError(f"limit must lie in [0, 1], received {limit!r}")
