"""What a training has to know of its data: sizes, classes, how thin the thinnest things are."""

from typing import NamedTuple

import numpy as np

from semseg.data.dataset import Dataset

# So many samples, spread over the set, stand for it.
_SAMPLES = 64


class DataFacts(NamedTuple):
    """A fingerprint of a data set, from up to 64 of its samples.

    Attributes:
        samples: of the whole set.
        size: the median (height, width).
        equal_sizes: whether all pictures that were looked at have one size.
        channels: of a picture.
        dtype: of a picture.
        highest: the largest value that was seen.
        shares: of the labelled pixels, by class.
        thickness: of each class in pixels, twice its area over its outline; NaN where absent.
    """

    samples: int
    size: tuple[int, int]
    equal_sizes: bool
    channels: int
    dtype: str
    highest: float
    shares: np.ndarray
    thickness: np.ndarray


def data_facts(ds: Dataset) -> DataFacts:
    """Looks at up to 64 samples.

    Example:
        >>> facts = data_facts(semseg.data.digits("train", count=4))
        >>> facts.size, facts.channels, facts.thickness.round(0)[:2].tolist()
        ((96, 128), 3, [21.0, 3.0])
    """
    classes = ds.class_map.num_classes
    area, outline = np.zeros(classes), np.zeros(classes)
    sizes, highest = [], 0.0
    for index in np.unique(np.linspace(0, len(ds) - 1, min(_SAMPLES, len(ds))).astype(int)):
        image, mask = ds[int(index)]
        sizes.append(mask.shape)
        highest = max(highest, float(image.max()))
        labelled = mask[mask < classes]
        area += np.bincount(labelled, minlength=classes)
        outline += _outline(mask, classes)
    height, width = np.median(np.array(sizes), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        thickness = np.where(area > 0, 2 * area / outline, np.nan)
    return DataFacts(
        samples=len(ds),
        size=(int(height), int(width)),
        equal_sizes=len(set(sizes)) == 1,
        channels=image.shape[-1],
        dtype=str(image.dtype),
        highest=highest,
        shares=area / max(area.sum(), 1),
        thickness=thickness,
    )


def _outline(mask: np.ndarray, classes: int) -> np.ndarray:
    """By class, how many sides of its pixels touch another class (or none)."""
    count = np.zeros(classes)
    for one, other in ((mask[1:], mask[:-1]), (mask[:, 1:], mask[:, :-1])):
        differ = one != other
        for side in (one[differ], other[differ]):
            count += np.bincount(side[side < classes], minlength=classes)
    return count
