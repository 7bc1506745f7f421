"""A data set at a glance: thumbnails with their masks, problems marked."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from semseg._checks import check_count
from semseg.classes import ClassMap
from semseg.viz._cells import cell_width, fitted_size, resize_image, resize_rows
from semseg.viz._images import as_rgb, shown_as
from semseg.viz._marks import WRONG_COLOR
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
    come first, framed, with the kinds of their problems behind their names.

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
        ValueError: `count` or `columns` below 1; a sample that can't be read or drawn.

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
    samples = [ds[i] for i in chosen]
    return draw_samples(
        samples, ds.class_map, captions, columns, max_width, marked=marked, dark=dark
    )


def draw_samples(
    samples: Sequence[tuple[Any, Any]],
    class_map: ClassMap,
    captions: Sequence[str],
    columns: int,
    max_width: int,
    *,
    marked: Sequence[bool] = (),
    dark: bool = False,
) -> np.ndarray:
    """Pairs of image and mask as captioned thumbnails, row by row, with one legend."""
    look, space = theme(dark), panel_spacing(check_width(max_width))
    columns = min(columns, len(samples))
    images, masks = [], []
    for (image, mask), caption in zip(samples, captions, strict=True):
        images.append(as_rgb(image, f"image of {caption!r}"))
        masks.append(class_rows(mask, class_map, f"mask of {caption!r}", images[-1].shape[:2]))
    room = room_for_cell(max_width, columns, space)
    cell = cell_width([image.shape[1] for image in images], room)
    thumbnails: list[np.ndarray | None] = [
        _thumbnail(image, rows, class_map, cell) for image, rows in zip(images, masks, strict=True)
    ]
    for thumbnail, is_marked in zip(thumbnails, marked, strict=False):
        if is_marked and thumbnail is not None:
            _frame(thumbnail)
    rest = -len(thumbnails) % columns
    thumbnails, captions = [*thumbnails, *[None] * rest], [*captions, *[""] * rest]
    starts = range(0, len(thumbnails), columns)
    rows = [Row(thumbnails[i : i + columns], captions[i : i + columns]) for i in starts]
    legend = class_entries(class_map, ids_by_area(masks, class_map))
    key = [Entry("has a problem", WRONG_COLOR)] if any(marked) else []
    footer = Footer([*legend, *key], (), shown_as(image for image, _ in samples))
    return assemble(rows, footer, cell, space, look)


def _thumbnail(image: np.ndarray, rows: np.ndarray, class_map: ClassMap, cell: int) -> np.ndarray:
    size = fitted_size(rows.shape, cell)
    return tint(resize_image(image, size), resize_rows(rows, size), class_map, 0.5)


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
