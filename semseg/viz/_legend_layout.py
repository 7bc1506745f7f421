"""Where the swatches and names of a legend stand: boxes first, pixels later."""

from collections.abc import Sequence
from typing import NamedTuple

from semseg.viz._text import Box, Line, ascent, line_height, text_box, text_width, wrap


class Item(NamedTuple):
    """One entry's place: its swatch and its name in one or more lines."""

    swatch: Box
    lines: tuple[Line, ...]


class LegendLayout(NamedTuple):
    """The places of all entries, in order, and the height they need."""

    items: tuple[Item, ...]
    height: int


def lay_out(names: Sequence[str], width: int, text_size: int) -> LegendLayout:
    """Places a legend's entries from the top left corner on, row by row in aligned columns.

    It takes as few rows as fit into the width. A name that is wider than the whole legend is
    wrapped; none is cut.
    """
    if not names:
        return LegendLayout((), 0)
    before, gap = _swatch_room(text_size), 2 * text_size
    texts = [wrap(name, width - before, text_size) for name in names]
    widths = [before + max(text_width(line, text_size) for line in text) for text in texts]
    columns = _column_widths(widths, width, gap)
    lefts = [sum(columns[:i]) + gap * i for i in range(len(columns))]
    items: list[Item] = []
    top = 0
    for start in range(0, len(texts), len(columns)):
        row = texts[start : start + len(columns)]
        items += [_item(t, x, top, text_size) for t, x in zip(row, lefts, strict=False)]
        top += max(map(len, row)) * line_height(text_size) + text_size // 3
    return LegendLayout(tuple(items), top - text_size // 3)


def item_box(item: Item, text_size: int) -> Box:
    """The pixels that an entry covers, swatch and name."""
    boxes = [item.swatch, *(text_box(line, text_size) for line in item.lines)]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def _swatch_room(text_size: int) -> int:
    return text_size + text_size // 2


def _column_widths(widths: Sequence[int], width: int, gap: int) -> list[int]:
    """The widths of the columns of the fewest rows that fit."""
    for rows in range(1, len(widths) + 1):
        count = -(-len(widths) // rows)
        columns = [max(widths[i::count]) for i in range(count)]
        if sum(columns) + gap * (count - 1) <= width:
            return columns
    return [max(widths)]


def _item(text: Sequence[str], left: int, top: int, text_size: int) -> Item:
    baseline = top + ascent(text_size)
    capital = text_box(Line("H", 0, baseline), text_size)
    swatch_top = (capital.top + capital.bottom - text_size) // 2  # centred on the capitals
    swatch = Box(left, swatch_top, left + text_size, swatch_top + text_size)
    x, pitch = left + _swatch_room(text_size), line_height(text_size)
    return Item(swatch, tuple(Line(t, x, baseline + i * pitch) for i, t in enumerate(text)))
