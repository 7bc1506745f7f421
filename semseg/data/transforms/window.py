"""Crops, scales, flips and quarter turns: a box of the picture in another number of pixels."""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from semseg.data.transforms.channels import in_groups
from semseg.data.transforms.frame import SNAP, Frame, Outside, Place, Size

# What OpenCV resamples linearly without converting in silence.
_DTYPES = ("uint8", "uint16", "int16", "float32", "float64")


@dataclass(frozen=True)
class Window:
    """A box of the source, in source pixels, in `size` pixels, then flipped and transposed."""

    top: float
    left: float
    height: float
    width: float
    size: Size
    flipped: bool = False
    upside_down: bool = False
    transposed: bool = False
    outside: Outside | None = None

    @classmethod
    def of(cls, frame: Frame) -> "Window | None":
        """What a frame shows, where that is one box of the source."""
        (a, b, c), (d, e, f), last = frame.matrix.tolist()
        height, width = frame.size
        transposed = a == e == 0
        if transposed:
            a, b, d, e, height, width = b, a, e, d, width, height
        if frame.under is not None or last != [0, 0, 1] or b != 0 or d != 0:
            return None
        window = cls(
            _snapped(f + min(0.0, e * height)),
            _snapped(c + min(0.0, a * width)),
            _snapped(abs(e) * height),
            _snapped(abs(a) * width),
            (height, width),
            a < 0,
            e < 0,
            transposed,
            frame.outside,
        )
        is_reflected = frame.outside.border == "reflect" and window.beyond(frame.source.shape)
        return None if is_reflected else window

    def beyond(self, source: tuple[int, ...]) -> list[tuple[Place, Outside]]:
        """The pixels that show nothing of a source of that size, if there are any."""
        places: list[tuple[Place, Outside]] = []
        if self.outside is None:
            return places
        for axis, at in enumerate(self._indices):
            inside = np.flatnonzero((at >= 0) & (at < source[axis]))
            first, end = (inside[0], inside[-1] + 1) if len(inside) else (0, 0)
            for part in (slice(0, first), slice(end, len(at))):
                if part.start < part.stop:
                    is_rows = (axis == 0) != self.transposed
                    place = (part, slice(None)) if is_rows else (slice(None), part)
                    places.append((place, self.outside))
        return places

    def nearest(self, mask: np.ndarray) -> np.ndarray:
        """The mask's pixel under each centre; beyond the picture the nearest one."""
        rows, columns = self._indices
        rows, columns = rows.clip(0, mask.shape[0] - 1), columns.clip(0, mask.shape[1] - 1)
        picked: np.ndarray = mask[rows].take(columns, axis=1)
        return _transposed(picked) if self.transposed else picked

    def linear(self, image: np.ndarray) -> np.ndarray:
        """Bilinear with half-pixel centres; where it shrinks by 2 or more, of means of blocks."""
        box = (self.top, self.left, self.top + self.height, self.left + self.width)
        top, left, bottom, right = (int(edge) for edge in box)
        on_pixels = (top, left, bottom, right) == box
        within = top >= 0 and left >= 0 and bottom <= image.shape[0] and right <= image.shape[1]
        blocks = [
            max(1, n // m) for n, m in zip((bottom - top, right - left), self.size, strict=True)
        ]
        if on_pixels and within and (bottom - top) % blocks[0] == (right - left) % blocks[1] == 0:
            shown = _resize(image[top:bottom, left:right], self.size, blocks)
        else:
            shown = self._warp(image)
        return self._turned(shown)

    def _turned(self, image: np.ndarray) -> np.ndarray:
        """Flipped and transposed, in memory of its own: the picture may be a data set's."""
        rows = slice(None, None, -1 if self.upside_down else 1)
        columns = slice(None, None, -1 if self.flipped else 1)
        if image.dtype.name in _DTYPES and (self.flipped or self.upside_down):
            code = -1 if self.flipped and self.upside_down else int(self.flipped)
            image = in_groups(
                lambda part: cv2.flip(part, code), image
            )  # 30 times as fast as a view
        else:
            image = image[rows, columns]
        return np.ascontiguousarray(_transposed(image) if self.transposed else image)

    @cached_property
    def _indices(self) -> tuple[np.ndarray, np.ndarray]:
        """The source's row and column under the centre of each output pixel, before transposing."""
        rows = indices(self.top, self.height, self.size[0])
        columns = indices(self.left, self.width, self.size[1])
        return rows[:: -1 if self.upside_down else 1], columns[:: -1 if self.flipped else 1]

    def _warp(self, image: np.ndarray) -> np.ndarray:
        """A box with edges inside of pixels or blocks, or beyond the picture: an affine map."""
        check_dtype(image)
        starts, stops, scales, shifts, factors = [], [], [], [], []
        for axis, start, length in ((0, self.top, self.height), (1, self.left, self.width)):
            step = length / self.size[axis]
            factor = max(1, int(step))
            first = min(max(0, int(np.floor(start)) - factor), image.shape[axis] - 1)
            last = min(image.shape[axis], max(first + 1, int(np.ceil(start + length)) + factor))
            starts.append(first)
            stops.append(last)
            factors.append(factor)
            scales.append(step / factor)
            shifts.append((start - first) / factor + 0.5 * step / factor - 0.5)
        part = averaged(image[starts[0] : stops[0], starts[1] : stops[1]], factors)
        matrix = np.array([[scales[1], 0, shifts[1]], [0, scales[0], shifts[0]]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return in_groups(
            lambda group: cv2.warpAffine(
                group, matrix, self.size[::-1], flags=how, borderMode=cv2.BORDER_REPLICATE
            ),
            part,
        )


def on_pixels(frame: Frame) -> Frame:
    """The frame with the edges of its box on whole pixels of the source, where it is one inside.

    That moves what it shows by half a source pixel at most, and is read four times as fast.
    """
    window = Window.of(frame)
    if window is None:
        return frame
    starts = (round(window.top), round(window.left))
    ends = (round(window.top + window.height), round(window.left + window.width))
    for start, end, length in zip(starts, ends, frame.source.shape, strict=True):
        if not 0 <= start < end <= length:
            return frame
    (a, b, _), (d, e, _), _ = frame.matrix.tolist()
    by_x, by_y = (b or a), (d or e)  # one of each is 0
    height, width = window.size
    across, down = (ends[1] - starts[1]) / width, (ends[0] - starts[0]) / height
    x = (across, starts[1]) if by_x > 0 else (-across, ends[1])
    y = (down, starts[0]) if by_y > 0 else (-down, ends[0])
    if window.transposed:
        matrix = [[0, x[0], x[1]], [y[0], 0, y[1]], [0, 0, 1]]
    else:
        matrix = [[x[0], 0, x[1]], [0, y[0], y[1]], [0, 0, 1]]
    return replace(frame, matrix=np.array(matrix, float))


def indices(start: float, length: float, count: int) -> np.ndarray:
    """The source pixel under the centre of each of `count` output pixels."""
    return np.floor(start + (np.arange(count) + 0.5) * (length / count)).astype(np.int64)


def averaged(image: np.ndarray, factors: list[int]) -> np.ndarray:
    """The means of blocks of `factors` pixels; the last row and column are repeated to fit."""
    if factors == [1, 1]:
        return image
    missing = [-image.shape[axis] % factors[axis] for axis in (0, 1)]
    if any(missing):
        image = np.pad(image, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="edge")
    size = (image.shape[0] // factors[0], image.shape[1] // factors[1])
    return _resized(image, size, cv2.INTER_AREA)


def check_dtype(image: np.ndarray) -> None:
    """Refuses what OpenCV would convert in silence."""
    if image.dtype.name not in _DTYPES:
        raise TypeError(
            f"image must have one of the dtypes {', '.join(_DTYPES)} to be resized or blurred, "
            f"received {image.dtype}; convert it with image.astype('float32')"
        )


def _resize(image: np.ndarray, size: Size, blocks: list[int]) -> np.ndarray:
    """A box of whole blocks of whole pixels."""
    if image.shape[:2] == size:
        return image.copy()
    check_dtype(image)
    return _resized(averaged(image, blocks), size, cv2.INTER_LINEAR)


def _resized(image: np.ndarray, size: Size, how: int) -> np.ndarray:
    return in_groups(lambda part: cv2.resize(part, size[::-1], interpolation=how), image)


def _transposed(array: np.ndarray) -> np.ndarray:
    """Rows and columns exchanged; by OpenCV, seven times as fast, for pixels that it knows."""
    if array.strides[1] in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32) and array.dtype.name in _DTYPES:
        turned = cv2.transpose(array)
        return turned.reshape(array.shape[1], array.shape[0], *array.shape[2:])
    return np.ascontiguousarray(array.swapaxes(0, 1))


def _snapped(value: float) -> float:
    """A whole number, where products of scales and shifts have missed it by rounding."""
    whole = round(value)
    return float(whole) if abs(value - whole) < SNAP else value
