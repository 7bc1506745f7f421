"""What the stages of a model make of one picture."""

from typing import Any

import numpy as np
from keras import ops

from semseg._checks import check_image
from semseg.analysis.graph import read_graph
from semseg.analysis.staging import stages_of


def feature_maps(model: Any, image: np.ndarray) -> dict[str, np.ndarray]:
    """The output of each stage for one picture, in inference.

    Args:
        model: a functional `keras.Model`.
        image: (height, width, channels), as the model takes it.

    Returns:
        By the name of the stage (see `semseg.analysis.stages`), in order: float32 arrays
        (height, width, channels) at the stage's own resolution, before its pooling.

    Example:
        >>> model = semseg.models.UNet(num_classes=2, depth=1, filters=4)
        >>> maps = semseg.analysis.feature_maps(model, np.zeros((32, 48, 3), "uint8"))
        >>> {name: map.shape for name, map in maps.items()}["bottleneck"]
        (16, 24, 8)
    """
    image = check_image(image)
    graph = read_graph(model)
    staged = stages_of(graph)
    batch = ops.cast(ops.convert_to_tensor(image[None]), graph.tensors[graph.inputs[0]].dtype)
    values = graph.values([batch], graph.output_of(None))
    return {
        stage.name: np.asarray(ops.convert_to_numpy(ops.cast(values[stage.output], "float32")))[0]
        for stage in staged
    }
