"""What augmentation makes of one sample."""

from collections.abc import Callable
from typing import Any

import numpy as np

from semseg._checks import check_count
from semseg.viz.grid import draw_samples


def draw_augmentations(
    ds: Any,
    transform: Callable[..., tuple[np.ndarray, ...]],
    index: int = 0,
    count: int = 7,
    seed: int = 0,
    columns: int = 4,
    max_width: int = 1200,
    dark: bool = False,
) -> np.ndarray:
    """Draws a sample as it is, and what a transform makes of it again and again.

    The cells are what `ds.pipeline(augment=transform, seed=seed)` shows a model of this sample
    in its first epochs.

    Args:
        ds: a Dataset, or anything with `ds[i] -> (image, mask)` and `ds.class_map`. A single pair
            becomes one with `semseg.data.from_arrays([image], [mask], class_map)`.
        transform: a function of (image, mask, rng) that gives (image, mask), such as one of
            `semseg.data.transforms`.
        index: which sample.
        count: how many times it is transformed.
        seed: of the random draws.
        columns: pictures side by side.
        max_width: pixels, at least 480; the picture is up to this wide.
        dark: light text on a dark ground.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: `count` or `columns` below 1; a mask that gained ids which the map doesn't have.

    Example:
        >>> ds = semseg.data.shapes("train", count=1)
        >>> draw_augmentations(ds, semseg.data.transforms.light(), count=3).shape[-1]
        3
    """
    # Deferred, as draw_* works where nothing of the data room is installed.
    from semseg.data.feeding.draws import sample_rng

    count, columns = check_count("count", count, 1), check_count("columns", columns, 1)
    image, mask = ds[index]
    samples = [(image, mask)]
    for epoch in range(count):
        made = transform(image.copy(), mask.copy(), sample_rng(seed, epoch, index, 0))
        samples.append((made[0], made[1]))
    captions = ["original", *(f"epoch {epoch + 1}" for epoch in range(count))]
    return draw_samples(samples, ds.class_map, captions, columns, max_width, dark=dark)
