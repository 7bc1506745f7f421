"""What all builders check and resolve alike."""

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec

import keras

from semseg._checks import check_num_classes
from semseg.classes import ClassMap
from semseg.layers import PixelRescaling

InputShape = tuple[int | None, int | None, int]
Arguments = ParamSpec("Arguments")

# What other libraries call our arguments.
_ELSEWHERE = {
    "backbone": "encoder",
    "backbone_name": "encoder",
    "in_channels": "input_shape",
    "input_channels": "input_shape",
    "pretrained": "encoder_weights",
    "weights": "encoder_weights",
}


def names_arguments(builder: Callable[Arguments, keras.Model]) -> Callable[Arguments, keras.Model]:
    """A builder whose error about an unknown argument says which one was meant."""
    known = inspect.signature(builder).parameters

    @functools.wraps(builder)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> keras.Model:
        for name in kwargs:
            if name not in known:
                near = _ELSEWHERE.get(name) or _nearest(name, known)
                hint = f"did you mean {near}=?" if near in known else f"it takes {', '.join(known)}"
                raise TypeError(f"{builder.__name__} has no argument {name}=; {hint}")
        return builder(*args, **kwargs)

    return checked


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, known, n=1)), None)


def check_input_shape(input_shape: Any) -> InputShape:
    """(height, width, channels); height and width may be None, which stands for any size."""
    form = "input_shape must be (height, width, channels), with None for any height or width"
    try:
        height, width, channels = input_shape
    except (TypeError, ValueError):
        raise ValueError(f"{form}, received {input_shape!r}") from None
    for name, length in (("height", height), ("width", width)):
        if length is not None and (not isinstance(length, int) or length < 1):
            raise ValueError(f"{form}; {name} must be >= 1, received {input_shape!r}")
    if not isinstance(channels, int) or channels < 1:
        raise ValueError(f"{form}; channels must be >= 1, received {input_shape!r}")
    return height, width, channels


def resolve_classes(num_classes: int | None, class_map: ClassMap | None) -> int:
    """The number of outputs that `num_classes=` or `class_map=` asks for."""
    if class_map is not None and not isinstance(class_map, ClassMap):
        raise TypeError(f"class_map must be a semseg.ClassMap, received {class_map!r}")
    if num_classes is None:
        if class_map is None:
            raise ValueError("pass num_classes= or class_map=; received neither")
        return class_map.num_classes
    num_classes = check_num_classes(num_classes)
    # One output is the binary form of a map of two names.
    if class_map is not None and max(2, num_classes) != class_map.num_classes:
        raise ValueError(
            f"num_classes and class_map must agree, received {num_classes} and a ClassMap of "
            f"{class_map.num_classes} classes; class_map alone is enough"
        )
    return num_classes


def check_activation(activation: str | None, num_classes: int) -> str | None:
    """None for logits; softmax and sigmoid where they make sense for the number of outputs."""
    if activation not in (None, "softmax", "sigmoid"):
        raise ValueError(
            f"activation must be None (logits), 'softmax' or 'sigmoid', received {activation!r}"
        )
    if activation == "sigmoid" and num_classes > 1:
        raise ValueError(
            f"activation='sigmoid' goes with num_classes=1, received num_classes={num_classes}: "
            "several labels a pixel are not served; use 'softmax' or None"
        )
    if activation == "softmax" and num_classes == 1:
        raise ValueError(
            "activation='softmax' over one output is always 1; use 'sigmoid' or None with "
            "num_classes=1"
        )
    return activation


def check_common(
    input_shape: Any, num_classes: int | None, class_map: ClassMap | None, activation: str | None
) -> tuple[InputShape, int]:
    """Input shape and number of outputs, after the checks of what every builder takes."""
    input_shape = check_input_shape(input_shape)
    num_classes = resolve_classes(num_classes, class_map)
    check_activation(activation, num_classes)
    return input_shape, num_classes


def preprocessing_layer(
    preprocessing: Any, **more: type[keras.layers.Layer]
) -> Callable[[Any], Any]:
    """The first layer of a model: a Keras layer, one of a name (some in `more`), None for none."""
    if preprocessing is None:
        return lambda x: x
    if isinstance(preprocessing, keras.layers.Layer):
        return _in_full_precision(preprocessing)
    known = {**more, "rescale": PixelRescaling}
    if isinstance(preprocessing, str) and preprocessing in known:
        return known[preprocessing](name="preprocessing")
    raise ValueError(
        f"preprocessing must be {', '.join(map(repr, known))} ([0, 255] -> [-1, 1]), a Keras "
        f"layer, or None for images that are normalised already; received {preprocessing!r}"
    )


def _in_full_precision(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Half precision has 8 or 11 bits: 16-bit pixels would lose half of them at once."""
    for part in layer._flatten_layers():
        # A model passes its inputs on as they are.
        if not isinstance(part, keras.Model) and part.compute_dtype in ("bfloat16", "float16"):
            raise ValueError(
                f"preprocessing must compute in float32, received {part.name!r} of "
                f"{part.compute_dtype}; build that layer with dtype='float32'"
            )
    return layer
