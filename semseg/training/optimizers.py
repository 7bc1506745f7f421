"""Optimizers with a schedule, and weight decay that spares what it should."""

from typing import Any

import keras

from semseg.training.schedules import OneCycle, WarmupPoly
from semseg.training.training_recipe import Recipe

# Variables that shift and scale: decay would pull them to 0, not to something simpler. Keras's
# names are "bias", TensorFlow's "unet/decoder_1_conv_1/bias:0".
_SPARED = r"(^|/)(bias|beta|gamma)(:\d+)?$"


@keras.saving.register_keras_serializable(package="semseg.training")
class AdamW(keras.optimizers.AdamW):
    """Keras's AdamW that leaves biases and normalisations out of the decay, in saved models too.

    Keras's `exclude_from_weight_decay` does the same by hand, and is lost on saving.

    Args:
        learning_rate: a number or a schedule.
        weight_decay: of kernels and embeddings.
        **arguments: as of `keras.optimizers.AdamW`.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.set_weights([np.ones((2, 1)), np.ones(1)])
        >>> optimizer = semseg.training.AdamW(learning_rate=0.1, weight_decay=0.5)
        >>> optimizer.apply([0 * w for w in model.trainable_variables], model.trainable_variables)
        >>> [w.ravel().tolist() for w in model.get_weights()]
        [[0.949999988079071, 0.949999988079071], [1.0]]
    """

    def __init__(
        self, learning_rate: Any = 1e-3, weight_decay: float = 1e-4, **arguments: Any
    ) -> None:
        super().__init__(learning_rate=learning_rate, weight_decay=weight_decay, **arguments)
        self.exclude_from_weight_decay(var_names=[_SPARED])


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
        sgd.exclude_from_weight_decay(var_names=[_SPARED])  # lost where a saved model goes on
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
