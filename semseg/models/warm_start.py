"""An FCN that goes on from a coarser one: 32s, then 16s, then 8s, as its authors trained it."""

from typing import Any

import keras

from semseg.layers.pixel_scaling import before_features

# What may differ between layers that do the same to pixels.
_OF_NO_WEIGHT = ("name", "trainable", "dtype")


def check_coarser(init_from: Any) -> None:
    """None, or a model: said before another is built."""
    if init_from is not None and not isinstance(init_from, keras.Model):
        raise TypeError(
            f"init_from must be a keras.Model, received {init_from!r}; a saved one is read by "
            "semseg.models.load(path)"
        )


def take_over(model: keras.Model, coarser: keras.Model) -> None:
    """Copies the weights of all layers that `coarser` has too, by name.

    Upsampling of another factor stays: what one factor learnt is nothing to another.
    """
    _check_same_form(model, coarser)
    theirs = {layer.name: layer for layer in coarser.layers if layer.weights}
    for layer in model.layers:
        if not layer.weights or layer.name not in theirs:
            continue
        weights = theirs[layer.name].get_weights()
        shapes = [w.shape for w in weights], [tuple(w.shape) for w in layer.weights]
        if shapes[0] == shapes[1]:
            layer.set_weights(weights)
        elif not _enlarges(layer):
            raise ValueError(
                f"init_from must have the same classes and fc_units; its {layer.name} holds "
                f"{shapes[0]}, expected {shapes[1]}"
            )


def _check_same_form(model: keras.Model, coarser: keras.Model) -> None:
    """The same layers but for one skip, with the same pixels at their feet."""
    names = {layer.name for layer in coarser.layers if layer.weights}
    wanted = [layer.name for layer in model.layers if layer.weights and not _enlarges(layer)]
    missing = [name for name in wanted if name not in names]
    if any(not name.startswith("score_pool") for name in missing) or not missing:
        raise ValueError(
            "init_from must be a coarser FCN of the same form (32s for 16s, 16s for 8s), received "
            f"{coarser.name!r}, which lacks {missing or 'nothing: it is not coarser'}"
        )
    ours, theirs = _pixels(model), _pixels(coarser)
    if ours != theirs:
        raise ValueError(
            f"init_from must treat pixels alike, received {theirs}, expected {ours}; pass its "
            "padding=, and where it has a layer of that name "
            "preprocessing=init_from.get_layer('preprocessing')"
        )
    shared = [name for name in wanted if name.startswith("score_pool") and name in names]
    scaled = [{name for name in shared if _is_scaled(each, name)} for each in (model, coarser)]
    if scaled[0] != scaled[1]:
        raise ValueError(
            f"init_from must have the same at_once, whose scales its {', '.join(shared)} knows"
        )


def _enlarges(layer: Any) -> bool:
    return bool(layer.name.endswith("_up"))


def _is_scaled(model: keras.Model, score: str) -> bool:
    scale = f"{score.removeprefix('score_')}_scale"
    return any(layer.name == scale for layer in model.layers)


def _pixels(model: keras.Model) -> list[Any]:
    """What happens to pixels before the first convolution."""
    found = []
    for layer in before_features(model):
        if not isinstance(layer, keras.layers.InputLayer | keras.Model):
            config = keras.saving.serialize_keras_object(layer)["config"]
            kept = {key: value for key, value in config.items() if key not in _OF_NO_WEIGHT}
            found.append((type(layer).__name__, kept))
    return found
