"""A batch from its absolute step: what every loader calls, and what makes them agree.

Step `s` lies in epoch `s // steps_per_epoch`. An epoch is one permutation of the samples (or one
draw of them), and the augmentation of a sample has a generator of its own: `draws` has both.
Nothing else is random, so any number of threads, processes or restarts gives the same stream.
"""

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from semseg.data.errors import prefixed
from semseg.data.feeding.caching import Decoded, OnDisk, in_memory
from semseg.data.feeding.draws import Draws, Shard, sample_rng
from semseg.data.feeding.pixel_weights import PixelWeights, SampleWeight
from semseg.data.feeding.sampling import Sampling, draw_probabilities
from semseg.data.samples import LabelledSamples, checked_pair, where
from semseg.data.transforms import Compose, Resize
from semseg.data.transforms.transform import TransformLike

Augment = TransformLike | Sequence[TransformLike]
Batch = tuple[np.ndarray, ...]


class BatchSource:
    """Batches by absolute step: `source[step] -> (images, masks)`, endless.

    With `sample_weight` there are three parts: (images, masks, weights). The arguments are those
    of `Dataset.pipeline`.
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
        shard: Shard = (0, 1),
        drop_remainder: bool = False,
    ) -> None:
        _check_whole(batch_size, "batch_size", 1)
        _check_whole(seed, "seed", 0)
        if sampling is not None and not shuffle:
            raise ValueError("sampling= draws at random; leave shuffle=True")
        self.ds = ds
        self.batch_size = batch_size
        self.seed = int(seed)
        self.transform = _chain(size, augment, ds.class_map.ignore_class)
        self._chain_shown = repr(self.transform)
        self.weights = None if sample_weight is None else PixelWeights(sample_weight, ds.class_map)
        shard = _checked_shard(shard, ds)
        draws = Draws(len(ds), shard, shuffle, self.seed)
        count = len(draws)
        self.steps_per_epoch = count // batch_size if drop_remainder else -(-count // batch_size)
        if not self.steps_per_epoch:
            raise ValueError(
                f"drop_remainder=True leaves no batch: batch_size is {batch_size} and there are "
                f"{count} samples; pass a smaller batch_size"
            )
        self._cached: dict[int, Decoded] | None = None
        self._source: LabelledSamples | OnDisk = ds
        if cache == "ram":
            self._cached = in_memory(self._named_decoded, draws.members, ds.name)
        elif cache is not None:
            self._source = OnDisk(ds, shard, _checked_folder(cache))
        if sampling is not None:
            mask_of = lambda i: self._named_decoded(i)[1]  # noqa: E731
            chances = draw_probabilities(sampling, ds, draws.members, mask_of)
            draws = Draws(len(ds), shard, shuffle, self.seed, chances)
        self._draws = draws

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(int(step), self.steps_per_epoch)
        chosen = slice(place * self.batch_size, (place + 1) * self.batch_size)
        indices, turns = (part[chosen].tolist() for part in self._draws.of_epoch(epoch))
        pairs = zip(indices, turns, strict=True)
        return self.stacked((self.sample(i, epoch, turn) for i, turn in pairs), indices)

    def order(self, epoch: int) -> np.ndarray:
        """The indices of an epoch, in the order in which they are read."""
        return self._draws.of_epoch(epoch)[0]

    def sample(self, index: int, epoch: int, turn: int = 0) -> Batch:
        """One augmented sample; every error names it, its files and the transform."""
        try:
            image, mask, weights = self.augmented(self.decoded(index), index, epoch, turn)
        except Exception as error:  # someone's own function may raise anything
            raise self._named(error, index) from error
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
            image, mask = checked_pair(image, mask, f" after {self._chain_shown}")
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

    def _named_decoded(self, index: int) -> Decoded:
        try:
            return self.decoded(index)
        except Exception as error:
            raise self._named(error, index) from error

    def _named(self, error: Exception, index: int) -> Exception:
        place = where(self.ds, index)
        if isinstance(error, IndexError | StopIteration):  # would end someone's loop in silence
            return RuntimeError(f"{place}: {error!r}")
        if str(error).startswith(place):
            return error
        return prefixed(error, place)

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
    size: tuple[int, int] | None, augment: Augment | None, ignore_class: int | None
) -> Compose | None:
    steps: list[TransformLike] = [] if size is None else [Resize(size)]
    if augment is not None:
        steps += [augment] if callable(augment) else list(augment)
    chain = Compose(steps)
    return chain.filled(ignore_class) if steps else None


def _check_whole(value: int, name: str, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be an int >= {least}, received {value!r}")


def _checked_folder(cache: "str | PathLike[str]") -> Path:
    if not isinstance(cache, str | PathLike) or not str(cache):
        raise TypeError(f"cache must be None, 'ram' or a folder, received {cache!r}")
    return Path(cache)


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
