"""Where a stage holds what speaks for a class: Seg-Grad-CAM.

Vinogradova, Dibrov and Myers, 2020, "Towards Interpretable Semantic Segmentation via
Gradient-weighted Class Activation Mapping" (arXiv:2002.11434), after Selvaraju et al., 2017,
"Grad-CAM" (arXiv:1610.02391).
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from semseg._backend import input_gradient
from semseg._checks import check_choice, check_image
from semseg.analysis.graph import Node, read_graph, without_activation
from semseg.analysis.places import Axis, axes_of
from semseg.analysis.staging import Stage, stages_of


class ClassActivation(NamedTuple):
    """What speaks for a class in a stage, on the picture.

    Attributes:
        map: (height, width) float32, >= 0: how much each place adds to the logit.
        region: (height, width) bool: the pixels whose logits are explained.
        stage: the stage's name.
    """

    map: np.ndarray
    region: np.ndarray
    stage: str


def class_activation(
    model: Any,
    image: np.ndarray,
    class_id: int,
    region: Any | None = None,
    stage: str | None = None,
) -> ClassActivation:
    """Which places of a stage's feature map speak for a class in a region, in inference.

    `ReLU(sum_k w_k A_k)` of the maps `A_k` of a stage, where `w_k` is the mean over all cells of
    the gradient of the region's summed logits with respect to `A_k`. The result lies on the
    picture where the cells lie, interpolated between their centres. A place that is bright has
    features that the region's logit grows with; that the region sees this place is not said:
    `w_k` is one number for all places.

    Logits are explained, not probabilities, whose gradient vanishes where the model is sure: a
    softmax or sigmoid at the end is left out.

    Args:
        model: a functional `keras.Model`; of several outputs the one named "logits" counts.
        image: (height, width, channels), as the model takes it.
        class_id: the class. Of one logit, that of class 1, class 0 is explained by its negative.
        region: what is explained, in the output: (height, width) bool, or one pixel (y, x); None:
            the pixels predicted as the class.
        stage: one of `stages(model)` between input and head; None: the bottleneck, or the encoder's
            last where there is none.

    Raises:
        ValueError: no such class or stage, a region that is empty, outside or of another size, no
            pixel predicted as the class.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), "uint8")
        >>> found = semseg.analysis.class_activation(model, image, 1, region=(10, 20))
        >>> found.map.shape, found.stage, int(found.region.sum())
        ((32, 48), 'bottleneck', 1)
    """
    image = check_image(image)
    graph = read_graph(model, image.shape[:2])
    target = graph.output_of(None)
    chosen = _chosen(stages_of(graph), stage)
    *nodes, last = graph.needed(target)
    end = _without_activation(last)
    batch = ops.cast(ops.convert_to_tensor(image[None]), graph.tensors[graph.inputs[0]].dtype)
    values = graph.values([batch], target)
    inner = values[chosen.output]
    logits = _array(_results(end, values))[0]
    factors = _checked_factors(class_id, logits)
    explained = _checked_region(region, logits, class_id)
    counted = ops.convert_to_tensor((explained[None, ..., None] * factors).astype(np.float32))

    def score(maps: Any) -> Any:
        found = values | {chosen.output: ops.cast(maps, inner.dtype)}
        _continue(nodes, found, chosen.output)
        return ops.cast(_results(end, found), "float32") * counted

    maps = _array(inner)
    weights = input_gradient(score, maps).mean(axis=(0, 1, 2), dtype=np.float64)
    cells = np.maximum(maps[0] @ weights, 0)
    axes = axes_of(graph, [*nodes, last])
    return ClassActivation(
        _interpolated(cells, axes, chosen).astype(np.float32),
        _on_picture(explained, axes, target),
        chosen.name,
    )


def _chosen(stages: list[Stage], name: str | None) -> Stage:
    inner = {stage.name: stage for stage in stages if stage.kind not in ("input", "head")}
    deepest = [stage for stage in inner.values() if stage.kind != "decoder"][-1:]
    if name is None and deepest:
        return deepest[0]
    if name not in inner:
        raise ValueError(
            "stage must be one between the model's input and its head, "
            f"{', '.join(inner) or 'of which it has none'}; received {name!r}"
        )
    return inner[name]


def _without_activation(end: Node) -> Node:
    """The call that makes the output, without a softmax or sigmoid."""
    layer = end.operation
    if type(layer).__name__ in ("Softmax", "Sigmoid"):  # Keras's layers and operations
        return end._replace(operation=lambda x, *_, **__: x)
    activation = getattr(layer, "activation", None)
    if not any(activation in (n, getattr(keras.activations, n)) for n in ("softmax", "sigmoid")):
        return end
    plain = without_activation(layer, end.arguments.keras_tensors[0].shape)
    return end._replace(operation=plain)


def _results(node: Node, values: dict[int, Any]) -> Any:
    return node.results([values[tensor] for tensor in node.inputs])[0]


def _continue(nodes: list[Node], values: dict[int, Any], changed: int) -> None:
    """Computes once more what depends on a tensor that has another value."""
    stale = {changed}
    for node in nodes:
        if stale.intersection(node.inputs):
            made = node.results([values[tensor] for tensor in node.inputs])
            values.update(zip(node.outputs, made, strict=True))
            stale.update(node.outputs)


def _checked_factors(class_id: Any, logits: np.ndarray) -> np.ndarray:
    """What the logits are multiplied by, so that the class's own is left."""
    count = logits.shape[-1]
    check_choice("class_id", class_id, range(max(2, count)))
    return np.array([2 * class_id - 1]) if count == 1 else np.arange(count) == class_id


def _checked_region(region: Any | None, logits: np.ndarray, class_id: int) -> np.ndarray:
    height, width, count = logits.shape
    if region is None:
        ids = logits[..., 0] > 0 if count == 1 else logits.argmax(axis=-1)
        found = np.asarray(ids == class_id)
    else:
        found = np.asarray(region)
        if found.dtype.kind in "ui" and found.shape == (2,):
            y, x = found.tolist()
            rows, columns = np.indices((height, width))
            found = (rows == y) & (columns == x)
    if found.dtype != bool or found.shape != (height, width) or not found.any():
        received = (
            f"None, and no pixel is predicted as class {class_id}"
            if region is None
            else f"{region!r}"
            if np.size(region) <= 2
            else f"{found.dtype} of shape {found.shape} with {np.count_nonzero(found)} pixels"
        )
        raise ValueError(
            f"region must be one pixel (y, x) or a (height, width) bool mask that is not empty, in "
            f"the output of {height} x {width}; received {received}; ids become one with "
            "mask == class_id"
        )
    return found


def _places(axis: Axis, tensor: int, stride: float) -> np.ndarray:
    """Where the pixels of a picture lie among a map's cells: 0 at the centre of the first."""
    place = axis.places.get(tensor)
    start = 0.0 if place is None else float(place.start)
    step = stride if place is None else float(place.stride)
    return (np.arange(axis.length) + 0.5 - start) / step - 0.5


def _interpolated(cells: np.ndarray, axes: tuple[Axis, Axis], stage: Stage) -> np.ndarray:
    """A map on the picture, linear between the centres of cells and constant beyond the last."""
    rows, columns = (
        np.clip(_places(axis, stage.output, stride), 0, count - 1)[:, None] - np.arange(count)
        for axis, count, stride in zip(axes, cells.shape, stage.stride, strict=True)
    )
    return np.maximum(1 - abs(rows), 0) @ cells @ np.maximum(1 - abs(columns), 0).T


def _on_picture(region: np.ndarray, axes: tuple[Axis, Axis], target: int) -> np.ndarray:
    """The pixels of the picture that those of the output stand for."""
    if region.shape == (axes[0].length, axes[1].length):
        return region
    rows, columns = (
        np.floor(_places(axis, target, axis.length / count) + 0.5).astype(int)
        for axis, count in zip(axes, region.shape, strict=True)
    )
    # A rim of False stands for what no output pixel stands for.
    padded = np.pad(region, 1)
    return padded[
        np.clip(rows + 1, 0, len(region) + 1)[:, None],
        np.clip(columns + 1, 0, region.shape[1] + 1),
    ]


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))
