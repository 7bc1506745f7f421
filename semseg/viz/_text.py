"""Text on arrays, measured before it is drawn, so that nothing is cut or overlaps."""

from collections.abc import Iterable
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from semseg._palette import Color
from semseg.viz._fonts import font, legible

_LATIN = "".join(map(chr, range(0xC0, 0x250)))


class Line(NamedTuple):
    """One line of text with its baseline's left end."""

    text: str
    x: int
    baseline: int


class Box(NamedTuple):
    """A rectangle of pixels; right and bottom are the first outside."""

    left: int
    top: int
    right: int
    bottom: int


def text_box(line: Line, size: int) -> Box:
    """The pixels that a line covers."""
    text, file = legible(line.text)
    left, top, right, bottom = font(size, file).getbbox(text, anchor="ls")
    x, y = line.x, line.baseline
    return Box(floor(left) + x, floor(top) + y, ceil(right) + x, ceil(bottom) + y)


def text_width(text: str, size: int) -> int:
    """Pixels from the start of a text to the end of its ink or of its advance."""
    return text_box(Line(text, 0, 0), size).right


def line_height(size: int) -> int:
    """Pixels from one baseline to the next."""
    return sum(_extents(size))


def ascent(size: int) -> int:
    """Pixels from a baseline to the top of its line."""
    return _extents(size)[0]


@lru_cache(maxsize=16)
def _extents(size: int) -> tuple[int, int]:
    """Pixels above and below a baseline: the font's own say leaves out accents on capitals."""
    ink = text_box(Line(_LATIN, 0, 0), size)
    above, below = font(size).getmetrics()
    return max(above, -ink.top), max(below, ink.bottom)


def wrap(text: str, width: int, size: int) -> list[str]:
    """Breaks a text into lines of at most `width` pixels: between words, or inside a long one."""
    text = "".join(c if c.isprintable() else " " for c in text)
    if text_width(text, size) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(joined, size) <= width:
            lines[-1] = joined
        else:
            lines += _pieces(word, width, size)
    return [line for line in lines if line] or [""]


def write(canvas: np.ndarray, lines: Iterable[Line], size: int, ink: Color) -> np.ndarray:
    """A copy of the canvas with the lines written on it."""
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    for line in lines:
        text, file = legible(line.text)
        pen.text((line.x, line.baseline), text, fill=ink, font=font(size, file), anchor="ls")
    return np.array(picture)


def _pieces(word: str, width: int, size: int) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(pieces[-1] + letter, size) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
