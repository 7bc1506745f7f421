"""EarlyAlarm: what it says of which training, once, and that a healthy one hears nothing."""

import math
import warnings

import keras
import numpy as np
import pytest
from streams_in_fit import CELLS, cells, pair_of

import semseg
from semseg.data import Dataset
from semseg.training import EarlyAlarm, resume


def model(optimizer, bias=0.0):
    """Two equal logits for every pixel, before it has learned; `bias` on those of class 1."""
    image = keras.Input((None, None, 3))
    start = lambda shape, dtype=None: np.array([0.0, bias], "float32")  # noqa: E731
    logits = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", bias_initializer=start)
    made = keras.Model(image, logits(keras.layers.Rescaling(1 / 255)(image)))
    made.compile(optimizer, semseg.losses.Crossentropy(255), run_eagerly=True)
    return made


def texts(alarm, made, epochs=2, steps=None, stream=None):
    """The warnings of a training, and the epochs it came to."""
    stream = cells().batches(3, seed=5) if stream is None else stream
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = made.fit(
            stream, epochs=epochs, steps_per_epoch=steps, callbacks=[alarm], verbose=0
        )
    return [str(w.message) for w in caught if "shuffle" not in str(w.message)], len(history.epoch)


def bright(index):
    """The brighter half is a cell: something to learn."""
    image, _ = pair_of(index)
    mask = (np.arange(8) > index % 5 + 1).astype(np.uint8) * np.ones((6, 1), np.uint8)
    return image // 2 + 120 * mask[..., None], mask


def test_a_healthy_training_hears_nothing():
    ds = cells(read=bright)
    alarm = EarlyAlarm(ds, ds.batch_source(3), patience=10)
    assert texts(alarm, model(keras.optimizers.Adam(0.5)), 8, stream=ds.batches(3))[0] == []


def test_a_loss_flat_at_ln_c_is_told_once_with_what_to_try():
    found, epochs = texts(EarlyAlarm(patience=4), model(keras.optimizers.SGD(0.0)), 5)
    assert len(found) == 1
    assert found[0].startswith(
        "the loss has lain flat at 0.693 for 4 steps; equal scores for all 2"
    )
    assert all(
        word in found[0] for word in ("ds.check()", "frozen", "softmax", "find_learning_rate")
    )
    assert epochs == 5


def test_a_loss_flat_where_it_began_is_told_too():
    stream = cells(6).batches(3, seed=5)  # each epoch has the same mean
    found, _ = texts(
        EarlyAlarm(patience=4), model(keras.optimizers.SGD(0.0), bias=3.0), 4, stream=stream
    )
    assert len(found) == 1 and "lain flat at 1." in found[0]


def test_flatness_further_down_is_no_alarm():
    alarm = EarlyAlarm(patience=4)
    alarm.set_model(model("sgd"))
    for loss in [0.7, 0.6, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]:
        alarm._look_for_flatness(loss)
    assert alarm._told == []


def test_the_first_alarm_may_end_the_training():
    found, epochs = texts(EarlyAlarm(patience=4, stop=True), model(keras.optimizers.SGD(0.0)), 9)
    assert (len(found), epochs) == (1, 2)  # epochs have three steps


def test_one_class_is_told_by_its_name():
    alarm = EarlyAlarm(cells(), patience=3, count=2)
    found, _ = texts(alarm, model(keras.optimizers.SGD(1e-6), bias=9.0), 3)
    (text,) = [t for t in found if "predicted" in t]
    assert (
        "after 3 steps every pixel of 2 samples is predicted as 'cell', though they have 2" in text
    )
    assert "class_weights=ds.class_weights()" in text


def test_one_class_where_there_is_one_or_before_patience_is_no_alarm():
    def empty(index):
        image, mask = pair_of(index)
        return image, np.where(mask == 1, 255, 0).astype(np.uint8)

    for alarm in (EarlyAlarm(cells(read=empty), patience=1), EarlyAlarm(cells(), patience=99)):
        found, _ = texts(alarm, model(keras.optimizers.SGD(1e-6), bias=9.0), 1)
        assert not any("predicted" in text for text in found)


class Spoiled(Dataset):
    """Cells as floats, of which one has a hole."""

    def __init__(self):
        def read(index):
            image, mask = pair_of(index)
            image = image.astype("float32")
            image[0, 0] = np.nan if index == 4 else 0
            return image, mask

        super().__init__(read, [f"cell {i}" for i in range(7)], CELLS, "spoiled")


@pytest.mark.parametrize("repeat", [False, True])
def test_the_batch_that_breaks_the_loss_is_named_and_looked_at(repeat):
    ds = Spoiled()
    source = ds.batch_source(3, seed=5)
    alarm = EarlyAlarm(source=source)
    stream = ds.batches(3, seed=5, repeat=repeat)
    found, _ = texts(alarm, model("sgd"), 3, 2 if repeat else None, stream)
    steps = [step for step in range(3) if not np.isfinite(source[step][0]).all()]
    place = int(np.isnan(source[steps[0]][0]).any((1, 2, 3)).argmax())
    assert len(found) == 1
    assert found[0].startswith(
        f"the loss is nan at step {steps[0]} (seed 5, epoch 0, source[{steps[0]}]). Its images "
        f"hold 3 values that are not finite, at sample {place} of the batch: mend the data"
    )


def test_weights_that_have_grown_are_told_from_a_bad_batch():
    source = cells().batch_source(3, seed=5)
    found, _ = texts(EarlyAlarm(source=source), model(keras.optimizers.SGD(1e38)))
    (text,) = [t for t in found if "the loss is" in t]
    assert "so the weights have grown too large in a step before. Try a lower" in text
    assert "clipnorm=1.0" in text


def test_without_a_source_the_step_is_told():
    found, _ = texts(EarlyAlarm(), model("sgd"), 3, stream=Spoiled().batches(3, seed=5))
    assert len(found) == 1 and "pass source=ds.batch_source(...)" in found[0]


def test_later_epochs_and_resumed_runs_count_from_the_beginning():
    alarm = EarlyAlarm(source=cells().batch_source(3, seed=5))
    alarm.set_model(model("sgd"))
    alarm.set_params({"steps": 2})
    alarm.on_epoch_begin(3)
    alarm.on_train_batch_end(0, {"loss": 0.5})
    with pytest.warns(UserWarning, match=r"the loss is nan at step 7 \(seed 5, epoch 2, source\[7"):
        alarm.on_train_batch_end(1, {"loss": math.nan})


def test_its_memory_is_what_resume_can_keep():
    alarm = EarlyAlarm(cells(), cells().batch_source(3))
    assert {"_told", "_steps", "_losses", "_began_at"} <= set(resume._memory(alarm))


@pytest.mark.parametrize("name", ["count", "patience"])
def test_counts_are_checked(name):
    with pytest.raises(ValueError, match=f"{name} must be an int >= 1, received 0"):
        EarlyAlarm(**{name: 0})
