"""The panel that shows how well a model does: image | truth | prediction | error."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg.classes import ClassMap
from semseg.viz._cells import cell_width, fitted_size, resize_image, resize_rows
from semseg.viz._images import as_rgb
from semseg.viz._marks import CORRECT_COLOR, WRONG_COLOR
from semseg.viz._masks import class_rows, paint
from semseg.viz._panel import assemble, panel_spacing
from semseg.viz.error_picture import paint_error
from semseg.viz.legend import Entry, class_entries

_TITLES = ("image", "truth", "prediction", "error")
_NARROWEST = 480
_ERROR_KEY = (Entry("wrong", WRONG_COLOR), Entry("correct", CORRECT_COLOR))


class _Sample(NamedTuple):
    """One row of the panel, checked: 8-bit RGB and class rows of one size."""

    image: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray | None


def draw_comparison(
    images: Sequence[Any],
    masks: Sequence[Any],
    pred_masks: Sequence[Any] | None,
    class_map: ClassMap,
    titles: Sequence[str] = _TITLES,
    max_width: int = 1200,
) -> np.ndarray:
    """Draws one row a sample: image, true mask, predicted mask and errors, with a legend.

    All columns are equally wide. Small pictures are enlarged by a whole factor as far as
    `max_width` allows, large ones are reduced; masks keep their ids by nearest neighbour. The
    legend names the classes that truth or prediction have; ignored pixels are hatched.

    Args:
        images: pictures (height, width, channels) of any sizes, or one batch.
        masks: their true masks (height, width).
        pred_masks: their predicted masks, or None for image and truth alone.
        class_map: names and colours of the ids.
        titles: of the four columns; without predictions two are enough.
        max_width: pixels, at least 480; the panel is up to this wide.

    Returns:
        (height, width, 3) uint8 RGB on white.

    Raises:
        ValueError: counts or sizes differ, nothing to draw, a mask with ids outside the map.

    Example:
        >>> cells = ClassMap(["background", "cell"])
        >>> images, masks = np.zeros((2, 96, 128, 3), "uint8"), np.zeros((2, 96, 128), int)
        >>> panel = draw_comparison(images, masks, masks, cells)
        >>> panel.dtype, panel.shape[1] <= 1200
        (dtype('uint8'), True)
    """
    columns = 2 if pred_masks is None else 4
    _check_panel(titles, columns, max_width)
    samples = _samples(images, masks, pred_masks, class_map)
    space = panel_spacing(int(max_width))
    room = (int(max_width) - 2 * space.margin - (columns - 1) * space.gutter) // columns
    cell = cell_width([sample.image.shape[1] for sample in samples], room)
    rows = [_draw_row(sample, cell, class_map) for sample in samples]
    key = () if pred_masks is None else _ERROR_KEY
    legend = class_entries(class_map, _present_ids(samples, class_map))
    return assemble(rows, tuple(titles[:columns]), legend, key, cell, space)


def _draw_row(sample: _Sample, cell: int, class_map: ClassMap) -> list[np.ndarray]:
    """The pictures of one row at the size of the panel, so that hatches keep their size."""
    size = fitted_size(sample.truth.shape, cell)
    image, truth = resize_image(sample.image, size), resize_rows(sample.truth, size)
    if sample.prediction is None:
        return [image, paint(truth, class_map)]
    prediction = resize_rows(sample.prediction, size)
    error = paint_error(truth, prediction, class_map, image)
    return [image, paint(truth, class_map), paint(prediction, class_map), error]


def _samples(
    images: Sequence[Any], masks: Sequence[Any], pred_masks: Any, class_map: ClassMap
) -> list[_Sample]:
    if isinstance(images, np.ndarray) and images.ndim == 3:
        raise ValueError(
            f"images must be a sequence of pictures, received one of shape {np.shape(images)}; "
            "put one picture and its masks into lists: draw_comparison([image], [mask], ...)"
        )
    predictions = [None] * len(masks) if pred_masks is None else pred_masks
    if not len(images) == len(masks) == len(predictions):
        raise ValueError(
            "images, masks and pred_masks must have as many pictures each, received "
            f"{len(images)}, {len(masks)} and {len(predictions)}; one picture goes into a list"
        )
    if not len(images):
        raise ValueError("images must hold at least one picture, received none")
    samples = []
    for i, (image, mask, prediction) in enumerate(zip(images, masks, predictions, strict=True)):
        rgb = as_rgb(image, f"images[{i}]")
        truth = class_rows(mask, class_map, f"masks[{i}]", rgb.shape[:2])
        if prediction is not None:
            prediction = class_rows(prediction, class_map, f"pred_masks[{i}]", rgb.shape[:2])
        samples.append(_Sample(rgb, truth, prediction))
    return samples


def _present_ids(samples: Sequence[_Sample], class_map: ClassMap) -> list[int]:
    """The class ids that some mask has, in order, and the ignored id last."""
    seen = np.zeros(class_map.num_classes + 1, bool)
    for sample in samples:
        for rows in sample[1:]:
            if rows is not None:
                seen[rows] = True
    present = [i for i in range(class_map.num_classes) if seen[i]]
    if class_map.ignore_class is not None and seen[class_map.num_classes]:
        present.append(class_map.ignore_class)
    return present


def _check_panel(titles: Sequence[str], columns: int, max_width: Any) -> None:
    if isinstance(titles, str) or len(titles) not in (columns, len(_TITLES)):
        raise ValueError(f"titles must hold {columns} texts, one a column, received {titles!r}")
    whole = isinstance(max_width, (int, np.integer)) and not isinstance(max_width, bool)
    if not whole or max_width < _NARROWEST:
        raise ValueError(
            f"max_width must be a whole number of pixels >= {_NARROWEST}, received {max_width!r}"
        )
