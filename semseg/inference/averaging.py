"""Several models as one: the mean of their probabilities."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from semseg.analysis.graph import opened
from semseg.inference.forward import Forward
from semseg.layers import Logits
from semseg.models.saved import class_map
from semseg.models.supervision import main_output

_LEAST = 1.2e-38  # of a probability whose logarithm is taken: the smallest normal float32


def average(models: Sequence[keras.Model]) -> keras.Model:
    """An ensemble as one model: the mean of the probabilities of all members.

    What it gives are logits, the logarithm of the mean, so that it goes wherever a model goes:
    `predict`, `score`, tiles, `calibrate`, losses `from_logits`, and into one `.keras` file. Each
    member sees the picture as it is and scales it by itself.

    Args:
        models: two or more functional models that take the same pictures and tell the same classes
            apart, of any architecture, ending in logits or probabilities. Their layers are
            shared, not copied.

    Returns:
        A functional model, not compiled, whose members are nested as `member_1`, `member_2`, ...

    Raises:
        ValueError: fewer than two models; inputs, numbers of classes or ClassMaps that differ.
        TypeError: a model without a graph.

    Example:
        >>> models = [semseg.models.UNet(num_classes=3, depth=1, filters=4) for _ in range(2)]
        >>> both = semseg.inference.average(models)
        >>> image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), "uint8")
        >>> shares = [semseg.inference.predict(m, image, output="probabilities") for m in models]
        >>> mean = semseg.inference.predict(both, image, output="probabilities")
        >>> bool(np.abs(mean - np.mean(shares, axis=0)).max() < 1e-6)
        True
    """
    models = list(models)
    if len(models) < 2:
        raise ValueError(f"models must be two or more to be averaged, received {len(models)}")
    members = [Forward(model) for model in models]
    _check_equal(members)
    first = models[0].inputs[0]
    images = keras.Input(first.shape[1:], dtype=first.dtype, name="images")
    scores = [_member(each, f"member_{i}")(images) for i, each in enumerate(members, 1)]
    ends = [each.activation for each in members]
    output = (_two_classes if members[0].num_outputs == 1 else _many_classes)(scores, ends)
    return keras.Model(images, Logits(class_map(models[0]), name="logits")(output), name="average")


def _member(forward: Forward, name: str) -> keras.Model:
    """The model with one output, under a name that no other member has."""
    functional = opened(forward.model)
    if functional is None:
        raise TypeError(
            "models must be functional, or Sequential with a known input, received "
            f"{forward.model!r}, which has no graph"
        )
    output = (
        main_output(functional.output) if len(functional.outputs) > 1 else functional.outputs[0]
    )
    return keras.Model(functional.input, output, name=name)


def _many_classes(scores: list[Any], ends: list[str | None]) -> Any:
    shares = [
        keras.layers.Softmax(dtype="float32")(x) if end is None else x
        for x, end in zip(scores, ends, strict=True)
    ]
    return _log_of_mean(shares)


def _two_classes(scores: list[Any], ends: list[str | None]) -> Any:
    """One output: log(p) - log(1 - p), each mean taken by itself, as 1 - p loses digits."""
    sigmoid = keras.layers.Activation("sigmoid", dtype="float32")
    shares = [sigmoid(x) if e is None else x for x, e in zip(scores, ends, strict=True)]
    others = [sigmoid(-x) if e is None else 1 - x for x, e in zip(scores, ends, strict=True)]
    return _log_of_mean(shares) - _log_of_mean(others)


def _log_of_mean(shares: list[Any]) -> Any:
    mean = keras.layers.Average(dtype="float32")(shares)
    return ops.log(ops.maximum(mean, _LEAST))


def _check_equal(members: list[Forward]) -> None:
    first = members[0]
    for i, other in enumerate(members[1:], 1):
        pairs: dict[str, list[Any]] = {
            "take the same pictures (height, width, channels)": [
                (*each.size, each.channels) for each in (first, other)
            ],
            "have the same number of outputs": [each.num_outputs for each in (first, other)],
            "have the same classes": _names(first, other),
        }
        for what, (one, its) in pairs.items():
            if one != its:
                raise ValueError(
                    f"models must {what}, received {one} of models[0] ({first.model.name!r}) and "
                    f"{its} of models[{i}] ({other.model.name!r})"
                )


def _names(one: Forward, other: Forward) -> list[tuple[str, ...]]:
    """The names of the classes; equal where one of the two knows none."""
    maps = [class_map(each.model) for each in (one, other)]
    return [()] * 2 if None in maps else [each.names for each in maps if each is not None]
