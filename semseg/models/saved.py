"""Reading a saved model back, and the classes that travel inside it."""

import os
from pathlib import Path

import keras

# Imported so that a file compiled with our losses, metrics and optimizers finds their classes.
import semseg._optimizers
import semseg.losses
import semseg.metrics  # noqa: F401
from semseg.classes import ClassMap
from semseg.layers import Logits


def load(path: str | os.PathLike[str]) -> keras.Model:
    """Loads a `.keras` file written by `model.save`, compiled as it was.

    Args:
        path: the file.

    Returns:
        The model with its weights, loss, metrics and optimizer. Nothing from the file is run
        (`safe_mode` is on) and no `custom_objects` are needed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a Keras model.

    Example:
        >>> import tempfile
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.keras")
        ...     again = semseg.models.load(f"{folder}/model.keras")
        >>> again.count_params() == model.count_params()
        True
    """
    file = Path(path)
    if not file.is_file():
        near = sorted(p.name for p in file.parent.glob("*.keras")) if file.parent.is_dir() else []
        seen = f"; that folder has {', '.join(near[:5])}" if near else ""
        raise FileNotFoundError(f"path must be a .keras file, found none at {file}{seen}")
    return keras.saving.load_model(file)


def class_map(model: keras.Model) -> ClassMap | None:
    """The ClassMap inside a model, nested models included; None where it has none.

    Example:
        >>> cells = semseg.ClassMap(["background", "cell"])
        >>> model = semseg.models.UNet(class_map=cells, depth=1, filters=4)
        >>> semseg.models.class_map(model) == cells
        True
    """
    layer = output_layer(model)
    return None if layer is None else layer.class_map


def output_layer(model: keras.Model) -> Logits | None:
    """The last `Logits` layer of a model, looked for in nested models too."""
    for layer in reversed(getattr(model, "layers", [])):
        if isinstance(layer, Logits):
            return layer
        inner = output_layer(layer) if isinstance(layer, keras.Model) else None
        if inner is not None:
            return inner
    return None
