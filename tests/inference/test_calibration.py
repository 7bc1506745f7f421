"""calibrate: the temperature that minimises the crossentropy, inside a model like any other."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

import semseg
from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.inference import calibrate, predict, predict_tiled, score
from semseg.inference.forward import Forward, weights_digest
from semseg.inference.temperature import with_end
from semseg.metrics.functional import expected_calibration_error

IGNORED = 255
CELLS = ClassMap(["background", "cell"], ignore_class=IGNORED)
STREET = ClassMap(["road", "car", "sky"], ignore_class=IGNORED)
WEIGHTS = np.array([[2.0, -1.0, 0.5], [-0.5, 1.5, 0.2], [0.3, -0.2, -1.8]], np.float32)


def softmax(logits):
    exps = np.exp(logits - logits.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


def ending(outputs=3, activation=None, kind="conv", factor=1.0):
    """Logits that are the picture's values times WEIGHTS times `factor`."""
    inputs = keras.Input((None, None, 3))
    inside = activation if kind == "conv" else None
    scores = keras.layers.Conv2D(outputs, 1, use_bias=False, activation=inside)(inputs)
    if kind == "logits":
        class_map = CELLS if outputs == 1 else STREET
        scores = semseg.layers.Logits(class_map, activation, name=activation or "logits")(scores)
    if kind == "layer":
        scores = keras.layers.Activation(activation)(scores)
    if kind == "softmax":
        scores = keras.layers.Softmax()(scores)
    model = keras.Model(inputs, scores)
    model.set_weights([factor * WEIGHTS[None, None, :, :outputs]])
    return model


def drawn(outputs=3, count=3, honest=1.0, seed=0):
    """Pictures whose masks are drawn from the softmax of their logits over `honest`."""
    rng = np.random.default_rng(seed)
    images = [rng.normal(0, 1, (60, 40 + 5 * i, 3)).astype(np.float32) for i in range(count)]
    masks = []
    for image in images:
        logits = image @ WEIGHTS[:, :outputs]
        if outputs == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], -1)
        shares = softmax(logits / honest).cumsum(-1)
        mask = (rng.random((*image.shape[:2], 1)) > shares[..., :-1]).sum(-1).astype(np.uint8)
        masks.append(np.where(rng.random(mask.shape) < 0.1, IGNORED, mask))
    class_map = CELLS if outputs == 1 else STREET
    return Dataset(
        lambda i: (images[i], masks[i]), [str(i) for i in range(count)], class_map, "drawn"
    )


def temperature(model):
    return model.layers[-1].temperature


def calibration_error(model, ds):
    shares = predict(model, [image for image, _ in ds], output="probabilities")
    flat = np.concatenate([each.reshape(-1, each.shape[-1]) for each in shares])
    truth = np.concatenate([mask.ravel() for _, mask in ds])
    return expected_calibration_error(truth, flat, IGNORED).error


def crossentropy(ds, outputs, factor, sharpness):
    """In float64, pixel for pixel, from the formula."""
    total = 0.0
    for image, mask in ds:
        logits = factor * (image.astype(np.float64) @ WEIGHTS[:, :outputs].astype(np.float64))
        if outputs == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], -1)
        kept = mask != IGNORED
        scaled = sharpness * logits[kept]
        total += (logsumexp(scaled, -1) - scaled[np.arange(kept.sum()), mask[kept]]).sum()
    return total


def best_temperature(ds, outputs, factor=1.0):
    found = minimize_scalar(
        lambda sharpness: crossentropy(ds, outputs, factor, sharpness),
        bounds=(1e-3, 1e3), method="bounded", options={"xatol": 1e-9},
    )  # fmt: skip
    return 1 / found.x


MODEL = ending(factor=3.0)
TEMPERATURE = 3.0 * best_temperature(drawn(), 3)

ENDS = [
    (3, None, "conv"), (3, None, "logits"), (3, "softmax", "conv"), (3, "softmax", "logits"),
    (3, "softmax", "layer"), (3, "softmax", "softmax"), (1, None, "conv"), (1, "sigmoid", "conv"),
    (1, "sigmoid", "logits"), (1, "sigmoid", "layer"),
]  # fmt: skip


@pytest.mark.parametrize(("outputs", "activation", "kind"), ENDS)
def test_the_temperature_is_the_best_one_however_the_model_ends(outputs, activation, kind):
    ds = drawn(outputs)
    model = ending(outputs, activation, kind, factor=7.0)
    calibrated = calibrate(model, ds, batch_size=2)
    best = best_temperature(ds, outputs, 7.0)
    assert temperature(calibrated) == pytest.approx(best, rel=1e-3)
    assert best == pytest.approx(7.0, rel=0.1)  # the masks were drawn from a 7th of the logits
    assert Forward(calibrated).activation == activation
    assert calibration_error(calibrated, ds) < 0.2 * calibration_error(model, ds)
    for image, _ in ds:
        logits = 7.0 * (image @ WEIGHTS[:, :outputs]) / temperature(calibrated)
        shares = 1 / (1 + np.exp(-logits)) if outputs == 1 else softmax(logits)
        seen = predict(calibrated, image, output="probabilities")
        np.testing.assert_allclose(seen, shares, rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(predict(calibrated, image), predict(model, image))


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("factor", [0.05, 0.4, 1.0, 3.0, 40.0])
def test_a_known_factor_is_found_and_nothing_is_left_to_find(outputs, factor):
    """Logits of which masks were drawn, scaled."""
    ds = drawn(outputs)
    own = best_temperature(ds, outputs)  # 1, but for the luck of the draw
    assert own == pytest.approx(1, rel=0.05)
    once = calibrate(ending(outputs, factor=factor), ds)
    assert temperature(once) == pytest.approx(factor * own, rel=0.01)
    again = calibrate(once, ds)  # its own temperature is replaced, not piled up
    assert temperature(again) == pytest.approx(temperature(once), rel=1e-6)
    assert calibration_error(once, ds) < 0.02


@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.01, 0.3, 1.7, 9.0]))
def test_ids_never_change(seed, scale):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (1, 20, 20, 4)).astype(np.float32)
    scaled = np.asarray(semseg.layers.Logits(temperature=scale)(logits))
    np.testing.assert_array_equal(scaled.argmax(-1), logits.argmax(-1))
    np.testing.assert_allclose(scaled, logits / scale, rtol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_an_ignored_pixel_is_a_pixel_that_is_not_there(seed):
    ds = drawn()
    noise = np.random.default_rng(seed)

    def disturbed(i):
        image, mask = ds[i]
        rows = (mask == IGNORED)[..., None]
        return np.where(rows, noise.normal(0, 5, image.shape), image).astype("float32"), mask

    other = Dataset(disturbed, ds.ids, STREET)
    assert temperature(calibrate(MODEL, other)) == pytest.approx(TEMPERATURE, rel=1e-3)


@settings(max_examples=5)
@given(order=st.permutations(range(3)), batch_size=st.integers(1, 4))
def test_neither_order_nor_batch_size_matter(order, batch_size):
    shuffled = drawn().subset(order)
    found = temperature(calibrate(MODEL, shuffled, batch_size=batch_size))
    assert found == pytest.approx(TEMPERATURE, rel=1e-3)


def test_no_more_logits_are_held_than_those_of_a_few_pictures(monkeypatch):
    """Each picture is read twice, the next one only when those before are done with."""
    read, ds = [], drawn()

    def pair(i):
        read.append(i)
        return ds[i % 3]

    waiting = []
    from semseg.inference import calibration

    real = calibration._pixels

    def counted(*arguments):
        begun = len(read)
        for done, each in enumerate(real(*arguments)):
            waiting.append(len(read) - begun - done)
            yield each

    monkeypatch.setattr(calibration, "_pixels", counted)
    calibrate(MODEL, Dataset(pair, [str(i) for i in range(12)], STREET), batch_size=1)
    assert sorted(read) == sorted([*range(12)] * 2)
    assert max(waiting) <= 4  # what `predict` reads ahead


def test_the_pictures_are_seen_at_the_size_that_was_asked_for():
    ds = drawn()
    sized = temperature(calibrate(MODEL, ds, size=(20, 20)))
    images = [predict(MODEL, image, output="logits", size=(20, 20)) for image, _ in ds]

    def loss(sharpness):
        total = 0.0
        for logits, (_, mask) in zip(images, ds, strict=True):
            kept = mask != IGNORED
            scaled = sharpness * logits[kept].astype(np.float64)
            total += (logsumexp(scaled, -1) - scaled[np.arange(kept.sum()), mask[kept]]).sum()
        return total

    best = minimize_scalar(loss, bounds=(1e-3, 10), method="bounded", options={"xatol": 1e-9})
    assert sized == pytest.approx(1 / best.x, rel=1e-3)
    assert abs(sized - TEMPERATURE) > 0.1


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_a_network_of_ours_keeps_its_layers_and_classes_and_is_saved(activation, tmp_path):
    keras.utils.set_random_seed(1)
    model = semseg.models.UNet(class_map=STREET, depth=1, filters=4, activation=activation)
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (33, 42, 3)).astype(np.uint8) for _ in range(2)]
    masks = [predict(model, image) for image in images]
    masks = [np.where(rng.random(m.shape) < 0.3, (m + 1) % 3, m) for m in masks]
    ds = Dataset(lambda i: (images[i], masks[i]), ["0", "1"], STREET)
    calibrated = calibrate(model, ds)
    assert [layer.name for layer in calibrated.layers] == [layer.name for layer in model.layers]
    assert semseg.models.class_map(calibrated) == STREET
    assert calibrated.layers[3] is model.layers[3]
    calibrated.save(tmp_path / "model.keras")
    loaded = semseg.models.load(tmp_path / "model.keras")
    assert temperature(loaded) == temperature(calibrated) != 1
    expected = predict(calibrated, images[0], output="probabilities")
    found = predict(loaded, images[0], output="probabilities")
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert score(loaded, ds).to_dict() == score(model, ds).to_dict()
    tiled = predict_tiled(loaded, images[0], tile=24, output="probabilities", verbose=False)
    np.testing.assert_allclose(tiled, expected, atol=1e-5)


def test_a_record_of_tiles_tells_temperatures_apart():
    digests = {weights_digest(with_end(MODEL, None, t)) for t in (1.0, 2.0, 3.0)}
    assert len(digests) == 3
    assert weights_digest(MODEL) in digests  # as before there was a temperature


def test_the_end_of_a_nested_model_is_found():
    inner = ending(activation="softmax", factor=3.0)
    inputs = keras.Input((None, None, 3))
    for model in (keras.Model(inputs, inner(inputs)), keras.Sequential([inputs, inner])):
        calibrated = calibrate(model, drawn())
        assert temperature(calibrated) == pytest.approx(TEMPERATURE, rel=1e-3)
        assert Forward(calibrated).activation == "softmax"


def test_of_deep_supervision_the_finest_output_is_calibrated():
    keras.utils.set_random_seed(1)
    model = semseg.models.UNet(class_map=STREET, depth=2, filters=4, deep_supervision=True)
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    mask = predict(model, image).copy()
    mask[:4] = (mask[:4] + 1) % 3
    calibrated = calibrate(model, Dataset(lambda i: (image, mask), ["0"], STREET))
    wanted = predict(model, image, output="logits") / temperature(calibrated)
    np.testing.assert_allclose(predict(calibrated, image, output="logits"), wanted, rtol=1e-5)


def test_the_first_layer_may_be_half_precise():
    assert (
        semseg.layers.Logits(temperature=2.0)(np.ones((1, 1, 1, 2), "float16")).dtype == "float32"
    )


class Subclassed(keras.Model):
    input_shape, outputs = (None, None, None, 3), (keras.KerasTensor((None, None, None, 3)),)

    @property
    def layers(self):
        return [keras.layers.Conv2D(3, 1)]


def constant(*logits):
    model = ending()
    model.set_weights([np.zeros((1, 1, 3, 3))])
    output = keras.layers.Rescaling(1.0, list(logits))(model.output)
    return keras.Model(model.input, output)


def zeros(class_id=0):
    mask = np.full((4, 4), class_id, np.uint8)
    return Dataset(lambda i: (np.ones((4, 4, 3), "float32"), mask), ["0"], STREET, "zeros")


@pytest.mark.parametrize(
    ("model", "ds", "error", "message"),
    [
        (constant(1, 0, 0), zeros(), ValueError, r"pixels that the model gets wrong, .*'zeros'"),
        (constant(1, 0, 0), zeros(1), ValueError, r"know more than chance about 'zeros'"),
        (constant(0, 0, 0), zeros(), ValueError, r"know more than chance"),
        (constant(1, 0, 0), zeros(IGNORED), ValueError, r"or no pixel that counts"),
        (constant(np.nan, 0, 0), zeros(), ValueError, r"finite logits, received NaN .* 'zeros'"),
        (ending(1), zeros(), ValueError, r"must have 3 outputs for the classes of 'zeros'"),
        (Subclassed(), zeros(), TypeError, r"functional keras.Model, .* no graph whose end"),
    ],
)
def test_errors(model, ds, error, message):
    with pytest.raises(error, match=message):
        calibrate(model, ds)


def test_a_temperature_is_a_number_above_0():
    with pytest.raises(ValueError, match=r"temperature must be a finite number > 0, received 0"):
        semseg.layers.Logits(temperature=0)
    assert "temperature" not in semseg.layers.Logits().get_config()
    assert semseg.layers.Logits(temperature=2).get_config()["temperature"] == 2
