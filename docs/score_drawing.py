"""How a trap of "Reading your scores" is drawn: masks or small charts, and numbers as bars.

Orange is the number that misleads, blue the one that tells.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import semseg
from semseg.metrics.functional import CalibrationError, Comparison

# Blue and vermilion of Okabe and Ito, made for colour-blind readers.
TELLS, MISLEADS = "#0072b2", "#d55e00"
INCHES, DPI = 6.0, 200  # 1200 pixels, readable when shown at 600
_TEXTS = [
    f"{name}size" for name in ("font.", "axes.title", "axes.label", "xtick.label", "ytick.label")
]
_ROOM = 4.2  # bars are equally thick, up to four
_SHARES = {2: 1.15, 3: 1.9, 4: 2.2}  # of the width, by number of panels; bars have 1

CELLS = semseg.ClassMap(["ground", "cell"], ignore_class=255)
Panel = tuple[str, np.ndarray | Callable[[Axes], None]]


class Bar(NamedTuple):
    """One number: what it is, its value, and its colour."""

    label: str
    value: float
    color: str = TELLS


class Trap(NamedTuple):
    """What a picture shows: masks or small charts, and numbers as bars."""

    text: str
    panels: list[Panel]
    bars: list[Bar]


def painted(ids: np.ndarray, class_map: semseg.ClassMap = CELLS) -> np.ndarray:
    """The classes' colours, ignored pixels hatched."""
    ids = enlarged(ids)
    return semseg.viz.draw_overlay(np.zeros((*ids.shape, 3), np.uint8), ids, class_map, alpha=1)


def wrong(mask: np.ndarray, pred: np.ndarray) -> np.ndarray:
    return semseg.viz.draw_error(enlarged(mask), enlarged(pred), CELLS)


def pair(mask: np.ndarray, pred: np.ndarray) -> list[Panel]:
    return [("truth", painted(mask)), ("prediction", painted(pred))]


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat((255 * enlarged(values)).round().astype(np.uint8)[..., None], 3, -1)


def enlarged(ids: np.ndarray) -> np.ndarray:
    """Each pixel as a square: the hatch is coarser than a pixel of these scenes."""
    size = np.array(ids.shape[::-1]) * max(1, 240 // max(ids.shape))
    kind = np.uint8 if ids.dtype.kind in "biu" else np.float32
    return cv2.resize(ids.astype(kind), size.tolist(), interpolation=cv2.INTER_NEAREST)


def reliability(error: CalibrationError) -> Callable[[Axes], None]:
    """How often the bins are right over how sure they are."""

    def draw(axes: Axes) -> None:
        axes.plot([0.5, 1], [0.5, 1], color="0.6", linewidth=1)
        axes.plot(error.confidence, error.accuracy, "o-", color=TELLS, markersize=3)
        axes.set(xlim=(0.45, 1.02), ylim=(0.45, 1.02), xticks=(0.5, 1), yticks=(0.5, 1), aspect=1)
        axes.set(xlabel="confidence", ylabel="accuracy")
        axes.spines[["top", "right"]].set_visible(False)

    return draw


def intervals(found: dict[int, Comparison]) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        axes.axvline(0, color="0.6", linewidth=1)
        for row, (images, result) in enumerate(found.items()):
            color = MISLEADS if result.low < 0 < result.high else TELLS
            axes.plot([result.low, result.high], [-row, -row], color=color, linewidth=3)
            axes.plot(result.difference, -row, "o", color=color, markersize=8)
            text = f"{images} images: {result.difference:.3f}, p = {result.p_value:.3f}"
            axes.text(result.difference, 0.22 - row, text, ha="center")
        axes.set(ylim=(0.2 - len(found), 0.7), yticks=())
        axes.spines[["top", "right", "left"]].set_visible(False)

    return draw


def figure_of(trap: Trap) -> Figure:
    """Panels on the left, bars on the right."""
    with matplotlib.rc_context(dict.fromkeys(_TEXTS, 9)):
        figure = Figure(figsize=(INCHES, 1.75), layout="constrained")
        shares = [_SHARES[len(trap.panels)], 1] if trap.bars else [1]
        places = figure.add_gridspec(1, len(shares), width_ratios=shares, wspace=0.05)
        columns = places[0].subgridspec(1, len(trap.panels))
        for column, (title, content) in enumerate(trap.panels):
            draw_panel(figure.add_subplot(columns[column]), title, content)
        if trap.bars:
            draw_bars(figure.add_subplot(places[1]), trap.bars)
    return figure


def draw_panel(axes: Axes, title: str, content: np.ndarray | Callable[[Axes], None]) -> None:
    axes.set_title(title)
    if callable(content):
        content(axes)
    else:
        axes.imshow(content, interpolation="nearest")
        axes.set(xticks=(), yticks=())
        axes.spines[:].set_color("0.6")


def draw_bars(axes: Axes, bars: list[Bar]) -> None:
    places = -np.arange(len(bars))
    values = [bar.value for bar in bars]
    axes.barh(places, values, height=0.6, color=[bar.color for bar in bars])
    for place, value in zip(places, values, strict=True):
        axes.text(value + 0.03, place, f"{value:.3f}", va="center_baseline")
    axes.set_yticks(places, [bar.label for bar in bars])
    middle = -(len(bars) - 1) / 2
    axes.set(xlim=(0, 1.4), xticks=(), ylim=(middle - _ROOM / 2, middle + _ROOM / 2))
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set(color="0.6", bounds=(2 * middle - 0.5, 0.5))


def save(figure: Figure, path: Path) -> None:
    """A small file: a palette of 64 colours."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DPI)
    picture = Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
