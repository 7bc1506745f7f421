"""Maps of one number a pixel: weights and uncertainty as heat, with a bar that says how much."""

from typing import Any

import cv2
import numpy as np

from semseg.classes import ClassMap
from semseg.viz._cells import cell_width, fitted_size, resize_image, resize_rows
from semseg.viz._color_bar import heat_colors, with_bar
from semseg.viz._images import as_rgb, shown_as
from semseg.viz._masks import class_rows, hatch_ignored
from semseg.viz._panel import (
    Footer,
    Row,
    assemble,
    check_width,
    panel_spacing,
    room_for_cell,
)
from semseg.viz._theme import theme
from semseg.viz.legend import Entry

_NARROWEST = 320


def draw_weights(
    weights: Any,
    image: Any | None = None,
    limits: tuple[float, float] | None = None,
    title: str = "weights",
    max_width: int = 800,
    dark: bool = False,
) -> np.ndarray:
    """Draws a map of pixel weights as heat, beside its picture, with a bar of the numbers.

    Args:
        weights: (height, width) finite numbers, such as `regions.border_weights(mask)`.
        image: (height, width, channels) to stand on its left, or None.
        limits: (low, high), the ends of the bar, for pictures that are compared; numbers outside
            have the colours of the ends. None: the least and the greatest weight.
        title: what the numbers are.
        max_width: pixels, at least 320; the picture is up to this wide.
        dark: light text on a dark ground.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: another shape, numbers that are not finite, sizes that differ, limits that do
            not rise.

    Example:
        >>> mask = np.zeros((48, 64), int)
        >>> mask[8:40, 8:30] = mask[8:40, 34:56] = 1
        >>> draw_weights(semseg.regions.border_weights(mask)).dtype
        dtype('uint8')
    """
    heat = _checked(weights, "weights")
    ends = _checked_limits(limits, (heat.min(), heat.max()))
    return _draw(heat, image, ends, title, max_width, dark, None)


def draw_uncertainty(
    uncertainty: Any,
    image: Any | None = None,
    mask: Any | None = None,
    class_map: ClassMap | None = None,
    limits: tuple[float, float] | None = None,
    title: str = "uncertainty",
    max_width: int = 800,
    dark: bool = False,
) -> np.ndarray:
    """Draws a map of uncertainty, such as entropy or mutual information, as heat with a bar.

    Args:
        uncertainty: (height, width) finite numbers >= 0.
        image: (height, width, channels) to stand on its left, or None.
        mask, class_map: the true ids and what they mean; ignored pixels are then hatched, as no
            score counts them, and have no say in the bar.
        limits: (low, high), the ends of the bar, for pictures that are compared. None: from 0 to
            the greatest number.
        title: what the numbers are, such as "entropy, nats".
        max_width: pixels, at least 320; the picture is up to this wide.
        dark: light text on a dark ground.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: another shape, numbers below 0 or not finite, sizes that differ, a mask without
            a class map.

    Example:
        >>> entropy = np.linspace(0, 0.69, 48 * 64).reshape(48, 64)
        >>> draw_uncertainty(entropy, title="entropy, nats").shape[-1]
        3
    """
    heat = _checked(uncertainty, "uncertainty")
    if heat.min() < 0:
        raise ValueError(
            f"uncertainty must hold numbers >= 0, received {heat.min():.4g}; draw_weights takes "
            "any numbers"
        )
    if (mask is None) != (class_map is None):
        raise ValueError(
            "mask and class_map must be given together: the map says which id is ignored"
        )
    ignored = None
    if mask is not None and class_map is not None:
        ignored = class_rows(mask, class_map, size=heat.shape) == class_map.num_classes
        heat = np.where(ignored, 0, heat)
    ends = _checked_limits(limits, (0.0, heat.max()))
    return _draw(heat, image, ends, title, max_width, dark, ignored)


def _draw(
    heat: np.ndarray,
    image: Any | None,
    limits: tuple[float, float],
    title: str,
    max_width: int,
    dark: bool,
    ignored: np.ndarray | None,
) -> np.ndarray:
    look, space = theme(dark), panel_spacing(check_width(max_width, _NARROWEST))
    columns = 1 if image is None else 2
    cell = cell_width([heat.shape[1]], room_for_cell(int(max_width), columns, space))
    size = fitted_size(heat.shape, cell)
    shrinks = size[0] < heat.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    shown = cv2.resize(heat, size[::-1], interpolation=how)
    if ignored is not None:  # they are 0 in `heat`: no part of a mean
        share = cv2.resize((~ignored).astype(heat.dtype), size[::-1], interpolation=how)
        shown /= np.where(share > 0, share, 1)
    painted = heat_colors(shown, limits)
    legend: tuple[Entry, ...] = ()
    if ignored is not None and ignored.any():
        painted = hatch_ignored(painted, resize_rows(ignored, size))
        legend = (Entry("ignored", None),)
    pictures, captions = [with_bar(painted, limits, cell, space, look)], [title]
    if image is not None:
        rgb = as_rgb(image)
        _check_same_size(rgb, heat)
        pictures, captions = [resize_image(rgb, size), *pictures], ["image", title]
    footer = Footer(legend, (), "" if image is None else shown_as([image]))
    return assemble([Row(pictures, captions)], footer, cell, space, look)


def _checked(heat: Any, name: str) -> np.ndarray:
    array = np.asarray(heat)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "uifb":
        hint = "; drop the channel axis with [..., 0]" if array.ndim == 3 else ""
        raise ValueError(
            f"{name} must be numbers of shape (height, width), received {array.dtype} of shape "
            f"{array.shape}{hint}"
        )
    array = array.astype(np.float32)
    bad = int((~np.isfinite(array)).sum())
    if bad:
        raise ValueError(
            f"{name} must hold finite numbers, received {bad} that are not; np.nan_to_num(...) "
            "replaces them"
        )
    return array


def _checked_limits(limits: Any, found: tuple[Any, Any]) -> tuple[float, float]:
    low, high = map(float, found if limits is None else limits)
    if limits is not None and not low < high:
        raise ValueError(f"limits must be (low, high) with low < high, received {limits!r}")
    return low, high


def _check_same_size(rgb: np.ndarray, heat: np.ndarray) -> None:
    if rgb.shape[:2] != heat.shape:
        raise ValueError(
            f"image must have the size of the map, {heat.shape[0]}x{heat.shape[1]}, received "
            f"{rgb.shape[0]}x{rgb.shape[1]}; pass the image that the map belongs to"
        )
