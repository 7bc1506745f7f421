"""Text on arrays: one font, measured before it is drawn, so that nothing is cut or overlaps."""

import importlib.util
from collections.abc import Iterable
from functools import lru_cache
from math import ceil, floor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from semseg._palette import Color

INK: Color = (31, 35, 40)
PAPER: Color = (255, 255, 255)

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


@lru_cache(maxsize=16)
def font(size: int) -> Any:
    """DejaVu Sans, which Matplotlib ships and most systems have; Pillow's own font otherwise.

    Pillow's own knows little beyond ASCII: other letters come out as empty boxes.
    """
    spec = importlib.util.find_spec("matplotlib")  # finds the folder without importing it
    folders = [Path(spec.origin).parent / "mpl-data/fonts/ttf"] if spec and spec.origin else []
    # Pillow looks for a bare name in the system's font folders.
    for name in (*(str(f / "DejaVuSans.ttf") for f in folders), "DejaVuSans.ttf", "Arial.ttf"):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def text_box(line: Line, size: int) -> Box:
    """The pixels that a line covers."""
    left, top, right, bottom = font(size).getbbox(line.text, anchor="ls")
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


def write(canvas: np.ndarray, lines: Iterable[Line], size: int) -> np.ndarray:
    """A copy of the canvas with the lines written on it."""
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    for line in lines:
        pen.text((line.x, line.baseline), line.text, fill=INK, font=font(size), anchor="ls")
    return np.array(picture)


def _pieces(word: str, width: int, size: int) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(pieces[-1] + letter, size) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
