"""Rows of pictures with captions, and legends, put together on one page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg.viz._cells import centred
from semseg.viz._text import Line, ascent, line_height, wrap, write
from semseg.viz._theme import Theme
from semseg.viz.legend import Entry, draw_entries


class Spacing(NamedTuple):
    """The measures of a panel in pixels."""

    text: int
    gutter: int
    margin: int


class Row(NamedTuple):
    """Pictures side by side; None leaves a place empty. Captions stand above them."""

    pictures: Sequence[np.ndarray | None]
    captions: Sequence[str] = ()


class Footer(NamedTuple):
    """What stands below the rows: the classes, a key of the last column, a sentence."""

    legend: Sequence[Entry] = ()
    key: Sequence[Entry] = ()
    note: str = ""


def panel_spacing(width: int) -> Spacing:
    """Measures that grow with the panel: text that is read at the width of a page."""
    text = max(13, round(width / 68))
    return Spacing(text, gutter=max(4, text // 2), margin=text)


def room_for_cell(max_width: int, columns: int, space: Spacing) -> int:
    """The width that each of the columns may have."""
    return (max_width - 2 * space.margin - (columns - 1) * space.gutter) // columns


def check_width(max_width: Any, narrowest: int = 480) -> int:
    """A whole number of pixels that columns fit into."""
    whole = isinstance(max_width, (int, np.integer)) and not isinstance(max_width, bool)
    if not whole or max_width < narrowest:
        raise ValueError(
            f"max_width must be a whole number of pixels >= {narrowest}, received {max_width!r}"
        )
    return int(max_width)


def assemble(
    rows: Sequence[Row], footer: Footer, cell: int, space: Spacing, look: Theme
) -> np.ndarray:
    """The page: captions over aligned columns, the legend beneath, the key under its column."""
    width = max(len(row.pictures) for row in rows) * (cell + space.gutter) - space.gutter
    gap = _blank(space.gutter, width, look)
    parts = []
    for row in rows:
        strips = [_captions(row.captions, cell, space, look)] if row.captions else []
        strips.append(_beside(row.pictures, cell, space.gutter, look))
        parts += [*(_widened(strip, width, look) for strip in strips), gap]
    below = _legends(footer.legend, footer.key, cell, space, width, look)
    parts += [gap, below] if len(below) else []
    if footer.note:
        parts += [gap, gap, _sentence(footer.note, width, space, look)]
    page = np.concatenate(parts)
    framed = _blank(len(page) + 2 * space.margin, width + 2 * space.margin, look)
    framed[space.margin : -space.margin, space.margin : -space.margin] = page
    return framed


def column_lefts(count: int, cell: int, gutter: int) -> list[int]:
    """Where the columns begin, from the left edge of the first."""
    return [i * (cell + gutter) for i in range(count)]


def _beside(
    pictures: Sequence[np.ndarray | None], cell: int, gutter: int, look: Theme
) -> np.ndarray:
    lefts = column_lefts(len(pictures), cell, gutter)
    height = max(len(picture) for picture in pictures if picture is not None)
    row = _blank(height, lefts[-1] + cell, look)
    for left, picture in zip(lefts, pictures, strict=True):
        if picture is not None:
            row[: len(picture), left : left + cell] = centred(picture, cell, look.paper)
    return row


def _captions(captions: Sequence[str], cell: int, space: Spacing, look: Theme) -> np.ndarray:
    lefts = column_lefts(len(captions), cell, space.gutter)
    texts = [wrap(str(caption), cell, space.text) for caption in captions]
    pitch = line_height(space.text)
    height = max(map(len, texts)) * pitch
    lines = []
    for left, text in zip(lefts, texts, strict=True):
        # Captions stand on their pictures: fewer lines start lower.
        first = height - len(text) * pitch + ascent(space.text)
        lines += [Line(t, left, first + i * pitch) for i, t in enumerate(text)]
    strip = _blank(height + space.text // 3, lefts[-1] + cell, look)
    return write(strip, lines, space.text, look.ink)


def _legends(
    legend: Sequence[Entry],
    key: Sequence[Entry],
    cell: int,
    space: Spacing,
    width: int,
    look: Theme,
) -> np.ndarray:
    """The classes from the left edge on; the key below the pictures that it explains."""
    right = draw_entries(key, cell, space.text, look)
    # Two gutters of air keep the classes and the key apart.
    room = width - cell - 3 * space.gutter if key else width
    left = draw_entries(legend, room, space.text, look)
    strip = _blank(max(len(left), len(right)), width, look)
    strip[: len(left), : left.shape[1]] = left
    strip[: len(right), width - cell :] = right
    return strip


def _sentence(text: str, width: int, space: Spacing, look: Theme) -> np.ndarray:
    pitch = line_height(space.text)
    texts = wrap(text, width, space.text)
    lines = [Line(t, 0, ascent(space.text) + i * pitch) for i, t in enumerate(texts)]
    return write(_blank(len(texts) * pitch, width, look), lines, space.text, look.ink)


def _widened(strip: np.ndarray, width: int, look: Theme) -> np.ndarray:
    whole = _blank(len(strip), width, look)
    whole[:, : strip.shape[1]] = strip
    return whole


def _blank(height: int, width: int, look: Theme) -> np.ndarray:
    return np.full((height, width, 3), look.paper, np.uint8)
