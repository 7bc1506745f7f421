"""A few samples of a data set, spread over it: what all checks look at."""

import time
from typing import Any, NamedTuple

import numpy as np

from semseg.classes import ClassMap
from semseg.data.dataset import Dataset
from semseg.data.statistics import ClassFrequencies, class_frequencies
from semseg.data.transforms import Resize
from semseg.preflight.clock import Clock

MOST = 24
_SHARE = 0.15  # of the time that is left


class Sample(NamedTuple):
    """One sample as the model will see it, and how long it took to read."""

    place: int
    id: str
    image: np.ndarray
    mask: np.ndarray
    seconds: float


class Unread(NamedTuple):
    """A sample that can't be read, as far as it can."""

    id: str
    error: str
    image: Any
    mask: Any


class Samples:
    """What was read.

    Args:
        ds: the data set.
        size: (height, width) that all pictures are resized to, or None.
        clock: of it a part may be used.
    """

    def __init__(self, ds: Dataset, size: tuple[int, int] | None, clock: Clock) -> None:
        self.read: list[Sample] = []
        self.unread: list[Unread] = []
        resize = None if size is None else Resize(size)
        until = clock.left() * (1 - _SHARE)
        places = np.unique(np.linspace(0, len(ds) - 1, MOST).round().astype(int))
        for index in _inwards(places.tolist()):
            if (self.read or self.unread) and clock.left() < until:
                break
            self._look(ds, index, resize)
        self.read.sort(key=lambda sample: sample.place)
        self.all = len(self.read) == len(ds)

    def _look(self, ds: Dataset, index: int, resize: Resize | None) -> None:
        start = time.perf_counter()
        try:
            image, mask = ds[index]
            if resize is not None:
                image, mask = resize(image, mask, np.random.default_rng(0))
        except Exception as error:  # someone's own reader may raise anything
            self.unread.append(Unread(str(ds.ids[index]), str(error), *_raw(ds, index)))
            return
        seconds = time.perf_counter() - start
        self.read.append(Sample(index, str(ds.ids[index]), image, mask, seconds))

    def frequencies(self, class_map: ClassMap) -> ClassFrequencies:
        """The pixels of each class in what was read."""
        pairs = [(sample.image, sample.mask) for sample in self.read]
        names = [sample.id for sample in self.read]
        return class_frequencies(Dataset(pairs.__getitem__, names, class_map))

    def batch(self, count: int, ignore_class: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Images and masks of one size: those of most classes, with ignored pixels if there are."""
        size = self.read[0].image.shape
        fitting = [s for s in self.read if s.image.shape == size]
        fitting.sort(key=lambda s: -len(np.unique(s.mask)) - (s.mask == ignore_class).any())
        chosen = fitting[:count]
        return np.stack([s.image for s in chosen]), np.stack([s.mask for s in chosen])


def _inwards(places: list[int]) -> list[int]:
    """The same places so ordered that any first part is spread over all of them."""
    if len(places) < 3:
        return places
    middle = len(places) // 2
    halves = _inwards(places[1:middle]), _inwards(places[middle + 1 : -1])
    mixed = [p for pair in zip(*halves, strict=False) for p in pair]
    rest = max(halves, key=len)[min(map(len, halves)) :]
    return [places[0], places[-1], places[middle], *mixed, *rest]


def _raw(ds: Dataset, index: int) -> tuple[Any, Any]:
    """Image and mask before the data set checks them; None where they can't be had."""
    try:
        image, mask = ds._read(index)
        return np.asarray(image), np.asarray(mask)
    except Exception:  # the same that was raised before
        return None, None
