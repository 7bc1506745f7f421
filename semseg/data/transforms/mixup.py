"""Pictures laid over one another, with targets that say how much of each."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from semseg._checks import check_num_classes, check_positive
from semseg.classes import ClassMap
from semseg.data.transforms.mixing import BatchTransform, another, checked_batch


@dataclass(frozen=True, repr=False)
class MixUp(BatchTransform):
    """Averages two pictures and, as soft targets, their masks (Zhang et al., ICLR 2018).

    The picture is `m * own + (1 - m) * other`, m drawn from Beta(alpha, alpha), and so is the
    target: shares (batch, height, width, classes) that sum to 1, for losses that take them.
    Where one of the two has no class, the other's is the target and its share the pixel's weight.
    So the crossentropy is `m` times that of the own mask and `1 - m` times that of the other,
    ignored pixels and weights included. As `mix=` it comes last: others need ids.

    Args:
        alpha: the smaller, the less is mixed; with the authors' 0.2 both have a quarter or more
            in 17 of 100 pairs.
        num_classes: how many classes there are; in a pipeline the data set's.
        ignore_class: the id without class; in a pipeline the data set's. With one there are
            always weights (batch, height, width), a third part of the batch.

    Example:
        >>> masks = np.array([[[0, 0]], [[1, 255]]])
        >>> images = np.array([[[0, 0]], [[200, 200]]], "uint8")[..., None]
        >>> mixup = MixUp(num_classes=2, ignore_class=255)
        >>> mixed, shares, weights = mixup(images, masks, np.random.default_rng(7))
        >>> mixed[0, 0, :, 0].tolist(), shares[0, 0, :, 1].round(2), weights[0, 0].round(2)
        ([65, 65], array([0.33, 0.  ], dtype=float32), array([1.  , 0.67], dtype=float32))
    """

    alpha: float = 0.2
    num_classes: int | None = None
    ignore_class: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("alpha of MixUp", self.alpha)
        if self.num_classes is not None and check_num_classes(self.num_classes) < 2:
            raise ValueError(
                f"num_classes of MixUp must be >= 2, received {self.num_classes}; soft targets of "
                "two classes are for a model with two logits"
            )

    def suited(self, class_map: ClassMap) -> Self:
        return replace(
            self,
            num_classes=self.num_classes or class_map.num_classes,
            ignore_class=(
                class_map.ignore_class if self.ignore_class is None else self.ignore_class
            ),
        )

    def __call__(
        self,
        images: np.ndarray,
        masks: np.ndarray,
        rng: np.random.Generator,
        weights: np.ndarray | None = None,
    ) -> tuple[np.ndarray, ...]:
        """The mixed (images, shares) or (images, shares, weights); see `BatchTransform`."""
        checked_batch(images, masks, weights)
        plain = self._shares(masks)
        heavy = plain if weights is None else plain * weights[..., None]
        parts = [images, plain] if weights is None else [images, plain, heavy]
        mixed = [part.copy() for part in parts]
        for place in range(len(images)):
            if self.is_picked(len(images), rng):
                own = np.float32(rng.beta(self.alpha, self.alpha))
                partner = another(place, len(images), rng)
                for old, new in zip(parts, mixed, strict=True):
                    mean = _mean(old[place], old[partner], own)
                    new[place] = mean if new.dtype.kind == "f" else np.rint(mean)
        shares, total = _normalised(mixed[-1])
        if weights is None and self.ignore_class is None:
            return mixed[0], shares
        if weights is not None:  # a class without weight is a class
            shares = np.where(total[..., None] > 0, shares, _normalised(mixed[1])[0])
        return mixed[0], shares, total

    def _shares(self, masks: np.ndarray) -> np.ndarray:
        """(batch, height, width, classes): 1 at a pixel's class, nothing where it has none."""
        if self.num_classes is None:
            raise ValueError(f"{self!r} needs num_classes= outside of a pipeline")
        shares = masks[..., None] == np.arange(self.num_classes)
        if not (shares.any(-1) | (masks == self.ignore_class)).all():
            raise ValueError(
                f"masks must hold ids of {self.num_classes} classes and {self.ignore_class} for "
                f"none, received {np.unique(masks).tolist()}"
            )
        return shares.astype(np.float32)


def _normalised(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares that sum to 1, or to 0 where there are none, and their sums before that."""
    total = shares.sum(-1)
    return shares / np.where(total > 0, total, 1)[..., None], total


def _mean(one: np.ndarray, other: np.ndarray, share: np.float32) -> np.ndarray:
    exact = np.result_type(one, np.float32)
    mean: np.ndarray = share * one.astype(exact) + (1 - share) * other.astype(exact)
    return mean
