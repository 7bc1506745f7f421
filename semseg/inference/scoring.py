"""The scores of a model on a data set."""

from collections.abc import Iterable, Iterator
from functools import cache

import keras
import numpy as np

from semseg.data.dataset import Dataset
from semseg.inference.forward import Forward
from semseg.inference.prediction import predictions
from semseg.inference.tile_plan import plan_tiles
from semseg.inference.tiling import tiled_ids
from semseg.inference.views import TestTime
from semseg.metrics import Scores
from semseg.metrics.functional import confusion_matrix


def score(
    model: keras.Model,
    ds: Dataset,
    *,
    size: tuple[int, int] | None = None,
    batch_size: int = 8,
    tta: TestTime = None,
    tile: int | tuple[int, int] | None = None,
) -> Scores:
    """Compares predictions with the masks at the masks' own size: one matrix for the whole set.

    Args:
        model: any Keras model with per-pixel outputs.
        ds: annotated pictures; its ClassMap says what is ignored and how classes are called.
        size: (height, width) at which the model sees every picture, as in `predict`.
        batch_size: pictures of equal size that the model gets at once.
        tta: test-time augmentation, as in `predict`.
        tile: predicts in exact tiles of this size, as `predict_tiled`, whose scores are those of
            the whole picture; for pictures too large for the memory, and models without padding.

    Raises:
        ValueError: a model whose number of outputs is not the data set's number of classes; `tile`
            together with `size` or `tta`.

    Example:
        >>> ds = semseg.data.digits("test", count=2)
        >>> model = semseg.models.UNet(class_map=ds.class_map, depth=1, filters=4)
        >>> scores = semseg.inference.score(model, ds)
        >>> 0 <= scores["mean_iou"] <= 1
        True
    """
    classes, ignore_class = ds.class_map.num_classes, ds.class_map.ignore_class
    forward = Forward(model)
    check_classes(forward, ds)
    if tile is not None and (size is not None or tta is not None):
        raise ValueError("tile goes without size and tta: tiles are cut from the picture as it is")
    total = np.zeros((classes, classes), np.int64)
    masks: list[np.ndarray] = []  # read with the images, used when their prediction comes

    def images() -> Iterator[np.ndarray]:
        for image, mask in ds:
            masks.append(mask)
            yield image

    plan = cache(lambda size: plan_tiles(model, size, tile=tile))
    predicted: Iterable[np.ndarray] = (
        predictions(model, images(), size=size, batch_size=batch_size, tta=tta)
        if tile is None
        else (tiled_ids(forward, image, plan(image.shape[:2])) for image in images())
    )
    for ids in predicted:
        total += confusion_matrix(masks.pop(0), ids, classes, ignore_class)
    return Scores(total, ds.class_map.names)


def check_classes(forward: Forward, ds: Dataset) -> None:
    """The model must have an output for each class of the data set, or one for two."""
    classes, outputs = ds.class_map.num_classes, forward.num_outputs
    if outputs != classes and not (outputs == 1 and classes == 2):
        raise ValueError(
            f"model must have {classes} outputs for the classes of {ds.name!r}, received "
            f"{outputs}; build it with class_map=ds.class_map"
        )
