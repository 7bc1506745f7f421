"""Swatches and names: what the colours of a picture mean."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg._palette import Color
from semseg.classes import ClassMap
from semseg.viz._legend_layout import lay_out
from semseg.viz._marks import hatch
from semseg.viz._masks import class_rows
from semseg.viz._text import Box, Line, write
from semseg.viz._theme import Theme, theme

_TEXT_SIZE = 14
_PADDING = 12
_NARROWEST = 120


class Entry(NamedTuple):
    """A line of a legend; a colour of None stands for the hatch of ignored pixels."""

    name: str
    color: Color | None


def draw_legend(
    class_map: ClassMap,
    width: int = 600,
    ids: Sequence[int] | np.ndarray | None = None,
    extra: Mapping[str, Color] | None = None,
    dark: bool = False,
) -> np.ndarray:
    """Draws the colours and names of the classes, in columns that fill the width.

    Args:
        class_map: names and colours; its ignored label comes last, hatched.
        width: pixels, at least 120. Names that are wider are wrapped, never cut.
        ids: the class ids to show (and the ignored one, if wanted), in this order; or a mask
            (height, width), whose classes are shown, the largest first; None: all.
        extra: further entries, name -> (red, green, blue), after the classes, such as
            `{"wrong": WRONG_COLOR}`.
        dark: light text on a dark ground.

    Returns:
        (height, width, 3) uint8 RGB, as high as the entries need.

    Raises:
        ValueError: an id outside the map, a width below 120, a colour that is none.

    Example:
        >>> cells = ClassMap(["background", "cell"], ignore_class=255)
        >>> draw_legend(cells, width=400).shape[1:]
        (400, 3)
        >>> from semseg.viz import WRONG_COLOR
        >>> draw_legend(cells, ids=[1], extra={"wrong": WRONG_COLOR}).dtype
        dtype('uint8')
    """
    _check_width(width)
    look = theme(dark)
    shown: Any = ids
    if ids is not None and np.ndim(ids) == 2:
        shown = ids_by_area([class_rows(ids, class_map, "ids")], class_map)
    entries = class_entries(class_map, shown)
    entries += [Entry(str(name), _checked_color(name, c)) for name, c in (extra or {}).items()]
    inside = draw_entries(entries, int(width) - 2 * _PADDING, _TEXT_SIZE, look)
    picture = np.full((inside.shape[0] + 2 * _PADDING, int(width), 3), look.paper, np.uint8)
    picture[_PADDING:-_PADDING, _PADDING:-_PADDING] = inside
    return picture


def class_entries(class_map: ClassMap, ids: Sequence[int] | None = None) -> list[Entry]:
    """The entries of the ids, all of the map and its ignored label by default."""
    ignored = class_map.ignore_class
    if ids is None:
        ids = [*range(class_map.num_classes), *([] if ignored is None else [ignored])]
    entries = []
    for i in map(int, ids):
        if i not in range(class_map.num_classes) and (ignored is None or i != ignored):
            allowed = "" if ignored is None else f" and the ignored {ignored}"
            raise ValueError(
                f"ids must be class ids in 0..{class_map.num_classes - 1}{allowed}, received {i}; "
                "pass entries that are no classes with extra={name: color}"
            )
        entries.append(Entry(class_map.name(i), None if i == ignored else class_map.colors[i]))
    return entries


def ids_by_area(masks: Sequence[np.ndarray], class_map: ClassMap) -> list[int]:
    """The class ids that some mask of class rows has, most pixels first, the ignored id last."""
    count, ignored = class_map.num_classes, class_map.ignore_class
    pixels = np.zeros(count + 1, np.int64)
    for rows in masks:
        pixels += np.bincount(rows.ravel(), minlength=count + 1)
    largest_first = np.argsort(-pixels[:count], kind="stable").tolist()
    return [i for i in largest_first if pixels[i]] + ([ignored] if pixels[count] else [])


def draw_entries(entries: Sequence[Entry], width: int, text_size: int, look: Theme) -> np.ndarray:
    """A legend without a margin: (height, width, 3), of height 0 without entries."""
    layout = lay_out([entry.name for entry in entries], width, text_size)
    picture = np.full((layout.height, width, 3), look.paper, np.uint8)
    lines: list[Line] = []
    for entry, item in zip(entries, layout.items, strict=True):
        _fill(picture, item.swatch, entry.color, look.quiet)
        lines += item.lines
    return write(picture, lines, text_size, look.ink) if lines else picture


def _fill(picture: np.ndarray, box: Box, color: Color | None, edge: Color) -> None:
    # The edge keeps white and pale swatches visible on white, dark ones on dark paper.
    picture[box.top : box.bottom, box.left : box.right] = edge
    inside = picture[box.top + 1 : box.bottom - 1, box.left + 1 : box.right - 1]
    inside[:] = hatch(*inside.shape[:2]) if color is None else color


def _check_width(width: Any) -> None:
    if isinstance(width, bool) or not isinstance(width, (int, np.integer)) or width < _NARROWEST:
        raise ValueError(
            f"width must be a whole number of pixels >= {_NARROWEST}, "
            f"received {width!r}; narrower legends can't hold a word"
        )


def _checked_color(name: str, color: Any) -> Color:
    values = np.asarray(color)
    whole = values.shape == (3,) and values.dtype.kind in "ui"
    if not whole or values.min() < 0 or values.max() > 255:
        raise ValueError(
            f"extra must map names to (red, green, blue) of whole numbers in 0..255, received "
            f"{color!r} for {name!r}; colours of 0..1 are multiplied by 255 first"
        )
    return tuple(values.tolist())
