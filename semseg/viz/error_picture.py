"""Where a prediction is wrong, and in which way."""

from typing import Any

import cv2
import numpy as np

from semseg.classes import ClassMap
from semseg.viz._images import as_rgb
from semseg.viz._marks import CORRECT_COLOR, ERROR_COLORS, WRONG_COLOR
from semseg.viz._masks import class_rows, hatch_ignored
from semseg.viz.legend import Entry

# The dimmed picture lies around CORRECT_COLOR and stays far darker than WRONG_COLOR.
_DIMMED_LOW, _DIMMED_HIGH = 32, 104
_KINDS = tuple(ERROR_COLORS)


def draw_error(
    mask: Any,
    pred_mask: Any,
    class_map: ClassMap,
    image: Any | None = None,
    background: str | int | None = None,
) -> np.ndarray:
    """Shows where a prediction differs from the truth.

    Wrong pixels have `WRONG_COLOR`, a magenta that colour-blind readers see as well. Where the
    background is named, they have the colours of `ERROR_COLORS`: "missed" where an object was
    taken for background, "false" where background was taken for an object, "confused" where one
    object's class was taken for another's. Correct pixels show the picture, grey and dimmed, or
    plain `CORRECT_COLOR` without a picture. What the truth ignores is hatched, whatever was
    predicted there; a class predicted as ignored is wrong, and missed.

    Args:
        mask: (height, width) true class ids.
        pred_mask: (height, width) predicted class ids.
        class_map: what the ids mean.
        image: (height, width, channels), as for `draw_overlay`, or None.
        background: name or id of the class that stands for "nothing there"; None draws all errors
            alike.

    Returns:
        (height, width, 3) uint8 RGB. `draw_legend(class_map, ids=[], extra=ERROR_COLORS)` gives
        its key.

    Raises:
        ValueError: sizes differ, a mask with ids outside the map, a batch, a background that is no
            class.

    Example:
        >>> cells = ClassMap(["background", "cell"])
        >>> draw_error(np.array([[0, 1]]), np.array([[0, 0]]), cells).tolist()
        [[[64, 64, 64], [235, 55, 255]]]
        >>> from semseg.viz import ERROR_COLORS
        >>> missed = draw_error(np.array([[1]]), np.array([[0]]), cells, background="background")
        >>> tuple(missed[0, 0].tolist()) == ERROR_COLORS["missed"]
        True
    """
    ground = background_id(background, class_map)
    rows = class_rows(mask, class_map)
    pred_rows = class_rows(pred_mask, class_map, "pred_mask", rows.shape)
    picture = None if image is None else as_rgb(image)
    if picture is not None:
        _check_same_size(picture, rows)
    return paint_error(rows, pred_rows, class_map, picture, ground)


def paint_error(
    rows: np.ndarray,
    pred_rows: np.ndarray,
    class_map: ClassMap,
    rgb: np.ndarray | None,
    background: int | None = None,
) -> np.ndarray:
    """The error picture of checked class rows and of an 8-bit picture of their size, if any."""
    if rgb is None:
        picture = np.full((*rows.shape, 3), CORRECT_COLOR, np.uint8)
    else:
        picture = _dimmed(rgb)
    wrong = (rows != pred_rows).view(np.uint8)
    # Whole pictures copied through a mask are several times as fast as indexing with it.
    if background is None:
        painted = np.full(picture.shape, WRONG_COLOR, np.uint8)
    else:
        kinds = _kinds(rows, pred_rows, class_map, background)
        painted = np.array(list(ERROR_COLORS.values()), np.uint8).take(kinds, axis=0, mode="clip")
    cv2.copyTo(painted, wrong, picture)
    return hatch_ignored(picture, rows == class_map.num_classes)


def error_key(background: int | None, class_map: ClassMap) -> tuple[Entry, ...]:
    """The entries of a legend that explain an error picture."""
    wrong = {"wrong": WRONG_COLOR} if background is None else dict(ERROR_COLORS)
    if class_map.num_classes == 2:  # one kind of object cannot be taken for another
        wrong.pop("confused", None)
    return tuple(Entry(name, c) for name, c in (wrong | {"correct": CORRECT_COLOR}).items())


def background_id(background: Any, class_map: ClassMap) -> int | None:
    """The id of the class that a person named as background, by name or id."""
    if background is None:
        return None
    if isinstance(background, str) and background in class_map.names:
        return class_map.names.index(background)
    whole = isinstance(background, (int, np.integer)) and not isinstance(background, bool)
    if not whole or background not in range(class_map.num_classes):
        shown = ", ".join(map(repr, class_map.names[:8]))
        more = ", ..." if class_map.num_classes > 8 else ""
        raise ValueError(
            f"background must be None, one of the names {shown}{more} or an id in "
            f"0..{class_map.num_classes - 1}, received {background!r}"
        )
    return int(background)


def _kinds(
    rows: np.ndarray, pred_rows: np.ndarray, class_map: ClassMap, background: int
) -> np.ndarray:
    """What kind of error each pixel is, if it is one, as a place in ERROR_COLORS."""
    nothing = (pred_rows == background) | (pred_rows == class_map.num_classes)
    kinds = np.full(rows.shape, _KINDS.index("confused"), np.uint8)
    kinds[nothing] = _KINDS.index("missed")
    kinds[rows == background] = _KINDS.index("false")
    return kinds


def _dimmed(rgb: np.ndarray) -> np.ndarray:
    levels = np.linspace(_DIMMED_LOW, _DIMMED_HIGH, 256).round().astype(np.uint8)
    return cv2.cvtColor(levels[cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)], cv2.COLOR_GRAY2RGB)


def _check_same_size(picture: np.ndarray, rows: np.ndarray) -> None:
    if picture.shape[:2] != rows.shape:
        raise ValueError(
            f"image must have the size of mask, {rows.shape[0]}x{rows.shape[1]}, received "
            f"{picture.shape[0]}x{picture.shape[1]}; pass the image that the mask belongs to"
        )
