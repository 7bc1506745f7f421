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
from semseg.data.transforms.transform import Transform

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
        for step in steps:
            _check_step(step)
        if any(isinstance(step, MixUp) for step in steps[:-1]):
            raise ValueError(f"MixUp must come last, as it turns ids into shares, received {mix!r}")
        self._steps = [s.suited(class_map) if isinstance(s, BatchTransform) else s for s in steps]
        self._class_map = class_map

    def __call__(self, batch: _Batch, rng: np.random.Generator) -> _Batch:
        """The mixed batch; an error names the step it came from."""
        step: Any
        for step in self._steps:
            try:
                made = step(*batch[:2], rng, *batch[2:])
                if not isinstance(step, BatchTransform):
                    self._check(made, batch, name_of(step))
            except Exception as error:  # someone's own function may raise anything
                raise prefixed(error, name_of(step)) from error
            batch = tuple(made)
        return batch

    def _check(
        self, made: tuple[np.ndarray, ...], batch: tuple[np.ndarray, ...], name: str
    ) -> None:
        if not isinstance(made, tuple | list) or len(made) != len(batch):
            raise ValueError(f"{name} must return as many arrays as it gets, {len(batch)}")
        images, masks, *weights = made
        checked_batch(images, masks, weights[0] if weights else None, f" after {name}")
        known = (self._class_map.num_classes, self._class_map.ignore_class)
        found = unknown_ids(masks, *known)
        if found:
            raise ValueError(unknown_ids_message(found, *known, f"masks after {name}"))


def _check_step(step: Any) -> None:
    if isinstance(step, Transform):
        raise TypeError(f"{step!r} changes single pictures: pass it as augment=")
    if not callable(step):
        raise TypeError(
            f"mix must be a transform of batches, such as CutMix(), or a list of them, received "
            f"{step!r}"
        )
