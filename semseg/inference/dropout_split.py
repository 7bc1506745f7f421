"""A model cut in two where its first dropout layers stand, those behind always dropping."""

from typing import Any, NamedTuple

import keras

from semseg.models.supervision import main_output

_DROPPING = (
    keras.layers.Dropout,  # and the spatial ones, which inherit from it
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
)


class Always(keras.layers.Layer):
    """A dropout layer that drops in inference too, while its neighbours stay in inference."""

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = type(layer).from_config(layer.get_config())

    def reseed(self, seed: int) -> None:
        """Starts its random numbers again."""
        self.layer.seed_generator.state.assign(keras.random.SeedGenerator(seed).state)

    def call(self, inputs: Any) -> Any:
        return self.layer(inputs, training=True)


class DropoutSplit(NamedTuple):
    """`random(certain(images))` is one sample of the model's scores.

    Attributes:
        certain: from the pictures to what the dropout layers and those behind them read: a tensor,
            or a list of several.
        random: from there to the scores; other ones each time.
        dropping: the layers that are random.
    """

    certain: keras.Model
    random: keras.Model
    dropping: list[Always]

    def reseed(self, seed: int) -> None:
        """Starts the samples again: the same seed gives the same ones."""
        for i, layer in enumerate(self.dropping):
            layer.reseed(seed + i)


def split_at_dropout(model: keras.Model) -> DropoutSplit:
    """Cuts a functional model; both parts share its weights.

    Raises:
        ValueError: a model without dropout between pictures and scores.
    """
    output = main_output(model.output if len(model.outputs) > 1 else model.outputs[0])
    read = _read_by_random_layers(model, output)
    if not read:
        raise ValueError(
            f"model must have dropout on the way to its scores, received {model.name!r} without; "
            "UNet, FCN, SegNet and SegNetBasic take dropout= or bayesian=True"
        )
    dropping: list[Always] = []

    def always(layer: keras.layers.Layer) -> keras.layers.Layer:
        if not drops(layer):
            return layer
        dropping.append(Always(layer, name=layer.name))
        return dropping[-1]

    cut = read if len(read) > 1 else read[0]
    behind = keras.Model(cut, output)
    random = keras.models.clone_model(behind, clone_function=always, recursive=True)
    return DropoutSplit(keras.Model(model.input, cut), random, dropping)


def drops(layer: Any) -> bool:
    """Whether a layer is a dropout layer that does something."""
    return isinstance(layer, _DROPPING) and layer.rate > 0


def _read_by_random_layers(model: keras.Model, output: Any) -> list[Any]:
    """The tensors without randomness that layers with randomness, or behind some, read."""
    random: set[int] = set()
    read: dict[int, Any] = {}
    functional = getattr(model, "_functional", None) or model  # of a Sequential
    for depth in sorted(functional._nodes_by_depth, reverse=True):
        for node in functional._nodes_by_depth[depth]:
            if node.is_input:
                continue
            layer = node.operation
            inner = layer._flatten_layers() if isinstance(layer, keras.Model) else [layer]
            if any(map(drops, inner)) or any(id(x) in random for x in node.input_tensors):
                random.update(id(x) for x in node.output_tensors)
                read.update({id(x): x for x in node.input_tensors if id(x) not in random})
    return list(read.values()) if id(output) in random else []
