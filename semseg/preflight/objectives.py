"""What a compiled loss is made of, ours or Keras's or anyone's."""

import inspect
from typing import Any, NamedTuple

import keras

from semseg.losses.arithmetic import WeightedSum

_ONE_HOT = (
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
)
_BINARY = (
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
)
_SPARSE = ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy")


class Term(NamedTuple):
    """One loss of a sum.

    Attributes:
        name: of its class or function.
        config: its arguments.
        is_ours: whether it is of semseg.losses.
    """

    name: str
    config: dict[str, Any]
    is_ours: bool

    @property
    def from_logits(self) -> bool | None:
        """None where the loss doesn't say."""
        value = self.config.get("from_logits")
        return None if value is None else bool(value)

    @property
    def wants_one_hot(self) -> bool:
        return not self.is_ours and self.name in _ONE_HOT

    @property
    def is_binary(self) -> bool:
        return not self.is_ours and self.name in _BINARY

    @property
    def is_sparse(self) -> bool:
        return not self.is_ours and self.name in _SPARSE

    @property
    def is_crossentropy(self) -> bool:
        return "crossentropy" in self.name.lower().replace("_", "") and "Focal" not in self.name


def terms(model: keras.Model) -> list[Term]:
    """The losses that `compile` got, sums taken apart; none where it got none."""
    if not getattr(model, "compiled", False):
        return []
    loss = model.loss
    if isinstance(loss, dict) and "logits" in loss:
        loss = loss["logits"]  # deep supervision: the levels have one loss
    return [term for one in keras.tree.flatten(loss) for term in _terms(one)]


def loss_weights(model: keras.Model) -> list[float]:
    """What `compile` got for its outputs; none where it got none."""
    weights = getattr(getattr(model, "_compile_loss", None), "_user_loss_weights", None)
    return [] if weights is None else [w for w in keras.tree.flatten(weights) if w is not None]


def _terms(loss: Any) -> list[Term]:
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    if loss is None:
        return []
    if isinstance(loss, WeightedSum):
        return [term for one in loss.losses for term in _terms(one)]
    if not isinstance(loss, keras.losses.Loss):  # a function
        return [Term(getattr(loss, "__name__", "loss"), _defaults(loss), False)]
    ours = type(loss).__module__.startswith("semseg.")
    return [Term(type(loss).__name__, _config(loss), ours)]


def _config(loss: keras.losses.Loss) -> dict[str, Any]:
    try:
        return dict(loss.get_config())
    except Exception:  # someone's own loss may have none
        return {}


def _defaults(function: Any) -> dict[str, Any]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
