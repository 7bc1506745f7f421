"""Rows of pictures, column titles and legends put together on one page."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semseg.viz._cells import centred
from semseg.viz._text import PAPER, Line, ascent, line_height, wrap, write
from semseg.viz.legend import Entry, draw_entries


class Spacing(NamedTuple):
    """The measures of a panel in pixels."""

    text: int
    gutter: int
    margin: int


def panel_spacing(width: int) -> Spacing:
    """Measures that grow with the panel: text that is read at the width of a page."""
    text = max(13, round(width / 68))
    return Spacing(text, gutter=max(4, text // 2), margin=text)


def assemble(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    legend: Sequence[Entry],
    error_key: Sequence[Entry],
    cell: int,
    space: Spacing,
) -> np.ndarray:
    """The page: titles over aligned columns, the legend beneath, the error key under its column."""
    width = len(titles) * (cell + space.gutter) - space.gutter
    gap = _blank(space.gutter, width)
    parts = [_titles(titles, cell, space)]
    for row in rows:
        parts += [_beside(row, cell, space.gutter), gap]
    parts += [gap, _legends(legend, error_key, cell, space, width)]
    page = np.concatenate(parts)
    return np.pad(page, [(space.margin,) * 2] * 2 + [(0, 0)], constant_values=PAPER[0])


def column_lefts(count: int, cell: int, gutter: int) -> list[int]:
    """Where the columns begin, from the left edge of the first."""
    return [i * (cell + gutter) for i in range(count)]


def _beside(pictures: Sequence[np.ndarray], cell: int, gutter: int) -> np.ndarray:
    lefts = column_lefts(len(pictures), cell, gutter)
    row = _blank(pictures[0].shape[0], lefts[-1] + cell)
    for left, picture in zip(lefts, pictures, strict=True):
        row[:, left : left + cell] = centred(picture, cell)
    return row


def _titles(titles: Sequence[str], cell: int, space: Spacing) -> np.ndarray:
    lefts = column_lefts(len(titles), cell, space.gutter)
    texts = [wrap(str(title), cell, space.text) for title in titles]
    pitch = line_height(space.text)
    height = max(map(len, texts)) * pitch
    lines = []
    for left, text in zip(lefts, texts, strict=True):
        # Titles stand on their pictures: fewer lines start lower.
        first = height - len(text) * pitch + ascent(space.text)
        lines += [Line(t, left, first + i * pitch) for i, t in enumerate(text)]
    strip = _blank(height + space.text // 3, lefts[-1] + cell)
    return write(strip, lines, space.text)


def _legends(
    legend: Sequence[Entry], error_key: Sequence[Entry], cell: int, space: Spacing, width: int
) -> np.ndarray:
    """The classes from the left edge on; the error key below the error pictures it explains."""
    right = draw_entries(error_key, cell, space.text)
    # Two gutters of air keep the classes and the key apart.
    room = width - cell - 3 * space.gutter if error_key else width
    left = draw_entries(legend, room, space.text)
    strip = _blank(max(len(left), len(right)), width)
    strip[: len(left), : left.shape[1]] = left
    strip[: len(right), width - cell :] = right
    return strip


def _blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), PAPER, np.uint8)
