"""What the stages of a network make of a picture."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg._checks import check_count
from semseg.viz._color_bar import heat_colors
from semseg.viz._picture_rows import Panel, picture_rows
from semseg.viz._theme import theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_feature_maps(
    model: Any,
    image: Any,
    *,
    channels: int = 6,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Shows the channels of each stage that vary most over one picture.

    Args:
        model: a functional `keras.Model`.
        image: (height, width, channels), as the model takes it.
        channels: how many of each stage, at most.
        title: above the rows.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure: a row for each stage, its own lowest value dark blue and its highest
        yellow in each picture.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> figure = plot_feature_maps(model, np.zeros((32, 48, 3), "uint8"), channels=3)
    """
    from semseg.analysis.features import feature_maps

    check_count("channels", channels, 1)
    rows: list[list[Panel | None]] = []
    sides = []
    for name, maps in feature_maps(model, np.asarray(image)).items():
        if name == "input":
            continue
        order = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:channels]
        row: list[Panel | None] = [_panel(maps[..., i], int(i)) for i in order]
        rows.append(row + [None] * (channels - len(row)))
        sides.append(f"{name}\n{maps.shape[0]} x {maps.shape[1]} x {maps.shape[2]}")
    return picture_rows(rows, theme(dark), sides=sides, title=title)


def _panel(values: np.ndarray, channel: int) -> Panel:
    picture = heat_colors(values, (float(values.min()), float(values.max())))
    return Panel(picture, f"channel {channel}")
