"""Where a chain of geometric transforms looks: output pixels -> places in the source picture.

Geometric transforms only compose maps; pixels are read once, at the end, for image and mask
alike, so that the two can't get out of step and nothing is interpolated twice.

Coordinates are (x, y), counted from the picture's corner: pixel i covers [i, i + 1] and its centre
is i + 1/2.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Self

import cv2
import numpy as np

Size = tuple[int, int]
Border = Literal["fill", "reflect"]

#: Pixels of an image: a mask (height, width), or rows and columns.
Place = np.ndarray | tuple[slice, slice]

#: x (1, width) and y (height, 1), or both (height, width), in a frame -> the same, displaced.
Bend = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

SNAP = 1e-6  # pixels; what products of scales and shifts may be off by, and less than one sees


@dataclass(frozen=True, eq=False)
class Outside:
    """What is seen beyond a frame's edges: the ignored id (the image is 0), or a reflection."""

    border: Border
    mask_fill: int | None
    owner: str  # the transform that looks there, for errors


NOTHING = Outside("fill", None, "the picture itself")


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture of `size` that is seen through `matrix`, and perhaps bent, from another frame.

    A point p of this frame shows what `under` has at `bend(matrix @ p)`; where `under` is None,
    that is the source. What lies beyond the edges of `under` is `outside`.
    """

    source: np.ndarray  # the mask as it was, which has the source's size
    size: Size
    matrix: np.ndarray
    under: "Frame | None" = None
    bend: Bend | None = None
    outside: Outside = NOTHING
    is_whole: bool = True  # the edges are those of what is under it

    @classmethod
    def of(cls, mask: np.ndarray) -> Self:
        """The picture as it is."""
        height, width = mask.shape
        return cls(mask, (height, width), np.eye(3))

    @property
    def size_under(self) -> Size:
        """(height, width) of what is under it."""
        height, width = self.source.shape if self.under is None else self.under.size
        return height, width

    def resized(self, size: Size) -> "Frame":
        """All of it in another number of pixels."""
        return self.seen(scaling(self.size[1] / size[1], self.size[0] / size[0]), size)

    def cropped(self, row: float, column: float, size: Size, outside: Outside) -> "Frame":
        """`size` pixels from (row, column) on, which may reach beyond the edges."""
        return self.seen(shifting(column, row), size, outside)

    def bent(self, bend: Bend, outside: Outside) -> "Frame":
        """The same size, with every point displaced by `bend`."""
        return Frame(self.source, self.size, np.eye(3), self, bend, outside, is_whole=False)

    def seen(self, matrix: np.ndarray, size: Size, outside: Outside = NOTHING) -> "Frame":
        """A picture of `size` whose point p shows this frame's point `matrix @ p`."""
        left, top, right, bottom = _reach(matrix, size)
        height, width = self.size
        is_inside = (
            left >= -SNAP and top >= -SNAP and right <= width + SNAP and bottom <= height + SNAP
        )
        if not is_inside and not self.is_whole:
            # Beyond the edges of a crop is nothing, though the source goes on.
            return Frame(self.source, size, matrix, self, None, outside, is_whole=False)
        covers = (
            is_inside
            and left <= SNAP
            and top <= SNAP
            and right >= width - SNAP
            and bottom >= height - SNAP
        )
        return replace(
            self,
            size=size,
            matrix=self.matrix @ matrix,
            outside=self.outside if is_inside else outside,
            is_whole=self.is_whole and covers,
        )

    def locate(self, x: float, y: float) -> tuple[float, float]:
        """Where the source's point (x, y) is seen in this frame."""
        if self.under is not None:
            x, y = self.under.locate(x, y)
        goal = np.array([[x], [y]])
        place = goal
        if self.bend is not None:  # displacements are smooth: a fixed point is soon found
            for _ in range(8):
                place = place + goal - np.array(self.bend(place[:1], place[1:])).reshape(2, 1)
        seen = project(np.linalg.inv(self.matrix), *place)
        return float(seen[0][0]), float(seen[1][0])


def scaling(x: float, y: float) -> np.ndarray:
    """The matrix that multiplies coordinates."""
    return np.diag([x, y, 1.0])


def shifting(x: float, y: float) -> np.ndarray:
    """The matrix that adds to coordinates."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def project(matrix: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`matrix` applied to points; x and y keep their shapes where the axes stay apart."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    if g == h == 0:
        return _affine(a, b, c, x, y), _affine(d, e, f, x, y)
    depth = g * x + h * y + i
    return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth


def _reach(matrix: np.ndarray, size: Size) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what a picture of `size` sees; Python is faster for four."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    xs, ys = [], []
    for x, y in ((0, 0), (size[1], 0), (0, size[0]), (size[1], size[0])):
        depth = g * x + h * y + i
        xs.append((a * x + b * y + c) / depth)
        ys.append((d * x + e * y + f) / depth)
    return min(xs), min(ys), max(xs), max(ys)


def _affine(by_x: float, by_y: float, shift: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if by_y == 0:
        return x * by_x + shift
    if by_x == 0:
        return y * by_y + shift
    if x.shape == y.shape and x.ndim == 2:
        return cv2.addWeighted(x, by_x, y, by_y, shift)  # in one pass
    return x * by_x + (y * by_y + shift)
