"""True and predicted ids as every score takes them: checked once, in NumPy."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from semseg._backend import is_concrete
from semseg._checks import (
    check_ids,
    check_ignore_class,
    check_num_classes,
    unknown_ids,
    unknown_ids_message,
)

#: What `CheckedIds.images` puts where nothing counts.
NOWHERE = -1


class CheckedIds(NamedTuple):
    """True and predicted ids of one shape, all of them known to be good."""

    truth: np.ndarray
    guess: np.ndarray
    num_classes: int  # at least 2
    ignore_class: int | None

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """The flat ids of the pixels that count: ignored pixels are deleted pixels."""
        if self.ignore_class is None:
            return self.truth.ravel(), self.guess.ravel()
        kept = self.truth != self.ignore_class
        return self.truth[kept], self.guess[kept]

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Signed (batch, height, width) ids twice, NOWHERE in both where the truth is ignored."""
        shape = self.truth.shape
        if len(shape) not in (2, 3) or 0 in shape:
            raise ValueError(
                "mask and pred must have shape (height, width) or (batch, height, width) and hold "
                f"pixels, received {shape}"
            )
        narrow = np.int16 if self.num_classes < 2**15 else np.int32  # half the memory to compare
        truth, guess = (ids.astype(narrow) for ids in (self.truth, self.guess))
        if self.ignore_class is not None:
            ignored = self.truth == self.ignore_class
            truth[ignored] = guess[ignored] = NOWHERE
        return truth.reshape(-1, *shape[-2:]), guess.reshape(-1, *shape[-2:])


def checked_ids(mask: Any, pred: Any, num_classes: Any, ignore_class: Any) -> CheckedIds:
    """Refuses what cannot be scored; see `confusion_matrix` for the arguments."""
    num_classes = max(2, check_num_classes(num_classes))
    ignore_class = check_ignore_class(ignore_class, num_classes)
    truth = check_ids(as_numpy(mask), "mask")
    guess = check_ids(as_numpy(pred), "pred")
    check_one_shape(truth, guess)
    found = unknown_ids(truth, num_classes, ignore_class)
    if found:
        raise ValueError(unknown_ids_message(found, num_classes, ignore_class))
    # uint64 and int64 would meet in float64; what does not fit stands on ignored pixels only.
    truth, guess = (i.astype(np.int64) if i.dtype == np.uint64 else i for i in (truth, guess))
    checked = CheckedIds(truth, guess, num_classes, ignore_class)
    found = unknown_ids(checked.counted()[1], num_classes, None)
    if found:
        raise ValueError(unknown_ids_message(found, num_classes, None, "pred"))
    return checked


def check_one_shape(truth: np.ndarray, guess: np.ndarray) -> None:
    """Refuses a mask and a prediction of two shapes."""
    if truth.shape != guess.shape:
        raise ValueError(
            f"mask and pred must have one shape, received {truth.shape} and {guess.shape}; "
            "logits become ids with logits.argmax(-1)"
        )


def as_numpy(x: Any) -> np.ndarray:
    """A NumPy array from one, from nested lists or from a tensor of the Keras backend."""
    if isinstance(x, np.ndarray | list | tuple):
        return np.asarray(x)
    if not is_concrete(x):
        raise TypeError(
            "arrays must hold values, received a symbolic tensor; inside a compiled function use "
            "the classes of semseg.metrics"
        )
    return ops.convert_to_numpy(x)


def ratio(part: Any, whole: Any) -> np.ndarray:
    """`part / whole` in float64, NaN where `whole` is 0."""
    whole = np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def mean_of_present(values: np.ndarray) -> float:
    """The mean of those that are not NaN; NaN without any."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else float("nan")
