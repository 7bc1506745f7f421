"""Batches for loops of our own, of whatever `fit` takes."""

from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import Any

import keras
import numpy as np

Batch = tuple[Any, ...]


def one_pass(batches: Any, steps: int | None = None) -> Iterator[Batch]:
    """The first `steps` batches, or all of one pass, as tuples (images, masks, ...).

    Raises:
        TypeError: what is no stream of batches.
        ValueError: an endless one, and no `steps`.
    """
    _check(batches)
    if steps is None and _is_endless(batches):
        raise ValueError(
            "steps must be given for batches without end, received None; pass steps=, or make "
            "them with repeat=False"
        )
    return (_as_tuple(batch) for batch in islice(_begun(batches), steps))


def endless(batches: Any) -> Iterator[Batch]:
    """The batches as tuples, from the start again where they end; those of an iterator only once.

    Raises:
        TypeError: what is no stream of batches.
    """
    _check(batches)

    def passes() -> Iterator[Batch]:
        there_are_some = True
        while there_are_some:
            there_are_some = False
            for batch in _begun(batches):
                there_are_some = True
                yield _as_tuple(batch)

    return passes()


def _begun(batches: Any) -> Iterator[Any]:
    if isinstance(batches, keras.utils.PyDataset) and not hasattr(type(batches), "__iter__"):
        length = batches.num_batches  # Keras itself would ask beyond the last one
        return (batches[i] for i in (count() if length is None else range(length)))
    return iter(batches)


def _is_endless(batches: Any) -> bool:
    if isinstance(batches, keras.utils.PyDataset):
        return batches.num_batches is None
    cardinality = getattr(batches, "cardinality", None)
    return cardinality is not None and int(cardinality()) == -1  # tf.data.INFINITE_CARDINALITY


def _as_tuple(batch: Any) -> Batch:
    return tuple(batch) if isinstance(batch, tuple | list) else (batch,)


def _check(batches: Any) -> None:
    is_data_set = hasattr(batches, "class_map")
    if is_data_set or isinstance(batches, tuple | np.ndarray) or not isinstance(batches, Iterable):
        # Keras's own PyDataset is not Iterable in every version.
        if isinstance(batches, keras.utils.PyDataset):
            return
        raise TypeError(
            "batches must give (images, masks) batch by batch, such as ds.pipeline(8) or a list "
            f"[(images, masks), ...], received {type(batches).__name__}"
        )
