"""Heat: a number as a colour, and the bar that turns colours back into numbers."""

from math import floor, log10

import cv2
import numpy as np

from semseg.viz._panel import Spacing
from semseg.viz._text import Line, ascent, line_height, text_width, write
from semseg.viz._theme import Theme

_STEPS = 256


def heat_colors(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """(height, width) numbers -> (height, width, 3) uint8: dark blue for low, yellow for high.

    The colours are cividis, which colour-blind readers see as others do (Nuñez et al., 2018).
    """
    low, high = limits
    scale = (_STEPS - 1) / (high - low) if high > low else 0.0
    steps = np.clip((values - low) * scale, 0, _STEPS - 1).round().astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(steps, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)


def with_bar(
    picture: np.ndarray, limits: tuple[float, float], width: int, space: Spacing, look: Theme
) -> np.ndarray:
    """The picture over a colour bar of a width, with its ends and round numbers below it."""
    low, high = limits
    gap, thick, tick = space.gutter, space.text, space.gutter // 2
    height = gap + thick + tick + line_height(space.text)
    strip = np.full((height, width, 3), look.paper, np.uint8)
    ramp = np.linspace(low, high, width, dtype=np.float64)[None]
    strip[gap : gap + thick] = heat_colors(ramp, limits)
    lines: list[Line] = []
    taken: list[tuple[int, int]] = []
    for number in _numbers(low, high, width // (5 * space.text)):
        text = f"{number:.4g}"
        place = round((number - low) / ((high - low) or 1) * (width - 1))
        wide = text_width(text, space.text)
        left = min(max(0, place - wide // 2), width - wide)
        if all(left >= b + space.text or left + wide + space.text <= a for a, b in taken):
            strip[gap + thick : gap + thick + tick, place] = look.quiet
            lines.append(Line(text, left, gap + thick + tick + ascent(space.text)))
            taken.append((left, left + wide))
    strip = write(strip, lines, space.text, look.ink)
    spare = width - picture.shape[1]
    margins = (spare // 2, spare - spare // 2)
    above = cv2.copyMakeBorder(picture, 0, 0, *margins, cv2.BORDER_CONSTANT, value=look.paper)
    return np.concatenate([above, strip])


def _numbers(low: float, high: float, most: int) -> list[float]:
    """What the bar's numbers are: its ends, and round ones between, in order of importance."""
    if low == high:
        return [low]
    step = _round_step((high - low) / max(1, most))
    between = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return [low, high, *(n for n in between.tolist() if low < n < high)]


def _round_step(least: float) -> float:
    """The least of 1, 2, 5, 10, ... times a power of ten that is not below."""
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
