"""Pictures and masks that are in memory."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from semseg.classes import ClassMap, check_class_map
from semseg.data.dataset import Dataset
from semseg.data.samples import Pair


def from_arrays(
    images: Sequence[Any] | np.ndarray,
    masks: Sequence[Any] | np.ndarray,
    class_map: ClassMap,
    *,
    ids: Sequence[str] | None = None,
    name: str = "arrays",
) -> Dataset:
    """A Dataset of arrays in memory, which are not copied.

    Args:
        images: one (height, width, channels) array a sample, or all in one array; sizes may differ.
        masks: one (height, width) array of raw ids, or (height, width, 3) of the map's colours, a
            sample.
        class_map: what the masks hold; its `remap` is applied.
        ids: a name a sample; their numbers by default.
        name: the data set's name.

    Raises:
        ValueError: different numbers of images, masks and ids. When a sample is read: arrays that
            are no image or mask, or differ in size, or hold ids that the map doesn't know.

    Example:
        >>> images = np.zeros((5, 32, 48, 3), "uint8")
        >>> masks = np.zeros((5, 32, 48), "uint8")
        >>> semseg.data.from_arrays(images, masks, semseg.ClassMap(["background", "cell"]))
        Dataset('arrays', 5 samples, 2 classes: background, cell)
    """
    check_class_map(class_map)
    names = [str(i) for i in range(len(images))] if ids is None else list(ids)
    if not len(images) == len(masks) == len(names):
        raise ValueError(
            f"images, masks and ids must be as many, received {len(images)}, {len(masks)} and "
            f"{len(names)}"
        )

    return Dataset(partial(_read, images, masks, class_map), names, class_map, name)


def _read(
    images: Sequence[Any] | np.ndarray,
    masks: Sequence[Any] | np.ndarray,
    class_map: ClassMap,
    index: int,
) -> Pair:
    # A copy, as the encoded mask is one: what a reader writes into its sample must not stay.
    return np.array(images[index]), class_map.encode(masks[index])
