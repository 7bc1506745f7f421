"""Any image as 8-bit RGB, the way a person wants to see it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from semseg._checks import check_image

_DARKEST, _BRIGHTEST = 1, 99  # the percentiles that become black and white
_SAMPLED = 512  # rows and columns looked at for them: a large picture costs no sort of all values
_ROWS_AT_ONCE = 64  # floats of a large picture are never held all at once


def as_rgb(image: Any, where: str = "image") -> np.ndarray:
    """A (height, width, channels) image as (height, width, 3) uint8, not to be written to.

    uint8 stays what it is and booleans become black and white. Everything else (16-bit, float) is
    stretched so that its darkest percent is black and its brightest percent white, all channels
    alike. Of three or more channels the first three are shown, of one or two the first, in grey.
    """
    if np.ndim(image) == 4:
        raise ValueError(
            f"{where} must be one picture (height, width, channels), received a batch of shape "
            f"{np.shape(image)}; draw its pictures one by one, or all with draw_comparison"
        )
    array = check_image(image, where)
    shown = array[..., :3] if array.shape[-1] >= 3 else array[..., :1]
    if shown.dtype == np.bool_:
        shown = shown * np.uint8(255)
    elif shown.dtype != np.uint8:
        shown = _stretched(shown)
    if shown.shape[-1] == 1:
        shown = np.repeat(shown, 3, axis=-1)
    return np.ascontiguousarray(shown)


def shown_as(images: Iterable[Any]) -> str:
    """What `as_rgb` did to pictures, as a sentence for a caption; "" where it did nothing."""
    forms = [(array.dtype, array.shape[-1]) for array in map(np.asarray, images)]
    said = []
    if any(dtype not in (np.uint8, np.bool_) for dtype, _ in forms):
        said.append(
            f"Brightness is stretched: the darkest {_DARKEST} % of a picture's values are black, "
            f"the brightest {100 - _BRIGHTEST} % white."
        )
    for count in sorted({channels for _, channels in forms} - {1, 3}):
        shown = "channels 1 to 3" if count > 3 else "channel 1"
        said.append(f"Of {count} channels the picture shows {shown}.")
    return " ".join(said)


def _stretched(array: np.ndarray) -> np.ndarray:
    # Values that float32 can't hold become infinite, and those are shown as white or black.
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = _shown_range(array)
        shown = np.empty(array.shape, np.uint8)
        for start in range(0, len(array), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            values = array[rows].astype(np.float32)
            values -= np.float32(low)
            values *= np.float32(255 / (high - low))
            values[np.isnan(values)] = 0
            shown[rows] = np.clip(np.rint(values, out=values), 0, 255, out=values)
    return shown


def _shown_range(array: np.ndarray) -> tuple[float, float]:
    step = -(-max(array.shape[:2]) // _SAMPLED)
    sample = array[::step, ::step].astype(np.float32).astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = np.percentile(sample, (_DARKEST, _BRIGHTEST))
    if low == high:  # few bright pixels on an even ground must not vanish
        low, high = sample.min(), sample.max()
    return (float(low), float(high)) if low < high else (float(low) - 1, float(low) + 1)
