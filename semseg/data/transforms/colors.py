"""Operations that mix red, green and blue: saturation and hue; a row of them is one matrix."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from semseg.data.transforms.operation import check_range
from semseg.data.transforms.transform import Sample, Transform
from semseg.data.transforms.values import check_values

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
# From RGB to luma and two axes of colour (YIQ, as in NTSC), and back.
_TO_YIQ = np.array([_LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
_TO_RGB = np.linalg.inv(_TO_YIQ)


@dataclass(frozen=True, repr=False)
class ColorOperation(Transform):
    """A linear change of colours, the same at every pixel of an RGB image."""

    def matrix(self, rng: np.random.Generator) -> np.ndarray:
        """(3, 3), which multiplies (red, green, blue)."""
        raise NotImplementedError

    def check_image(self, image: np.ndarray) -> None:
        if image.shape[2] != 3:
            raise ValueError(
                "colours can only be changed in images of 3 channels (RGB), received "
                f"{image.shape[2]} channels; leave it out"
            )
        check_values(image)

    @staticmethod
    def run_all(
        steps: "Iterable[ColorOperation]", sample: Sample, rng: np.random.Generator
    ) -> Sample:
        image = sample.image
        matrix = np.eye(3)
        for step in steps:
            step.check_image(image)
            matrix = step.matrix(rng) @ matrix
        wide = image.astype(np.float32) if image.dtype == np.float16 else image
        return sample._replace(image=cv2.transform(wide, matrix).astype(image.dtype, copy=False))


@dataclass(frozen=True, repr=False)
class Saturation(ColorOperation):
    """Moves colours away from grey by a factor drawn from [1 - `limit`, 1 + `limit`].

    A factor of 0 is the grey picture (luma, ITU-R BT.601). RGB of uint8, uint16 or float.

    Example:
        >>> image, mask = np.full((2, 2, 3), (200, 100, 50), "uint8"), np.zeros((2, 2), "uint8")
        >>> image, mask = Saturation(0.5)(image, mask, np.random.default_rng(0))
        >>> image.shape
        (2, 2, 3)
    """

    limit: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "limit", 0, 1)

    def matrix(self, rng: np.random.Generator) -> np.ndarray:
        factor = 1 + self.limit * (2 * rng.random() - 1)
        return factor * np.eye(3) + (1 - factor) * np.tile(_LUMA, (3, 1))


@dataclass(frozen=True, repr=False)
class Hue(ColorOperation):
    """Turns colours by an angle drawn from [-`degrees`, `degrees`]; luma stays.

    The turn is one around the grey axis in YIQ space, not in HSV: it is linear, so that dark and
    almost grey pixels do not jump. RGB of uint8, uint16 or float.

    Example:
        >>> image, mask = np.full((2, 2, 3), (200, 100, 50), "uint8"), np.zeros((2, 2), "uint8")
        >>> image, mask = Hue(20)(image, mask, np.random.default_rng(0))
        >>> image.shape
        (2, 2, 3)
    """

    degrees: float = 15.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "degrees", 0, 180)

    def matrix(self, rng: np.random.Generator) -> np.ndarray:
        angle = np.radians(self.degrees * (2 * rng.random() - 1))
        turn = np.array(
            [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
        )
        return _TO_RGB @ turn @ _TO_YIQ
