"""A batch from its absolute step: what every loader calls, and what makes them agree.

Step `s` lies in epoch `s // steps_per_epoch`. An epoch is one permutation of the samples, drawn
from (seed, epoch); the augmentation of a sample is drawn from (seed, epoch, index). Nothing else
is random, so any number of threads, processes or restarts gives the same stream.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from semseg._checks import check_image, check_mask
from semseg.data.samples import Pair, Samples
from semseg.data.transforms import Compose, Resize
from semseg.data.transforms.compose import Transform


class BatchSource:
    """Batches by absolute step: `source[step] -> (images, masks)`, endless."""

    def __init__(
        self,
        ds: Samples,
        batch_size: int,
        *,
        size: tuple[int, int] | None = None,
        augment: Transform | Sequence[Transform] | None = None,
        shuffle: bool = True,
        seed: int = 0,
        cache: str | None = None,
    ) -> None:
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be an int >= 1, received {batch_size!r}")
        if cache not in (None, "ram"):
            raise ValueError(f"cache must be None or 'ram', received {cache!r}")
        self.ds = ds
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = int(seed)
        self.transform = _chain(size, augment)
        self.steps_per_epoch = -(-len(ds) // batch_size)
        self._samples: dict[int, Pair] | None = {} if cache else None

    def __getitem__(self, step: int) -> Pair:
        epoch, place = divmod(int(step), self.steps_per_epoch)
        chosen = self.order(epoch)[place * self.batch_size :][: self.batch_size]
        pairs = [self.sample(int(i), epoch) for i in chosen]
        images, masks = zip(*pairs, strict=True)
        return self._stack(images, chosen), self._stack(masks, chosen)

    def order(self, epoch: int) -> np.ndarray:
        """The indices of an epoch, in the order in which they are read."""
        if not self.shuffle:
            return np.arange(len(self.ds))
        return _permutation(self.seed, epoch, len(self.ds))

    def sample(self, index: int, epoch: int) -> Pair:
        """One augmented pair; an error of a transform names the sample and the transform."""
        image, mask = self._read(index)
        if self.transform is None:
            return image, mask
        rng = np.random.Generator(
            np.random.Philox(np.random.SeedSequence([self.seed, epoch, index]))
        )
        try:
            image, mask = self.transform(image, mask, rng)
            return check_image(image, "image"), check_mask(mask, "mask")
        except Exception as error:  # someone's own function may raise anything
            kind = type(error) if type(error) in (ValueError, TypeError) else RuntimeError
            what = str(error) if kind is type(error) else repr(error)
            raise kind(
                f"sample {self.ds.ids[index]!r} of {self.ds.name!r}, after {self.transform!r}: "
                f"{what}"
            ) from error

    def _read(self, index: int) -> Pair:
        if self._samples is None:
            return self.ds[index]
        if index not in self._samples:
            self._samples[index] = self.ds[index]
        return self._samples[index]

    def _stack(self, arrays: Sequence[np.ndarray], chosen: Any) -> np.ndarray:
        first = arrays[0]
        for array, index in zip(arrays, chosen, strict=True):
            if array.shape == first.shape and array.dtype == first.dtype:
                continue
            one, cure = "size", "pass size=(height, width), or batch_size=1"
            if array.shape[:2] == first.shape[:2]:  # np.stack would convert dtypes in silence
                one, cure = "dtype and number of channels", "convert them in augment="
            raise ValueError(
                f"the samples of a batch must have one {one}, received "
                f"{self.ds.ids[int(chosen[0])]!r} with {first.shape} {first.dtype} and "
                f"{self.ds.ids[int(index)]!r} with {array.shape} {array.dtype} (data set "
                f"{self.ds.name!r}); {cure}"
            )
        return np.stack(arrays)


def _chain(
    size: tuple[int, int] | None, augment: Transform | Sequence[Transform] | None
) -> Compose | None:
    steps: list[Transform] = [] if size is None else [Resize(size)]
    if augment is not None:
        steps += [augment] if callable(augment) else list(augment)
    return Compose(steps) if steps else None


@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch])))
    order = rng.permutation(count)
    order.setflags(write=False)
    return order
