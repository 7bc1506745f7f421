"""A run that is killed and started again ends with the bits of one that was not."""

import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from semseg._backend import random_state, set_random_state
from semseg._writing import writable_folder
from semseg.training.identity import check_same, constructor_arguments, identity
from semseg.training.run_record import as_json
from semseg.training.tree_file import is_plain, read_tree, write_tree

# Attributes that Keras sets anew: `monitor_op` comes with a turn of `min_delta`'s sign.
_OF_KERAS = {"_model", "model", "params", "validation_data", "monitor_op"}


class Resume(keras.callbacks.Callback):
    """Keeps the state of a training at the end of each epoch, and goes on from there, bit for bit.

    However the process ends, start the same program again: the epoch it was in is done once more
    with the same batches and the same dropout, and weights, optimizer (its averages and its place
    in a schedule too), seeds and History end as those of a run that nothing interrupted. An epoch
    may be short: `steps_per_epoch` of an endless stream.

    Three things are yours. Seed the run (`keras.utils.set_random_seed`) and make TensorFlow repeat
    itself (`tf.config.experimental.enable_op_determinism()`). Start the stream at
    `resume.start_step` and `fit` at `resume.initial_epoch`: a callback can do neither. And list
    `resume` last, behind the `callbacks` that it remembers.

    A run goes on only as itself. Model, optimizer, loss, metrics, steps of an epoch, arguments of
    the remembered callbacks, backend, determinism, compilation, threads, devices, versions and
    `fingerprint` are kept with the state; whatever differs is an error that names it. The number
    of epochs may grow.

    SIGTERM (Slurm, Kubernetes) ends the process at once with exit status 143 and lets Python clean
    up; the state of the last whole epoch stands. A handler of your own is left alone.

    The state lies in one file, `state.npz`, which is replaced as a whole: no kill and no full disk
    leaves half of one. It holds nothing of metrics, which Keras sets back in every epoch, nothing
    of random numbers drawn outside `keras.random.SeedGenerator` (PyTorch's own generators are
    kept), and no open files: `CSVLogger(append=True)` may repeat the row of an epoch.

    Args:
        folder: where `state.npz` lies, made where it is missing; one folder a run and process.
        callbacks: those whose memory lives on, such as `EarlyStopping`, `ReduceLROnPlateau`,
            `ModelCheckpoint` and `SwapEMAWeights`. Of their attributes those that are numbers,
            texts, arrays, and lists, tuples or dicts of them are kept; not the arguments they
            were made with.
        fingerprint: what else decides the result and JSON can hold: seeds, augmentation, and
            `fingerprint(ds)` of the data.

    Raises:
        OSError: the folder can't be written; or the disk is full at the end of an epoch, and the
            state of the last one stands.
        TypeError: a fingerprint that JSON can't hold.
        ValueError: `folder` holds the state of another run (what differs), or a damaged file; at
            the start of `fit`: the wrong first epoch, or callbacks that stand behind this one.

    Example:
        >>> import tempfile
        >>> import semseg
        >>> folder, ds = tempfile.mkdtemp(), semseg.data.digits("train", count=4, size=(32, 32))
        >>> def train(epochs):
        ...     model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(11, 1)])
        ...     model.compile("adam", semseg.losses.Crossentropy(ds.class_map.ignore_class))
        ...     stopping = keras.callbacks.EarlyStopping("loss", patience=5)
        ...     data = semseg.training.fingerprint(ds)
        ...     resume = Resume(folder, callbacks=[stopping], fingerprint={"data": data, "seed": 0})
        ...     batches = ds.batches(2, seed=0, repeat=True, start_step=resume.start_step)
        ...     return model.fit(
        ...         batches,
        ...         steps_per_epoch=2,
        ...         initial_epoch=resume.initial_epoch,
        ...         epochs=epochs,
        ...         callbacks=[stopping, resume],
        ...         verbose=0,
        ...     )
        >>> train(epochs=1).epoch
        [0]
        >>> train(epochs=3).epoch  # a new process goes on in the same way
        [0, 1, 2]
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        fingerprint: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._fingerprint = as_json(fingerprint or {}, "fingerprint")
        self._callbacks = list(callbacks)
        self._file = writable_folder(folder, "folder") / "state.npz"
        self._place = {"epochs": 0, "steps": 0, "stopped": False}
        self._history: dict[str, Any] = {"epoch": [], "history": {}}
        self._random: list[Any] | None = None
        self._identity: dict[str, Any] = {}
        if self._file.is_file():
            state = read_tree(self._file)
            check_same(state["fingerprint"], self._fingerprint, self._file)
            self._place = state["place"]

    @property
    def initial_epoch(self) -> int:
        """The `initial_epoch` of `fit`: the number of whole epochs.

        Beyond every epoch where a callback has stopped the run: it then stays stopped.
        """
        return sys.maxsize if self._place["stopped"] else self._place["epochs"]

    @property
    def start_step(self) -> int:
        """The `start_step` of the stream: the number of batches in the whole epochs."""
        return self._place["steps"]

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        # `fit` hands the same dict to one callback after the other.
        behind = [type(c).__name__ for c in self._callbacks if c.params is not params]
        if behind:
            raise ValueError(
                "callbacks= of fit must hold all callbacks of Resume, and Resume behind them; "
                f"received {behind} behind it or not at all: callbacks=[..., resume]"
            )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self.model.built:
            raise ValueError(
                f"fit must receive a built model, received {self.model.name!r} without weights; "
                "begin it with keras.Input, or call it on a batch"
            )
        if self.params.get("steps") is None:
            raise ValueError(
                "fit must know the steps of an epoch, received a stream of unknown length; pass "
                "steps_per_epoch="
            )
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._identity = identity(self.model, self.params["steps"], self._callbacks)
        if self._file.is_file():
            self._restore(read_tree(self._file))
        else:
            self._save()  # also shows at once whether there is room for it
        if _sigterm_is_free():
            signal.signal(signal.SIGTERM, _leave)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch != self.initial_epoch:
            raise ValueError(
                f"fit must go on with epoch {self.initial_epoch} of {self._file}, received epoch "
                f"{epoch}; pass initial_epoch=resume.initial_epoch to fit and "
                "start_step=resume.start_step to the stream"
            )
        self._show_history()
        set_random_state(self._random)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 0:  # PyTorch's DataLoader draws a number each time it is started
            set_random_state(self._random)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._history["epoch"].append(epoch)
        for name, value in (logs or {}).items():
            self._history["history"].setdefault(name, []).append(value)
        self._place = {
            "epochs": epoch + 1,
            "steps": self._place["steps"] + self.params["steps"],
            "stopped": bool(self.model.stop_training),
        }
        self._save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._show_history()  # there may have been no epoch left
        if signal.getsignal(signal.SIGTERM) is _leave:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _save(self) -> None:
        self._random = random_state()
        write_tree(
            self._file,
            {
                "fingerprint": self._fingerprint,
                "identity": self._identity,
                "place": self._place,
                "history": self._history,
                "callbacks": [_memory(callback) for callback in self._callbacks],
                "random": self._random,
                "variables": [_value(v) for v in self._variables()],
            },
        )

    def _restore(self, state: dict[str, Any]) -> None:
        check_same(state["fingerprint"], self._fingerprint, self._file)
        check_same(state["identity"], self._identity, self._file)
        for variable, value in zip(self._variables(), state["variables"], strict=True):
            variable.assign(value)
        for callback, memory in zip(self._callbacks, state["callbacks"], strict=True):
            vars(callback).update(memory)
        self._place, self._history = state["place"], state["history"]
        self._random = state["random"]

    def _variables(self) -> list[Any]:
        """Weights, seeds and the optimizer's; in order, as names differ from build to build."""
        return [*self.model.variables, *self.model.optimizer.variables]

    def _show_history(self) -> None:
        """Puts the earlier epochs into Keras's History, which begins each `fit` with none."""
        history = self.model.history
        if history.epoch != self._history["epoch"]:
            history.epoch = list(self._history["epoch"])
            history.history = {k: list(v) for k, v in self._history["history"].items()}


def _memory(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """What a callback has learned: not what it was made with, and nothing of Keras's."""
    skipped = constructor_arguments(callback) | _OF_KERAS
    return {k: v for k, v in vars(callback).items() if k not in skipped and is_plain(v)}


def _value(variable: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(variable)


def _sigterm_is_free() -> bool:
    """Python takes handlers from its main thread only."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def _leave(signum: int, frame: Any) -> None:
    raise SystemExit(128 + signum)
