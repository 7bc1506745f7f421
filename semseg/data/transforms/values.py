"""Operations on single values: brightness, contrast, gamma; a row of them is one table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from semseg.data.transforms.operation import check_pair, check_range
from semseg.data.transforms.resizing import between
from semseg.data.transforms.transform import Sample, Transform


class Range(NamedTuple):
    """Where an image's values lie: the dtype's limits for integers, else the image's own."""

    low: float
    high: float
    middle: float  # of integers half way between, of floats the image's mean


@dataclass(frozen=True, repr=False)
class ValueOperation(Transform):
    """A change of each value by itself, whatever the channel and the place."""

    def adjust(self, values: np.ndarray, span: Range, rng: np.random.Generator) -> np.ndarray:
        """New values (float32) for `values`, of an image with that range."""
        raise NotImplementedError

    def check_image(self, image: np.ndarray) -> None:
        check_values(image)

    @staticmethod
    def run_all(
        steps: "Iterable[ValueOperation]", sample: Sample, rng: np.random.Generator
    ) -> Sample:
        return sample._replace(image=_adjusted(steps, sample.image, rng))


@dataclass(frozen=True, repr=False)
class Brightness(ValueOperation):
    """Multiplies by a factor drawn from [1 - `limit`, 1 + `limit`].

    Images of uint8, uint16 or float, any number of channels; integers are rounded and clipped to
    their range once, at the end of a row of such operations.

    Example:
        >>> image, mask = np.full((2, 2, 3), 100, "uint8"), np.zeros((2, 2), "uint8")
        >>> image, mask = Brightness(0.2)(image, mask, np.random.default_rng(0))
        >>> bool(80 <= image.min() <= image.max() <= 120)
        True
    """

    limit: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "limit", 0, 1)

    def adjust(self, values: np.ndarray, span: Range, rng: np.random.Generator) -> np.ndarray:
        return values * np.float32(_around_one(self.limit, rng))


@dataclass(frozen=True, repr=False)
class Contrast(ValueOperation):
    """Stretches around the middle by a factor drawn from [1 - `limit`, 1 + `limit`].

    The middle is that of the integer range (127.5 for 8 bit), for floats the image's mean.
    """

    limit: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "limit", 0, 1)

    def adjust(self, values: np.ndarray, span: Range, rng: np.random.Generator) -> np.ndarray:
        middle = np.float32(span.middle)
        return (values - middle) * np.float32(_around_one(self.limit, rng)) + middle


@dataclass(frozen=True, repr=False)
class Gamma(ValueOperation):
    """Raises values, as shares of the range, to a power drawn log-uniformly from [low, high].

    Below 1 dark parts become lighter. The range is that of the integer dtype (0 to 255 for 8 bit),
    for floats the image's own.
    """

    power: tuple[float, float] = (0.7, 1.4)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pair(self, "power")

    def adjust(self, values: np.ndarray, span: Range, rng: np.random.Generator) -> np.ndarray:
        power = between(*self.power, rng)
        extent = span.high - span.low
        if extent == 0:
            return values
        share = ((values - np.float32(span.low)) / np.float32(extent)).clip(0, 1)
        return share ** np.float32(power) * np.float32(extent) + np.float32(span.low)


def image_range(image: np.ndarray) -> Range:
    """The range of an image's values; dtypes without one are refused."""
    check_values(image)
    if image.dtype.kind == "f":
        return Range(float(image.min()), float(image.max()), float(image.mean()))
    top = float(np.iinfo(image.dtype).max)
    return Range(0.0, top, top / 2)


def check_values(image: np.ndarray) -> None:
    """Refuses dtypes whose values have no known range."""
    if image.dtype.kind != "f" and image.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"image must be uint8, uint16 or floating point, received {image.dtype}")


def to_dtype(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rounded and clipped for integers; floats go where they go."""
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    return values.round().clip(0, np.iinfo(dtype).max).astype(dtype)


def _adjusted(
    steps: Iterable[ValueOperation], image: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    if image.dtype.kind == "f":  # whose range is its own, and another one after each step
        image = np.ascontiguousarray(image)  # a mean depends on the order of its summands
        for step in steps:
            values = step.adjust(image.astype(np.float32), image_range(image), rng)
            image = to_dtype(values, image.dtype)
        return image
    span = image_range(image)
    values = np.arange(span.high + 1, dtype=np.float32)
    for step in steps:
        values = step.adjust(values, span, rng)
    values = to_dtype(values, image.dtype)
    if image.dtype == np.uint8:
        return cv2.LUT(np.ascontiguousarray(image), values).reshape(image.shape)
    return values[image]


def _around_one(limit: float, rng: np.random.Generator) -> float:
    return 1 + limit * (2 * rng.random() - 1)
