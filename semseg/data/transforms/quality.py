"""What cameras and files do to a picture, and what undoes bad light."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from semseg._checks import check_count
from semseg.data.transforms.channels import in_groups
from semseg.data.transforms.operation import check_pair, check_range
from semseg.data.transforms.resizing import between
from semseg.data.transforms.transform import Sample, Transform
from semseg.data.transforms.values import check_values, image_range, to_dtype
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
            step.check_image(image)
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

    def check_image(self, image: np.ndarray) -> None:
        check_dtype(image)

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        sd = between(*self.sd, rng)
        return in_groups(lambda part: cv2.GaussianBlur(part, (0, 0), sd), image)


@dataclass(frozen=True, repr=False)
class MotionBlur(ImageOperation):
    """Averages along a straight line, in any direction, as a camera does that moves.

    Args:
        length: of the line, in pixels, drawn log-uniformly from [low, high]; 1 changes nothing.

    The middle of the line is the pixel itself, so that nothing is shifted against the mask. Beyond
    the edges the picture is reflected.

    Example:
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> image, mask = MotionBlur((5, 9))(image, mask, np.random.default_rng(0))
        >>> image.shape
        (6, 8, 3)
    """

    length: tuple[float, float] = (3, 9)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pair(self, "length")
        if self.length[0] < 1:
            raise ValueError(f"length of MotionBlur must be at least 1, received {self.length}")

    def check_image(self, image: np.ndarray) -> None:
        check_dtype(image)

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        kernel = line_kernel(between(*self.length, rng), rng.random() * np.pi)
        how = cv2.BORDER_REFLECT_101
        return in_groups(lambda part: cv2.filter2D(part, -1, kernel, borderType=how), image)


def line_kernel(length: float, angle: float) -> np.ndarray:
    """A line of that length in pixels through the middle, each point shared by four pixels."""
    reach = int(np.ceil(length / 2))
    points = max(256, 8 * reach)
    along = (np.arange(points) + 0.5) / points - 0.5
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    x, y = (along * (length - 1) * f(angle) + reach for f in (np.cos, np.sin))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for right, at_x in ((0, left + 1 - x), (1, x - left)):
        for below, at_y in ((0, top + 1 - y), (1, y - top)):
            np.add.at(kernel, (top + below, left + right), at_x * at_y)
    return kernel / kernel.sum()


@dataclass(frozen=True, repr=False)
class CLAHE(ImageOperation):
    """Evens out brightness tile by tile (contrast limited adaptive histogram equalisation).

    Of RGB the luma is evened out, and all three channels move with it, so that colours stay; of
    other pictures each channel by itself. Images of uint8 and uint16 (Zuiderveld, 1994; OpenCV's).

    Args:
        limit: how many times the mean a bar of a tile's histogram may reach, before what is cut
            off is shared among all bars; drawn log-uniformly from [low, high], not below 1. More
            is more contrast, and more noise.
        tile: the least height and width of a tile, in pixels. Its histogram has a bar a grey
            value, and OpenCV counts in whole pixels what a bar may hold: 32 at least for uint8,
            512 for uint16.

    Example:
        >>> image = np.arange(4096, dtype="uint8").reshape(64, 64, 1) // 4
        >>> even, mask = CLAHE()(image, np.zeros((64, 64), "uint8"), np.random.default_rng(0))
        >>> bool(even.std() > image.std())
        True
    """

    limit: tuple[float, float] = (1.0, 4.0)
    tile: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pair(self, "limit")
        check_count("tile of CLAHE", self.tile, 32)
        if self.limit[0] < 1:
            raise ValueError(f"limit of CLAHE must be at least 1, received {self.limit}")

    def check_image(self, image: np.ndarray) -> None:
        if image.dtype not in (np.uint8, np.uint16):
            raise TypeError(f"CLAHE needs images of uint8 or uint16, received {image.dtype}")
        if image.dtype == np.uint16 and self.tile < 512:
            raise ValueError(f"CLAHE needs tile >= 512 for images of uint16, received {self.tile}")

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        height, width = image.shape[:2]
        if min(height, width) < self.tile:
            raise ValueError(
                f"CLAHE needs pictures of at least a tile of {self.tile} x {self.tile}, received "
                f"{height} x {width}; pass a smaller tile="
            )
        tiles = (width // self.tile, height // self.tile)  # OpenCV counts columns first
        evened = cv2.createCLAHE(between(*self.limit, rng), tiles).apply
        if image.shape[2] != 3:
            return np.stack([evened(channel) for channel in np.moveaxis(image, 2, 0)], axis=2)
        luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        change = evened(luma).astype(np.int32) - luma
        return to_dtype((image + change[..., None]).astype(np.float32), image.dtype)


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

    def check_image(self, image: np.ndarray) -> None:
        check_values(image)

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

    def check_image(self, image: np.ndarray) -> None:
        if image.dtype != np.uint8 or image.shape[2] not in (1, 3):
            raise ValueError(
                "JPEG needs uint8 images of 1 or 3 channels, received "
                f"{image.dtype} of {image.shape[2]}; leave it out"
            )

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        low, high = self.quality
        quality = int(low + rng.random() * (high + 1 - low))
        # The same swap on both ways: colours are coded in OpenCV's order.
        is_rgb = image.shape[2] == 3
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if is_rgb else image
        data: Any = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR if is_rgb else cv2.IMREAD_GRAYSCALE)
        return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB) if is_rgb else decoded[..., None]
