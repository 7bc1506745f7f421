"""The panel that shows how well a model does, or several: image | truth | prediction | error."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg.classes import ClassMap
from semseg.viz._cells import cell_width, fitted_size, resize_image, resize_rows
from semseg.viz._images import as_rgb, shown_as
from semseg.viz._masks import class_rows, paint
from semseg.viz._panel import Footer, Row, assemble, check_width, panel_spacing, room_for_cell
from semseg.viz._theme import theme
from semseg.viz.error_picture import background_id, error_key, paint_error
from semseg.viz.legend import class_entries, ids_by_area

_TITLES: tuple[str, ...] = ("image", "truth", "prediction", "error")


class _Sample(NamedTuple):
    """One picture of the panel, checked: 8-bit RGB and class rows of one size."""

    image: np.ndarray
    truth: np.ndarray
    predictions: tuple[np.ndarray, ...]


def draw_comparison(
    images: Sequence[Any],
    masks: Sequence[Any],
    pred_masks: Sequence[Any] | Mapping[str, Sequence[Any]] | None,
    class_map: ClassMap,
    titles: Sequence[str] | None = None,
    max_width: int = 1200,
    *,
    background: str | int | None = None,
    dark: bool = False,
) -> np.ndarray:
    """Draws one row a sample: image, true mask, predicted mask and errors, with a legend.

    The predictions of several models stand side by side, each above its errors and the share of
    pixels that it got right. All columns are equally wide. Small pictures are enlarged by a whole
    factor as far as `max_width` allows, large ones are reduced; masks keep their ids by nearest
    neighbour. The legend names the classes that truth or prediction have, the largest first;
    ignored pixels are hatched.

    Args:
        images: pictures (height, width, channels) of any sizes, or one batch.
        masks: their true masks (height, width).
        pred_masks: their predicted masks, or those of several models, `{name: masks}`, or None
            for image and truth alone.
        class_map: names and colours of the ids.
        titles: of the columns; None says what they show, and the models' names.
        max_width: pixels, at least 480; the panel is up to this wide.
        background: name or id of the class that stands for "nothing there": errors are then shown
            by kind, as in `draw_error`.
        dark: light text on a dark ground.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: counts or sizes differ, nothing to draw, a mask with ids outside the map.

    Example:
        >>> cells = ClassMap(["background", "cell"])
        >>> images, masks = np.zeros((2, 96, 128, 3), "uint8"), np.zeros((2, 96, 128), int)
        >>> panel = draw_comparison(images, masks, {"U-Net": masks, "SegNet": masks}, cells)
        >>> panel.dtype, panel.shape[1] <= 1200
        (dtype('uint8'), True)
    """
    look, max_width = theme(dark), check_width(max_width)
    models = pred_masks if isinstance(pred_masks, Mapping) else None
    titles = _checked_titles(titles, pred_masks)
    ground = background_id(background, class_map)
    samples = _samples(images, masks, pred_masks, class_map)
    space = panel_spacing(max_width)
    widths = [sample.image.shape[1] for sample in samples]
    cell = cell_width(widths, room_for_cell(max_width, len(titles), space))
    draw_rows = _rows_of_models if models is not None else _row
    rows = [row for sample in samples for row in draw_rows(sample, cell, class_map, ground)]
    rows[0] = rows[0]._replace(captions=titles)
    masks_drawn = [rows for sample in samples for rows in (sample.truth, *sample.predictions)]
    footer = Footer(
        class_entries(class_map, ids_by_area(masks_drawn, class_map)),
        () if pred_masks is None else error_key(ground, class_map),
        shown_as(images),
    )
    return assemble(rows, footer, cell, space, look)


def _row(sample: _Sample, cell: int, class_map: ClassMap, background: int | None) -> list[Row]:
    """The pictures of a sample at the size of the panel, so that hatches keep their size."""
    image, truth, predictions = _resized(sample, cell)
    pictures = [image, paint(truth, class_map)]
    for rows in predictions:
        pictures += [paint(rows, class_map), paint_error(truth, rows, class_map, image, background)]
    return [Row(pictures)]


def _rows_of_models(
    sample: _Sample, cell: int, class_map: ClassMap, background: int | None
) -> list[Row]:
    """The predictions beside the truth, and their errors in a row of their own."""
    image, truth, predictions = _resized(sample, cell)
    above = [image, paint(truth, class_map), *(paint(rows, class_map) for rows in predictions)]
    below = [paint_error(truth, rows, class_map, image, background) for rows in predictions]
    labelled = sample.truth != class_map.num_classes
    shares = [(sample.truth == rows)[labelled] for rows in sample.predictions]
    right = [_share(share) if share.size else "no label" for share in shares]
    return [Row(above), Row([None, None, *below], ["", "", *right])]


def _share(right: np.ndarray) -> str:
    """A share that says 100 % only where all is right."""
    return f"{1 if right.all() else min(right.mean(), 0.999):.1%} right"


def _resized(sample: _Sample, cell: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    size = fitted_size(sample.truth.shape, cell)
    predictions = [resize_rows(rows, size) for rows in sample.predictions]
    return resize_image(sample.image, size), resize_rows(sample.truth, size), predictions


def _samples(
    images: Sequence[Any], masks: Sequence[Any], pred_masks: Any, class_map: ClassMap
) -> list[_Sample]:
    if isinstance(images, np.ndarray) and images.ndim == 3:
        raise ValueError(
            f"images must be a sequence of pictures, received one of shape {np.shape(images)}; "
            "put one picture and its masks into lists: draw_comparison([image], [mask], ...)"
        )
    models = {"pred_masks": pred_masks}
    if pred_masks is None or isinstance(pred_masks, Mapping):
        models = {f"pred_masks[{name!r}]": sets for name, sets in (pred_masks or {}).items()}
    counts = [len(images), len(masks), *map(len, models.values())]
    if len(set(counts)) > 1:
        raise ValueError(
            "images, masks and pred_masks must have as many pictures each, received "
            f"{', '.join(map(str, counts[:-1]))} and {counts[-1]}; one picture goes into a list"
        )
    if not len(images):
        raise ValueError("images must hold at least one picture, received none")
    samples = []
    for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
        rgb = as_rgb(image, f"images[{i}]")
        size = rgb.shape[:2]
        truth = class_rows(mask, class_map, f"masks[{i}]", size)
        predictions = (
            class_rows(sets[i], class_map, f"{name}[{i}]", size) for name, sets in models.items()
        )
        samples.append(_Sample(rgb, truth, tuple(predictions)))
    return samples


def _checked_titles(titles: Sequence[str] | None, pred_masks: Any) -> tuple[str, ...]:
    known = _TITLES[:2] if pred_masks is None else _TITLES
    if isinstance(pred_masks, Mapping):
        known = (*_TITLES[:2], *map(str, pred_masks))
    if isinstance(pred_masks, Mapping) and not pred_masks:
        raise ValueError("pred_masks must name at least one model, received {}; pass {name: masks}")
    if titles is None:
        return known
    if isinstance(titles, str) or len(titles) != len(known):
        raise ValueError(f"titles must hold {len(known)} texts, one a column, received {titles!r}")
    return tuple(titles)
