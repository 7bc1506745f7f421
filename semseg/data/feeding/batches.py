"""A batch from its absolute step: what every loader calls, and what makes them agree.

Step `s` lies in epoch `s // steps_per_epoch`. An epoch is one permutation of the samples (or one
draw of them), the augmentation of a sample has a generator of its own, and so has what `mix=` does
to a batch: `draws` has all three. Nothing else is random, so any number of threads, processes or
restarts gives the same stream.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TypeVar

import numpy as np

from semseg._checks import (
    check_count,
    unknown_ids,
    unknown_ids_message,
    warn_if_unit_range,
)
from semseg.classes import ClassMap
from semseg.data.errors import prefixed
from semseg.data.feeding.caching import Decoded, OnDisk, in_memory
from semseg.data.feeding.draws import Draws, Shard, batch_rng, sample_rng
from semseg.data.feeding.epochs import first_epoch
from semseg.data.feeding.mixed import Mix, Mixed
from semseg.data.feeding.pixel_weights import PixelWeights, SampleWeight
from semseg.data.feeding.sampling import (
    Sampling,
    balanced_probabilities,
    given_probabilities,
    is_balanced,
)
from semseg.data.samples import LabelledSamples, Pair, checked_pair, mask_of, raise_named
from semseg.data.transforms import Compose, Resize
from semseg.data.transforms.stored import is_own
from semseg.data.transforms.transform import TransformLike

Augment = TransformLike | Sequence[TransformLike]
Batch = tuple[np.ndarray, ...]
#: dtype and axes behind height and width, of image, mask and perhaps weights.
Form = tuple[tuple[np.dtype, tuple[int, ...]], ...]
Result = TypeVar("Result")


class BatchSource:
    """Batches by absolute step: `source[step] -> (images, masks)`, endless.

    With `sample_weight`, and with `MixUp` where there is an ignored id, there are three parts:
    (images, masks, weights). The arguments are those of `Dataset.pipeline`; all are checked before
    a cache is filled, `repeat` and `start_step` for those who read the stream.
    """

    def __init__(
        self,
        ds: LabelledSamples,
        batch_size: int,
        *,
        size: tuple[int, int] | None = None,
        augment: Augment | None = None,
        shuffle: bool = True,
        seed: int = 0,
        cache: "str | PathLike[str] | None" = None,
        sampling: Sampling | None = None,
        sample_weight: SampleWeight | None = None,
        mix: Mix | None = None,
        shard: Shard = (0, 1),
        drop_remainder: bool = False,
        repeat: bool = True,
        start_step: int = 0,
    ) -> None:
        self.batch_size = check_count("batch_size", batch_size, 1)
        self.seed = check_count("seed", seed, 0)
        if sampling is not None and not shuffle:
            raise ValueError("sampling= draws at random; leave shuffle=True")
        self.ds = ds
        self.transform = _chain(size, augment, ds.class_map)
        self._chain_shown = repr(self.transform)
        self._is_own = is_own(self.transform)
        self.weights = None if sample_weight is None else PixelWeights(sample_weight, ds.class_map)
        self._mixed = None if mix is None else Mixed(mix, ds.class_map)
        self._shard = shard = _checked_shard(shard, ds)
        draws = Draws(len(ds), shard, shuffle, self.seed)
        count = len(draws)
        if mix is not None and min(batch_size, count) == 1:
            raise ValueError(
                "mix= mixes the pictures of a batch: pass batch_size >= 2 and as many samples, "
                f"received batch_size {batch_size} and {count} samples"
            )
        self.steps_per_epoch = count // batch_size if drop_remainder else -(-count // batch_size)
        if not self.steps_per_epoch:
            raise ValueError(
                f"drop_remainder=True leaves no batch: batch_size is {batch_size} and there are "
                f"{count} samples; pass a smaller batch_size"
            )
        first_epoch(start_step, self.steps_per_epoch, repeat)
        _check_cache(cache)
        weighted = None if sampling is None or is_balanced(sampling) else sampling
        if weighted is not None:
            draws = draws.with_probabilities(given_probabilities(weighted, ds, draws.members))
        self._draws = draws
        self._cached: dict[int, Decoded] | None = None
        self._source: LabelledSamples | OnDisk = ds
        # One sample shows what all are like, and its errors come before any long work.
        index = int(self.order(0)[0])
        seen = self._named(self.decoded, index)
        first = self._named(lambda i: self._made(seen, i, epoch=0), index)
        self.form = form_of(first)
        if mix is not None:
            alike = [index] * min(batch_size, count)
            self.form = form_of(self.mixed(self.stacked([first] * len(alike), alike), 0, alike), 1)
        warn_if_unit_range(first[0])
        if cache == "ram":
            read = partial(self._named, self.decoded)
            self._cached = in_memory(read, draws.members, ds.name, {index: seen})
        elif cache is not None:
            self._source = OnDisk(ds, shard, Path(cache))
        if sampling is not None and weighted is None:
            chances = balanced_probabilities(ds, draws.members, partial(self._named, self._mask))
            self._draws = draws.with_probabilities(chances)

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(int(step), self.steps_per_epoch)
        chosen = slice(place * self.batch_size, (place + 1) * self.batch_size)
        indices, turns = (part[chosen].tolist() for part in self._draws.of_epoch(epoch))
        pairs = zip(indices, turns, strict=True)
        batch = self.stacked((self.sample(i, epoch, turn) for i, turn in pairs), indices)
        batch = self.mixed(batch, int(step), indices)
        if form_of(batch, 1) != self.form:
            raise ValueError(
                f"all samples of {self.ds.name!r} must have one dtype and number of channels, "
                f"received {_shown(self.form)} and then {_shown(form_of(batch, 1))} "
                f"({self.ds.ids[indices[0]]!r}); convert them in augment="
            )
        return batch

    def order(self, epoch: int) -> np.ndarray:
        """The indices of an epoch, in the order in which they are read."""
        return self._draws.of_epoch(epoch)[0]

    def sample(self, index: int, epoch: int, turn: int = 0) -> Batch:
        """One augmented sample; every error names it, its files and the transform."""
        return self._named(lambda i: self._made(self.decoded(i), i, epoch, turn), index)

    def _made(self, decoded: Decoded, index: int, epoch: int, turn: int = 0) -> Batch:
        image, mask, weights = self.augmented(decoded, index, epoch, turn)
        return (image, mask) if weights is None else (image, mask, weights)

    def decoded(self, index: int) -> Decoded:
        """A sample as it was read, or as the cache keeps it."""
        if self._cached is not None:
            return self._cached[index]
        image, mask = self._source[index]
        return image, mask, None if self.weights is None else self.weights.of_decoded(mask)

    def augmented(self, sample: Decoded, index: int, epoch: int, turn: int = 0) -> Decoded:
        """A decoded sample after resize and augmentation."""
        image, mask, weights = sample
        if self.transform is not None:
            rng = sample_rng(self.seed, epoch, index, turn)
            if weights is None:
                image, mask = self.transform(image, mask, rng)
            else:
                image, mask, weights = self.transform(image, mask, rng, weights)
            if not self._is_own:
                image, mask = self._checked(image, mask)
        return image, mask, None if self.weights is None else self.weights.of_batch(mask, weights)

    def stacked(self, samples: Iterable[Batch], indices: Sequence[int]) -> Batch:
        """Samples as a batch; they must agree in size, dtype and channels.

        Each is copied as it comes, so that the next is made in the same memory: fresh memory for
        all of them would cost as much as what is done in it.
        """
        batch: Batch = ()
        for place, sample in enumerate(samples):
            if not batch:
                batch = tuple(np.empty((len(indices), *a.shape), a.dtype) for a in sample)
            for whole, array in zip(batch, sample, strict=True):
                if array.shape != whole.shape[1:] or array.dtype != whole.dtype:
                    raise self._mismatch(whole[0], indices[0], array, indices[place])
                whole[place] = array
        return batch

    def mixed(self, batch: Batch, step: int, indices: Sequence[int]) -> Batch:
        """A batch after `mix=`; an error names its samples."""
        if self._mixed is None:
            return batch
        try:
            return self._mixed(batch, batch_rng(self.seed, step, self._shard))
        except Exception as error:  # someone's own function may raise anything
            ids = ", ".join(repr(self.ds.ids[i]) for i in indices)
            where = f"batch of step {step} of {self.ds.name!r} (samples {ids})"
            raise prefixed(error, where) from error

    def _named(self, work: Callable[[int], Result], index: int) -> Result:
        """`work(index)`; every error names the sample."""
        try:
            return work(index)
        except Exception as error:  # someone's own function may raise anything
            raise_named(error, self.ds, index)

    def _mask(self, index: int) -> np.ndarray:
        if self._cached is not None:
            return self._cached[index][1]
        source = self._source
        return source[index][1] if isinstance(source, OnDisk) else mask_of(source, index)

    def _checked(self, image: np.ndarray, mask: np.ndarray) -> Pair:
        """What came out of a chain with someone's own functions, which may return anything."""
        after = f" after {self._chain_shown}"
        image, mask = checked_pair(image, mask, after)
        classes, ignored = self.ds.class_map.num_classes, self.ds.class_map.ignore_class
        found = unknown_ids(mask, classes, ignored)
        if found:
            raise ValueError(unknown_ids_message(found, classes, ignored, f"mask{after}"))
        return image, mask

    def _mismatch(
        self, first: np.ndarray, first_index: int, array: np.ndarray, index: int
    ) -> ValueError:
        one, cure = "size", "pass size=(height, width), or batch_size=1"
        if array.shape[:2] == first.shape[:2]:  # NumPy would convert dtypes in silence
            one, cure = "dtype and number of channels", "convert them in augment="
        return ValueError(
            f"the samples of a batch must have one {one}, received "
            f"{self.ds.ids[first_index]!r} with {first.shape} {first.dtype} and "
            f"{self.ds.ids[index]!r} with {array.shape} {array.dtype} (data set "
            f"{self.ds.name!r}); {cure}"
        )


def _chain(
    size: tuple[int, int] | None, augment: Augment | None, class_map: ClassMap
) -> Compose | None:
    steps: list[TransformLike] = [] if size is None else [Resize(size)]
    if augment is not None and not callable(augment) and not isinstance(augment, list | tuple):
        raise TypeError(f"augment must be a transform or a list of them, received {augment!r}")
    if augment is not None:
        steps += [augment] if callable(augment) else augment
    if not steps:
        return None
    chain = Compose(steps).filled(class_map.ignore_class)
    allowed = {*range(class_map.num_classes), class_map.ignore_class}
    for fill in chain.fills() - allowed:
        raise ValueError(
            f"mask_fill must be one of the classes 0..{class_map.num_classes - 1} or the "
            f"ClassMap's ignore_class ({class_map.ignore_class}), received {fill} in {chain!r}; "
            f"pass another mask_fill=, or make the ClassMap with ignore_class={fill}"
        )
    return chain


def form_of(sample: Batch, batched: int = 0) -> Form:
    """What all samples of a stream have in common: dtype and channels of each part."""
    return tuple((part.dtype, part.shape[2 + batched :]) for part in sample)


def _shown(form: Form) -> str:
    (image, channels), (mask, _) = form[:2]
    return f"{image} images of {channels[0]} channels with {mask} masks"


def _check_cache(cache: "str | PathLike[str] | None") -> None:
    if cache is not None and (not isinstance(cache, str | PathLike) or not str(cache)):
        raise TypeError(f"cache must be None, 'ram' or a folder, received {cache!r}")


def _checked_shard(shard: Shard, ds: LabelledSamples) -> Shard:
    try:
        number, count = (int(part) for part in shard)
    except (TypeError, ValueError):
        raise TypeError(f"shard must be (i, n), received {shard!r}") from None
    if not 0 <= number < count:
        raise ValueError(f"shard must be (i, n) with 0 <= i < n, received {shard!r}")
    if number >= len(ds):
        raise ValueError(f"shard {shard!r} is empty: {ds.name!r} has {len(ds)} samples")
    return number, count
