"""Bayesian SegNet's uncertainty: how much the scores change when dropout is left on."""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from semseg._backend import one_graph
from semseg._checks import check_count
from semseg.inference.dropout_split import DropoutSplit, split_at_dropout
from semseg.inference.forward import Forward
from semseg.inference.kept import kept
from semseg.inference.prediction import InputCheck, checked_shape

_LEAST = 1e-12  # of a probability whose logarithm is taken


class Uncertainty(NamedTuple):
    """The samples of one picture, summed up.

    Attributes:
        ids: (height, width), the class of the highest mean probability.
        probabilities: (height, width, classes) float32, the means; one channel where the model has
            one output.
        entropy: (height, width) float32 in nats, of the mean probabilities: all doubt.
        mutual_information: (height, width) float32 in nats, entropy of the mean less mean of the
            entropies (BALD, Houlsby et al. 2011): the doubt that more training data would remove.
    """

    ids: np.ndarray
    probabilities: np.ndarray
    entropy: np.ndarray
    mutual_information: np.ndarray


def mc_dropout(
    model: keras.Model, images: Any, samples: int = 20, *, batch_size: int = 4, seed: int = 0
) -> Any:
    """Monte Carlo dropout (Kendall et al., Bayesian SegNet, arXiv:1511.02680, section 4).

    Dropout drops, batch normalisation stays in inference. What lies before the first dropout layer
    is computed once a picture.

    Args:
        model: a functional model with dropout, such as `SegNet(bayesian=True)` or
            `UNet(dropout=0.5)`.
        images: as for `predict`: one picture, an array of them, a file, or a list.
        samples: how often each picture is predicted, 2 or more.
        batch_size: samples that are computed at once.
        seed: of the dropout; the same seed gives the same numbers.

    Returns:
        An `Uncertainty` for one picture, a list of them for several.

    Raises:
        ValueError: a model without dropout, fewer than 2 samples, pictures that it can't take.

    Example:
        >>> model = semseg.models.UNet(num_classes=3, depth=1, filters=4, dropout=0.5)
        >>> picture = np.random.default_rng(0).integers(0, 256, (16, 24, 3), "uint8")
        >>> found = semseg.inference.mc_dropout(model, picture, samples=4)
        >>> found.ids.shape, bool((found.mutual_information >= 0).all())
        ((16, 24), True)
    """
    check_count("samples", samples, 2)
    check_count("batch_size", batch_size, 1)
    check_count("seed", seed, 0)
    forward = Forward(model)
    is_one = isinstance(images, str | os.PathLike) or (
        not isinstance(images, Sequence) and np.ndim(images) != 4
    )
    split, sums = kept(model, "mc_dropout", lambda: _summing(forward))
    split.reseed(seed)
    check = InputCheck(forward, None)
    found = [
        _summed_up(forward, sums, check(image, f"images[{i}]"), samples, batch_size)
        for i, image in enumerate([images] if is_one else images)
    ]
    return found[0] if is_one else found


_Sums = Callable[[np.ndarray, int, int], tuple[np.ndarray, np.ndarray]]


def _summed_up(
    forward: Forward, sums: _Sums, image: np.ndarray, samples: int, batch_size: int
) -> Uncertainty:
    total, entropies = sums(image, samples, batch_size)
    mean = total / np.float32(samples)
    checked_shape(mean[None], image[None])
    entropy = _entropy(mean)
    # Not below 0, where Jensen's inequality has it, but for rounding.
    information = np.maximum(entropy - entropies / np.float32(samples), 0)
    ids = forward.finished(mean, "probabilities", "ids")
    return Uncertainty(ids, mean, entropy, information)


def _summing(forward: Forward) -> tuple[DropoutSplit, _Sums]:
    """The model, cut, and a function of (picture, samples, samples at once): the sums of the
    probabilities and of their entropies.
    """
    split = split_at_dropout(forward.model)

    def sample(features: Any, count: Any) -> tuple[Any, Any]:
        repeated = keras.tree.map_structure(lambda x: ops.repeat(x, count, axis=0), features)
        scores = split.random(repeated, training=False)
        shares = forward.converted(scores, "probabilities")
        return ops.sum(shares, axis=0), ops.sum(_entropy(shares, ops), axis=0)

    def certain(picture: Any) -> Any:
        return split.certain(picture, training=False)

    if keras.backend.backend() == "tensorflow":
        cut = [(x.shape, x.dtype) for x in split.certain.outputs]
        sample = one_graph(sample, [cut if len(cut) > 1 else cut[0], ((), "int32")])
        certain = one_graph(certain, [((1, *forward.size, forward.channels), "float32")])

    def sums(image: np.ndarray, samples: int, at_once: int) -> tuple[np.ndarray, np.ndarray]:
        features = certain(ops.convert_to_tensor(image[None], "float32"))
        total: Any = 0.0
        entropies: Any = 0.0
        for begun in range(0, samples, at_once):
            shares, entropy = sample(features, min(at_once, samples - begun))
            total = total + ops.convert_to_numpy(shares)
            entropies = entropies + ops.convert_to_numpy(entropy)
        return total, entropies

    return split, sums


def _entropy(shares: Any, numbers: Any = np) -> Any:
    """Over the last axis, in nats; one channel is the probability of class 1."""
    terms = -shares * numbers.log(numbers.maximum(shares, _LEAST))
    if shares.shape[-1] == 1:
        others = 1 - shares
        terms = terms - others * numbers.log(numbers.maximum(others, _LEAST))
    return numbers.sum(terms, axis=-1)
