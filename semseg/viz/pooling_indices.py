"""SegNet's indices made visible: where the maxima lay, and what unpooling puts back."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg._palette import default_colors
from semseg.viz._color_bar import heat_colors
from semseg.viz._picture_rows import Panel, picture_rows
from semseg.viz._theme import theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEADS = ("before pooling", "where the maximum lay", "put back by unpooling")
_CORNERS = ("top left", "top right", "bottom left", "bottom right")


def plot_pooling_indices(
    model: Any, image: Any, *, title: str | None = None, dark: bool = False
) -> "Figure":
    """Shows, for every pooling with indices, one channel on its way down and up again.

    The channel is the one that varies most. The middle column has a colour for each position in a
    window: SegNet hands nothing but these positions to its decoder (Badrinarayanan et al. 2017,
    section 3). The decoder puts its own values there, with zeros around them.

    Args:
        model: `SegNet`, `SegNetBasic`, or any functional model of `MaxPooling2DWithIndices`.
        image: (height, width, channels), as the model takes it.
        title: above the rows; None explains the colours of windows of two.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure.

    Raises:
        ValueError: a model without pooling indices.

    Example:
        >>> model = semseg.models.SegNetBasic(num_classes=2)
        >>> figure = plot_pooling_indices(model, np.zeros((32, 48, 3), "uint8"))
    """
    from semseg.analysis.maxima import pooled_maxima

    rows, sides = [], []
    found = pooled_maxima(model, np.asarray(image))
    for stage in found:
        channel = int(stage.before.std(axis=(0, 1)).argmax())
        before, unpooled = (
            stage.before[..., channel],
            stage.unpooled[..., channel % stage.unpooled.shape[-1]],
        )
        rows.append(
            [
                Panel(_heat(before)),
                Panel(_positions(stage.positions[..., channel], stage.pool_size, before.shape)),
                Panel(_heat(unpooled)),
            ]
        )
        sides.append(stage.name.removesuffix("_pool"))
    if title is None and all(stage.pool_size == 2 for stage in found):
        title = "position in the window: " + ", ".join(
            f"{name} {color}" for name, color in zip(_CORNERS, _COLOR_NAMES, strict=True)
        )
    return picture_rows(rows, theme(dark), _HEADS, sides, title)


# The first four of the colours below, so that the title can say which is which.
_COLORS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167))
_COLOR_NAMES = ("orange", "light blue", "green", "pink")


def _positions(positions: np.ndarray, pool_size: int, size: tuple[int, ...]) -> np.ndarray:
    """A colour for each window, at the size of what was pooled."""
    others = [c for c in default_colors(pool_size**2 + 4) if c not in _COLORS]
    colors = np.array([*_COLORS, *others], np.uint8)
    enlarged = colors[positions].repeat(pool_size, axis=0).repeat(pool_size, axis=1)
    return enlarged[: size[0], : size[1]]


def _heat(values: np.ndarray) -> np.ndarray:
    return heat_colors(values, (float(values.min()), float(values.max())))
