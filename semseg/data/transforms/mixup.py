"""Pictures laid over one another, with targets that say how much of each."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from semseg._checks import check_ignore_class, check_num_classes, check_positive
from semseg.classes import ClassMap
from semseg.data.transforms.mixing import BatchTransform, another, check_known


@dataclass(frozen=True, repr=False)
class MixUp(BatchTransform):
    """Averages two pictures and, as soft targets, their masks (Zhang et al., ICLR 2018).

    The picture is `m * own + (1 - m) * other`, m drawn from Beta(alpha, alpha), and so is the
    target: shares (batch, height, width, classes) that sum to 1, for losses that take them.
    Where one of the two has no class, the other's is the target and its share the pixel's weight.
    So the crossentropy of each pixel, before any mean, is `m` times that of the own mask and
    `1 - m` times that of the other, ignored pixels and weights included. As `mix=` it comes last:
    others need ids.

    Args:
        alpha: the smaller, the less is mixed; with the authors' 0.2 both have a quarter or more
            in 17 of 100 pairs.
        num_classes: how many classes there are, 2 or more (a model of one logit takes no shares);
            in a pipeline the data set's, and so not needed.
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
    num_classes: int | None = field(default=None, kw_only=True)
    ignore_class: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("alpha of MixUp", self.alpha)
        if self.num_classes is not None:
            if check_num_classes(self.num_classes) < 2:
                raise ValueError(
                    f"num_classes of MixUp must be >= 2, received {self.num_classes}; soft targets "
                    "of two classes are for a model with two logits"
                )
            check_ignore_class(self.ignore_class, self.num_classes)
        check_known(self, "ignore_class")

    def suited(self, class_map: ClassMap) -> Self:
        classes, ignored = class_map.num_classes, class_map.ignore_class
        check_known(self, "num_classes", classes)
        check_known(self, "ignore_class", ignored)
        return replace(self, num_classes=classes, ignore_class=ignored)

    def mixed(
        self, batch: tuple[np.ndarray, ...], rng: np.random.Generator
    ) -> tuple[np.ndarray, ...]:
        images, masks = batch[:2]
        weights = batch[2] if len(batch) > 2 else None
        has_class = self._have_class(masks)
        ids = np.where(has_class, masks, 0).astype(np.intp)
        heavy = np.where(has_class, np.float32(1) if weights is None else weights, np.float32(0))
        mixed, total = images.copy(), heavy.copy()
        shares = np.zeros((*masks.shape, self.num_classes or 0), np.float32)
        for place in range(len(images)):
            own, partner = np.float32(1), place
            if self.is_picked(len(images), rng):
                own = np.float32(rng.beta(self.alpha, self.alpha))
                partner = another(place, len(images), rng)
                image = _mean(images[place], images[partner], own)
                mixed[place] = image if images.dtype.kind == "f" else np.rint(image)
            mine, others = own * heavy[place], (1 - own) * heavy[partner]
            total[place] = mine + others
            is_light = total[place] == 0  # a class without weight is a class
            mine = np.where(is_light, own * has_class[place], mine)
            others = np.where(is_light, (1 - own) * has_class[partner], others)
            sums = mine + others
            sums[sums == 0] = 1
            for part, of in ((mine, place), (others, partner)):
                _add(shares[place], ids[of], part / sums)
        if weights is None and self.ignore_class is None:
            return mixed, shares
        return mixed, shares, total

    def _have_class(self, masks: np.ndarray) -> np.ndarray:
        """Which pixels have a class; ids that are none are refused."""
        if self.num_classes is None:
            raise ValueError(f"{self!r} needs num_classes= outside of a pipeline")
        has_class: np.ndarray = (masks >= 0) & (masks < self.num_classes)
        if not (has_class | (masks == self.ignore_class)).all():
            raise ValueError(
                f"masks must hold ids of {self.num_classes} classes and {self.ignore_class} for "
                f"none, received {np.unique(masks).tolist()}"
            )
        return has_class


def _add(shares: np.ndarray, ids: np.ndarray, values: np.ndarray) -> None:
    """Adds one value a pixel to the share (height, width, classes) of its class."""
    pixels = shares.reshape(-1, shares.shape[-1])
    pixels[np.arange(ids.size), ids.ravel()] += values.ravel()


def _mean(one: np.ndarray, other: np.ndarray, share: np.float32) -> np.ndarray:
    exact = np.result_type(one, np.float32)
    mean: np.ndarray = share * one.astype(exact) + (1 - share) * other.astype(exact)
    return mean
