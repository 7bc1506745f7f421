"""average: the mean of the members' probabilities, as a model like any other."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import semseg
from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.inference import average, calibrate, predict, predict_tiled, score
from semseg.inference.temperature import with_end

STREET = ClassMap(["road", "car", "sky"], ignore_class=255)
RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (33, 42, 3)).astype(np.uint8)


def member(seed, outputs=3, activation=None, channels=3, class_map=None, size=(None, None)):
    """A network with a window, so that tiles matter."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((*size, channels))
    x = keras.layers.Conv2D(4, 3, padding="same")(keras.layers.Rescaling(1 / 64, -2)(inputs))
    x = keras.layers.Conv2D(outputs, 1, name="scores")(keras.layers.ReLU()(x))
    x = semseg.layers.Logits(class_map, activation, name=activation or "logits")(x)
    return keras.Model(inputs, x, name="member")


def shares(model, image=IMAGE):
    return predict(model, image, output="probabilities")


@pytest.mark.parametrize(
    ("outputs", "ends"),
    [
        (3, (None, None)),
        (3, ("softmax", None, "softmax")),
        (1, (None, "sigmoid")),
        (2, (None,) * 3),
    ],
)
def test_it_gives_the_mean_of_the_probabilities(outputs, ends):
    members = [member(i, outputs, end) for i, end in enumerate(ends)]
    both = average(members)
    mean = np.mean([shares(each).astype(float) for each in members], axis=0)
    np.testing.assert_allclose(shares(both), mean, atol=2e-6)
    odds = np.log(mean) - np.log1p(-mean) if outputs == 1 else np.log(mean)
    np.testing.assert_allclose(predict(both, IMAGE, output="logits"), odds, atol=1e-4)
    ids = mean[..., 0] > 0.5 if outputs == 1 else mean.argmax(-1)
    np.testing.assert_array_equal(predict(both, IMAGE), ids)
    assert (shares(members[0]) != shares(members[1])).any()


def test_a_model_with_itself_is_itself():
    one = member(0)
    np.testing.assert_allclose(shares(average([one, one])), shares(one), atol=1e-6)


def test_neither_order_nor_grouping_matters():
    a, b, c, d = (member(i) for i in range(4))
    whole = shares(average([a, b, c, d]))
    np.testing.assert_allclose(shares(average([d, b, a, c])), whole, atol=2e-6)
    pairs = average([average([a, b]), average([c, d])])
    np.testing.assert_allclose(shares(pairs), whole, atol=2e-6)


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_what_is_nearly_certain_stays_finite(activation):
    inputs = keras.Input((None, None, 3))
    sure = [
        keras.Model(inputs, semseg.layers.Logits(None, activation)(inputs[..., :1] * factor))
        for factor in (1.0, -2.0)
    ]
    logits = predict(average(sure), IMAGE * np.float32(10), output="logits")
    # One says 1, one says 0: their mean knows nothing.
    np.testing.assert_allclose(logits[IMAGE[..., 0] > 10], 0, atol=1e-5)
    agreed = predict(average([sure[0], sure[0]]), IMAGE * np.float32(10), output="logits")
    assert np.isfinite(agreed).all() and agreed[IMAGE[..., 0] > 10].min() > 80


def test_it_is_scored_tiled_calibrated_and_saved_as_any_other(tmp_path):
    members = [member(i, class_map=STREET) for i in range(2)]
    both = average(members)
    mask = predict(both, IMAGE).copy()
    mask[RNG.random(mask.shape) < 0.3] = 1
    ds = Dataset(lambda i: (IMAGE, mask), ["0"], STREET)
    assert 0.5 < score(both, ds)["pixel_accuracy"] < 1
    assert semseg.models.class_map(both) == STREET
    tiled = predict_tiled(both, IMAGE, tile=20, output="probabilities", verbose=False)
    np.testing.assert_allclose(tiled, shares(both), atol=1e-5)
    calibrated = calibrate(both, ds)
    np.testing.assert_array_equal(predict(calibrated, IMAGE), predict(both, IMAGE))
    calibrated.save(tmp_path / "model.keras")
    loaded = semseg.models.load(tmp_path / "model.keras")
    np.testing.assert_allclose(shares(loaded), shares(calibrated), atol=1e-6)


@pytest.mark.slow
def test_it_is_loaded_in_a_process_that_has_seen_nothing(tmp_path):
    both = average([with_end(member(0), None, 3.0), member(1, activation="softmax")])
    both.save(tmp_path / "model.keras")
    np.save(tmp_path / "image.npy", IMAGE)
    code = (
        "import numpy as np, semseg; model = semseg.models.load('model.keras'); "
        "found = semseg.inference.predict(model, np.load('image.npy'), output='probabilities'); "
        "np.save('found.npy', found)"
    )
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment)
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), shares(both), atol=1e-5)


def test_members_may_be_calibrated_before_supervised_deeply_and_of_any_architecture():
    keras.utils.set_random_seed(0)
    deep = semseg.models.UNet(num_classes=3, depth=2, filters=4, deep_supervision=True)
    mild = with_end(member(1), None, 5.0)
    mean = (shares(deep) + shares(mild)) / 2
    np.testing.assert_allclose(shares(average([deep, mild])), mean, atol=2e-6)


def test_values_beyond_255_are_refused_as_by_a_member_that_rescales():
    unet = semseg.models.UNet(num_classes=3, depth=1, filters=4)
    with pytest.raises(ValueError, match=r"images\[0\] must lie in \[0, 255\]"):
        predict(average([unet, unet]), IMAGE.astype("uint16") * 257)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (lambda: [], "models must be two or more to be averaged, received 0"),
        (lambda: [member(0)], "models must be two or more to be averaged, received 1"),
        (lambda: [member(0), member(0, 2)], r"same number of outputs, received 3 of models\[0\]"),
        (
            lambda: [member(0), member(0), member(0, channels=1)],
            r"take the same pictures .* received \(None, None, 3\) .* 1\) of models\[2\]",
        ),
        (lambda: [member(0), member(0, size=(8, 8))], r"same pictures .* and \(8, 8, 3\)"),
        (
            lambda: [
                member(0, class_map=STREET),
                member(0, class_map=ClassMap(["sky", "road", "car"])),
            ],
            r"have the same classes, received \('road', 'car', 'sky'\) of models\[0\] \('member'\)",
        ),
    ],
)
def test_members_that_do_not_go_together_are_refused(models, message):
    with pytest.raises(ValueError, match=message):
        average(models())
