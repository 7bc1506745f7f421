"""Class weights at the border of a loss."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from semseg.classes import ClassMap
from semseg.losses.functional.pixels import Pixels


def named_class_weights(class_weights: Any, class_map: ClassMap | None) -> list[float] | None:
    """Class weights as a list, from a list, an array or {name: weight}; None stays None.

    Classes that a mapping does not name weigh 1, as in Keras's `fit(class_weight=)`.

    Raises:
        ValueError: names without a ClassMap or that it does not have; not finite or < 0 weights.
    """
    if class_weights is None:
        return None
    if isinstance(class_weights, Mapping):
        class_weights = _from_names(class_weights, class_map)
    weights = np.asarray(class_weights, np.float64)
    if weights.ndim != 1 or len(weights) < 2:
        raise ValueError(
            f"class_weights must be a list with one number a class, received {class_weights!r}"
        )
    if class_map is not None and len(weights) != class_map.num_classes:
        raise ValueError(
            f"class_weights must hold {class_map.num_classes} numbers, one for each of "
            f"{list(class_map.names)}, received {len(weights)}"
        )
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"class_weights must be finite and >= 0, and not all 0, received {class_weights!r}"
        )
    return [float(w) for w in weights]


def _from_names(weights: Mapping[str, float], class_map: ClassMap | None) -> list[float]:
    if class_map is None:
        raise ValueError(
            "class_weights by name need the names: pass class_map=ds.class_map too, or a list "
            f"with one number a class; received {dict(weights)!r}"
        )
    strangers = [name for name in weights if name not in class_map.names]
    if strangers:
        raise ValueError(
            f"class_weights name classes that the ClassMap does not have: {strangers}; "
            f"it has {list(class_map.names)}"
        )
    return [float(weights.get(name, 1.0)) for name in class_map.names]


def checked_class_weights(class_weights: Any, pixels: Pixels) -> Any:
    """The weights as a tensor (K,), None as None."""
    weights = named_class_weights(class_weights, None)
    if weights is None:
        return None
    if len(weights) != pixels.num_classes:
        raise ValueError(
            f"class_weights must hold {pixels.num_classes} numbers for y_pred with last axis "
            f"{pixels.scores.shape[-1]}, received {len(weights)}"
        )
    return ops.convert_to_tensor(weights, pixels.scores.dtype)
