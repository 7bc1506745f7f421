"""Healthy set-ups give no alarm: every architecture, and whatever else may look unusual."""

import keras
import numpy as np
import pytest
from architectures import MODELS, pictures
from broken_setups import (
    CLASSES,
    IGNORED,
    IMAGES,
    MASKS,
    Setup,
    compiled,
    data,
    good_loss,
    small,
    unet,
)

from semseg.classes import ClassMap
from semseg.data import camvid, digits, from_arrays, nuclei
from semseg.losses import Crossentropy, Dice, deep_supervision
from semseg.metrics import MeanIoU
from semseg.preflight import check, checkup
from semseg.preflight.rules import first_step, learning
from semseg.training import compiled_model, recipe
from semseg.training.measured_recipes import RECIPES


def alarms(setup):
    report = check(setup.model, setup.ds, seconds=600, **setup.arguments)
    return [str(f) for f in report.findings if f.level != "hint"]


@pytest.fixture
def quick(monkeypatch):
    """Without training, which takes longer than all else together."""
    others = [each for each in checkup._CHECKS if each.run is not learning.learning]
    monkeypatch.setattr(checkup, "_CHECKS", others)


def of_architecture(name):
    """A fresh model on pictures whose quarters are the classes in turn."""
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    outputs = model.output.shape[-1]
    # One cell of stride 32 can't learn what lies in its four corners.
    size = (64, 64) if "32s" in name else (32, 32)
    classes = ClassMap([str(i) for i in range(max(2, outputs))], ignore_class=IGNORED)
    images = pictures(model, size, batch=4)
    rows, columns = np.indices(size)
    masks = np.arange(4)[:, None, None] + rows * 4 // size[0] + columns * 2 // size[1]
    masks = (masks % classes.num_classes).astype(np.uint8)
    images = images // 4 + (masks * (190 // classes.num_classes))[..., None].astype(np.uint8)
    masks[:, :2] = IGNORED
    is_share = model.layers[-1].activation is not None
    threshold = 0.5 if is_share and outputs == 1 else 0.0
    metric = MeanIoU(outputs, ignore_class=IGNORED, threshold=threshold)
    model = compiled(model, good_loss(from_logits=not is_share), [metric])
    return Setup(model, from_arrays(images, masks, classes))


@pytest.mark.parametrize("name", ["unet binary with classes", "fcn8s", "segnet_basic"])
def test_an_architecture_gives_no_alarm(name, quick):
    assert alarms(of_architecture(name)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_no_architecture_gives_an_alarm_when_it_is_trained(name):
    assert alarms(of_architecture(name)) == []


def test_of_a_model_that_fits_the_batch_no_rate_is_judged(monkeypatch):
    monkeypatch.setattr(first_step, "_LEARNT", 9.0)
    report = check(compiled(rate=1e-6), data(), seconds=600)
    assert report.worst == "nothing", str(report)
    assert "the learning rate: the model fits this batch already" in report.skipped


@pytest.mark.slow
def test_a_model_that_is_trained_already_need_not_learn_any_more():
    model = compiled(rate=0.02, metrics=[])
    model.fit(IMAGES, MASKS, epochs=60, batch_size=8, verbose=0)
    model.optimizer.learning_rate = 1e-6
    report = check(model, data(), seconds=600)
    assert report.worst == "nothing", str(report)
    assert "the learning rate: the model fits this batch already" in report.skipped


def test_deep_supervision_gives_no_alarm(quick):
    model = unet(depth=2, deep_supervision=True)
    model.compile("adam", **deep_supervision(Dice(ignore_class=IGNORED) + good_loss(), [1, 0]))
    assert alarms(Setup(model, data())) == []


def test_a_sum_of_losses_and_keras_own_give_no_alarm(quick):
    keras_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)
    keras_iou = keras.metrics.MeanIoU(CLASSES, ignore_class=IGNORED, sparse_y_pred=False)
    for loss in (Dice(ignore_class=IGNORED) + good_loss(), keras_loss):
        assert alarms(Setup(compiled(loss=loss, metrics=[keras_iou]), data())) == []


def test_whole_masks_need_no_ignore_class(quick):
    whole = ClassMap(data().class_map.names)
    masks = np.where(MASKS == IGNORED, 0, MASKS)
    model = compiled(None, Crossentropy(), ["accuracy"])
    assert alarms(Setup(model, data(masks=masks, class_map=whole))) == []


def test_images_scaled_by_hand_or_by_their_statistics_give_no_alarm(quick):
    inputs = keras.Input((None, None, 3))
    normalised = data().channel_statistics().normalization()(inputs)
    model = compiled(keras.Model(inputs, small(scaling=False)(normalised)))
    assert alarms(Setup(model, data())) == []
    by_hand = compiled(small(scaling=False))
    assert alarms(Setup(by_hand, data(IMAGES / np.float32(127.5) - 1))) == []


def test_a_subclassed_model_gives_no_alarm(quick):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = small()

        def call(self, x, training=None):
            return self.inner(x, training=training)

    assert alarms(Setup(compiled(Own()), data())) == []


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", RECIPES)
def test_a_measured_recipe_gives_no_alarm(name, quick, data_root):
    sets = {
        "digits": lambda: digits("train", count=40),
        "camvid": lambda: camvid(data_root / "camvid"),
        "nuclei": lambda: nuclei(data_root / "nuclei"),
    }
    ds, how = sets[name.split("/")[0]](), recipe(name)
    report = check(compiled_model(ds, how), ds, seconds=600, size=how.size or how.crop)
    assert report.worst in ("nothing", "hint"), str(report)
