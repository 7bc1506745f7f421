"""Where a network finds what speaks for a class, over the picture."""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from semseg.viz._color_bar import heat_colors
from semseg.viz._images import as_rgb
from semseg.viz._picture_rows import Panel, picture_rows
from semseg.viz._theme import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAT = 0.7  # of the colour; the rest is the picture in grey
_DIMMED = 0.3  # brightness of what is not explained
_SMALL = 0.03  # of the width: a smaller region gets a ring around it


def plot_class_activation(
    model: Any,
    image: Any,
    class_id: int,
    region: Any | None = None,
    stage: str | None = None,
    *,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Shows what a network explains a class in a region by: Seg-Grad-CAM.

    On the left the picture, lit where it is explained, on the right the heat of
    `semseg.analysis.class_activation` over it: the places of a stage's feature map that speak for
    the class. The colours are scaled to its own greatest value, which stands below.

    Args:
        model: a functional `keras.Model`.
        image: (height, width, channels), as the model takes it.
        class_id: the class; its name is that of the model's class map, where it has one.
        region: what is explained, in the output: (height, width) bool, or one pixel (y, x); None:
            the pixels predicted as the class.
        stage: one of `semseg.analysis.stages(model)`; None: the bottleneck, or the encoder's last
            where there is none.
        title: above the pictures.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure.

    Raises:
        ValueError: no such class or stage, a region that is empty, outside or of another size, no
            pixel predicted as the class.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), "uint8")
        >>> figure = plot_class_activation(model, image, 1, region=(10, 20))
        >>> figure.axes[0].get_xlabel()
        'explained: class 1 in the ringed pixel'
    """
    # Both bring Keras, without which the rest of this package works.
    from semseg.analysis.class_activations import class_activation

    rgb = as_rgb(image)
    found = class_activation(model, np.asarray(image), class_id, region, stage)
    ring = _ring(found.region)
    count = int(found.region.sum())
    which = f"{count:,} lit pixels" if ring is None else f"{count} ringed pixels"
    which = "ringed pixel" if count == 1 else which
    highest = float(found.map.max())
    scale = f"blue is 0, yellow {highest:.2g}" if highest else "nothing there speaks for it"
    panels = [
        Panel(_lit(rgb, found.region), f"explained: {_name(model, class_id)} in the {which}"),
        Panel(_heated(rgb, found.map), f"{found.stage}: {scale}"),
    ]
    figure = picture_rows([panels], theme(dark), title=title)
    if ring is not None:
        for axes in figure.axes:
            _draw_ring(axes, ring)
    return figure


def _lit(rgb: np.ndarray, region: np.ndarray) -> np.ndarray:
    """The picture, dimmed outside the region."""
    return np.where(region[..., None], rgb, (_DIMMED * rgb).round()).astype(np.uint8)


def _heated(rgb: np.ndarray, heat: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    colors = heat_colors(heat, (0.0, float(heat.max())))
    return cv2.addWeighted(colors, _HEAT, grey, 1 - _HEAT, 0)


def _ring(region: np.ndarray) -> tuple[float, float] | None:
    """The middle (x, y) of a region that is too small to be seen, else None."""
    rows, columns = np.nonzero(region)
    if max(np.ptp(rows), np.ptp(columns)) >= _SMALL * region.shape[1]:
        return None
    return float(columns.mean()), float(rows.mean())


def _draw_ring(axes: "Axes", middle: tuple[float, float]) -> None:
    """White on black, which is seen on any picture."""
    for color, wide in (("black", 3.4), ("white", 1.6)):
        axes.plot(*middle, "o", fillstyle="none", color=color, markersize=14, mew=wide)


def _name(model: Any, class_id: int) -> str:
    from semseg.models.saved import class_map

    known = class_map(model)
    return f"class {class_id}" if known is None else known.name(class_id)
