"""What each skip connection adds to a prediction."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semseg.classes import ClassMap
from semseg.viz._images import as_rgb
from semseg.viz._masks import class_rows, paint
from semseg.viz._picture_rows import Panel, picture_rows
from semseg.viz._theme import theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 3
_TITLE = "mean IoU on this picture, of the model and without the skip of a stage"


def plot_skip_ablation(
    model: Any,
    image: Any,
    mask: Any,
    class_map: ClassMap,
    *,
    title: str | None = None,
    dark: bool = False,
) -> "Figure":
    """Shows the prediction of a model with each of its skips silenced, and the score that is left.

    A silenced skip hands zeros to the decoder, the weights stay: it shows what this model makes of
    a skip, not how well a model trained without it would do.

    Args:
        model: a functional model with skips: `UNet`, `FCN` 16s and 8s, or your own.
        image: (height, width, channels), as the model takes it.
        mask: (height, width) true ids.
        class_map: what the ids mean.
        title: above the pictures.
        dark: light text on a dark ground.

    Returns:
        The Matplotlib figure: picture and truth, the prediction, and one without each skip, the
        finest first, with the mean IoU on this picture.

    Raises:
        ValueError: a model without skips, a mask that does not fit.

    Example:
        >>> ds = semseg.data.digits("test", count=1)
        >>> model = semseg.models.UNet(class_map=ds.class_map, depth=2, filters=4)
        >>> figure = plot_skip_ablation(model, *ds[0], ds.class_map)
    """
    # Both bring Keras, without which the rest of this package works.
    from semseg.analysis.ablation import skip_ablation, skips
    from semseg.metrics.functional import confusion_matrix, scores

    if not skips(model):
        raise ValueError(
            f"model must have skip connections, received {model.name!r} without; SegNet hands "
            "positions: plot_pooling_indices"
        )
    rgb = as_rgb(image)
    truth = class_rows(mask, class_map, "mask", rgb.shape[:2])
    seen = set(np.unique(truth).tolist())
    panels = [Panel(rgb, "image"), Panel(paint(truth, class_map), "truth")]
    for name, logits in skip_ablation(model, np.asarray(image)[None]).items():
        ids = _ids(logits[0])
        seen |= set(np.unique(ids).tolist())
        matrix = confusion_matrix(mask, ids, class_map.num_classes, class_map.ignore_class)
        what = "prediction" if name == "complete" else f"without {name}"
        caption = f"{what}: {scores(matrix).mean_iou:.3f}"
        panels.append(Panel(paint(class_rows(ids, class_map), class_map), caption))
    columns = min(_COLUMNS, len(panels))
    rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
    names = zip(class_map.names, class_map.colors, strict=True)
    legend = [entry for i, entry in enumerate(names) if i in seen]
    return picture_rows(rows, theme(dark), title=title or _TITLE, legend=legend)


def _ids(logits: np.ndarray) -> np.ndarray:
    return (logits[..., 0] > 0).astype(int) if logits.shape[-1] == 1 else logits.argmax(axis=-1)
