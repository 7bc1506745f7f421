"""Rotations, perspectives and deformations: a place in the source for every output pixel."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from semseg.data.transforms.channels import in_groups
from semseg.data.transforms.frame import NOTHING, SNAP, Frame, Outside, Place, project
from semseg.data.transforms.window import averaged, check_dtype

_REMAPPED = ("uint8", "uint16", "int16", "int32")
_REMAP_LIMIT = 32_767  # pixels a side, from which on OpenCV's remap refuses


@dataclass(frozen=True, eq=False)
class Warp:
    """Where each output pixel looks in the source: float32, pixel centres are whole numbers."""

    x: np.ndarray
    y: np.ndarray
    steps: tuple[int, int]  # source pixels an output pixel, in whole numbers: rows, columns
    _beyond: list[tuple[Place, Outside]] = field(default_factory=list)

    @classmethod
    def of(cls, frame: Frame) -> "Warp":
        """Follows a frame's maps down to the source."""
        size = frame.size
        x = np.arange(size[1], dtype=np.float32)[None] + np.float32(0.5)
        y = np.arange(size[0], dtype=np.float32)[:, None] + np.float32(0.5)
        steps = _steps(frame)
        beyond: list[tuple[Place, Outside]] = []
        is_out = np.zeros((1, 1), bool)
        at: Frame | None = frame
        while at is not None:
            x, y = project(at.matrix, x, y)
            if at.bend is not None:
                x, y = at.bend(x, y)
            height, width = at.size_under
            if at.outside.border == "reflect":
                x, y = _reflected(x, width), _reflected(y, height)
            elif at.outside is not NOTHING:
                where = ((x < 0) | (x >= width) | ((y < 0) | (y >= height))) & ~is_out
                if where.any():
                    # What is nothing in one frame is nothing, whatever lies further down.
                    beyond.append((np.broadcast_to(where, size), at.outside))
                    is_out = is_out | where
            at = at.under
        x, y = (np.add(axis, np.float32(-0.5), out=np.empty(size, np.float32)) for axis in (x, y))
        return cls(x, y, steps, beyond)

    def beyond(self, source: tuple[int, ...]) -> list[tuple[Place, Outside]]:
        """The pixels that show nothing, and what is there instead."""
        return self._beyond

    def nearest(self, mask: np.ndarray) -> np.ndarray:
        """The mask's pixel at each place; beyond the picture the nearest one."""
        height, width = mask.shape
        if mask.dtype.name in _REMAPPED and max(height, width) < _REMAP_LIMIT:
            return self._remap(mask, cv2.INTER_NEAREST)
        rows = np.floor(self.y + np.float32(0.5)).clip(0, height - 1).astype(np.int64)
        columns = np.floor(self.x + np.float32(0.5)).clip(0, width - 1).astype(np.int64)
        picked: np.ndarray = mask[rows, columns]
        return picked

    def linear(self, image: np.ndarray) -> np.ndarray:
        """Bilinear between pixel centres; where it shrinks by 2 or more, of means of blocks."""
        check_dtype(image)
        down, right = self.steps
        if down == right == 1 and max(image.shape[:2]) < _REMAP_LIMIT:
            return in_groups(lambda part: self._remap(part, cv2.INTER_LINEAR), image)
        top, bottom = _span(self.y, image.shape[0], down)
        left, end = _span(self.x, image.shape[1], right)
        blocks = Warp(
            (self.x + np.float32(0.5 - left)) / np.float32(right) - np.float32(0.5),
            (self.y + np.float32(0.5 - top)) / np.float32(down) - np.float32(0.5),
            (1, 1),
        )
        part = averaged(image[top:bottom, left:end], [down, right])
        if max(part.shape[:2]) >= _REMAP_LIMIT:
            raise ValueError(
                f"a part of {part.shape[0]}x{part.shape[1]} pixels is too large to be turned or "
                f"bent, at most {_REMAP_LIMIT - 1} a side go; crop first, as with RandomCrop"
            )
        return blocks.linear(part)

    def _remap(self, array: np.ndarray, how: int) -> np.ndarray:
        return cv2.remap(array, self.x, self.y, how, borderMode=cv2.BORDER_REPLICATE)


def _steps(frame: Frame) -> tuple[int, int]:
    """How many source pixels the frame's middle moves a pixel, at least 1; bends count as none."""
    x, y = frame.size[1] / 2, frame.size[0] / 2
    jacobian = np.eye(2)
    at: Frame | None = frame
    while at is not None:
        (a, b, c), (d, e, f), (g, h, i) = at.matrix.tolist()
        depth = g * x + h * y + i
        x, y = (a * x + b * y + c) / depth, (d * x + e * y + f) / depth
        local = np.array([[a - g * x, b - h * x], [d - g * y, e - h * y]]) / depth
        jacobian = local @ jacobian
        at = at.under
    across, down = np.sqrt((jacobian**2).sum(1))
    return max(1, int(down + SNAP)), max(1, int(across + SNAP))


def _reflected(at: np.ndarray, length: int) -> np.ndarray:
    """Coordinates mirrored at both edges, as often as it takes."""
    if at.min() >= 0 and at.max() < length:
        return at
    return length - np.abs(length - at % (2 * length))


def _span(at: np.ndarray, length: int, step: int) -> tuple[int, int]:
    """The pixels that linear interpolation at these coordinates reads, with a block to spare."""
    first = min(max(0, int(at.min()) - 1 - step), length - 1)
    last = min(length, max(first + 1, int(at.max()) + 2 + step))
    return first // step * step, last
