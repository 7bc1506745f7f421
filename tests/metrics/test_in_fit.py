"""Metrics inside a compiled model: logs, saving, mixed precision, and a loss of the same name."""

import keras
import numpy as np
import pytest

import semseg
from semseg.metrics import ClassIoU, MeanDice, MeanIoU, SegmentationScores

pytest.importorskip("tensorflow")

STREETS = semseg.ClassMap(["Road", "Car", "Sky", "Cat"], ignore_class=255)
MEANS = {"mean_iou", "pixel_accuracy", "mean_accuracy", "mean_dice", "frequency_weighted_iou"}


def pictures():
    """No cat is anywhere, in five pictures, so that the last batch of two is ragged."""
    rng = np.random.default_rng(0)
    masks = rng.choice([0, 1, 2, 255], (5, 8, 6)).astype(np.uint8)
    return rng.integers(0, 256, (5, 8, 6, 3), np.uint8), masks


def no_cats(shape, dtype=None):
    return keras.ops.convert_to_tensor([0, 0, 0, -99.0], dtype)


def compiled(jit_compile="auto"):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    logits = keras.layers.Conv2D(4, 3, padding="same", bias_initializer=no_cats)(x)
    model = keras.Model(inputs, keras.layers.Activation("linear", dtype="float32")(logits))
    metrics = [SegmentationScores(STREETS), ClassIoU("Car", class_map=STREETS, name="car")]
    loss = semseg.losses.Crossentropy(ignore_class=255)
    model.compile("sgd", loss, metrics=metrics, jit_compile=jit_compile)
    return model


def table_of(model):
    images, masks = pictures()
    pred = np.asarray(model(images)).argmax(-1)
    confusion = semseg.metrics.functional.confusion_matrix(masks, pred, 4, 255)
    return semseg.metrics.Scores(confusion, STREETS.names)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_fit_and_evaluate_log_every_score_under_its_own_name(jit_compile):
    model, (images, masks) = compiled(jit_compile=jit_compile), pictures()
    batch = {"x": images, "y": masks, "batch_size": 2, "verbose": 0}
    stop = keras.callbacks.EarlyStopping("val_iou/Road", mode="max", patience=9)
    fitted = model.fit(**batch, validation_data=(images, masks), callbacks=[stop])
    history = fitted.history
    logs = model.evaluate(**batch, return_dict=True)
    scores = MEANS | {f"iou/{name}" for name in STREETS.names}
    assert set(logs) == scores | {"loss", "car", "invalid_pixels"}
    assert set(history) == set(logs) | {f"val_{key}" for key in logs}
    table = table_of(model)
    for key in scores:
        assert logs[key] == pytest.approx(table[key], rel=1e-6, nan_ok=True), key
        assert history[f"val_{key}"][0] == pytest.approx(logs[key], nan_ok=True)
    assert logs["car"] == pytest.approx(table["iou/Car"], rel=1e-6)
    assert stop.best == history["val_iou/Road"][0]
    assert logs["invalid_pixels"] == 0
    assert np.isnan(logs["iou/Cat"])
    metric = next(m for m in model.metrics[1].metrics if m.name == "segmentation_scores")
    assert str(metric.scores()) == str(table)


def test_the_invalid_pixels_stand_in_the_logs():
    model, (images, masks) = compiled(), pictures()
    before = model.evaluate(images, masks, verbose=0, return_dict=True)
    masks[0, 0, :3] = 77
    logs = model.evaluate(images, masks, verbose=0, return_dict=True)
    assert logs["invalid_pixels"] == 3
    assert all(logs[key] < before[key] for key in MEANS)


def test_mixed_precision_counts_what_the_model_predicts():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = compiled()
    finally:
        keras.config.set_dtype_policy("float32")
    images, masks = pictures()
    logs = model.evaluate(images, masks, verbose=0, return_dict=True)
    # Of bfloat16 logits, which have ties; those of predict and evaluate are the same.
    assert logs["mean_iou"] == pytest.approx(table_of(model)["mean_iou"], abs=0.02)


@keras.saving.register_keras_serializable(package="semseg.losses", name="MeanIoU")
class LossOfOneName(semseg.losses.Crossentropy):
    """A loss whose class is called as a metric's."""


def test_a_model_compiled_with_a_loss_and_a_metric_of_one_name_comes_back(tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(4, 1)(inputs))
    metrics = [MeanIoU(4, 255), MeanDice(4, 255), SegmentationScores(STREETS), ClassIoU(1, 4, 255)]
    model.compile("sgd", LossOfOneName(ignore_class=255), metrics=metrics)
    images, masks = pictures()
    expected = model.evaluate(images, masks, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    again = semseg.models.load(tmp_path / "model.keras")
    assert type(again.loss) is LossOfOneName
    found = again.evaluate(images, masks, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, nan_ok=True)
    assert type(again.metrics[1].metrics[0]) is MeanIoU
    assert again.metrics[1].metrics[2].class_map == STREETS
