"""U-Net with classifiers at every level: same network, more outputs, one that is used."""

import keras
import numpy as np
import pytest

from semseg import ClassMap
from semseg.data import digits
from semseg.inference import predict, score
from semseg.losses import Crossentropy, Dice, deep_supervision
from semseg.models import UNet, class_map, load, without_supervision

CELLS = ClassMap(["background", "cell"])


def supervised(**options):
    keras.utils.set_random_seed(0)
    return UNet(
        **{"class_map": CELLS, "depth": 3, "filters": 4, "deep_supervision": True} | options
    )


def picture(height=19, width=26):
    return np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (19, 26), (32, 40)])
def test_every_output_has_the_size_of_the_picture(size):
    outputs = supervised()(picture(*size))
    assert list(outputs) == ["logits", "logits_2", "logits_3"]
    assert {tuple(x.shape) for x in outputs.values()} == {(1, *size, 2)}


def test_the_first_output_is_the_plain_network():
    model, plain = supervised(), UNet(class_map=CELLS, depth=3, filters=4)
    bare = without_supervision(model)
    assert bare.count_params() == plain.count_params()
    plain.set_weights(bare.get_weights())
    np.testing.assert_allclose(plain(picture()), model(picture())["logits"], rtol=1e-6)
    np.testing.assert_array_equal(bare(picture()), model(picture())["logits"])
    assert without_supervision(plain) is plain
    with pytest.raises(ValueError, match="'logits' among them"):
        without_supervision(keras.Model(plain.input, [plain.output, plain.output]))


def test_every_output_is_float32_and_not_half_precision_in_disguise():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = supervised()
    finally:
        keras.config.set_dtype_policy("float32")
    for name, logits in model(picture()).items():
        assert logits.dtype == "float32"
        half = keras.ops.cast(keras.ops.cast(logits, "bfloat16"), "float32")
        assert np.any(half != logits), name


def test_it_goes_with_an_encoder():
    inputs = keras.Input((None, None, 3))
    first = keras.layers.Conv2D(4, 3, 2, "same")(inputs)
    second = keras.layers.Conv2D(6, 3, 2, "same")(first)
    pyramid = keras.Model(inputs, {"P1": first, "P2": second})
    outputs = supervised(encoder=pyramid)(picture())
    assert {name: tuple(x.shape) for name, x in outputs.items()} == dict.fromkeys(
        ["logits", "logits_2"], (1, 19, 26, 2)
    )


@pytest.mark.slow
def test_it_trains_is_saved_and_predicts_with_the_first_output(tmp_path):
    ds = digits("train", count=2)
    model = supervised(class_map=ds.class_map, depth=2)
    loss = 0.5 * Dice(class_map=ds.class_map) + Crossentropy(class_map=ds.class_map)
    model.compile(keras.optimizers.Adam(0.01), **deep_supervision(loss, [1, 0.5]))
    images, masks = (np.stack(part) for part in zip(*ds, strict=True))
    targets = dict.fromkeys(model.output, masks)
    history = model.fit(images, targets, batch_size=2, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    parts = [history[f"{name}_loss"][0] for name in ("logits", "logits_2")]
    assert history["loss"][0] == pytest.approx(np.dot(parts, [1, 0.5]), rel=1e-4)

    model.save(tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert class_map(again) == ds.class_map
    ids = predict(again, images)
    np.testing.assert_array_equal(ids, np.asarray(model(images)["logits"]).argmax(-1))
    plain = score(without_supervision(again), ds)
    assert score(again, ds).to_dict() == plain.to_dict()
    assert again.evaluate(images, targets, verbose=0, return_dict=True)["logits_2_loss"] > 0


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="needs padding='same'"):
        supervised(padding="valid", norm=None, input_shape=(92, 92, 3))
    with pytest.raises(ValueError, match="gives logits: activation=None, received 'softmax'"):
        supervised(activation="softmax")
    with pytest.raises(ValueError, match="one number > 0"):
        deep_supervision(Dice(), [0, 0])
    with pytest.raises(ValueError, match="weights must be a finite number >= 0, received -1"):
        deep_supervision(Dice(), [1, -1])
    with pytest.raises(TypeError, match="loss must be a Keras loss, received 'dice'"):
        deep_supervision("dice", [1])
