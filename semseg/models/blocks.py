"""The pieces that the architectures are built of."""

from collections.abc import Callable
from typing import Any, Literal

from keras import layers

from semseg.classes import ClassMap
from semseg.layers import Logits

Norm = Literal["batch", "group", "layer"] | None

_NORMS: dict[str | None, Callable[[str], Any]] = {
    # Keras's momentum of 0.99 needs hundreds of steps before the moving statistics mean anything.
    "batch": lambda name: layers.BatchNormalization(momentum=0.9, name=name),
    "group": lambda name: layers.GroupNormalization(groups=8, name=name),
    "layer": lambda name: layers.LayerNormalization(name=name),
}


def check_norm(norm: Norm, filters: int) -> None:
    """A known normalisation, and for groups a number of filters that they divide."""
    if norm is not None and norm not in _NORMS:
        raise ValueError(f"norm must be one of {[*_NORMS, None]}, received {norm!r}")
    if norm == "group" and filters % 8:
        raise ValueError(f"norm='group' needs filters divisible by 8, received filters={filters}")


def conv_block(x: Any, filters: int, name: str, norm: Norm = "batch", repeats: int = 2) -> Any:
    """`repeats` times 3x3 convolution ("same"), normalisation and ReLU.

    Args:
        x: (batch, height, width, channels).
        filters: channels of the output.
        name: beginning of the layers' names, such as "encoder_2".
        norm: "batch", "group" (8 groups), "layer", or None. The convolution has a bias only
            where no normalisation follows that would cancel it.
        repeats: number of convolutions.

    Returns:
        (batch, height, width, filters).
    """
    for i in range(1, repeats + 1):
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=norm is None,
            kernel_initializer="he_normal",
            name=f"{name}_conv_{i}",
        )(x)
        if norm is not None:
            x = _NORMS[norm](f"{name}_norm_{i}")(x)
        x = layers.Activation("relu", name=f"{name}_relu_{i}")(x)
    return x


def class_scores(
    x: Any, num_classes: int, class_map: ClassMap | None, activation: str | None
) -> Any:
    """1x1 convolution to `num_classes` channels and the float32 end that carries the ClassMap."""
    # float32 under every policy: bfloat16 logits have 8 bits, and neighbours tie in the argmax.
    x = layers.Conv2D(num_classes, 1, dtype="float32", name="classifier")(x)
    return Logits(class_map, activation, name=activation or "logits")(x)
