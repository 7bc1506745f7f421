"""Losses for models that also give logits of their coarser levels."""

from collections.abc import Sequence
from typing import Any

import keras

from semseg._checks import check_at_least


def deep_supervision(loss: keras.losses.Loss, weights: Sequence[float]) -> dict[str, Any]:
    """What `compile` takes to train `UNet(deep_supervision=True)`: a loss for each output.

    Args:
        loss: one loss for all outputs, ours or Keras's or a sum.
        weights: how much "logits", "logits_2", "logits_3", ... count; nnU-Net halves the weight
            with every level and leaves the coarsest out (weight 0): `[1, 1 / 2, 1 / 4, 0]`.

    Returns:
        {"loss": ..., "loss_weights": ...}, by name of output. The mask goes to each output: a
        pipeline becomes `pipeline.map(lambda x, y: (x, dict.fromkeys(model.output, y)))`.

    Raises:
        TypeError: what is no Keras loss.
        ValueError: no weights, or negative ones.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=2, filters=4, deep_supervision=True)
        >>> dice = semseg.losses.Dice()
        >>> model.compile("adam", **semseg.losses.deep_supervision(dice, [1, 0.5]))
        >>> images, mask = np.zeros((1, 8, 8, 3), "uint8"), np.zeros((1, 8, 8), "uint8")
        >>> sorted(model.evaluate(images, dict.fromkeys(model.output, mask),
        ...                       verbose=0, return_dict=True))
        ['logits_2_loss', 'logits_loss', 'loss']
    """
    if not isinstance(loss, keras.losses.Loss):
        raise TypeError(f"loss must be a Keras loss, received {loss!r}")
    weights = [check_at_least("weights", w, 0) for w in weights]
    if not any(weights):
        raise ValueError(f"weights must hold one number > 0 for 'logits', received {weights}")
    names = ["logits", *(f"logits_{level}" for level in range(2, len(weights) + 1))]
    return {
        "loss": dict.fromkeys(names, loss),
        "loss_weights": dict(zip(names, weights, strict=True)),
    }
