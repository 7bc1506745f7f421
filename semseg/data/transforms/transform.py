"""What a transform is: a small frozen object, called with image, mask and a generator."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Any, NamedTuple, Self

import numpy as np

from semseg.data.errors import prefixed
from semseg.data.samples import checked_pair
from semseg.data.transforms.operation import Operation, name_of

#: A transform, or any function of (image, mask, rng) that gives (image, mask).
TransformLike = Callable[..., tuple[np.ndarray, ...]]


class Sample(NamedTuple):
    """What a chain works on."""

    image: np.ndarray
    mask: np.ndarray
    weights: np.ndarray | None = None


@dataclass(frozen=True, repr=False)
class Transform(Operation):
    """A function of (image, mask, rng) that changes both together, drawing from `rng` alone.

    Args:
        probability: how often it is applied at all.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fill(self)

    def __call__(
        self,
        image: np.ndarray,
        mask: np.ndarray,
        rng: np.random.Generator,
        weights: np.ndarray | None = None,
    ) -> tuple[np.ndarray, ...]:
        """The transformed (image, mask), or (image, mask, weights) where weights are given.

        Args:
            image: (height, width, channels) in its own range and dtype.
            mask: (height, width) integer ids.
            rng: the only source of randomness.
            weights: (height, width) float32, which moves with the mask: 0 where nothing was.

        Raises:
            ValueError: an image and a mask of different sizes or of other shapes than these, given
                or returned by a function in a chain.
        """
        sample = checked(Sample(image, mask, weights))
        self.check(sample.image)
        sample = run(self.pick(rng), sample, rng)
        moved = fitting(sample.mask, self.fills())
        if sample.weights is None:
            return sample.image, moved
        return sample.image, moved, sample.weights

    def check(self, image: np.ndarray) -> None:
        """Refuses what it can't take, before chance decides whether it is applied at all."""
        try:
            self.check_image(image)
        except (TypeError, ValueError) as error:
            raise prefixed(error, name_of(self)) from error

    def check_image(self, image: np.ndarray) -> None:
        """Refuses an image of a dtype or of channels that it can't take."""

    def pick(self, rng: np.random.Generator) -> "Iterator[TransformLike]":
        """The steps that this call applies, none of them a choice any more."""
        if self.probability == 1 or rng.random() < self.probability:
            yield from self.steps(rng)

    def steps(self, rng: np.random.Generator) -> "Iterator[TransformLike]":
        """What it consists of, once it is applied: itself, or the parts of a chain."""
        yield self

    def filled(self, ignore_class: int | None) -> Self:
        """The same transform with `ignore_class` where it has no `mask_fill` of its own."""
        if getattr(self, "mask_fill", 0) is None:
            changes: dict[str, Any] = {"mask_fill": ignore_class}
            return replace(self, **changes)
        return self

    def fills(self) -> set[int]:
        """The ids that may come into a mask."""
        fill = getattr(self, "mask_fill", None)
        return set() if fill is None else {fill}

    @staticmethod
    def run_all(steps: Iterable[Any], sample: Sample, rng: np.random.Generator) -> Sample:
        """Applies steps of one kind in a row, in one go."""
        raise NotImplementedError


def run(steps: Iterable[TransformLike], sample: Sample, rng: np.random.Generator) -> Sample:
    """Applies steps one after the other; those of one kind in a row are fused.

    They are asked for one by one, so that a chain draws what its steps would draw on their own. An
    error names the steps it came from.
    """
    for run_all, group in groupby(steps, key=lambda step: getattr(step, "run_all", _run_functions)):
        first = next(group)
        row = [first]
        try:
            rest = _noted(group, row)  # noqa: B031  what follows the first
            sample = run_all(chain((first,), rest), sample, rng)
        except Exception as error:  # someone's own function may raise anything
            names = ", ".join(name_of(step) for step in row)
            if str(error).startswith(names):
                raise
            raise prefixed(error, names) from error
    return sample


def _noted(steps: Iterable[TransformLike], row: list[TransformLike]) -> Iterator[TransformLike]:
    for step in steps:
        row.append(step)
        yield step


def checked(sample: Sample) -> Sample:
    """The sample, whose parts must have one size: nothing further on would notice."""
    image, mask = checked_pair(sample.image, sample.mask)
    if sample.weights is not None and sample.weights.shape != mask.shape:
        raise ValueError(
            f"weights must have the mask's shape {mask.shape}, received {sample.weights.shape}"
        )
    return Sample(image, mask, sample.weights)


def fitting(mask: np.ndarray, fills: set[int]) -> np.ndarray:
    """The mask in a dtype that holds the fills, whether or not one was needed this time.

    So all masks of a data set keep one dtype.
    """
    if all(np.can_cast(np.min_scalar_type(fill), mask.dtype) for fill in fills):
        return mask
    return mask.astype(np.int32)


def check_fill(owner: Any) -> None:
    """`mask_fill` of `owner`, where it has one: an id, or None if the data set is to say it."""
    fill = getattr(owner, "mask_fill", None)
    if fill is not None and (isinstance(fill, bool) or not isinstance(fill, int | np.integer)):
        raise TypeError(
            f"mask_fill of {type(owner).__name__} must be None or an int, received {fill!r}"
        )


def _run_functions(
    steps: Iterable[TransformLike], sample: Sample, rng: np.random.Generator
) -> Sample:
    """Someone's own functions, which may write into their arguments, never into a data set."""
    for step in steps:
        image, mask = sample.image.copy(), sample.mask.copy()
        if sample.weights is None:
            sample = Sample(*step(image, mask, rng))
        elif takes_weights(step):
            sample = Sample(*step(image, mask, rng, sample.weights.copy()))
        else:
            image, mask = step(image, mask, rng)
            if not np.array_equal(mask, sample.mask):
                raise ValueError(
                    "a function that moves the mask must move the weights too: let it take and "
                    "return (image, mask, rng, weights) -> (image, mask, weights)"
                )
            sample = Sample(image, mask, sample.weights)
        sample = checked(sample)
    return sample


def takes_weights(step: TransformLike) -> bool:
    """Whether a function has a fourth argument, for weights."""
    try:
        inspect.signature(step).bind(None, None, None, None)
    except TypeError:
        return False
    return True
