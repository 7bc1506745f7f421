"""recalibrate_batch_norm: whose statistics, of which weights, and what stays as it was."""

import keras
import numpy as np
import pytest

import semseg
from semseg.training import recalibrate_batch_norm


def values(variables):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def pictures(count, seed=0, size=(6, 5)):
    return np.random.default_rng(seed).normal(3, 2, (count, *size, 2)).astype("float32")


def two_layers(kind=keras.layers.BatchNormalization):
    """The second layer sees what the first one, dropout and a convolution give."""
    return keras.Sequential(
        [
            keras.Input((None, None, 2)),
            kind(name="one"),
            keras.layers.Dropout(0.5, seed=1),
            keras.layers.Conv2D(3, 1, activation="relu", bias_initializer="ones"),
            kind(name="two"),
        ]
    )


def population(batches):
    """Weighted by pictures, as Wu and Johnson (2021) write it."""
    share = np.array([len(b) for b in batches]) / sum(map(len, batches))
    mean = [b.mean((0, 1, 2), dtype="float64") for b in batches]
    second = [b.var((0, 1, 2), dtype="float64") + m**2 for b, m in zip(batches, mean, strict=True)]
    mean, second = share @ np.array(mean), share @ np.array(second)
    return mean, second - mean**2


@pytest.mark.parametrize(
    "kind", [keras.layers.BatchNormalization, semseg.layers.BatchNormalization]
)
def test_the_statistics_are_those_of_all_pictures_each_batch_normalised_by_itself(kind):
    model = two_layers(kind)
    one, _, conv, two = model.layers
    stale = [[2, 3], [1, -1], [9, np.nan], [np.inf, 7]]  # whatever they were
    one.set_weights([np.array(w, "float32") for w in stale])
    batches = [pictures(4, 0), pictures(4, 1), pictures(1, 2)]
    assert recalibrate_batch_norm(model, batches) is model
    found = population(batches)
    np.testing.assert_allclose(one.moving_mean, found[0], rtol=1e-5)
    np.testing.assert_allclose(one.moving_variance, found[1], rtol=1e-4)
    pooled = np.concatenate(batches)
    np.testing.assert_allclose(one.moving_variance, pooled.var((0, 1, 2)), rtol=1e-4)

    kernel, bias = values(conv.weights)
    inner = []
    for batch in batches:
        deviation = np.sqrt(batch.var((0, 1, 2)) + one.epsilon)
        normal = (batch - batch.mean((0, 1, 2))) / deviation * [2, 3] + [1, -1]
        inner.append(np.maximum(normal @ kernel[0, 0] + bias, 0))
    found = population(inner)
    np.testing.assert_allclose(two.moving_mean, found[0], rtol=1e-4)
    np.testing.assert_allclose(two.moving_variance, found[1], rtol=1e-3)


def test_weights_optimizer_seeds_and_behaviour_stay_as_they_were():
    model = two_layers()
    model.compile("adam", "mse", run_eagerly=True)
    batch = pictures(2)
    model.train_on_batch(batch, batch[..., :1].repeat(3, -1))
    moving = {id(v) for layer in model.layers for v in layer.non_trainable_weights}
    kept = [v for v in [*model.variables, *model.optimizer.variables] if id(v) not in moving]
    before = values(kept)
    recalibrate_batch_norm(model, [batch])
    for a, b in zip(values(kept), before, strict=True):
        np.testing.assert_array_equal(a, b)
    layer = model.get_layer("one")
    assert layer.momentum == 0.99
    np.testing.assert_array_equal(model(batch), model(batch))
    statistics = values(model.non_trainable_weights)
    model(batch, training=False)
    for a, b in zip(values(model.non_trainable_weights), statistics, strict=True):
        np.testing.assert_array_equal(a, b)


def test_frozen_layers_are_left_alone_and_nested_ones_are_reached():
    inner = two_layers()
    inner.get_layer("one").trainable = False
    model = keras.Sequential([keras.Input((None, None, 2)), inner])
    recalibrate_batch_norm(model, [pictures(3)])
    one, two = inner.get_layer("one"), inner.get_layer("two")
    assert values([one.moving_mean, one.moving_variance])[1].tolist() == [1, 1]
    assert (values([two.moving_mean])[0] != 0).all()


def opposite(shape, dtype=None):
    return np.broadcast_to(np.array([-5.0, 5.0], "float32"), shape)


def test_a_model_with_stale_statistics_predicts_better_afterwards():
    """Right with normalised inputs; its layer has the statistics that it was made with."""
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 2, (8, 6, 6))
    images = (100 + 50 * masks[..., None] + rng.normal(0, 5, (8, 6, 6, 1))).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            semseg.layers.BatchNormalization(),
            keras.layers.Conv2D(2, 1, kernel_initializer=opposite),
        ]
    )
    loss = semseg.losses.Crossentropy()
    before = float(loss(masks, model(images)))
    recalibrate_batch_norm(model, [(images[:4], masks[:4]), (images[4:], masks[4:])])
    assert float(loss(masks, model(images))) < 0.01 < 100 < before


@pytest.mark.parametrize("endless", [False, True])
def test_steps_end_the_pass_and_masks_are_not_looked_at(endless):
    ds = semseg.data.digits("train", count=4, size=(32, 32))
    one, other = (
        keras.Sequential([keras.Input((32, 32, 3)), keras.layers.BatchNormalization()])
        for _ in range(2)
    )
    recalibrate_batch_norm(one, ds.pipeline(2, shuffle=False, repeat=endless), steps=1)
    recalibrate_batch_norm(other, [np.stack([ds[0][0], ds[1][0]])])
    for a, b in zip(values(one.weights), values(other.weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def spoiled():
    yield pictures(2)
    yield pictures(2) * np.nan


class Plain(keras.utils.PyDataset):
    """Keras's own has no end of its own to a loop."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return pictures(3, index), None


def test_a_plain_pydataset_is_one_pass():
    one, other = two_layers(), two_layers()
    recalibrate_batch_norm(one, Plain())
    recalibrate_batch_norm(other, [pictures(3, 0), pictures(3, 1)])
    np.testing.assert_array_equal(
        one.get_layer("one").moving_mean, other.get_layer("one").moving_mean
    )


def endless_stream(kind):
    return getattr(semseg.data.digits("train", count=2), kind)(2, repeat=True)


@pytest.mark.parametrize(
    ("batches", "error", "message"),
    [
        (lambda: [], ValueError, "batches must hold at least one batch, received none"),
        (spoiled, ValueError, "batches must give finite values, .*one/moving_mean' in batch 1"),
        (lambda: pictures(2), TypeError, r"batches must give \(images, masks\) .*ndarray"),
        (lambda: (pictures(2), pictures(2)), TypeError, "batches must give .*received tuple"),
        (lambda: 3, TypeError, "batches must give .*received int"),
        (lambda: semseg.data.digits("train"), TypeError, "batches must give .*received Dataset"),
        (lambda: endless_stream("pipeline"), ValueError, "steps must be given for batches without"),
        (lambda: endless_stream("batches"), ValueError, "steps must be given for batches without"),
    ],
)
def test_what_is_refused_leaves_the_statistics(batches, error, message):
    model = two_layers()
    before = values(model.weights)
    with pytest.raises(error, match=message):
        recalibrate_batch_norm(model, batches())
    for a, b in zip(values(model.weights), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert "call" not in vars(model.get_layer("one"))


def test_a_model_without_live_statistics_is_refused():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"must have trainable BatchNormalization .*with none"):
        recalibrate_batch_norm(model, [pictures(1)])
    model = two_layers()
    model.trainable = False
    with pytest.raises(ValueError, match="with 2 that are frozen; there is nothing"):
        recalibrate_batch_norm(model, [pictures(1)])


def test_renormalised_layers_are_refused():
    model = two_layers()
    model.get_layer("two").renorm = True
    with pytest.raises(ValueError, match=r"must have renorm=False, received \['two'\]"):
        recalibrate_batch_norm(model, [pictures(1)])
