"""Colours for classes that bring none: far apart for everybody, neighbours above all."""

from functools import lru_cache

import numpy as np

Color = tuple[int, int, int]

# Class 0 is the background in most data sets: a dark slate that lets the others stand out.
# Then the colours of Okabe and Ito (2008), made for colour-blind readers, neighbours apart.
_FIRST: tuple[Color, ...] = (
    (38, 44, 58),
    (86, 180, 233),
    (213, 94, 0),
    (0, 114, 178),
    (230, 159, 0),
    (204, 121, 167),
    (240, 228, 66),
    (0, 158, 115),
)

# The ignored label's white, and greys, which borders, hatches and dimmed pictures have.
_TAKEN: tuple[Color, ...] = ((255, 255, 255), (150, 150, 150))

# Dichromat simulation in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.0.
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)

# Linear RGB -> LMS -> OKLab (Ottosson, 2020): equal distances look equally different.
_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def luminance(colors: np.ndarray) -> np.ndarray:
    """Relative luminance of (..., 3) uint8 colours in [0, 1], as contrast ratios use it (WCAG)."""
    return _linear(colors) @ np.array([0.2126, 0.7152, 0.0722])


def perceived(colors: np.ndarray) -> np.ndarray:
    """OKLab coordinates of (N, 3) uint8 colours as seen by three kinds of eyes: (3, N, 3).

    The kinds are normal vision, deuteranopia and protanopia.
    """
    linear = _linear(np.reshape(colors, (-1, 3)))
    kinds = [linear, linear @ DEUTERANOPIA.T, linear @ PROTANOPIA.T]
    return np.stack([np.cbrt(np.clip(k, 0, 1) @ _TO_LMS.T) @ _TO_LAB.T for k in kinds])


def color_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """OKLab distances of (N, 3) and (M, 3) colours, the least over three kinds of eyes: (N, M)."""
    return _distance(perceived(a), perceived(b))


@lru_cache(maxsize=32)
def default_colors(count: int) -> tuple[Color, ...]:
    """`count` distinct colours; the first ones do not depend on `count`.

    After the hand-picked ones, each new colour is the candidate farthest from all before it,
    where the one just before counts as half as far away as it is: neighbours differ most.
    """
    chosen = [np.array(color) for color in _FIRST]
    grid, seen = _candidates()
    last = _distance(seen, perceived(chosen[-1]))[:, 0]
    nearest = _distance(seen, perceived(np.array(_TAKEN + _FIRST))).min(axis=1)
    while len(chosen) < count:
        best = int(np.argmax(np.minimum(nearest, last / 2)))
        chosen.append(grid[best])
        last = _distance(seen, seen[:, best : best + 1])[:, 0]
        nearest = np.minimum(nearest, last)
    return tuple((int(r), int(g), int(b)) for r, g, b in chosen[:count])


def _candidates() -> tuple[np.ndarray, np.ndarray]:
    """A grid of printable colours (N, 3) and how they are perceived."""
    steps = np.linspace(24, 248, 15).round().astype(int)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    # Greys stay free for the ignored label, for borders and for text.
    grid = grid[grid.max(axis=1) - grid.min(axis=1) >= 64]
    seen = perceived(grid)
    # Neither glaring nor close to black: lightness and chroma of printed charts.
    chroma = np.linalg.norm(seen[0, :, 1:], axis=-1)
    usable = (seen[0, :, 0] > 0.4) & (seen[0, :, 0] < 0.93) & (chroma < 0.24)
    return grid[usable], seen[:, usable]


def _linear(colors: np.ndarray) -> np.ndarray:
    srgb = np.asarray(colors, np.float64) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, :, None] - b[:, None], axis=-1).min(axis=0)
