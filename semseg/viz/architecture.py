"""Networks as their papers draw them, from the graphs of the models."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from semseg.viz._architecture_bars import Group, groups_of, kernel_sizes
from semseg.viz._architecture_labels import Label, place
from semseg.viz._architecture_layout import common_scale
from semseg.viz._architecture_paint import Drawing, draw_up, key_rows, paint, paint_key
from semseg.viz._theme import Theme, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 100
_NARROWEST = 400
_MARGIN = 0.015  # of the width, on either side
_LINE = 1.9  # heights of a letter from line to line


class _Network(NamedTuple):
    """What of a model is drawn, and what is written about it."""

    groups: list[Group]
    kernels: set[Any]
    title: str
    costs: str


def plot_architecture(
    model: Any,
    *,
    size: tuple[int, int] | None = None,
    width: int = 1200,
    title: str | None = None,
    dark: bool = False,
    ax: "Axes | None" = None,
) -> "Figure":
    """Draws a network from its graph: the U, the hourglass with its indices, the ladder of scores.

    A bar is a map of features: as high as the square root of its height, as wide as the square root
    of its channels, which stand above it. Encoder-decoders of your own are drawn as a U where maps
    are handed across, as an hourglass where none are or where indices are, as a ladder where the
    decoder has scores of the classes alone.

    Args:
        model: a functional `keras.Model`.
        size: (height, width) of the picture for which sizes are written; None: the model's own, or
            256 x 256 (572 x 572 for the unpadded U-Net).
        width: of the drawing in pixels at 100 dots an inch, 400 or more. Labels for which there is
            no room are left out, the least important first.
        title: above the drawing; None: name, parameters and size.
        dark: light text on a dark ground.
        ax: axes to draw on instead of a figure of its own.

    Returns:
        The Matplotlib figure.

    Raises:
        ValueError: a model that is no encoder-decoder, a width that is too small.
        TypeError: a model without a graph.

    Example:
        >>> model = semseg.models.UNet(num_classes=3, depth=2, filters=4)
        >>> figure = semseg.viz.plot_architecture(model)
    """
    network = _network(model, size)
    if title is not None:
        network = network._replace(title=title)
    return _figure([network._replace(costs="")], width, theme(dark), ax)


def plot_architectures(
    models: Sequence[Any],
    *,
    size: tuple[int, int] | None = None,
    width: int = 1200,
    dark: bool = False,
) -> "Figure":
    """Draws several networks on one scale, with what each costs below it.

    Args:
        models: functional models.
        size, width, dark: as in `plot_architecture`.

    Returns:
        The Matplotlib figure: the networks below one another, each with its parameters,
        multiply-accumulates, memory of the activations in inference, and receptive field.

    Raises:
        ValueError: no model, or as `plot_architecture`.

    Example:
        >>> nets = [semseg.models.UNet(num_classes=3, depth=d, filters=4) for d in (1, 2)]
        >>> figure = semseg.viz.plot_architectures(nets)
    """
    if not models:
        raise ValueError("models must hold at least one model, received none")
    return _figure([_network(model, size) for model in models], width, theme(dark), None)


def _figure(networks: list[_Network], width: int, look: Theme, ax: "Axes | None") -> "Figure":
    from semseg.viz._figure import as_hex

    if width < _NARROWEST:
        raise ValueError(f"width must be >= {_NARROWEST} pixels, received {width!r}")
    letters = max(9.0, width / 100)  # pixels
    room = (1 - 2 * _MARGIN) * width
    scale = common_scale([network.groups for network in networks], room, letters)
    drawings = [draw_up(n.groups, n.kernels, scale, letters) for n in networks]
    key = key_rows(drawings, room, letters)
    heights = [_height(d, n, letters) for d, n in zip(drawings, networks, strict=True)]
    height = sum(heights) + (_LINE * len(key) + 0.5) * letters
    figure, axes = _canvas(ax, width, height, look)
    labels: list[Label] = []
    top = 0.0
    for drawing, network, used in zip(drawings, networks, heights, strict=True):
        top += 2.2 * letters
        moved = _moved_down(drawing, top)
        labels.append(Label(network.title, 0, top - 0.6 * letters, ("left", "bottom"), -1))
        labels += paint(axes, moved, look, letters)
        if network.costs:
            under = top + drawing.layout.height + 3.6 * letters
            labels.append(Label(network.costs, 0, under, ("left", "center"), 0))
        top += used - 2.2 * letters
    labels += paint_key(axes, key, top + 0.5 * letters, look, letters)
    written = place(axes, labels, letters * 72 / _DPI, (as_hex(look.ink), as_hex(look.quiet)))
    for text in written[: len(networks)]:
        text.set_fontweight("bold")
    return figure


def _height(drawing: Drawing, network: _Network, letters: float) -> float:
    """Title, bars, names and sizes below them, and costs."""
    return drawing.layout.height + (5.4 + (_LINE if network.costs else 0.0)) * letters


def _canvas(ax: "Axes | None", width: int, height: float, look: Theme) -> "tuple[Figure, Axes]":
    """Axes in pixels that fill a figure, or the caller's."""
    from semseg.viz._figure import new_figure

    if ax is None:
        figure = new_figure(width / _DPI, height / _DPI, look)
        figure.set_layout_engine("none")
        figure.set_dpi(_DPI)
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_xlim(-_MARGIN * width, (1 - _MARGIN) * width)
    ax.set_ylim(height, 0.0)
    ax.set_axis_off()
    return ax.figure.canvas.figure, ax


def _moved_down(drawing: Drawing, by: float) -> Drawing:
    boxes = [box._replace(y=box.y + by) for box in drawing.layout.boxes]
    arrows = [a._replace(points=[(x, y + by) for x, y in a.points]) for a in drawing.arrows]
    return drawing._replace(layout=drawing.layout._replace(boxes=boxes), arrows=arrows)


def _network(model: Any, size: tuple[int, int] | None) -> _Network:
    from semseg.analysis.costs import cost
    from semseg.analysis.graph import read_graph
    from semseg.analysis.staging import stages_of

    size = size or _own_size(model)
    graph = read_graph(model, size)
    stages = stages_of(graph)
    groups = groups_of(graph, stages)
    if not any(group.stage.kind == "decoder" for group in groups):
        raise ValueError(
            f"model must be an encoder-decoder, received {model.name!r}, which has no way up"
        )
    found = cost(model, size)
    field = found.receptive_field
    sees = "the whole picture" if field is None else f"{field[0]} x {field[1]} pixels"
    return _Network(
        groups,
        kernel_sizes(stages),
        f"{model.name}: {found.parameters / 1e6:.3g} million parameters, "
        f"{size[0]} x {size[1]} pixels",
        f"{found.macs / 1e9:.3g} billion multiply-accumulates, "
        f"{found.peak_bytes / 1e6:.3g} MB of activations, each pixel sees {sees}",
    )


def _own_size(model: Any) -> tuple[int, int]:
    height, width = model.input_shape[1:3]
    depths = {layer.depth for layer in model.layers if type(layer).__name__ == "ValidSize"}
    if depths and None in (height, width):
        from semseg.models.unet_sizes import valid_sizes

        largest = valid_sizes(depths.pop(), 572)[-1]
        return largest, largest
    return height or 256, width or 256
