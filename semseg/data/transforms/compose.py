"""Chains of transforms and choices between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from semseg.data.transforms.albumentations_adapter import adapted
from semseg.data.transforms.mixing import BatchTransform
from semseg.data.transforms.operation import name_of
from semseg.data.transforms.transform import Transform, TransformLike


@dataclass(frozen=True, repr=False)
class _Several(Transform):
    """Transforms with something in common: a chain, a choice."""

    transforms: Sequence[TransformLike]

    def __post_init__(self) -> None:
        super().__post_init__()
        for transform in self.transforms:
            if isinstance(transform, BatchTransform):
                raise TypeError(
                    f"{transform!r} mixes the pictures of a batch: pass it to the pipeline as "
                    "mix=, several as a list, each with its probability="
                )
            if not callable(transform):
                raise TypeError(
                    f"transforms must be functions of (image, mask, rng), received {transform!r}"
                )
        object.__setattr__(self, "transforms", tuple(adapted(t) for t in self.transforms))

    def filled(self, ignore_class: int | None) -> Self:
        return replace(
            self,
            transforms=[
                t.filled(ignore_class) if isinstance(t, Transform) else t for t in self.transforms
            ],
        )

    def __repr__(self) -> str:
        shown = ", ".join(map(name_of, self.transforms))
        chance = "" if self.probability == 1 else f", probability={self.probability!r}"
        return f"{type(self).__name__}([{shown}]{chance})"

    def check(self, image: np.ndarray) -> None:
        for transform in self.transforms:
            if not isinstance(transform, Transform):
                return  # someone's own function may make another image
            transform.check(image)

    def fills(self) -> set[int]:
        return set().union(*(t.fills() for t in self.transforms if isinstance(t, Transform)))


@dataclass(frozen=True, repr=False)
class Compose(_Several):
    """Transforms one after the other.

    Geometric ones in a row read the picture once, and give what they would give one by one (but for
    less blur); so do operations on single values, which become one table. Any function of (image,
    mask, rng) may stand between them, or of (image, mask, rng, weights) where there are weights.

    Example:
        >>> from semseg.data.transforms import Flip, RandomCrop, RandomScale
        >>> chain = Compose([RandomScale(0.5, 2.0), RandomCrop((4, 4), mask_fill=255), Flip()])
        >>> image, mask = np.zeros((6, 8, 3), "uint8"), np.zeros((6, 8), "uint8")
        >>> image, mask = chain(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((4, 4, 3), (4, 4))
    """

    def steps(self, rng: np.random.Generator) -> Iterator[TransformLike]:
        for transform in self.transforms:
            yield from _picked(transform, rng)


@dataclass(frozen=True, repr=False)
class OneOf(_Several):
    """One of several transforms, each as likely.

    Example:
        >>> from semseg.data.transforms import Elastic, GridDistortion
        >>> choice = OneOf([Elastic(sd=4, border="reflect"), GridDistortion()], probability=0.5)
        >>> image, mask = np.zeros((60, 80, 3), "uint8"), np.zeros((60, 80), "uint8")
        >>> image, mask = choice(image, mask, np.random.default_rng(0))
        >>> image.shape
        (60, 80, 3)
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.transforms:
            raise ValueError("OneOf needs at least one transform, received none")

    def steps(self, rng: np.random.Generator) -> Iterator[TransformLike]:
        return _picked(self.transforms[int(rng.random() * len(self.transforms))], rng)


def _picked(transform: TransformLike, rng: np.random.Generator) -> Iterator[TransformLike]:
    return transform.pick(rng) if isinstance(transform, Transform) else iter((transform,))
