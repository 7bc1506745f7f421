"""A model trained with deep supervision, without it."""

from typing import Any

import keras


def without_supervision(model: keras.Model) -> keras.Model:
    """The plain model inside one with deep supervision: "logits" alone, the weights shared.

    For saving, export and timing: the classifiers of the coarser levels are left out. A model with
    one output is given back as it is.

    Raises:
        ValueError: several outputs of which none is called "logits".

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=2, filters=4, deep_supervision=True)
        >>> plain = semseg.models.without_supervision(model)
        >>> model.count_params() - plain.count_params()  # 8 x 2 weights and 2 biases
        18
    """
    if not isinstance(model.output, dict | list | tuple):
        return model
    if not isinstance(model.output, dict) or "logits" not in model.output:
        raise ValueError(
            "model must have one output, or a dict of outputs with 'logits' among them, as "
            f"UNet(deep_supervision=True) has, received {model.output}"
        )
    return keras.Model(model.input, model.output["logits"], name=model.name)


def main_output(outputs: Any) -> Any:
    """What predictions and scores use of a model's outputs: of a dict "logits", if there is one."""
    return outputs.get("logits", outputs) if isinstance(outputs, dict) else outputs
