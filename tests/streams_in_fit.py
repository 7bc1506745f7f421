"""What a model sees of `Dataset.batches` in `fit`, on the backend of KERAS_BACKEND.

    KERAS_BACKEND=jax python tests/streams_in_fit.py

prints JSON: for each scenario the batches, each as a hash of images, masks and weights.
"""

import hashlib
import json
import os
import sys

import numpy as np

from semseg.classes import ClassMap
from semseg.data import Dataset
from semseg.data.transforms import Brightness, Flip, RandomCrop

COUNT, BATCH = 7, 3
CELLS = ClassMap(["background", "cell"], ignore_class=255)
AUGMENT = [RandomCrop((6, 6), mask_fill=255), Flip(), Brightness()]


def pair_of(index):
    rng = np.random.default_rng(index)
    image = rng.integers(0, 200, (6, 8, 3), dtype=np.uint8)
    return image, rng.integers(0, 2, (6, 8), dtype=np.uint8)


def cells(count=COUNT, read=pair_of):
    return Dataset(read, [f"cell {i}" for i in range(count)], CELLS, "cells")


def hashed(batch):
    digest = hashlib.sha256()
    for part in batch:
        part = np.ascontiguousarray(part)
        digest.update(f"{part.dtype}{part.shape}".encode() + part.tobytes())
    return digest.hexdigest()[:12]


def recorder():
    """A model that only notes the batches it is given to train and to evaluate on."""
    import keras

    class Recorder(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)
            self.forget()

        def forget(self):
            self.trained, self.evaluated = [], []

        def call(self, x):
            return self.dense(keras.ops.cast(x, "float32"))

        def train_step(self, *given):
            return self._note(self.trained, *given)

        def test_step(self, *given):
            return self._note(self.evaluated, *given)

        def get_metrics_result(self):
            return {}  # nothing was measured

        def _note(self, seen, *given):
            seen.append(hashed([np.asarray(part) for part in given[-1]]))
            logs = {"loss": 0.0}
            return logs if len(given) == 1 else (logs, given[0])  # JAX hands its state through

    model = Recorder()
    compile_again(model)
    return model


def compile_again(model):
    """Makes Keras build loss and metrics anew, from a batch that it looks at."""
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile("sgd", loss, metrics=["accuracy"], run_eagerly=True, jit_compile=False)


def scenarios():
    """Name -> (batches trained on, batches evaluated on)."""
    seen = {}

    def note(name, model):
        seen[name] = (list(model.trained), list(model.evaluated))
        model.forget()

    model = recorder()
    batches = cells().batches(BATCH, augment=AUGMENT)
    val = cells(5).batches(BATCH, shuffle=False)
    model.fit(batches, epochs=3, validation_data=val, verbose=0)
    note("three epochs, with validation", model)
    model.fit(batches, epochs=2, verbose=0)
    note("two more", model)
    compile_again(model)
    model.fit(batches, epochs=1, verbose=0)
    note("one more after compile", model)
    other = recorder()
    other.fit(batches, epochs=1, verbose=0)
    note("one more with another model", other)

    short = cells(3).batches(BATCH, augment=AUGMENT)
    model = recorder()
    model.fit(short, epochs=3, verbose=0)
    note("epochs of one step", model)

    model = recorder()
    batches = cells().batches(BATCH, augment=AUGMENT, repeat=True, start_step=2)
    model.fit(batches, steps_per_epoch=4, epochs=2, verbose=0)
    note("endless", model)

    model = recorder()
    batches = cells(9).batches(BATCH, augment=AUGMENT, sample_weight=[1.0, 3.0])
    model.fit(batches, steps_per_epoch=1, epochs=5, verbose=0)
    note("fewer steps an epoch, weighted", model)
    return seen


if __name__ == "__main__":
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        sys.modules["tensorflow"] = None  # as where it is not installed
    print(json.dumps(scenarios()))  # noqa: T201
