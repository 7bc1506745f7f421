"""Another number of pixels: to a size, or by a random factor."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from semseg._checks import check_size, is_number
from semseg.data.transforms.frame import Frame, Size
from semseg.data.transforms.geometric import Geometric

Method = Literal["stretch", "fit", "fill", "longest"]


@dataclass(frozen=True, repr=False)
class Resize(Geometric):
    """Brings every pair to one size: image linear, mask nearest, both with half-pixel centres.

    Args:
        size: (height, width); for "longest" one number, the longer side.
        method: "stretch" changes the aspect; "fit" keeps it, and fills what remains, the picture in
            the middle; "fill" keeps it and cuts off what is too much, on both sides; "longest"
            keeps it and gives pictures of different sizes, whose longer side is `size`.
        mask_fill: the id of what "fit" adds, where the image is 0; in a pipeline the data set's
            `ignore_class` by default.

    Example:
        >>> image, mask = np.zeros((60, 80, 3), "uint8"), np.zeros((60, 80), "uint8")
        >>> image, mask = Resize((30, 30), "fill")(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((30, 30, 3), (30, 30))
    """

    size: Size | int
    method: Method = "stretch"
    mask_fill: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method not in get_args(Method):
            raise ValueError(
                f"method must be one of {', '.join(get_args(Method))}, received {self.method!r}"
            )
        if self.method != "longest":
            object.__setattr__(self, "size", check_size(self.size))
        elif not isinstance(self.size, int) or self.size < 1:
            raise ValueError(f"size must be an int >= 1 for 'longest', received {self.size!r}")

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        if isinstance(self.size, int):
            return frame.resized(_scaled(frame.size, self.size / max(frame.size)))
        if self.method == "stretch":
            return frame.resized(self.size)
        ratios = [want / have for want, have in zip(self.size, frame.size, strict=True)]
        scale = min(ratios) if self.method == "fit" else max(ratios)
        resized = frame.resized(_scaled(frame.size, scale))
        row, column = ((h - w) // 2 for h, w in zip(resized.size, self.size, strict=True))
        return resized.cropped(row, column, self.size, self.outside(self.mask_fill))


@dataclass(frozen=True, repr=False)
class RandomScale(Geometric):
    """Enlarges or shrinks by a factor drawn log-uniformly from [`low`, `high`]."""

    low: float = 0.75
    high: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_number(self.low) or not is_number(self.high) or not 0 < self.low <= self.high:
            raise ValueError(
                f"RandomScale needs 0 < low <= high, received low={self.low!r}, "
                f"high={self.high!r}; pass two numbers, as in RandomScale(0.5, 2.0)"
            )

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        return frame.resized(_scaled(frame.size, between(self.low, self.high, rng)))


def between(low: float, high: float, rng: np.random.Generator) -> float:
    """A factor between two, as likely to halve as to double."""
    return float(low * (high / low) ** rng.random())


def _scaled(size: Size, factor: float) -> Size:
    height, width = (max(1, round(n * factor)) for n in size)
    return height, width
