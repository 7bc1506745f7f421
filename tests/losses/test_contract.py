"""What every loss promises. A new loss is one line in LOSSES, with the laws that hold for it."""

import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from semseg import ClassMap
from semseg.losses import (
    Boundary,
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
    """

    make: Callable[..., keras.losses.Loss]
    of: str = "regions"
    place: bool = False
    least: bool = True
    soft: bool = True
    xla: bool = True
    sorts: bool = False
    mean: bool = True


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


# -- ignored pixels -----------------------------------------------------------------------------


def ignored_is_deleted(make, ids, logits, poison):
    kept = ids != IGNORE
    logits[~kept] = poison
    value, gradient = in_numpy(make(ignore_class=IGNORE), ids, logits)
    assert not gradient[~kept].any()
    if not kept.any():
        assert value == 0
        return
    alone = in_numpy(make(), ids[kept][None, None], logits[kept][None, None])
    close((value, gradient[kept]), (alone[0], alone[1][0, 0]), atol=1e-6)


@losses_with(lambda law: not law.place)
@both_forms
@few
@given(seed=seeds, height=st.integers(1, 3), poison=any_poison)
def test_ignored_pixels_are_deleted_pixels(law, channels, seed, height, poison):
    ignored_is_deleted(law.make, *batch(seed, channels, (2, height, 2)), poison)


@losses_with(lambda law: law.place)
@both_forms
@few
@given(seed=seeds, poison=any_poison)
def test_what_lies_under_ignored_pixels_changes_nothing(law, channels, seed, poison):
    ids, logits = batch(seed, channels, (2, 3, 3))
    loss = law.make(ignore_class=IGNORE)
    clean = in_numpy(loss, ids, logits)
    logits[ids == IGNORE] = poison
    close(in_numpy(loss, ids, logits), clean)
    assert not clean[1][ids == IGNORE].any()


@every_loss
@both_forms
@pytest.mark.parametrize("poison", [0.0, np.nan])
def test_ignored_pixels_alone_give_no_loss_and_no_gradient(law, channels, poison):
    ids = np.full((2, 3, 3), IGNORE)
    logits = np.full((2, 3, 3, channels), poison, np.float32)
    value, gradient = in_numpy(law.make(ignore_class=IGNORE), ids, logits)
    assert value == 0 and not gradient.any()


class Leaking(Crossentropy):
    """A twin that multiplies by the mask: 0 * NaN is NaN."""

    def call(self, y_true, y_pred):
        ids = ops.cast(y_true["mask"], "int32")
        valid = ops.cast(ids != IGNORE, "float32")
        ids = ops.where(valid > 0, ids, 0)
        losses = ops.sparse_categorical_crossentropy(ids, y_pred, from_logits=True) * valid
        return losses * (ops.cast(ops.size(valid), "float32") / ops.maximum(ops.sum(valid), 1))


class Diluted(Crossentropy):
    """A twin that divides by the number of all pixels."""

    def _divisor(self, divisor):
        return None


@pytest.mark.parametrize(("twin", "poison"), [(Leaking, np.nan), (Diluted, 0.0)])
def test_the_law_notices_a_broken_twin(twin, poison):
    ignored_is_deleted(Crossentropy, *batch(0, 3), poison)
    with pytest.raises(AssertionError):
        ignored_is_deleted(twin, *batch(0, 3), poison)


# -- sample weights -----------------------------------------------------------------------------


@losses_with(lambda law: not law.place)
@both_forms
@few
@given(seed=seeds, poison=any_poison)
def test_pixels_of_weight_0_are_deleted_pixels_of_a_region(law, channels, seed, poison):
    ids, logits = batch(seed, channels, (2, 3, 3), ignored=False)
    weights = (np.random.default_rng(seed).random(ids.shape) < 0.7).astype(np.float32)
    logits[weights == 0] = poison
    value, gradient = in_numpy(law.make(), ids, logits, weights)
    assert np.isfinite(value) and not gradient[weights == 0].any()
    if law.of == "regions":
        marked = np.where(weights > 0, ids, IGNORE)
        close((value, gradient), in_numpy(law.make(ignore_class=IGNORE), marked, logits))


@losses_with(lambda law: law.of == "regions" and not law.place)
@both_forms
@few
@given(seed=seeds)
def test_a_pixel_of_weight_2_is_two_pixels_of_a_region(law, channels, seed):
    ids, logits = batch(seed, channels, (1, 1, 6), ignored=False)
    weights = np.array([[[2, 1, 1, 2, 1, 1]]], np.float32)
    twice = np.repeat(np.arange(6), weights[0, 0].astype(int))
    value = law.make()(ids, logits, weights)
    assert float(value) == pytest.approx(
        float(law.make()(ids[:, :, twice], logits[:, :, twice])), rel=1e-5
    )


@every_loss
def test_one_weight_a_picture_is_a_factor_of_its_loss(law):
    pooled = {"pooling": "image"} if law.of == "regions" else {}
    if isinstance(law.make(), HardPixels):
        pooled = {"share": 1.0}
    loss = law.make(ignore_class=IGNORE, **pooled)
    ids, logits = batch(11, 3)
    ids[ids == IGNORE] = 0  # equally many valid pixels in both
    first, second = (float(loss(ids[i : i + 1], logits[i : i + 1])) for i in range(2))
    weighted = float(loss(ids, logits, np.array([2.0, 0.5], np.float32)))
    assert weighted == pytest.approx((2 * first + 0.5 * second) / 2, rel=1e-5)


@every_loss
def test_weights_of_another_shape_are_an_error(law):
    ids, logits = batch(12, 3)
    for shape in [(3,), (2, 3), (2, 4, 3), (2, 3, 4, 2)]:
        with pytest.raises(ValueError, match="sample_weight must hold one number a picture"):
            law.make(ignore_class=IGNORE)(ids, logits, np.ones(shape, np.float32))


# -- gradients ----------------------------------------------------------------------------------


@every_loss
@both_forms
@few
@given(seed=seeds)
def test_a_step_against_the_gradient_lowers_the_loss(law, channels, seed):
    loss = law.make(ignore_class=IGNORE, dtype="float64")
    ids, logits = batch(seed, channels)
    logits = logits.astype(np.float64)
    value, gradient = in_numpy(loss, ids, logits)
    steepness = (gradient**2).sum()
    if steepness > 1e-12:
        assert loss(ids, logits - 1e-6 * gradient) < value


@every_loss
@both_forms
def test_the_gradient_is_that_of_finite_differences(law, channels):
    loss = law.make(ignore_class=IGNORE, dtype="float64")
    ids, logits = batch(21, channels, (1, 2, 3))
    logits, step = logits.astype(np.float64), 1e-6
    _, gradient = in_numpy(loss, ids, logits)
    for place in np.ndindex(logits.shape):
        ahead, behind = logits.copy(), logits.copy()
        ahead[place] += step
        behind[place] -= step
        rise = in_numpy(loss, ids, ahead)[0] - in_numpy(loss, ids, behind)[0]
        slope = float(rise) / (2 * step)
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-9)


# Logits of (class 0, class 1, class 2); of one logit the first counts.
extremes = [(1e4, -1e4, 0.0), (-1e4, 1e4, 1e4), (0.0, 0.0, 1e4)]
pictures = ([[0]], [[1]], [[IGNORE]], [[1, 1], [1, 1]], [[0, 1], [1, IGNORE]])


@every_loss
@both_forms
def test_extreme_logits_give_finite_values_and_gradients(law, channels):
    loss = law.make(ignore_class=IGNORE)
    for values, picture in itertools.product(extremes, pictures):
        ids = np.array([picture])
        logits = np.broadcast_to(values[:channels], (*ids.shape, channels)).astype(np.float32)
        value, gradient = in_numpy(loss, ids, logits)
        assert np.isfinite(value), (values, ids)
        assert np.isfinite(gradient).all(), (values, ids)


# What follows the cast to float32 is the same: one loss of each kind of formula; all nightly.
@fast_for(["Crossentropy", "Focal", "Dice", "Lovasz"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_extreme_logits_in_half_precision_give_finite_values_and_gradients(name, dtype):
    channels = 3
    run = compiled(LOSSES[name].make(ignore_class=IGNORE), channels, dtype)
    for values, picture in itertools.product(extremes, pictures):
        ids = np.array([picture])
        logits = ops.cast(np.broadcast_to(values[:channels], (*ids.shape, channels)), dtype)
        value, gradient = run(ids, logits)
        assert np.isfinite(value), (values, ids)
        assert np.isfinite(ops.cast(gradient, "float32")).all(), (values, ids)


# -- symmetries ---------------------------------------------------------------------------------


@every_loss
@few
@given(seed=seeds, shift=st.floats(-20, 20))
def test_a_shift_of_all_logits_changes_nothing_for_a_softmax(law, seed, shift):
    loss = law.make(ignore_class=IGNORE, dtype="float64")
    ids, logits = batch(seed, 3)
    logits = logits.astype(np.float64)
    close(in_numpy(loss, ids, logits + shift), in_numpy(loss, ids, logits), atol=1e-9)


@every_loss
def test_a_shift_changes_the_loss_of_one_logit(law):
    ids, logits = batch(3, 1, ignored=False)
    assert float(law.make()(ids, logits + 1)) != pytest.approx(float(law.make()(ids, logits)))


@every_loss
@few
@given(seed=seeds)
def test_permuting_classes_permutes_the_gradient(law, seed):
    loss = law.make(ignore_class=IGNORE)
    ids, logits = batch(seed, 3)
    order = np.random.default_rng(seed).permutation(3)
    renamed = np.where(ids == IGNORE, IGNORE, np.argsort(order)[np.minimum(ids, 2)])
    value, gradient = in_numpy(loss, ids, logits)
    close(in_numpy(loss, renamed, logits[..., order]), (value, gradient[..., order]), atol=1e-6)


@every_loss
@both_forms
@few
@given(seed=seeds)
def test_the_order_of_images_and_pixels_does_not_matter(law, channels, seed):
    loss = law.make(ignore_class=IGNORE)
    ids, logits = batch(seed, channels, (3, 2, 3))
    value, gradient = in_numpy(loss, ids, logits)
    turned = in_numpy(loss, ids[::-1, ::-1].copy(), logits[::-1, ::-1].copy())
    close(turned, (value, gradient[::-1, ::-1]), atol=1e-6)
    if law.place:
        return
    order = np.random.default_rng(seed).permutation(ids.size)
    mixed = ids.reshape(-1)[order].reshape(ids.shape)
    logits = logits.reshape(-1, channels)[order].reshape(logits.shape)
    expected = gradient.reshape(-1, channels)[order].reshape(gradient.shape)
    close(in_numpy(loss, mixed, logits), (value, expected), atol=1e-6)


@of_regions
@both_forms
@few
@given(seed=seeds)
def test_pooled_by_image_a_batch_is_the_mean_of_its_images(law, channels, seed):
    loss = law.make(ignore_class=IGNORE, pooling="image")
    ids, logits = batch(seed, channels, (3, 2, 3))
    singles = [float(loss(ids[i : i + 1], logits[i : i + 1])) for i in range(3)]
    assert float(loss(ids, logits)) == pytest.approx(np.mean(singles), rel=1e-5, abs=1e-7)


# -- classes ------------------------------------------------------------------------------------


@every_loss
@few
@given(seed=seeds, factor=st.floats(0.1, 10))
def test_equal_class_weights_are_none(law, seed, factor):
    ids, logits = batch(seed, 3)
    plain = in_numpy(law.make(ignore_class=IGNORE), ids, logits)
    weighted = law.make(ignore_class=IGNORE, class_weights=[factor] * 3)
    close(in_numpy(weighted, ids, logits), plain, atol=1e-6)


@of_regions
def test_one_logit_counts_the_foreground_unless_weights_say_otherwise(law):
    ids, logits = batch(6, 1)
    plain = in_numpy(law.make(ignore_class=IGNORE), ids, logits)
    close(in_numpy(law.make(ignore_class=IGNORE, class_weights=[0, 1]), ids, logits), plain)
    both = law.make(ignore_class=IGNORE, class_weights=[1, 1])
    assert float(both(ids, logits)) != pytest.approx(float(plain[0]))


@losses_with(lambda law: law.mean)
@few
@given(seed=seeds, weights=st.lists(st.floats(0.1, 5), min_size=3, max_size=3))
def test_weights_mean_the_losses_of_the_classes(law, seed, weights):
    ids, logits = batch(seed, 3)
    ids = all_classes(ids, 3)
    alone = [
        float(law.make(ignore_class=IGNORE, class_weights=one)(ids, logits)) for one in np.eye(3)
    ]
    sizes = np.array([(ids == k).sum() for k in range(3)]) if law.of == "pixels" else np.ones(3)
    found = float(law.make(ignore_class=IGNORE, class_weights=weights)(ids, logits))
    assert found == pytest.approx(np.average(alone, weights=weights * sizes), rel=1e-5)


@every_loss
def test_weights_come_by_name_with_a_class_map(law):
    classes = ClassMap(["road", "car", "sky"], ignore_class=IGNORE)
    named = law.make(class_weights={"car": 3.0}, class_map=classes)
    ids, logits = batch(7, 3)
    close(
        in_numpy(named, ids, logits),
        in_numpy(law.make(ignore_class=IGNORE, class_weights=[1, 3, 1]), ids, logits),
    )
    with pytest.raises(ValueError, match=r"does not have: \['bus'\]"):
        law.make(class_weights={"bus": 1.0}, class_map=classes)
    with pytest.raises(ValueError, match="need the names: pass class_map"):
        law.make(class_weights={"car": 3.0})


@every_loss
def test_wrong_class_weights_are_an_error(law):
    ids, logits = batch(8, 3)
    with pytest.raises(ValueError, match="class_weights must hold 3 numbers"):
        law.make(ignore_class=IGNORE, class_weights=[1, 2])(ids, logits)
    for bad in ([1, -1], [0, 0], [np.nan, 1], [1], 2.0):
        with pytest.raises(ValueError, match="class_weights must be"):
            law.make(class_weights=bad)


@of_regions
@both_forms
def test_an_absent_class_contributes_what_was_asked_for(law, channels):
    ids, logits = batch(9, channels, ignored=False)
    ids[ids == 1] = 0
    if channels == 3:
        ids[0, 0, 0] = 2
    values = {a: float(law.make(absent=a)(ids, logits)) for a in ("skip", "zero", "share")}
    if channels == 1:  # only the foreground counts, and there is none
        assert values["skip"] == values["zero"] == 0
        if law.mean:
            assert values["share"] == pytest.approx((1 / (1 + np.exp(-logits))).mean(), rel=1e-5)
    elif law.mean:
        predicted = np.asarray(ops.softmax(logits))[..., 1].mean()
        assert values["zero"] == pytest.approx(values["skip"] * 2 / 3, rel=1e-5)
        assert values["share"] == pytest.approx((values["skip"] * 2 + predicted) / 3, rel=1e-5)
    else:
        assert values["zero"] == values["skip"] < values["share"]
    with pytest.raises(ValueError, match="absent must be one of"):
        law.make(absent="one")
    with pytest.raises(ValueError, match="pooling must be one of"):
        law.make(pooling="pixels")


# -- values -------------------------------------------------------------------------------------


@losses_with(lambda law: law.least)
@both_forms
def test_a_sure_and_right_prediction_has_loss_0(law, channels):
    ids, logits = batch(10, channels)
    signs = np.where(ids == 1, 1.0, -1.0)[..., None] if channels == 1 else np.eye(3)[ids % 3]
    assert float(law.make(ignore_class=IGNORE)(ids, 200.0 * signs)) == pytest.approx(0, abs=1e-5)
    assert float(law.make(ignore_class=IGNORE)(ids, logits)) > 0.01


@losses_with(lambda law: law.soft)
@both_forms
@few
@given(seed=seeds)
def test_shares_of_one_class_are_ids(law, channels, seed):
    ids, logits = batch(seed, channels, ignored=False)
    shares = np.eye(3)[ids] if channels == 3 else ids[..., None].astype(float)
    close(in_numpy(law.make(), shares, logits), in_numpy(law.make(), ids, logits), atol=1e-6)


@losses_with(lambda law: law.soft)
@few
@given(seed=seeds)
def test_shares_of_one_class_are_ids_with_weights_too(law, seed):
    ids, logits = batch(seed, 3, ignored=False)
    weights = np.random.default_rng(seed).choice([0.0, 0.5, 2.0], ids.shape).astype(np.float32)
    loss = law.make(class_weights=[1, 2, 5])
    found = in_numpy(loss, np.eye(3, dtype=np.float32)[ids], logits, weights)
    close(found, in_numpy(loss, ids, logits, weights), atol=1e-6)


@losses_with(lambda law: law.soft)
@pytest.mark.parametrize("without_class", [0.0, np.nan])
def test_shares_of_pixels_without_class_may_be_anything(law, without_class):
    ids, logits = batch(16, 3)
    kept = ids != IGNORE
    shares = np.where(kept[..., None], np.eye(3)[ids % 3], without_class).astype(np.float32)
    found = in_numpy(law.make(), shares, logits, kept.astype(np.float32))
    close(found, in_numpy(law.make(ignore_class=IGNORE), ids, logits), atol=1e-6)


@losses_with(lambda law: law.soft and law.of == "regions")
@few
@given(seed=seeds)
def test_a_prediction_equal_to_a_soft_target_has_loss_0(law, seed):
    _, logits = batch(seed, 3)
    shares = np.asarray(ops.softmax(logits))
    assert float(law.make()(shares, logits)) == pytest.approx(0, abs=1e-5)


@every_loss
def test_targets_that_are_no_shares_are_an_error_and_nan_in_a_graph(law):
    _, logits = batch(13, 3)
    loss = law.make()
    if not law.soft:
        with pytest.raises(ValueError, match="needs ids"):
            loss(np.full(logits.shape, 1 / 3), logits)
        return
    traced = tf.function(loss.__call__)
    for bad in (np.ones(3), np.array([2, -1, 0.0]), np.array([np.nan, 0, 1])):
        target = np.broadcast_to(bad, logits.shape).astype(np.float32)
        with pytest.raises(ValueError, match="must hold shares >= 0 that sum to 1"):
            loss(target, logits)
        assert np.isnan(traced(tf.constant(target), tf.constant(logits)))


@every_loss
@both_forms
def test_probabilities_are_taken_as_logits_are(law, channels):
    ids, logits = batch(14, channels)
    if channels == 1 and isinstance(law.make(), Lovasz):
        return  # the hinge is one of logits
    p = ops.sigmoid(logits) if channels == 1 else ops.softmax(logits)
    found = law.make(ignore_class=IGNORE, from_logits=False)(ids, p)
    assert float(found) == pytest.approx(
        float(law.make(ignore_class=IGNORE)(ids, logits)), rel=1e-5
    )


# -- routes -------------------------------------------------------------------------------------


def same_as_eager(run, loss, channels):
    ids, logits = batch(3, channels)
    logits[ids == IGNORE] = np.nan
    # With one shape XLA compiles once; the second batch holds ignored pixels alone.
    for mask in (ids, np.full_like(ids, IGNORE)):
        close(run(mask, logits), value_and_gradient(loss, mask, logits), atol=1e-6)


@every_loss
@both_forms
def test_graphs_give_what_eager_calls_give(law, channels):
    loss = law.make(ignore_class=IGNORE)
    same_as_eager(functools.partial(in_numpy, loss), loss, channels)


# XLA compiles for seconds: one loss of each kind of formula (HardPixels holds the crossentropy).
# The others differ by arithmetic on numbers a class, or a pixel, and run nightly.
@fast_for(["HardPixels", "Dice", "Lovasz"], lambda law: law.xla)
def test_xla_gives_what_eager_calls_give(name):
    loss = LOSSES[name].make(ignore_class=IGNORE)
    same_as_eager(compiled(loss, 3, jit_compile=True), loss, 3)


@losses_with(lambda law: not law.xla)
def test_what_xla_cannot_compile_says_so(law):
    with pytest.raises(ValueError, match="jit_compile=False"):
        compiled(law.make(ignore_class=IGNORE), 3, jit_compile=True)(*batch(3, 3))


@every_loss
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_logits_are_summed_in_float32(law, dtype):
    ids, logits = batch(4, 3, (2, 40, 50))
    half = ops.cast(logits, dtype)
    value = law.make(ignore_class=IGNORE)(ids, half)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    same = law.make(ignore_class=IGNORE)(ids, ops.cast(half, "float32"))
    assert float(value) == pytest.approx(float(same), rel=1e-6)


@every_loss
def test_call_keeps_an_axis_so_that_keras_divides_by_the_replicas(law):
    ids, logits = batch(5, 3)
    assert len(law.make(ignore_class=IGNORE).call(ids, logits).shape) >= 1


@every_loss
def test_the_configuration_comes_back(law):
    loss = law.make(ignore_class=IGNORE, class_weights=[1, 2, 3])
    config = keras.saving.serialize_keras_object(loss)
    assert config["registered_name"] == f"semseg.losses>{type(loss).__name__}"
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_the_configurations_come_back_in_a_compiled_model(tmp_path):
    losses = [law.make(ignore_class=IGNORE, class_weights=[1, 2, 3]) for law in LOSSES.values()]
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    model.compile("sgd", 0.5 * sum(losses))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").loss
    assert again.weights == [0.5] * len(losses)
    for one, other in zip(again.losses, losses, strict=True):
        assert one.get_config() == other.get_config()


@pytest.mark.parametrize("name", ["Crossentropy", "Lovasz"])
def test_it_trains_a_model_with_weights_of_pixels(name):
    law = LOSSES[name]
    ids, logits = batch(15, 3, (4, 4, 4))
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(3, 1)])
    model.compile(keras.optimizers.SGD(0.1), law.make(ignore_class=IGNORE))
    weights = np.random.default_rng(0).random(ids.shape, np.float32)
    history = model.fit(logits, ids, sample_weight=weights, batch_size=4, epochs=4, verbose=0)
    losses = history.history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]


# -- labels -------------------------------------------------------------------------------------


@every_loss
def test_labels_that_are_no_class_are_an_error_and_nan_in_a_graph(law):
    loss, logits = law.make(ignore_class=IGNORE), np.zeros((1, 1, 3, 3), np.float32)
    assert np.isfinite(in_numpy(loss, [[[0, IGNORE, 2]]], logits)[0])
    for bad in (3, -1, 254, 0.5, 254.6, 255.4, np.nan, np.inf, 2.0**33):
        labels = np.array([[[0.0, IGNORE, bad]]], np.float32)
        with pytest.raises(ValueError, match="y_true (has ids|must hold whole class ids)"):
            loss(labels, logits)
        assert np.isnan(in_numpy(loss, labels, logits)[0]), bad


@pytest.mark.parametrize("name", ["Crossentropy", "Dice"])
def test_labels_are_checked_where_none_is_ignored(name):
    run = compiled(LOSSES[name].make(), 3)
    for label, is_class in [(2, True), (3, False), (-1, False), (IGNORE, False)]:
        value, _ = run(np.array([[[0, 1, label]]]), np.zeros((1, 1, 3, 3)))
        assert np.isnan(value) != is_class


@every_loss
def test_shapes_that_would_broadcast_are_refused(law):
    logits = np.zeros((2, 4, 4, 3), np.float32)
    for shape in [(2, 4, 4, 1), (2, 4, 4, 2), (4, 4), (2, 1, 4), (2, 4, 5), (1, 4, 4)]:
        with pytest.raises(ValueError, match="y_true must be ids"):
            law.make(ignore_class=IGNORE)(np.zeros(shape, int), logits)


@every_loss
def test_half_precision_is_no_dtype_of_a_loss(law):
    with pytest.raises(ValueError, match="dtype of a loss must be 'float32' or 'float64'"):
        law.make(dtype="float16")
