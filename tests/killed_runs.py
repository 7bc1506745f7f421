"""Trainings that are killed and started again, on the backend of KERAS_BACKEND.

    KERAS_BACKEND=jax python tests/killed_runs.py FOLDER '[["batch", 5], ["half", 2]]'

Trains once without interruption and once with these kills (SIGKILL, or SIGTERM for "term"), each in
a child process, and prints JSON: the exit statuses, and what either run ended with, as hashes.

A kill is a moment and a number: the n-th "batch" of the process begins, the n-th file is "half"
written, not yet "synced", or written and not yet "renamed"; or "time", a part of the time that an
uninterrupted run takes: a run that ends before is compared too, and the next one begins anew.
Children are forked, so that the libraries are loaded once. KILLED_MODEL=unet trains a U-Net.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

STEPS, EPOCHS = 3, 3  # the stream's own epochs have 4 steps


def model_of(ds):
    import keras

    import semseg

    if os.environ.get("KILLED_MODEL") == "unet":
        model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=2, dropout=0.5)
    else:
        image = keras.Input((None, None, 3))
        x = semseg.layers.PixelRescaling()(image)
        x = keras.layers.Conv2D(4, 4, strides=4)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Dropout(0.5)(x)
        x = keras.layers.UpSampling2D(4)(x)
        model = keras.Model(image, keras.layers.Conv2D(ds.class_map.num_classes, 1)(x))
    schedule = keras.optimizers.schedules.CosineDecay(1e-2, STEPS * EPOCHS)
    model.compile(
        keras.optimizers.AdamW(schedule, use_ema=True, ema_momentum=0.8),
        semseg.losses.Crossentropy(ds.class_map.ignore_class),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


def train(folder):
    """A run, or the rest of it; returns what it ends with, as hashes."""
    import keras

    import semseg
    from semseg.data.transforms import Brightness, Flip

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    ds = semseg.data.digits("train", count=8, size=(32, 32))
    model = model_of(ds)
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    resume = semseg.training.Resume(
        folder, callbacks=[stopping], fingerprint={"data": semseg.training.fingerprint(ds)}
    )
    make = ds.pipeline if keras.backend.backend() == "tensorflow" else ds.batches
    batches = make(2, augment=[Flip(), Brightness()], repeat=True, start_step=resume.start_step)
    history = model.fit(
        batches,
        validation_data=tuple(ds.batch_source(8, shuffle=False)[0]),
        steps_per_epoch=STEPS,
        initial_epoch=resume.initial_epoch,
        epochs=EPOCHS,
        callbacks=[stopping, resume],
        shuffle=False,  # the stream shuffles
        verbose=0,
    )
    return {
        "weights": hashed(model.variables),  # seeds too
        "optimizer": hashed(model.optimizer.variables),
        "best weights": hashed(stopping.best_weights),
        "stopping": [stopping.wait, stopping.best, stopping.best_epoch, stopping.stopped_epoch],
        "epochs": history.epoch,
        "history": history.history,
    }


def hashed(arrays):
    import keras

    digest = hashlib.sha256()
    for array in map(keras.ops.convert_to_numpy, arrays):
        digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:16]


def arm(moment, number):
    """Makes this process kill itself at the moment."""
    from semseg.training import Resume, tree_file

    def dies_at(function, before=lambda *args: None, sent=signal.SIGKILL):
        calls = [0]

        def counting(*args, **kwargs):
            calls[0] += 1
            if calls[0] == number:
                before(*args)
                os.kill(os.getpid(), sent)
            return function(*args, **kwargs)

        return counting

    if moment == "half":
        half = dies_at(tree_file._save, lambda file, *_: (file.write(b"PK" * 999), file.flush()))
        tree_file._save = half
    elif moment == "synced":
        tree_file.os.fsync = dies_at(os.fsync)
    elif moment == "renamed":
        tree_file.os.replace = dies_at(os.replace)
    elif moment != "time":
        sent = signal.SIGTERM if moment == "term" else signal.SIGKILL
        Resume.on_train_batch_begin = dies_at(Resume.on_train_batch_begin, sent=sent)


def child(folder, kill=None, seconds=0.0):
    """Trains in a process of its own: its exit status, and what it ended with or None."""
    end = Path(f"{folder}.json")
    process = os.fork()
    if not process:
        status = 1
        try:
            if kill:
                arm(*kill)
            end.write_text(json.dumps(train(folder)))
            status = 0
        except SystemExit as leaving:
            status = leaving.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    if kill and kill[0] == "time":
        time.sleep(kill[1] * seconds)
        os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return status, json.loads(end.read_text()) if end.is_file() else None


def main():
    folder, kills = Path(sys.argv[1]), json.loads(sys.argv[2])
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        sys.modules["tensorflow"] = None  # as where it is not installed
    os.environ.update(  # what JAX has compiled once, the other children find
        JAX_COMPILATION_CACHE_DIR=str(folder / "cache"),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
        JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
    )
    import semseg.data
    import semseg.models
    import semseg.training  # noqa: F401

    whole = child(folder / "whole")[1]
    start = time.monotonic()
    if any(moment == "time" for moment, _ in kills):
        child(folder / "timed")  # the first one has compiled for all
    seconds = time.monotonic() - start
    statuses, ends = [], []
    for kill in [*kills, None]:
        status, end = child(folder / "killed", kill, seconds)
        statuses.append(status)
        if end:
            ends.append(end)
            shutil.rmtree(folder / "killed")
            os.remove(folder / "killed.json")
    print(json.dumps({"statuses": statuses, "whole": whole, "ends": ends}))  # noqa: T201


if __name__ == "__main__":
    main()
