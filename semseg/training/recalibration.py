"""Statistics of batch normalisation that belong to the final weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np

from semseg.training.batch_iteration import one_pass

_Moments = list[tuple[np.ndarray, np.ndarray]]


def recalibrate_batch_norm(
    model: keras.Model, batches: Any, steps: int | None = None
) -> keras.Model:
    """Computes the moving means and variances anew, over the training data with the final weights.

    What training leaves is an average over its last steps, in which the weights still moved and
    dropout was on. Here each layer gets the mean and the variance of what it sees of all given
    pictures, each batch normalised by itself and dropout off: "precise" statistics of Wu and
    Johnson 2021, "Rethinking 'Batch' in BatchNorm", section 3, weighted by the pictures of a
    batch; the authors of SegNet compute theirs before testing as well. Use the batch size of the
    training, no augmentation, and some hundred pictures.

    Weights, optimizer and seeds stay as they are, and so do frozen layers.

    Args:
        model: any Keras model with BatchNormalization layers, Keras's or ours.
        batches: (images, masks) or images, batch by batch: `ds.pipeline(8)`, `ds.batches(8)`.
        steps: how many batches are used; None: those of one pass.

    Returns:
        The same model.

    Raises:
        TypeError: batches that are none.
        ValueError: a model without trainable BatchNormalization, no batch, a batch that gives
            values that are not finite. The statistics are then as they were.

    Example:
        >>> images = np.array([0.0, 4.0, 6.0, 10.0], "float32").reshape(2, 2, 1, 1)
        >>> model = keras.Sequential([keras.Input((2, 1, 1)), keras.layers.BatchNormalization()])
        >>> model = semseg.training.recalibrate_batch_norm(model, [images[:1], images[1:]])
        >>> [np.asarray(w).tolist() for w in model.non_trainable_weights]
        [[5.0], [13.0]]
    """
    layers = _live_layers(model)
    batches = one_pass(batches, steps)
    statistics = [(layer.moving_mean, layer.moving_variance) for layer in layers]
    before = [(_value(mean), _value(variance)) for mean, variance in statistics]
    found = before
    try:
        with _statistics_of_one_batch(layers):
            found = _population(model, batches, statistics)
    finally:
        for variables, values in zip(statistics, found, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
    return model


def _population(model: keras.Model, batches: Iterator[Any], statistics: Sequence[Any]) -> _Moments:
    """Mean and variance of all pictures, by layer: the means of x and of x**2 over the batches."""
    total = 0
    sums: list[tuple[Any, Any]] = [(0.0, 0.0)] * len(statistics)
    for number, (images, *_) in enumerate(batches):
        for mean, variance in statistics:  # 0 times what is not finite is not finite
            mean.assign(np.zeros(mean.shape))
            variance.assign(np.zeros(variance.shape))
        model(images, training=False)
        count = len(keras.tree.flatten(images)[0])
        total += count
        for place, (mean, variance) in enumerate(statistics):
            first, second = _value(mean), _value(variance)
            if not (np.isfinite(first).all() and np.isfinite(second).all()):
                raise ValueError(
                    f"batches must give finite values, received NaN or infinity at {mean.path!r} "
                    f"in batch {number}; look at its images and at the model's weights"
                )
            sums[place] = (
                sums[place][0] + count * first,
                sums[place][1] + count * (second + first**2),
            )
    if not total:
        raise ValueError("batches must hold at least one batch, received none")
    return [(x / total, np.maximum(xx / total - (x / total) ** 2, 0)) for x, xx in sums]


@contextmanager
def _statistics_of_one_batch(layers: Sequence[Any]) -> Iterator[None]:
    """A scope in which the layers are in training and keep nothing of earlier batches.

    Everything else runs as in inference, so that no layer has to be known that is random in
    training.
    """
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
        layer.call = partial(_call_in_training, layer)
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
            del layer.call


def _call_in_training(layer: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    return type(layer).call(layer, inputs, training=True, mask=mask)


def _live_layers(model: keras.Model) -> list[Any]:
    found = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    live = [layer for layer in found if layer.trainable]
    if not live:
        there = f"{len(found)} that are frozen" if found else "none"
        raise ValueError(
            f"model must have trainable BatchNormalization layers, received {model.name!r} with "
            f"{there}; there is nothing to recalibrate"
        )
    renormalised = [layer.name for layer in live if getattr(layer, "renorm", False)]
    if renormalised:
        raise ValueError(
            f"BatchNormalization must have renorm=False, received {renormalised}; batch "
            "renormalisation trains with its moving statistics already"
        )
    return live


def _value(variable: Any) -> np.ndarray:
    """A copy in float64: PyTorch's backend hands out its own memory."""
    return np.array(keras.ops.convert_to_numpy(variable), np.float64)
