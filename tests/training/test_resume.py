"""Resume inside one process: what lives on, and what a full disk or SIGTERM leaves."""

import os
import signal
import threading

import keras
import numpy as np
import pytest
from interrupted_runs import EPOCHS, STEPS, arrays, assert_same_run, fit, interrupted, small_model
from streams_in_fit import AUGMENT, cells

from semseg.training import Resume, resume, tree_file


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("whole"))


# -- the same bits -------------------------------------------------------------------------------


@pytest.mark.parametrize("kills", [[0], [5], [3, 1]], ids=str)
def test_an_interrupted_run_ends_as_one_that_was_not(kills, whole, tmp_path):
    for kill in kills:
        interrupted(tmp_path, kill)
    assert_same_run(fit(tmp_path), whole)


def test_finite_epochs_go_on_too(whole, tmp_path):
    interrupted(tmp_path, 3, repeat=False)
    assert_same_run(fit(tmp_path, repeat=False), whole)


def test_epochs_that_are_shorter_than_those_of_the_stream(tmp_path):
    interrupted(tmp_path / "killed", 3, epochs=5, steps=1)
    run = fit(tmp_path / "killed", epochs=5, steps=1)
    assert (run[2].initial_epoch, run[2].start_step) == (5, 5)
    assert_same_run(run, fit(tmp_path / "whole", epochs=5, steps=1))


def test_a_run_that_has_ended_ends_the_same_when_started_again(whole, tmp_path):
    fit(tmp_path)
    before = (tmp_path / "state.npz").stat().st_mtime_ns
    assert_same_run(fit(tmp_path), whole)
    assert (tmp_path / "state.npz").stat().st_mtime_ns == before


def test_more_epochs_later_are_those_of_a_longer_run(whole, tmp_path):
    fit(tmp_path, epochs=1)
    assert_same_run(fit(tmp_path), whole)


def test_one_resume_serves_one_fit_after_the_other(whole, tmp_path):
    model, _, kept = fit(tmp_path, epochs=1)
    batches = cells().batches(4, augment=AUGMENT, repeat=True, start_step=kept.start_step)
    history = model.fit(
        batches,
        epochs=EPOCHS,
        initial_epoch=kept.initial_epoch,
        steps_per_epoch=STEPS,
        callbacks=[kept],
        shuffle=False,
        verbose=0,
    )
    assert_same_run((model, history), whole)


@pytest.mark.slow
def test_loss_scaling_of_half_precision_lives_on(tmp_path):
    def make():
        keras.config.set_dtype_policy("mixed_float16")
        try:
            return small_model()
        finally:
            keras.config.set_dtype_policy("float32")

    interrupted(tmp_path / "killed", 3, make=make)
    assert_same_run(fit(tmp_path / "killed", make=make), fit(tmp_path / "whole", make=make))


def test_an_unseeded_run_goes_on_from_its_own_first_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.utils, "set_random_seed", lambda seed: None)
    before = []
    keep = lambda: before.append(small_model()) or before[-1]  # noqa: E731
    interrupted(tmp_path, 0, make=keep)
    first = arrays(before[0].variables)
    interrupted(tmp_path, 0, make=keep)
    for a, b in zip(arrays(before[1].variables), first, strict=True):
        np.testing.assert_array_equal(a, b)


# -- the memory of other callbacks ---------------------------------------------------------------


def compared(tmp_path, make_callback, kill=STEPS * 2 + 1, **options):
    """The callbacks of a run that was interrupted and of one that was not; the runs are equal."""
    interrupted(tmp_path / "killed", kill, callbacks=[make_callback("killed")], **options)
    killed, calm = make_callback("killed"), make_callback("whole")
    run = fit(tmp_path / "killed", callbacks=[killed], **options)
    assert_same_run(run, fit(tmp_path / "whole", callbacks=[calm], **options))
    memory = resume._memory(killed)
    assert str(memory) == str(resume._memory(calm)) and memory
    return killed


def test_early_stopping_remembers_the_best_weights_and_stays_stopped(tmp_path):
    """It is interrupted in the third epoch, after which it has waited for two."""

    def stopping(name):
        return keras.callbacks.EarlyStopping(
            "loss", min_delta=999.0, patience=2, restore_best_weights=True
        )

    callback = compared(tmp_path, stopping, epochs=5)
    assert (callback.stopped_epoch, callback.best_epoch, callback.wait) == (2, 0, 2)
    again = stopping("again")
    run = fit(tmp_path / "killed", 5, callbacks=[again])
    assert run[1].epoch == [0, 1, 2]
    assert_same_run(run, fit(tmp_path / "whole", 5, callbacks=[stopping("")]))
    for a, b in zip(again.best_weights, callback.best_weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_plateau_is_still_one(tmp_path):
    def make():
        return small_model(optimizer=keras.optimizers.SGD(0.5))

    def plateau(name):
        return keras.callbacks.ReduceLROnPlateau("loss", patience=2, min_delta=999.0)

    callback = compared(tmp_path, plateau, epochs=4, make=make)
    assert float(callback.model.optimizer.learning_rate) == pytest.approx(0.05)


def test_the_best_checkpoint_is_not_replaced_by_a_worse_one(tmp_path):
    def checkpoint(name):
        return keras.callbacks.ModelCheckpoint(
            tmp_path / f"{name}.weights.h5",
            "loss",
            save_best_only=True,
            save_weights_only=True,
        )

    compared(tmp_path, checkpoint)
    files = [(tmp_path / f"{name}.weights.h5").stat().st_size for name in ("killed", "whole")]
    assert files[0] == files[1]


@pytest.mark.slow
def test_swapped_averages_are_swapped_back(tmp_path):
    compared(tmp_path, lambda name: keras.callbacks.SwapEMAWeights(swap_on_epoch=True))


def test_what_a_callback_can_not_write_down_is_left_out():
    class Odd(keras.callbacks.EarlyStopping):
        def __init__(self, **options):
            super().__init__(**options)
            self.notes, self.lock, self.seen = {"a": (1, 2.5)}, threading.Lock(), {3}

    memory = resume._memory(Odd(monitor="loss", patience=7))
    assert memory["notes"] == {"a": (1, 2.5)}
    assert not {"lock", "seen", "monitor_op", "patience", "min_delta", "monitor"} & set(memory)


# -- disks ---------------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_last_epoch(whole, tmp_path, monkeypatch):
    writes, save = [], tree_file._save

    def full(file, *parts):
        writes.append(file)
        if len(writes) == 3:  # the start, the first epoch, and now the second
            file.write(b"half")
            raise OSError(28, "No space left on device")
        save(file, *parts)

    with monkeypatch.context() as patched:
        patched.setattr(tree_file, "_save", full)
        message = r"state.npz could not be written .*No space left.*; the last one stands. Free"
        with pytest.raises(OSError, match=message):
            fit(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]
    assert Resume(tmp_path).initial_epoch == 1
    assert_same_run(fit(tmp_path), whole)


def test_no_room_for_a_state_shows_before_the_first_step(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tree_file.os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left.*; there was none before"):
        fit(tmp_path, kill=0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"^folder must be a folder that can be written, .*below"):
        Resume(tmp_path / "file" / "below")


# -- SIGTERM -------------------------------------------------------------------------------------


class Terminate(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == STEPS + 1:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def free_sigterm():
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("handlers of signals need the main thread")
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("free_sigterm")
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGTERM")
def test_sigterm_leaves_with_143_and_the_last_whole_epoch(whole, tmp_path):
    with pytest.raises(SystemExit) as leaving:
        fit(tmp_path, others=[Terminate()])
    assert leaving.value.code == 143
    assert Resume(tmp_path).initial_epoch == 1
    assert_same_run(fit(tmp_path), whole)


@pytest.mark.usefixtures("free_sigterm")
def test_the_handler_of_sigterm_goes_with_the_run(tmp_path):
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: seen.append(signal.getsignal(signal.SIGTERM))
    )
    fit(tmp_path, epochs=1, others=[look])
    assert seen == [resume._leave]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("free_sigterm")
def test_a_handler_of_someone_else_stays(tmp_path):
    mine = lambda *_: None  # noqa: E731
    signal.signal(signal.SIGTERM, mine)
    look = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: seen.append(signal.getsignal(signal.SIGTERM))
    )
    seen = []
    fit(tmp_path, epochs=1, others=[look])
    assert [*seen, signal.getsignal(signal.SIGTERM)] == [mine, mine]
