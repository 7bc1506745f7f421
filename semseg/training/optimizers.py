"""The optimizer of a recipe."""

from typing import Any

import keras

from semseg._optimizers import SPARED, AdamW, OneCycle, WarmupPoly
from semseg.training.training_recipe import Recipe


def optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """The recipe's optimizer with its schedule."""
    rate = _learning_rate(recipe)
    average: dict[str, Any] = {}
    if recipe.ema is not None:
        average = {"use_ema": True, "ema_momentum": recipe.ema}
    if recipe.optimizer == "sgd":
        sgd = keras.optimizers.SGD(
            rate, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay or None, **average
        )
        sgd.exclude_from_weight_decay(var_names=[SPARED])  # lost where a saved model goes on
        return sgd
    return AdamW(rate, weight_decay=recipe.weight_decay, **average)


def _learning_rate(recipe: Recipe) -> Any:
    peak, steps, warmup = recipe.learning_rate, recipe.steps, recipe.warmup
    if recipe.schedule == "constant":
        return peak
    if recipe.schedule == "one_cycle":
        return OneCycle(peak, steps)
    if recipe.schedule == "poly":
        return WarmupPoly(peak, steps, warmup)
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(peak, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=peak, warmup_steps=warmup
    )
