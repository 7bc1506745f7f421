"""AdamW that spares what decay should spare, and schedules: what a saved model may name.

They are public in `semseg.training`; `semseg.models.load` finds them here.
"""

import math
from typing import Any

import keras
from keras import ops

from semseg._checks import check_positive

# Variables that shift and scale: decay would pull them to 0, not to something simpler. Keras's
# names are "bias", TensorFlow's "unet/decoder_1_conv_1/bias:0".
SPARED = r"(^|/)(bias|beta|gamma)(:\d+)?$"


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
        self.exclude_from_weight_decay(var_names=[SPARED])


@keras.saving.register_keras_serializable(package="semseg.training")
class WarmupPoly(keras.optimizers.schedules.LearningRateSchedule):
    """Rises in a line to `peak`, then falls as `peak * (1 - progress)**power`.

    The "poly" policy of Liu et al. 2015, "ParseNet", and DeepLab, with a warm-up that Keras's
    `PolynomialDecay` does not have.

    Args:
        peak: the highest rate.
        steps: steps of the whole training; the rate is 0 from then on.
        warmup: steps of the rise, < steps; the first step has `peak / (warmup + 1)`.
        power: 1 falls in a line.

    Example:
        >>> rate = semseg.training.WarmupPoly(peak=1.0, steps=10, warmup=1, power=1.0)
        >>> [round(float(rate(step)), 2) for step in (0, 1, 5, 10)]
        [0.5, 1.0, 0.56, 0.0]
    """

    def __init__(self, peak: float, steps: int, warmup: int = 0, power: float = 0.9) -> None:
        self.peak = check_positive("peak", peak)
        self.steps, self.warmup = int(steps), int(warmup)
        self.power = check_positive("power", power)
        if not 0 <= self.warmup < self.steps:
            raise ValueError(
                f"warmup must lie in [0, steps), received warmup={warmup!r}, steps={steps!r}"
            )

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        rising = (step + 1) / (self.warmup + 1)
        progress = ops.clip((step - self.warmup) / (self.steps - self.warmup), 0.0, 1.0)
        return self.peak * ops.where(step < self.warmup, rising, (1 - progress) ** self.power)

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "steps": self.steps,
            "warmup": self.warmup,
            "power": self.power,
        }


@keras.saving.register_keras_serializable(package="semseg.training")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Rises to `peak` in the first part of the training and falls far below the start after it.

    Smith and Topin 2018, "Super-Convergence", with the cosine halves of PyTorch's `OneCycleLR`:
    from `peak / 25` to `peak` and on to `peak / 250,000`.

    Args:
        peak: the highest rate.
        steps: steps of the whole training.
        rise: the part of them in which the rate rises, in (0, 1).

    Example:
        >>> rate = semseg.training.OneCycle(peak=1.0, steps=11, rise=0.5)
        >>> [round(float(rate(step)), 3) for step in (0, 10)]
        [0.04, 0.0]
    """

    def __init__(self, peak: float, steps: int, rise: float = 0.3) -> None:
        self.peak = check_positive("peak", peak)
        self.steps, self.rise = int(steps), float(rise)
        if self.steps < 2:
            raise ValueError(f"steps must be >= 2, received {steps!r}")
        if not 0 < self.rise < 1:
            raise ValueError(f"rise must lie in (0, 1), received {rise!r}")

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        start, end = self.peak / 25, self.peak / 250_000
        top, last = self.rise * self.steps - 1, self.steps - 1
        up = _cosine(start, self.peak, step / max(top, 1e-6))
        down = _cosine(self.peak, end, (step - top) / (last - top))
        return ops.where(step <= top, up, down)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps, "rise": self.rise}


def _cosine(start: float, end: float, progress: Any) -> Any:
    """Half a cosine from `start` to `end`, constant outside."""
    progress = ops.clip(progress, 0.0, 1.0)
    return end + (start - end) * (1 + ops.cos(math.pi * progress)) / 2
