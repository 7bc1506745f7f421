"""Crossentropy of the hardest pixels alone."""

from typing import Any

import keras

from semseg.classes import ClassMap
from semseg.losses.functional.pixel_losses import hard_pixels
from semseg.losses.segmentation_loss import SegmentationLoss


@keras.saving.register_keras_serializable(package="semseg.losses")
class HardPixels(SegmentationLoss):
    """Crossentropy meaned over the hardest pixels of the batch (OHEM, top-k).

    A pixel is hard where its class has a small probability; class weights do not choose, they
    weigh what was chosen. Where the last pixels to be chosen tie, each counts in part.

    Args:
        share: 0 < share <= 1; of the valid pixels of the batch, rounded up, at least so many are
            kept (the top-k loss of Wu et al. 2016, "High-performance Semantic Segmentation Using
            Very Deep Fully Convolutional Networks"; nnU-Net keeps 0.1).
        threshold: None, or a probability: pixels whose class has less are all kept as well
            (their bootstrapping, mmsegmentation's OHEM: 0.7).
        ignore_class, class_weights, divisor, from_logits, class_map, reduction: as in
            `semseg.losses.Crossentropy`, and so are shapes, soft targets, errors and replicas.

    Example:
        >>> loss = semseg.losses.HardPixels(share=0.5)
        >>> logits = np.array([[[[0.0, 0.0], [9.0, 0.0]]]], "float32")
        >>> round(float(loss(np.array([[[0, 0]]]), logits)), 4)  # ln 2: the easy one is left out
        0.6931
    """

    def __init__(
        self,
        share: float = 0.25,
        threshold: float | None = None,
        ignore_class: int | None = None,
        class_weights: Any = None,
        divisor: str = "weights",
        from_logits: bool = True,
        class_map: ClassMap | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hard_pixels",
        dtype: Any = None,
    ) -> None:
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
            raise ValueError(f"share must lie in (0, 1], received {share!r}")
        if threshold is not None and not 0 < threshold < 1:
            raise ValueError(f"threshold must be None or lie in (0, 1), received {threshold!r}")
        super().__init__(
            hard_pixels,
            name,
            reduction,
            dtype,
            class_map,
            share=float(share),
            threshold=threshold,
            ignore_class=ignore_class,
            class_weights=class_weights,
            divisor=divisor,
            from_logits=bool(from_logits),
        )
