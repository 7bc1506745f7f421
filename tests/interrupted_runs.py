"""Small runs with Resume in one process, ended by an exception and gone on with."""

import keras
import numpy as np
import pytest
from streams_in_fit import AUGMENT, CELLS, cells

import semseg
from semseg.training import Resume

STEPS, EPOCHS = 2, 3  # cells() has epochs of 2 batches of 4


class Interrupted(Exception):
    pass


class Interrupt(keras.callbacks.Callback):
    """Ends `fit` as abruptly as an exception can."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    def on_train_batch_begin(self, batch, logs=None):
        if not self.left:
            raise Interrupted
        self.left -= 1


def small_model(
    rate=0.5, filters=2, activation="relu", classes=CELLS, optimizer=None, weights=None
):
    """Steps one by one, uncompiled: 40 ms each. Others are in the processes that are killed."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(filters, 1, activation=activation)(image)
    x = keras.layers.Dropout(rate)(x)
    x = keras.layers.Conv2D(2, 1, use_bias=False)(x)
    model = keras.Model(image, semseg.layers.Logits(classes)(x))
    if optimizer is None:
        schedule = keras.optimizers.schedules.CosineDecay(1e-2, EPOCHS * STEPS)
        optimizer = keras.optimizers.SGD(schedule, 0.9, use_ema=True, ema_momentum=0.8)
    loss = semseg.losses.Crossentropy(255, class_weights=weights)
    model.compile(optimizer, loss, run_eagerly=True)
    return model


def fit(
    folder,
    epochs=EPOCHS,
    *,
    kill=None,
    callbacks=(),
    others=(),
    steps=STEPS,
    repeat=True,
    fingerprint=None,
    order=None,
    initial_epoch=None,
    make=small_model,
    **changed,
):
    """A run, or the rest of one: its model, History and Resume."""
    keras.utils.set_random_seed(0)
    model = make(**changed)
    kept = Resume(folder, callbacks=callbacks, fingerprint=fingerprint)
    batches = cells().batches(4, augment=AUGMENT, repeat=repeat, start_step=kept.start_step)
    interrupt = [] if kill is None else [Interrupt(kill)]
    history = model.fit(
        batches,
        epochs=epochs,
        initial_epoch=kept.initial_epoch if initial_epoch is None else initial_epoch,
        steps_per_epoch=steps if repeat else None,
        callbacks=[*others, *callbacks, *interrupt, kept] if order is None else order(kept),
        shuffle=False,
        verbose=0,
    )
    return model, history, kept


def interrupted(folder, kill, **options):
    with pytest.raises(Interrupted):
        fit(folder, kill=kill, **options)


def arrays(variables):
    return [keras.ops.convert_to_numpy(v) for v in variables]


def assert_same_run(one, other):
    for mine, theirs in zip(one[:2], other[:2], strict=True):
        if isinstance(mine, keras.Model):
            assert len(mine.variables) > 3  # seeds as well
            for a, b in zip(
                arrays([*mine.variables, *mine.optimizer.variables]),
                arrays([*theirs.variables, *theirs.optimizer.variables]),
                strict=True,
            ):
                np.testing.assert_array_equal(a, b, strict=True)
        else:
            assert mine.epoch == theirs.epoch
            assert mine.history == theirs.history
