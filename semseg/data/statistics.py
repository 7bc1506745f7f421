"""What one pass over a data set tells: how often each class occurs, the spread of each channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from semseg.classes import ClassMap
from semseg.data.passes import in_order
from semseg.data.samples import LabelledSamples, Samples, mask_of

if TYPE_CHECKING:
    import keras

Method = Literal["median_frequency", "inverse", "enet", "effective_number"]


@dataclass(frozen=True, repr=False)
class ClassFrequencies:
    """How often each class occurs. All counts are in pixels but `samples`.

    Args:
        class_map: the classes, in the order of the counts.
        pixels: pixels of each class.
        samples: in how many samples each class occurs.
        pixels_where_present: pixels of the samples in which each class occurs, ignored ones too.
        ignored: pixels without a class.
    """

    class_map: ClassMap
    pixels: tuple[int, ...]
    samples: tuple[int, ...]
    pixels_where_present: tuple[int, ...]
    ignored: int

    @property
    def shares(self) -> np.ndarray:
        """Each class's share of the labelled pixels."""
        return np.array(self.pixels) / max(1, sum(self.pixels))

    def weights(
        self, method: Method = "median_frequency", absent: float | None = None
    ) -> np.ndarray:
        """A weight for each class; `class_weights` explains the methods."""
        present = np.array(self.pixels) > 0
        if not present.all() and absent is None:
            missing = [
                n for n, is_there in zip(self.class_map.names, present, strict=True) if not is_there
            ]
            raise ValueError(
                f"class_weights needs every class to occur, but there is no pixel of {missing}; "
                "leave them out with map_classes, or give them a weight with absent=1.0"
            )
        _check_method(method)
        weights = np.full(len(present), np.nan if absent is None else float(absent))
        if present.any():
            counts = np.array([self.pixels, self.pixels_where_present], float)[:, present]
            weights[present] = _METHODS[method](*counts)
        return weights

    def __repr__(self) -> str:
        width = max(map(len, self.class_map.names))
        lines = [f"{'class':{width}}  {'pixels':>14}  {'share':>8}  {'samples':>8}"]
        rows = zip(self.class_map.names, self.pixels, self.shares, self.samples, strict=True)
        lines += [f"{n:{width}}  {p:>14,}  {s:>8.3%}  {c:>8,}" for n, p, s, c in rows]
        return "\n".join([*lines, f"{'ignored':{width}}  {self.ignored:>14,}"])


def class_frequencies(ds: LabelledSamples) -> ClassFrequencies:
    """Counts every class's pixels in one pass over any random-access source of pairs."""
    count = ds.class_map.num_classes

    def of_sample(index: int) -> tuple[np.ndarray, int]:
        mask = mask_of(ds, index)
        valid = mask[(mask >= 0) & (mask < count)].astype(np.intp)  # bincount knows no uint64
        return np.bincount(valid, minlength=count), mask.size - valid.size

    pixels, samples, where_present = (np.zeros(count, np.int64) for _ in range(3))
    ignored = 0
    for counts, without in in_order(of_sample, range(len(ds)), len(ds), "counting classes"):
        pixels += counts
        samples += counts > 0
        where_present += (counts.sum() + without) * (counts > 0)
        ignored += without
    return ClassFrequencies(
        ds.class_map,
        tuple(pixels.tolist()),
        tuple(samples.tolist()),
        tuple(where_present.tolist()),
        ignored,
    )


def class_weights(
    ds: LabelledSamples, method: Method = "median_frequency", absent: float | None = None
) -> np.ndarray:
    """Weights that make rare classes count, for `Crossentropy(class_weights=...)`.

    With `n` pixels of a class, `N` labelled pixels in all, and `M` pixels in the samples where it
    occurs (ignored ones too):

    - "median_frequency": the median over the classes of `n / M`, divided by the class's own
      (Eigen and Fergus, 2015, section 4.3; SegNet and Bayesian SegNet).
    - "inverse": `N / n`, scaled so that the weights average to 1 over the pixels.
    - "enet": `1 / ln(1.02 + n / N)` (Paszke et al., 2016, section 5.1).
    - "effective_number": `(1 - b) / (1 - b^n)` with `b = (N - 1) / N`, scaled to a mean of 1 over
      the classes (Cui et al., 2019, equation 6).

    Args:
        ds: any random-access source of pairs with a `class_map`.
        method: one of the above.
        absent: the weight of classes that never occur; None makes them an error.

    Returns:
        One float64 weight a class.

    Raises:
        ValueError: an unknown method, a class that never occurs.
    """
    _check_method(method)  # before the pass
    return class_frequencies(ds).weights(method, absent)


def classes_in(
    read_mask: Callable[[int], np.ndarray], indices: Sequence[int] | np.ndarray, num_classes: int
) -> np.ndarray:
    """(samples, classes) bool: which classes occur in which masks, from one pass over them."""

    def present(index: int) -> np.ndarray:
        return np.isin(np.arange(num_classes), np.unique(read_mask(int(index))))

    return np.stack(list(in_order(present, indices, len(indices), "reading masks")))


def _check_method(method: str) -> None:
    if method not in _METHODS:
        raise ValueError(f"method must be one of {list(_METHODS)}, received {method!r}")


def _median_frequency(pixels: np.ndarray, where_present: np.ndarray) -> np.ndarray:
    frequency = pixels / where_present
    return np.median(frequency) / frequency


def _inverse(pixels: np.ndarray, where_present: np.ndarray) -> np.ndarray:
    return pixels.sum() / (len(pixels) * pixels)


def _enet(pixels: np.ndarray, where_present: np.ndarray) -> np.ndarray:
    return 1 / np.log(1.02 + pixels / pixels.sum())


def _effective_number(pixels: np.ndarray, where_present: np.ndarray) -> np.ndarray:
    # 1 - (1 - 1/N)^n without the loss of digits that b^n near 1 brings.
    total = max(2.0, pixels.sum())
    weights = 1 / -np.expm1(pixels * np.log1p(-1 / total))
    return weights / weights.mean()


_METHODS = {
    "median_frequency": _median_frequency,
    "inverse": _inverse,
    "enet": _enet,
    "effective_number": _effective_number,
}


@dataclass(frozen=True)
class ChannelStatistics:
    """Mean and standard deviation of each channel, in the images' own units."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def normalization(self) -> "keras.layers.Normalization":
        """A layer that brings each channel to mean 0 and deviation 1: `preprocessing=` of a model.

        A channel that is constant is shifted to 0 and not scaled. The layer computes in float32
        under every dtype policy.
        """
        import keras

        variance = [std**2 if std else 1.0 for std in self.std]
        return keras.layers.Normalization(
            axis=-1, mean=list(self.mean), variance=variance, dtype="float32"
        )


def channel_statistics(ds: Samples) -> ChannelStatistics:
    """Mean and deviation over all pixels of all images, in one pass, without loss of digits.

    Raises:
        ValueError: images with different numbers of channels, or with values that are not finite
            (which sample).
    """

    def of_sample(index: int) -> tuple[int, np.ndarray, np.ndarray]:
        image = ds[index][0]
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise ValueError(
                f"images must be finite, but sample {ds.ids[index]!r} holds NaN or infinity"
            )
        moments = [_moments(image[..., channel].ravel()) for channel in range(image.shape[-1])]
        means, squares = np.array(moments).T
        return image.shape[0] * image.shape[1], means, squares

    count, mean, squares = 0, np.zeros(1), np.zeros(1)
    found = in_order(of_sample, range(len(ds)), len(ds), "measuring channels")
    for index, (more, its_mean, its_squares) in enumerate(found):
        if index == 0:
            mean, squares = np.zeros_like(its_mean), np.zeros_like(its_mean)
        elif len(its_mean) != len(mean):
            raise ValueError(
                f"images must have the same channels, but sample {ds.ids[index]!r} has "
                f"{len(its_mean)}, the ones before {len(mean)}"
            )
        # Chan, Golub and LeVeque, 1979: sums of squares around the means of the parts.
        shift = its_mean - mean
        squares += its_squares + shift**2 * (count * more / (count + more))
        mean += shift * (more / (count + more))
        count += more
    std = np.sqrt(squares / count)
    return ChannelStatistics(_floats(mean), _floats(std))


def _moments(values: np.ndarray) -> tuple[float, float]:
    """The mean, and the sum of squares around it; of equal values it is exactly 0."""
    if values.dtype in (np.uint8, np.uint16):  # in whole numbers, so that nothing is rounded
        counts = np.bincount(values)
        levels = np.arange(len(counts), dtype=np.int64)
        total, squared = int(counts @ levels), int(counts @ levels**2)
        return total / values.size, (values.size * squared - total**2) / values.size
    first = float(values[0])
    shifted = values.astype(np.float64) - first
    mean = float(shifted.mean())
    return first + mean, float(np.square(shifted - mean).sum())


def _floats(values: Sequence[float] | np.ndarray) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
