"""The parts of a sum of losses, shown in the logs."""

import keras
import numpy as np
import pytest

import semseg
from semseg.losses import Crossentropy, Dice, loss_parts

IGNORE = 255


@pytest.fixture
def ds():
    return semseg.data.digits("train", count=5, size=(32, 32))


def compiled(ds, loss):
    keras.utils.set_random_seed(0)
    model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=4)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=loss_parts(loss))
    return model


def test_the_loss_in_the_logs_is_the_weighted_sum_of_its_parts(ds):
    model = compiled(ds, 0.5 * Dice(IGNORE) + 2 * Crossentropy(IGNORE))
    feed = ds.batches(2, seed=1)  # the last batch has one picture
    logs = model.fit(feed, epochs=2, verbose=0).history | model.evaluate(
        feed, verbose=0, return_dict=True
    )
    for total, dice, crossentropy in zip(
        *(np.atleast_1d(logs[k]) for k in ("loss", "dice_loss", "crossentropy_loss")), strict=True
    ):
        assert total == pytest.approx(0.5 * dice + 2 * crossentropy, rel=1e-5)


def test_parts_come_back_with_the_model(ds, tmp_path):
    model = compiled(ds, Dice(IGNORE) + Crossentropy(IGNORE, class_weights=[1.0] * 11))
    before = model.evaluate(ds.batches(2), verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    again = semseg.models.load(tmp_path / "model.keras")
    assert again.evaluate(ds.batches(2), verbose=0, return_dict=True) == pytest.approx(before)


def test_two_parts_of_a_kind_have_two_names():
    names = [part.name for part in loss_parts(Dice() + Dice(pooling="image") + Crossentropy())]
    assert names == ["dice_loss", "dice_2_loss", "crossentropy_loss"]


def test_weights_of_pixels_reach_the_parts_as_weighted_metrics(ds):
    loss = Dice(IGNORE) + Crossentropy(IGNORE)
    model = compiled(ds, loss)
    model.compile("sgd", loss, weighted_metrics=loss_parts(loss))
    image, mask = (np.stack(part) for part in zip(*(ds[i] for i in range(2)), strict=True))
    weights = np.random.default_rng(0).random(mask.shape, np.float32)
    logs = model.evaluate(image, mask, sample_weight=weights, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["dice_loss"] + logs["crossentropy_loss"], rel=1e-5)


def test_names_that_are_taken_are_an_error():
    with pytest.raises(ValueError, match="give the losses a name="):
        loss_parts(Dice() + Dice(pooling="image") + Dice(name="dice_2"))


def test_a_single_loss_has_no_parts():
    with pytest.raises(TypeError, match="loss must be a sum of losses"):
        loss_parts(Dice())
