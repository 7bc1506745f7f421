"""The losses and which laws hold for each: a new loss is one line in LOSSES.

The laws are the tests of `tests/losses`; here is also what they share.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from semseg.losses import (
    MCC,
    Boundary,
    CenterlineDice,
    Crossentropy,
    Dice,
    Focal,
    FocalTversky,
    GeneralizedDice,
    HardPixels,
    Jaccard,
    Lovasz,
    Tversky,
)

tf = pytest.importorskip("tensorflow")

IGNORE = 255


class Law(NamedTuple):
    """One loss and which laws hold for it.

    Attributes:
        make: takes the loss's keywords.
        of: "pixels", whose mean it is, or "regions", which it counts.
        place: whether the loss looks at where a pixel lies; deleting one then moves others.
        least: its least value is 0, for the mask itself with great certainty.
        soft: whether shares of classes are taken.
        xla: whether it compiles for XLA.
        sorts: whether its gradient jumps where two pixels change order.
        mean: whether it is the mean over classes of a loss a class, weighted.
        symmetric: whether background and foreground of one logit have the same loss.
    """

    make: Callable[..., keras.losses.Loss]
    of: str = "regions"
    place: bool = False
    least: bool = True
    soft: bool = True
    xla: bool = True
    sorts: bool = False
    mean: bool = True
    symmetric: bool = False


LOSSES = {
    "Crossentropy": Law(Crossentropy, "pixels"),
    "smoothed": Law(functools.partial(Crossentropy, label_smoothing=0.1), "pixels", least=False),
    "Focal": Law(Focal, "pixels"),
    "HardPixels": Law(functools.partial(HardPixels, share=0.4), "pixels", sorts=True, mean=False),
    "Dice": Law(Dice),
    "Jaccard": Law(Jaccard),
    "Tversky": Law(Tversky),
    "FocalTversky": Law(FocalTversky),
    "GeneralizedDice": Law(GeneralizedDice, mean=False),
    "Lovasz": Law(Lovasz, soft=False, sorts=True),
    "MCC": Law(MCC, symmetric=True),
    "CenterlineDice": Law(CenterlineDice, place=True, soft=False),
    "Boundary": Law(Boundary, place=True, least=False, soft=False, xla=False),
}


def losses_with(condition=lambda law: True):
    chosen = {name: law for name, law in LOSSES.items() if condition(law)}
    assert chosen
    return pytest.mark.parametrize("law", chosen.values(), ids=chosen)


def fast_for(names, condition=lambda law: True):
    """Every loss that fulfils the condition by name, those that are not named in the slow tier."""
    chosen = [name for name, law in LOSSES.items() if condition(law)]
    return pytest.mark.parametrize(
        "name",
        [n if n in names else pytest.param(n, marks=pytest.mark.slow) for n in chosen],
    )


every_loss = losses_with()
of_regions = losses_with(lambda law: law.of == "regions")
both_forms = pytest.mark.parametrize("channels", [1, 3], ids=["binary", "three classes"])
any_poison = st.sampled_from([0.0, 1e30, -1e30, np.inf, -np.inf, np.nan])
seeds = st.integers(0, 2**31)
# A law goes through some twenty losses: a part of the profile's examples for each.
few = settings(max_examples=max(2, settings().max_examples // 10))


def batch(seed, channels, shape=(2, 3, 4), ignored=True):
    """Ids of which some are ignored, and logits."""
    rng = np.random.default_rng(seed)
    classes = max(2, channels)
    ids = rng.integers(0, classes, shape)
    if ignored:
        ids[rng.random(shape) < 0.25] = IGNORE
    return ids.astype(np.int32), rng.normal(scale=1.5, size=(*shape, channels)).astype(np.float32)


def all_classes(ids, channels):
    """The ids with every class in every picture."""
    classes = np.arange(max(2, channels))
    for picture in ids:
        picture.reshape(-1)[: len(classes)] = classes
    return ids


def value_and_gradient(loss, ids, logits, sample_weight=None):
    logits = tf.convert_to_tensor(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(ids, logits, sample_weight)
    return value, tape.gradient(value, logits)


def compiled(loss, channels, dtype="float32", jit_compile=False):
    """value_and_gradient, traced once for batches of any size."""
    any_size = (
        tf.TensorSpec((None,) * 3, tf.int32),
        tf.TensorSpec((None,) * 3 + (channels,), dtype),
    )
    both = functools.partial(value_and_gradient, loss)
    return tf.function(both, input_signature=any_size, jit_compile=jit_compile)


@functools.cache
def traced(make, config, channels, dtype):
    """A function for all losses of one configuration: eager calls take twenty times as long."""
    loss = make(**dict(config))
    specs = (tf.TensorSpec((None,) * 3, dtype), tf.TensorSpec((None,) * 3 + (channels,), dtype))
    return tf.function(functools.partial(value_and_gradient, loss), input_signature=specs)


def in_numpy(loss, ids, logits, sample_weight=None):
    """Value and gradient; that graphs give what eager calls give is a law below."""
    config, logits = loss.get_config(), np.asarray(logits)
    # Tracing costs as much as some ten eager calls: only what most laws ask for.
    if config["class_weights"] is None and config["ignore_class"] and sample_weight is None:
        run = traced(type(loss), tuple(config.items()), logits.shape[-1], logits.dtype.name)
        found = run(np.asarray(ids, logits.dtype), logits)
    else:
        found = value_and_gradient(loss, ids, logits, sample_weight)
    return tuple(map(np.asarray, found))


def close(found, expected, rtol=1e-5, atol=1e-7):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)
