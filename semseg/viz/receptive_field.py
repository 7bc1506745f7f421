"""How far a pixel sees, over the picture that it sees."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg.viz._figure import as_hex, line_colors, open_axes, set_title
from semseg.viz._images import as_rgb
from semseg.viz._theme import Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = 6.0
_SHARES = (0.5, 0.95)


def plot_receptive_field(
    model: Any,
    image: Any,
    *,
    pixel: tuple[int, int] | None = None,
    title: str | None = None,
    dark: bool = False,
    ax: "Axes | None" = None,
) -> "Figure":
    """Draws the theoretical and the effective receptive field of one output pixel over a picture.

    The theoretical one is the rectangle that the graph allows this very pixel; the effective one
    is where the gradient of the predicted class lies: squares around half of it and 95 % of it,
    and the gradient itself as brightness.

    Args:
        model: a functional `keras.Model`.
        image: (height, width, channels), as the model takes it.
        pixel: (y, x) of the output; None: its middle.
        title: above the picture.
        dark: light text on a dark ground.
        ax: axes to draw into; None makes a figure.

    Returns:
        The Matplotlib figure.

    Raises:
        ValueError: a model whose receptive field is unbounded or unknown, a pixel outside.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), "uint8")
        >>> figure = plot_receptive_field(model, image)
    """
    from semseg.analysis.effective_fields import measured_receptive_field
    from semseg.analysis.receptive_fields import receptive_field, seen_by

    look = theme(dark)
    image = np.asarray(image)
    receptive_field(model)  # whose errors say more, where it is unbounded
    measured = measured_receptive_field(model, image[None], pixel)
    rgb = as_rgb(image)
    height, width = rgb.shape[:2]
    figure, axes = open_axes(ax, (_INCHES, _INCHES * height / width + 0.9), look)
    axes.imshow(_dimmed(rgb, measured.map), origin="upper")
    axes.set_axis_off()
    (top, bottom), (left, right) = seen_by(model, rgb.shape[:2], measured.pixel)
    seen = (left, top, right - left + 1, bottom - top + 1)
    colors = line_colors(2, theme(dark=True))  # the picture below them is dimmed in both looks
    _rectangle(axes, seen, f"can see {seen[3]} x {seen[2]}", colors[1], "-")
    rows, columns = np.indices(measured.map.shape)
    centre = [float((measured.map * place).sum()) for place in (columns, rows)]
    for share, line in zip(_SHARES, (":", "--"), strict=True):
        side = measured.side(share)
        named = f"{share:.0%} of what it sees: {side} x {side}"
        corner = (round(centre[0]) - side // 2, round(centre[1]) - side // 2)
        _rectangle(axes, (*corner, side, side), named, colors[0], line)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    _legend(axes, look)
    set_title(axes, title or f"{model.name}: one output pixel", look)
    return figure


def _dimmed(rgb: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The picture, bright where the gradient is; by a high root, so that weak parts are seen."""
    share = (gradient / gradient.max())[..., None] ** 0.3
    return (rgb * (0.35 + 0.65 * share)).round().astype(np.uint8)


def _rectangle(
    axes: "Axes", box: tuple[float, float, float, float], name: str, color: str, line: str
) -> None:
    from matplotlib.patches import Rectangle

    left, top, width, height = box
    axes.add_patch(
        Rectangle(
            (left - 0.5, top - 0.5), width, height, fill=False, edgecolor=color, linestyle=line,
            linewidth=2, label=name,
        )
    )  # fmt: skip


def _legend(axes: "Axes", look: Theme) -> None:
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=3, frameon=False, fontsize=8,
        labelcolor=as_hex(look.ink), handlelength=1.6, columnspacing=1.2,
    )  # fmt: skip
