"""What cameras and files do to a picture: blur, noise, JPEG."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from semseg.data.transforms.channels import in_groups
from semseg.data.transforms.resizing import between
from semseg.data.transforms.transform import Sample, Transform, check_pair, check_range
from semseg.data.transforms.values import image_range, to_dtype
from semseg.data.transforms.window import check_dtype


@dataclass(frozen=True, repr=False)
class ImageOperation(Transform):
    """A change of the image as a whole that leaves the mask alone."""

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The changed image, in memory of its own."""
        raise NotImplementedError

    @staticmethod
    def run_all(
        steps: "Iterable[ImageOperation]", sample: Sample, rng: np.random.Generator
    ) -> Sample:
        image = sample.image
        for step in steps:
            image = step.change(image, rng)
        return sample._replace(image=image)


@dataclass(frozen=True, repr=False)
class Blur(ImageOperation):
    """Gaussian blur whose standard deviation, in pixels, is drawn log-uniformly from [low, high].

    Example:
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> image, mask = Blur((0.5, 2.0))(image, mask, np.random.default_rng(0))
        >>> image.shape
        (6, 8, 3)
    """

    sd: tuple[float, float] = (0.5, 1.5)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pair(self, "sd")

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        check_dtype(image)
        sd = between(*self.sd, rng)
        return in_groups(lambda part: cv2.GaussianBlur(part, (0, 0), sd), image)


@dataclass(frozen=True, repr=False)
class Noise(ImageOperation):
    """Adds normally distributed noise, independent in every pixel and channel.

    Args:
        sd: the standard deviation is drawn from [0, sd], a share of the range: of 255 for 8 bit,
            of 65535 for 16 bit, of the image's own range for floats.

    Example:
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> image, mask = Noise(0.1)(image, mask, np.random.default_rng(0))
        >>> image.shape
        (6, 8, 3)
    """

    sd: float = 0.04

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "sd", 0, 1)

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        span = image_range(image)
        sd = np.float32(self.sd * rng.random() * (span.high - span.low))
        noise = rng.standard_normal(image.shape, dtype=np.float32) * sd
        return to_dtype(image.astype(np.float32) + noise, image.dtype)


@dataclass(frozen=True, repr=False)
class JPEG(ImageOperation):
    """Compresses as JPEG does, with a quality drawn from [low, high], 1 to 100.

    Grey or RGB images of uint8.

    Example:
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> image, mask = JPEG((30, 80))(image, mask, np.random.default_rng(0))
        >>> image.shape
        (6, 8, 3)
    """

    quality: tuple[int, int] = (40, 95)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pair(self, "quality")
        if self.quality[1] > 100:
            raise ValueError(f"quality of JPEG must be at most 100, received {self.quality}")

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if image.dtype != np.uint8 or image.shape[2] not in (1, 3):
            raise ValueError(
                "JPEG needs uint8 images of 1 or 3 channels, received "
                f"{image.dtype} of {image.shape[2]}; leave it out"
            )
        low, high = self.quality
        quality = int(low + rng.random() * (high + 1 - low))
        # The same swap on both ways: colours are coded in OpenCV's order.
        is_rgb = image.shape[2] == 3
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if is_rgb else image
        data: Any = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR if is_rgb else cv2.IMREAD_GRAYSCALE)
        return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB) if is_rgb else decoded[..., None]
