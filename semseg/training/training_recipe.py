"""A recipe: everything that decides a training, in one object that prints and travels as JSON."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semseg._checks import check_at_least, check_choice, check_count, check_size
from semseg.losses import (
    MCC,
    Boundary,
    CenterlineDice,
    Crossentropy,
    Dice,
    Focal,
    FocalTversky,
    GeneralizedDice,
    HardPixels,
    Jaccard,
    Lovasz,
    Tversky,
)
from semseg.models.catalogue import BUILDERS

AUGMENTATIONS = (None, "light", "street", "medical", "aerial")
CLASS_WEIGHTS = (None, "median_frequency", "inverse", "root_inverse")
LOSSES: dict[str, Any] = {
    loss.__name__: loss
    for loss in (
        Boundary,
        CenterlineDice,
        Crossentropy,
        Dice,
        Focal,
        FocalTversky,
        GeneralizedDice,
        HardPixels,
        Jaccard,
        Lovasz,
        MCC,
        Tversky,
    )
}
OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "poly", "one_cycle", "constant")

_Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Model, data and optimisation of one training; `semseg.training.train` carries it out.

    Args:
        model: a name that `semseg.models.build` takes.
        model_arguments: what the builder gets besides the classes.
        size: (height, width) to which every picture is resized first; None keeps their own.
        crop: (height, width) of random crops after that; None trains on whole pictures.
        augmentation: a preset of `semseg.data.transforms`, or None. "street" and "aerial" shrink
            no picture below its crop where `size` is known, or where whole pictures are trained on.
        batch: pictures a step.
        steps: batches of the whole training, a multiple of `steps_per_epoch`.
        steps_per_epoch: after so many the model is validated and the state saved.
        loss: weights of the losses that are added, by name, such as {"Crossentropy": 1.0}.
        class_weights: of the losses, from the frequencies of the training data:
            "median_frequency" and "inverse" as in `ds.class_weights`, "root_inverse" the square
            roots of the latter, or None.
        optimizer: "adamw" (Keras's, without decay of biases and normalisations) or "sgd" with
            Nesterov momentum 0.9.
        learning_rate: at its highest.
        schedule: "cosine" and "poly" (power 0.9) fall to 0, "one_cycle" rises and falls.
        warmup: steps in which the rate rises to its highest ("one_cycle" has its own).
        weight_decay: of the kernels.
        ema: None, or the momentum of the moving average of the weights that the model ends with.
        seed: of weights, order, augmentation and dropout.
        reasons: why a field has its value, by its name; no part of the run's identity.

    Raises:
        ValueError: a value out of its range, named with what it may be.

    Example:
        >>> plain = Recipe(model="unet", model_arguments={"depth": 2, "filters": 8}, steps=600)
        >>> dataclasses.replace(plain, steps=1200).epochs
        12
        >>> Recipe.from_dict(plain.to_dict()) == plain
        True
    """

    model: str = "unet"
    model_arguments: Mapping[str, Any] = field(default_factory=dict)
    size: _Size | None = None
    crop: _Size | None = None
    augmentation: str | None = None
    batch: int = 4
    steps: int = 900
    steps_per_epoch: int = 100
    loss: Mapping[str, float] = field(default_factory=lambda: {"Crossentropy": 1.0})
    class_weights: str | None = None
    optimizer: str = "adamw"
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    warmup: int = 50
    weight_decay: float = 1e-4
    ema: float | None = None
    seed: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        fix = object.__setattr__
        for name in ("size", "crop"):
            if getattr(self, name) is not None:
                fix(self, name, check_size(getattr(self, name), name))
        check_choice("augmentation", self.augmentation, AUGMENTATIONS)
        check_choice("class_weights", self.class_weights, CLASS_WEIGHTS)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        for name in ("batch", "steps", "steps_per_epoch"):
            check_count(name, getattr(self, name), 1)
        check_count("warmup", self.warmup, 0)
        check_count("seed", self.seed, 0)
        if self.steps % self.steps_per_epoch:
            near = max(1, round(self.steps / self.steps_per_epoch)) * self.steps_per_epoch
            raise ValueError(
                f"steps must be a multiple of steps_per_epoch = {self.steps_per_epoch}, received "
                f"{self.steps}; {near} is"
            )
        if self.warmup >= self.steps and self.schedule in ("cosine", "poly"):
            raise ValueError(f"warmup must be < steps = {self.steps}, received {self.warmup}")
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate must be > 0, received {self.learning_rate!r}")
        if not 0 <= self.weight_decay < 1:
            raise ValueError(f"weight_decay must lie in [0, 1), received {self.weight_decay!r}")
        if self.ema is not None and not 0 < self.ema < 1:
            raise ValueError(f"ema must be None or lie in (0, 1), received {self.ema!r}")
        if self.augmentation in ("street", "aerial") and not (self.crop or self.size):
            raise ValueError(
                f"augmentation={self.augmentation!r} ends in a crop: give crop=(height, width)"
            )
        unknown = [name for name in self.loss if name not in LOSSES]
        if unknown or not self.loss:
            raise ValueError(
                f"loss must give weights to some of {list(LOSSES)}, received {dict(self.loss)!r}"
            )
        for name, weight in self.loss.items():
            check_at_least(f"loss[{name!r}]", weight, 0)
        if not any(self.loss.values()):
            raise ValueError(f"loss must hold a weight > 0, received {dict(self.loss)!r}")
        check_choice("model", self.model, tuple(BUILDERS))

    @property
    def epochs(self) -> int:
        """How many epochs of `steps_per_epoch` steps the training has."""
        return self.steps // self.steps_per_epoch

    def to_dict(self) -> dict[str, Any]:
        """All fields but the reasons, as JSON can hold them."""
        fields = dataclasses.asdict(self)
        del fields["reasons"]
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Recipe":
        """The recipe of `to_dict`, read back from JSON perhaps.

        Raises:
            ValueError: names of fields that a recipe does not have.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        strangers = sorted(set(fields) - known)
        if strangers:
            raise ValueError(f"a recipe has no {strangers}; it has {sorted(known)}")
        return cls(**fields)

    def __str__(self) -> str:
        """One line a field, with its reason where it has one."""
        rows = [(name, _shown(value)) for name, value in self.to_dict().items()]
        wide = max(len(value) for name, value in rows if name in self.reasons or len(value) < 24)
        return "\n".join(
            f"{name:<16} {value:<{wide}}  {self.reasons.get(name, '')}".rstrip()
            for name, value in rows
        )


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k}={_shown(v)}" for k, v in value.items()) or "-"
    if isinstance(value, tuple | list):
        return " x ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "-" if value is None else str(value)
