"""One resampling for a whole chain of crops, scales, flips and resizes.

An axis-aligned chain maps the output to a box of the source picture. Geometric transforms only
move that box; pixels are read once, at the end, for image and mask alike, so that the two can't
get out of step and nothing is interpolated twice.

Coordinates count from the picture's corner: pixel i covers [i, i + 1] and its centre is i + 1/2.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

Size = tuple[int, int]

# What OpenCV resamples linearly without converting in silence.
_DTYPES = ("uint8", "uint16", "int16", "float32", "float64")


@dataclass(frozen=True)
class Window:
    """A box of the source, in source pixels, that is shown in `size` output pixels."""

    top: float
    left: float
    height: float
    width: float
    size: Size
    flipped: bool = False
    mask_fill: int | None = None

    @classmethod
    def whole(cls, size: Size) -> "Window":
        """The picture as it is."""
        return cls(0.0, 0.0, float(size[0]), float(size[1]), size)

    def resized(self, size: Size) -> "Window":
        """The same box in another number of output pixels."""
        return replace(self, size=size)

    def mirrored(self) -> "Window":
        """Left and right exchanged."""
        return replace(self, flipped=not self.flipped)

    def cropped(self, row: int, column: int, size: Size) -> "Window":
        """`size` output pixels from (row, column) on; outside is allowed where it can be filled."""
        if self.flipped:
            column = self.size[1] - column - size[1]
        step_y, step_x = self.height / self.size[0], self.width / self.size[1]
        return replace(
            self,
            top=self.top + row * step_y,
            left=self.left + column * step_x,
            height=size[0] * step_y,
            width=size[1] * step_x,
            size=size,
        )


def resample(image: np.ndarray, mask: np.ndarray, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """What `window` shows of image and mask: linear and nearest, both with half-pixel centres.

    Where the picture shrinks by 2 or more, whole blocks are averaged first, so that nothing
    aliases. Outside the picture the image is 0 and the mask `window.mask_fill`.
    """
    rows = _indices(window.top, window.height, window.size[0])
    columns = _indices(window.left, window.width, window.size[1])
    if window.flipped:
        columns = columns[::-1]
    inside_rows = (rows >= 0) & (rows < mask.shape[0])
    inside_columns = (columns >= 0) & (columns < mask.shape[1])
    reaches_out = not (inside_rows.all() and inside_columns.all())
    fill = window.mask_fill
    if reaches_out and fill is None:
        raise ValueError(
            "the crop reaches outside the picture and has no id for what it finds there; pass "
            "mask_fill= (the ClassMap's ignore_class, or the background's id), or crop less"
        )
    picked = mask[rows.clip(0, mask.shape[0] - 1)].take(columns.clip(0, mask.shape[1] - 1), axis=1)
    shown = _resample_image(image, window)
    if fill is not None and not np.can_cast(np.min_scalar_type(fill), picked.dtype):
        picked = picked.astype(np.int32)  # with or without a pixel to fill: one dtype a data set
    if reaches_out:
        outside = ~(inside_rows[:, None] & inside_columns)
        picked[outside] = fill
        shown[outside] = 0
    return shown, picked


def _indices(start: float, length: float, count: int) -> np.ndarray:
    """The source pixel under the centre of each output pixel."""
    return np.floor(start + (np.arange(count) + 0.5) * (length / count)).astype(np.int64)


def _resample_image(image: np.ndarray, window: Window) -> np.ndarray:
    box = (window.top, window.left, window.top + window.height, window.left + window.width)
    top, left, bottom, right = (int(edge) for edge in box)
    on_pixels = (top, left, bottom, right) == box
    within = top >= 0 and left >= 0 and bottom <= image.shape[0] and right <= image.shape[1]
    blocks = [
        max(1, n // m) for n, m in zip((bottom - top, right - left), window.size, strict=True)
    ]
    if on_pixels and within and (bottom - top) % blocks[0] == (right - left) % blocks[1] == 0:
        shown = _resize(image[top:bottom, left:right], window.size, blocks)
    else:
        shown = _warp(image, window)
    # A copy: a view would hand the caller's picture to the transforms that follow.
    return np.ascontiguousarray(shown[:, ::-1]) if window.flipped else shown


def _resize(image: np.ndarray, size: Size, blocks: list[int]) -> np.ndarray:
    """A box of whole blocks of whole pixels."""
    if image.shape[:2] == size:
        return image.copy()
    _check_dtype(image)
    return _linear(_averaged(image, blocks), size)


def _warp(image: np.ndarray, window: Window) -> np.ndarray:
    """A box with edges inside of pixels or blocks, or beyond the picture: an affine map."""
    _check_dtype(image)
    starts, stops, scales, shifts, factors = [], [], [], [], []
    for axis, start, length in ((0, window.top, window.height), (1, window.left, window.width)):
        step = length / window.size[axis]
        factor = max(1, int(step))
        first = min(max(0, int(np.floor(start)) - factor), image.shape[axis] - 1)
        last = min(image.shape[axis], max(first + 1, int(np.ceil(start + length)) + factor))
        starts.append(first)
        stops.append(last)
        factors.append(factor)
        scales.append(step / factor)
        shifts.append((start - first) / factor + 0.5 * step / factor - 0.5)
    part = _averaged(image[starts[0] : stops[0], starts[1] : stops[1]], factors)
    matrix = np.array([[scales[1], 0, shifts[1]], [0, scales[0], shifts[0]]])
    warped = cv2.warpAffine(
        part,
        matrix,
        window.size[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped.reshape(*window.size, image.shape[2])


def _averaged(image: np.ndarray, factors: list[int]) -> np.ndarray:
    """The means of blocks of `factors` pixels; the last row and column are repeated to fit."""
    if factors == [1, 1]:
        return image
    missing = [-image.shape[axis] % factors[axis] for axis in (0, 1)]
    channels = image.shape[2]
    if any(missing):
        image = np.pad(image, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="edge")
    size = (image.shape[0] // factors[0], image.shape[1] // factors[1])
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA).reshape(*size, channels)


def _linear(image: np.ndarray, size: Size) -> np.ndarray:
    resized = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    return resized.reshape(*size, image.shape[2])  # OpenCV drops a last axis of one


def _check_dtype(image: np.ndarray) -> None:
    if image.dtype.name not in _DTYPES:
        raise TypeError(
            f"image must have one of the dtypes {', '.join(_DTYPES)} to be resized, received "
            f"{image.dtype}; convert it with image.astype('float32')"
        )
