"""What a training has to know of its data: sizes, classes, how thin the thinnest things are."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from semseg.data.dataset import Dataset

# So many samples, spread over the set, stand for it.
_SAMPLES = 64
# Where more of the variance lies between pictures, a batch's mean and variance are not the set's,
# and batch normalisation does another thing after training than in it. Nuclei, dark and bright,
# have 0.92; street scenes, digits, shapes and membranes 0.06 to 0.22.
UNLIKE = 0.5


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
        between: the part of the pixels' variance that lies between the pictures, 0..1.
    """

    samples: int
    size: tuple[int, int]
    equal_sizes: bool
    channels: int
    dtype: str
    highest: float
    shares: np.ndarray
    thickness: np.ndarray
    between: float


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
    moments = []
    for index in np.unique(np.linspace(0, len(ds) - 1, min(_SAMPLES, len(ds))).astype(int)):
        image, mask = ds[int(index)]
        sizes.append(mask.shape)
        moments.append(_moments(image))
        highest = max(highest, float(image.max()))
        area += _counted(mask, classes)
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
        between=_between(moments),
    )


def variance_between(images: Iterable[np.ndarray]) -> float:
    """The part of the pixels' variance that lies between pictures, all counting alike.

    By channel, then the mean over the channels: 0 where all have one mean, 1 where each is of one
    colour.

    Example:
        >>> dark, bright = np.zeros((4, 4, 1)), np.full((4, 4, 1), 200)
        >>> variance_between([dark, bright]), variance_between([dark, dark])
        (1.0, 0.0)
    """
    return _between([_moments(image) for image in images])


def _moments(image: np.ndarray) -> np.ndarray:
    """(2, channels): mean and variance of a picture."""
    pixels = image.reshape(-1, image.shape[-1]).astype(np.float64)
    return np.stack([pixels.mean(axis=0), pixels.var(axis=0)])


def _between(moments: list[np.ndarray]) -> float:
    means, variances = np.stack(moments, axis=1)
    between, within = means.var(axis=0).mean(), variances.mean()
    return float(between / (between + within)) if between else 0.0


def _outline(mask: np.ndarray, classes: int) -> np.ndarray:
    """By class, how many sides of its pixels touch another class (or none)."""
    count = np.zeros(classes)
    for one, other in ((mask[1:], mask[:-1]), (mask[:, 1:], mask[:, :-1])):
        differ = one != other
        count += _counted(one[differ], classes) + _counted(other[differ], classes)
    return count


def _counted(ids: np.ndarray, classes: int) -> np.ndarray:
    """How often each class occurs; other ids, negative ones too, are ignored pixels."""
    known = ids[(ids >= 0) & (ids < classes)]
    return np.bincount(known.astype(np.intp), minlength=classes)
