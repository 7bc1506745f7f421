"""A data set at a glance: thumbnails with their masks, problems marked."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from semseg._checks import check_count
from semseg.classes import ClassMap
from semseg.viz._cells import cell_width, fitted_size, resize_image, resize_rows
from semseg.viz._images import as_rgb, shown_as
from semseg.viz._marks import WRONG_COLOR, hatch
from semseg.viz._masks import class_rows
from semseg.viz._panel import Footer, Row, assemble, check_width, panel_spacing, room_for_cell
from semseg.viz._theme import theme
from semseg.viz.legend import Entry, class_entries, ids_by_area
from semseg.viz.overlay import tint

_FRAME = 4  # pixels around a thumbnail with a problem


def draw_grid(
    ds: Any,
    count: int = 12,
    columns: int = 4,
    report: Any | None = None,
    max_width: int = 1200,
    dark: bool = False,
) -> np.ndarray:
    """Draws thumbnails of a data set's pictures with their masks over them.

    Without a report the samples are spread evenly over the data set. With one, those that it names
    come first, framed, with the kinds of their problems behind their names; those that can't be
    read are hatched.

    Args:
        ds: a Dataset, or anything with `len(ds)`, `ds[i] -> (image, mask)`, `ds.ids`, one name a
            sample, and `ds.class_map`.
        count: how many samples, at most.
        columns: thumbnails side by side.
        report: what `ds.check()` found, or None.
        max_width: pixels, at least 480; the picture is up to this wide.
        dark: light text on a dark ground.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: `count` or `columns` below 1; a sample that can't be drawn, or that can't be
            read though the report doesn't name it.

    Example:
        >>> ds = semseg.data.shapes("val", count=6)
        >>> draw_grid(ds, columns=3, report=ds.check()).shape[-1]
        3
    """
    count, columns = check_count("count", count, 1), check_count("columns", columns, 1)
    ids = [str(name) for name in ds.ids]
    problems = {} if report is None else _problems(report, ids)
    chosen = _chosen(ids, count, problems)
    marked = [ids[i] in problems for i in chosen]
    captions = [_caption(ids[i], problems) for i in chosen]
    samples = [_read(ds, i, is_marked) for i, is_marked in zip(chosen, marked, strict=True)]
    return draw_samples(
        samples, ds.class_map, captions, columns, max_width, marked=marked, dark=dark
    )


def draw_samples(
    samples: Sequence[tuple[Any, Any] | None],
    class_map: ClassMap,
    captions: Sequence[str],
    columns: int,
    max_width: int,
    *,
    marked: Sequence[bool] = (),
    dark: bool = False,
) -> np.ndarray:
    """Pairs of image and mask as captioned thumbnails, row by row, with one legend; None: hatch."""
    look, space = theme(dark), panel_spacing(check_width(max_width))
    columns = min(columns, len(samples))
    pairs = [_checked(s, class_map, name) for s, name in zip(samples, captions, strict=True)]
    drawn = [pair for pair in pairs if pair is not None]
    room = room_for_cell(max_width, columns, space)
    cell = cell_width([rows.shape[1] for _, rows in drawn] or [room], room)
    thumbnails: list[np.ndarray | None] = []
    for pair, is_marked in zip(pairs, marked or [False] * len(pairs), strict=True):
        thumbnails.append(_thumbnail(pair, class_map, cell, is_marked))
    rest = -len(thumbnails) % columns
    thumbnails, captions = [*thumbnails, *[None] * rest], [*captions, *[""] * rest]
    starts = range(0, len(thumbnails), columns)
    rows = [Row(thumbnails[i : i + columns], captions[i : i + columns]) for i in starts]
    legend = class_entries(class_map, ids_by_area([rows for _, rows in drawn], class_map))
    key = [Entry("has a problem", WRONG_COLOR)] if any(marked) else []
    note = shown_as(sample[0] for sample in samples if sample is not None)
    return assemble(rows, Footer([*legend, *key], (), note), cell, space, look)


def _read(ds: Any, index: int, is_marked: bool) -> tuple[Any, Any] | None:
    """A sample; None where it can't be read, as the report says."""
    try:
        return ds[index]
    except (OSError, TypeError, ValueError):
        if is_marked:
            return None
        raise


def _checked(
    sample: tuple[Any, Any] | None, class_map: ClassMap, name: str
) -> tuple[np.ndarray, np.ndarray] | None:
    if sample is None:
        return None
    image = as_rgb(sample[0], f"image of {name!r}")
    return image, class_rows(sample[1], class_map, f"mask of {name!r}", image.shape[:2])


def _thumbnail(
    pair: tuple[np.ndarray, np.ndarray] | None, class_map: ClassMap, cell: int, is_marked: bool
) -> np.ndarray:
    if pair is None:
        picture = hatch(cell * 3 // 4, cell)
    else:
        size = fitted_size(pair[1].shape, cell)
        image, rows = resize_image(pair[0], size), resize_rows(pair[1], size)
        picture = tint(image, rows, class_map, 0.5)
    if is_marked:
        _frame(picture)
    return picture


def _frame(picture: np.ndarray) -> None:
    for edge in (np.s_[:_FRAME], np.s_[-_FRAME:], np.s_[:, :_FRAME], np.s_[:, -_FRAME:]):
        picture[edge] = WRONG_COLOR


def _problems(report: Any, ids: Sequence[str]) -> dict[str, list[str]]:
    """Sample name -> the kinds of its problems, worst first."""
    found: dict[str, list[str]] = {}
    known = set(ids)
    for problem in report.problems:
        for example in problem.examples:
            # "a", "a = b" for two that are alike, "a (96x128)" for one of that size.
            names = dict.fromkeys([example, *example.split(" = "), example.rpartition(" (")[0]])
            for name in (name for name in names if name in known):
                kinds = found.setdefault(name, [])
                kinds += [problem.kind] if problem.kind not in kinds else []
    return found


def _chosen(ids: Sequence[str], count: int, problems: dict[str, list[str]]) -> list[int]:
    """Those with problems in the report's order, then others spread over the data set."""
    places = {name: i for i, name in reversed(list(enumerate(ids)))}
    first = [places[name] for name in problems][:count]
    others = [i for i in range(len(ids)) if i not in set(first)]
    wanted = min(count - len(first), len(others))
    spread = np.linspace(0, len(others) - 1, wanted).round().astype(int).tolist()
    return [*first, *(others[i] for i in spread)]


def _caption(name: str, problems: dict[str, list[str]]) -> str:
    return f"{name}: {', '.join(problems[name])}" if name in problems else name
