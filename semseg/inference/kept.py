"""What is made of a model once and kept as long as the model has the same variables."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import keras

_KEPT = "_semseg_kept"
Made = TypeVar("Made")


def kept(model: keras.Model, key: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` gave for this key the first time: compiled functions and the like."""
    variables = list(model.variables)
    found = vars(model).get(_KEPT)
    if found is None or list(map(id, found[0])) != list(map(id, variables)):
        # Not by setattr: what Keras tracks, it would export.
        found = vars(model)[_KEPT] = (variables, {})
    things: dict[Hashable, Any] = found[1]
    if key not in things:
        things[key] = make()
    return things[key]
