"""What augmentation makes of one sample."""

from typing import Any

import numpy as np

from semseg._checks import check_count
from semseg.viz.grid import draw_samples


def draw_augmentations(
    ds: Any,
    transform: Any,
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
        transform: what `augment=` takes: a transform or preset of `semseg.data.transforms`, any
            function of (image, mask, rng) that gives (image, mask), or a list of them.
        index: which sample.
        count: how many times it is transformed.
        seed: of the random draws.
        columns: pictures side by side.
        max_width: pixels, at least 480; the picture is up to this wide.
        dark: light text on a dark ground.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: `count` or `columns` below 1; a transform that fails, which is named with its
            sample; a mask that gained ids which the map doesn't have.

    Example:
        >>> ds = semseg.data.shapes("train", count=1)
        >>> draw_augmentations(ds, semseg.data.transforms.light(), count=3).shape[-1]
        3
    """
    from semseg.data.feeding.batches import BatchSource  # needed here alone

    count, columns = check_count("count", count, 1), check_count("columns", columns, 1)
    original, index = ds[index], index % len(ds)
    alone = (index, len(ds))  # the others need not be readable
    source = BatchSource(ds, batch_size=1, augment=transform, seed=seed, shard=alone)
    samples = [original, *(source.sample(index, epoch)[:2] for epoch in range(count))]
    captions = ["original", *(f"epoch {epoch + 1}" for epoch in range(count))]
    return draw_samples(samples, ds.class_map, captions, columns, max_width, dark=dark)
