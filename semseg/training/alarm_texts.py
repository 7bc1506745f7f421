"""What an early alarm says: what was seen, and what to try."""

import math
from typing import Any

import numpy as np

from semseg.data.feeding.batches import BatchSource


def one_class(name: Any, samples: int, there: int, steps: int) -> str:
    """Every pixel has got one class."""
    return (
        f"after {steps} steps every pixel of {samples} samples is predicted as {name!r}, though "
        f"they have {there} classes. Look whether the masks are right (ds.check()); then try "
        "class_weights=ds.class_weights() in the loss or Dice() beside it, and a lower learning "
        "rate with warm-up (find_learning_rate shows which)"
    )


def flat(loss: float, classes: int, steps: int) -> str:
    """Nothing has been learned."""
    return (
        f"the loss has lain flat at {loss:.3g} for {steps} steps; equal scores for all {classes} "
        f"classes give ln {classes} = {math.log(classes):.3g}. Look whether images and masks "
        "belong together (draw_comparison, ds.check()), whether layers are frozen, and whether "
        "the model ends in a softmax that the loss applies again; then try another learning rate "
        "(find_learning_rate shows which)"
    )


def not_finite(loss: float, step: int, batches: BatchSource | None) -> str:
    """The loss is NaN or infinite from a step on."""
    if batches is None:
        return (
            f"the loss is {loss} at step {step}. {_CURES}; pass source=ds.batch_source(...) to "
            "have the batch looked at"
        )
    epoch = step // batches.steps_per_epoch
    place = f"seed {batches.seed}, epoch {epoch}, source[{step}]"
    return f"the loss is {loss} at step {step} ({place}). {_findings(batches, step)}"


_CURES = (
    "Try a lower learning rate with warm-up (find_learning_rate shows which), clipnorm=1.0 in the "
    "optimizer, and float32 instead of float16"
)


def _findings(batches: BatchSource, step: int) -> str:
    """What the batch itself has to do with it."""
    images, masks = batches[step][:2]
    bad = int(np.size(images) - np.isfinite(images).sum())
    if bad:
        return (
            f"Its images hold {bad} values that are not finite, at sample "
            f"{_first_bad(images)} of the batch: mend the data or the augmentation"
        )
    ids = np.unique(masks.argmax(-1) if masks.ndim == 4 else masks).tolist()
    return (
        f"Its images lie in {images.min():g}..{images.max():g} and its masks hold the ids "
        f"{ids}, so the weights have grown too large in a step before. "
        f"{_CURES}"
    )


def _first_bad(images: np.ndarray) -> int:
    finite = np.isfinite(images).reshape(len(images), -1).all(axis=1)
    return int(np.argmin(finite))
