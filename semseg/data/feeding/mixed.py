"""The `mix=` of a stream: transforms of whole batches, one after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from semseg._checks import unknown_ids, unknown_ids_message
from semseg.classes import ClassMap
from semseg.data.errors import prefixed
from semseg.data.transforms import MixUp
from semseg.data.transforms.mixing import BatchTransform, BatchTransformLike, checked_batch
from semseg.data.transforms.operation import name_of
from semseg.data.transforms.transform import Transform, takes_weights

Mix = BatchTransformLike | Sequence[BatchTransformLike]
_Batch = tuple[np.ndarray, ...]


class Mixed:
    """Mixes batches as `mix` says, checking what someone's own functions return.

    Args:
        mix: a transform of batches, or a list of them.
        class_map: the data set's classes.
    """

    def __init__(self, mix: Mix, class_map: ClassMap) -> None:
        steps: list[Any] = list(mix) if isinstance(mix, list | tuple) else [mix]
        if not steps:
            raise ValueError("mix must hold a transform of batches, received an empty list")
        for step in steps:
            _check_step(step)
        if any(isinstance(step, MixUp) for step in steps[:-1]):
            raise ValueError(f"MixUp must come last, as it turns ids into shares, received {mix!r}")
        self._steps = [s.suited(class_map) if isinstance(s, BatchTransform) else s for s in steps]
        self._class_map = class_map

    def __call__(self, batch: _Batch, rng: np.random.Generator) -> _Batch:
        """The mixed batch; an error names the step it came from."""
        for step in self._steps:
            try:
                batch = self._by(step, batch, rng)
            except Exception as error:  # someone's own function may raise anything
                raise prefixed(error, name_of(step)) from error
        return batch

    def _by(self, step: Any, batch: _Batch, rng: np.random.Generator) -> _Batch:
        images, masks, *weights = batch
        if isinstance(step, BatchTransform):
            return step(images, masks, rng, *weights)
        if len(batch) > 2 and not takes_weights(step):
            raise ValueError(
                "with sample_weight= a function that mixes must mix the weights too: let it take "
                "(images, masks, rng, weights) and return (images, masks, weights)"
            )
        made = step(images, masks, rng, *weights)
        if not isinstance(made, tuple | list) or len(made) != len(batch):
            raise ValueError(f"it must return as many arrays as it gets, {len(batch)}")
        images, masks, *weights = made
        checked_batch(images, masks, weights[0] if weights else None, " after it")
        for old, new in zip(batch, made, strict=True):
            if old.dtype != new.dtype or old.shape[:1] + old.shape[3:] != (
                new.shape[:1] + new.shape[3:]
            ):
                raise ValueError(
                    "it must keep number, channels and dtype of what it gets, received "
                    f"{old.dtype} {old.shape} and returned {new.dtype} {new.shape}"
                )
        known = (self._class_map.num_classes, self._class_map.ignore_class)
        found = unknown_ids(masks, *known)
        if found:
            raise ValueError(unknown_ids_message(found, *known, "masks after it"))
        return tuple(made)


def _check_step(step: Any) -> None:
    if isinstance(step, Transform):
        raise TypeError(f"{step!r} changes single pictures: pass it as augment=")
    of_keras = [kind for kind in type(step).__mro__ if kind.__module__.split(".")[0] == "keras"]
    if of_keras:
        name = type(step).__name__
        ours = f"semseg.data.transforms.{name}()" if name in ("CutMix", "MixUp") else "ours"
        raise TypeError(
            f"mix must be a transform of NumPy batches, received Keras's {name}: {ours}"
        )
    if isinstance(step, type) or not callable(step):
        raise TypeError(
            "mix must be a transform of batches, such as CutMix(), or a list of them, received "
            f"{step!r}"
        )
