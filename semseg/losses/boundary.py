"""The boundary loss of Kervadec and others."""

from typing import Any

import keras

from semseg.classes import ClassMap
from semseg.losses.functional.boundary_distance import boundary
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class Boundary(SegmentationLoss):
    """Mean over pixels of signed distance to the true boundary times probability.

    Kervadec et al., MIDL 2019, "Boundary loss for highly unbalanced segmentation", equation 5;
    distances in pixels, `semseg.regions.signed_distance`. It is no loss on its own: it falls as
    the predicted region shrinks, its least value is negative, and the authors add it to a
    region's loss with a small weight that grows: `Dice() + 0.01 * Boundary()`.

    Classes without a boundary in an image (absent, or everywhere) have distance 0. Pixels without
    class belong to no region when distances are measured.

    Distances are measured in NumPy on the processor, outside XLA: on a machine with a GPU compile
    the model with `jit_compile=False`.

    Args:
        ignore_class, class_weights, pooling, absent, from_logits, class_map, reduction: as in
            `semseg.losses.Dice`, and so are shapes, errors and replicas; `y_true` must be ids.
            The authors' code is `absent="zero"`.

    Example:
        >>> loss = semseg.losses.Boundary()
        >>> float(loss(np.array([[[1, 0, 0, 0]]]), np.zeros((1, 1, 4, 1), "float32")))
        0.75
    """

    def __init__(
        self,
        ignore_class: int | None = None,
        class_weights: Any = None,
        pooling: str = "batch",
        absent: str = "skip",
        from_logits: bool = True,
        class_map: ClassMap | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "boundary",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            boundary,
            name,
            reduction,
            dtype,
            class_map,
            ignore_class=ignore_class,
            class_weights=class_weights,
            pooling=pooling,
            absent=absent,
            from_logits=bool(from_logits),
        )
