"""Rotation, shear, zoom and shift in one, and the view from another side."""

from dataclasses import dataclass

import cv2
import numpy as np

from semseg.data.transforms.frame import Border, Frame, scaling, shifting
from semseg.data.transforms.geometric import Geometric, check_border
from semseg.data.transforms.operation import check_pair, check_range
from semseg.data.transforms.resizing import between


@dataclass(frozen=True, repr=False)
class Affine(Geometric):
    """Turns, shears, zooms and shifts a picture around its middle; its size stays.

    Args:
        rotation: degrees, drawn from [-rotation, rotation]; positive is counter-clockwise.
        shear: degrees by which verticals lean, drawn from [-shear, shear].
        zoom: (low, high), a factor drawn log-uniformly; above 1 things become larger.
        shift: share of height and width, each drawn from [-shift, shift].
        mask_fill: the id beyond the picture, where the image is 0; in a pipeline the data set's
            `ignore_class` by default.
        border: "fill", or "reflect" to continue image and mask by their mirror images.

    Example:
        >>> image, mask = np.zeros((60, 80, 3), "uint8"), np.zeros((60, 80), "uint8")
        >>> transform = Affine(rotation=15, shift=0.1, mask_fill=255)
        >>> image, mask = transform(image, mask, np.random.default_rng(0))
        >>> np.unique(mask)
        array([  0, 255], dtype=uint8)
    """

    rotation: float = 0.0
    shear: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    mask_fill: int | None = None
    border: Border = "fill"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "rotation", 0, 360)
        check_range(self, "shear", 0, 80)
        check_range(self, "shift", 0, 1)
        check_pair(self, "zoom")
        check_border(self.border)

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        height, width = frame.size
        draws = 2 * rng.random(4) - 1
        turn, lean = np.radians(self.rotation * draws[0]), np.tan(np.radians(self.shear * draws[1]))
        zoom = between(*self.zoom, rng)
        turning = np.array(
            [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
        )
        leaning = np.array([[1, lean, 0], [0, 1, 0], [0, 0, 1]])
        # From the output back to the source: shift, zoom, shear and rotation undone.
        matrix = (
            shifting(width / 2, height / 2)
            @ turning
            @ leaning
            @ scaling(1 / zoom, 1 / zoom)
            @ shifting(
                -width * (0.5 + self.shift * draws[2]), -height * (0.5 + self.shift * draws[3])
            )
        )
        return frame.seen(matrix, frame.size, self.outside(self.mask_fill, self.border))


@dataclass(frozen=True, repr=False)
class Perspective(Geometric):
    """Looks at the picture from another side: its corners show points further inside.

    Args:
        distortion: how far inside, as a share of height and width, drawn for each of the corners
            from [0, distortion]. Below 1/2; nothing beyond the picture comes into view.

    Example:
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> image, mask = Perspective(0.2)(image, mask, np.random.default_rng(0))
        >>> image.shape
        (6, 8, 3)
    """

    distortion: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "distortion", 0, 0.49)

    def place(self, frame: Frame, rng: np.random.Generator) -> Frame:
        height, width = frame.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        moves = self.distortion * rng.random((4, 2)) * (width, height)
        places = (corners + inwards * moves).astype(np.float32)
        return frame.seen(cv2.getPerspectiveTransform(corners, places), frame.size)
