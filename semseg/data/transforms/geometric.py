"""Transforms that move pixels: each maps a Window to a Window."""

from dataclasses import dataclass

import numpy as np

from semseg._checks import check_size
from semseg.data.transforms.window import Size, Window, resample


class Geometric:
    """A transform that moves pixels, alone or fused with its neighbours in a `Compose`."""

    def place(self, window: Window, rng: np.random.Generator) -> Window:
        """The window after this transform."""
        raise NotImplementedError

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """(height, width, channels), (height, width) -> the same, moved together."""
        return resample(image, mask, self.place(Window.whole(mask.shape), rng))


@dataclass(frozen=True)
class Resize(Geometric):
    """Stretches every pair to `size` = (height, width): image linear, mask nearest.

    Example:
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> image, mask = Resize((3, 4))(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((3, 4, 3), (3, 4))
    """

    size: Size

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check_size(self.size))

    def place(self, window: Window, rng: np.random.Generator) -> Window:
        return window.resized(self.size)


@dataclass(frozen=True)
class Flip(Geometric):
    """Exchanges left and right with the given probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        _check_share(self.probability, "probability")

    def place(self, window: Window, rng: np.random.Generator) -> Window:
        return window.mirrored() if rng.random() < self.probability else window


@dataclass(frozen=True)
class RandomScale(Geometric):
    """Enlarges or shrinks by a factor drawn log-uniformly from [`low`, `high`]."""

    low: float = 0.75
    high: float = 1.5

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high:
            raise ValueError(
                f"RandomScale needs 0 < low <= high, received low={self.low}, high={self.high}"
            )

    def place(self, window: Window, rng: np.random.Generator) -> Window:
        factor = self.low * (self.high / self.low) ** rng.random()
        height, width = (max(1, round(n * factor)) for n in window.size)
        return window.resized((height, width))


@dataclass(frozen=True)
class RandomCrop(Geometric):
    """Cuts out `size` = (height, width) at a random place.

    A picture smaller than that is placed at random inside the crop; the rest of the image is 0,
    the rest of the mask `mask_fill`: the ignored id, or the background's.
    """

    size: Size
    mask_fill: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check_size(self.size))

    def place(self, window: Window, rng: np.random.Generator) -> Window:
        row, column = (
            _draw(have - want, draw)
            for have, want, draw in zip(window.size, self.size, rng.random(2), strict=True)
        )
        cropped = window.cropped(row, column, self.size)
        if self.mask_fill is None:
            return cropped
        return Window(**{**vars(cropped), "mask_fill": self.mask_fill})


def _draw(spare: int, draw: float) -> int:
    """A whole number between 0 and `spare`, both included, whichever sign `spare` has."""
    return int(draw * (abs(spare) + 1)) * (1 if spare >= 0 else -1)


def _check_share(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], received {value!r}")
